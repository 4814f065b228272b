"""StudentT(df, loc, scale) in mpmath: tails by the incomplete beta function of z^2 / (df + z^2)."""

import beta as incomplete
from mpmath import log, log1p, loggamma, mp, mpf, pi

DISCRETE = False


def nll(y, df, loc, scale):
    z = (y - loc) / scale
    constant = loggamma(df / 2) - loggamma((df + 1) / 2) + log(df * pi) / 2 + log(scale)
    return constant + (df + 1) / 2 * log1p(z * z / df)


def sf(y, df, loc, scale):
    z = (y - loc) / scale
    with mp.workdps(mp.dps + 20):
        n = df + z * z
        if z > 0:
            return incomplete.lower(df / n, z * z / n, df / 2, mpf(0.5)) / 2
        return (1 + incomplete.lower(z * z / n, df / n, mpf(0.5), df / 2)) / 2 if z else mpf(0.5)


def cdf(y, df, loc, scale):
    return sf(-y, df, -loc, scale)


def interval(lower, upper, *p):
    with mp.workdps(mp.dps + 40):
        if lower > p[1]:
            return sf(lower, *p) - sf(upper, *p)
        return cdf(upper, *p) - cdf(lower, *p)


KINDS = ("nll", "log_cdf", "log_sf")
BULK = [
    (kind, (loc + z * scale,), (df, loc, scale))
    for df, loc, scale, zs in (
        (0.3, 0.0, 1.0, (-2.0, 0.5)),
        (1.0, -2.0, 0.25, (0.01, 1.5)),
        (4.5, 0.4, 0.7, (-3.0, 1e-6, 0.6, 0.7)),
        (30.0, 10.0, 3.0, (-1.0, 2.5)),
        (1e3, 0.0, 1.0, (-0.3, 2.0)),
        (1e6, 0.0, 1.0, (0.4, 3.0)),
        (1e12, 1.0, 2.0, (-1.5,)),
    )
    for z in zs
    for kind in KINDS
] + [("log_interval", ends, (4.5, 0.4, 0.7)) for ends in ((1.0, 1.001), (-1.0, 2.0))]
TAIL = [
    (kind, (z,), (df, 0.0, 1.0))
    for df, zs in (
        (1e-3, (-1e-8, 1.0, 1e10)),
        (0.5, (1e100, 1e200)),
        (3.0, (-40.0, 1e50)),
        (25.0, (12.0, 1e6)),
        (150.0, (40.0,)),
        (1e4, (-30.0, 8.0)),
        (1e6, (20.0, 40.0)),
        (1e10, (-37.0,)),
    )
    for z in zs
    for kind in KINDS
] + [("log_interval", ends, (3.0, 0.0, 1.0)) for ends in ((30.0, 30.01), (30.0, 90.0))]
