"""Weibull(shape, scale)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neglog.core.observations import RIGHT, Observations
from neglog.families.base import Array
from neglog.families.facts import LINKS, POSITIVE, Interval, Parameter
from neglog.families.limits import log_gamma_spread
from neglog.families.registry import register
from neglog.families.representative import representative
from neglog.families.scalar import ScalarFamily


@register
@dataclass(frozen=True)
class Weibull(ScalarFamily):
    r"""The Weibull distribution: :math:`-\log f(y) = t - \log(k/s) - (k-1)\log(y/s)`, :math:`t=(y/s)^k`.

    Parameters
    ----------
    shape : positive
        :math:`k`; 1 is the exponential distribution.
    scale : positive
        :math:`s`, in the unit of ``y``: the 63.2 % quantile. MATLAB's ``wbllike`` calls it A (and k B).

    Notes
    -----
    At ``y = 0`` the density is 0, finite or infinite as the shape is above, equal to or below 1, and the nll
    accordingly ``inf``, ``log(scale)`` or ``-inf``.

    Examples
    --------
    >>> import neglog as nl
    >>> float(nl.Weibull().log_sf(1.7, shape=1.5, scale=2.0))
    -0.78366127886...
    """

    name: ClassVar[str] = "weibull"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("shape", POSITIVE, LINKS["log"]),
        Parameter("scale", POSITIVE, LINKS["log"]),
    )
    support: ClassVar[Interval] = Interval(0.0, math.inf, low_closed=True)
    discrete: ClassVar[bool] = False
    location: ClassVar[str] = "scale"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        shape, scale = params
        inside = (y >= 0) & (y < math.inf)
        # where() differentiates both branches: the unused one gets a harmless y
        log_ratio = xp.log(xp.where(inside, y, 1.0) / scale)
        power = (shape - 1) * xp.where(shape == 1, 0.0, log_ratio)  # 0 * log 0 = 0
        value = xp.exp(shape * log_ratio) - xp.log(shape / scale) - power
        return xp.where(inside, value, xp.where(y != y, y, math.inf))

    def _mean(self, *params: Array) -> Array:
        from scipy.special import gamma

        shape, scale = params
        return scale * gamma(1 + 1 / shape)

    def _var(self, *params: Array) -> Array:
        return self._mean(*params) ** 2 * np.expm1(log_gamma_spread(1 / params[0]))

    def _fisher(self, *params: Array) -> dict[tuple[int, int], Array]:
        shape, scale = params
        c = 1 - np.euler_gamma
        return {
            (0, 0): (np.pi**2 / 6 + c * c) / shape**2,
            (0, 1): -c / scale,
            (1, 1): (shape / scale) ** 2,
        }

    def _ppf(self, q: Array, *params: Array) -> Array:
        shape, scale = params
        return scale * (-np.log1p(-q)) ** (1 / shape)

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        k, s = params
        return s * rng.standard_exponential(shape) ** (1 / k)

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        t = representative(rows, low=0.0)
        positive = t > 0
        if not positive.any():
            return 1.0, 1.0
        t, weight, event = t[positive], weight[positive], (rows.kind != RIGHT)[positive]
        log_t = np.log(t)
        seen = event if event.sum() > 1 else np.ones_like(event)
        center = np.average(log_t[seen], weights=weight[seen])
        spread = math.sqrt(float(np.average((log_t[seen] - center) ** 2, weights=weight[seen])))
        # log Y has standard deviation pi / (sqrt(6) shape); bounds keep t**shape finite
        shape = min(max(math.pi / math.sqrt(6) / max(spread, 1e-3), 0.05), 100.0)
        # the maximum of the likelihood in the scale when this shape is given and censoring is on the right
        top = float(log_t.max())
        total = float(np.sum(weight * np.exp(shape * (log_t - top))))
        events = float(weight[event].sum()) or float(weight.min())
        return shape, math.exp(top + math.log(total / events) / shape)
