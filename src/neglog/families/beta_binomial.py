"""BetaBinomial(n, a, b)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neglog.core.observations import Observations
from neglog.families.base import Array
from neglog.families.binomial import share_moments
from neglog.families.facts import LINKS, POSITIVE, WHOLE, Interval, Parameter
from neglog.families.registry import register
from neglog.families.scalar import ScalarFamily
from neglog.families.special import lgamma, log_rising


@register
@dataclass(frozen=True)
class BetaBinomial(ScalarFamily):
    r"""The number of successes in ``n`` trials whose common probability has the distribution ``Beta(a, b)``:
    :math:`-\log f(y) = -\log\binom{n}{y} - \log B(y+a, n-y+b) + \log B(a, b)`.

    Parameters
    ----------
    n : non-negative integer
        Number of trials, usually known: one number, or one per row. Derivatives of the nll in it are those of
        the formula with gamma functions, derivatives of a tail those of the masses that are summed.
    a, b : positive
        Shapes; the mean is :math:`na/(a+b)`. SciPy's order is the same.

    Notes
    -----
    Evaluated as four deviances from the pooled share of successes, so that nothing cancels for large shapes,
    where it is ``Binomial(n, a / (a + b))``. Tails are sums of masses and cost up to ``n`` of them.

    Examples
    --------
    >>> import neglog as nl
    >>> float(nl.BetaBinomial().nll(3, n=10, a=2.0, b=3.0))
    1.93894147...
    """

    name: ClassVar[str] = "beta_binomial"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("n", WHOLE, LINKS["log"]),
        Parameter("a", POSITIVE, LINKS["log"]),
        Parameter("b", POSITIVE, LINKS["log"]),
    )
    support: ClassVar[Interval] = Interval(0.0, math.inf, low_closed=True, integer=True)
    discrete: ClassVar[bool] = True
    location: ClassVar[str] = "a"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        n, a, b = params
        inside = (y >= 0) & (y <= n) & (y == xp.floor(y))
        k = xp.where(inside, y, 0.0)
        left = xp.where(inside, n - y, n)
        choose = lgamma(xp, n + 1) - lgamma(xp, k + 1) - lgamma(xp, left + 1)
        value = log_rising(xp, a + b, n) - log_rising(xp, a, k) - log_rising(xp, b, left) - choose
        return xp.where(inside, value, xp.where(y != y, y, math.inf))

    def _mean(self, *params: Array) -> Array:
        n, a, b = params
        return n * (a / (a + b))

    def _var(self, *params: Array) -> Array:
        n, a, b = params
        s = a + b
        return n * (a / s) * (b / s) * ((s + n) / (s + 1))

    def _ends(self, *params: Array) -> tuple[Array | float, Array | float]:
        return 0.0, params[0]

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        n, a, b = params
        return rng.binomial(n.astype(np.int64), rng.beta(a, b, size=shape), size=shape)

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        trials, mean, variance = share_moments(rows, weight)
        # variance of the share = mean (1 - mean) (1 + (trials - 1) rho) / trials, rho = 1 / (a + b + 1)
        excess = variance / (mean * (1 - mean)) * trials - 1
        rho = min(max(excess / max(trials - 1, 1.0), 1e-3), 0.9)
        return trials, mean * (1 / rho - 1), (1 - mean) * (1 / rho - 1)
