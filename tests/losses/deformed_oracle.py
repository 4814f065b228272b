"""The losses ``l(p)`` and their weights ``-p l'(p)`` in mpmath, as their definitions read; not stable at all."""

from __future__ import annotations

import mpmath
from mpmath import mp, mpf

CASES = [  # every loss, with parameters at their defaults, inside, at the ends and next to their limits
    ("nllr", {}),
    ("nllr", {"epsilon": 0.1}),
    ("nllr", {"epsilon": 1.0}),
    ("nllr", {"epsilon": 3.0}),
    ("nllr", {"epsilon": 1e-300}),
    ("competing_ratio", {}),
    ("competing_ratio", {"alpha": 1.0, "beta": 0.5}),
    ("competing_ratio", {"alpha": 0.2, "beta": 2.0}),
    ("competing_ratio", {"alpha": 0.0}),
    ("competing_ratio", {"alpha": 0.0, "beta": 0.0}),
    ("exponential_loss", {}),
    ("madaboost", {}),
    ("mislabel", {"rate": 0.05}),
    ("mislabel", {"rate": 0.9}),
    ("mislabel", {"rate": 1e-9}),
    ("mislabel", {"rate": 1e-200}),
    ("mislabel", {"rate": 0.0}),
    ("generalized_cross_entropy", {}),
    ("generalized_cross_entropy", {"q": 0.0}),
    ("generalized_cross_entropy", {"q": 1e-9}),
    ("generalized_cross_entropy", {"q": 1.0}),
    ("generalized_cross_entropy", {"truncation": 0.25}),
    ("generalized_cross_entropy", {"q": 0.0, "truncation": 0.25}),
    ("alpha_loss", {"alpha": 2.0}),
    ("alpha_loss", {"alpha": 0.5}),
    ("alpha_loss", {"alpha": 1.0}),
    ("alpha_loss", {"alpha": 1.0 - 1e-9}),
    ("alpha_loss", {"alpha": float("inf")}),
    ("focal", {}),
    ("focal", {"gamma": 0.0}),
    ("focal", {"gamma": 0.5}),
    ("focal", {"gamma": 1e-9}),
    ("poly1", {}),
    ("poly1", {"epsilon": -1.0}),
    ("poly1", {"epsilon": 2.0, "gamma": 0.5}),
    ("taylor_cross_entropy", {}),
    ("taylor_cross_entropy", {"order": 1}),
    ("taylor_cross_entropy", {"order": 30}),
    ("symmetric_cross_entropy", {}),
    ("symmetric_cross_entropy", {"alpha": 6.0, "beta": 0.1}),
    ("symmetric_cross_entropy", {"alpha": 0.0}),
    ("gamma_divergence", {"gamma": 0.5}),
    ("gamma_divergence", {"gamma": 0.0}),
    ("gamma_divergence", {"gamma": 1e-9}),
    ("gamma_divergence", {"gamma": 1.0}),
]
IDS = ["-".join([name, *(f"{k}={v:g}" for k, v in given.items())]) for name, given in CASES]


def nllr(p, r, classes, epsilon=0.0):
    e = mpf(epsilon)
    return mp.log(e + r / p), 1 / (1 - (1 - e) * p) if e else 1 / r


def competing_ratio(p, r, classes, alpha=1.5, beta=1.0):
    a, b = mpf(alpha), mpf(beta)
    return -mp.log(p) + (b * mp.log(a + r) if b else 0), 1 + b * p / (a + r)


def exponential_loss(p, r, classes):
    return r / p, 1 / p


def madaboost(p, r, classes):
    s = r / p
    return (s, 1 / p) if s <= 1 else (1 + mp.log(s), 1 / r)


def mislabel(p, r, classes, rate):
    c = mpf(rate)
    total = (1 - c) * p + c / classes
    return -mp.log(total), (1 - c) * p / total


def generalized_cross_entropy(p, r, classes, **given):
    power, k = mpf(given.get("q", 0.7)), given.get("truncation")
    if k is not None and p <= mpf(k):
        return generalized_cross_entropy(mpf(k), 1 - mpf(k), classes, q=power)[0], mpf(0)
    return ((1 - p**power) / power if power else -mp.log(p)), p**power


def alpha_loss(p, r, classes, alpha):
    if alpha == float("inf"):
        return r, p
    a = mpf(alpha)
    return (a / (a - 1) * (1 - p ** ((a - 1) / a)) if a != 1 else -mp.log(p)), p ** ((a - 1) / a)


def focal(p, r, classes, gamma=2.0):
    return poly1(p, r, classes, 0.0, gamma)


def poly1(p, r, classes, epsilon=1.0, gamma=0.0):
    e, g = mpf(epsilon), mpf(gamma)
    weight = r**g - g * r ** (g - 1) * p * mp.log(p)
    return r**g * -mp.log(p) + e * r ** (g + 1), weight + e * (g + 1) * r**g * p


def taylor_cross_entropy(p, r, classes, order=2):
    return mpmath.fsum(r**i / i for i in range(1, order + 1)), 1 - r**order


def symmetric_cross_entropy(p, r, classes, alpha=0.1, beta=1.0, log_zero=-4.0):
    a, reverse = mpf(alpha), -mpf(log_zero) * mpf(beta)
    return a * -mp.log(p) + reverse * r, a + reverse * p


def gamma_divergence(p, r, classes, gamma):
    """p and r = 1 - p of the sharpened logits."""
    g = mpf(gamma)
    return ((1 - p ** (g / (1 + g))) / g if g else -mp.log(p)), p ** (g / (1 + g))


def at_margin(name, given, a, classes):
    """(value, slope in the margin, slope of the slope) at a float ``a``; only mislabel counts the classes."""
    with mp.workdps(int(abs(a) * (1 + given.get("gamma", 0.0) * (name == "gamma_divergence")) / 2) + 80):

        def value_and_slope(a):
            sharpened = (1 + mpf(given["gamma"])) * a if name == "gamma_divergence" else a
            p, r = 1 / (1 + mp.exp(sharpened)), 1 / (1 + mp.exp(-sharpened))
            value, weight = globals()[name](p, r, classes, **given)
            return value, weight * r

        value, slope = value_and_slope(mpf(a))
        h = mpf(10) ** -20
        bend = (value_and_slope(a + h)[1] - value_and_slope(a - h)[1]) / (2 * h)
    return value, slope, bend
