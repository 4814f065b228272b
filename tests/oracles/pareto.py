"""Pareto(shape, scale) in mpmath, inside its support."""

from mpmath import log, mp

DISCRETE = False


def nll(y, shape, scale):
    return (shape + 1) * log(y / scale) - log(shape / scale)


def sf(y, shape, scale):
    return (scale / y) ** shape


def cdf(y, shape, scale):
    return 1 - (scale / y) ** shape


def interval(lower, upper, shape, scale):
    with mp.workdps(mp.dps + 40):
        return (scale / lower) ** shape * (1 - (lower / upper) ** shape)


def at(t, shape, scale):
    return float(scale * mp.exp(mp.mpf(t) / shape))  # where the tail is exp(-t)


PARAMS = [(1.0, 1.0), (1.5, 2.0), (0.4, 30.0), (8.0, 600.0)]
BULK = [
    (kind, (at(t, *params),), params)
    for params in PARAMS
    for t in (0.01, 0.3, 0.7, 2.1)
    for kind in ("nll", "log_cdf", "log_sf")
] + [
    ("log_interval", (low, low * (1 + width)), params)
    for params in PARAMS[1:3]
    for low in (at(0.1, *params), at(2.0, *params))
    for width in (1e-9, 0.2, 3.0)
]
TAIL = [
    (kind, (at(t, *params),), params)
    for params in ((1.5, 2.0), (1e-3, 1.0), (1e6, 7.0))
    for t in (1e-7, 0.3, 40.0, 700.0)
    for kind in ("nll", "log_cdf", "log_sf")
    if t < 600 * params[0]
] + [
    ("log_interval", (at(t, *params), at(t, *params) * (1 + width)), params)
    for params in ((1.5, 2.0), (40.0, 7.0))
    for t in (1e-6, 40.0, 300.0)
    for width in (1e-10, 0.1, 10.0)
]
