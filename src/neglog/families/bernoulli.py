"""Bernoulli(logit)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neglog.core.observations import Observations
from neglog.families.base import Array
from neglog.families.facts import EXTENDED_REAL, LINKS, Interval, Parameter
from neglog.families.registry import register
from neglog.families.representative import representative
from neglog.families.scalar import ScalarFamily
from neglog.families.special import log1pexp


@register
@dataclass(frozen=True)
class Bernoulli(ScalarFamily):
    r"""A yes or no: :math:`-\log f(1) = \log(1 + e^{-\eta})`, :math:`-\log f(0) = \log(1 + e^{\eta})`.

    Parameters
    ----------
    logit : real, or ``-inf`` / ``inf`` for certainty
        :math:`\eta = \log p/(1-p)` with :math:`p = P(Y = 1)`.

    Examples
    --------
    >>> import neglog as nl
    >>> nl.Bernoulli().nll([1, 0], logit=40.0)
    array([4.24835426e-18, 4.00000000e+01])
    """

    name: ClassVar[str] = "bernoulli"
    parameters: ClassVar[tuple[Parameter, ...]] = (Parameter("logit", EXTENDED_REAL, LINKS["identity"]),)
    support: ClassVar[Interval] = Interval(0.0, 1.0, True, True, integer=True)
    discrete: ClassVar[bool] = True
    location: ClassVar[str] = "logit"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        (logit,) = params
        value = log1pexp(xp, xp.where(y == 1, -logit, logit))
        return xp.where((y == 0) | (y == 1), value, xp.where(y != y, y, math.inf))

    def _mean(self, *params: Array) -> Array:
        return LINKS["logit"].inverse(params[0])

    def _var(self, *params: Array) -> Array:
        return LINKS["logit"].inverse_derivatives(params[0])[1]

    def _fisher(self, *params: Array) -> dict[tuple[int, int], Array]:
        return {(0, 0): self._var(*params)}

    def _ppf(self, q: Array, *params: Array) -> Array:
        none = LINKS["logit"].inverse(-params[0])  # P(Y = 0)
        return np.where(np.isnan(q), q, np.where(q <= none, 0.0, 1.0))

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        return (rng.random(shape) < self._mean(*params)).astype(np.int64)

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        ones = float(np.sum(weight * np.clip(representative(rows, low=0.0, step=1.0), 0.0, 1.0)))
        # half a success and half a failure more: finite even where all rows agree
        return (math.log((ones + 0.5) / (float(weight.sum()) - ones + 0.5)),)
