"""BurrXII(c, k, scale)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neglog.core.observations import Observations
from neglog.families.base import Array
from neglog.families.facts import LINKS, POSITIVE, Interval, Parameter
from neglog.families.limits import log_gamma_bend, log_gamma_spread
from neglog.families.registry import register
from neglog.families.representative import log_moments
from neglog.families.scalar import ScalarFamily
from neglog.families.special import log1pexp


@register
@dataclass(frozen=True)
class BurrXII(ScalarFamily):
    r"""Burr type XII: :math:`-\log f(y) = -\log(ck/s) - (c-1)u + (k+1)\log(1+e^{cu})`, :math:`u=\log(y/s)`.

    :math:`P(Y>y) = (1+(y/s)^c)^{-k}`: Weibull times whose rate differs between individuals like a gamma variable. Also
    known as the Singh-Maddala distribution.

    Parameters
    ----------
    c : positive
        First shape: near 0 the density is like :math:`y^{c-1}`.
    k : positive
        Second shape: the upper tail is like :math:`y^{-ck}`; 1 is the log-logistic distribution.
    scale : positive
        :math:`s`, in the unit of ``y``. MATLAB's order is (alpha = scale, c, k), SciPy's ``burr12`` has (c, d = k).

    Notes
    -----
    The mean is infinite unless ``c k > 1``, the variance unless ``c k > 2``. As ``k`` grows with
    ``scale = s k**(1/c)`` it becomes Weibull(c, s), and a sample lighter in its tail than that has no maximum of the
    likelihood (Burr, "Cumulative frequency functions", 1942; Rodriguez, "A guide to the Burr type XII
    distributions", 1977).

    Examples
    --------
    >>> import neglog as nl
    >>> float(nl.BurrXII().log_sf(2.0, c=1.0, k=3.0, scale=2.0))
    -2.0794415416...
    """

    name: ClassVar[str] = "burr_xii"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("c", POSITIVE, LINKS["log"]),
        Parameter("k", POSITIVE, LINKS["log"]),
        Parameter("scale", POSITIVE, LINKS["log"]),
    )
    support: ClassVar[Interval] = Interval(0.0, math.inf, low_closed=True)
    discrete: ClassVar[bool] = False
    location: ClassVar[str] = "scale"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        c, k, scale = params
        inside = (y >= 0) & (y < math.inf)
        # where() differentiates both branches: the unused one gets a harmless y
        u = xp.log(xp.where(inside, y, 1.0) / scale)
        power = (c - 1) * xp.where(c == 1, 0.0, u)  # 0 * log 0 = 0
        value = (k + 1) * log1pexp(xp, c * u) - power - xp.log(c * k / scale)
        return xp.where(inside, value, xp.where(y != y, y, math.inf))

    def _mean(self, *params: Array) -> Array:
        from scipy.special import gammaln

        c, k, scale = params
        h = np.where(c * k > 1, 1 / c, 0.0)
        return np.where(c * k > 1, scale * np.exp(gammaln(1 + h) + gammaln(k - h) - gammaln(k)), math.inf)

    def _var(self, *params: Array) -> Array:
        c, k, _ = params
        h = np.where(c * k > 2, 1 / c, 0.0)
        log_ratio = log_gamma_spread(h) + log_gamma_bend(k - h, h)  # of E[Y^2] to E[Y]^2
        return np.where(c * k > 2, self._mean(*params) ** 2 * np.expm1(log_ratio), math.inf)

    def _ppf(self, q: Array, *params: Array) -> Array:
        return _survivor(-np.log1p(-q), *params)

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        return _survivor(rng.standard_exponential(shape), *params)

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        center, spread = log_moments(rows, weight)
        return min(math.pi / math.sqrt(3) / spread, 100.0), 1.0, math.exp(center)  # the log-logistic distribution


def _survivor(exponent: Array, c: Array, k: Array, scale: Array) -> Array:
    """The y with P(Y > y) = exp(-exponent): its power c, relative to the scale, is exp(v) - 1 with v = exponent / k."""
    v = exponent / k
    with np.errstate(divide="ignore"):
        return scale * np.exp((v + np.log(-np.expm1(-v))) / c)
