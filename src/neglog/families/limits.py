"""Functions with a limit where their formula reads 0 / 0."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from neglog.families.base import Array


def log1p_over(xp: Any, k: Any, x: Any) -> Any:
    """``log(1 + k x) / k``, ``x`` at ``k = 0``, under numpy and torch, twice differentiable by autograd everywhere.

    >>> float(log1p_over(np, np.float64(0.0), np.float64(3.0)))
    3.0
    """
    a = k * x
    near = abs(a) < 0.05  # where the differences in the second derivative of the formula would cost 1e-13
    small = xp.where(near, a, 0.0)
    series = 1.0 / 14 + 0.0 * small
    for n in range(13, 0, -1):  # 0.05^12 < 1e-15 in the second derivative
        series = 1.0 / n - small * series
    return xp.where(near, x * series, xp.log1p(xp.where(near, 0.0, a)) / xp.where(near, 1.0, k))


def expm1_over(k: Array, t: Array) -> Array:
    """``(exp(k t) - 1) / k``, ``t`` at ``k = 0``: the inverse of ``log(1 + k x) / k``."""
    flat = k == 0
    with np.errstate(over="ignore", invalid="ignore"):  # t may be infinite
        return np.where(flat, t, np.expm1(k * t) / np.where(flat, 1.0, k))


def log_gamma_1p(x: Array) -> Array:
    """``log Gamma(1 + x)`` for ``x > -1``, relatively accurate at ``x = 0``."""
    from scipy.special import gammaln

    near = _zeta_series(x, lambda n: np.ones_like(n)) - np.euler_gamma * x
    return np.where(np.abs(x) < 0.1, near, gammaln(1 + x))


def log_gamma_spread(x: Array) -> Array:
    """``log Gamma(1 + 2 x) - 2 log Gamma(1 + x)`` for ``x > -1/2``, relatively accurate at ``x = 0``.

    Of ``Y = E**x`` with ``E`` exponential it is ``log E[Y^2] / E[Y]^2``.
    """
    from scipy.special import gammaln

    near = _zeta_series(x, lambda n: 2.0**n - 2)
    return np.where(np.abs(x) < 0.1, near, gammaln(1 + 2 * x) - 2 * gammaln(1 + x))


def _zeta_series(x: Array, factor: Callable[[Array], Array]) -> Array:
    """``sum_n factor(n) zeta(n) (-x)^n / n`` from n = 2 on for ``|x| <= 0.1`` (Abramowitz and Stegun 6.1.33)."""
    from scipy.special import zeta

    x = np.clip(x, -0.1, 0.1)
    n = np.arange(2.0, 26.0).reshape(-1, *[1] * x.ndim)  # 0.2^24 < 1e-16
    return np.sum(factor(n) * zeta(n) / n * (-x) ** n, axis=0)


def log_gamma_bend(m: Array, h: Array) -> Array:
    """``log Gamma(m + h) + log Gamma(m - h) - 2 log Gamma(m)`` for ``0 <= h < m``, relatively accurate at ``h = 0``."""
    from scipy.special import gammaln, polygamma

    near = h < 0.02 * m
    w = np.where(near, h, 0.0) ** 2
    # even terms of Taylor's series; each is about (h / m)^2 < 4e-4 of the one before
    series = sum(2 * polygamma(2 * j - 1, m) / math.factorial(2 * j) * w**j for j in range(1, 6))
    return np.where(near, series, gammaln(m + h) + gammaln(m - h) - 2 * gammaln(m))
