"""Binomial(n, p) in mpmath, for any real n: tails by the incomplete beta function."""

import beta as incomplete
from mpmath import exp, log, log1p, loggamma, mp, mpf

DISCRETE = True


def nll(y, n, p):
    choose = loggamma(n + 1) - loggamma(y + 1) - loggamma(n - y + 1)
    return -choose - (y * log(p) if y else 0) - (n - y) * log1p(-p)


def cdf(y, n, p):
    return incomplete.lower(1 - p, p, n - y, y + 1)


def sf(y, n, p):
    return incomplete.lower(p, 1 - p, y + 1, n - y)


def interval(lower, upper, *p):
    return mp.fsum(exp(-nll(mpf(j), *p)) for j in range(int(lower) + 1, int(upper) + 1))


def points(cases):
    """Tails do not move with n at y = n: there P(Y <= y) = 1 on one side only."""
    return [
        (kind, (float(k),), params)
        for params, counts in cases
        for k in counts
        for kind in ("nll", "log_cdf", "log_sf")
        if kind == "nll" or k < params[0]
    ]


BULK = points(
    (
        ((1.0, 0.3), (0, 1)),
        ((10.0, 0.3), (0, 2, 3, 4, 10)),
        ((50.0, 0.98), (47, 49, 50)),
        ((1000.0, 1e-3), (0, 1, 3)),
        ((1e6, 0.4), (399000, 400500)),
        ((1e12, 2e-12), (0, 1, 5)),
    )
) + [("log_interval", ends, (10.0, 0.3)) for ends in ((1.0, 4.0), (0.0, 9.0))]
TAIL = [
    ("log_interval", (600.0, 640.0), (1000.0, 0.5)),
    *points(
        (
            ((10.0, 1e-40), (0, 1, 2)),
            ((10.0, 1 - 1e-12), (0, 8)),
            ((1000.0, 0.5), (0, 1, 250, 900, 999)),
            ((1e6, 0.4), (385000, 418000)),
            ((1e6, 1e-6), (40,)),
            ((1e12, 0.5), (500018000000,)),
        )
    ),
]
