"""Density and negative log-likelihood of a family, as figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from neglog.report.model import Curve, Curves
from neglog.report.numbers import number

_CORE = (0.02, 0.98)  # the plotted share of the probability, at least
_POINTS = 241  # of a curve
_COUNTS = 60  # values of a discrete family that can still be told apart
_DEPTH = 8.0  # of the nll above its minimum: further up the curves would hide one another's shape
_STYLES: tuple[dict[str, bool], ...] = ({}, {"second": True}, {"dashed": True})


def typical(family: Any) -> list[tuple[float, ...]]:
    """Parameters worth a look: where a fit of plausible data would start, and beside it with another shape.

    The parameter that varies is the first that is neither the location nor fixed to whole numbers, if there is one.
    """
    center = [_short(value) for value in family.start(_plausible(family))]
    free = [index for index, p in enumerate(family.parameters) if not p.domain.integer]
    index = next((i for i in free if family.parameters[i].name != family.location), free[0])
    parameter = family.parameters[index]
    sets = [tuple(center)]
    for step in (0.7, -0.7):
        value = _short(float(parameter.link.inverse(parameter.link.apply(center[index]) + step)))
        sets.append((*center[:index], value, *center[index + 1 :]))
    return sets[:2] if family.discrete else sets


def _plausible(family: Any) -> list[float]:
    """A few values inside the support."""
    low, high = family.support.low, family.support.high
    if family.discrete:
        counts = [low + y for y in (1, 3, 3, 4, 5, 8) if low + y <= high]
        return counts if len(counts) > 1 else [low, high, high]
    if math.isfinite(low) and math.isfinite(high):
        return [low + (high - low) * share for share in (0.2, 0.35, 0.4, 0.5, 0.7)]
    return [0.4, 0.8, 1.0, 1.5, 2.6] if math.isfinite(low) else [-1.6, -0.6, -0.1, 0.5, 1.3]


def _short(value: float) -> float:
    """Two digits: parameters that are read, not computed."""
    return float(f"{value:.2g}")


def figures(family: Any, sets: Sequence[Sequence[float]]) -> tuple[Curves, Curves]:
    """The density (or probability) and the nll over y, one curve for each of up to three sets of parameters.

    The range holds the core of every set; a density that is infinite at an end of the support is cut off, and so is an
    nll far above its minimum.
    """
    sets = list(sets)[: len(_STYLES)]
    y = _grid(family, sets)
    nll = [np.asarray(family.nll(y, *values)) for values in sets]
    with np.errstate(over="ignore"):
        density = [np.exp(-row) for row in nll]
    cap = 1.15 * max(_highest(family, values) for values in sets)
    floor = -math.log(cap) if math.isfinite(cap) and cap > 0 else -math.inf
    names = [_label(family, values) for values in sets]
    word = "probability" if family.discrete else "density"
    ceiling = _DEPTH + max(float(row.min()) for row in nll)
    clipped = (
        [np.minimum(row, cap) for row in density],
        [np.where(row <= ceiling, np.maximum(row, floor), np.inf) for row in nll],
    )
    first, second = (
        _curves(family, word, names, y, rows)
        for word, rows in zip((word, "negative log-likelihood"), clipped, strict=True)
    )
    return first, second


def _label(family: Any, values: Sequence[float]) -> str:
    return ", ".join(f"{p.name} = {number(value)}" for p, value in zip(family.parameters, values, strict=True))


def _grid(family: Any, sets: Sequence[Sequence[float]]) -> Any:
    low = min(float(family.ppf(_CORE[0], *values)) for values in sets)
    high = max(float(family.ppf(_CORE[1], *values)) for values in sets)
    if math.isfinite(family.support.low) and low - family.support.low < 0.25 * (high - low):
        low = family.support.low
    if math.isfinite(family.support.high) and family.support.high - high < 0.25 * (high - low):
        high = family.support.high
    if family.discrete:
        step = max(1.0, math.ceil((high - low) / _COUNTS))
        return np.arange(low, high + 1, step)
    margin = 0.04 * (high - low)
    return np.linspace(low - margin, high + margin, _POINTS)


def _highest(family: Any, values: Sequence[float]) -> float:
    """The highest density where the core of the probability is, away from poles at its ends."""
    q = np.linspace(0.03, 0.97, 95)
    return float(np.exp(-np.min(family.nll(family.ppf(q, *values), *values))))


def _curves(family: Any, word: str, labels: list[str], y: Any, rows: list[Any]) -> Curves:
    curves = tuple(
        Curve(
            label,
            tuple((float(a), float(b)) for a, b in zip(y, row, strict=True) if math.isfinite(b)),
            dots=family.discrete,
            **style,
        )
        for label, row, style in zip(labels, rows, _STYLES, strict=False)
    )
    return Curves(f"{family.name}: {word}", f"The {word} of {family.name} over y.", curves, "y", word)
