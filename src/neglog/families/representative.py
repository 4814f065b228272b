"""One plausible value per row, censored or not: what start values are computed from."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from neglog.core.observations import Observations


def representative(
    rows: Observations,
    low: float = -math.inf,  # lower end of the support
    step: float = 0.0,  # distance between the values of a discrete support
) -> NDArray[np.float64]:
    """The value of an exact row, the middle of an interval, the known end of a one-sided row; never below ``low``."""
    first = np.maximum(rows.lower + np.where(rows.exact, 0.0, step), low)
    last = np.maximum(rows.upper, low)  # rows outside the support count as its end
    both = np.isfinite(first) & np.isfinite(last)
    with np.errstate(invalid="ignore"):
        middle = np.where(both, first + (last - first) / 2, np.where(np.isfinite(first), first, last))
    middle = np.where(np.isfinite(middle), middle, max(low, 0.0))
    # start values are made of squares and reciprocals; fits refuse data beyond these sizes anyway
    return np.where(middle == 0, middle, np.copysign(np.clip(np.abs(middle), 1e-150, 1e150), middle))


def center_and_spread(y: NDArray[np.float64], weight: NDArray[np.float64]) -> tuple[float, float]:
    """Weighted mean and standard deviation of finite values; the spread is never 0."""
    center = float(np.average(y, weights=weight))
    size = float(np.abs(y - center).max()) or 1.0  # first, so that squares neither overflow nor vanish
    spread = size * math.sqrt(float(np.average(((y - center) / size) ** 2, weights=weight)))
    # equal values have no spread; any positive number of their size will do to start from
    return center, spread or max(abs(center), 1.0) * 1e-3


def weighted_quantile(y: NDArray[np.float64], weight: NDArray[np.float64], q: float) -> float:
    """The smallest value with at least the share ``q`` of the weight at or below it."""
    order = np.argsort(y)
    share = np.cumsum(weight[order])
    return float(y[order][np.searchsorted(share, q * share[-1] * (1 - 1e-12))])


def log_moments(rows: Observations, weight: NDArray[np.float64]) -> tuple[float, float]:
    """Mean and standard deviation, at least 0.01, of the logarithm of the positive values; (0, 1) if there is none."""
    y = representative(rows, low=0.0)
    positive = y > 0
    if not positive.any():
        return 0.0, 1.0
    log_y, weight = np.log(y[positive]), weight[positive]
    center = float(np.average(log_y, weights=weight))
    return center, max(math.sqrt(float(np.average((log_y - center) ** 2, weights=weight))), 0.01)
