"""Rice(nu, scale)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neglog.core.observations import Observations
from neglog.families.base import Array
from neglog.families.facts import LINKS, NON_NEGATIVE, POSITIVE, Interval, Parameter
from neglog.families.registry import register
from neglog.families.representative import representative
from neglog.families.scalar import ScalarFamily
from neglog.families.special import log_i0e


@register
@dataclass(frozen=True)
class Rice(ScalarFamily):
    r"""Rice: :math:`-\log f(y) = (y^2+\nu^2)/(2\sigma^2) - \log(y/\sigma^2) - \log I_0(y\nu/\sigma^2)`.

    The length of a vector in the plane whose coordinates are normal around a point at the distance :math:`\nu`:
    amplitudes of a signal with noise. :math:`I_0` is the modified Bessel function.

    Parameters
    ----------
    nu : non-negative
        Distance :math:`\nu` of the centre, in the unit of ``y``; 0 is the Rayleigh distribution. MATLAB calls it s;
        SciPy's ``rice`` has ``b = nu / scale``.
    scale : positive
        Standard deviation :math:`\sigma` of each coordinate, in the unit of ``y``.

    Notes
    -----
    The upper tail is Marcum's Q function :math:`Q_1(\nu/\sigma, y/\sigma)`. Both tails and their derivatives are
    integrals of the density over its smaller side, to a relative accuracy of 1e-13.

    Examples
    --------
    >>> import neglog as nl
    >>> float(nl.Rice().sf(1.0, nu=1.0, scale=1.0))
    0.73287980...
    """

    name: ClassVar[str] = "rice"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("nu", NON_NEGATIVE, LINKS["log"]),
        Parameter("scale", POSITIVE, LINKS["log"]),
    )
    support: ClassVar[Interval] = Interval(0.0, math.inf, low_closed=True)
    discrete: ClassVar[bool] = False
    location: ClassVar[str] = "nu"
    dispersion: ClassVar[str | None] = "scale"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        nu, scale = params
        inside = (y > 0) & (y < math.inf)
        # where() differentiates both branches: the unused one gets a harmless y
        x = xp.where(inside, y, 1.0)
        z = (x - nu) / scale
        value = z * z / 2 - xp.log(x / scale**2) - log_i0e(xp, x / scale * (nu / scale))
        return xp.where(inside, value, xp.where(y != y, y, math.inf))

    def _mean(self, *params: Array) -> Array:
        from scipy.special import i0e, i1e

        nu, scale = params
        half = (nu / scale) ** 2 / 4
        series = nu + scale * (scale / nu) / 2 * (1 + (scale / nu) ** 2 / 4)  # without large powers
        laguerre = (1 + 2 * half) * i0e(half) + 2 * half * i1e(half)
        return np.where(half > 1e4, series, scale * math.sqrt(math.pi / 2) * laguerre)

    def _var(self, *params: Array) -> Array:
        nu, scale = params
        # nu^2 + 2 scale^2 - mean^2 cancels for large ratios; there the asymptotic series of the mean, which the
        # Laguerre polynomial of order 1/2 is (Abramowitz and Stegun 13.5.1)
        far = nu > 100 * scale
        w = np.where(far, scale / nu, 0.0) ** 2
        ratio = np.where(far, 0.0, nu / scale)
        near = ratio**2 + 2 - (self._mean(ratio, np.ones_like(ratio))) ** 2
        return scale**2 * np.where(far, 1 - w / 2 - w * w / 2, near)

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        nu, scale = params
        return np.hypot(nu + scale * rng.standard_normal(shape), scale * rng.standard_normal(shape))

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        y = np.maximum(representative(rows, low=0.0), 0.0)
        top = float(y.max()) or 1.0  # relative to it, so that squares neither overflow nor vanish
        mean, square = (float(np.average((y / top) ** n, weights=weight)) for n in (1, 2))
        var = max(square - mean * mean, 1e-4)
        # nu^2 / scale^2 + 2 = E[Y^2] / scale^2, and the variance is nearly scale^2 where nu is large; Rayleigh's is
        # 0.43 scale^2 with a mean of 1.9 standard deviations
        ratio = max(square / var - 4.7, 0.25)
        scale = math.sqrt(max(square, 1e-4) / (ratio + 2))
        return top * math.sqrt(ratio) * scale, top * scale
