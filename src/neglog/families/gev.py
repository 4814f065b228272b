"""GEV(shape, loc, scale)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neglog.core.observations import Observations
from neglog.families.base import Array
from neglog.families.facts import LINKS, POSITIVE, REAL, Interval, Parameter
from neglog.families.limits import expm1_over, log1p_over, log_gamma_1p, log_gamma_spread
from neglog.families.registry import register
from neglog.families.representative import representative
from neglog.families.scalar import ScalarFamily


@register
@dataclass(frozen=True)
class GEV(ScalarFamily):
    r"""Generalised extreme value: :math:`-\log f(y) = \log\sigma + (1+k)\,t + e^{-t}`, :math:`t=\log(1+kz)/k`.

    Maxima of many observations follow it; :math:`z=(y-\mu)/\sigma` and :math:`P(Y\le y) = \exp(-e^{-t})`.

    Parameters
    ----------
    shape : real
        :math:`k`; 0 is the Gumbel distribution (:math:`t=z`), positive Frechet's with a lower end of the support at
        :math:`\mu-\sigma/k` and an upper tail like :math:`y^{-1/k}`, negative the reversed Weibull distribution with
        an upper end there. MATLAB's ``gevlike`` calls it k and R's packages xi; SciPy's ``genextreme`` has ``c = -k``.
    loc : real
        :math:`\mu`, in the unit of ``y``: the quantile of probability ``exp(-1)``.
    scale : positive
        :math:`\sigma`, in the unit of ``y``.

    Notes
    -----
    Value, gradient and Hessian are smooth through ``shape = 0``. The end itself is outside the support. The mean is
    infinite from ``shape = 1`` on, the variance from 1/2 on. The score has no finite variance for
    ``shape <= -1/2``, and below -1 the likelihood of a sample is unbounded (Smith, "Maximum likelihood estimation in
    a class of nonregular cases", 1985).

    Examples
    --------
    >>> import neglog as nl
    >>> float(nl.GEV().nll(1.7, shape=0.1, loc=0.0, scale=1.0))
    1.93507862019...
    """

    name: ClassVar[str] = "gev"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("shape", REAL, LINKS["identity"]),
        Parameter("loc", REAL, LINKS["identity"]),
        Parameter("scale", POSITIVE, LINKS["log"]),
    )
    support: ClassVar[Interval] = REAL
    discrete: ClassVar[bool] = False
    regular: ClassVar[bool] = False  # only for shape > -1/2
    location: ClassVar[str] = "loc"
    dispersion: ClassVar[str | None] = "scale"
    translation: ClassVar[str | None] = "loc"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        shape, loc, scale = params
        z = (y - loc) / scale
        inside = (abs(y) < math.inf) & (shape * z > -1)
        # where() differentiates both branches: the unused one gets a harmless y
        t = log1p_over(xp, shape, xp.where(inside, z, 0.0))
        return xp.where(inside, xp.log(scale) + (1 + shape) * t + xp.exp(-t), xp.where(y != y, y, math.inf))

    def _mean(self, *params: Array) -> Array:
        shape, loc, scale = params
        k = np.minimum(shape, 0.5 + shape / 2)  # below 1, where it is read
        flat = k == 0
        rise = np.where(flat, np.euler_gamma, np.expm1(log_gamma_1p(-k)) / np.where(flat, 1.0, k))
        return np.where(shape < 1, loc + scale * rise, math.inf)

    def _var(self, *params: Array) -> Array:
        shape, _, scale = params
        k = np.where(shape < 0.5, shape, 0.0)
        flat = np.abs(k) < 1e-150  # k^2 underflows
        spread = np.exp(2 * log_gamma_1p(-k)) * np.expm1(log_gamma_spread(-k)) / np.where(flat, 1.0, k) ** 2
        return np.where(shape < 0.5, scale**2 * np.where(flat, np.pi**2 / 6, spread), math.inf)

    def _fisher(self, *params: Array) -> dict[tuple[int, int], Array]:
        shape = np.broadcast_arrays(*params)[0]
        near_end = _prescott_walden(*params)  # where the score is nearly too large for a quadrature

        def entry(at: tuple[int, int], value: Array) -> Array:
            infinite = math.inf if at[0] == at[1] else math.nan
            return np.where(shape > -0.5, np.where(shape < -0.25, near_end[at], value), infinite)

        return {at: entry(at, value) for at, value in super()._fisher(*params).items()}

    def _ppf(self, q: Array, *params: Array) -> Array:
        shape, loc, scale = params
        return loc + scale * expm1_over(shape, -np.log(-np.log(q)))

    def _ends(self, *params: Array) -> tuple[Array | float, Array | float]:
        shape, loc, scale = params
        low, high = (loc + scale * expm1_over(shape, np.full_like(shape, t)) for t in (-math.inf, math.inf))
        return low, high

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        k, loc, scale = params
        return loc + scale * expm1_over(k, -np.log(rng.standard_exponential(shape)))

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        y = representative(rows)
        order = np.argsort(y, kind="stable")
        y, weight = y[order], weight[order]
        rise = y - y[0]
        mean, size = float(np.average(rise, weights=weight)), float(rise[-1])
        if not size > 0:  # equal values have no spread; any positive number of their size will do to start from
            return 0.0, float(y[0]), max(abs(float(y[0])), 1.0) * 1e-3
        z, p = (rise - mean) / size, np.append(0.0, np.cumsum(weight) / weight.sum())
        # probability-weighted moments of the empirical distribution; their L-skewness gives the shape: Hosking, Wallis
        # and Wood, "Estimation of the generalized extreme-value distribution" (1985)
        first, second = (float(np.sum(z * np.diff(p**n)) / n) for n in (2, 3))
        spread = 2 * first  # the mean of z is 0
        c = (2 * first) / (3 * second) - math.log(2) / math.log(3) if second else 0.0
        shape = min(max(-7.859 * c - 2.9554 * c * c, -0.3), 0.3) or 1e-12
        gamma = math.gamma(1 - shape)
        scale = spread * shape / (gamma * (2.0**shape - 1))
        loc = scale * (1 - gamma) / shape
        if scale + 1.01 * min(shape * (end - loc) for end in (z[0], z[-1])) <= 0:  # a row would lie beyond the end
            shape, scale = 0.0, spread / math.log(2)
            loc = -np.euler_gamma * scale
        return shape, float(y[0]) + mean + size * loc, size * scale


def _prescott_walden(shape: Array, loc: Array, scale: Array) -> dict[tuple[int, int], Array]:
    """The information for -1/2 < shape < 0 (Prescott and Walden, "Maximum likelihood estimation of the parameters of
    the generalized extreme-value distribution", 1980); it cancels near 0."""
    from scipy.special import digamma, gamma

    h = np.where((shape > -0.5) & (shape < -0.25), -shape, 0.3)
    g = gamma(2 - h)
    p, q = (1 - h) ** 2 * gamma(1 - 2 * h), g * (digamma(1 - h) - (1 - h) / h)
    e = 1 - np.euler_gamma
    return {
        (0, 0): (np.pi**2 / 6 + (e - 1 / h) ** 2 + 2 * q / h + p / h**2) / h**2,
        (0, 1): (q + p / h) / (scale * h),
        (0, 2): -(e - (1 - g) / h - q - p / h) / (scale * h * h),
        (1, 1): p / scale**2,
        (1, 2): (p - g) / (scale**2 * h),
        (2, 2): (1 - 2 * g + p) / (scale * h) ** 2,
    }
