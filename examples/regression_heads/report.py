"""The comparison as one page."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

import neglog as nl
from examples.regression_heads.data import Part, Splits
from examples.regression_heads.train import Networks, Run
from neglog.report.model import Column, Fact, Note, Report, Shades, Table, Whisker, Whiskers
from neglog.report.numbers import fixed, number

REFERENCE = "Gaussian NLL"
Z95 = 1.959963984540054


def stderr(difference: Tensor, splits: Splits) -> float:
    """Of a mean over splits that share rows: corrected as by Nadeau & Bengio, Machine Learning 52 (2003) 239-281."""
    count, test, train = len(difference), splits.test.y.shape[1], splits.train.y.shape[1]
    return math.sqrt((1 / count + test / train) * difference.var().item()) if count > 1 else math.nan


def report(results: dict[str, list[Run]], splits: dict[str, Splits], picture: Shades) -> Report:
    """``results`` by table, one run a head in the order of HEADS."""
    count = len(next(iter(splits.values())).unit)
    return Report(
        kind="training",
        title="Losses for a mean and a variance, on real tables",
        subtitle=f"{len(results)} tables, {count} random splits each; NLL in nats and RMSE, in the tables' units",
        ok=True,
        status="ok",
        message="",
        facts=tuple(_winner(runs, splits[name]) for name, runs in results.items()),
        blocks=(
            Note(
                "Every head sits on the same network (one hidden layer of 50), gets the same rows, and keeps the "
                "weights with which its validation NLL was lowest. Intervals are of paired differences and allow for "
                "splits that share rows."
            ),
            picture,
            *(_figure(runs, splits[name], score) for name, runs in results.items() for score in ("NLL", "RMSE")),
            *(_table(runs, splits[name]) for name, runs in results.items()),
        ),
        data=_data(results, splits),
    )


def _winner(runs: list[Run], splits: Splits) -> Fact:
    """Mean NLL of the head that has the lowest."""
    best = min(runs, key=lambda run: run.nll.mean().item())
    return Fact(splits.table.name, fixed(best.nll.mean().item(), 3), best.head.name)


def _reference(runs: list[Run]) -> Run:
    return next(run for run in runs if run.head.name == REFERENCE)


def _figure(runs: list[Run], splits: Splits, score: str) -> Whiskers:
    """``score`` is NLL or RMSE."""
    base = _reference(runs)

    def row(run: Run) -> Whisker:
        own, other = (getattr(r, score.lower()) for r in (run, base))
        mean, half = (own - other).mean().item(), Z95 * stderr(own - other, splits)
        return Whisker(run.head.name, mean, mean - half, mean + half)

    table = splits.table
    columns = "one column" if table.x.shape[1] == 1 else f"{table.x.shape[1]} columns"
    about = f"{number(len(table.y))} rows, {columns}" if score == "NLL" else f"target: {table.target}"
    return Whiskers(
        title=f"{table.name}: {score}",
        caption=f"{score} of held-out rows above that of the {REFERENCE}, mean of paired differences with its 95% "
        f"interval; left is better. {about[0].upper()}{about[1:]}.",
        rows=tuple(row(run) for run in runs if run is not base),
    )


def _table(runs: list[Run], splits: Splits) -> Table:
    base = _reference(runs)

    def row(run: Run) -> tuple[Any, ...]:
        cells: list[float | None] = []
        for own, other in ((run.nll, base.nll), (run.rmse, base.rmse)):
            cells += [own.mean().item(), (own - other).mean().item(), stderr(own - other, splits)]
            if run is base:
                cells[-2:] = [None, None]
        return run.head.name, *cells

    return Table(
        title=splits.table.name,
        columns=(
            Column("head", "head"),
            Column("nll", "NLL", "fixed3"),
            Column("nll_difference", "difference", "fixed3"),
            Column("nll_stderr", "±", "fixed3"),
            Column("rmse", "RMSE", "number"),
            Column("rmse_difference", "difference", "number"),
            Column("rmse_stderr", "±", "number"),
        ),
        rows=tuple(row(run) for run in runs),
        caption=f"{splits.table.target}; {splits.table.source}. Differences to the {REFERENCE}.",
    )


HEIGHTS, PLACES = 90, 110


def picture(networks: Networks, run: Run, splits: Splits) -> Shades:
    """The density of a table with one column: the first network's, over all rows of its split."""
    table = splits.table
    x0, y0 = splits.train.x[0, :, 0], splits.train.y[0]
    low, high = float(x0.min()), float(x0.max())
    places = torch.linspace(low, high, PLACES)
    part = Part(places.expand(len(splits.unit), -1)[..., None], torch.empty(len(splits.unit), PLACES))
    loc, var = (value[0] for value in networks.predict(part, splits.train))
    bottom, top = float(y0.min()) - 0.3, float(y0.max()) + 0.3
    heights = torch.linspace(bottom, top, HEIGHTS)[:, None]
    density = torch.exp(-((heights - loc) ** 2) / (2 * var)) / var.sqrt()
    return Shades(
        title=f"{table.name}: what a variance of its own is for",
        caption=f"{run.head.name}, first split, in units of the training rows: the more a household earns, the less "
        "its income says about what it spends on food. Points are the training rows.",
        cells=tuple(tuple(row) for row in density.tolist()),
        x=(low, high),
        y=(bottom, top),
        points=tuple(zip(x0.tolist(), y0.tolist(), strict=True)),
        x_label="income (standardised)",
        y_label="food expenditure (standardised)",
        shade_label="density",
        point_label="households",
    )


def _data(results: dict[str, list[Run]], splits: dict[str, Splits]) -> dict[str, Any]:
    return {
        "versions": {"neglog": nl.__version__, "torch": torch.__version__},
        "tables": {
            name: {
                "rows": len(splits[name].table.y),
                "columns": splits[name].table.x.shape[1],
                "target": splits[name].table.target,
                "source": splits[name].table.source,
                "heads": {
                    run.head.name: {
                        "nll": run.nll.tolist(),
                        "rmse": run.rmse.tolist(),
                        "steps": run.steps.tolist(),
                    }
                    for run in runs
                },
            }
            for name, runs in results.items()
        },
    }
