"""The report on a fit."""

from __future__ import annotations

from typing import Any

import numpy as np

from neglog.core.observations import RIGHT, Observations
from neglog.errors import InputError
from neglog.estimation.diagnostics import expected_counts, kaplan_meier, normal_quantiles
from neglog.estimation.inference import CONVENTION
from neglog.report.model import (
    Column,
    Counts,
    Fact,
    Figure,
    Note,
    Quantiles,
    Report,
    Survival,
    Table,
    Whisker,
    Whiskers,
)
from neglog.report.numbers import Placed, fixed, number, places

_ROWS_SHOWN = 30
_COUNTED = "Counted and expected, in numbers"
_STEPS = 300  # steps of a curve: each a pixel or two of a page
_CURVE = 120  # points of a fitted curve: smooth at the width of a page


def fit_report(
    result: Any,
    *,
    title: str,
    level: float = 0.95,
    source: str = "",
    response: str | None = None,
    figures: bool = True,
) -> Report:
    """What ``nl.fit(...)`` found, for people; a failed fit says first that it failed.

    Figures look at every row again, so that ``figures=False`` is faster where nobody sees them.
    """
    table = _estimates(result, level)
    per_row = result.nll / result.nobs if result.nobs else float("nan")
    facts = [
        Fact("NLL", fixed(result.nll, 4), f"{fixed(per_row, 4)} nats per observation", large=True),
        Fact("AIC", fixed(result.aic, 3)),
        Fact("BIC", fixed(result.bic, 3)),
        Fact("observations", number(result.nobs), _kinds(result)),
        Fact("parameters", number(result.df), "effective number" if result.l2 else "estimated"),
    ]
    if result.l2:
        facts.append(Fact("objective", fixed(result.objective, 4), f"with the penalty, l2 = {number(result.l2)}"))
    blocks = _blocks(result, level, response or result.response, table, figures)
    data = _data(result, table)
    for block in blocks:
        if isinstance(block, Table) and block.title == _COUNTED:
            data["counts"] = block.records()
    return Report(
        kind="fit",
        title=title,
        subtitle=f"{result.family.name} likelihood{f', data from {source}' if source else ''}",
        ok=result.ok,
        status="verified" if result.ok else result.status,
        message=result.message.removeprefix("verified: "),
        facts=tuple(facts),
        blocks=(*blocks, *_notes(result, level)),
        data=data,
        tables={"estimates": _full(result, level)},
    )


def _kinds(result: Any) -> str:
    """How many rows are censored, where any are."""
    if result.training is None or not isinstance(result.training.sample.y, Observations):
        return ""
    kind = result.training.sample.y.kind
    names = ("exact", "right-censored", "left-censored", "interval-censored")
    counts = [(int((kind == code).sum()), name) for code, name in enumerate(names)]
    return ", ".join(f"{count} {name}" for count, name in counts if count)


def _data(result: Any, table: Table) -> dict[str, Any]:
    """The embedded result: everything but the covariance of very many parameters."""
    data: dict[str, Any] = {
        "family": result.family.name,
        "loglik": result.loglik,
        "objective": result.objective,
        "nobs": result.nobs,
        "df": result.df,
        "aic": result.aic,
        "bic": result.bic,
        "l2": result.l2,
        "information": result.information,
        "message": result.message,
        "classes": result.classes,
        "estimates": table.records(),
    }
    if len(result.params) <= _ROWS_SHOWN:
        data["cov"] = result.cov
    else:
        data["note"] = f"{len(result.params)} parameters; a saved model holds all of them with their covariance"
    return data


_COLUMNS = (
    Column("name", "parameter"),
    Column("estimate", "estimate"),
    Column("stderr", "std. error"),
    Column("low", "low"),
    Column("high", "high"),
    Column("z", "z", "fixed2"),
    Column("p", "p", "p"),
)


