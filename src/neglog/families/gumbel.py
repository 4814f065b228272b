"""Gumbel(loc, scale), of maxima."""

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


@register
@dataclass(frozen=True)
class Gumbel(ScalarFamily):
    r"""Gumbel, the extreme-value distribution of maxima: :math:`-\log f(y) = z + e^{-z} + \log s`, :math:`z=(y-m)/s`.

    Parameters
    ----------
    loc : real
        Mode :math:`m`, in the unit of ``y``.
    scale : positive
        :math:`s`, in the unit of ``y``.

    Notes
    -----
    SciPy's ``gumbel_r``, Octave's ``gumbellike``, and :math:`\xi = 0` of GEV. MATLAB's ``ev`` is
    :class:`GumbelMin`.

    Source: Coles, An Introduction to Statistical Modeling of Extreme Values (2001), section 3.1.

    Examples
    --------
    >>> import neglog as nl
    >>> float(nl.Gumbel().log_sf(40.0, loc=0.0, scale=1.0))
    -40.0...
    """

    name: ClassVar[str] = "gumbel"
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
        value = z + xp.exp(-z) + xp.log(scale)
        return xp.where(inside, value, xp.where(y != y, y, math.inf))

    def _mean(self, *params: Array) -> Array:
        return params[0] + np.euler_gamma * params[1]

    def _var(self, *params: Array) -> Array:
        return (math.pi * params[1]) ** 2 / 6

    def _fisher(self, *params: Array) -> dict[tuple[int, int], Array]:
        precision, c = params[1] ** -2.0, 1 - np.euler_gamma
        return {(0, 0): precision, (0, 1): -c * precision, (1, 1): (math.pi**2 / 6 + c * c) * precision}

    def _ppf(self, q: Array, *params: Array) -> Array:
        loc, scale = params
        return loc - scale * np.log(-np.log(q))

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        return rng.gumbel(*params, size=shape)

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        center, spread = center_and_spread(representative(rows), weight)
        scale = spread * math.sqrt(6) / math.pi
        return center - np.euler_gamma * scale, scale
