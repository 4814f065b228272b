"""Bernoulli(logit) in mpmath."""

from mpmath import exp, log1p

DISCRETE = True


def nll(y, logit):
    return log1p(exp(-logit if y == 1 else logit))


def cdf(y, logit):
    return 0 if y < 0 else exp(-nll(0, logit)) if y < 1 else 1


def sf(y, logit):
    return 1 if y < 0 else exp(-nll(1, logit)) if y < 1 else 0


def interval(lower, upper, logit):
    return sum(exp(-nll(j, logit)) for j in range(int(lower) + 1, int(upper) + 1))


KINDS = [
    ("nll", (0.0,)),
    ("nll", (1.0,)),
    ("log_cdf", (0.0,)),
    ("log_sf", (0.0,)),
    ("log_interval", (0.0, 1.0)),
]
BULK = [(kind, data, (logit,)) for logit in (-3.0, -0.7, -1e-9, 0.5, 1.0, 4.0) for kind, data in KINDS]
TAIL = [(kind, data, (logit,)) for logit in (-700.0, -40.0, -20.0, 15.0, 37.0, 100.0, 740.0) for kind, data in KINDS]
