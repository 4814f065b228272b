"""Where a number may lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neglog.errors import ParameterError


@dataclass(frozen=True)
class Interval:
    """A set of real numbers, or of integers, between two ends.

    >>> positive = Interval(0.0, float("inf"))
    >>> print(positive, Interval(0.0, 1.0, True, True, integer=True))
    (0, inf) integers in [0, 1]
    >>> positive.contains([0.0, 1.0, float("nan")])
    array([False,  True, False])
    """

    low: float
    high: float
    low_closed: bool = False
    high_closed: bool = False
    integer: bool = False

    def contains(self, x: ArrayLike) -> NDArray[np.bool_]:
        """Elementwise membership, shape of ``x``. NaN is in no interval."""
        x = np.asarray(x)
        inside = (x >= self.low if self.low_closed else x > self.low) & (
            x <= self.high if self.high_closed else x < self.high
        )
        return np.asarray(inside & (x == np.floor(x)) if self.integer else inside)

    def holds(self, x: float) -> bool:
        """Membership of one number, in nothing but Python's arithmetic: compilers trace it."""
        above = x >= self.low if self.low_closed else x > self.low
        below = x <= self.high if self.high_closed else x < self.high
        return bool(above and below and (not self.integer or x == int(x)))

    def __str__(self) -> str:
        ends = f"{'[' if self.low_closed else '('}{self.low:g}, {self.high:g}{']' if self.high_closed else ')'}"
        return f"integers in {ends}" if self.integer else ends


POSITIVE = Interval(0.0, np.inf)
NON_NEGATIVE = Interval(0.0, np.inf, low_closed=True)
AT_LEAST_ONE = Interval(1.0, np.inf, low_closed=True, integer=True)


def check_number(function: str, name: str, value: Any, domain: Interval) -> None:
    """An argument that is one number in ``domain``, and no tensor that is to learn."""
    if getattr(value, "requires_grad", False):
        raise ParameterError(
            f"{function}: {name} requires grad, but is taken as a constant; allowed: a number in {domain}"
        )
    try:
        inside = domain.holds(value)
    except (TypeError, ValueError, RuntimeError):  # no number, or several
        inside = False
    if not inside:
        raise ParameterError(f"{function}: {name}={value!r}; allowed: {name} in {domain}")
