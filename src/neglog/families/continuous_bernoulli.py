"""ContinuousBernoulli(logit)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neglog.core.observations import Observations
from neglog.families.base import Array
from neglog.families.facts import LINKS, REAL, Interval, Parameter
from neglog.families.registry import register
from neglog.families.representative import representative
from neglog.families.scalar import ScalarFamily

# B_2n / (2n (2n)!), n = 1, 2 ...: log(sinh(x / 2) / (x / 2)) in powers of x^2, to 1e-17 of the first for |x| <= 1
_SERIES = (
    1 / 24, -1 / 2880, 1 / 181440, -1 / 9676800, 2.08767569878681e-9, -4.403491782239578e-11,
    9.55895466477477e-13, -2.1185501852016142e-14, 4.770034475709914e-16, -1.087434349279031e-17,
)  # fmt: skip


@register
@dataclass(frozen=True)
class ContinuousBernoulli(ScalarFamily):
    r"""A number in [0, 1]: :math:`-\log f(y) = -\log C(\lambda) - y\log\lambda - (1-y)\log(1-\lambda)`.

    The likelihood for which the cross-entropy of grey levels only lacks its constant,
    :math:`C(\lambda) = 2\operatorname{artanh}(1-2\lambda)/(1-2\lambda)`, :math:`C(1/2) = 2`. In the logit that is
    :math:`-\eta y + \log\frac{e^\eta - 1}{\eta}`, an exponential distribution cut off at 1, smooth through
    :math:`\eta = 0`, the uniform distribution.

    Parameters
    ----------
    logit : real
        :math:`\eta = \log\lambda/(1-\lambda)`. The mean is not :math:`\lambda` but
        :math:`1/(1-e^{-\eta}) - 1/\eta`, nearer to 1/2.

    Notes
    -----
    Source: Loaiza-Ganem and Cunningham, "The continuous Bernoulli: fixing a pervasive error in variational
    autoencoders" (NeurIPS 2019). The logit is the natural parameter, so the Hessian is the variance of ``y``.

    Examples
    --------
    >>> import neglog as nl
    >>> nl.ContinuousBernoulli().nll([0.25, 1.0], logit=0.0)
    array([0., 0.])
    >>> float(nl.ContinuousBernoulli().mean(logit=2.0).round(6))
    0.656518
    """

    name: ClassVar[str] = "continuous_bernoulli"
    parameters: ClassVar[tuple[Parameter, ...]] = (Parameter("logit", REAL, LINKS["identity"]),)
    support: ClassVar[Interval] = Interval(0.0, 1.0, low_closed=True, high_closed=True)
    discrete: ClassVar[bool] = False
    location: ClassVar[str] = "logit"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        (logit,) = params
        near = abs(logit) < 1
        square = xp.where(near, logit, 0.0) ** 2
        series = 0.0
        for term in reversed(_SERIES):
            series = square * (series + term)
        far = xp.where(near, 2.0, abs(logit))
        tail = xp.log(-xp.expm1(-far) / far)
        value = xp.where(near, logit * (0.5 - y) + series, far * xp.where(logit > 0, 1 - y, y) + tail)
        return xp.where((y >= 0) & (y <= 1), value, xp.where(y != y, y, math.inf))

    def _mean(self, *params: Array) -> Array:
        (logit,) = params
        a = np.abs(logit)
        series = sum((2 * n * term * a ** (2 * n - 1) for n, term in enumerate(_SERIES, 1)), np.zeros_like(a))
        low = np.where(a < 1, 0.5 - series, 1 / np.maximum(a, 1) - 1 / np.expm1(np.maximum(a, 1)))
        return np.where(logit > 0, 1 - low, low)

    def _var(self, *params: Array) -> Array:
        # the Hessian does not depend on y
        return self.nll_grad_hess(0.5, *params)[2][0, 0]

    def _fisher(self, *params: Array) -> dict[tuple[int, int], Array]:
        return {(0, 0): self._var(*params)}

    def _ppf(self, q: Array, *params: Array) -> Array:
        (logit,) = params
        a = np.abs(logit)
        q, up = np.broadcast_arrays(q, logit > 0)
        mirrored = np.where(up, 1 - q, q)  # of a density that falls
        quantile = np.where(a > 0, -np.log1p(mirrored * np.expm1(-a)) / np.where(a > 0, a, 1), mirrored)
        # a small one of a density that grows: 1 - quantile would not have its digits
        grown = np.log1p(q * np.expm1(np.minimum(a, 40))) / np.where(a > 0, a, 1)
        return np.where(up, np.where((a > 0) & (a < 40), grown, 1 - quantile), quantile)

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        return self._ppf(rng.random(shape), *params)

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        y = np.clip(representative(rows, low=0.0), 0.0, 1.0)
        mean = float(np.clip(np.average(y, weights=weight), 1e-3, 1 - 1e-3))
        # exact to second order about 1/2, and within a factor 3/2 at the ends, where the mean is 1 / |logit|
        return (3 * (mean - 0.5) / (mean * (1 - mean)),)
