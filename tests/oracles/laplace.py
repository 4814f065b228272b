"""Laplace(loc, scale) in mpmath."""

from mpmath import exp, expm1, log

DISCRETE = False


def nll(y, loc, scale):
    return abs(y - loc) / scale + log(2 * scale)


def cdf(y, loc, scale):
    return sf(-y, -loc, scale)


def sf(y, loc, scale):
    z = (y - loc) / scale
    return exp(-z) / 2 if z > 0 else 1 - exp(z) / 2


def interval(lower, upper, loc, scale):
    a, b = (lower - loc) / scale, (upper - loc) / scale
    if a < 0 < b:
        return -(expm1(a) + expm1(-b)) / 2
    return exp(-a if a > 0 else b) / 2 * -expm1(a - b)


PARAMS = [(0.0, 1.0), (0.4, 0.7), (-120.0, 15.0)]
BULK = [
    (kind, (loc + z * scale,), (loc, scale))
    for loc, scale in PARAMS
    for z in (-2.6, -0.3, 0.01, 1.7)
    for kind in ("nll", "log_cdf", "log_sf")
] + [
    ("log_interval", (loc + z * scale, loc + (z + width) * scale), (loc, scale))
    for loc, scale in PARAMS[1:]
    for z in (-2.5, -0.1, 1.2)
    for width in (1e-9, 0.3, 4.0)
]
TAIL = [
    (kind, (loc + z * scale,), (loc, scale))
    for loc, scale in PARAMS[:2]
    for z in (-40.0, -8.0, 6.0, 40.0, 1e4)
    for kind in ("nll", "log_cdf", "log_sf")
] + [("log_interval", (z, z + width), (0.0, 1.0)) for z in (-40.0, -1e-9, 7.0, 650.0) for width in (1e-8, 0.5, 30.0)]
