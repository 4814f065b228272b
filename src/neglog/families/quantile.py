"""Quantiles of any family from its tails: the general way, where a family has no closed form."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# (y, positions) -> log P(Y <= y) or log P(Y > y) of those rows
LogTail = Callable[[Floats, NDArray[np.intp]], Floats]
_BISECT_EVERY = 3  # halving the floats between the ends at least that often bounds the number of steps by 3 * 64


def invert(log_tail: LogTail, log_density: LogTail, log_p: Floats, upper: bool, low: Floats, high: Floats) -> Floats:
    """The ``y`` between ``low`` and ``high`` where a continuous ``log_tail`` is ``log_p``.

    Newton's method on the logarithm of the tail, kept between two ends that only come closer; where it would leave
    them, or is slow, the middle of the floating-point numbers between them. All arrays have one shape (n,).
    """
    y = np.where(log_p == -np.inf, high if upper else low, low if upper else high)
    left, right = _ordinal(low), _ordinal(high)
    at = np.flatnonzero(np.isfinite(log_p) & (log_p < 0))
    y[at] = _middle(left[at], right[at])
    sign = -1.0 if upper else 1.0
    for step in range(1, 64 * _BISECT_EVERY):
        if not at.size:
            break
        here = y[at]
        value = log_tail(here, at)
        below = sign * (value - log_p[at]) < 0  # the quantile lies above
        ordinal = _ordinal(here)
        left[at] = np.where(below, ordinal, left[at])
        right[at] = np.where(below, right[at], ordinal)
        with np.errstate(all="ignore"):
            slope = sign * np.exp(log_density(here, at) - value)
            move = (log_p[at] - value) / slope
        proposal = here + move
        inside = (proposal > _number(left[at])) & (proposal < _number(right[at]))
        newton = inside & (step % _BISECT_EVERY != 0)
        near = np.abs(value - log_p[at]) <= 1e-6 * (1 + np.abs(log_p[at]))  # far away the slope has no digits
        small = np.abs(move) <= 1e-15 * np.abs(here)
        arrived = (near & small) | (value == log_p[at]) | (right[at] - left[at] <= 1)
        y[at] = np.where(arrived, here, np.where(newton, proposal, _middle(left[at], right[at])))
        at = at[~arrived]
    return y


def invert_counts(log_tail: LogTail, log_p: Floats, upper: bool, low: Floats, high: Floats) -> Floats:
    """The smallest whole ``y`` with ``P(Y <= y) >= p`` (``upper``: ``P(Y > y) <= p``), by doubling and halving."""
    y = np.where(log_p == -np.inf, high if upper else low, low if upper else high)
    at = np.flatnonzero(np.isfinite(log_p) & (log_p < 0))

    def reached(k: Floats, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
        tail = log_tail(k, rows)
        return tail <= log_p[rows] if upper else tail >= log_p[rows]

    below, width = low - 1, np.ones_like(low)
    above = np.minimum(low, high)
    rows = at
    while rows.size:
        rows = rows[~(reached(above[rows], rows) | (above[rows] >= high[rows]))]
        below[rows] = above[rows]
        above[rows] = np.minimum(above[rows] + width[rows], high[rows])
        width[rows] *= 2
    rows = at
    while rows.size:
        middle = np.floor(below[rows] + (above[rows] - below[rows]) / 2)
        rows, middle = rows[apart := (middle > below[rows]) & (middle < above[rows])], middle[apart]
        enough = reached(middle, rows)
        above[rows] = np.where(enough, middle, above[rows])
        below[rows] = np.where(enough, below[rows], middle)
    y[at] = above[at]
    return y


# Floating-point numbers in their order as integers: halving is then as good at 1e-300 as at 1.


def _ordinal(x: Floats) -> NDArray[np.int64]:
    raw = np.ascontiguousarray(x, dtype=np.float64).view(np.int64)
    return np.where(raw < 0, -(raw & np.int64(0x7FFF_FFFF_FFFF_FFFF)), raw)


def _number(ordinal: NDArray[np.int64]) -> Floats:
    size = np.abs(ordinal).view(np.float64)
    return np.where(ordinal < 0, -size, size)


def _middle(left: NDArray[np.int64], right: NDArray[np.int64]) -> Floats:
    return _number((left >> 1) + (right >> 1) + (left & right & 1))
