"""Geometric(p), the trial of the first success, in mpmath."""

from mpmath import exp, expm1, log, log1p

DISCRETE = True


def nll(y, p):
    return -log(p) - (y - 1) * log1p(-p)


def sf(y, p):
    return exp(y * log1p(-p))


def cdf(y, p):
    return -expm1(y * log1p(-p))


def interval(lower, upper, p):
    return sf(lower, p) * cdf(upper - lower, p)


BULK = [
    (kind, (float(k),), (p,))
    for p, counts in ((0.7, (1, 2, 4)), (0.1, (1, 2, 5, 15, 40)), (0.003, (1, 30, 400, 1000)), (0.999, (1, 2)))
    for k in counts
    for kind in ("nll", "log_cdf", "log_sf")
] + [
    ("log_interval", (float(low), float(high)), (p,))
    for p, low, high in ((0.7, 1, 2), (0.1, 1, 4), (0.1, 3, 30), (0.003, 100, 140), (0.003, 100, 2000))
]
TAIL = [
    (kind, (float(k),), (p,))
    for p, counts in (
        (1e-150, (1, 2, 1e15)),
        (1e-9, (1, 1000, 3e10)),
        (0.1, (400, 6000)),
        (0.999999, (3, 60)),
    )
    for k in counts
    for kind in ("nll", "log_cdf", "log_sf")
] + [
    ("log_interval", (float(low), float(high)), (p,))
    for p, low, high in ((1e-9, 1000, 1001), (1e-9, 1e9, 4e10), (0.1, 4000, 4003), (0.1, 4000, 9000), (0.9999, 5, 50))
]
