"""Uniform(low, high)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neglog.core.observations import Observations
from neglog.families.base import Array
from neglog.families.facts import LINKS, REAL, Interval, Parameter
from neglog.families.registry import register
from neglog.families.representative import representative
from neglog.families.scalar import ScalarFamily


@register
@dataclass(frozen=True)
class Uniform(ScalarFamily):
    r"""Uniform: :math:`-\log f(y) = \log(b - a)` for :math:`a \le y \le b`.

    Parameters
    ----------
    low, high : real
        The ends :math:`a < b`, in the unit of ``y``; both belong to the support. SciPy takes ``low`` and the width.

    Notes
    -----
    The support depends on the parameters, and the likelihood of a sample rises until they meet its extremes: the family
    is not regular. Derivatives are those inside the support; :meth:`fisher` is the mean of their products, and
    singular.

    Source: Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions 2 (1995), chapter 26.

    Examples
    --------
    >>> import neglog as nl
    >>> nl.Uniform().nll([0.5, 1.5, 2.5], low=0.0, high=2.0)
    array([0.69314718, 0.69314718,        inf])
    """

    name: ClassVar[str] = "uniform"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("low", REAL, LINKS["identity"]),
        Parameter("high", REAL, LINKS["identity"]),
    )
    support: ClassVar[Interval] = REAL
    discrete: ClassVar[bool] = False
    regular: ClassVar[bool] = False
    smooth: ClassVar[bool] = False
    location: ClassVar[str] = "low"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        low, high = params
        inside = (y >= low) & (y <= high)
        return xp.where(inside, xp.log(high - low), xp.where(y != y, y, math.inf))

    def _disagree(self, *params: Array) -> tuple[Array, str]:
        return params[0] >= params[1], "low < high"

    def _mean(self, *params: Array) -> Array:
        low, high = params
        return low + (high - low) / 2

    def _var(self, *params: Array) -> Array:
        low, high = params
        return (high - low) ** 2 / 12

    def _fisher(self, *params: Array) -> dict[tuple[int, int], Array]:
        precision = (params[1] - params[0]) ** -2.0
        return {(0, 0): precision, (0, 1): -precision, (1, 1): precision}

    def _ends(self, *params: Array) -> tuple[Array | float, Array | float]:
        return params[0], params[1]

    def _ppf(self, q: Array, *params: Array) -> Array:
        low, high = params
        return np.where(q == 1, high, low + q * (high - low))  # exactly, whatever the rounding

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        return rng.uniform(*params, size=shape)

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        y = representative(rows)
        low, high = float(y.min()), float(y.max())  # the maximum of the likelihood, if the rows are exact
        return (low, high) if low < high else (low - 0.5 * max(abs(low), 1.0), low + 0.5 * max(abs(low), 1.0))
