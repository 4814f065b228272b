"""Cauchy(loc, scale) in mpmath."""

from mpmath import atan, log, mp, pi

DISCRETE = False


def nll(y, loc, scale):
    return log(1 + ((y - loc) / scale) ** 2) + log(pi * scale)


def sf(y, loc, scale):
    z = (y - loc) / scale
    return atan(1 / z) / pi if z > 0 else 0.5 - atan(z) / pi


def cdf(y, loc, scale):
    return sf(-y, -loc, scale)


def interval(lower, upper, loc, scale):
    with mp.workdps(mp.dps + 40):
        a, b = (lower - loc) / scale, (upper - loc) / scale
        angle = atan((b - a) / (1 + a * b))  # of the difference, up to half a turn
        return (angle if 1 + a * b > 0 else angle + pi) / pi


PARAMS = [(0.0, 1.0), (0.4, 0.7), (-120.0, 15.0)]
BULK = [
    (kind, (loc + z * scale,), (loc, scale))
    for loc, scale in PARAMS
    for z in (-2.6, -0.3, 0.01, 1.7, 3.9, 4.1)
    for kind in ("nll", "log_cdf", "log_sf")
] + [
    ("log_interval", (loc + z * scale, loc + (z + width) * scale), (loc, scale))
    for loc, scale in PARAMS[1:]
    for z in (-2.5, 0.0, 1.2)
    for width in (1e-9, 0.3, 4.0)
]
TAIL = [
    (kind, (loc + z * scale,), (loc, scale))
    for loc, scale in PARAMS[:2]
    for z in (-1e9, -40.0, 8.0, 40.0, 1e5, 1e100)
    for kind in ("nll", "log_cdf", "log_sf")
] + [("log_interval", (z, z * (1 + width)), (0.0, 1.0)) for z in (40.0, 1e6, 1e100) for width in (1e-8, 0.2, 5.0)]
