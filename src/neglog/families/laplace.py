"""Laplace(loc, scale)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neglog.core.observations import Observations
from neglog.families.base import Array
from neglog.families.facts import LINKS, POSITIVE, REAL, Interval, Parameter
from neglog.families.registry import register
from neglog.families.representative import center_and_spread, representative, weighted_quantile
from neglog.families.scalar import ScalarFamily


@register
@dataclass(frozen=True)
class Laplace(ScalarFamily):
    r"""Laplace, the double exponential: :math:`-\log f(y) = |y - m|/s + \log 2s`.

    Parameters
    ----------
    loc : real
        Mean and median :math:`m`, in the unit of ``y``.
    scale : positive
        Mean absolute deviation :math:`s`, in the unit of ``y``; the standard deviation is :math:`\sqrt 2 s`.

    Notes
    -----
    The density has a kink at ``loc``: there the slope in ``loc`` is taken as 0, and the second derivative leaves out
    the jump of the first. So the expected Hessian is not the variance of the score, which is what :meth:`fisher`
    returns.

    Source: Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions 2 (1995), chapter 24.

    Examples
    --------
    >>> import neglog as nl
    >>> float(nl.Laplace().nll(1.3, loc=0.4, scale=0.7))
    1.6221...
    """

    name: ClassVar[str] = "laplace"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("loc", REAL, LINKS["identity"]),
        Parameter("scale", POSITIVE, LINKS["log"]),
    )
    support: ClassVar[Interval] = REAL
    discrete: ClassVar[bool] = False
    regular: ClassVar[bool] = False
    smooth: ClassVar[bool] = False
    location: ClassVar[str] = "loc"
    dispersion: ClassVar[str | None] = "scale"
    translation: ClassVar[str | None] = "loc"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        loc, scale = params
        inside = abs(y) < math.inf
        return xp.where(inside | (y != y), abs(y - loc) / scale + xp.log(2 * scale), math.inf)

    def _mean(self, *params: Array) -> Array:
        return params[0]

    def _var(self, *params: Array) -> Array:
        return 2 * params[1] ** 2

    def _fisher(self, *params: Array) -> dict[tuple[int, int], Array]:
        precision = params[1] ** -2.0
        return {(0, 0): precision, (1, 1): precision}

    def _ppf(self, q: Array, *params: Array) -> Array:
        loc, scale = params
        return loc + scale * np.where(q < 0.5, np.log(2 * q), -np.log(2 * (1 - q)))

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        return rng.laplace(*params, size=shape)

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        y = representative(rows)
        loc = weighted_quantile(y, weight, 0.5)
        return loc, float(np.average(np.abs(y - loc), weights=weight)) or center_and_spread(y, weight)[1]
