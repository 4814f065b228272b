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


def log_ndtr(xp: Any, x: Any) -> Any:
    """log P(Z <= x) of a standard normal Z."""
    if hasattr(xp, "special"):
        return xp.special.log_ndtr(x)
    from scipy.special import log_ndtr

    return log_ndtr(x)
