"""SkewNormal(shape, loc, scale) in mpmath: tails by Owen's T function."""

from mpmath import atan, exp, log, mp, ncdf, pi

DISCRETE = False


def nll(y, shape, loc, scale):
    z = (y - loc) / scale
    with mp.workdps(mp.dps + 40):
        return z**2 / 2 + log(2 * pi) / 2 - log(2) - log(ncdf(shape * z)) + log(scale)


def owen_t(h, a):
    """For a in [0, 1], Owen (1956) equation 4: atan(a) less a series in the terms of a Poisson tail, over 2 pi."""
    x = h**2 / 2
    total, mass, power, j = atan(a), exp(-x), a, 0
    below = mass
    while True:
        term = (1 - below) * power / (2 * j + 1)
        total -= -term if j % 2 else term
        j += 1
        mass *= x / j
        below += mass
        power *= a * a
        if j > x and abs(term) < mp.eps * mp.eps:
            return total / (2 * pi)


def tail(z, a):
    """P(Z > z), absolutely as exact as the working precision."""
    h, size = abs(z), abs(a)
    above = ncdf(-h)
    if size <= 1:
        t = owen_t(h, size)
    else:
        far = ncdf(-size * h)
        t = (above + far) / 2 - above * far - owen_t(size * h, 1 / size)
    return (above if z > 0 else 1 - above) + (2 * t if a > 0 else -2 * t)


def sf(y, shape, loc, scale):
    z = (y - loc) / scale
    with mp.workdps(mp.dps + 30 + int(z**2 * (1 + shape**2) / 4)):
        return tail(z, shape)


def cdf(y, shape, loc, scale):
    return sf(-y, -shape, -loc, scale)


def interval(lower, upper, *params):
    with mp.workdps(mp.dps + 40):
        if lower > params[1]:
            return sf(lower, *params) - sf(upper, *params)
        return cdf(upper, *params) - cdf(lower, *params)


KINDS = ("nll", "log_cdf", "log_sf")
PARAMS = [(0.5, 0.0, 1.0), (-3.0, 0.4, 0.7), (20.0, -120.0, 15.0), (1e-3, 2.0, 1e-3)]
BULK = [
    (kind, (loc + z * scale,), (shape, loc, scale))
    for shape, loc, scale in PARAMS
    for z in (-0.9, -0.02, 0.3, 0.8)
    for kind in KINDS
] + [("log_interval", (low, low + width), (2.0, 0.0, 1.0)) for low in (-0.4, 0.6) for width in (1e-9, 0.3, 2.0)]
TAIL = (
    [(kind, (z,), (shape, 0.0, 1.0)) for shape in (0.5, -0.5) for z in (-9.0, 5.0, 40.0) for kind in KINDS]
    + [(kind, (z,), (shape, 0.25, 2.0)) for shape in (3.0, -3.0) for z in (-3.0, 12.0) for kind in KINDS]
    + [(kind, (z,), (300.0, 0.0, 1.0)) for z in (-0.02, 0.1) for kind in KINDS]
    + [("log_sf", (z,), (-1e-9, 0.0, 1.0)) for z in (8.0, 40.0)]
    + [("log_interval", (z, z + width), (-1.5, 0.0, 1.0)) for z in (-9.0, 7.0) for width in (1e-6, 0.5)]
)
