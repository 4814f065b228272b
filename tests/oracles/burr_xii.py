"""BurrXII(c, k, scale) in mpmath."""

from mpmath import exp, expm1, log, log1p, mp, mpf

DISCRETE = False


def exponent(y, c, k, scale):
    return k * log1p((y / scale) ** c)


def nll(y, c, k, scale):
    return -log(c * k / scale) - (c - 1) * log(y / scale) + (k + 1) * log1p((y / scale) ** c)


def sf(y, c, k, scale):
    return exp(-exponent(y, c, k, scale))


def cdf(y, c, k, scale):
    return -expm1(-exponent(y, c, k, scale))


def interval(lower, upper, c, k, scale):
    with mp.workdps(mp.dps + 40):
        return sf(lower, c, k, scale) - sf(upper, c, k, scale)


def quantile(t, c, k, scale):
    """A float near the y with P(Y > y) = exp(-t)."""
    return float(scale * expm1(mpf(t) / k) ** (mpf(1) / c))


KINDS = ("nll", "log_cdf", "log_sf")
BULK = [
    (kind, (quantile(t, *params),), params)
    for params in ((1.0, 1.0, 1.0), (2.0, 1.5, 0.7), (0.6, 4.0, 30.0), (5.0, 0.3, 2.0), (1.7, 60.0, 1.0))
    for t in (0.03, 0.7, 2.0)
    for kind in KINDS
] + [
    ("log_interval", (quantile(a, *params), quantile(b, *params)), params)
    for params in ((1.0, 1.0, 1.0), (3.0, 0.5, 2.0))
    for a, b in ((0.1, 0.1001), (0.6, 1.4))
]
TAIL = [
    (kind, (quantile(t, *params),), params)
    for params in ((2.0, 1.5, 0.7), (0.6, 4.0, 30.0), (1e3, 1e-3, 1.0), (1e6, 1e-3, 1.0), (0.8, 1e6, 1.0))
    for t in (1e-300, 1e-9, 40.0, 690.0)
    for kind in KINDS
    if 1e-300 < quantile(t, *params) < 1e300
] + [(kind, (y,), (1e-3, 1e-3, 3e-5)) for y in (1e-200, 1e200) for kind in KINDS]
