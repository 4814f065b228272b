"""Gamma(shape, scale)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neglog.core.observations import Observations
from neglog.families.base import Array
from neglog.families.facts import LINKS, POSITIVE, Interval, Parameter
from neglog.families.registry import register
from neglog.families.representative import representative
from neglog.families.scalar import ScalarFamily
from neglog.families.special import lgamma


@register
@dataclass(frozen=True)
class Gamma(ScalarFamily):
    r"""The gamma distribution: :math:`-\log f(y) = \log\Gamma(a) + a\log s - (a-1)\log y + y/s`.

    Parameters
    ----------
    shape : positive
        :math:`a`; 1 is the exponential distribution, an integer the sum of that many exponential times.
    scale : positive
        :math:`s`, in the unit of ``y``; the mean is :math:`a s`. SciPy's ``gamma(a, scale=s)``, MATLAB's
        ``gamlike([a, b])``; R's ``dgamma`` also takes the rate :math:`1/s`. By its mean: :class:`GammaMean`.

    Notes
    -----
    Evaluated in the deviance form of Loader, "Fast and accurate computation of binomial probabilities" (2000).
    At ``y = 0`` the density is 0, finite or infinite as the shape is above, equal to or below 1, and the nll
    accordingly ``inf``, ``log(scale)`` or ``-inf``. Tails and their derivatives in the shape are integrals without
    cancellation: relative 1e-12 from shape 1e-4 to 1e7, at any probability.

    Examples
    --------
    >>> import neglog as nl
    >>> float(nl.Gamma().nll(4.0, shape=2.0, scale=3.0))
    2.14426354954...
    >>> float(nl.Gamma().log_sf(3000.0, shape=2.0, scale=3.0))
    -993.0912452206...
    """

    name: ClassVar[str] = "gamma"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("shape", POSITIVE, LINKS["log"]),
        Parameter("scale", POSITIVE, LINKS["log"]),
    )
    support: ClassVar[Interval] = Interval(0.0, math.inf, low_closed=True)
    discrete: ClassVar[bool] = False
    location: ClassVar[str] = "scale"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        shape, scale = params
        inside = (y >= 0) & (y < math.inf)
        # where() differentiates both branches: the unused one gets a harmless y
        x = xp.where(inside, y, 1.0) / scale
        power = (shape - 1) * xp.where(shape == 1, 0.0, xp.log(x))  # 0 * log 0 = 0
        value = lgamma(xp, shape) + xp.log(scale) + x - power
        return xp.where(inside, value, xp.where(y != y, y, math.inf))

    def _mean(self, *params: Array) -> Array:
        shape, scale = params
        return shape * scale

    def _var(self, *params: Array) -> Array:
        shape, scale = params
        return shape * scale**2

    def _fisher(self, *params: Array) -> dict[tuple[int, int], Array]:
        from scipy.special import polygamma

        shape, scale = params
        return {(0, 0): polygamma(1, shape), (0, 1): 1 / scale, (1, 1): shape / scale**2}

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        a, scale = params
        return scale * rng.standard_gamma(a, shape)

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        shape, mean = shape_and_mean(representative(rows, low=0.0), weight)
        return shape, mean / shape


def shape_and_mean(y: Array, weight: Array) -> tuple[float, float]:
    """Nearly the maximum of the gamma likelihood: Greenwood and Durand's approximation as Minka (2002) states it."""
    y, weight = y[y > 0], weight[y > 0]
    if not y.size:
        return 1.0, 1.0
    center = float(np.exp(np.average(np.log(y), weights=weight)))
    relative = float(np.average(y / center, weights=weight))  # arithmetic by geometric mean
    gap = math.log(relative)
    shape = (3 - gap + math.sqrt((3 - gap) ** 2 + 24 * gap)) / (12 * max(gap, 1e-6))
    return min(max(shape, 0.05), 1e5), center * relative


def shape_information(shape: Array) -> Array:
    """psi'(a) - 1/a, the information in the shape when the mean is the other parameter."""
    from scipy.special import polygamma

    # the difference cancels for large shapes: Abramowitz and Stegun 6.4.12
    r = 1 / np.maximum(shape, 40.0)
    series = r**2 / 2 + r**3 / 6 - r**5 / 30 + r**7 / 42 - r**9 / 30
    return np.where(shape > 40, series, polygamma(1, shape) - 1 / shape)
