"""InverseGaussian(mean, shape) in mpmath."""

from mpmath import erfc, exp, log, mp, pi, sqrt

DISCRETE = False


def nll(y, mean, shape):
    return shape * (y - mean) ** 2 / (2 * mean**2 * y) + log(2 * pi * y**3 / shape) / 2


def sf(y, mean, shape):
    with mp.workdps(mp.dps + 60):  # the difference of two terms that agree far out and for large shapes
        near, far = (sqrt(shape / y) * (y / mean + sign) for sign in (-1, 1))
        return (erfc(near / sqrt(2)) - exp(2 * shape / mean) * erfc(far / sqrt(2))) / 2


def cdf(y, mean, shape):
    near, far = (sqrt(shape / y) * (y / mean + sign) for sign in (-1, 1))
    return (erfc(-near / sqrt(2)) + exp(2 * shape / mean) * erfc(far / sqrt(2))) / 2


def interval(lower, upper, mean, shape):
    with mp.workdps(mp.dps + 40):
        if lower > mean:
            return sf(lower, mean, shape) - sf(upper, mean, shape)
        return cdf(upper, mean, shape) - cdf(lower, mean, shape)


def at(score, mean, shape):
    """The y whose signed distance sqrt(shape / y) (y / mean - 1) is score."""
    half = score * float(mean / shape) ** 0.5 / 2
    return mean * (half + (half * half + 1) ** 0.5) ** 2


KINDS = ("nll", "log_cdf", "log_sf")
BULK = [
    (kind, (at(score, *params),), params)
    for params in ((1.0, 1.0), (2.0, 0.3), (0.7, 60.0), (30.0, 1e4))
    for score in (-1.8, -0.2, 0.3, 1.4)
    for kind in KINDS
] + [
    ("log_interval", (at(a, *params), at(b, *params)), params)
    for params in ((1.0, 1.0), (3.0, 0.5))
    for a, b in ((0.1, 0.1001), (-0.6, 1.4))
]
TAIL = [
    (kind, (at(score, *params),), params)
    for params in ((1.0, 1.0), (2.0, 1e-3), (0.7, 1e6))
    for score in (-40.0, -6.0, 6.0, 40.0)
    for kind in KINDS
]
