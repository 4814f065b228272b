"""VonMises(loc, concentration)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neglog.core.observations import Observations
from neglog.families.base import Array
from neglog.families.facts import LINKS, NON_NEGATIVE, REAL, Interval, Parameter
from neglog.families.registry import register
from neglog.families.representative import representative
from neglog.families.scalar import ScalarFamily
from neglog.families.special import log_i0e


@register
@dataclass(frozen=True)
class VonMises(ScalarFamily):
    r"""The von Mises distribution of angles: :math:`-\log f(y) = \log 2\pi I_0(\kappa) - \kappa\cos(y - \mu)`.

    Parameters
    ----------
    loc : real
        :math:`\mu`, the mean direction in radians.
    concentration : non-negative
        :math:`\kappa`; 0 is the uniform distribution on the circle, and :math:`1/\sqrt\kappa` is about the standard
        deviation where it is small.

    Notes
    -----
    The density has period :math:`2\pi`, so the nll takes angles from any turn, and ``log_interval`` and censored rows
    are arcs on the circle. The distribution function, quantiles, draws and moments are those of the angle within
    :math:`\pi` of ``loc``, as in SciPy's ``vonmises(kappa, loc)``; ``loc`` and ``loc + 2 pi`` are the same density.
    Second tier: its distribution function has no closed form and is a quadrature, relative 1e-12.

    Examples
    --------
    >>> import neglog as nl
    >>> float(nl.VonMises().nll(0.3, loc=0.0, concentration=2.0))
    0.75119762964...
    """

    name: ClassVar[str] = "von_mises"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("loc", REAL, LINKS["identity"]),
        Parameter("concentration", NON_NEGATIVE, LINKS["log"]),
    )
    support: ClassVar[Interval] = REAL
    discrete: ClassVar[bool] = False
    location: ClassVar[str] = "loc"
    translation: ClassVar[str | None] = "loc"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        loc, concentration = params
        inside = (y > -math.inf) & (y < math.inf)
        half = xp.sin((xp.where(inside, y, 0.0) - loc) / 2)
        value = math.log(2 * math.pi) + log_i0e(xp, concentration) + 2 * concentration * half * half
        return xp.where(inside, value, xp.where(y != y, y, math.inf))

    def _mean(self, *params: Array) -> Array:
        return params[0]

    def _var(self, *params: Array) -> Array:
        concentration = params[1][..., None]
        node, weight = np.polynomial.legendre.leggauss(64)
        # what is below exp(-41) is left out; the quadrature is then right to the last digits
        reach = 2 * np.arcsin(np.sqrt(np.minimum(20.5 / np.maximum(concentration, 1.0), 1.0)))
        angle = reach * (node + 1) / 2
        weight = weight * np.exp(-2 * concentration * np.sin(angle / 2) ** 2)
        return np.sum(weight * angle**2, axis=-1) / np.sum(weight, axis=-1)

    def _ends(self, *params: Array) -> tuple[Array | float, Array | float]:
        return params[0] - math.pi, params[0] + math.pi

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        loc, concentration = params
        return loc + rng.vonmises(0.0, concentration, size=shape)

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        y = representative(rows)
        sine, cosine = np.average(np.sin(y), weights=weight), np.average(np.cos(y), weights=weight)
        # Banerjee et al. (2005): the concentration of a resultant length, right to a few percent
        length = min(math.hypot(sine, cosine), 0.9999)
        return math.atan2(sine, cosine), max(length * (2 - length**2) / (1 - length**2), 1e-2)
