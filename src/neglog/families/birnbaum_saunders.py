"""BirnbaumSaunders(shape, scale)."""

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
class BirnbaumSaunders(ScalarFamily):
    r"""Birnbaum-Saunders: :math:`-\log f(y) = z^2/2 + \tfrac12\log 2\pi + \log(2\gamma y) - \log(h+1/h)`.

    The time until a crack has grown to a given length: :math:`z=(h-1/h)/\gamma` is standard normal,
    :math:`h=(y/\beta)^{1/2}`. Also known as the fatigue-life distribution.

    Parameters
    ----------
    shape : positive
        :math:`\gamma`; SciPy's ``fatiguelife`` calls it c.
    scale : positive
        :math:`\beta`, in the unit of ``y``: the median. MATLAB's order is (beta, gamma).

    Notes
    -----
    The tails are those of the normal distribution at z (Birnbaum and Saunders, "A new family of life distributions",
    1969). Fisher information: Lemonte, Cribari-Neto and Vasconcellos, "Improved statistical inference for the
    two-parameter Birnbaum-Saunders distribution" (2007), section 2.

    Examples
    --------
    >>> import neglog as nl
    >>> float(nl.BirnbaumSaunders().cdf(2.0, shape=0.5, scale=2.0))
    0.5
    """

    name: ClassVar[str] = "birnbaum_saunders"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("shape", POSITIVE, LINKS["log"]),
        Parameter("scale", POSITIVE, LINKS["log"]),
    )
    support: ClassVar[Interval] = POSITIVE
    discrete: ClassVar[bool] = False
    location: ClassVar[str] = "scale"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        shape, scale = params
        inside = (y > 0) & (y < math.inf)
        # where() differentiates both branches: the unused one gets a harmless y
        x = xp.where(inside, y, 1.0)
        root = xp.sqrt(x * scale)
        z = (x - scale) / (shape * root)
        value = z * z / 2 + 0.5 * math.log(2 * math.pi) + xp.log(2 * shape * x * root / (x + scale))
        return xp.where(inside, value, xp.where(y != y, y, math.inf))

    def _mean(self, *params: Array) -> Array:
        shape, scale = params
        return scale * (1 + shape**2 / 2)

    def _var(self, *params: Array) -> Array:
        shape, scale = params
        return (shape * scale) ** 2 * (1 + 1.25 * shape**2)

    def _fisher(self, *params: Array) -> dict[tuple[int, int], Array]:
        from scipy.special import erfcx

        shape, scale = params
        # E[1 / (y / scale + 1)^2] as an integral over z
        curvature = 1 / shape**2 + 0.5 - math.sqrt(math.pi / 8) / shape * erfcx(math.sqrt(2) / shape)
        return {(0, 0): 2 / shape**2, (1, 1): curvature / scale**2}

    def _ppf(self, q: Array, *params: Array) -> Array:
        from scipy.special import ndtri

        return _of_normal(ndtri(q), *params)

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        return _of_normal(rng.standard_normal(shape), *params)

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        center, spread = log_moments(rows, weight)
        return 2 * math.sinh(min(spread, 10.0) / 2), math.exp(center)  # z = 2 sinh(log(y / scale) / 2) / shape


def _of_normal(z: Array, shape: Array, scale: Array) -> Array:
    return scale * np.exp(2 * np.arcsinh(shape * z / 2))
