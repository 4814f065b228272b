"""Chi2(df)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neglog.core.observations import Observations
from neglog.families.base import Array
from neglog.families.facts import LINKS, POSITIVE, Interval, Parameter
from neglog.families.gamma import shape_and_mean
from neglog.families.registry import register
from neglog.families.representative import representative
from neglog.families.scalar import ScalarFamily
from neglog.families.special import lgamma


@register
@dataclass(frozen=True)
class Chi2(ScalarFamily):
    r"""The chi-squared distribution: :math:`-\log f(y) = \log\Gamma(k/2) + (k/2)\log 2 - (k/2-1)\log y + y/2`.

    Parameters
    ----------
    df : positive
        Degrees of freedom :math:`k`, whole or not; the mean. The gamma distribution with shape :math:`k/2` and scale 2.

    Notes
    -----
    At ``y = 0`` the density is 0, 1/2 or infinite as ``df`` is above, equal to or below 2.

    Examples
    --------
    >>> import neglog as nl
    >>> float(nl.Chi2().log_sf(3.841458820694124, df=1))  # the 5 % point
    -2.995732273...
    """

    name: ClassVar[str] = "chi2"
    parameters: ClassVar[tuple[Parameter, ...]] = (Parameter("df", POSITIVE, LINKS["log"]),)
    support: ClassVar[Interval] = Interval(0.0, math.inf, low_closed=True)
    discrete: ClassVar[bool] = False
    location: ClassVar[str] = "df"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        half = params[0] / 2
        inside = (y >= 0) & (y < math.inf)
        # where() differentiates both branches: the unused one gets a harmless y
        x = xp.where(inside, y, 1.0) / 2
        power = (half - 1) * xp.where(half == 1, 0.0, xp.log(x))  # 0 * log 0 = 0
        value = lgamma(xp, half) + math.log(2) + x - power
        return xp.where(inside, value, xp.where(y != y, y, math.inf))

    def _mean(self, *params: Array) -> Array:
        return params[0]

    def _var(self, *params: Array) -> Array:
        return 2 * params[0]

    def _fisher(self, *params: Array) -> dict[tuple[int, int], Array]:
        from scipy.special import polygamma

        return {(0, 0): polygamma(1, params[0] / 2) / 4}

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        return rng.chisquare(*params, size=shape)

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        _, mean = shape_and_mean(representative(rows, low=0.0), weight)
        return (mean,)
