"""LogNormal(mu, sigma) in mpmath."""

from mpmath import erfc, log, mp, pi, sqrt

DISCRETE = False


def nll(y, mu, sigma):
    return ((log(y) - mu) / sigma) ** 2 / 2 + log(y) + log(sigma) + log(2 * pi) / 2


def sf(y, mu, sigma):
    return erfc((log(y) - mu) / sigma / sqrt(2)) / 2


def cdf(y, mu, sigma):
    return erfc((mu - log(y)) / sigma / sqrt(2)) / 2


def interval(lower, upper, mu, sigma):
    with mp.workdps(mp.dps + 40):
        if log(lower) > mu:
            return sf(lower, mu, sigma) - sf(upper, mu, sigma)
        return cdf(upper, mu, sigma) - cdf(lower, mu, sigma)


def at(z, mu, sigma):
    return float(mp.exp(mu + z * sigma))


BULK = [
    (kind, (at(z, mu, sigma),), (mu, sigma))
    for mu, sigma in ((0.0, 1.0), (0.4, 0.7), (-3.0, 0.05))
    for z in (-2.6, -0.3, 0.01, 1.7)
    for kind in ("nll", "log_cdf", "log_sf")
] + [
    ("log_interval", (at(z, 0.4, 0.7), at(z + width, 0.4, 0.7)), (0.4, 0.7))
    for z in (-2.5, 0.0, 1.2)
    for width in (1e-9, 0.3, 4.0)
]
TAIL = [
    (kind, (at(z, mu, sigma),), (mu, sigma))
    for mu, sigma in ((0.0, 1.0), (0.4, 3.0), (12.0, 1e-3))
    for z in (-40.0, -8.0, 6.0, 40.0)
    for kind in ("nll", "log_cdf", "log_sf")
] + [
    ("log_interval", (at(z, 0.0, 1.0), at(z + width, 0.0, 1.0)), (0.0, 1.0))
    for z in (-40.0, 7.0, 40.0)
    for width in (1e-8, 0.05, 5.0)
]
