"""NB2(mean, alpha)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neglog.core.observations import Observations
from neglog.families.base import Array
from neglog.families.facts import LINKS, NON_NEGATIVE, POSITIVE, Interval, Parameter
from neglog.families.registry import register
from neglog.families.representative import representative
from neglog.families.scalar import ScalarFamily
from neglog.families.special import lgamma, log_rising


@register
@dataclass(frozen=True)
class NB2(ScalarFamily):
    r"""The negative binomial by its mean: variance :math:`\mu + \alpha\mu^2`. With :math:`r = 1/\alpha`,
    :math:`-\log f(y) = \log y! + \log\Gamma(r) - \log\Gamma(y+r) + (y+r)\log(1+\alpha\mu) - y\log(\alpha\mu)`.

    Parameters
    ----------
    mean : positive
        :math:`\mu`.
    alpha : non-negative
        Dispersion :math:`\alpha`; 0 is the Poisson distribution. In R's ``glm.nb`` it is ``1 / theta``, in
        Stata's ``nbreg`` and statsmodels' ``NegativeBinomial`` it is alpha.

    Notes
    -----
    Evaluated in the deviance form of Loader, "Fast and accurate computation of binomial probabilities" (2000),
    in a way that is analytic in alpha at 0: value, gradient and Hessian are exact for every alpha, 0 included.
    ``NegativeBinomial(r, p)`` is the same distribution by its shape, ``NB1`` the one with variance
    :math:`\mu(1+\alpha)`.

    Examples
    --------
    >>> import neglog as nl
    >>> float(nl.NB2().nll(3, mean=2.5, alpha=0.0)), float(nl.Poisson().nll(3, rate=2.5))
    (1.54288727..., 1.54288727...)
    """

    name: ClassVar[str] = "nb2"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("mean", POSITIVE, LINKS["log"]),
        Parameter("alpha", NON_NEGATIVE, LINKS["log"]),
    )
    support: ClassVar[Interval] = Interval(0.0, math.inf, low_closed=True, integer=True)
    discrete: ClassVar[bool] = True
    location: ClassVar[str] = "mean"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        mean, alpha = params
        inside = (y >= 0) & (y < math.inf) & (y == xp.floor(y))
        k = xp.where(inside, y, 0.0)
        r = 1 / xp.where(alpha > 0, alpha, 1.0)
        value = -log_rising(xp, r, k) - k * xp.log(mean / r) + (k + r) * xp.log1p(mean / r)
        poisson = mean - k * xp.log(mean)
        value = xp.where(alpha > 0, value, poisson) + lgamma(xp, k + 1)
        return xp.where(inside, value, xp.where(y != y, y, math.inf))

    def _mean(self, *params: Array) -> Array:
        return params[0]

    def _var(self, *params: Array) -> Array:
        mean, alpha = params
        return mean + alpha * mean**2

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        mean, alpha = params
        r = 1 / np.where(alpha > 0, alpha, 1.0)
        return rng.poisson(np.where(alpha > 0, rng.gamma(r, mean / r, size=shape), mean), size=shape)

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        mean, variance = count_moments(rows, weight)
        return mean, min(max((variance - mean) / mean**2, 1e-2), 1e2)


def count_moments(rows: Observations, weight: Array) -> tuple[float, float]:
    """Mean, positive even where all counts are 0, and variance of counts."""
    y = representative(rows, low=0.0, step=1.0)
    mean = float(np.average(y, weights=weight))
    return max(mean, 0.5 / float(weight.sum() + 1)), float(np.average((y - mean) ** 2, weights=weight))
