"""NegativeBinomial(r, p)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neglog.core.observations import Observations
from neglog.families.base import Array
from neglog.families.facts import LINKS, POSITIVE, UNIT, Interval, Parameter
from neglog.families.nb2 import count_moments
from neglog.families.registry import register
from neglog.families.scalar import ScalarFamily
from neglog.families.special import lgamma, log_rising


@register
@dataclass(frozen=True)
class NegativeBinomial(ScalarFamily):
    r"""The number of failures before the ``r``-th success: :math:`-\log f(y) = \log y! + \log\Gamma(r) -
    \log\Gamma(y+r) - r\log p - y\log(1-p)`.

    Parameters
    ----------
    r : positive
        Number of successes; any positive number.
    p : in (0, 1)
        Probability of a success, as in SciPy's ``nbinom`` and MATLAB's ``nbinlike``: the mean is
        :math:`r(1-p)/p`. R's ``dnbinom`` calls them ``size`` and ``prob``.

    Notes
    -----
    ``NB2`` is the same distribution by mean and dispersion, for regression and for small overdispersion. Evaluated
    in the deviance form of Loader, "Fast and accurate computation of binomial probabilities" (2000).

    Examples
    --------
    >>> import neglog as nl
    >>> float(nl.NegativeBinomial().nll(2, r=3.0, p=0.4))
    1.97876397...
    """

    name: ClassVar[str] = "negative_binomial"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("r", POSITIVE, LINKS["log"]),
        Parameter("p", UNIT, LINKS["logit"]),
    )
    support: ClassVar[Interval] = Interval(0.0, math.inf, low_closed=True, integer=True)
    discrete: ClassVar[bool] = True
    location: ClassVar[str] = "p"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        r, p = params
        inside = (y >= 0) & (y < math.inf) & (y == xp.floor(y))
        k = xp.where(inside, y, 0.0)
        value = lgamma(xp, k + 1) - log_rising(xp, r, k) - r * xp.log(p) - k * xp.log1p(-p)
        return xp.where(inside, value, xp.where(y != y, y, math.inf))

    def _mean(self, *params: Array) -> Array:
        r, p = params
        return r * (1 - p) / p

    def _var(self, *params: Array) -> Array:
        r, p = params
        return r * (1 - p) / p**2

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        return rng.negative_binomial(*params, size=shape)

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        mean, variance = count_moments(rows, weight)
        r = min(max(mean**2 / max(variance - mean, 1e-2 * mean), 1e-2), 1e4)
        return r, r / (r + mean)
