"""What the machines have learned, as one page."""

from __future__ import annotations

import math
import statistics
from dataclasses import asdict
from typing import Any

import numpy as np

import neglog as nl
from examples.rbm.data import Data
from examples.rbm.train import BATCH, CONSTANT, FALLING, Large, Run
from neglog import energy
from neglog.report.model import Column, Curve, Curves, Fact, Images, Note, Picture, Report, Table
from neglog.report.numbers import fixed, number

PICTURES = 32

Results = dict[str, list[Run]]  # by method, one run a seed


def mean_and_error(values: list[float]) -> tuple[float, float]:
    """Mean and its standard error over seeds."""
    return statistics.fmean(values), statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan


def difference(results: Results, worse: str, better: str) -> tuple[float, float]:
    """Mean of the test NLL of one less that of another, seed by seed, and its standard error."""
    pairs = zip(results[worse], results[better], strict=True)
    return mean_and_error([a.test - b.test for a, b in pairs])


Pairs = tuple[tuple[str, str], ...]
HARDER: Pairs = (("CD-1", "CD-10"), ("CD-10", "PCD"), ("CD-1", "PCD"))
PAIRS: Pairs = (*HARDER, ("scikit-learn", "PCD, constant rate"))


def report(
    results: Results,
    harder: Results | None,
    annealed: list[tuple[float, energy.AnnealedEstimate]],
    data: Data,
    large: Large,
    epochs: int,
) -> Report:
    """One run a seed; ``harder``: of clothes; ``annealed``: exact log Z and its estimate, of the PCD machines."""
    nll = {name: mean_and_error([run.test for run in runs]) for name, runs in results.items()}
    seeds, machine = len(results["PCD"]), results["PCD"][0].model
    facts = (
        Fact("test NLL, PCD", fixed(nll["PCD"][0], 3), f"± {fixed(nll['PCD'][1], 3)}", large=True),
        *(Fact(name, fixed(nll[name][0], 3), f"± {fixed(nll[name][1], 3)}") for name in ("CD-10", "CD-1")),
        Fact("scikit-learn", fixed(nll["scikit-learn"][0], 3), f"± {fixed(nll['scikit-learn'][1], 3)}"),
    )
    return Report(
        kind="training",
        title="Restricted Boltzmann machines",
        subtitle=f"{data.name} as 0 and 1, {number(len(data.train))} to train with and {number(len(data.test))} to "
        f"judge with, {machine.n_visible} visible and {machine.n_hidden} hidden units, {epochs} epochs in batches of "
        f"{BATCH}, {seeds} seeds; exact NLL in nats per picture",
        ok=True,
        status="ok",
        message="",
        facts=facts,
        blocks=(
            _curves(results),
            _table(
                results,
                "Exact likelihoods",
                f"Means over the seeds, with standard errors. The first three have a learning rate that falls from "
                f"{data.rate} to 0, the last two a constant {CONSTANT}, which is all that scikit-learn has. The "
                "pseudo-likelihood is not the likelihood: it need not put methods into the same order.",
            ),
            _differences(results),
            Note(reading(results, PAIRS)),
            *_harder(harder, seeds),
            _annealing(annealed),
            _filters(results, data),
            _samples(results, data),
            *_large(large),
        ),
        data=_data(results, harder, annealed, large),
    )


def reading(results: Results, pairs: Pairs) -> str:
    """The comparisons in words, as far as their errors carry them."""

    def words(worse: str, better: str) -> str:
        gap, error = difference(results, worse, better)
        if not abs(gap) > 2 * error:
            return f"{worse} and {better} are not told apart ({fixed(gap, 3)} ± {fixed(error, 3)})"
        first, second = (worse, better) if gap > 0 else (better, worse)
        return f"{first} is worse than {second} by {fixed(abs(gap), 3)} ± {fixed(error, 3)} nats"

    return (
        "On held-out pictures "
        + "; ".join(words(*pair) for pair in pairs)
        + ". Errors are those of paired differences over seeds, each with its own split, start and draws."
    )


def _curves(results: Results) -> Curves:
    def curve(name: str, second: bool = False, dashed: bool = False) -> Curve:
        by_epoch = zip(*(run.curve for run in results[name]), strict=True)
        points = tuple((float(at[0][0]), statistics.fmean(value for _, value in at)) for at in by_epoch)
        return Curve(name, points, second=second, dashed=dashed)

    return Curves(
        title="Learning",
        caption="Exact NLL of the test pictures, mean over the seeds. A learning rate that falls to zero lets the "
        "persistent chains catch up at the end.",
        curves=(curve("PCD"), curve("CD-10", dashed=True), curve("CD-1", second=True)),
        x_label="epoch",
        y_label="NLL (nats)",
    )


def _table(results: Results, title: str, caption: str) -> Table:
    rows: list[tuple[Any, ...]] = []
    for name, runs in results.items():
        test, error = mean_and_error([run.test for run in runs])
        train, pseudo, seconds = (
            statistics.fmean(getattr(run, key) for run in runs) for key in ("train", "pseudo", "seconds")
        )
        rows.append((name, train, test, error, pseudo, seconds))
    return Table(
        title=title,
        columns=(
            Column("method", "trained by"),
            Column("train", "training NLL", "fixed3"),
            Column("test", "test NLL", "fixed3"),
            Column("error", "±", "fixed3"),
            Column("pseudo", "pseudo-NLL", "fixed3"),
            Column("seconds", "seconds", "fixed2"),
        ),
        rows=tuple(rows),
        caption=caption,
    )


