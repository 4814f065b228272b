"""Weibull(shape, scale) in mpmath."""

from mpmath import exp, expm1, log, mp

DISCRETE = False


def nll(y, shape, scale):
    return (y / scale) ** shape - log(shape / scale) - (shape - 1) * log(y / scale)


def sf(y, shape, scale):
    return exp(-((y / scale) ** shape))


def cdf(y, shape, scale):
    return -expm1(-((y / scale) ** shape))


def interval(lower, upper, shape, scale):
    with mp.workdps(mp.dps + 40):
        return sf(lower, shape, scale) * -expm1((lower / scale) ** shape - (upper / scale) ** shape)


PARAMS = [(1.0, 1.0), (1.5, 2.0), (0.4, 30.0), (8.0, 600.0)]
QUANTILES = [0.003, 0.1, 0.4, 0.63, 0.7, 0.95, 0.999]
ROOT = [(-log(1 - mp.mpf(q))) for q in QUANTILES]
BULK = [
    (kind, (float(scale * t ** (1 / mp.mpf(shape))),), (shape, scale))
    for shape, scale in PARAMS
    for t in ROOT
    for kind in ("nll", "log_cdf", "log_sf")
] + [
    ("log_interval", (low, low * (1 + width)), (shape, scale))
    for shape, scale in PARAMS
    for low in (float(scale * t ** (1 / mp.mpf(shape))) for t in ROOT[1::2])
    for width in (1e-9, 1e-3, 0.2, 0.6, 3.0)
]
TAIL = [
    (kind, (scale * 10.0**power,), (shape, scale))
    for shape, scale in PARAMS
    for power in (-200, -30, -8, -3, -1, 0.7, 1, 1.5, 3)
    for kind in ("nll", "log_cdf", "log_sf")
    if shape * power < 9  # (y / scale)^shape below 1e9
] + [
    ("log_interval", (scale * 10.0**power, scale * 10.0**power * (1 + width)), (shape, scale))
    for shape, scale in PARAMS
    for power in (-100, -9, -1, 1.2)
    for width in (1e-10, 1e-5, 0.1, 0.5, 10.0)
    if shape * power < 9
]
