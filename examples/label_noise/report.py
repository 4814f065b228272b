"""The study as one page, and as the tables of docs/label_noise.md."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

import neglog as nl
from examples.label_noise.claims import CLAIMS, verdict
from examples.label_noise.data import NOISES
from examples.label_noise.losses import LOSSES, REFERENCE
from examples.label_noise.summary import Estimate, Results
from examples.label_noise.train import Settings
from neglog.report.model import Band, Column, Fact, Note, Panels, Report, Table, Whisker, Whiskers
from neglog.report.numbers import fixed, number, percent
from neglog.report.text import markdown_table

WHEN = {"final": "last epoch", "best": "best epoch by validation labels"}
PERCENT = 100.0


def report(results: Results, settings: Settings) -> Report:
    """Figures first, then every table."""
    return Report(
        kind="training",
        title="Losses on wrong labels",
        subtitle=described(results, settings),
        ok=True,
        status="ok",
        message="",
        facts=tuple(_fact(results, noise) for noise in results.noises),
        blocks=(
            *(Note(sentence) for sentence in reading(results)),
            *(panels(results, when) for when in WHEN),
            *(_whiskers(results, noise) for noise in results.noises),
            claims(results),
            *tables(results).values(),
        ),
        data=_data(results, settings),
    )


def described(results: Results, settings: Settings) -> str:
    """What was run."""
    return (
        f"{number(settings.images)} images of Fashion-MNIST, {settings.epochs} epochs, network 784-128-128-10, "
        f"{results.seeds} repetitions in which images, wrong labels, initial weights and batches change together and "
        "are the same for every loss; judged on the test images by their true labels"
    )


def _others(results: Results) -> list[str]:
    return [loss for loss in results.losses if loss != REFERENCE]


def _fact(results: Results, noise: str) -> Fact:
    """The highest mean; with so many losses the first is partly luck."""
    best = max(results.losses, key=lambda loss: results.mean(loss, noise, "final", "accuracy").mean)
    value, base = (results.mean(loss, noise, "final", "accuracy").mean for loss in (best, REFERENCE))
    return Fact(f"wrong labels: {noise}", percent(value), f"{best}; {REFERENCE} {percent(base)}")


def reading(results: Results) -> list[str]:
    """One sentence a noise: who is above cross-entropy, who below, by intervals that leave out 0."""
    sentences: list[str] = []
    for noise in results.noises:
        for when, words in WHEN.items():
            found = {loss: results.above(loss, noise, when, "accuracy", PERCENT) for loss in _others(results)}
            above = sorted((loss for loss in found if found[loss].low > 0), key=lambda loss: -found[loss].mean)
            below = sorted((loss for loss in found if found[loss].high < 0), key=lambda loss: found[loss].mean)
            base = results.mean(REFERENCE, noise, when, "accuracy", PERCENT)
            sentences.append(
                f"Wrong labels: {noise}, {words}. {REFERENCE.capitalize()} has {base:.1f} %. "
                f"Above it: {_listed(above, found)}. Below it: {_listed(below, found)}."
            )
    return sentences


def _listed(losses: Sequence[str], found: dict[str, Estimate]) -> str:
    return "; ".join(f"{loss} ({found[loss].mean:+.1f})".replace("(-", "(−") for loss in losses) or "none"


def panels(results: Results, when: str) -> Panels:
    """Accuracy against the share of wrong labels."""
    uniform = [noise for noise in NOISES if not noise.pairs and noise.name in results.noises]

    def band(loss: str) -> Band:
        rows: list[tuple[float, float, float, float]] = []
        for noise in uniform:
            found = results.mean(loss, noise.name, when, "accuracy", PERCENT)
            rows.append((PERCENT * noise.rate, found.mean, max(found.low, 0.0), min(found.high, 100.0)))
        return Band(loss, tuple(rows))

    line = Band(REFERENCE, tuple((x, mean, math.nan, math.nan) for x, mean, *_ in band(REFERENCE).rows))
    return Panels(
        title=f"Accuracy, {WHEN[when]}",
        caption=f"Test images named rightly (%) against the share of training labels that are wrong (%), mean of "
        f"{results.seeds} repetitions with its 95% interval; the dashed line is {REFERENCE}.",
        panels=tuple(map(band, _others(results))),
        reference=line,
        panel_label="the loss above the plot",
        x_label="labels that are wrong (%)",
        y_label="accuracy (%)",
    )


def _whiskers(results: Results, noise: str) -> Whiskers:
    def row(loss: str) -> Whisker:
        found = results.above(loss, noise, "final", "accuracy", PERCENT)
        return Whisker(loss, found.mean, found.low, found.high)

    return Whiskers(
        title=f"Above cross-entropy: {noise}",
        caption="Accuracy after the last epoch above that of cross-entropy, in percentage points: mean of paired "
        "differences with its 95% interval. Right is better.",
        rows=tuple(map(row, _others(results))),
    )


def claims(results: Results) -> Table:
    """What papers say, measured."""
    rows: list[tuple[Any, ...]] = []
    for claim in CLAIMS:
        found = claim.measure(results)
        if found is not None:
            decimals = "+.1f" if claim.score == "accuracy" else "+.3f"
            size = f"{found:{decimals}}".replace("± +", "± ")
            rows.append((claim.source, claim.words, claim.noise, f"{size} {claim.unit}", verdict(found)))
    return Table(
        title="Claims",
        columns=(
            Column("source", "source"),
            Column("claim", "claim (> is better than)"),
            Column("noise", "wrong labels"),
            Column("difference", "better by"),
            Column("verdict", "here"),
        ),
        rows=tuple(rows),
        caption="Differences are paired by repetition, ± their standard error. 'yes' and 'the opposite': the 95% "
        "interval leaves out 0. Nothing is corrected for the number of comparisons: one in twenty decides by chance.",
    )


class _Shown(NamedTuple):
    """A table with a row for each loss and a column for each noise."""

    name: str
    title: str
    score: str
    above: bool = False  # cross-entropy


_SHOWN = (
    _Shown("accuracy", "Accuracy (%)", "accuracy"),
    _Shown("difference", f"Accuracy above {REFERENCE} (% points)", "accuracy", above=True),
    _Shown("nll", "NLL of the true labels", "nll"),
    _Shown("nll recovered", "NLL of the true labels by recovered posteriors", "nll_recovered"),
    _Shown("nll difference", f"NLL of the true labels above {REFERENCE}", "nll", above=True),
)
_MEMORISED = _Shown("memorised", "Wrong training labels that the network repeats (%)", "memorised")


def tables(results: Results) -> dict[str, Table]:
    """By the names that they have in the document."""
    found: dict[str, Table] = {}
    for when in WHEN:
        found |= {f"{shown.name} {when}": _by_noise(results, shown, when) for shown in _SHOWN}
        found[f"recovery {when}"] = _recovery(results, when)
    found["memorised"] = _by_noise(results, _MEMORISED, "final")
    return found


def _by_noise(results: Results, shown: _Shown, when: str) -> Table:
    """Losses without any value are left out."""
    of = results.above if shown.above else results.mean
    scale, decimals = (1.0, ".3f") if shown.score.startswith("nll") else (PERCENT, ".1f")
    rows = [
        (loss, *(f"{of(loss, noise, when, shown.score, scale):{decimals}}" for noise in results.noises))
        for loss in (_others(results) if shown.above else results.losses)
    ]
    return Table(
        title=f"{shown.title}, {WHEN[when]}",
        columns=(Column("loss", "loss"), *(Column(noise, noise) for noise in results.noises)),
        rows=tuple(row for row in rows if set(row[1:]) != {"–"}),
        caption="Mean over repetitions ± its standard error.",
    )


def _recovery(results: Results, when: str) -> Table:
    """What softmax, and what the recovered posterior, say of labels as wrong as those of the training images."""
    shown = [noise for noise in results.noises if noise in ("none", "40 %", "80 %")]
    posterior = {loss.name: loss.posterior for loss in LOSSES}

    def cells(loss: str) -> list[str]:
        return [
            f"{results.mean(loss, noise, when, score):.3f}"
            for noise in shown
            for score in ("nll_observed", "nll_observed_recovered")
        ]

    return Table(
        title=f"NLL of labels as observed, {WHEN[when]}",
        columns=(
            Column("loss", "loss"),
            *(Column(f"{noise} {key}", f"{noise}: {words}") for noise in shown
              for key, words in (("predicted", "predicted"), ("recovered", "recovered"))),
        ),
        rows=tuple((loss, *cells(loss)) for loss in results.losses if posterior[loss] in ("recovered", "model")),
        caption="Test images with labels as wrong as those of the training images. Recovered: what the loss, at its "
        "minimum, says about them; for mislabel and forward correction the prediction through their noise.",
    )  # fmt: skip


def recipes(results: Results) -> Table:
    """What each loss is called with, and how far its pull falls."""
    noises = {noise.name: noise for noise in NOISES}
    shown = noises["40 %" if "40 %" in results.noises else results.noises[0]]
    return Table(
        title="Losses",
        columns=(
            Column("loss", "loss"),
            Column("call", f"neglog.torch, for wrong labels: {shown.name}"),
            Column("besides", "besides"),
            Column("pull", "pull"),
        ),
        rows=tuple(
            (loss.name, loss.call(shown), loss.besides, f"{loss.pull(shown):.2f}".replace("nan", "–"))
            for loss in LOSSES
            if loss.name in results.losses
        ),
        caption="Pull: the gradient of a row whose label has probability 1/100, over that of one with 1/2 (1-norms, "
        "the other classes equally likely).",
    )


def fill(text: str, results: Results, settings: Settings) -> str:
    """``text`` with everything between its markers written anew.

    Raises
    ------
    ValueError
        A marker that names nothing.
    """
    parts = {name: markdown_table(table) for name, table in tables(results).items()}
    parts["claims"] = f"{markdown_table(claims(results))}\n\n{claims(results).caption}"
    parts["losses"] = f"{markdown_table(recipes(results))}\n\n{recipes(results).caption}"
    parts["reading"] = "\n".join(f"* {sentence}" for sentence in reading(results))
    parts["setting"] = f"{described(results, settings)}."

    def written(match: re.Match[str]) -> str:
        if match[1] not in parts:
            raise ValueError(f"{match[0].splitlines()[0]} names nothing; allowed: {', '.join(sorted(parts))}")
        return f"<!-- {match[1]}: written by make study -->\n\n{parts[match[1]]}\n\n<!-- end of {match[1]} -->"

    return re.sub(r"<!-- ([\w ]+): written by make study -->.*?<!-- end of \1 -->", written, text, flags=re.DOTALL)


def _data(results: Results, settings: Settings) -> dict[str, Any]:
    records = list(results.records.values())
    return {
        "versions": {"neglog": nl.__version__, "torch": torch.__version__},
        "images": settings.images,
        "epochs": settings.epochs,
        "repetitions": results.seeds,
        "seconds": {
            "of all runs": float(np.sum([record["seconds"] for record in records])),
            "of a run": fixed(float(np.mean([record["seconds"] for record in records])), 2),
        },
        "best_epochs": {
            noise: {
                loss: [record["epoch"] for job, record in results.records.items() if job[1:] == (noise, loss)]
                for loss in results.losses
            }
            for noise in results.noises
        },
        "claims": claims(results).records(),
        "records": records,
    }
