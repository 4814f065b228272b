"""BirnbaumSaunders(shape, scale) in mpmath."""

from mpmath import erfc, log, mp, mpf, pi, sqrt

DISCRETE = False


def normal(y, shape, scale):
    return (sqrt(y / scale) - sqrt(scale / y)) / shape


def nll(y, shape, scale):
    slope = (sqrt(y / scale) + sqrt(scale / y)) / (2 * shape * y)
    return normal(y, shape, scale) ** 2 / 2 + log(2 * pi) / 2 - log(slope)


def sf(y, shape, scale):
    return erfc(normal(y, shape, scale) / sqrt(2)) / 2


def cdf(y, shape, scale):
    return erfc(-normal(y, shape, scale) / sqrt(2)) / 2


def interval(lower, upper, shape, scale):
    with mp.workdps(mp.dps + 40):
        if lower > scale:
            return sf(lower, shape, scale) - sf(upper, shape, scale)
        return cdf(upper, shape, scale) - cdf(lower, shape, scale)


def quantile(z, shape, scale):
    """A float near the y whose normal score is z."""
    return float(scale * mp.exp(2 * mp.asinh(mpf(shape) * z / 2)))


KINDS = ("nll", "log_cdf", "log_sf")
BULK = [
    (kind, (quantile(z, *params),), params)
    for params in ((0.5, 1.0), (2.0, 0.7), (0.01, 30.0), (40.0, 2.0))
    for z in (-2.3, -0.1, 0.0, 1.4)
    for kind in KINDS
] + [
    ("log_interval", (quantile(a, *params), quantile(b, *params)), params)
    for params in ((0.5, 1.0), (3.0, 0.5))
    for a, b in ((0.1, 0.1001), (-0.6, 1.4))
]
TAIL = [
    (kind, (quantile(z, *params),), params)
    for params in ((0.5, 1.0), (3.0, 0.7), (1e-3, 30.0), (1e6, 2.0))
    for z in (-40.0, -9.0, 9.0, 40.0, 1e4)
    for kind in KINDS
]
