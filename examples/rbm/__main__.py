"""``python -m examples.rbm [--out DIR] [--seeds N] [--epochs N] [--images N] [--quiet] ...``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from examples.options import count, whole
from examples.rbm import data
from examples.rbm.data import Data
from examples.rbm.report import Results, report
from examples.rbm.train import FALLING, METHODS, train_large
from neglog import energy
from neglog.cli.outputs import rendered, write_report, write_text
from neglog.cli.progress import Progress
from neglog.report.figures import standalone
from neglog.report.model import Curves, Images, Report


def write(page: Report, out: Path) -> None:
    """The page, the same as text, the numbers, and the figures."""
    out.mkdir(parents=True, exist_ok=True)
    for suffix in ("html", "md", "json"):
        write_report(page, str(out / f"report.{suffix}"))
    figures = [block for block in page.blocks if isinstance(block, Curves | Images)]
    for name, block in zip(("learning", "filters", "samples", "large"), figures, strict=True):
        write_text(str(out / f"{name}.svg"), standalone(block))


def machines(methods: Iterable[str], splits: list[Data], hidden: int, epochs: int, progress: Progress) -> Results:
    """Every method on every split, whose place is its seed."""
    results: Results = {name: [] for name in methods}
    done, total = 0, len(results) * len(splits)
    for name, runs in results.items():
        for seed, split in enumerate(splits):

            def told(at: energy.Progress, done: int = done, count: int = len(split.train)) -> None:
                progress.at((done + at.epoch / at.epochs) / total, round((done * at.epochs + at.epoch) * count))

            runs.append(METHODS[name](split, hidden, epochs, seed, told))
            done += 1
    return results


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m examples.rbm", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/rbm"), help="folder to write to")
    parser.add_argument("--seeds", type=count, default=10, help="splits, starts and draws")
    parser.add_argument("--epochs", type=count, default=600, help="of the machines of digits")
    parser.add_argument("--clothes-epochs", type=count, default=60, help="of those of clothes")
    parser.add_argument(
        "--hidden", type=whole(1, 20), default=16, help="hidden units of the small machines, at most 20"
    )
    parser.add_argument("--large-hidden", type=count, default=256, help="hidden units of the large one")
    parser.add_argument("--large-epochs", type=count, default=15, help="of the large one")
    parser.add_argument(
        "--temperatures",
        type=count,
        help="of AIS; without, the 14,501 of Salakhutdinov & Murray, and 60,000 for the large one",
    )
    parser.add_argument("--images", type=count, help="use so many pictures only")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    options = parser.parse_args(arguments)
    splits = [data.digits(seed, options.images) for seed in range(options.seeds)]
    with Progress("digits", options.quiet) as progress:
        results = machines(METHODS, splits, options.hidden, options.epochs, progress)
    clothes = [c for seed in range(options.seeds) if (c := data.clothes(seed, options.images))]
    with Progress("clothes", options.quiet) as progress:
        harder = machines(FALLING, clothes, options.hidden, options.clothes_epochs, progress) if clothes else None
    annealed: list[tuple[float, energy.AnnealedEstimate]] = []
    with Progress("annealing", options.quiet) as progress:
        for seed, run in enumerate(results["PCD"]):
            estimate = energy.ais(run.model, splits[seed].train, temperatures=options.temperatures, rng=seed)
            annealed.append((run.model.log_partition(), estimate))
            progress.at((seed + 1) / options.seeds, (seed + 1) * len(estimate.log_weights))
    pictures = data.large(options.images)
    with Progress("large machine", options.quiet) as progress:
        large = train_large(
            pictures,
            options.large_hidden,
            options.large_epochs,
            options.temperatures,
            lambda at: progress.at(at.epoch / at.epochs, at.epoch * len(pictures.train)),
        )
    page = report(results, harder, annealed, splits[0], large, options.epochs)
    write(page, options.out)
    print(rendered(page, "table"))
    print(f"Look at {options.out / 'report.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
