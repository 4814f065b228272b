"""InverseGamma(shape, scale) in mpmath."""

from _incomplete_gamma import both
from mpmath import log, loggamma, mp

DISCRETE = False


def nll(y, shape, scale):
    return loggamma(shape) - shape * log(scale) + (shape + 1) * log(y) + scale / y


def cdf(y, shape, scale):
    return both(shape, scale / y)[1]


def sf(y, shape, scale):
    return both(shape, scale / y)[0]


def interval(lower, upper, shape, scale):
    with mp.workdps(mp.dps + 40):  # the difference of two tails that agree to 20 digits and more
        if lower * shape > scale:
            return sf(lower, shape, scale) - sf(upper, shape, scale)
        return cdf(upper, shape, scale) - cdf(lower, shape, scale)


KINDS = ("nll", "log_cdf", "log_sf")
BULK = [
    (kind, (scale / x,), (shape, scale))
    for shape, scale, xs in (
        (0.4, 3.0, (0.02, 0.3, 1.5)),
        (1.0, 0.01, (0.1, 0.9, 3.0)),
        (2.5, 600.0, (0.7, 2.3, 5.0)),
        (1e4, 20.0, (9850.0, 1e4, 10200.0)),
    )
    for x in xs
    for kind in KINDS
] + [("log_interval", (low, low * (1 + width)), (1.5, 2.0)) for low in (0.5, 3.0) for width in (1e-9, 0.1, 2.0)]
TAIL = [
    (kind, (scale / x,), (shape, scale))
    for shape, scale, xs in (
        (1e-3, 2.0, (1e-290, 1e-8, 0.5, 700.0)),
        (0.9, 1e-5, (1e-100, 0.88, 300.0)),
        (19.9, 30.0, (0.01, 19.0, 100.0)),
        (1e6, 1.0, (961000.0, 999000.0, 1e6, 1004000.0, 1041000.0)),
    )
    for x in xs
    for kind in KINDS
] + [("log_interval", (low, high), (1.5, 2.0)) for low, high in ((0.01, 0.0101), (0.01, 0.02), (1e60, 2e60))]
