"""InverseGaussian(mean, shape)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neglog.core.observations import Observations
from neglog.families.base import Array
from neglog.families.facts import LINKS, POSITIVE, Interval, Parameter
from neglog.families.registry import register
from neglog.families.representative import log_moments
from neglog.families.scalar import ScalarFamily


@register
@dataclass(frozen=True)
class InverseGaussian(ScalarFamily):
    r"""Inverse Gaussian: :math:`-\log f(y) = \lambda(y-\mu)^2/(2\mu^2 y) + \tfrac12\log(2\pi y^3/\lambda)`.

    The time in which a Brownian motion with drift first covers a distance. Also known as the Wald distribution.

    Parameters
    ----------
    mean : positive
        :math:`\mu`, in the unit of ``y``.
    shape : positive
        :math:`\lambda`, in the unit of ``y``: the variance is :math:`\mu^3/\lambda`. SciPy's ``invgauss`` has
        ``mu = mean / shape, scale = shape``; the dispersion of generalised linear models is ``1 / shape``.

    Notes
    -----
    The tails are integrals of the density, not the difference of two normal tails, which cancels; relative accuracy
    1e-13 and better (Chhikara and Folks, "The Inverse Gaussian Distribution", 1989, for the closed form).

    Examples
    --------
    >>> import neglog as nl
    >>> float(nl.InverseGaussian().log_sf(40.0, mean=1.0, shape=1.0))
    -24.8403959209...
    """

    name: ClassVar[str] = "inverse_gaussian"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("mean", POSITIVE, LINKS["log"]),
        Parameter("shape", POSITIVE, LINKS["log"]),
    )
    support: ClassVar[Interval] = POSITIVE
    discrete: ClassVar[bool] = False
    location: ClassVar[str] = "mean"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        mean, shape = params
        inside = (y > 0) & (y < math.inf)
        # where() differentiates both branches: the unused one gets a harmless y
        x = xp.where(inside, y, 1.0)
        distance = (x - mean) / mean
        value = shape * distance * distance / (2 * x) + 1.5 * xp.log(x) + 0.5 * (math.log(2 * math.pi) - xp.log(shape))
        return xp.where(inside, value, xp.where(y != y, y, math.inf))

    def _mean(self, *params: Array) -> Array:
        return params[0]

    def _var(self, *params: Array) -> Array:
        mean, shape = params
        return mean**3 / shape

    def _fisher(self, *params: Array) -> dict[tuple[int, int], Array]:
        mean, shape = params
        return {(0, 0): shape / mean**3, (1, 1): 0.5 / shape**2}

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        return rng.wald(*params, size=shape)

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        center, spread = log_moments(rows, weight)
        spread = min(spread, 10.0)
        # mean and variance of the lognormal distribution with these moments: var = mean^2 (exp(spread^2) - 1)
        mean = math.exp(center + spread**2 / 2)
        return mean, mean / math.expm1(spread**2)
