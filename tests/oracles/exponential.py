"""Exponential(scale) in mpmath."""

from mpmath import exp, expm1, log

DISCRETE = False


def nll(y, scale):
    return y / scale + log(scale)


def sf(y, scale):
    return exp(-y / scale)


def cdf(y, scale):
    return -expm1(-y / scale)


def interval(lower, upper, scale):
    return sf(lower, scale) * -expm1((lower - upper) / scale)


BULK = [
    (kind, (scale * z,), (scale,))
    for scale in (1.0, 0.7, 300.0)
    for z in (0.003, 0.1, 0.4, 0.7, 1.6, 6.0)
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
    for z in (1e-300, 1e-30, 1e-8, 40.0, 700.0, 1e6)
    for kind in ("nll", "log_cdf", "log_sf")
] + [("log_interval", (z, z * (1 + width)), (1.0,)) for z in (1e-100, 1e-9, 40.0, 1e4) for width in (1e-10, 0.1, 10.0)]
