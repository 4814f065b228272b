"""Binomial(n, p)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neglog.core.observations import Observations
from neglog.families.base import Array
from neglog.families.facts import LINKS, WHOLE, Interval, Parameter
from neglog.families.registry import register
from neglog.families.representative import representative
from neglog.families.scalar import ScalarFamily
from neglog.families.special import lgamma


@register
@dataclass(frozen=True)
class Binomial(ScalarFamily):
    r"""The number of successes in ``n`` trials: :math:`-\log f(y) = -\log\binom{n}{y} - y\log p - (n-y)\log(1-p)`.

    Parameters
    ----------
    n : non-negative integer
        Number of trials, usually known: one number, or one per row. Derivatives in it are those of the formula
        with gamma functions.
    p : in [0, 1]
        Probability of a success. SciPy's order is the same.

    Notes
    -----
    Evaluated in the deviance form of Loader, "Fast and accurate computation of binomial probabilities" (2000).
    Tails and their derivatives: :math:`P(Y \le k) = I_{1-p}(n-k, k+1)` by ``native/special_incomplete_beta.hpp``.

    Examples
    --------
    >>> import neglog as nl
    >>> float(nl.Binomial().nll(3, n=10, p=0.3))
    1.32115127...
    """

    name: ClassVar[str] = "binomial"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("n", WHOLE, LINKS["log"]),
        Parameter("p", Interval(0.0, 1.0, low_closed=True, high_closed=True), LINKS["logit"]),
    )
    support: ClassVar[Interval] = Interval(0.0, math.inf, low_closed=True, integer=True)
    discrete: ClassVar[bool] = True
    location: ClassVar[str] = "p"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        n, p = params
        inside = (y >= 0) & (y <= n) & (y == xp.floor(y))
        k = xp.where(inside, y, 0.0)
        left = xp.where(inside, n - y, n)
        yes = k * xp.log(xp.where((k == 0) & (p == 0), 0.5, p))  # 0 * log 0 = 0
        no = left * xp.log1p(-xp.where((left == 0) & (p == 1), 0.5, p))
        value = lgamma(xp, k + 1) + lgamma(xp, left + 1) - lgamma(xp, n + 1) - yes - no
        return xp.where(inside, value, xp.where(y != y, y, math.inf))

    def _mean(self, *params: Array) -> Array:
        n, p = params
        return n * p

    def _var(self, *params: Array) -> Array:
        n, p = params
        return n * p * (1 - p)

    def _ends(self, *params: Array) -> tuple[Array | float, Array | float]:
        return 0.0, params[0]

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        n, p = params
        return rng.binomial(n.astype(np.int64), p, size=shape)

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        trials, mean, _ = share_moments(rows, weight)
        return trials, mean


def share_moments(rows: Observations, weight: Array) -> tuple[float, float, float]:
    """The largest count as the number of trials, and mean, inside (0, 1), and variance of the share of successes."""
    y = np.maximum(representative(rows, low=0.0, step=1.0), 0.0)
    trials = max(1.0, math.ceil(float(y.max())))
    total = float(weight.sum())
    mean = (float(np.average(y, weights=weight)) / trials * total + 0.5) / (total + 1)
    return trials, mean, float(np.average((y / trials - mean) ** 2, weights=weight))
