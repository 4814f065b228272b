"""NegativeBinomial(r, p) in mpmath: tails by the incomplete beta function."""

import beta as incomplete
from mpmath import exp, log, loggamma, mp, mpf

DISCRETE = True


def nll(y, r, p):
    return loggamma(y + 1) + loggamma(r) - loggamma(y + r) - r * log(p) - y * log(1 - p)


def cdf(y, r, p):
    return incomplete.lower(p, 1 - p, r, y + 1)


def sf(y, r, p):
    return incomplete.lower(1 - p, p, y + 1, r)


def interval(lower, upper, *p):
    return mp.fsum(exp(-nll(mpf(j), *p)) for j in range(int(lower) + 1, int(upper) + 1))


KINDS = ("nll", "log_cdf", "log_sf")
BULK = [
    (kind, (float(k),), params)
    for params, counts in (
        ((3.0, 0.4), (0, 1, 2, 9)),
        ((0.02, 0.1), (0, 1, 6)),
        ((1.0, 0.5), (0, 2)),
        ((50.0, 0.001), (40000, 52000)),
        ((1e6, 0.999999), (0, 1, 3)),
        ((1e6, 0.3), (2330000, 2336000)),
    )
    for k in counts
    for kind in KINDS
] + [("log_interval", ends, (3.0, 0.4)) for ends in ((1.0, 4.0), (0.0, 40.0))]
TAIL = [
    (kind, (float(k),), params)
    for params, counts in (
        ((1e-3, 1e-9), (0, 1000, 100000000)),
        ((1e-3, 0.999), (0, 40)),
        ((3.0, 0.4), (100, 1300)),
        ((1e6, 0.999999), (60,)),
        ((1e6, 0.3), (2280000, 2390000)),
        ((250.0, 0.9), (1, 400)),
    )
    for k in counts
    for kind in KINDS
] + [("log_interval", (200.0, 230.0), (3.0, 0.4))]
