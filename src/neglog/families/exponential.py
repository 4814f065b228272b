"""Exponential(scale)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neglog.core.observations import RIGHT, Observations
from neglog.families.base import Array
from neglog.families.facts import LINKS, POSITIVE, Interval, Parameter
from neglog.families.registry import register
from neglog.families.representative import representative
from neglog.families.scalar import ScalarFamily


@register
@dataclass(frozen=True)
class Exponential(ScalarFamily):
    r"""Exponential: :math:`-\log f(y) = y/s + \log s`.

    Parameters
    ----------
    scale : positive
        Mean :math:`s`, in the unit of ``y``; MATLAB's ``explike`` takes it too. The rate is its reciprocal.

    Notes
    -----
    Without memory, so that intervals are exact: :math:`P(a < Y \le b) = e^{-a/s}(1 - e^{-(b-a)/s})`.

    Source: Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions 1 (1994), chapter 19.

    Examples
    --------
    >>> import neglog as nl
    >>> float(nl.Exponential().nll(12.0, scale=5.0))
    4.0094...
    """

    name: ClassVar[str] = "exponential"
    parameters: ClassVar[tuple[Parameter, ...]] = (Parameter("scale", POSITIVE, LINKS["log"]),)
    support: ClassVar[Interval] = Interval(0.0, math.inf, low_closed=True)
    discrete: ClassVar[bool] = False
    location: ClassVar[str] = "scale"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        (scale,) = params
        inside = (y >= 0) & (y < math.inf)
        return xp.where(inside, xp.where(inside, y, 0.0) / scale + xp.log(scale), xp.where(y != y, y, math.inf))

    def _mean(self, *params: Array) -> Array:
        return params[0]

    def _var(self, *params: Array) -> Array:
        return params[0] ** 2

    def _fisher(self, *params: Array) -> dict[tuple[int, int], Array]:
        return {(0, 0): params[0] ** -2.0}

    def _ppf(self, q: Array, *params: Array) -> Array:
        return -params[0] * np.log1p(-q)

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        return params[0] * rng.standard_exponential(shape)

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        y = representative(rows, low=0.0)
        total = float(np.sum(weight * y))
        # the maximum of the likelihood where rows are exact or censored on the right
        events = float(weight[rows.kind != RIGHT].sum()) or float(weight.min())
        return (total / events if total > 0 else 1.0,)
