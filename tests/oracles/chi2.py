"""Chi2(df) in mpmath."""

from _incomplete_gamma import both
from mpmath import log, loggamma, mp

DISCRETE = False


def nll(y, df):
    return loggamma(df / 2) + df / 2 * log(2) - (df / 2 - 1) * log(y) + y / 2


def cdf(y, df):
    return both(df / 2, y / 2)[0]


def sf(y, df):
    return both(df / 2, y / 2)[1]


def interval(lower, upper, df):
    with mp.workdps(mp.dps + 40):  # the difference of two tails that agree to 20 digits and more
        if lower > df:
            return sf(lower, df) - sf(upper, df)
        return cdf(upper, df) - cdf(lower, df)


KINDS = ("nll", "log_cdf", "log_sf")
BULK = [
    (kind, (y,), (df,))
    for df, ys in (
        (0.5, (0.01, 0.4, 2.0)),
        (1.0, (0.02, 0.5, 3.84)),
        (2.0, (0.1, 1.5, 6.0)),
        (7.5, (3.0, 7.0, 15.0)),
        (100.0, (80.0, 99.0, 124.3)),
    )
    for y in ys
    for kind in KINDS
] + [("log_interval", (low, low * (1 + width)), (3.0,)) for low in (0.5, 4.0) for width in (1e-9, 0.1, 2.0)]
TAIL = [
    (kind, (y,), (df,))
    for df, ys in (
        (1e-3, (1e-300, 1e-3, 40.0)),
        (1.0, (1e-200, 1600.0)),
        (5.0, (1e-50, 1e-3, 1300.0)),
        (1000.0, (1.0, 500.0, 3000.0)),
        (2e6, (1.94e6, 2e6, 2.08e6)),
    )
    for y in ys
    for kind in KINDS
] + [("log_interval", (low, high), (5.0,)) for low, high in ((1e-60, 2e-60), (100.0, 100.1), (100.0, 130.0))]
