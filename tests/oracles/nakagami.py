"""Nakagami(shape, spread) in mpmath."""

from _incomplete_gamma import both
from mpmath import log, loggamma, mp, sqrt

DISCRETE = False


def nll(y, shape, spread):
    return loggamma(shape) - log(2) - shape * log(shape / spread) - (2 * shape - 1) * log(y) + shape * y**2 / spread


def cdf(y, shape, spread):
    return both(shape, shape * y**2 / spread)[0]


def sf(y, shape, spread):
    return both(shape, shape * y**2 / spread)[1]


def interval(lower, upper, shape, spread):
    with mp.workdps(mp.dps + 40):  # the difference of two tails that agree to 20 digits and more
        if lower**2 > spread:
            return sf(lower, shape, spread) - sf(upper, shape, spread)
        return cdf(upper, shape, spread) - cdf(lower, shape, spread)


KINDS = ("nll", "log_cdf", "log_sf")
BULK = [
    (kind, (float(q * sqrt(spread)),), (shape, spread))
    for shape, spread, qs in (
        (0.5, 3.0, (0.05, 0.6, 2.0)),
        (1.0, 600.0, (0.1, 0.9, 1.8)),
        (0.7355, 858.5, (0.3, 0.9, 2.0)),
        (1e4, 20.0, (0.993, 1.0, 1.01)),
    )
    for q in qs
    for kind in KINDS
] + [("log_interval", (low, low * (1 + width)), (1.5, 2.0)) for low in (0.5, 2.0) for width in (1e-9, 0.1, 2.0)]
TAIL = [
    (kind, (float(q * sqrt(spread)),), (shape, spread))
    for shape, spread, qs in (
        (1e-3, 2.0, (1e-148, 1e-3, 25.0, 900.0)),
        (0.9, 1e-8, (1e-100, 0.99, 17.0)),
        (19.9, 40.0, (1e-3, 0.98, 5.0)),
        (1e6, 1.0, (0.98, 0.9995, 1.0, 1.002, 1.0205)),
    )
    for q in qs
    for kind in KINDS
] + [("log_interval", (low, high), (1.5, 2.0)) for low, high in ((1e-60, 2e-60), (10.0, 10.1), (10.0, 13.0))]
