"""LogLogistic(shape, scale) in mpmath."""

from mpmath import log, mp

DISCRETE = False


def nll(y, shape, scale):
    power = (y / scale) ** shape
    return 2 * log(1 + power) - (shape - 1) * log(y / scale) - log(shape / scale)


def cdf(y, shape, scale):
    return 1 / (1 + (y / scale) ** -shape)


def sf(y, shape, scale):
    return 1 / (1 + (y / scale) ** shape)


def interval(lower, upper, shape, scale):
    with mp.workdps(mp.dps + 40):
        return cdf(upper, shape, scale) * sf(lower, shape, scale) * (1 - (lower / upper) ** shape)


PARAMS = [(1.0, 1.0), (1.5, 2.0), (0.4, 30.0), (8.0, 600.0)]


def at(w, shape, scale):
    return float(scale * mp.exp(mp.mpf(w) / shape))


BULK = [
    (kind, (at(w, *params),), params)
    for params in PARAMS
    for w in (-4.0, -0.6, 0.01, 2.1)
    for kind in ("nll", "log_cdf", "log_sf")
] + [
    ("log_interval", (low, low * (1 + width)), params)
    for params in PARAMS[1:3]
    for low in (at(-1.0, *params), at(1.0, *params))
    for width in (1e-9, 0.2, 3.0)
]
TAIL = [
    (kind, (at(w, *params),), params)
    for params in ((1.5, 2.0), (1e-3, 1.0), (1e3, 7.0))
    for w in (-200.0, -40.0, 12.0, 40.0, 300.0)
    for kind in ("nll", "log_cdf", "log_sf")
    if abs(w) < 600 * params[0]
] + [
    ("log_interval", (at(w, *params), at(w, *params) * (1 + width)), params)
    for params in ((1.5, 2.0), (40.0, 7.0))
    for w in (-200.0, 40.0, 300.0)
    for width in (1e-10, 0.1, 10.0)
]
