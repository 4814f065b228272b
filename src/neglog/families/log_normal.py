"""LogNormal(mu, sigma)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neglog.core.observations import Observations
from neglog.families.base import Array
from neglog.families.facts import LINKS, POSITIVE, REAL, Interval, Parameter
from neglog.families.registry import register
from neglog.families.representative import center_and_spread, representative
from neglog.families.scalar import ScalarFamily


@register
@dataclass(frozen=True)
class LogNormal(ScalarFamily):
    r"""LogNormal: :math:`\log y` is normal: :math:`-\log f(y) = z^2/2 + \log(y\sigma) + \tfrac12\log 2\pi`.

    Here :math:`z = (\log y - \mu)/\sigma`.

    Parameters
    ----------
    mu : real
        Mean of :math:`\log y`; :math:`e^\mu` is the median and SciPy's ``scale``.
    sigma : positive
        Standard deviation of :math:`\log y`; SciPy's ``s``.

    Notes
    -----
    MATLAB's ``lognlike`` takes the same parameters. ``y = 0`` has density 0 and lies outside the open support.

    Source: Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions 1 (1994), chapter 14.

    Examples
    --------
    >>> import neglog as nl
    >>> float(nl.LogNormal().nll(1.7, mu=0.4, sigma=0.5))
    0.79054708...
    """

    name: ClassVar[str] = "log_normal"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("mu", REAL, LINKS["identity"]),
        Parameter("sigma", POSITIVE, LINKS["log"]),
    )
    support: ClassVar[Interval] = POSITIVE
    discrete: ClassVar[bool] = False
    location: ClassVar[str] = "mu"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        mu, sigma = params
        inside = (y > 0) & (y < math.inf)
        log_y = xp.log(xp.where(inside, y, 1.0))
        value = ((log_y - mu) / sigma) ** 2 / 2 + log_y + xp.log(sigma) + 0.5 * math.log(2 * math.pi)
        return xp.where(inside, value, xp.where(y != y, y, math.inf))

    def _mean(self, *params: Array) -> Array:
        mu, sigma = params
        return np.exp(mu + sigma**2 / 2)

    def _var(self, *params: Array) -> Array:
        mu, sigma = params
        return np.expm1(sigma**2) * np.exp(2 * mu + sigma**2)

    def _fisher(self, *params: Array) -> dict[tuple[int, int], Array]:
        precision = params[1] ** -2.0
        return {(0, 0): precision, (1, 1): 2 * precision}

    def _ppf(self, q: Array, *params: Array) -> Array:
        from scipy.special import ndtri

        mu, sigma = params
        return np.exp(mu + sigma * ndtri(q))

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        return rng.lognormal(*params, size=shape)

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        y = representative(rows, low=0.0)
        positive = y > 0
        return center_and_spread(np.log(y[positive]), weight[positive]) if positive.any() else (0.0, 1.0)
