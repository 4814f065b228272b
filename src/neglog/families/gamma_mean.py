"""GammaMean(mean, shape)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neglog.core.observations import Observations
from neglog.families.base import Array
from neglog.families.facts import LINKS, POSITIVE, Interval, Parameter
from neglog.families.gamma import shape_and_mean, shape_information
from neglog.families.registry import register
from neglog.families.representative import representative
from neglog.families.scalar import ScalarFamily
from neglog.families.special import lgamma


@register
@dataclass(frozen=True)
class GammaMean(ScalarFamily):
    r"""The gamma distribution by its mean: :math:`-\log f(y) = \log\Gamma(a) + a\log(m/a) - (a-1)\log y + a y/m`.

    Parameters
    ----------
    mean : positive
        :math:`m`, in the unit of ``y``: what a regression models.
    shape : positive
        :math:`a`; the variance is :math:`m^2/a`, so that :math:`1/\sqrt a` is the coefficient of variation and
        :math:`1/a` the dispersion of R's ``glm(family = Gamma)``.

    Notes
    -----
    ``Gamma(shape, scale = mean / shape)``; mean and shape are orthogonal. At ``y = 0`` the density is 0, finite or
    infinite as the shape is above, equal to or below 1.

    Examples
    --------
    >>> import neglog as nl
    >>> float(nl.GammaMean().nll(4.0, mean=6.0, shape=2.0))
    2.14426354954...
    """

    name: ClassVar[str] = "gamma_mean"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("mean", POSITIVE, LINKS["log"]),
        Parameter("shape", POSITIVE, LINKS["log"]),
    )
    support: ClassVar[Interval] = Interval(0.0, math.inf, low_closed=True)
    discrete: ClassVar[bool] = False
    location: ClassVar[str] = "mean"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        mean, shape = params
        inside = (y >= 0) & (y < math.inf)
        # where() differentiates both branches: the unused one gets a harmless y
        x = shape * xp.where(inside, y, 1.0) / mean
        power = (shape - 1) * xp.where(shape == 1, 0.0, xp.log(x))  # 0 * log 0 = 0
        value = lgamma(xp, shape) + xp.log(mean / shape) + x - power
        return xp.where(inside, value, xp.where(y != y, y, math.inf))

    def _mean(self, *params: Array) -> Array:
        return params[0]

    def _var(self, *params: Array) -> Array:
        mean, shape = params
        return mean**2 / shape

    def _fisher(self, *params: Array) -> dict[tuple[int, int], Array]:
        mean, shape = params
        return {(0, 0): shape / mean**2, (1, 1): shape_information(shape)}

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        mean, a = params
        return mean / a * rng.standard_gamma(a, shape)

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        shape, mean = shape_and_mean(representative(rows, low=0.0), weight)
        return mean, shape
