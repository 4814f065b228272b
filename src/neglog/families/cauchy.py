"""Cauchy(loc, scale)."""

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
class Cauchy(ScalarFamily):
    r"""Cauchy: :math:`-\log f(y) = \log(1 + z^2) + \log \pi s`, :math:`z=(y-m)/s`.

    Parameters
    ----------
    loc : real
        Median and mode :math:`m`, in the unit of ``y``.
    scale : positive
        Half the interquartile range :math:`s`, in the unit of ``y``.

    Notes
    -----
    Student's t with one degree of freedom. It has no moments: ``mean`` and ``var`` are NaN. Both tails fall like
    :math:`s/(\pi|y|)`; their derivatives are written without the differences that cancel there. The likelihood of a
    sample can have several maxima.

    Source: Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions 1 (1994), chapter 16.

    Examples
    --------
    >>> import neglog as nl
    >>> float(nl.Cauchy().log_sf(1e100, loc=0.0, scale=1.0))
    -231.40323918...
    """

    name: ClassVar[str] = "cauchy"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("loc", REAL, LINKS["identity"]),
        Parameter("scale", POSITIVE, LINKS["log"]),
    )
    support: ClassVar[Interval] = REAL
    discrete: ClassVar[bool] = False
    location: ClassVar[str] = "loc"
    translation: ClassVar[str | None] = "loc"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        loc, scale = params
        inside = abs(y) < math.inf
        z = xp.where(inside, y - loc, 0.0) / scale
        value = xp.log1p(z * z) + xp.log(math.pi * scale)
        return xp.where(inside, value, xp.where(y != y, y, math.inf))

    def _mean(self, *params: Array) -> Array:
        return np.full_like(params[0], np.nan)

    def _var(self, *params: Array) -> Array:
        return np.full_like(params[0], np.nan)

    def _fisher(self, *params: Array) -> dict[tuple[int, int], Array]:
        precision = params[1] ** -2.0
        return {(0, 0): precision / 2, (1, 1): precision / 2}

    def _ppf(self, q: Array, *params: Array) -> Array:
        loc, scale = params
        # the reciprocal of the small angle in the tails, the angle from the middle elsewhere
        tail = np.where(q < 0.5, -1.0, 1.0) / np.tan(np.pi * np.minimum(q, 1 - q))
        return loc + scale * np.where(np.abs(q - 0.5) < 0.25, np.tan(np.pi * (q - 0.5)), tail)

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        loc, scale = params
        return loc + scale * rng.standard_cauchy(shape)

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        y = representative(rows)
        first, loc, third = (weighted_quantile(y, weight, q) for q in (0.25, 0.5, 0.75))
        return loc, (third - first) / 2 or center_and_spread(y, weight)[1]