def _full(result: Any, level: float) -> Table:
    """All estimates, for machines."""
    rows = tuple(tuple(row[column.key] for column in _COLUMNS) for row in result.table(level))
    return Table(title="Estimates", columns=_COLUMNS, rows=rows)


def _shown(rows: list[dict[str, Any]], what: str) -> tuple[list[dict[str, Any]], str]:
    """The rows that a page has room for, all or those furthest from zero in units of their error; and why."""
    if len(rows) <= _ROWS_SHOWN:
        return rows, ""
    strongest = sorted(rows, key=lambda row: -abs(row["z"] or 0.0))[:_ROWS_SHOWN]
    return strongest, f"The {_ROWS_SHOWN} of {len(rows)} {what} with the largest |z|, largest first. "


def _estimates(result: Any, level: float) -> Table:
    shown, which = _shown(list(result.table(level)), "parameters")
    percent = f"{100 * level:g}%"
    decimals = [places(row["stderr"], row["estimate"], 4) for row in shown]
    tested = any(row["z"] is not None for row in shown)
    columns = (
        Column("name", "parameter"),
        Column("estimate", "estimate", "number"),
        Column("stderr", "std. error", "number"),
        Column("low", f"{percent} low", "number"),
        Column("high", f"{percent} high", "number"),
        *((Column("z", "z", "fixed2"), Column("p", "p", "p")) if tested else ()),
    )
    caption = which + ("z and p test a coefficient against zero." if tested else "")
    return Table(
        title="Estimates",
        columns=columns,
        rows=tuple(
            tuple(_rounded(row[column.key], places_, column) for column in columns)
            for row, places_ in zip(shown, decimals, strict=True)
        ),
        caption=caption,
    )


def _rounded(value: Any, decimals: int | None, column: Column) -> Any:
    """Estimate, error and interval to the same place; the place is the row's."""
    if value is None or column.format != "number" or decimals is None or not abs(value) < 1e9:
        return value
    return Placed(value, decimals)


def _blocks(result: Any, level: float, response: str, table: Table, figures: bool) -> list[Figure | Table]:
    blocks: list[Figure | Table] = [_whiskers(result, level), table] if figures else [table]
    if result.training is None or result.classes is not None or not result.family.tails:
        return blocks
    try:
        return blocks + _against_data(result, level, response, figures)
    except InputError:
        if result.ok:
            raise
        return blocks  # an unbounded parameter may have left its domain: there is no curve to draw


def _against_data(result: Any, level: float, response: str, figures: bool) -> list[Figure | Table]:
    """The data beside what the fit says of them."""
    sample = result.training.sample
    if figures and _is_life_table(result, sample):
        return [_survival(result, sample, level, response)]
    blocks: list[Figure | Table] = []
    plain = not isinstance(sample.y, Observations) and sample.window is None
    if result.family.discrete and plain and result.family.support.high > 1:  # 0 and 1 are the fit itself
        figure, table = _counts(result, sample, response)
        blocks += [figure, table] if figures else [table]
    return [*blocks, _quantiles(result, level)] if figures else blocks


def _is_life_table(result: Any, sample: Any) -> bool:
    """Exact and right-censored rows without covariates or windows: Kaplan-Meier applies."""
    y = sample.y
    if not isinstance(y, Observations) or sample.window is not None or sample.offsets:
        return False
    univariate = set(result.params) == {parameter.name for parameter in result.family.parameters}
    kind = y.kind
    only = ((kind == RIGHT) | y.exact).all()
    return bool(univariate and only and result.family.support.low >= 0 and sample.weight_kind in (None, "frequency"))


def _whiskers(result: Any, level: float) -> Whiskers:
    rows = list(result.table(level))
    slopes = [row for row in rows if not row["name"].endswith(".Intercept")]  # intercepts have another size
    shown, which = _shown(slopes or rows, "coefficients")
    caption = (
        f"{which}Each dot is an estimate, each line its {100 * level:g}% interval. Where parameters differ "
        "in size, each line has its own scale, with its ends printed; a dashed line marks zero."
    )
    whiskers = tuple(Whisker(row["name"], row["estimate"], row["low"], row["high"]) for row in shown)
    return Whiskers(title="Estimates with their uncertainty", caption=caption, rows=whiskers, level=level)


