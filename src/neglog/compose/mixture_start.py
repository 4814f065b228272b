"""Where a fit of a mixture begins: components that differ, by a few steps of an EM that knows start values only."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from neglog.compose.jets import Floats
from neglog.core.observations import Observations
from neglog.families import ScalarFamily
from neglog.families.representative import representative

_STEPS = 12
_ROWS = 4000  # more rows are thinned: the start need not be the maximum
_APART = 0.1  # on the link scale, where the rows cannot tell components apart

Point = tuple[Floats, list[tuple[float, ...]]]


def start(families: Sequence[ScalarFamily], rows: Observations, weight: Floats) -> Point:
    """Shares ``(K,)`` and the parameters of each component.

    Rows are dealt out by their order, which tells locations apart, and by their distance from the median, which
    tells scales apart. From both, components are estimated by their own start values from rows weighted by
    responsibilities, in turn with these; the best point on the way is taken.
    """
    y = representative(rows, families[0].support.low if np.isfinite(families[0].support.low) else -np.inf)
    order = np.argsort(y, kind="stable")
    if len(order) > _ROWS:
        order = order[np.linspace(0, len(order) - 1, _ROWS).astype(int)]
    rows, weight, y = rows[order], weight[order], y[order]
    middle = y[np.searchsorted(np.cumsum(weight), weight.sum() / 2)]
    best, found = -np.inf, None
    for key in (y, np.abs(y - middle)):
        point = _estimate(families, rows, weight * _dealt(key, weight, len(families)))
        for _ in range(_STEPS):
            terms = _log_terms(families, rows, point)
            total = _log_sum(terms)
            value = float(weight @ total) if np.isfinite(total).all() else -np.inf
            if found is None or value > best:
                best, found = value, point
            with np.errstate(all="ignore"):
                shares = np.where(np.isfinite(total), np.exp(terms - total), 1 / len(families))
            point = _estimate(families, rows, weight * shares)
    assert found is not None
    return _apart(families, found)


def _dealt(key: Floats, weight: Floats, k: int) -> Floats:
    """``(K, n)``: which part of each row's weight falls into each k-th of all weight, in the order of ``key``."""
    order = np.argsort(key, kind="stable")
    ends = np.cumsum(weight[order]) * (k / weight.sum())
    starts = np.concatenate([[0.0], ends[:-1]])
    part = np.arange(k)[:, None]
    inside = np.clip(np.minimum(ends, part + 1) - np.maximum(starts, part), 0.0, None) / (ends - starts)
    out = np.empty_like(inside)
    out[:, order] = inside
    return out


def _estimate(families: Sequence[ScalarFamily], rows: Observations, weight: Floats) -> Point:
    values: list[tuple[float, ...]] = []
    every = float(weight.sum())
    for f, w in zip(families, weight, strict=True):
        values.append(f.start(rows, w) if (w > 0).any() else f.start(rows))
    total = weight.sum(axis=1) + 0.1 * every / (every + 1)  # a tenth of a row more: no component dies
    return total / total.sum(), values


def _log_terms(families: Sequence[ScalarFamily], rows: Observations, point: Point) -> Floats:
    y = rows.lower if rows.exact.all() else rows
    with np.errstate(all="ignore"):
        logs = [
            np.log(share) - f.nll(y, *values, check=False) for f, share, values in zip(families, *point, strict=True)
        ]
    return np.stack(np.broadcast_arrays(*logs))


def _log_sum(terms: Floats) -> Floats:
    top = terms.max(axis=0)
    with np.errstate(all="ignore"):
        return np.where(np.isfinite(top), top + np.log(np.exp(terms - top).sum(axis=0)), top)


def _apart(families: Sequence[ScalarFamily], point: Point) -> Point:
    """Move components that coincide: from there no gradient would ever separate them."""
    shares, values = point
    for i, j in itertools.combinations(range(len(families)), 2):
        if families[i] == families[j] and np.allclose(values[i], values[j], rtol=1e-6, atol=1e-12):
            at = [p.name for p in families[j].parameters].index(families[j].location)
            link, moved = families[j].parameters[at].link, list(values[j])
            eta = float(link.apply(moved[at]))
            moved[at] = float(link.inverse(eta + _APART * (j - i) * max(abs(eta), 1.0)))
            values[j] = tuple(moved)
    return shares, values
