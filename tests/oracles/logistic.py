"""Logistic(loc, scale) in mpmath."""

from mpmath import exp, expm1, log

DISCRETE = False


def nll(y, loc, scale):
    z = (y - loc) / scale
    return z + 2 * log(1 + exp(-z)) + log(scale)


def cdf(y, loc, scale):
    return 1 / (1 + exp(-(y - loc) / scale))


def sf(y, loc, scale):
    return 1 / (1 + exp((y - loc) / scale))


def interval(lower, upper, loc, scale):
    return cdf(upper, loc, scale) * sf(lower, loc, scale) * -expm1((lower - upper) / scale)


PARAMS = [(0.0, 1.0), (0.4, 0.7), (-120.0, 15.0)]
BULK = [
    (kind, (loc + z * scale,), (loc, scale))
    for loc, scale in PARAMS
    for z in (-2.6, -0.3, 0.01, 1.7)
    for kind in ("nll", "log_cdf", "log_sf")
] + [
    ("log_interval", (loc + z * scale, loc + (z + width) * scale), (loc, scale))
    for loc, scale in PARAMS[1:]
    for z in (-2.5, 0.0, 1.2)
    for width in (1e-9, 0.3, 4.0)
]
TAIL = [
    (kind, (loc + z * scale,), (loc, scale))
    for loc, scale in PARAMS[:2]
    for z in (-40.0, -8.0, 6.0, 40.0, 1e4)
    for kind in ("nll", "log_cdf", "log_sf")
] + [("log_interval", (z, z + width), (0.0, 1.0)) for z in (-40.0, 7.0, 650.0) for width in (1e-8, 0.5, 30.0)]
