"""GeneralizedPoisson(rate, dispersion)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neglog.core.observations import Observations
from neglog.families.base import Array
from neglog.families.facts import LINKS, POSITIVE, Interval, Parameter
from neglog.families.registry import register
from neglog.families.representative import center_and_spread, representative
from neglog.families.scalar import ScalarFamily
from neglog.families.special import lgamma


@register
@dataclass(frozen=True)
class GeneralizedPoisson(ScalarFamily):
    r"""Generalised Poisson: :math:`-\log f(y) = m - (y-1)\log m - \log\lambda + \log y!`, :math:`m = \lambda + \eta y`.

    Parameters
    ----------
    rate : positive
        :math:`\lambda`, so that the probability of 0 is that of a Poisson variable with this rate.
    dispersion : in [0, 1)
        :math:`\eta`. 0 is the Poisson distribution; the mean is :math:`\lambda/(1-\eta)` and the variance
        :math:`\lambda/(1-\eta)^3`.

    Notes
    -----
    The number of individuals in a branching process that starts with a Poisson number of ancestors, each individual
    having a Poisson number of children with mean :math:`\eta`. Negative dispersions, which need a bounded support,
    are not included. R's ``VGAM::genpoisson0(theta, lambda)``; statsmodels' ``GeneralizedPoisson`` (p = 1) has mean
    :math:`\mu` and :math:`\alpha=\eta/(1-\eta)`.

    Tails are sums, continued as integrals where they are long: relative error below 1e-12 per condition number.

    Source: Consul and Jain, "A generalization of the Poisson distribution", Technometrics 15 (1973).

    Examples
    --------
    >>> import neglog as nl
    >>> f = nl.GeneralizedPoisson()
    >>> float(f.mean(2.0, 0.5)), float(f.var(2.0, 0.5))
    (4.0, 16.0)
    """

    name: ClassVar[str] = "generalized_poisson"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("rate", POSITIVE, LINKS["log"]),
        Parameter("dispersion", Interval(0.0, 1.0, low_closed=True), LINKS["logit"]),
    )
    support: ClassVar[Interval] = Interval(0.0, math.inf, low_closed=True, integer=True)
    discrete: ClassVar[bool] = True
    location: ClassVar[str] = "rate"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        rate, dispersion = params
        inside = (y >= 0) & (y < math.inf) & (y == xp.floor(y))
        count = xp.where(inside, y, 0.0)
        mean = rate + dispersion * count
        value = mean - (count - 1) * xp.log(mean) - xp.log(rate) + lgamma(xp, count + 1)
        return xp.where(inside, value, xp.where(y != y, y, math.inf))

    def _mean(self, *params: Array) -> Array:
        return params[0] / (1 - params[1])

    def _var(self, *params: Array) -> Array:
        return params[0] / (1 - params[1]) ** 3

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        dispersion = np.broadcast_to(params[1], shape)
        total = born = np.asarray(rng.poisson(params[0], size=shape))
        while np.any(born):  # the next generation of all that were born
            born = np.asarray(rng.poisson(dispersion * born))
            total = total + born
        return total

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        mean, spread = center_and_spread(representative(rows, low=0.0, step=1.0), weight)
        mean = max(mean, 0.5 / float(weight.sum() + 1))
        dispersion = min(max(1 - math.sqrt(mean) / spread, 0.05), 0.95)
        return mean * (1 - dispersion), dispersion
