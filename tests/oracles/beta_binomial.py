"""BetaBinomial(n, a, b) in mpmath, for any real n: tails as sums of masses.

Derivatives of a tail in n are those of the masses that are summed, which are the same ones around a whole n.
"""

from mpmath import exp, loggamma, mp, mpf

DISCRETE = True


def log_beta(a, b):
    return loggamma(a) + loggamma(b) - loggamma(a + b)


def nll(y, n, a, b):
    choose = loggamma(n + 1) - loggamma(y + 1) - loggamma(n - y + 1)
    return -choose - log_beta(y + a, n - y + b) + log_beta(a, b)


def masses(start, stop, n, a, b):
    """P(start <= Y < stop): one mass, and the others by their ratios."""
    total = term = exp(-nll(mpf(start), n, a, b))
    for j in range(start, stop - 1):
        term *= (n - j) * (j + a) / ((j + 1) * (n - j - 1 + b))
        total += term
    return total


def tails(y, n, a, b):
    """P(Y <= y) and P(Y > y): the smaller one as a sum, and its complement."""
    with mp.workdps(mp.dps + 20):
        cdf = masses(0, int(y) + 1, n, a, b)
        if cdf < 0.5:
            return cdf, 1 - cdf
        sf = masses(int(y) + 1, int(mp.nint(n)) + 1, n, a, b)
        return 1 - sf, sf


def cdf(y, *p):
    return tails(y, *p)[0]


def sf(y, *p):
    return tails(y, *p)[1]


def interval(lower, upper, *p):
    return masses(int(lower) + 1, int(upper) + 1, *p)


def points(cases):
    return [
        (kind, (float(k),), params)
        for params, counts in cases
        for k in counts
        for kind in ("nll", "log_cdf", "log_sf")
        if kind == "nll" or k < params[0]
    ]


BULK = [
    ("log_interval", (1.0, 4.0), (10.0, 2.0, 3.0)),
    *points(
        (
            ((1.0, 0.3, 0.8), (0, 1)),
            ((10.0, 2.0, 3.0), (0, 3, 5, 9, 10)),
            ((10.0, 1e6, 2e6), (1, 3)),
            ((40.0, 0.02, 0.05), (0, 20, 40)),
            ((300.0, 1e-3, 0.5), (0, 2)),
            ((1000.0, 40.0, 4000.0), (5, 11)),
        )
    ),
]
TAIL = [
    ("log_interval", (200.0, 230.0), (300.0, 5.0, 50.0)),
    *points(
        (
            ((10.0, 1e-2, 1e3), (0, 2, 10)),
            ((10.0, 1e-3, 1e3), (0, 9)),
            ((10.0, 1e-3, 1e6), (0, 2)),
            ((10.0, 1e6, 1e-3), (7, 9)),
            ((300.0, 5.0, 50.0), (0, 150, 290)),
            ((300.0, 1e6, 1e6), (60, 250)),
            ((1000.0, 1e3, 1.0), (300, 990)),
            ((200.0, 1e-3, 1e-3), (0, 90)),
            ((10.0, 1e-8, 20.0), (0,)),
            ((10.0, 1e-8, 0.3), (0,)),
            ((10.0, 0.3, 1e-8), (9, 10)),
            ((10.0, 0.3, 1e9), (0,)),
        )
    ),
]
