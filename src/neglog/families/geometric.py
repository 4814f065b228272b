"""Geometric(p)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neglog.core.observations import Observations
from neglog.families.base import Array
from neglog.families.facts import LINKS, Interval, Parameter
from neglog.families.registry import register
from neglog.families.representative import representative
from neglog.families.scalar import ScalarFamily


@register
@dataclass(frozen=True)
class Geometric(ScalarFamily):
    r"""Geometric, the trial of the first success: :math:`-\log f(y) = -\log p - (y-1)\log(1-p)`, y = 1, 2, ...

    Parameters
    ----------
    p : in (0, 1]
        Probability of success in each trial; the mean is :math:`1/p`. With 1 the first trial succeeds.

    Notes
    -----
    SciPy's ``geom``. MATLAB and Octave count the failures before the success: their x is :math:`y - 1`, which is
    :class:`NegativeBinomial` with r = 1. Without memory, so that intervals are exact:
    :math:`P(a < Y \le b) = (1-p)^a\,(1 - (1-p)^{b-a})`.

    Source: Johnson, Kemp and Kotz, Univariate Discrete Distributions (2005), section 5.2.

    Examples
    --------
    >>> import neglog as nl
    >>> float(nl.Geometric().nll(3, p=0.5))
    2.07944154167...
    """

    name: ClassVar[str] = "geometric"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("p", Interval(0.0, 1.0, high_closed=True), LINKS["logit"]),
    )
    support: ClassVar[Interval] = Interval(1.0, math.inf, low_closed=True, integer=True)
    discrete: ClassVar[bool] = True
    location: ClassVar[str] = "p"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        (p,) = params
        inside = (y >= 1) & (y < math.inf) & (y == xp.floor(y))
        failures = xp.where(inside, y, 1.0) - 1
        log_failure = xp.log1p(-xp.where(failures == 0, 0.0, p))  # 0 * log 0 = 0
        value = -xp.log(p) - failures * log_failure
        return xp.where(inside, value, xp.where(y != y, y, math.inf))

    def _mean(self, *params: Array) -> Array:
        return 1 / params[0]

    def _var(self, *params: Array) -> Array:
        return (1 - params[0]) / params[0] ** 2

    def _fisher(self, *params: Array) -> dict[tuple[int, int], Array]:
        (p,) = params
        return {(0, 0): 1 / p**2 / (1 - p)}

    def _ends(self, *params: Array) -> tuple[Array | float, Array | float]:
        return 1.0, np.where(params[0] == 1, 1.0, math.inf)

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        return rng.geometric(*params, size=shape)

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        y = representative(rows, low=1.0, step=1.0)
        total = float(weight.sum())
        # half a failure more than there were: p = 1 has no logit
        return (total / (float(np.sum(weight * y)) + 0.5),)
