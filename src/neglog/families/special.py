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


def log1mexp(xp: Any, x: Any) -> Any:
    """log(1 - exp(x)) for x < 0, by whichever of two forms keeps its digits there."""
    near = x > -math.log(2)
    return xp.where(near, xp.log(-xp.expm1(xp.where(near, x, -1.0))), xp.log1p(-xp.exp(xp.where(near, -1.0, x))))
