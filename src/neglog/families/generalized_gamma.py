"""GeneralizedGamma(shape, mu, sigma)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neglog.core.observations import Observations
from neglog.families.base import Array
from neglog.families.facts import LINKS, POSITIVE, REAL, Interval, Parameter
from neglog.families.registry import register
from neglog.families.representative import representative
from neglog.families.scalar import ScalarFamily

_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
# B_2k / (2k (2k - 1)): what Stirling's formula leaves of log Gamma, Abramowitz and Stegun 6.1.41
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400)


@register
@dataclass(frozen=True)
class GeneralizedGamma(ScalarFamily):
    r"""The generalised gamma distribution in Prentice's form, smooth through the lognormal.

    With :math:`z = (\log y - \mu)/\sigma` and :math:`a = 1/Q^2`

    .. math:: -\log f(y) = \log y + \log\sigma + \tfrac12\log 2\pi + S(a) + (e^{Qz} - 1 - Qz)/Q^2,

    :math:`S(a) = \log\Gamma(a) - (a - \tfrac12)\log a + a - \tfrac12\log 2\pi` the error of Stirling's formula.

    Parameters
    ----------
    shape : real
        :math:`Q`. 0 is the lognormal, 1 the Weibull, :math:`\sigma` the gamma, -1 the Fréchet and :math:`-\sigma` the
        inverse gamma distribution: nested models that an interval for :math:`Q` decides between.
    mu : real
        :math:`\mu`, in the unit of ``log y``; a change of it rescales the data.
    sigma : positive
        :math:`\sigma`, the spread of ``log y``; exactly its standard deviation at :math:`Q = 0`.

    Notes
    -----
    R's ``flexsurv::dgengamma(mu, sigma, Q)``, Stata's ``streg, distribution(ggamma)`` with kappa for :math:`Q`. SciPy's
    ``gengamma(a, c, scale)`` has ``a = 1/Q**2``, ``c = Q / sigma``, ``log(scale) = mu + 2 log(Q) / c``.
    Prentice, "A log gamma model and its maximum likelihood estimation" (Biometrika 1974). The mean is infinite where
    :math:`Q \sigma \le -1`, the variance where :math:`Q \sigma \le -1/2`.

    Examples
    --------
    >>> import neglog as nl
    >>> f = nl.GeneralizedGamma()
    >>> float(f.nll(2.0, shape=0.0, mu=0.5, sigma=0.7)) - float(nl.LogNormal().nll(2.0, 0.5, 0.7))
    0.0
    >>> float(f.log_sf(2.0, shape=1.0, mu=0.0, sigma=0.5))  # Weibull: -(y / e^mu)^(1 / sigma)
    -4.00000000000...
    """

    name: ClassVar[str] = "generalized_gamma"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("shape", REAL, LINKS["identity"]),
        Parameter("mu", REAL, LINKS["identity"]),
        Parameter("sigma", POSITIVE, LINKS["log"]),
    )
    support: ClassVar[Interval] = Interval(0.0, math.inf, low_closed=True)
    discrete: ClassVar[bool] = False
    location: ClassVar[str] = "mu"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        shape, mu, sigma = params
        inside = (y > 0) & (y < math.inf)
        # where() differentiates both branches: the unused one gets a harmless y
        log_y = xp.log(xp.where(inside, y, 1.0))
        z = (log_y - mu) / sigma
        constant = xp.log(sigma) + _HALF_LOG_2PI + _stirling_error(xp, shape * shape)
        value = log_y + constant + z * z * _bend(xp, shape * z)
        # at 0 the density is a power of y
        power, steep = shape * sigma, xp.where(shape * sigma == 0, 1.0, shape)
        at_zero = xp.where(power == 1, constant - 1 / (steep * steep) + mu, xp.where(power > 1, -math.inf, math.inf))
        outside = xp.where(y == 0, at_zero, xp.where(y != y, y, math.inf))
        return xp.where(inside, value, outside)

    def _mean(self, *params: Array) -> Array:
        return np.exp(_log_moment(1, *params))

    def _var(self, *params: Array) -> Array:
        first, second = _log_moment(1, *params), _log_moment(2, *params)
        return np.where(np.isinf(second), math.inf, np.exp(2 * first) * np.expm1(second - 2 * first))

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        q, mu, sigma = params
        # closer to 0 the logarithm of a gamma variable has no digit of the normal one left, which differs by order Q
        normal = np.abs(q) < 1e-8
        safe = np.where(normal, 1.0, q)
        a = 1 / safe**2
        # log of a gamma variable, also where it would underflow: Gamma(a) is Gamma(a + 1) times U^(1 / a)
        log_gamma = np.log(rng.standard_gamma(a + 1, shape)) - rng.standard_exponential(shape) / a
        z = np.where(normal, rng.standard_normal(shape), (log_gamma - np.log(a)) / safe)
        return np.exp(mu + sigma * z)

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        y = representative(rows, low=0.0)
        y, weight = y[y > 0], weight[y > 0]
        if not y.size:
            return 0.0, 0.0, 1.0
        log_y = np.log(y)
        mu = float(np.average(log_y, weights=weight))
        spread = math.sqrt(float(np.average((log_y - mu) ** 2, weights=weight)))
        return 0.0, mu, max(spread, 1e-3 * (1 + abs(mu)))


def _bend(xp: Any, t: Any) -> Any:
    """(e^t - 1 - t) / t^2, by its Taylor series to |t| = 1."""
    near = xp.abs(t) < 1
    small, large = xp.where(near, t, 0.0), xp.where(near, 1.0, t)
    series = 0.0
    for k in range(18, 1, -1):
        series = series * small + 1 / math.factorial(k)
    return xp.where(near, series, (xp.expm1(large) - large) / (large * large))


def _stirling_error(xp: Any, r: Any) -> Any:
    """What Stirling's formula leaves of log Gamma(1 / r)."""
    near = r <= 0.1
    a = 1 / xp.where(near, 1.0, r)
    # a small argument from ten further on: S(a) - S(a + 1) = (a + 1/2) log(1 + 1/a) - 1
    value = _stirling_series(xp.where(near, r, 1 / (a + 10)))
    for k in range(10):
        value = value + xp.where(near, 0.0, (a + k + 0.5) * xp.log1p(1 / (a + k)) - 1)
    return value


def _stirling_series(r: Any) -> Any:
    series = 0.0
    for c in reversed(_STIRLING):
        series = series * (r * r) + c
    return series * r


def _log_moment(power: int, q: Array, mu: Array, sigma: Array) -> Array:
    """log E[Y^power], infinite where 1 + power Q sigma <= 0."""
    step = power * sigma
    e = step * q
    finite = e > -1
    # Gamma(a (1 + e)) / Gamma(a) with both in Stirling's form: a ((1 + e) log(1 + e) - e) stays finite as Q goes to 0
    safe = np.where(finite & (e != 0), e, 1.0)
    bend = ((1 + safe) * np.log1p(safe) - safe) / safe**2
    bend = np.where(np.abs(e) < 1e-3, 1 / 2 - e / 6 + e**2 / 12 - e**3 / 20 + e**4 / 30, bend)
    rise = np.where(finite, e, 0.0)
    error = _stirling_error(np, q * q / (1 + rise)) - _stirling_error(np, q * q)
    return np.where(finite, power * mu + step**2 * bend - 0.5 * np.log1p(rise) + error, math.inf)
