"""Model columns in internal units.

Centred, scaled to unit size, in units of the parameter; and the way back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neglog.core.accumulate import exact_sum
from neglog.estimation.tables import Floats


@dataclass(frozen=True, eq=False)
class Design:
    """Columns of one linear predictor.

    The optimiser sees ``eta = columns @ b`` where every column has unit size, so that one step length suits
    all of them; ``coefficients = back @ b`` belong to the caller's columns. ``columns`` is None for the
    single column that is the constant ``unit``: then nothing of the length of the data is stored, and sums
    over rows are exact.
    """

    columns: Floats | None  # (n, k)
    unit: float
    back: Floats  # (k, k)

    @property
    def size(self) -> int:
        """Number of coefficients."""
        return len(self.back)

    @property
    def sizes(self) -> Floats:
        """Root mean square of the caller's columns, in units of the predictor."""
        scale = 1.0 / np.diag(self.back)
        centre = (self.back.sum(axis=0) - np.diag(self.back)) * scale / self.unit
        return np.asarray(np.hypot(scale, centre), dtype=np.float64)

    def predict(self, part: slice, b: Floats) -> Floats:
        """Linear predictor, shape ``(m,)``, or ``(1,)`` where it is the same for all rows."""
        if not self.size:
            return np.zeros(1)
        return self.unit * b if self.columns is None else self.columns[part] @ b

    def gather(self, part: slice, v: Floats, weight: Floats | None) -> Floats:
        """``columns.T @ (weight * v)``, shape ``(k,)``."""
        if not self.size:
            return np.zeros(0)
        if self.columns is None:
            return np.array([self.unit * exact_sum(v, weight)])
        return self.columns[part].T @ (v if weight is None else weight * v)

    def inside(self, coefficients: Floats) -> Floats:
        """``b`` for given coefficients."""
        return np.asarray(np.linalg.solve(self.back, coefficients), dtype=np.float64)


def curvature(left: Design, right: Design, part: slice, h: Floats, weight: Floats | None) -> Floats:
    """``left.columns.T @ diag(weight * h) @ right.columns``: the block of a Hessian, by BLAS."""
    if not left.size or not right.size:
        return np.zeros((left.size, right.size))
    if left.columns is None and right.columns is None:
        return np.array([[left.unit * right.unit * exact_sum(h, weight)]])
    scaled = h if weight is None else weight * h
    if left.columns is None:
        assert right.columns is not None
        return left.unit * (scaled @ right.columns[part])[None, :]
    if right.columns is None:
        return right.unit * (scaled @ left.columns[part])[:, None]
    return (left.columns[part] * scaled[:, None]).T @ right.columns[part]


def constant(unit: float) -> Design:
    """A parameter without covariates."""
    return Design(None, unit, np.array([[unit]]))


def standardised(columns: Floats, intercept: int | None, weight: Floats | None, unit: float) -> Design:
    """Centre (where an intercept takes up the shift) and scale the caller's columns.

    Columns of any location and unit give the same internal problem up to rounding, so a date in nanoseconds
    and a share in per cent are fitted equally well. Two passes over the data keep the centred values
    accurate.
    """
    share = np.full(len(columns), 1.0 / len(columns)) if weight is None else weight / weight.sum()
    centre = np.zeros(columns.shape[1])
    if intercept is not None:
        centre = share @ columns
        centre[intercept] = 0.0
    inside = columns - centre
    largest = np.abs(inside).max(axis=0, initial=0.0)  # first, so that squares neither overflow nor vanish
    largest[largest == 0.0] = 1.0
    inside /= largest
    scale = np.sqrt(share @ (inside * inside))
    scale[~(scale > 0)] = 1.0
    inside *= unit / scale
    scale *= largest
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):  # the caller looks at what came out
        back = np.diag(unit / scale)
        if intercept is not None:
            back[intercept] -= centre * (unit / scale)
    return Design(inside, unit, back)
