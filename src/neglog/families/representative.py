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
    """The value of an exact row, the middle of an interval, the known end of a one-sided row."""
    first = np.maximum(rows.lower + np.where(rows.exact, 0.0, step), low)
    last = rows.upper
    both = np.isfinite(first) & np.isfinite(last)
    with np.errstate(invalid="ignore"):
        middle = np.where(both, first + (last - first) / 2, np.where(np.isfinite(first), first, last))
    return np.where(np.isfinite(middle), middle, max(low, 0.0))
