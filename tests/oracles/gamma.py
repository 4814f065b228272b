"""Gamma(shape, scale) in mpmath."""

from _incomplete_gamma import both
from mpmath import log, loggamma, mp, sqrt

DISCRETE = False


def nll(y, shape, scale):
    return loggamma(shape) + shape * log(scale) - (shape - 1) * log(y) + y / scale


def cdf(y, shape, scale):
    return both(shape, y / scale)[0]


def sf(y, shape, scale):
    return both(shape, y / scale)[1]


def interval(lower, upper, shape, scale):
    with mp.workdps(mp.dps + 40):  # the difference of two tails that agree to 20 digits and more
        if lower > shape * scale:
            return sf(lower, shape, scale) - sf(upper, shape, scale)
        return cdf(upper, shape, scale) - cdf(lower, shape, scale)


def at(shape, scale, z):
    """Some ``z`` standard deviations from the mean, on the scale of the cube root (Wilson and Hilferty)."""
    return float(scale * shape * max(1 - 1 / (9 * shape) + z / (3 * sqrt(shape)), 0.01) ** 3)


KINDS = ("nll", "log_cdf", "log_sf")
BULK = [
    (kind, (at(shape, scale, z),), (shape, scale))
    for shape, scale in [(0.4, 3.0), (1.0, 600.0), (2.5, 1.7), (30.0, 0.1), (1e4, 2.0)]
    for z in (-1.5, 0.0, 0.8, 2.5)
    for kind in KINDS
] + [
    ("log_interval", (at(shape, scale, z), at(shape, scale, z) * (1 + width)), (shape, scale))
    for shape, scale in [(0.4, 3.0), (2.5, 1.7)]
    for z in (-1.0, 0.7)
    for width in (1e-9, 0.2, 3.0)
]
TAIL = [
    (kind, (y * scale,), (shape, scale))
    for shape, scale, ys in (
        (1e-8, 1.0, (1e-300, 1e-20, 9e-9, 2e-8)),
        (1e-5, 2.0, (1e-200, 1e-6)),
        (9e-4, 1.0, (8e-4,)),
        (1e-3, 2.0, (1e-300, 1e-8, 1e-3, 0.5, 30.0, 700.0)),
        (0.05, 1e-3, (1e-200, 1e-4, 7.0)),
        (0.9, 1.0, (1e-100, 0.88, 300.0)),
        (3.0, 40.0, (1e-100, 1e-3, 60.0, 1e5)),
        (19.9, 1.0, (0.01, 19.0, 100.0)),
        (20.1, 1.0, (0.01, 19.0, 100.0)),
        (500.0, 1e-5, (10.0, 170.0, 1700.0)),
        (1e6, 1.0, (5e5, 961000.0, 999000.0, 1e6, 1004000.0, 1041000.0)),
    )
    for y in ys
    for kind in KINDS
] + [
    ("log_interval", (low, high), (shape, 1.0))
    for shape, low, high in (
        (1e-3, 1e-250, 1e-200),
        (1e-3, 20.0, 21.0),
        (3.0, 1e-60, 2e-60),
        (3.0, 80.0, 80.01),
        (1e6, 9.7e5, 9.7001e5),
    )
]
