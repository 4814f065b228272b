"""NB2(mean, alpha) in mpmath: sums of masses for small alpha, where alpha = 0 is inside, otherwise incomplete beta."""

import beta as incomplete
from mpmath import exp, log, log1p, loggamma, mp, mpf

DISCRETE = True


def log_rising(k, alpha):
    """log of (1 + alpha) (1 + 2 alpha) ... (1 + (k - 1) alpha)"""
    if abs(alpha) < mpf(10) ** -15 or k < 30:
        return mp.fsum(log1p(alpha * j) for j in range(int(k)))
    return loggamma(k + 1 / alpha) - loggamma(1 / alpha) + k * log(alpha)


def nll(y, mean, alpha):
    with mp.workdps(mp.dps + 40):
        grown = log1p(alpha * mean) / alpha if alpha else mean
        return loggamma(y + 1) - log_rising(y, alpha) - y * log(mean) + y * log1p(alpha * mean) + grown


def sums(start, ratio):
    """1 + ratio(start) (1 + ratio(start + 1) (...)) until the terms no longer count."""
    total = term = mpf(1)
    while term > total * mp.eps:
        term *= ratio(start)
        total += term
        start += 1
    return total


def tails(y, mean, alpha):
    """P(Y <= y) and P(Y > y); the larger may be the complement of the smaller."""
    with mp.workdps(mp.dps + 40):
        if alpha > mpf(10) ** -3:
            p, q = 1 / (1 + alpha * mean), alpha * mean / (1 + alpha * mean)
            return incomplete.lower(p, q, 1 / alpha, y + 1), incomplete.lower(q, p, y + 1, 1 / alpha)
        grown = 1 + alpha * mean
        if y + 1 > mean:
            sf = exp(-nll(y + 1, mean, alpha)) * sums(y + 1, lambda j: mean * (1 + alpha * j) / ((j + 1) * grown))
            return 1 - sf, sf
        cdf = exp(-nll(y, mean, alpha)) * sums(-y, lambda j: -j * grown / (mean * (1 + alpha * (-j - 1))))
        return cdf, 1 - cdf


def cdf(y, *p):
    return tails(y, *p)[0]


def sf(y, *p):
    return tails(y, *p)[1]


def interval(lower, upper, *p):
    return mp.fsum(exp(-nll(mpf(j), *p)) for j in range(int(lower) + 1, int(upper) + 1))


KINDS = ("nll", "log_cdf", "log_sf")
BULK = [
    (kind, (float(k),), params)
    for params, counts in (
        ((2.5, 0.0), (0, 1, 5)),
        ((2.5, 1e-12), (0, 3)),
        ((2.5, 0.8), (0, 1, 3, 7)),
        ((0.3, 5.0), (0, 1, 2)),
        ((40.0, 1e-6), (30, 45)),
        ((300.25, 0.02), (200, 301)),
        ((7.0, 1e3), (0, 1, 100)),
        ((1e5, 1e-4), (98000, 101000)),
        ((1e5, 0.5), (5000, 120000)),
    )
    for k in counts
    for kind in KINDS
] + [("log_interval", ends, (2.5, 0.8)) for ends in ((1.0, 4.0), (0.0, 40.0))]
TAIL = [
    (kind, (float(k),), params)
    for params, counts in (
        ((1e-12, 2.0), (0, 1, 3)),
        ((1e-12, 0.0), (1,)),
        ((1e-6, 0.5), (1,)),
        ((2.5, 0.0), (30, 150)),
        ((1000.0, 0.0), (400,)),
        ((1000.0, 1e-9), (1, 700, 1400)),
        ((1000.0, 0.01), (100, 3000)),
        ((2.5, 0.8), (100, 1000)),
        ((2.5, 1e3), (3000, 1000000)),
        ((1e6, 1e-6), (950000,)),
        ((1e4, 1.0), (1, 200000)),
    )
    for k in counts
    for kind in KINDS
] + [("log_interval", ends, (1000.0, 0.01)) for ends in ((2000.0, 2020.0), (2000.0, 2400.0))]
