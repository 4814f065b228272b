"""GeneralizedPareto(shape, scale)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neglog.core.observations import Observations
from neglog.families.base import Array
from neglog.families.facts import LINKS, POSITIVE, REAL, Interval, Parameter
from neglog.families.limits import expm1_over, log1p_over
from neglog.families.registry import register
from neglog.families.representative import representative
from neglog.families.scalar import ScalarFamily


@register
@dataclass(frozen=True)
class GeneralizedPareto(ScalarFamily):
    r"""Generalised Pareto: :math:`-\log f(y) = \log\sigma + (1+k)\,t`, :math:`t=\log(1+k\,y/\sigma)/k`.

    Excesses over a high threshold follow it. :math:`P(Y>y) = e^{-t}`.

    Parameters
    ----------
    shape : real
        :math:`k`; 0 is the exponential distribution (:math:`t=y/\sigma`), positive a tail like :math:`y^{-1/k}`,
        negative an upper end of the support at :math:`-\sigma/k`, -1 the uniform distribution.
        SciPy's ``genpareto`` calls it c, MATLAB's ``gplike`` k, R's packages xi; the sign is the same.
    scale : positive
        :math:`\sigma`, in the unit of ``y``. The threshold is 0: subtract it from the data.

    Notes
    -----
    Value, gradient and Hessian are smooth through ``shape = 0``. The mean is infinite from ``shape = 1`` on, the
    variance from 1/2 on. The score has no finite variance for ``shape <= -1/2``, and below -1 the likelihood of a
    sample is unbounded (Smith, "Maximum likelihood estimation in a class of nonregular cases", 1985).

    Examples
    --------
    >>> import neglog as nl
    >>> float(nl.GeneralizedPareto().nll(1.7, shape=0.2, scale=1.0))
    1.75601768377...
    """

    name: ClassVar[str] = "generalized_pareto"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("shape", REAL, LINKS["identity"]),
        Parameter("scale", POSITIVE, LINKS["log"]),
    )
    support: ClassVar[Interval] = Interval(0.0, math.inf, low_closed=True)
    discrete: ClassVar[bool] = False
    regular: ClassVar[bool] = False  # only for shape > -1/2
    location: ClassVar[str] = "scale"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        shape, scale = params
        inside = (y >= 0) & (y < math.inf) & (shape * (y / scale) > -1)
        # where() differentiates both branches: the unused one gets a harmless y
        t = log1p_over(xp, shape, xp.where(inside, y, 0.0) / scale)
        at_end = (shape * (y / scale) == -1) & (shape <= -1)  # where the density is constant or infinite
        outside = xp.where(at_end, xp.where(shape == -1, xp.log(scale), -math.inf), math.inf)
        return xp.where(inside, xp.log(scale) + (1 + shape) * t, xp.where(y != y, y, outside))

    def _mean(self, *params: Array) -> Array:
        shape, scale = params
        return np.where(shape < 1, scale / (1 - shape), math.inf)

    def _var(self, *params: Array) -> Array:
        shape, scale = params
        return np.where(shape < 0.5, (scale / (1 - shape)) ** 2 / (1 - 2 * shape), math.inf)

    def _fisher(self, *params: Array) -> dict[tuple[int, int], Array]:
        shape, scale = params
        twice = 1 / np.where(shape > -0.5, 1 + 2 * shape, 0.0)
        once = twice / np.abs(1 + shape)
        return {(0, 0): 2 * once, (0, 1): once / scale, (1, 1): twice / scale**2}

    def _ppf(self, q: Array, *params: Array) -> Array:
        shape, scale = params
        return scale * expm1_over(shape, -np.log1p(-q))

    def _ends(self, *params: Array) -> tuple[Array | float, Array | float]:
        shape, scale = params
        return 0.0, np.where(shape < 0, scale * expm1_over(shape, np.full_like(shape, math.inf)), math.inf)

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        k, scale = params
        return scale * expm1_over(k, rng.standard_exponential(shape))

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        y = np.maximum(representative(rows, low=0.0), 0.0)
        top = float(y.max())
        if not top > 0:
            return 0.0, 1.0
        mean = float(np.average(y / top, weights=weight))  # relative, so that squares neither overflow nor vanish
        var = float(np.average((y / top - mean) ** 2, weights=weight))
        ratio = mean * mean / max(var, mean * mean / 10)
        shape = min(max((1 - ratio) / 2, -0.25), 0.25)
        scale = mean * (1 - shape)
        if scale + 1.01 * shape <= 0:  # the largest value would lie beyond the end
            shape, scale = 0.0, mean
        return shape, scale * top
