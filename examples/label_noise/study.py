"""All runs, in several processes of one thread each; what is done is in a file, and is not done again."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch

from examples.fashion_mnist.data import Part, read_part
from examples.label_noise.data import NOISES, draw
from examples.label_noise.losses import LOSSES
from examples.label_noise.train import Settings, train

Record = dict[str, Any]


class Job(NamedTuple):
    """One run, by names."""

    seed: int
    noise: str
    loss: str


def jobs(losses: Sequence[str], noises: Sequence[str], seeds: int) -> list[Job]:
    """Whole repetitions first: what an interrupted study has is complete but for the last."""
    return [Job(seed, noise, loss) for seed in range(seeds) for noise in noises for loss in losses]


def run(job: Job, settings: Settings, train_part: Part, test: Part) -> Record:
    """The record of one run, with everything that it depends on."""
    noise = next(noise for noise in NOISES if noise.name == job.noise)
    loss = next(loss for loss in LOSSES if loss.name == job.loss)
    data = draw(train_part, test, noise, settings.images, job.seed)
    return {**heading(job, settings), **train(loss, noise, data, settings, job.seed)}


def heading(job: Job, settings: Settings) -> Record:
    """What tells two records apart: a loss whose parameters have changed is another one."""
    noise = next(noise for noise in NOISES if noise.name == job.noise)
    loss = next(loss for loss in LOSSES if loss.name == job.loss)
    return {**job._asdict(), "recipe": loss.recipe(noise), **asdict(settings)}


@dataclass(frozen=True)
class Store:
    """Records, one JSON line each; a line that was cut when the program ended is no record."""

    path: Path

    def read(self) -> list[Record]:
        """All whole records."""
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        return [record for record in map(_parsed, lines) if record is not None]

    def append(self, record: Record) -> None:
        """Written at once, on a line of its own."""
        cut = self.path.exists() and not self.path.read_bytes().endswith(b"\n") and self.path.stat().st_size
        with self.path.open("a") as file:
            file.write(("\n" if cut else "") + json.dumps(record) + "\n")

    def find(self, wanted: Sequence[Job], settings: Settings) -> dict[Job, Record]:
        """Those of the ``wanted`` that are there."""
        known = {_key(record): record for record in self.read()}
        found = ((job, known.get(_key(heading(job, settings)))) for job in wanted)
        return {job: record for job, record in found if record is not None}


def _parsed(line: str) -> Record | None:
    try:
        return json.loads(line)
    except json.JSONDecodeError:
        return None


def _key(record: Record) -> tuple[Any, ...]:
    return tuple(record.get(name) for name in ("seed", "noise", "loss", "recipe", "images", "epochs"))


def study(
    wanted: Sequence[Job],
    settings: Settings,
    folder: Path,
    store: Store,
    workers: int,
    progress: Callable[[float, int], None],
) -> dict[Job, Record]:
    """A record of every job in ``wanted``; ``progress`` hears the share done and the images seen."""
    found = store.find(wanted, settings)
    missing = [job for job in wanted if job not in found]
    progress(len(found) / len(wanted), 0)
    for count, (job, record) in enumerate(_work(missing, settings, folder, workers), 1):
        store.append(record)
        found[job] = record
        progress(len(found) / len(wanted), count * settings.images * settings.epochs)
    return {job: found[job] for job in wanted}


def _work(missing: Sequence[Job], settings: Settings, folder: Path, workers: int) -> Iterator[tuple[Job, Record]]:
    """Records as they come."""
    if not missing:
        return
    if workers == 1:
        parts = read_part(folder, "train", None), read_part(folder, "t10k", None)
        with _one_thread():
            yield from ((job, run(job, settings, *parts)) for job in missing)
        return
    context = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
    pool = ProcessPoolExecutor(workers, context, _open, (folder,))
    try:
        futures = {pool.submit(_run, job, settings): job for job in missing}
        for future in as_completed(futures):
            yield futures[future], future.result()
    finally:  # also when interrupted: what waits need not be done
        pool.shutdown(cancel_futures=True)


_parts: tuple[Part, Part] | None = None  # of a worker


def _open(folder: Path) -> None:
    global _parts
    torch.set_num_threads(1)
    _parts = read_part(folder, "train", None), read_part(folder, "t10k", None)


def _run(job: Job, settings: Settings) -> Record:
    assert _parts is not None
    return run(job, settings, *_parts)


@contextmanager
def _one_thread() -> Generator[None]:
    """As in a worker, so that the same numbers come out."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
