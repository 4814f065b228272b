"""Normal(loc, scale)."""

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
class Normal(ScalarFamily):
    r"""Normal: :math:`-\log f(y) = z^2/2 + \log\sigma + \tfrac12\log 2\pi`, :math:`z=(y-\mu)/\sigma`.

    Parameters
    ----------
    loc : real
        Mean :math:`\mu`, in the unit of ``y``.
    scale : positive
        Standard deviation :math:`\sigma`, in the unit of ``y`` (not the variance).

    Notes
    -----
    Tails by the scaled complementary error function and, for the derivatives beyond two standard deviations,
    Laplace's continued fraction of Mills' ratio (Abramowitz and Stegun 26.2.14).

    Examples
    --------
    >>> import neglog as nl
    >>> float(nl.Normal().nll(1.3, loc=0.4, scale=0.5**0.5))
    1.38236494292...
    """

    name: ClassVar[str] = "normal"
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
        z = (y - loc) / scale
        inside = abs(y) < math.inf
        value = z * z / 2 + xp.log(scale) + 0.5 * math.log(2 * math.pi)
        return xp.where(inside | (y != y), value, math.inf)

    def _mean(self, *params: Array) -> Array:
        return params[0]

    def _var(self, *params: Array) -> Array:
        return params[1] ** 2

    def _fisher(self, *params: Array) -> dict[tuple[int, int], Array]:
        precision = params[1] ** -2.0
        return {(0, 0): precision, (1, 1): 2 * precision}

    def _ppf(self, q: Array, *params: Array) -> Array:
        from scipy.special import ndtri

        loc, scale = params
        return loc + scale * ndtri(q)

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        return rng.normal(*params, size=shape)

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        return center_and_spread(representative(rows), weight)
