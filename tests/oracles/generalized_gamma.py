"""GeneralizedGamma(shape, mu, sigma) in mpmath."""

from _incomplete_gamma import both
from mpmath import erfc, exp, log, loggamma, mp, pi, quad, sqrt

DISCRETE = False


def stirling_error(a):
    with mp.workdps(mp.dps + int(log(a + 10) / log(10)) + 10):
        return loggamma(a) - (a - mp.mpf(1) / 2) * log(a) + a - log(2 * pi) / 2


def exponent(z, q):
    """-log of the density of z."""
    if q == 0:
        return z**2 / 2 + log(2 * pi) / 2
    with mp.workdps(mp.dps + 60):
        return (exp(q * z) - 1 - q * z) / q**2 + stirling_error(1 / q**2) + log(2 * pi) / 2


def nll(y, shape, mu, sigma):
    return exponent((log(y) - mu) / sigma, shape) + log(sigma) + log(y)


def rise(v, z, q):
    """exponent(z + v, q) - exponent(z, q)"""
    with mp.workdps(mp.dps + 60):
        return (exp(q * (z + v)) - exp(q * z) - q * v) / q**2


def upper(z, q):
    """P(Z > z); around the normal distribution, where 1 / q^2 is too large for a series, by quadrature."""
    if q == 0:
        return erfc(z / sqrt(2)) / 2
    if abs(q) < 0.005:
        if z < 0:
            return 1 - upper(-z, -q)
        end = sqrt(z**2 + 520) - z  # exp(-260) is left out
        nodes = [end * j / 8 for j in range(9)]
        return exp(-exponent(z, q)) * quad(lambda v: exp(-rise(v, z, q)), nodes, method="gauss-legendre")
    a = 1 / q**2
    return both(a, a * exp(q * z))[1 if q > 0 else 0]


def sf(y, shape, mu, sigma):
    return upper((log(y) - mu) / sigma, shape)


def cdf(y, shape, mu, sigma):
    return upper((mu - log(y)) / sigma, -shape)


def interval(lower, upper_end, shape, mu, sigma):
    with mp.workdps(mp.dps + 40):  # the difference of two tails that agree to 20 digits and more
        if log(lower) > mu:
            return sf(lower, shape, mu, sigma) - sf(upper_end, shape, mu, sigma)
        return cdf(upper_end, shape, mu, sigma) - cdf(lower, shape, mu, sigma)


def y_at(z, mu, sigma):
    return float(exp(mu + z * sigma))


KINDS = ("nll", "log_cdf", "log_sf")
BULK = [
    (kind, (y_at(z, mu, sigma),), (shape, mu, sigma))
    for shape, mu, sigma, zs in (
        (1.0, 0.3, 0.5, (-2.0, 0.4)),
        (0.6, -2.0, 0.6, (-1.0, 1.5)),
        (-0.8, 1.0, 2.0, (-1.2, 2.0)),
        (0.21, 0.3, 0.5, (-1.7, 1.1)),
        (-0.05, 5.0, 0.1, (-0.6, 2.2)),
        (0.01, 0.3, 0.5, (-2.0, 0.7)),
        (4.0, 0.0, 1.0, (-0.8, 0.1)),
    )
    for z in zs
    for kind in KINDS
] + [
    ("log_interval", (y_at(z, 0.3, 0.5), y_at(z + width, 0.3, 0.5)), (shape, 0.3, 0.5))
    for shape, z, width in ((0.7, -1.0, 1e-7), (0.7, 0.5, 0.2), (-0.1, 0.3, 1.5))
]
TAIL = [
    (kind, (y_at(z, mu, sigma),), (shape, mu, sigma))
    for shape, mu, sigma, zs in (
        (31.0, 0.0, 1.0, (-20.0, -0.3, 0.2)),
        (2.0, 0.3, 0.5, (-40.0, 3.0)),
        (-2.0, 0.3, 0.5, (-3.0, 40.0)),
        (-17.0, 0.3, 0.5, (-0.1, 1.5)),
        (0.23, 0.3, 0.5, (-40.0, 10.0)),
        (0.22, 0.3, 0.5, (-40.0, 10.0)),
        (-0.1, 0.3, 0.5, (-10.0, 40.0)),
        (0.01, 0.3, 0.5, (-40.0, 40.0)),
    )
    for z in zs
    for kind in KINDS
] + [
    # derivatives at and next to the lognormal distribution: one tail, the other is its mirror
    ("nll", (y_at(2.5, 0.3, 0.5),), (0.0, 0.3, 0.5)),
    ("nll", (y_at(-40.0, 0.3, 0.5),), (1e-7, 0.3, 0.5)),
    ("log_sf", (y_at(1.5, 0.3, 0.5),), (0.0, 0.3, 0.5)),
    ("log_sf", (y_at(40.0, 0.3, 0.5),), (-1e-7, 0.3, 0.5)),
    ("log_interval", (y_at(20.0, 0.3, 0.5), y_at(20.01, 0.3, 0.5)), (0.3, 0.3, 0.5)),
]
