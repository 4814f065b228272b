"""BetaMean(mean, precision)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neglog.core.observations import Observations
from neglog.families.base import Array
from neglog.families.beta import Beta, beta_moments
from neglog.families.facts import LINKS, POSITIVE, UNIT, Interval, Parameter
from neglog.families.registry import register
from neglog.families.scalar import ScalarFamily


@register
@dataclass(frozen=True)
class BetaMean(ScalarFamily):
    r"""The beta distribution by its mean, for regression: ``Beta(a, b)`` with :math:`a = \mu\phi`,
    :math:`b = (1-\mu)\phi`.

    Parameters
    ----------
    mean : in (0, 1)
        :math:`\mu`.
    precision : positive
        :math:`\phi = a + b`; the variance is :math:`\mu(1-\mu)/(1+\phi)`. R's ``betareg`` models ``mean`` on the
        logit and ``precision`` on the log scale: Ferrari and Cribari-Neto, *J. Appl. Statist.* 31 (2004) 799.

    Examples
    --------
    >>> import neglog as nl
    >>> float(nl.BetaMean().nll(0.3, mean=0.4, precision=5.0))
    -0.56758395758...
    """

    name: ClassVar[str] = "beta_mean"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("mean", UNIT, LINKS["logit"]),
        Parameter("precision", POSITIVE, LINKS["log"]),
    )
    support: ClassVar[Interval] = Interval(0.0, 1.0, low_closed=True, high_closed=True)
    discrete: ClassVar[bool] = False
    location: ClassVar[str] = "mean"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        mean, precision = params
        return Beta().reference(xp, y, mean * precision, (1 - mean) * precision)

    def _mean(self, *params: Array) -> Array:
        return params[0]

    def _var(self, *params: Array) -> Array:
        mean, precision = params
        return mean * (1 - mean) / (1 + precision)

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        mean, precision = params
        return Beta().sample(mean * precision, (1 - mean) * precision, size=shape, rng=rng)

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        return beta_moments(rows, weight)
