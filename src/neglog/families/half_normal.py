"""HalfNormal(scale)."""

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
class HalfNormal(ScalarFamily):
    r"""Half-normal: :math:`-\log f(y) = z^2/2 + \log s + \tfrac12\log(\pi/2)`, :math:`z=y/s`.

    Parameters
    ----------
    scale : positive
        Standard deviation :math:`s` of the normal variable whose absolute value this is, in the unit of ``y``.

    Notes
    -----
    The size of a normal variable of mean 0. MATLAB's and Octave's ``hn`` with mu = 0, SciPy's ``halfnorm``. The upper
    tail is :math:`\mathrm{erfc}(z/\sqrt 2)`.

    Source: Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions 1 (1994), section 13.10.

    Examples
    --------
    >>> import neglog as nl
    >>> float(nl.HalfNormal().log_sf(1e-20, scale=1.0))
    -7.9788456...e-21
    """

    name: ClassVar[str] = "half_normal"
    parameters: ClassVar[tuple[Parameter, ...]] = (Parameter("scale", POSITIVE, LINKS["log"]),)
    support: ClassVar[Interval] = Interval(0.0, math.inf, low_closed=True)
    discrete: ClassVar[bool] = False
    location: ClassVar[str] = "scale"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        (scale,) = params
        inside = (y >= 0) & (y < math.inf)
        z = xp.where(inside, y, 0.0) / scale
        value = z * z / 2 + xp.log(scale) + 0.5 * math.log(math.pi / 2)
        return xp.where(inside, value, xp.where(y != y, y, math.inf))

    def _mean(self, *params: Array) -> Array:
        return params[0] * math.sqrt(2 / math.pi)

    def _var(self, *params: Array) -> Array:
        return params[0] ** 2 * (1 - 2 / math.pi)

    def _fisher(self, *params: Array) -> dict[tuple[int, int], Array]:
        return {(0, 0): 2 * params[0] ** -2.0}

    def _ppf(self, q: Array, *params: Array) -> Array:
        from scipy.special import erfcinv, erfinv

        return params[0] * math.sqrt(2) * np.where(q < 0.5, erfinv(q), erfcinv(1 - q))

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        return params[0] * np.abs(rng.standard_normal(shape))

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        y = representative(rows, low=0.0)
        largest = float(y.max()) or 1.0  # first, so that squares neither overflow nor vanish
        return (largest * math.sqrt(float(np.average((y / largest) ** 2, weights=weight))) or 1.0,)
