"""GammaMean(mean, shape) in mpmath."""

from _incomplete_gamma import both
from mpmath import log, loggamma, mp

DISCRETE = False


def nll(y, mean, shape):
    return loggamma(shape) - shape * log(shape / mean) - (shape - 1) * log(y) + y * shape / mean


def cdf(y, mean, shape):
    return both(shape, y * shape / mean)[0]


def sf(y, mean, shape):
    return both(shape, y * shape / mean)[1]


def interval(lower, upper, mean, shape):
    with mp.workdps(mp.dps + 40):  # the difference of two tails that agree to 20 digits and more
        if lower > mean:
            return sf(lower, mean, shape) - sf(upper, mean, shape)
        return cdf(upper, mean, shape) - cdf(lower, mean, shape)


KINDS = ("nll", "log_cdf", "log_sf")
BULK = [
    (kind, (q * mean,), (mean, shape))
    for mean, shape, qs in (
        (3.0, 0.4, (0.05, 0.6, 3.0)),
        (600.0, 1.0, (0.1, 0.9, 3.0)),
        (0.7, 2.5, (0.3, 0.9, 2.0)),
        (20.0, 1e4, (0.985, 1.0, 1.02)),
    )
    for q in qs
    for kind in KINDS
] + [("log_interval", (low, low * (1 + width)), (2.0, 1.5)) for low in (0.5, 3.0) for width in (1e-9, 0.1, 2.0)]
TAIL = [
    (kind, (q * mean,), (mean, shape))
    for mean, shape, qs in (
        (2.0, 1e-3, (1e-297, 1e-3, 600.0, 7e5)),
        (1e-8, 0.9, (1e-100, 0.98, 300.0)),
        (40.0, 19.9, (1e-3, 0.97, 5.0)),
        (1.0, 1e6, (0.96, 0.999, 1.0, 1.004, 1.041)),
    )
    for q in qs
    for kind in KINDS
] + [("log_interval", (low, high), (2.0, 1.5)) for low, high in ((1e-60, 2e-60), (100.0, 100.1), (100.0, 130.0))]
