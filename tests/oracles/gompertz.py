"""Gompertz(shape, scale) in mpmath."""

from mpmath import exp, expm1, log, log1p, mp

DISCRETE = False


def hazard(y, shape, scale):
    return shape * expm1(y / scale)


def nll(y, shape, scale):
    return hazard(y, shape, scale) - y / scale - log(shape / scale)


def sf(y, shape, scale):
    return exp(-hazard(y, shape, scale))


def cdf(y, shape, scale):
    return -expm1(-hazard(y, shape, scale))


def interval(lower, upper, shape, scale):
    with mp.workdps(mp.dps + 40):
        return sf(lower, shape, scale) * -expm1(hazard(lower, shape, scale) - hazard(upper, shape, scale))


def at(h, shape, scale):
    return float(scale * log1p(mp.mpf(h) / shape))


BULK = [
    (kind, (at(h, *params),), params)
    for params in ((1.0, 1.0), (0.05, 8.0), (30.0, 0.5), (1e-4, 9.5))
    for h in (0.01, 0.7, 4.0)
    for kind in ("nll", "log_cdf", "log_sf")
] + [
    ("log_interval", (low, low * (1 + width)), params)
    for params in ((0.05, 8.0), (3.0, 0.5))
    for low in (at(0.1, *params), at(1.5, *params))
    for width in (1e-9, 0.2, 3.0)
]
TAIL = [
    (kind, (at(h, *params),), params)
    for params in ((0.05, 8.0), (1e-100, 2.0), (1e6, 3.0))
    for h in (1e-200, 1e-9, 1e5)
    for kind in ("nll", "log_cdf", "log_sf")
] + [
    ("log_interval", (low, low * (1 + width)), params)
    for params in ((0.05, 8.0), (1e-100, 2.0))
    for low in (at(h, *params) for h in (1e-12, 50.0, 1e5))
    for width in (1e-10, 0.5)
]
