"""DiscretizedLogistic(loc, scale) on 256 bins in mpmath."""

from mpmath import exp, expm1, inf, log, log1p, mp, mpf

DISCRETE = True
LAST = 255


def edge(y):
    """Upper end of the bin of y, on the scale where 0 is -1 and LAST is 1."""
    if y < 0:
        return -inf
    return inf if y >= LAST else (2 * mpf(y) + 1) / LAST - 1


def log_logistic(x):
    return -log1p(exp(-x)) if x > -1 else x - log1p(exp(x))


def cdf(y, loc, scale):
    return exp(log_logistic((edge(y) - loc) / scale)) if y < LAST else mpf(1)


def sf(y, loc, scale):
    return exp(log_logistic((loc - edge(y)) / scale)) if y < LAST else mpf(0)


def interval(lower, upper, loc, scale):
    low, high = edge(lower), edge(upper)
    if low == -inf:
        return cdf(upper, loc, scale)
    if high == inf:
        return sf(lower, loc, scale)
    with mp.workdps(mp.dps + 40):
        return cdf(upper, loc, scale) * sf(lower, loc, scale) * -expm1((low - high) / scale)


def nll(y, loc, scale):
    return -log(interval(y - 1, y, loc, scale))


BULK = [
    (kind, (float(y),), params)
    for params in ((0.1, 0.25), (-0.9, 0.04), (0.3, 3.0))
    for y in (0, 3, 127, 150, 254, 255)
    for kind in ("nll", "log_cdf", "log_sf")
    if not (kind != "nll" and y == LAST) and not (params[1] == 0.04 and y > 30)
] + [
    ("log_interval", (float(low), float(high)), params)
    for params in ((0.1, 0.25), (0.3, 3.0))
    for low, high in ((0, 1), (100, 101), (100, 130), (130, 254), (200, 255))
]
TAIL = [
    (kind, (float(y),), params)
    for params in ((0.1, float(exp(-7))), (0.3, 1e-3), (-0.2, 1e6), (40.0, 1.0))
    for y in (0, 60, 140, 200, 255)
    for kind in ("nll", "log_cdf", "log_sf")
    if not (kind != "nll" and y == LAST)
] + [
    ("log_interval", (float(low), float(high)), params)
    for params in ((0.1, 1e-3), (-0.2, 1e6))
    for low, high in ((3, 4), (100, 140), (130, 150), (200, 255))
]
