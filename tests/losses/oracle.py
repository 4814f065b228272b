"""The losses in 60 digits of mpmath, written as the definitions read; neither fast nor stable."""

from __future__ import annotations

import mpmath
import numpy as np

mpmath.mp.dps = 60
INF = mpmath.inf


def exact(x):
    return mpmath.mpf(float(x))


def cross_entropy_row(z, q, weight=None, smoothing=0.0):
    """(loss, gradient, condition of the loss) of one row of logits under target distribution q, all mpf."""
    z = [exact(v) for v in z]
    live = [v != -INF for v in z]
    remaining = sum(live)
    eps = exact(smoothing)
    a = [(1 - eps) * exact(v) + (eps / remaining if on else 0) for v, on in zip(q, live, strict=True)]
    if weight is not None:
        a = [v * exact(w) for v, w in zip(a, weight, strict=True)]
    top = max(z)
    e = [mpmath.exp(v - top) if on else mpmath.mpf(0) for v, on in zip(z, live, strict=True)]
    total = mpmath.fsum(e)
    p = [v / total for v in e]
    log_p = [v - top - mpmath.log(total) if on else -INF for v, on in zip(z, live, strict=True)]
    loss = -mpmath.fsum([v * lp for v, lp in zip(a, log_p, strict=True) if v != 0])
    mass = mpmath.fsum(a)
    gradient = [mass * pk - ak for pk, ak in zip(p, a, strict=True)]
    moved = mpmath.fsum([abs(v * g) for v, g, on in zip(z, gradient, live, strict=True) if on])
    condition = moved / abs(loss) if loss not in (0, INF) else mpmath.mpf(1)
    return loss, gradient, float(condition)


def bce(p, t):
    p, t = exact(p), exact(t)
    loss = mpmath.mpf(0)
    if t != 0:
        loss -= t * mpmath.log(p) if p != 0 else -INF
    if t != 1:
        loss -= (1 - t) * mpmath.log1p(-p) if p != 1 else -INF
    return loss


def bce_gradient(p, t):
    p, t = exact(p), exact(t)
    return (p - t) / (p * (1 - p))


def bce_with_logits(x, t, pos_weight=1.0):
    x, t, w = exact(x), exact(t), exact(pos_weight)
    return (1 - t) * mpmath.log1p(mpmath.exp(x)) + w * t * mpmath.log1p(mpmath.exp(-x))


def bce_with_logits_gradient(x, t, pos_weight=1.0):
    x, t, w = exact(x), exact(t), exact(pos_weight)
    return (1 - t) / (1 + mpmath.exp(-x)) - w * t / (1 + mpmath.exp(x))


def relative_errors(actual, expected):
    """|actual - expected| / |expected| for each pair; 0 where both are 0 or the same infinity."""
    errors = []
    for got, want in zip(np.asarray(actual, np.float64).ravel(), expected, strict=True):
        got = exact(got)
        if got == want:
            errors.append(0.0)
        elif want == 0 or abs(want) == INF or got != got:
            errors.append(np.inf)
        else:
            errors.append(float(abs(got - want) / abs(want)))
    return np.array(errors)
