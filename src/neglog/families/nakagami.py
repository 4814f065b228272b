"""Nakagami(shape, spread)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neglog.core.observations import Observations
from neglog.families.base import Array
from neglog.families.facts import LINKS, POSITIVE, Interval, Parameter
from neglog.families.gamma import shape_and_mean, shape_information
from neglog.families.registry import register
from neglog.families.representative import representative
from neglog.families.scalar import ScalarFamily
from neglog.families.special import lgamma


@register
@dataclass(frozen=True)
class Nakagami(ScalarFamily):
    r"""The Nakagami distribution: the square root of a gamma variable.

    :math:`-\log f(y) = \log\Gamma(m) - \log 2 - m\log(m/\Omega) - (2m-1)\log y + m y^2/\Omega`.

    Parameters
    ----------
    shape : positive
        :math:`m`; 1 is the Rayleigh distribution, 1/2 the half-normal. In the theory of fading :math:`m \ge 1/2`.
    spread : positive
        :math:`\Omega`, the mean of :math:`Y^2`. MATLAB's ``nakagami(mu, omega)``; SciPy's
        ``nakagami(m, scale=sqrt(omega))``.

    Notes
    -----
    At ``y = 0`` the density is 0, finite or infinite as the shape is above, equal to or below 1/2.

    Examples
    --------
    >>> import neglog as nl
    >>> float(nl.Nakagami().log_sf(3.0, shape=1.0, spread=2.0))  # Rayleigh: -y^2 / spread
    -4.50000000000...
    """

    name: ClassVar[str] = "nakagami"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("shape", POSITIVE, LINKS["log"]),
        Parameter("spread", POSITIVE, LINKS["log"]),
    )
    support: ClassVar[Interval] = Interval(0.0, math.inf, low_closed=True)
    discrete: ClassVar[bool] = False
    location: ClassVar[str] = "spread"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        shape, spread = params
        inside = (y >= 0) & (y < math.inf)
        # where() differentiates both branches: the unused one gets a harmless y
        safe = xp.where(inside, y, 1.0)
        power = (2 * shape - 1) * xp.where(shape == 0.5, 0.0, xp.log(safe))  # 0 * log 0 = 0
        value = lgamma(xp, shape) - math.log(2) - shape * xp.log(shape / spread) + shape * safe**2 / spread - power
        return xp.where(inside, value, xp.where(y != y, y, math.inf))

    def _mean(self, *params: Array) -> Array:
        shape, spread = params
        return np.sqrt(spread * np.exp(_log_square_of_mean(shape)))

    def _var(self, *params: Array) -> Array:
        shape, spread = params
        return -spread * np.expm1(_log_square_of_mean(shape))

    def _fisher(self, *params: Array) -> dict[tuple[int, int], Array]:
        shape, spread = params
        return {(0, 0): shape_information(shape), (1, 1): shape / spread**2}

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        m, spread = params
        return np.sqrt(spread / m * rng.standard_gamma(m, shape))

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        return shape_and_mean(representative(rows, low=0.0) ** 2, weight)


def _log_square_of_mean(shape: Array) -> Array:
    """log E[Y]^2 / E[Y^2] = 2 log Gamma(m + 1/2) / Gamma(m) - log m, which cancels for large m: there its asymptotic
    series, by Abramowitz and Stegun 6.1.40 at m + 1/2 and m.
    """
    from scipy.special import gammaln

    r = 1 / np.maximum(shape, 40.0)
    series = -r / 4 + r**3 / 96 - r**5 / 320 + 17 / 7168 * r**7
    return np.where(shape > 40, series, 2 * (gammaln(shape + 0.5) - gammaln(shape)) - np.log(shape))