def _harder(results: Results | None, seeds: int) -> tuple[Table | Note, ...]:
    if results is None:
        return ()
    machine = results["PCD"][0].model
    caption = (
        f"Fashion-MNIST at half the resolution, {machine.n_visible} visible and {machine.n_hidden} hidden units, "
        f"{seeds} seeds."
    )
    return _table(results, "The same of clothes", caption), Note(reading(results, HARDER))


def _differences(results: Results) -> Table:
    rows = tuple((f"{a} − {b}", *difference(results, a, b)) for a, b in PAIRS)
    return Table(
        title="Differences of test NLL",
        columns=(Column("pair", "pair"), Column("difference", "mean", "fixed3"), Column("error", "±", "fixed3")),
        rows=rows,
        caption="Seed by seed, so that what a split has in store for all methods alike drops out.",
    )


def _annealing(annealed: list[tuple[float, energy.AnnealedEstimate]]) -> Table:
    return Table(
        title="Annealed importance sampling beside the exact value",
        columns=(
            Column("exact", "log Z", "fixed3"),
            Column("estimate", "estimate", "fixed3"),
            Column("low", "−3 s.e.", "fixed3"),
            Column("high", "+3 s.e.", "fixed3"),
            Column("ess", "effective runs", "number"),
        ),
        rows=tuple((exact, e.log_partition, e.low, e.high, round(e.effective_sample_size, 1)) for exact, e in annealed),
        caption=f"The PCD machines, {len(annealed[0][1].log_weights)} runs each. The estimate of log Z is too low on "
        "average, so likelihoods made with it are too good on average.",
    )


def pictures(rows: Any, side: int) -> tuple[Picture, ...]:
    """Rows as pictures."""
    return tuple(tuple(tuple(float(v) for v in line) for line in row.reshape(side, side)) for row in np.asarray(rows))


def _filters(results: Results, data: Data) -> Images:
    return Images(
        title="Filters",
        caption="The weights of each hidden unit: what switches it on in one colour, what switches it off in the "
        "other.",
        strips=tuple((name, pictures(results[name][0].model.weights.T, data.side)) for name in FALLING),
        columns=8,
    )


def _samples(results: Results, data: Data) -> Images:
    drawn = {name: results[name][0].model.sample(PICTURES, rng=0) for name in FALLING}
    return Images(
        title="Samples",
        caption="Independent draws of the exact distribution, which only machines of this size allow: no chain, no "
        "burn-in.",
        strips=(
            ("test pictures", pictures(data.test[:PICTURES], data.side)),
            *((name, pictures(rows, data.side)) for name, rows in drawn.items()),
        ),
    )


def _large(large: Large) -> tuple[Any, ...]:
    estimate, side = large.estimate, large.data.side
    norms = np.linalg.norm(large.model.weights, axis=0)
    strongest = large.model.weights.T[np.argsort(-norms)[:PICTURES]]
    table = Table(
        title=f"{number(large.model.n_hidden)} hidden units on {large.data.name}",
        columns=(Column("what", "what"), Column("value", "value", "text")),
        rows=(
            ("pictures to train with", number(len(large.data.train))),
            ("epochs of PCD", number(large.epochs)),
            ("log Z by AIS", fixed(estimate.log_partition, 2)),
            ("− and + 3 standard errors", f"{fixed(estimate.low, 2)} … {fixed(estimate.high, 2)}"),
            ("effective runs", f"{fixed(estimate.effective_sample_size, 1)} of {len(estimate.log_weights)}"),
            ("test NLL", f"{fixed(large.test, 2)} ± {fixed(large.spread, 2)}"),
            ("training NLL", fixed(large.train, 2)),
            ("pseudo-NLL", fixed(large.pseudo, 2)),
            ("seconds of training", fixed(large.seconds, 1)),
            ("seconds of annealing", fixed(large.annealing, 1)),
        ),
        caption="The NLL is estimated: on average too good, by what AIS misses of Z; ± is the standard error over the "
        "test pictures alone. The difference of the training and the test pictures does not depend on Z.",
    )
    images = Images(
        title="The large machine",
        caption="Its strongest filters, and chains that began at test pictures after 1,000 Gibbs steps: the "
        "probabilities of the last step would be smoother, these are states.",
        strips=(
            ("filters", pictures(strongest, side)),
            ("test pictures", pictures(large.data.test[:PICTURES], side)),
            ("after 1,000 steps", pictures(large.samples, side)),
        ),
        columns=8 if side > 8 else 16,
    )
    return table, images


def _data(
    results: Results, harder: Results | None, annealed: list[tuple[float, energy.AnnealedEstimate]], large: Large
) -> dict[str, Any]:
    def summary(run: Run) -> dict[str, Any]:
        return {key: value for key, value in run.__dict__.items() if key != "model"}

    def estimate(e: energy.AnnealedEstimate) -> dict[str, float]:
        return {key: value for key, value in asdict(e).items() if key != "log_weights"}

    return {
        "versions": {"neglog": nl.__version__, "numpy": np.__version__},
        "runs": {name: [summary(run) for run in runs] for name, runs in results.items()},
        "differences": {f"{a} - {b}": difference(results, a, b) for a, b in PAIRS},
        "clothes": {name: [summary(run) for run in runs] for name, runs in (harder or {}).items()},
        "annealing": [{"exact": exact, **estimate(e)} for exact, e in annealed],
        "large": {
            "data": large.data.name,
            "hidden": large.model.n_hidden,
            "train": large.train,
            "test": large.test,
            "test_stderr": large.spread,
            "pseudo": large.pseudo,
            "seconds": large.seconds,
            **estimate(large.estimate),
        },
    }
