"""Beta(a, b)."""

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
class Beta(ScalarFamily):
    r"""The beta distribution: :math:`-\log f(y) = \log B(a, b) - (a-1)\log y - (b-1)\log(1-y)`.

    Parameters
    ----------
    a, b : positive
        Shapes; the mean is :math:`a/(a+b)`.

    Notes
    -----
    At the ends 0 and 1 the density is 0, finite or infinite as the shape that belongs to the end is above,
    equal to or below 1; the nll is ``inf``, ``-log`` of the other shape, or ``-inf``. MATLAB's ``betalike``
    takes exact 0 and 1 for censored rows; ``neglog.like.betalike`` does as well.

    Evaluated in the deviance form of Loader, "Fast and accurate computation of binomial probabilities"
    (2000). Tails and their derivatives: quadrature of the smaller tail, ``native/special_incomplete_beta.hpp``.

    Examples
    --------
    >>> import neglog as nl
    >>> float(nl.Beta().nll(0.3, a=2.0, b=3.0))
    -0.56758395758...
    """

    name: ClassVar[str] = "beta"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("a", POSITIVE, LINKS["log"]),
        Parameter("b", POSITIVE, LINKS["log"]),
    )
    support: ClassVar[Interval] = Interval(0.0, 1.0, low_closed=True, high_closed=True)
    discrete: ClassVar[bool] = False
    location: ClassVar[str] = "a"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        a, b = params
        inside = (y >= 0) & (y <= 1)
        safe = xp.where(inside, y, 0.5)
        left = (a - 1) * xp.where(a == 1, 0.0, xp.log(safe))  # 0 * log 0 = 0
        right = (b - 1) * xp.where(b == 1, 0.0, xp.log1p(-safe))
        value = lgamma(xp, a) + lgamma(xp, b) - lgamma(xp, a + b) - left - right
        return xp.where(inside, value, xp.where(y != y, y, math.inf))

    def _mean(self, *params: Array) -> Array:
        a, b = params
        return a / (a + b)

    def _var(self, *params: Array) -> Array:
        a, b = params
        n = a + b
        return (a / n) * (b / n) / (n + 1)

    def _fisher(self, *params: Array) -> dict[tuple[int, int], Array]:
        # the Hessian does not depend on y
        hess = self.nll_grad_hess(0.5, *params)[2]
        return {(0, 0): hess[0, 0], (0, 1): hess[0, 1], (1, 1): hess[1, 1]}

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        # what rounds to an end of the support, where the density may be infinite, goes to its neighbour
        return np.clip(rng.beta(*params, size=shape), np.nextafter(0.0, 1.0), np.nextafter(1.0, 0.0))

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        mean, precision = beta_moments(rows, weight)
        return mean * precision, (1 - mean) * precision


def beta_moments(rows: Observations, weight: Array) -> tuple[float, float]:
    """Mean and a + b of a beta distribution by the method of moments, inside their domains whatever the rows."""
    y = np.clip(representative(rows, low=0.0), 0.0, 1.0)
    mean = float(np.clip(np.average(y, weights=weight), 0.01, 0.99))
    variance = float(np.average((y - mean) ** 2, weights=weight))
    return mean, float(np.clip(mean * (1 - mean) / max(variance, 1e-6) - 1, 0.1, 1e4))
