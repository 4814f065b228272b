"""ContinuousBernoulli(logit) in mpmath."""

from mpmath import exp, expm1, log

DISCRETE = False


def share(y, logit):
    """(e^(logit y) - 1) / logit"""
    return expm1(logit * y) / logit if logit else y


def nll(y, logit):
    return log(share(1, logit)) - logit * y


def cdf(y, logit):
    return share(y, logit) / share(1, logit)


def sf(y, logit):
    return share(1 - y, -logit) / share(1, -logit)


def interval(lower, upper, logit):
    return exp(logit * lower) * share(upper - lower, logit) / share(1, logit)


# through 0, where the uniform distribution is, and through |logit| = 1, where the formula changes
LOGITS = (-8.0, -1.5, -1.0, -0.99, -1e-3, 1e-9, 0.3, 0.999, 1.0, 2.5, 20.0)
BULK = [
    (kind, (y,), (logit,)) for logit in LOGITS for y in (0.03, 0.5, 0.9) for kind in ("nll", "log_cdf", "log_sf")
] + [("log_interval", ends, (logit,)) for logit in LOGITS for ends in ((0.1, 0.30001), (0.02, 0.99))]
TAIL = [
    (kind, (y,), (logit,))
    for logit in (-1e12, -800.0, -60.0, -0.25, 1e-30, 45.0, 720.0, 1e9)
    for y in (1e-14, 0.25, 0.99999)
    for kind in ("nll", "log_cdf", "log_sf")
] + [
    ("log_interval", ends, (logit,))
    for logit in (-700.0, -0.5, 1e-12, 60.0, 1e5)
    for ends in ((1e-9, 1 - 1e-9), (0.3, 0.3 + 1e-12), (0.5, 0.75))
]
