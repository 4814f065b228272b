"""GeneralizedPareto(shape, scale) in mpmath."""

from mpmath import exp, expm1, log, log1p, mp, mpf

DISCRETE = False


def exponent(y, shape, scale):
    x = y / scale
    return x if shape == 0 else log1p(shape * x) / shape


def nll(y, shape, scale):
    return log(scale) + (1 + shape) * exponent(y, shape, scale)


def sf(y, shape, scale):
    return exp(-exponent(y, shape, scale))


def cdf(y, shape, scale):
    return -expm1(-exponent(y, shape, scale))


def interval(lower, upper, shape, scale):
    with mp.workdps(mp.dps + 40):
        return sf(lower, shape, scale) - sf(upper, shape, scale)


def quantile(log_sf, shape, scale):
    """A float near the y with that log P(Y > y)."""
    t = mpf(-log_sf)
    return float(scale * (t if shape == 0 else expm1(shape * t) / shape))


SHAPES = [0.0, 1e-12, -1e-7, 1e-3, 0.24, -0.24, 0.9, -0.6, 2.5]
KINDS = ("nll", "log_cdf", "log_sf")
BULK = [
    (kind, (quantile(t, shape, scale),), (shape, scale))
    for shape, scale in [*((k, 1.0) for k in SHAPES), (0.3, 40.0)]
    for t in (-0.03, -0.7, -2.0)
    for kind in KINDS
] + [
    ("log_interval", (quantile(a, shape, 2.0), quantile(b, shape, 2.0)), (shape, 2.0))
    for shape in (0.0, 0.4, -0.4)
    for a, b in ((-0.1, -0.1001), (-0.6, -1.4), (-2.0, -5.0))
]
TAIL = [
    (kind, (quantile(t, shape, 1.0),), (shape, 1.0))
    for shape in (0.0, 1e-9, -1e-9, 0.05, -0.05, 1.5, -1.5)
    for t in (-1e-300, -1e-12, -40.0, -690.0)
    for kind in KINDS
    if 1e-13 < 1 + shape * quantile(t, shape, 1.0) < 1e300
] + [(kind, (y,), (shape, 3e-5)) for shape in (1e-3, 1e6) for y in (1e-9, 1.0) for kind in KINDS]
