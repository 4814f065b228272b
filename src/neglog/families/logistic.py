"""Logistic(loc, scale)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neglog.core.observations import Observations
from neglog.families.base import Array
from neglog.families.facts import LINKS, POSITIVE, REAL, Interval, Parameter
from neglog.families.registry import register
from neglog.families.representative import center_and_spread, representative
from neglog.families.scalar import ScalarFamily
from neglog.families.special import log1pexp


@register
@dataclass(frozen=True)
class Logistic(ScalarFamily):
    r"""Logistic: :math:`-\log f(y) = z + 2\log(1 + e^{-z}) + \log s`, :math:`z=(y-m)/s`.

    Parameters
    ----------
    loc : real
        Mean and median :math:`m`, in the unit of ``y``.
    scale : positive
        :math:`s`, in the unit of ``y``; the standard deviation is :math:`\pi s/\sqrt 3`.

    Notes
    -----
    Intervals by :math:`P(a < Y \le b) = \sigma(u)\,\sigma(-w)\,(1 - e^{w-u})`, with the logistic function
    :math:`\sigma` and the standardised ends :math:`w < u`.

    Source: Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions 2 (1995), chapter 23.

    Examples
    --------
    >>> import neglog as nl
    >>> float(nl.Logistic().nll(1.3, loc=0.4, scale=0.8))
    1.4641...
    """

    name: ClassVar[str] = "logistic"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("loc", REAL, LINKS["identity"]),
        Parameter("scale", POSITIVE, LINKS["log"]),
    )
    support: ClassVar[Interval] = REAL
    discrete: ClassVar[bool] = False
    location: ClassVar[str] = "loc"
    dispersion: ClassVar[str | None] = "scale"
    translation: ClassVar[str | None] = "loc"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        loc, scale = params
        inside = abs(y) < math.inf
        z = xp.where(inside, y - loc, 0.0) / scale
        value = z + 2 * log1pexp(xp, -z) + xp.log(scale)
        return xp.where(inside, value, xp.where(y != y, y, math.inf))

    def _mean(self, *params: Array) -> Array:
        return params[0]

    def _var(self, *params: Array) -> Array:
        return (math.pi * params[1]) ** 2 / 3

    def _fisher(self, *params: Array) -> dict[tuple[int, int], Array]:
        precision = params[1] ** -2.0
        return {(0, 0): precision / 3, (1, 1): (3 + math.pi**2) / 9 * precision}

    def _ppf(self, q: Array, *params: Array) -> Array:
        loc, scale = params
        return loc + scale * (np.log(q) - np.log1p(-q))

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        return rng.logistic(*params, size=shape)

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        center, spread = center_and_spread(representative(rows), weight)
        return center, spread * math.sqrt(3) / math.pi
