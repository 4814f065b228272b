"""The probability of a window in the definitions of compositions, under numpy and torch alike."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from neglog.errors import InputError
from neglog.families import ScalarFamily

# set by neglog.torch, which may not be imported from here: (family, lower, upper, parameters) -> tensor
in_torch: Callable[[ScalarFamily, float, float, tuple[Any, ...]], Any] | None = None


def log_window(xp: Any, family: ScalarFamily, lower: float, upper: float, params: tuple[Any, ...]) -> Any:
    """``log P(lower < Y <= upper)``; exact to the second derivative under torch's autograd, on CPU.

    Torch has no distribution functions. ``neglog.torch`` has the kernels' derivatives for each of its transforms;
    without it the kernel's value, gradient and Hessian at these parameters make the quadratic that is returned.
    """
    if xp is np:
        return family.log_interval(lower, upper, *params, check=False)
    if in_torch is not None:
        return in_torch(family, lower, upper, params)
    given = [xp.as_tensor(p) for p in params]
    for p in given:
        if p.device.type != "cpu":
            raise InputError(
                f"truncated {family.name}: torch has no distribution function for it on {p.device}; move the "
                "parameters to the CPU"
            )
    at = [p.detach() for p in given]
    dtype = xp.float32 if all(p.dtype == xp.float32 for p in given) else xp.float64
    found = family.log_interval_grad_hess(lower, upper, *[p.double().numpy() for p in at], check=False)
    value, grad, hess = (xp.as_tensor(np.asarray(part), dtype=dtype) for part in found)
    steps = [p - here for p, here in zip(given, at, strict=True)]  # zeros that carry the graph
    for i, step in enumerate(steps):
        value = value + grad[i] * step
        for j in range(len(steps)):
            value = value + hess[i, j] * step * steps[j] / 2
    return value


def log_sum(xp: Any, terms: list[Any]) -> Any:
    """``log(sum(exp(terms)))`` whose derivatives exist where some terms are ``-inf``."""
    possible = [term > -math.inf for term in terms]
    finite = [xp.where(ok, term, 0.0) for ok, term in zip(possible, terms, strict=True)]
    top = terms[0]
    for term in terms[1:]:
        top = xp.where(term > top, term, top)
    top = xp.where(top > -math.inf, top, 0.0)
    total = 0.0
    for ok, term in zip(possible, finite, strict=True):
        total = total + xp.where(ok, xp.exp(xp.where(ok, term - top, 0.0)), 0.0)
    some = total > 0
    return xp.where(some, top + xp.log(xp.where(some, total, 1.0)), -math.inf)
