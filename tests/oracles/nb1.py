"""NB1(mean, alpha) in mpmath: NB2 with alpha / mean for alpha."""

import nb2
from mpmath import mp

DISCRETE = True


def nll(y, mean, alpha):
    return nb2.nll(y, mean, alpha / mean)


def cdf(y, mean, alpha):
    return nb2.cdf(y, mean, alpha / mean)


def sf(y, mean, alpha):
    return nb2.sf(y, mean, alpha / mean)


def interval(lower, upper, mean, alpha):
    with mp.workdps(mp.dps + 20):
        return nb2.interval(lower, upper, mean, alpha / mean)


KINDS = ("nll", "log_cdf", "log_sf")
BULK = [
    (kind, (float(k),), params)
    for params, counts in (
        ((2.5, 0.0), (0, 3)),
        ((2.5, 2.0), (0, 1, 3, 7)),
        ((0.3, 1.5), (0, 2)),
        ((40.0, 1e-5), (45,)),
        ((300.25, 6.0), (200, 301)),
        ((7.0, 5e3), (0, 100)),
        ((1e5, 10.0), (98000, 101000)),
    )
    for k in counts
    for kind in KINDS
] + [("log_interval", (1.0, 4.0), (2.5, 2.0))]
TAIL = [
    (kind, (float(k),), params)
    for params, counts in (
        ((1e-12, 2.0), (0, 1, 3)),
        ((1e-9, 1e-10), (0,)),
        ((1e-6, 1e-7), (1,)),
        ((1e-12, 1e-7), (1,)),
        ((1e-3, 2.0), (3,)),
        ((2.5, 0.0), (30,)),
        ((1000.0, 1e-6), (700, 1400)),
        ((1000.0, 10.0), (100, 3000)),
        ((2.5, 0.8), (200,)),
        ((2.5, 1e3), (30000,)),
    )
    for k in counts
    for kind in KINDS
] + [("log_interval", (2000.0, 2400.0), (1000.0, 10.0))]
