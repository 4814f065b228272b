"""Scores by definition: a row at a time, mpmath for the logarithms, fractions for what is summed."""

from __future__ import annotations

import math
from fractions import Fraction

import mpmath
import numpy as np

mpmath.mp.dps = 60


def row(kind: str, values: np.ndarray, y: int) -> dict[str, float]:
    """NLL, Brier contribution, confidence and predicted class of one row, rounded from 60 digits."""
    z = [mpmath.mpf(float(v)) for v in values]
    if kind == "probs":
        p = z
    elif kind == "logprobs":
        p = [mpmath.exp(v) for v in z]
    else:
        top = max(z)
        terms = [mpmath.exp(v - top) for v in z]
        p = [t / mpmath.fsum(terms) for t in terms]
    if kind == "logits":
        with mpmath.workdps(150):  # margins of hundreds: what is left of 1 must not be rounded away
            top = max(z)
            nll = mpmath.log(mpmath.fsum(mpmath.exp(v - top) for v in z)) + top - z[y]
    elif kind == "probs":
        nll = -mpmath.log(p[y]) if p[y] else mpmath.inf
    else:
        nll = -z[y]
    return {
        "nll": float(nll),
        "brier": float(mpmath.fsum((q - (k == y)) ** 2 for k, q in enumerate(p))),
        "confidence": float(max(p)),
        "top": int(np.argmax(values)),
    }


def weighted_mean(x, w) -> Fraction:
    x, w = list(map(Fraction, x)), list(map(Fraction, w))
    return sum(a * b for a, b in zip(x, w, strict=True)) / sum(w)


def stderr(x, w, cluster=None) -> float:
    """Standard error of the weighted mean, by definition, from exact rationals."""
    x, w = list(map(Fraction, x)), list(map(Fraction, w))
    mean = sum(a * b for a, b in zip(x, w, strict=True)) / sum(w)
    scores = [b * (a - mean) for a, b in zip(x, w, strict=True)]
    if cluster is not None:
        groups: dict = {}
        for g, s in zip(cluster, scores, strict=True):
            groups[g] = groups.get(g, 0) + s
        scores = list(groups.values())
    n = len(scores)
    variance = Fraction(n, n - 1) * sum(s * s for s in scores) / sum(w) ** 2
    return float(mpmath.sqrt(mpmath.mpf(variance.numerator) / variance.denominator))


def softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def relative(a: float, b: float) -> float:
    if a == b or (math.isnan(a) and math.isnan(b)):
        return 0.0
    return abs(a - b) / abs(b) if b else math.inf
