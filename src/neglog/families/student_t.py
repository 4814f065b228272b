"""StudentT(df, loc, scale)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neglog.core.observations import Observations
from neglog.families.base import Array
from neglog.families.facts import LINKS, POSITIVE, REAL, Interval, Parameter
from neglog.families.registry import register
from neglog.families.representative import center_and_spread, representative, weighted_quantile
from neglog.families.scalar import ScalarFamily
from neglog.families.special import lgamma


@register
@dataclass(frozen=True)
class StudentT(ScalarFamily):
    r"""Student's t: :math:`-\log f(y) = \frac{\nu+1}{2}\log(1 + z^2/\nu) + \log s + \log\sqrt{\nu\pi} +
    \log\Gamma(\nu/2) - \log\Gamma((\nu+1)/2)`, :math:`z=(y-m)/s`.

    Parameters
    ----------
    df : positive
        Degrees of freedom :math:`\nu`: 1 is the Cauchy distribution, infinity the normal one.
    loc : real
        :math:`m`, in the unit of ``y``: median, and mean where ``df > 1``.
    scale : positive
        :math:`s`, in the unit of ``y``; the standard deviation is :math:`s\sqrt{\nu/(\nu-2)}`. SciPy's order
        is the same; MATLAB's ``tlslike`` takes (loc, scale, df).

    Notes
    -----
    Nothing cancels as ``df`` grows: value, gradient and Hessian go over into the normal ones smoothly, those in
    ``df`` like :math:`1/\nu^2`. The mean does not exist for ``df <= 1`` (NaN); the variance is infinite for
    ``1 < df <= 2`` and does not exist below (NaN).

    Examples
    --------
    >>> import neglog as nl
    >>> float(nl.StudentT().log_sf(40.0, df=3.0, loc=0.0, scale=1.0))
    -10.9...
    """

    name: ClassVar[str] = "student_t"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("df", POSITIVE, LINKS["log"]),
        Parameter("loc", REAL, LINKS["identity"]),
        Parameter("scale", POSITIVE, LINKS["log"]),
    )
    support: ClassVar[Interval] = REAL
    discrete: ClassVar[bool] = False
    location: ClassVar[str] = "loc"
    dispersion: ClassVar[str | None] = "scale"
    translation: ClassVar[str | None] = "loc"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        df, loc, scale = params
        inside = abs(y) < math.inf
        z = (xp.where(inside, y, 0.0) - loc) / scale
        constant = lgamma(xp, df / 2) - lgamma(xp, (df + 1) / 2) + 0.5 * xp.log(math.pi * df) + xp.log(scale)
        value = constant + (df + 1) / 2 * xp.log1p(z * z / df)
        return xp.where(inside, value, xp.where(y != y, y, math.inf))

    def _mean(self, *params: Array) -> Array:
        df, loc, _ = params
        return np.where(df > 1, loc, np.nan)

    def _var(self, *params: Array) -> Array:
        df, _, scale = params
        return np.where(df > 2, scale**2 * df / (df - 2), np.where(df > 1, np.inf, np.nan))

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        df, loc, scale = params
        return loc + scale * rng.standard_t(df, size=shape)

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        y = representative(rows)
        low, center, high = (weighted_quantile(y, weight, q) for q in (0.25, 0.5, 0.75))
        # half the distance of the quartiles is 0.73 scale for 5 degrees of freedom
        return 5.0, center, (high - low) / 1.46 or center_and_spread(y, weight)[1]
