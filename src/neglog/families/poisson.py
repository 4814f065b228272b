"""Poisson(rate)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neglog.core.observations import Observations
from neglog.families.base import Array
from neglog.families.facts import LINKS, NON_NEGATIVE, Interval, Parameter
from neglog.families.registry import register
from neglog.families.representative import representative
from neglog.families.scalar import ScalarFamily
from neglog.families.special import lgamma


@register
@dataclass(frozen=True)
class Poisson(ScalarFamily):
    r"""The Poisson distribution: :math:`-\log f(y) = \lambda - y\log\lambda + \log y!`.

    Parameters
    ----------
    rate : non-negative
        Mean :math:`\lambda`. A rate of 0 puts all probability on 0.

    Notes
    -----
    Evaluated in the deviance form of Loader, "Fast and accurate computation of binomial probabilities"
    (2000). Counts that are no integers are outside the support: ``inf``. Tails at ``y`` are those at
    ``floor(y)``.

    Examples
    --------
    >>> import neglog as nl
    >>> float(nl.Poisson().nll(3, rate=2.5))
    1.54288727360...
    """

    name: ClassVar[str] = "poisson"
    parameters: ClassVar[tuple[Parameter, ...]] = (Parameter("rate", NON_NEGATIVE, LINKS["log"]),)
    support: ClassVar[Interval] = Interval(0.0, math.inf, low_closed=True, integer=True)
    discrete: ClassVar[bool] = True
    location: ClassVar[str] = "rate"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        (rate,) = params
        inside = (y >= 0) & (y < math.inf) & (y == xp.floor(y))
        count = xp.where(inside, y, 0.0)
        log_rate = xp.log(xp.where(count == 0, 1.0, rate))  # 0 * log 0 = 0
        value = rate - count * log_rate + lgamma(xp, count + 1)
        return xp.where(inside, value, xp.where(y != y, y, math.inf))

    def _mean(self, *params: Array) -> Array:
        return params[0]

    def _var(self, *params: Array) -> Array:
        return params[0]

    def _fisher(self, *params: Array) -> dict[tuple[int, int], Array]:
        return {(0, 0): 1 / params[0]}

    def _ppf(self, q: Array, *params: Array) -> Array:
        from scipy.special import pdtrik

        q, rate = np.broadcast_arrays(q, *params)
        k = np.ceil(np.nan_to_num(pdtrik(q, rate), nan=0.0))
        k = np.where(rate == 0, 0.0, np.maximum(k, 0.0))
        # pdtrik is approximate: walk to the smallest k with cdf(k) >= q
        while (down := (k > 0) & (self.cdf(k - 1, rate) >= q)).any():
            k = np.where(down, k - 1, k)
        while (up := (self.cdf(k, rate) < q) & (q < 1)).any():
            k = np.where(up, k + 1, k)
        return np.where(np.isnan(q), np.nan, np.where((q == 1) & (rate > 0), np.inf, k))

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        return rng.poisson(*params, size=shape)

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        mean = float(np.average(representative(rows, low=0.0, step=1.0), weights=weight))
        return (max(mean, 0.5 / float(weight.sum() + 1)),)
