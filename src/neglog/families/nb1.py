"""NB1(mean, alpha)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neglog.core.observations import Observations
from neglog.families.base import Array
from neglog.families.facts import LINKS, NON_NEGATIVE, POSITIVE, Interval, Parameter
from neglog.families.nb2 import NB2, count_moments
from neglog.families.registry import register
from neglog.families.scalar import ScalarFamily


@register
@dataclass(frozen=True)
class NB1(ScalarFamily):
    r"""The negative binomial with variance :math:`\mu(1+\alpha)`: ``NB2`` with dispersion :math:`\alpha/\mu`.
    With :math:`r = \mu/\alpha`, :math:`-\log f(y) = \log y! + \log\Gamma(r) - \log\Gamma(y+r) +
    (y+r)\log(1+\alpha) - y\log\alpha`.

    Parameters
    ----------
    mean : positive
        :math:`\mu`.
    alpha : non-negative
        :math:`\alpha`, the share by which the variance exceeds that of the Poisson distribution, which is
        ``alpha = 0``. Cameron and Trivedi, *Regression Analysis of Count Data* (2013), section 3.3.

    Notes
    -----
    Evaluated as ``NB2``, and like it exact for every alpha, 0 included.

    Examples
    --------
    >>> import neglog as nl
    >>> float(nl.NB1().var(mean=4.0, alpha=0.5))
    6.0
    >>> float(nl.NB1().nll(3, mean=2.5, alpha=2.0)), float(nl.NB2().nll(3, mean=2.5, alpha=0.8))
    (2.16869139..., 2.16869139...)
    """

    name: ClassVar[str] = "nb1"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("mean", POSITIVE, LINKS["log"]),
        Parameter("alpha", NON_NEGATIVE, LINKS["log"]),
    )
    support: ClassVar[Interval] = Interval(0.0, math.inf, low_closed=True, integer=True)
    discrete: ClassVar[bool] = True
    location: ClassVar[str] = "mean"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        mean, alpha = params
        return NB2().reference(xp, y, mean, alpha / mean)

    def _mean(self, *params: Array) -> Array:
        return params[0]

    def _var(self, *params: Array) -> Array:
        mean, alpha = params
        return mean * (1 + alpha)

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        mean, alpha = params
        scale = np.where(alpha > 0, alpha, 1.0)
        return rng.poisson(np.where(alpha > 0, rng.gamma(mean / scale, scale, size=shape), mean), size=shape)

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        mean, variance = count_moments(rows, weight)
        return mean, min(max(variance / mean - 1, 1e-2), 1e4)
