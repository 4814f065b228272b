"""The few special functions that the references need under numpy and torch alike."""

from __future__ import annotations

import math
from typing import Any


def lgamma(xp: Any, x: Any) -> Any:
    """log Gamma(x)."""
    if hasattr(xp, "lgamma"):
        return xp.lgamma(x)
    from scipy.special import gammaln

    return gammaln(x)


def log1pexp(xp: Any, x: Any) -> Any:
    """log(1 + exp(x)) without overflow."""
    return xp.logaddexp(x, xp.zeros_like(x))


def log_ndtr(xp: Any, x: Any) -> Any:
    """log P(Z <= x) of a standard normal Z."""
    if not hasattr(xp, "special"):
        from scipy.special import log_ndtr

        return log_ndtr(x)
    # torch's own log_ndtr cannot be vectorised by torch.func.vmap
    low = x < 0
    left, right = xp.where(low, x, 0.0), xp.where(low, 0.0, x)
    tail = xp.log(xp.special.erfcx(left * -(0.5**0.5)) / 2) - left * left / 2
    return xp.where(low, tail, xp.log1p(xp.special.erfc(right * 0.5**0.5) / -2))


def log1mexp(xp: Any, x: Any) -> Any:
    """log(1 - exp(x)) for x < 0, by whichever of two forms keeps its digits there."""
    near = x > -math.log(2)
    return xp.where(near, xp.log(-xp.expm1(xp.where(near, x, -1.0))), xp.log1p(-xp.exp(xp.where(near, -1.0, x))))


def log_i0e(xp: Any, x: Any) -> Any:
    """log(exp(-x) I0(x)) for x >= 0."""
    if hasattr(xp, "special"):
        # at 0 torch has the slope of exp(-abs(x)), which is none
        near = x < 1e-3
        return xp.where(near, -x + x * x / 4 - x**4 / 64, xp.log(xp.special.i0e(xp.where(near, 1.0, x))))
    from scipy.special import i0e

    return xp.log(i0e(x))


def log_rising(xp: Any, x: Any, n: Any) -> Any:
    """log Gamma(x + n) - log Gamma(x) for n >= 0, without cancellation, and so when differentiated."""
    lifted, low = x + 10.0, 0.0  # Gamma's recurrence lifts both to where Stirling's formula has its full precision
    for k in range(10):
        low = low + xp.log1p(n / (x + k))
    change = (lifted + n - 0.5) * xp.log1p(n / lifted) + n * xp.log(lifted) - n
    return change + _stirling_rest(lifted + n) - _stirling_rest(lifted) - low


def _stirling_rest(x: Any) -> Any:
    w = 1 / (x * x)  # Abramowitz and Stegun 6.1.41
    series = 1 / 1188 + w * (-691 / 360360 + w * (1 / 156 - w * 3617 / 122400))
    return (1 / 12 + w * (-1 / 360 + w * (1 / 1260 + w * (-1 / 1680 + w * series)))) / x


def log_k1e(xp: Any, x: Any) -> Any:
    """log(exp(x) K1(x)) for x > 1e-12: the integral of cosh t exp(-x (cosh t - 1)), which can be differentiated."""
    far = 50 / x
    step = xp.log1p(far + xp.sqrt(far * (far + 2))) / 96  # the trapezoidal rule converges exponentially in the step
    total = 0.5
    for i in range(1, 97):
        half = xp.sinh(step * (0.5 * i))
        c = 2 * half * half
        total = total + (1 + c) * xp.exp(-x * c)
    return xp.log(step * total)
