"""Poisson(rate) in mpmath."""

from mpmath import exp, fsum, log, loggamma, mp

DISCRETE = True


def nll(y, rate):
    return rate - y * log(rate) + loggamma(y + 1)


def sf(y, rate):
    if y < 0:
        return mp.mpf(1)
    with mp.workdps(mp.dps + 20):
        if rate > y + 1:
            return 1 - cdf(y, rate)
        return fsum_terms(lambda j: rate / (y + 1 + j)) * exp(-nll(y + 1, rate))


def cdf(y, rate):
    if y < 0:
        return mp.mpf(0)
    with mp.workdps(mp.dps + 20):
        if rate <= y + 1:
            return 1 - sf(y, rate)
        return fsum_terms(lambda j: (y + 1 - j) / rate) * exp(-nll(y, rate))


def fsum_terms(ratio):
    """1 + ratio(1) + ratio(1) ratio(2) + ..., until the terms no longer count."""
    total = term = mp.mpf(1)
    j = 1
    while True:
        term *= ratio(j)
        if term <= total * mp.eps:
            return total
        total += term
        j += 1


def interval(lower, upper, rate):
    return fsum(exp(-nll(mp.mpf(j), rate)) for j in range(int(lower) + 1, int(upper) + 1))


BULK = [
    (kind, (float(k),), (rate,))
    for rate, counts in (
        (0.3, (0, 1, 2)),
        (2.5, (0, 1, 2, 3, 5)),
        (14.9, (5, 14, 15, 16, 25)),
        (300.25, (260, 299, 300, 301, 350)),
        (1e5, (99000, 99999, 100000, 100001, 100500)),
    )
    for k in counts
    for kind in ("nll", "log_cdf", "log_sf")
] + [
    ("log_interval", (float(low), float(high)), (rate,))
    for rate, low, high in (
        (2.5, -1, 1),
        (2.5, 1, 4),
        (2.5, 0, 40),
        (300.25, 280, 310),
        (300.25, 299, 331),
        (1e5, 99990, 100100),
    )
]
TAIL = [
    (kind, (float(k),), (rate,))
    for rate, counts in (
        (1e-12, (0, 1, 3)),
        (0.3, (10, 30, 170)),
        (2.5, (20, 100, 1000)),
        (40.0, (0, 1, 3, 120, 400)),
        (1000.0, (0, 1, 400, 800, 1300, 3000)),
        (1e5, (90000, 97000, 103000, 115000)),
        (1e7, (9980000, 10010000)),
    )
    for k in counts
    for kind in ("nll", "log_cdf", "log_sf")
] + [
    ("log_interval", (float(low), float(high)), (rate,))
    for rate, low, high in (
        (2.5, 30, 32),
        (2.5, 30, 90),
        (1000.0, 1300, 1340),
        (1000.0, 600, 700),
        (1e5, 110000, 110010),
    )
]
