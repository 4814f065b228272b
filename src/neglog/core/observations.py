"""Observations known only up to an interval: survival times, detection limits, binned data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neglog.errors import DataError, ShapeError

EXACT, RIGHT, LEFT, INTERVAL = range(4)


@dataclass(frozen=True, eq=False)
class Observations:
    """Rows that say ``lower < y <= upper``, or ``y == lower`` where both ends are equal.

    Build them with :func:`neglog.right_censored` or :func:`neglog.interval`. The arrays are read-only float64
    of one shape. A NaN end marks a missing row; fits and scores decide what becomes of it.

    Attributes
    ----------
    lower, upper : float64 arrays of one shape
        ``upper = inf``: right-censored; ``lower = -inf``: left-censored.
    """

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]

    def __post_init__(self) -> None:
        lower = np.array(self.lower, dtype=np.float64)
        upper = np.array(self.upper, dtype=np.float64)
        if lower.shape != upper.shape:
            raise ShapeError(f"Observations: lower has shape {lower.shape} and upper {upper.shape}; they must be equal")
        if (bad := lower > upper).any():
            at = tuple(int(i) for i in np.argwhere(bad)[0])
            raise DataError(
                f"Observations: lower = {lower[at]:g} is above upper = {upper[at]:g} "
                f"at position {_position(at)}; rows are (lower, upper]"
            )
        for name, array in (("lower", lower), ("upper", upper)):
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of ``lower`` and ``upper``."""
        return self.lower.shape

    @property
    def exact(self) -> NDArray[np.bool_]:
        """True where the value itself is known."""
        return self.lower == self.upper

    @property
    def kind(self) -> NDArray[np.int8]:
        """0 exact, 1 right-censored, 2 left-censored, 3 interval; -1 where an end is NaN."""
        kind = np.where(np.isposinf(self.upper), RIGHT, np.where(np.isneginf(self.lower), LEFT, INTERVAL))
        kind = np.where(self.exact, EXACT, kind)
        return np.where(np.isnan(self.lower) | np.isnan(self.upper), -1, kind).astype(np.int8)

    def __len__(self) -> int:
        return len(self.lower)

    def __getitem__(self, index: Any) -> Observations:
        return Observations(self.lower[index], self.upper[index])

    def __repr__(self) -> str:
        kind = self.kind
        counts = ((int((kind == code).sum()), name) for code, name in _NAMES.items())
        return f"Observations({', '.join(f'{n} {name}' for n, name in counts if n) or 'empty'})"


_NAMES = {
    EXACT: "exact",
    RIGHT: "right-censored",
    LEFT: "left-censored",
    INTERVAL: "interval-censored",
    -1: "missing",
}


def _position(index: tuple[int, ...]) -> str:
    return str(index[0]) if len(index) == 1 else str(index)


def right_censored(time: ArrayLike, event: ArrayLike) -> Observations:
    r"""Times of which some are only lower bounds: :math:`Y = t` where ``event`` is 1, else :math:`Y > t`.

    Parameters
    ----------
    time : array of floats
        Observed times, in any unit.
    event : array of 0 / 1 or bool, shape of ``time``
        1 = observed, 0 = censored.

    Returns
    -------
    Observations

    Raises
    ------
    ShapeError
        If the shapes differ.
    DataError
        If ``event`` holds anything but 0 and 1.

    Examples
    --------
    >>> right_censored([5.0, 8.0, 8.0], [1, 0, 0])
    Observations(1 exact, 2 right-censored)
    """
    lower, flag = np.asarray(time, dtype=np.float64), np.asarray(event)
    if lower.shape != flag.shape:
        raise ShapeError(f"right_censored: time has shape {lower.shape} and event {flag.shape}; they must be equal")
    if (bad := ~np.isin(flag, (0, 1))).any():
        at = tuple(int(i) for i in np.argwhere(bad)[0])
        raise DataError(
            f"right_censored: event = {flag[at]} at position {_position(at)}; allowed: 1 (observed) and 0 (censored)"
        )
    return Observations(lower, np.where(flag.astype(bool), lower, np.where(np.isnan(lower), np.nan, np.inf)))


def interval(lower: ArrayLike, upper: ArrayLike) -> Observations:
    r"""Rows known to lie in :math:`(l, u]`.

    Parameters
    ----------
    lower, upper : arrays of floats of one shape
        Equal ends: the value is exact. ``upper = inf``: right-censored. ``lower = -inf``: left-censored.

    Returns
    -------
    Observations

    Raises
    ------
    ShapeError
        If the shapes differ.
    DataError
        If a lower end lies above its upper end.

    Examples
    --------
    >>> interval([1.0, 2.0, -float("inf"), 3.0], [1.0, 2.5, 2.0, float("inf")])
    Observations(1 exact, 1 right-censored, 1 left-censored, 1 interval-censored)
    """
    low, high = np.asarray(lower, dtype=np.float64), np.asarray(upper, dtype=np.float64)
    if low.shape != high.shape:
        raise ShapeError(f"interval: lower has shape {low.shape} and upper {high.shape}; they must be equal")
    return Observations(low, high)
