"""The few special functions that the references need under numpy and torch alike."""

from __future__ import annotations

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


def log_i0e(xp: Any, x: Any) -> Any:
    """log(exp(-x) I0(x)) for x >= 0."""
    if hasattr(xp, "special"):
        return xp.log(xp.special.i0e(x))
    from scipy.special import i0e

    return xp.log(i0e(x))