def _survival(result: Any, sample: Any, level: float, response: str) -> Survival:
    y = sample.y
    curve = kaplan_meier(y, sample.weight, level)
    last = float(y.lower.max())
    end = 1.08 * last
    shown = curve.thinned(_STEPS)
    columns = (shown.time, shown.value, shown.low, shown.high)
    steps = list(zip(*(column.tolist() for column in columns), strict=True))
    if last > steps[-1][0]:
        steps.append((last, *steps[-1][1:]))
    grid = [end * index / _CURVE for index in range(_CURVE + 1)]
    values = result.family.sf(grid, *result.params.values())
    censored = np.unique(y.lower[y.kind == RIGHT])
    if len(censored) > _STEPS:
        censored = censored[np.linspace(0, len(censored) - 1, _STEPS).round().astype(int)]
    marks = zip(censored.tolist(), curve.at(censored).tolist(), strict=True)
    return Survival(
        title="Against a curve without a model",
        caption="The fitted curve should run inside the shaded band of the Kaplan-Meier estimate, which "
        "assumes no shape; ticks on the steps are times at which units were censored.",
        steps=tuple(steps),
        censored=tuple(marks),
        fitted=tuple(zip(grid, map(float, values), strict=True)),
        end=end,
        x_label=response,
        y_label="share surviving",
        fitted_label=f"fitted {result.family.name}",
        level=level,
    )


def _quantiles(result: Any, level: float) -> Quantiles:
    plot = normal_quantiles(result.residuals("quantile", rng=0), level)
    return Quantiles(
        title="Do the residuals look as the model says?",
        caption="Quantile residuals of all rows against the normal quantiles they would follow if the model "
        "were true. Points outside the band are further off than chance explains; a bend at an end is a tail "
        "that the family does not have."
        + (" Discrete and censored rows are randomised." if _randomised(result) else ""),
        points=tuple(zip(map(float, plot.theory), map(float, plot.sample), strict=True)),
        band=tuple(zip(map(float, plot.theory), map(float, plot.low), map(float, plot.high), strict=True)),
        y_label="quantile residual",
        level=level,
    )


def _randomised(result: Any) -> bool:
    y = result.training.sample.y
    return result.family.discrete or (isinstance(y, Observations) and not y.exact.all())


def _counts(result: Any, sample: Any, response: str) -> tuple[Counts, Table]:
    table = expected_counts(result.family, result.predict(kind="params"), sample.y, sample.weight)
    names = [str(value) for value in table.value]
    names[-1] += "+"
    rows = tuple(zip(names, table.observed.tolist(), table.expected.tolist(), strict=True))
    figure = Counts(
        title="Counted and expected",
        caption="Bars are rows with that count, dots what the fit expects. Bars above the dots at both ends "
        "mean more variation than the family allows.",
        rows=rows,
        x_label=response,
    )
    columns = (
        Column("count", response),
        Column("observed", "counted", "number"),
        Column("expected", "expected", "fixed1"),
    )
    return figure, Table(title=_COUNTED, columns=columns, rows=rows)


def _notes(result: Any, level: float) -> list[Note]:
    notes = [
        f"Standard errors: {CONVENTION[result.information]}. Intervals: {100 * level:g}% Wald; a parameter "
        "without covariates on the scale of its link, mapped back."
    ]
    if result.l2:
        notes.append("The penalty counts as a Gaussian prior: standard errors are those of the posterior (Laplace).")
    if result.dropped:
        notes.append(f"{number(result.dropped)} rows with missing values were left out.")
    return [Note(" ".join(notes))]
