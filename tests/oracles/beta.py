"""Beta(a, b) in mpmath: the incomplete beta function by its continued fraction, DLMF 8.17.22."""

from mpmath import exp, log, loggamma, mp, mpf

DISCRETE = False


def nll(y, a, b):
    return loggamma(a) + loggamma(b) - loggamma(a + b) - (a - 1) * log(y) - (b - 1) * log(1 - y)


def fraction(x, a, b):
    """1 / (1 + d1 / (1 + d2 / (1 + ...))) by modified Lentz; it converges for x < (a + 1) / (a + b + 2)."""
    c, d, total, n = mpf(1), mpf(0), mpf(1), 0
    while True:
        m, odd = divmod(n + 1, 2)
        step = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        step = step if odd else m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1 / (1 + step * d)
        c = 1 + step / c
        total *= c * d
        n += 1
        if abs(c * d - 1) < mp.eps * 16:
            return 1 / total


def lower(x, y, a, b):
    """P(X <= x), x + y = 1."""
    with mp.workdps(mp.dps + 20):
        if x > (a + 1) / (a + b + 2):
            return 1 - lower(y, x, b, a)
        log_beta = loggamma(a) + loggamma(b) - loggamma(a + b)
        return exp(a * log(x) + b * log(y) - log_beta) / a * fraction(x, a, b)


def cdf(y, a, b):
    return lower(y, 1 - y, a, b)


def sf(y, a, b):
    return lower(1 - y, y, b, a)


def interval(lo, hi, a, b):
    with mp.workdps(mp.dps + 40):
        if lo > a / (a + b):
            return sf(lo, a, b) - sf(hi, a, b)
        return cdf(hi, a, b) - cdf(lo, a, b)


KINDS = ("nll", "log_cdf", "log_sf")
BULK = [
    (kind, (y,), params)
    for params, ys in (
        ((0.5, 0.5), (0.001, 0.3, 0.97)),
        ((2.0, 3.0), (0.05, 0.3, 0.4, 0.8)),
        ((0.02, 7.5), (1e-30, 1e-4)),
        ((35.5, 1.25), (0.9, 0.97, 0.999)),
        ((4000.0, 1000.0), (0.79, 0.8, 0.805)),
        ((1e6, 1e6), (0.4995, 0.5, 0.5003)),
        ((0.001, 1e6), (1e-200, 1e-9)),
    )
    for y in ys
    for kind in KINDS
] + [("log_interval", ends, (2.0, 3.0)) for ends in ((0.2, 0.2001), (0.1, 0.5), (0.6, 0.95))]
TAIL = [
    (kind, (y,), params)
    for params, ys in (
        ((0.001, 0.001), (1e-300, 0.5, 1 - 1e-12)),
        ((0.001, 0.3), (1e-12, 0.999)),
        ((1e-3, 1e6), (1e-3, 0.01)),
        ((2.0, 3.0), (1e-150, 1e-8, 1 - 1e-15)),
        ((300.0, 0.001), (0.05, 0.5, 0.999)),
        ((1e6, 0.5), (0.9995, 1 - 1e-9)),
        ((1e6, 2e5), (0.8215, 0.8469)),
        ((12.0, 90.0), (1e-6, 0.9)),
    )
    for y in ys
    for kind in KINDS
] + [("log_interval", ends, (2.0, 3.0)) for ends in ((1e-9, 2e-9), (0.999, 0.9991))]
