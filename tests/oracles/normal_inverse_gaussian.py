"""NormalInverseGaussian(a, b, loc, scale) in mpmath: tails as those of a normal, mixed over its random variance."""

import math

from mpmath import besselk, erfc, exp, fsum, log, mp, mpf, pi, sqrt

DISCRETE = False


def nll(y, a, b, loc, scale):
    x = (y - loc) / scale
    rho = sqrt(1 + x * x)
    return -log(a) - log(besselk(1, a * rho)) + log(pi * rho * scale) - sqrt(a * a - b * b) - b * x


def sf(y, a, b, loc, scale):
    """E[P(N > (x - b V) / sqrt V)], V inverse Gaussian, by the trapezoidal rule in log V: error
    exp(a |x| - pi^2 / step)."""
    x, g = (y - loc) / scale, sqrt((a - b) * (a + b))
    far = float(a * abs(x))
    step = mpf(1) / (6 + int(far / 8))
    first, last = int(-5 / step), int((math.log((160 + 2 * far) / float(g) ** 2 + 160)) / step)

    def term(i):
        v = exp(i * step)
        return exp(g - (1 / v + g * g * v) / 2) / sqrt(2 * pi * v) * erfc((x - b * v) / sqrt(2 * v)) / 2

    return step * fsum(term(i) for i in range(first, last + 1))


def cdf(y, a, b, loc, scale):
    return sf(-y, a, -b, -loc, scale)


def interval(lower, upper, *params):
    with mp.workdps(mp.dps + 40):
        if lower > params[2]:
            return sf(lower, *params) - sf(upper, *params)
        return cdf(upper, *params) - cdf(lower, *params)


SHAPES = [(1.0, 0.25), (5.0, -3.0), (0.05, 0.0), (40.0, 35.0)]
BULK = [
    ("nll", (loc + scale * (b / math.sqrt(a * a - b * b) + z),), (a, b, loc, scale))
    for a, b in SHAPES
    for loc, scale, z in ((0.0, 1.0, -1.5), (0.0, 1.0, 2.0), (-3.0, 0.5, -0.1), (-3.0, 0.5, 0.3))
] + [(kind, (1.2,), (a, b, 0.5, 2.0)) for a, b in SHAPES[:2] for kind in ("log_cdf", "log_sf")]
TAIL = (
    [
        ("nll", (y,), params)
        for y in (-1e3, 40.0)
        for params in ((2.0, 1.5, 0.0, 1.0), (1e-3, 5e-4, 0.0, 1.0), (1e3, -10.0, 1.0, 3.0))
    ]
    + [(kind, (y,), (2.0, 1.5, 0.0, 1.0)) for y in (12.0,) for kind in ("log_cdf", "log_sf")]
    + [
        (kind, (y,), params)
        for kind, y, params in (
            ("log_sf", 40.0, (2.0, 1.5, 0.0, 1.0)),
            ("log_cdf", -60.0, (2.0, 1.5, 0.0, 1.0)),
            ("log_sf", 8.0, (40.0, 35.0, 0.5, 2.0)),
            ("log_cdf", -9.0, (5.0, -3.0, 0.5, 2.0)),
        )
    ]
    + [("log_interval", (y, y + w), (2.0, 1.5, 0.0, 1.0)) for y, w in ((-7.0, 1e-6),)]
)
