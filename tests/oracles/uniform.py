"""Uniform(low, high) in mpmath, inside its support."""

from mpmath import log, mpf

DISCRETE = False


def nll(y, low, high):
    return log(high - low)


def cdf(y, low, high):
    return min(max((y - low) / (high - low), 0), 1)


def sf(y, low, high):
    return min(max((high - y) / (high - low), 0), 1)


def interval(lower, upper, low, high):
    return (min(upper, high) - max(lower, low)) / (high - low)


def between(share, low, high):
    return float(mpf(low) + mpf(share) * (mpf(high) - mpf(low)))


PARAMS = [(0.0, 1.0), (-3.0, 4.5), (100.0, 100.75)]
BULK = [
    (kind, (between(share, *params),), params)
    for params in PARAMS
    for share in (0.03, 0.4, 0.5, 0.7, 0.99)
    for kind in ("nll", "log_cdf", "log_sf")
] + [
    ("log_interval", (between(share, *params), between(share + width, *params)), params)
    for params in PARAMS[:2]
    for share in (-0.5, 0.1, 0.6)
    for width in (1e-9, 0.3, 0.8)
    if share + width > 0
]
TAIL = [
    (kind, (y,), params)
    for y, params in (
        (1 + 1e-12, (1.0, 2.0)),
        (1e-9, (0.0, 1e200)),
        (1 - 1e-12, (0.0, 1.0)),
        (4.5 - 1e-13, (-3.0, 4.5)),
    )
    for kind in ("nll", "log_cdf", "log_sf")
]
