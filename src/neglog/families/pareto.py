"""Pareto(shape, scale)."""

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


@register
@dataclass(frozen=True)
class Pareto(ScalarFamily):
    r"""Pareto of the first kind: :math:`-\log f(y) = (a+1)\log(y/m) - \log(a/m)` for :math:`y \ge m`.

    Parameters
    ----------
    shape : positive
        Tail index :math:`a`: :math:`P(Y > y) = (m/y)^a`; moments up to below :math:`a` exist.
    scale : positive
        Smallest value :math:`m`, in the unit of ``y``.

    Notes
    -----
    The support depends on ``scale``, and the likelihood of a sample rises up to its smallest value and is 0 beyond: the
    family is not regular. The derivative in ``scale`` is that inside, :math:`-a/m`, and :meth:`fisher` is the mean of
    the products of these derivatives. Without truncation from below, fit the excess over a known threshold
    (:class:`GeneralizedPareto`) or hold ``scale`` fixed.

    Source: Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions 1 (1994), chapter 20.

    Examples
    --------
    >>> import neglog as nl
    >>> float(nl.Pareto().log_sf(100.0, shape=1.5, scale=1.0))
    -6.9077552...
    """

    name: ClassVar[str] = "pareto"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("shape", POSITIVE, LINKS["log"]),
        Parameter("scale", POSITIVE, LINKS["log"]),
    )
    support: ClassVar[Interval] = POSITIVE
    discrete: ClassVar[bool] = False
    regular: ClassVar[bool] = False
    smooth: ClassVar[bool] = False
    location: ClassVar[str] = "scale"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        shape, scale = params
        inside = (y >= scale) & (y < math.inf)
        log_ratio = xp.log(xp.where(inside, y, 1.0) / scale)
        value = (shape + 1) * log_ratio - xp.log(shape / scale)
        return xp.where(inside, value, xp.where(y != y, y, math.inf))

    def _mean(self, *params: Array) -> Array:
        shape, scale = params
        return np.where(shape > 1, shape * scale / (shape - 1), np.inf)

    def _var(self, *params: Array) -> Array:
        shape, scale = params
        return np.where(shape > 2, shape * (scale / (shape - 1)) ** 2 / (shape - 2), np.inf)

    def _fisher(self, *params: Array) -> dict[tuple[int, int], Array]:
        shape, scale = params
        return {(0, 0): shape**-2.0, (1, 1): (shape / scale) ** 2}

    def _ends(self, *params: Array) -> tuple[Array | float, Array | float]:
        return params[1], math.inf

    def _ppf(self, q: Array, *params: Array) -> Array:
        shape, scale = params
        return scale * np.exp(-np.log1p(-q) / shape)

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        a, m = params
        return m * np.exp(rng.standard_exponential(shape) / a)

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        y = representative(rows, low=0.0)
        positive = y > 0
        if not positive.any():
            return 1.0, 1.0
        y, weight = y[positive], weight[positive]
        scale = float(y.min())  # the maximum of the likelihood, if the rows are exact
        excess = float(np.average(np.log(y / scale), weights=weight))
        return 1 / max(excess, 1e-3), scale
