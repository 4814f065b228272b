"""GEV(shape, loc, scale) in mpmath."""

from mpmath import exp, expm1, log, log1p, mp, mpf

DISCRETE = False


def variate(y, shape, loc, scale):
    z = (y - loc) / scale
    return z if shape == 0 else log1p(shape * z) / shape


def nll(y, shape, loc, scale):
    t = variate(y, shape, loc, scale)
    return log(scale) + (1 + shape) * t + exp(-t)


def cdf(y, shape, loc, scale):
    return exp(-exp(-variate(y, shape, loc, scale)))


def sf(y, shape, loc, scale):
    return -expm1(-exp(-variate(y, shape, loc, scale)))


def interval(lower, upper, shape, loc, scale):
    with mp.workdps(mp.dps + 40):
        return cdf(upper, shape, loc, scale) - cdf(lower, shape, loc, scale)


def quantile(t, shape, loc, scale):
    """A float near the y whose reduced variate is t."""
    t = mpf(t)
    return float(loc + scale * (t if shape == 0 else expm1(shape * t) / shape))


KINDS = ("nll", "log_cdf", "log_sf")
BULK = [
    (kind, (quantile(t, *params),), params)
    for params in (
        (0.0, 0.0, 1.0),
        (1e-12, 0.0, 1.0),
        (-1e-7, 0.3, 2.0),
        (1e-3, -1.0, 0.7),
        (0.2, 0.5, 0.3),
        (-0.4, 100.0, 15.0),
        (0.9, 0.0, 1.0),
        (-1.4, 0.0, 1.0),
    )
    for t in (-1.1, 0.3, 3.0)
    for kind in KINDS
] + [
    ("log_interval", (quantile(a, *params), quantile(b, *params)), params)
    for params in ((0.0, 1.0, 2.0), (0.3, 1.0, 2.0))
    for a, b in ((0.1, 0.1001), (-0.6, 1.4))
]
TAIL = [
    (kind, (quantile(t, shape, 0.0, 1.0),), (shape, 0.0, 1.0))
    for shape in (0.0, -1e-9, 0.05, -0.05, 0.7)
    for t in (-6.5, 40.0, 690.0)
    for kind in KINDS
    if 1 + shape * quantile(t, shape, 0.0, 1.0) > 1e-13 and quantile(t, shape, 0.0, 1.0) < 1e300
] + [
    ("log_sf", (1e9,), (1e3, 2.0, 3e-5)),
    ("nll", (1e9,), (1e6, 2.0, 3e-5)),
    ("nll", (1e9,), (-1e-9, 2.0, 3e9)),
    ("log_cdf", (3.0,), (1e3, 2.0, 3e-5)),
]
