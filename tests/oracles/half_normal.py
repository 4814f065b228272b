"""HalfNormal(scale) in mpmath."""

from mpmath import erf, erfc, log, mp, pi, sqrt

DISCRETE = False


def nll(y, scale):
    return (y / scale) ** 2 / 2 + log(scale) + log(pi / 2) / 2


def sf(y, scale):
    return erfc(y / scale / sqrt(2))


def cdf(y, scale):
    return erf(y / scale / sqrt(2))


def interval(lower, upper, scale):
    with mp.workdps(mp.dps + 40):
        return sf(lower, scale) - sf(upper, scale) if lower > scale else cdf(upper, scale) - cdf(lower, scale)


BULK = [
    (kind, (scale * z,), (scale,))
    for scale in (1.0, 0.7, 300.0)
    for z in (0.1, 0.6, 0.99, 1.01, 1.99, 2.01, 3.0)
    for kind in ("nll", "log_cdf", "log_sf")
] + [
    ("log_interval", (scale * z, scale * (z + width)), (scale,))
    for scale in (0.7, 300.0)
    for z in (0.03, 1.2)
    for width in (1e-9, 0.2, 3.0)
]
TAIL = [
    (kind, (scale * z,), (scale,))
    for scale in (0.7, 1e-3)
    for z in (1e-300, 1e-30, 1e-8, 8.0, 37.0, 40.0, 1e6)
    for kind in ("nll", "log_cdf", "log_sf")
] + [("log_interval", (z, z * (1 + width)), (1.0,)) for z in (1e-100, 1e-9, 40.0, 1e4) for width in (1e-8, 0.1, 10.0)]
