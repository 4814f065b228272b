"""Restricted Boltzmann machines: an epoch of PCD, and how likely held-out pictures are after the same training."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.neural_network import BernoulliRBM as SklearnRBM
from threadpoolctl import threadpool_limits

import neglog as nl
from benchmarks.timing import timed
from neglog import energy
from neglog.sklearn import BernoulliRBM

OURS, THEIRS = "neglog", "scikit-learn"
# By zoom, the rate being that times the rows of a batch: with more, PCD of a constant rate wanders about by as much.
RATE, EPOCHS = {1: 0.001, 3: 0.00005}, {1: 100, 3: 200}
SEEDS = 5
FITTED = 5  # epochs of a timed fit, whose start-up is a part of each
TEMPERATURES = 2000  # of AIS


@dataclass(frozen=True)
class Case:
    """One epoch on the 8 x 8 digits as 0 and 1, each pixel a block of ``zoom`` x ``zoom`` units."""

    zoom: int
    hidden: int
    batch: int
    dtype: str
    threads: int
    epochs: int = 100  # before the likelihoods are compared

    @property
    def visible(self) -> int:
        return 64 * self.zoom**2

    @property
    def name(self) -> str:
        return f"rbm {self.visible} {self.hidden} {self.batch} {self.dtype} {self.threads}"


def cases() -> list[Case]:
    """scikit-learn's batch of 10 and one of 100, small and large, on one thread and on two."""
    shapes = [(1, 16, 10), (1, 16, 100), (1, 64, 10), (3, 256, 10), (3, 256, 100)]
    return [
        Case(zoom, hidden, batch, dtype, threads, EPOCHS[zoom])
        for zoom, hidden, batch in shapes
        for dtype in ("float64", "float32")
        for threads in (1, 2)
    ]


@lru_cache(maxsize=2)
def pictures(zoom: int, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """Rows to train with, rows to judge with."""
    digits = np.kron((load_digits().images >= 8).astype(dtype), np.ones((zoom, zoom), dtype))
    rows = digits.reshape(len(digits), -1)[np.random.default_rng(0).permutation(len(digits))]
    return rows[:1200], rows[1200:]


def machines(case: Case, epochs: int, seed: int) -> dict[str, Any]:
    """Both estimators with the same options."""
    rate = RATE[case.zoom] * case.batch
    options = {"learning_rate": rate, "batch_size": case.batch, "n_iter": epochs, "random_state": seed}
    return {OURS: BernoulliRBM(case.hidden, **options), THEIRS: SklearnRBM(case.hidden, **options)}


@lru_cache
def likelihoods(zoom: int, hidden: int, batch: int, dtype: str, epochs: int) -> dict[str, tuple[float, float, bool]]:
    """Mean test NLL over seeds with its standard error, and whether it is exact or estimated by AIS."""
    train, test = pictures(zoom, dtype)
    found: dict[str, list[float]] = {OURS: [], THEIRS: []}
    exact = hidden <= 20
    for seed in range(SEEDS):
        for name, machine in machines(Case(zoom, hidden, batch, dtype, 1), epochs, seed).items():
            machine.fit(train)
            model = energy.BernoulliBernoulli(
                machine.components_.T, machine.intercept_visible_, machine.intercept_hidden_
            )
            log_z = (
                model.log_partition()
                if exact
                else energy.ais(model, train, temperatures=TEMPERATURES, rng=seed).log_partition
            )
            found[name].append(float(model.free_energy(test).mean()) + log_z)
    return {name: (statistics.fmean(v), statistics.stdev(v) / len(v) ** 0.5, exact) for name, v in found.items()}


def measure(case: Case, rounds: int, judge: bool = True) -> list[dict[str, Any]]:
    """Both in turn, ``rounds`` times; medians of an epoch within a fit of five. neglog is the first."""
    train, _ = pictures(case.zoom, case.dtype)
    contenders: dict[str, Callable[[], Any]] = {
        name: (lambda machine=machine: machine.fit(train)) for name, machine in machines(case, FITTED, 0).items()
    }
    times: dict[str, list[float]] = {name: [] for name in contenders}
    before = nl.get_num_threads()
    nl.set_num_threads(case.threads)
    try:
        with threadpool_limits(case.threads):
            for _ in range(rounds):
                for name, call in contenders.items():
                    times[name].append(timed(call, 1) / FITTED)
    finally:
        nl.set_num_threads(before)
    medians = {name: statistics.median(values) for name, values in times.items()}
    nll = likelihoods(case.zoom, case.hidden, case.batch, case.dtype, case.epochs) if judge else {}
    return [
        {
            "case": case.name,
            **asdict(case),
            "visible": case.visible,
            "library": name,
            "milliseconds": medians[name],
            "ratio": medians[name] / medians[OURS],
            **dict(zip(("nll", "nll_error", "exact"), nll.get(name, ()), strict=False)),
        }
        for name in contenders
    ]


HEAD = (
    f"| visible × hidden, batch | {OURS} | {THEIRS} | test NLL, {OURS} | test NLL, {THEIRS} |\n"
    "|---|---:|---:|---:|---:|"
)


def line(rows: list[dict[str, Any]]) -> str:
    """The row of one case."""
    ours, theirs = rows
    threads = "1 thread" if ours["threads"] == 1 else f"{ours['threads']} threads"
    title = f"{ours['visible']} × {ours['hidden']}, {ours['batch']}, {ours['dtype']}, {threads}"
    times = f"**{ours['milliseconds']:.1f}** | {theirs['milliseconds']:.1f}, **{theirs['ratio']:.1f}×**"
    return f"| {title} | {times} | {_nll(ours)} | {_nll(theirs)} |"


def _nll(row: dict[str, Any]) -> str:
    if "nll" not in row:
        return ""
    if row["exact"]:
        return f"{row['nll']:.2f} ± {row['nll_error']:.2f}"
    return f"{row['nll']:.1f} ± {row['nll_error']:.1f} (AIS)"


def table(rows: list[dict[str, Any]], machine: dict[str, Any]) -> str:
    """All cases, and what the numbers are."""
    lines = [line(list(pair)) for pair in zip(rows[::2], rows[1::2], strict=True)]
    legend = (
        "Medians in ms of one epoch of PCD on 1,200 digits, taken in turn in one process "
        f"({machine['instruction_set']}, NumPy {machine['numpy']}); ×: times neglog's. The NLL in nats of 597 held-out "
        f"digits after {EPOCHS[1]} epochs at a constant rate, {RATE[1]} times the batch (576 × 256: {EPOCHS[3]} epochs "
        f"at {RATE[3]:.5f} times the batch): mean and standard error of {SEEDS} seeds, exact or estimated by AIS."
    )
    return "\n".join([HEAD, *lines, "", legend, ""])
