"""The report on a classification score."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from neglog.evaluation.result import BAD_REASONS
from neglog.evaluation.result import Bin as EvaluationBin
from neglog.report.model import (
    Bin,
    Column,
    Fact,
    Figure,
    Histogram,
    Note,
    Point,
    Reliability,
    Report,
    Table,
)
from neglog.report.numbers import fixed, number, percent, places

_CLASSES_SHOWN = 60
_BARS = 50


def score_report(result: Any, *, title: str) -> Report:
    """What ``nl.Score.classification(...).result()`` says, for people."""
    decimals = places(result.stderr, result.nll) or 4
    low, high = result.ci
    interval = f"{100 * result.level:g}% interval {fixed(low, decimals)} to {fixed(high, decimals)}"
    if result.reason:
        interval = f"no interval: {result.reason}"
    main = _classes(result)
    weighted = "" if result.weight == result.nobs else f", total weight {number(result.weight)}"
    facts = (
        Fact("NLL", fixed(result.nll, decimals), interval, large=True),
        Fact("perplexity", fixed(result.perplexity, 3), f"{fixed(result.bits, 3)} bits per row"),
        Fact("skill", percent(result.skill), f"of the base rate's {fixed(result.base_nll, 3)}"),
        Fact("accuracy", percent(result.accuracy), f"± {percent(result.accuracy_stderr)}"),
        Fact("Brier", fixed(result.brier, 4), f"± {fixed(result.brier_stderr, 4)}"),
        Fact("ECE", fixed(result.ece, 4), f"calibrated: about {fixed(result.ece_expected, 4)}"),
    )
    blocks = [*_accounts(result), _reliability(result), _histogram(result), main, *_worst(result)]
    return Report(
        kind="score",
        title=title,
        subtitle=f"{number(result.nobs)} rows, {len(result.classes)} classes{weighted}; losses in nats",
        ok=True,
        status="ok",
        message="",
        facts=facts,
        blocks=tuple(block for block in blocks if block is not None),
        data=dict(result.to_dict()),
        tables={
            "headline": _headline(result),
            "classes": replace(main, rows=_class_rows(result)),
            "bins": _bins(result),
            "worst": _worst_rows(result),
        },
    )


_HEADLINE = (
    "nll", "stderr", "ci_low", "ci_high", "level", "perplexity", "bits", "skill", "base_nll", "accuracy",
    "accuracy_stderr", "brier", "brier_stderr", "ece", "ece_expected", "nobs", "weight", "zero_probability",
    "finite_nll", "bad",
)  # fmt: skip


def _headline(result: Any) -> Table:
    """One row with every single number of the result."""
    low, high = result.ci
    numbers = {"ci_low": low, "ci_high": high, "bad": sum(result.bad.values())}
    row = tuple(numbers[key] if key in numbers else getattr(result, key) for key in _HEADLINE)
    return Table("Headline", tuple(Column(key, key) for key in _HEADLINE), (row,))


def _bins(result: Any) -> Table:
    names = [field.name for field in fields(EvaluationBin)]
    rows = tuple(tuple(getattr(bin, name) for name in names) for bin in result.calibration)
    return Table("Reliability", tuple(Column(name, name) for name in names), rows)


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{number(count)} rows"


def _accounts(result: Any) -> list[Note | Table]:
    """What was left out and what is infinite, before anything else."""
    notes: list[Note | Table] = []
    bad = {reason: count for reason, count in result.bad.items() if count}
    if bad:
        total = sum(bad.values())
        why = "; ".join(f"{number(count)}: {BAD_REASONS.get(reason, reason)}" for reason, count in bad.items())
        notes.append(Note(f"{_rows(total)} left out, in none of these numbers ({why}).", warn=True))
    if result.renormalised:
        notes.append(
            Note(
                f"{_rows(result.renormalised)} did not sum to one (by up to {result.largest_sum_error:.2g}): "
                "divided by the sum, as asked."
            )
        )
    if result.zero_probability:
        notes.append(
            Note(
                f"{_rows(result.zero_probability)} had probability 0 for what happened: their loss, and the "
                "mean with it, is infinite. Nothing is clipped here; others count such a row as 15 to 100 "
                f"nats. The mean over the other rows is {fixed(result.finite_nll, 4)}.",
                warn=True,
            )
        )
    return notes


def _reliability(result: Any) -> Figure | None:
    bins = [bin for bin in result.calibration if bin.count]
    if not bins:
        return None
    points = tuple(
        Point(
            predicted=bin.confidence,
            observed=bin.accuracy,
            low=bin.interval_low,
            high=bin.interval_high,
            weight=bin.weight,
            band_low=bin.band_low,
            band_high=bin.band_high,
        )
        for bin in bins
    )
    return Reliability(
        title="Are the probabilities right?",
        caption="Among rows whose likeliest class was given this probability, how often it was right. Points "
        "on the dashed line keep their word; below it the predictions are over-confident. A point outside "
        "the shade is further off than chance explains for so few rows; the bars underneath count the rows.",
        points=points,
        counts=tuple(Bin(bin.low, bin.high, bin.count) for bin in result.calibration),
        band=f"{100 * result.level:g}% of calibrated forecasts",
        x_label="probability of the likeliest class",
        y_label="how often it was right",
    )


def _histogram(result: Any) -> Figure | None:
    edges, counts = result.histogram.edges, result.histogram.counts
    used = [index for index, count in enumerate(counts) if count]
    if not used:
        return None
    first, last = used[0], used[-1]
    step = 1 + (last - first) // _BARS
    bins = [
        Bin(edges[i], edges[min(i + step, last + 1)], sum(counts[i : min(i + step, last + 1)]))
        for i in range(first, last + 1, step)
    ]
    return Histogram(
        title="Where the loss comes from",
        caption="Rows by their loss; the horizontal axis grows by factors, the vertical one as a square "
        "root, so that the few expensive rows stay visible. Rows right of the base rate would have been "
        "predicted better by the class frequencies alone.",
        bins=tuple(bins),
        marks=(
            (f"mean {fixed(result.nll, 3)}", result.nll),
            (f"base rate {fixed(result.base_nll, 3)}", result.base_nll),
        ),
        x_label="NLL of a row (nats)",
    )


def _class_rows(result: Any) -> tuple[tuple[Any, ...], ...]:
    return tuple(
        (str(row.label), row.count, row.base_rate, row.mean_probability, row.nll, row.recall, row.precision)
        for row in result.classes
    )


def _classes(result: Any) -> Table:
    rows = _class_rows(result)
    caption = "Share is how often a class occurs, mean p the probability it was given; they should agree."
    if len(rows) > _CLASSES_SHOWN:
        caption += f" The {_CLASSES_SHOWN} classes with the largest loss of {len(rows)}."
        rows = tuple(sorted(rows, key=lambda row: -(row[4] if row[4] == row[4] else 0.0))[:_CLASSES_SHOWN])
    return Table(
        title="Class by class",
        columns=(
            Column("class", "class"),
            Column("rows", "rows", "count"),
            Column("base_rate", "share", "percent"),
            Column("mean_probability", "mean p", "percent"),
            Column("nll", "NLL", "fixed4"),
            Column("recall", "recall", "percent"),
            Column("precision", "precision", "percent"),
        ),
        rows=rows,
        caption=caption,
        bar="nll",
    )


def _worst(result: Any) -> list[Table]:
    return [_worst_rows(result)] if result.worst else []


def _worst_rows(result: Any) -> Table:
    rows = [(row.key, str(row.label), str(row.predicted), row.confidence, row.nll, row.share) for row in result.worst]
    return Table(
        title="The most expensive rows",
        columns=(
            Column("row", "row"),
            Column("label", "class"),
            Column("predicted", "predicted"),
            Column("confidence", "with p", "fixed4"),
            Column("nll", "NLL", "fixed3"),
            Column("share", "share of the loss", "percent"),
        ),
        rows=tuple(rows),
        caption="Rows are counted from 0 within each file. Wrong labels often show up here first.",
        bar="nll",
    )
