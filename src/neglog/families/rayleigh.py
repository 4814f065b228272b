"""Rayleigh(scale)."""

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
class Rayleigh(ScalarFamily):
    r"""Rayleigh: :math:`-\log f(y) = t - \log(y/s^2)`, :math:`t=(y/s)^2/2`.

    Parameters
    ----------
    scale : positive
        Mode :math:`s`, in the unit of ``y``; MATLAB's B.

    Notes
    -----
    The length of a vector of two independent normal variables of standard deviation :math:`s`; a Weibull of shape 2
    and scale :math:`\sqrt 2 s`. At ``y = 0`` the density is 0.

    Source: Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions 1 (1994), section 18.10.

    Examples
    --------
    >>> import neglog as nl
    >>> float(nl.Rayleigh().log_sf(40.0, scale=1.0))
    -800.0
    """

    name: ClassVar[str] = "rayleigh"
    parameters: ClassVar[tuple[Parameter, ...]] = (Parameter("scale", POSITIVE, LINKS["log"]),)
    support: ClassVar[Interval] = Interval(0.0, math.inf, low_closed=True)
    discrete: ClassVar[bool] = False
    location: ClassVar[str] = "scale"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        (scale,) = params
        inside = (y >= 0) & (y < math.inf)
        z = xp.where(inside, y, 1.0) / scale
        return xp.where(inside, z * z / 2 - xp.log(z / scale), xp.where(y != y, y, math.inf))

    def _mean(self, *params: Array) -> Array:
        return params[0] * math.sqrt(math.pi / 2)

    def _var(self, *params: Array) -> Array:
        return params[0] ** 2 * (2 - math.pi / 2)

    def _fisher(self, *params: Array) -> dict[tuple[int, int], Array]:
        return {(0, 0): 4 * params[0] ** -2.0}

    def _ppf(self, q: Array, *params: Array) -> Array:
        return params[0] * np.sqrt(-2 * np.log1p(-q))

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        return params[0] * np.sqrt(2 * rng.standard_exponential(shape))

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        y = representative(rows, low=0.0)
        largest = float(y.max()) or 1.0  # first, so that squares neither overflow nor vanish
        total = float(np.sum(weight * (y / largest) ** 2))
        # the maximum of the likelihood where rows are exact or censored on the right
        events = float(weight[rows.kind != RIGHT].sum()) or float(weight.min())
        return (largest * math.sqrt(total / events / 2) if total > 0 else 1.0,)
