"""BetaMean(mean, precision) in mpmath: Beta(mean precision, (1 - mean) precision)."""

import beta

DISCRETE = False


def shapes(mean, precision):
    return mean * precision, (1 - mean) * precision


def nll(y, *p):
    return beta.nll(y, *shapes(*p))


def cdf(y, *p):
    return beta.cdf(y, *shapes(*p))


def sf(y, *p):
    return beta.sf(y, *shapes(*p))


def interval(lower, upper, *p):
    return beta.interval(lower, upper, *shapes(*p))


KINDS = ("nll", "log_cdf", "log_sf")
BULK = [
    (kind, (y,), params)
    for params, ys in (
        ((0.5, 1.0), (0.001, 0.97)),
        ((0.4, 5.0), (0.05, 0.3, 0.8)),
        ((0.003, 7.5), (1e-30, 1e-4)),
        ((0.97, 36.0), (0.9, 0.97)),
        ((0.8, 5000.0), (0.79, 0.805)),
        ((0.5, 2e6), (0.4995, 0.5003)),
    )
    for y in ys
    for kind in KINDS
] + [("log_interval", ends, (0.4, 5.0)) for ends in ((0.2, 0.2001), (0.6, 0.95))]
TAIL = [
    (kind, (y,), params)
    for params, ys in (
        ((0.5, 0.002), (1e-300, 0.5)),
        ((1e-9, 1e6), (1e-3,)),
        ((0.4, 5.0), (1e-150, 1 - 1e-15)),
        ((0.75, 1.2e6), (0.735, 0.7631)),
        ((0.12, 100.0), (1e-6, 0.9)),
    )
    for y in ys
    for kind in KINDS
] + [("log_interval", ends, (0.4, 5.0)) for ends in ((1e-9, 2e-9), (0.999, 0.9991))]
