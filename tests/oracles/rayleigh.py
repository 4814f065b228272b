"""Rayleigh(scale) in mpmath."""

from mpmath import exp, expm1, log, mp

DISCRETE = False


def nll(y, scale):
    return (y / scale) ** 2 / 2 - log(y / scale**2)


def sf(y, scale):
    return exp(-((y / scale) ** 2) / 2)


def cdf(y, scale):
    return -expm1(-((y / scale) ** 2) / 2)


def interval(lower, upper, scale):
    with mp.workdps(mp.dps + 40):
        return sf(lower, scale) * -expm1((lower - upper) * (lower + upper) / scale**2 / 2)


BULK = [
    (kind, (scale * z,), (scale,))
    for scale in (1.0, 0.7, 300.0)
    for z in (0.1, 0.6, 1.1, 1.4, 3.0)
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
    for z in (1e-200, 1e-30, 1e-8, 8.0, 40.0, 1e6)
    for kind in ("nll", "log_cdf", "log_sf")
] + [("log_interval", (z, z * (1 + width)), (1.0,)) for z in (1e-100, 1e-9, 40.0, 1e4) for width in (1e-10, 0.1, 10.0)]
