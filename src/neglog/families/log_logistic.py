"""LogLogistic(shape, scale)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neglog.core.observations import Observations
from neglog.families.base import Array
from neglog.families.facts import LINKS, POSITIVE, Interval, Parameter
from neglog.families.registry import register
from neglog.families.representative import center_and_spread, representative
from neglog.families.scalar import ScalarFamily
from neglog.families.special import log1pexp


@register
@dataclass(frozen=True)
class LogLogistic(ScalarFamily):
    r"""Log-logistic: :math:`-\log f(y) = 2\log(1 + e^w) - (k-1)u - \log(k/s)`, :math:`u=\log(y/s)`, :math:`w=ku`.

    Parameters
    ----------
    shape : positive
        :math:`k`; the upper tail falls like :math:`y^{-k}`, so that moments up to below :math:`k` exist.
    scale : positive
        Median :math:`s`, in the unit of ``y``.

    Notes
    -----
    :math:`\log Y` is :class:`Logistic` with loc :math:`\log s` and scale :math:`1/k`, which are the parameters of
    MATLAB's ``loglogistic`` and Octave's ``logllike``; SciPy's ``fisk``. At ``y = 0`` the density is 0, finite or
    infinite as the shape is above, equal to or below 1.

    Source: Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions 2 (1995), section 23.11.

    Examples
    --------
    >>> import neglog as nl
    >>> float(nl.LogLogistic().log_sf(2.0, shape=3.0, scale=1.0))
    -2.1972...
    """

    name: ClassVar[str] = "log_logistic"
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
        value = 2 * log1pexp(xp, shape * log_ratio) - power - xp.log(shape / scale)
        return xp.where(inside, value, xp.where(y != y, y, math.inf))

    def _mean(self, *params: Array) -> Array:
        shape, scale = params
        return np.where(shape > 1, scale / np.sinc(1 / shape), np.inf)

    def _var(self, *params: Array) -> Array:
        from scipy.special import zeta

        shape, scale = params
        b = np.pi / shape
        # tan b - b = sum over n >= 2 of 2 (4^n - 1) zeta(2n) b^(2n-1) / pi^(2n), Abramowitz and Stegun 4.3.67 and
        # 23.2.16; for large shapes it would cancel. (2 * 0.4 / pi)^26 < 1e-15
        n = np.arange(2, 15).reshape(-1, *[1] * b.ndim)
        series = np.sum(2 * (4.0**n - 1) * zeta(2.0 * n) * np.minimum(b, 0.4) ** (2 * n - 1) / np.pi ** (2 * n), axis=0)
        excess = np.where(b < 0.4, series, np.tan(b) - b)
        return np.where(shape > 2, scale**2 * b * excess / np.sin(b) ** 2, np.inf)

    def _fisher(self, *params: Array) -> dict[tuple[int, int], Array]:
        shape, scale = params
        return {(0, 0): (3 + math.pi**2) / 9 / shape**2, (1, 1): (shape / scale) ** 2 / 3}

    def _ppf(self, q: Array, *params: Array) -> Array:
        shape, scale = params
        return scale * np.exp((np.log(q) - np.log1p(-q)) / shape)

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        k, s = params
        return s * np.exp(rng.logistic(size=shape) / k)

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        y = representative(rows, low=0.0)
        positive = y > 0
        if not positive.any():
            return 1.0, 1.0
        center, spread = center_and_spread(np.log(y[positive]), weight[positive])
        # log Y has standard deviation pi / (sqrt(3) shape)
        return math.pi / math.sqrt(3) / max(spread, 1e-3), math.exp(center)
