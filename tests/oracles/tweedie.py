"""Tweedie(mean, dispersion, power) in mpmath: the Poisson number of gamma jumps, term by term."""

from mpmath import exp, gamma, log, loggamma, mp

DISCRETE = False


def pieces(mean, dispersion, power):
    """Rate, shape and scale of the jumps."""
    rate = mean ** (2 - power) / (dispersion * (2 - power))
    return rate, (2 - power) / (power - 1), dispersion * (power - 1) * mean ** (power - 1)


def total(terms):
    """Their sum, until they no longer count; they rise to one largest and fall."""
    out, last = mp.mpf(0), mp.mpf(0)
    for term in terms:
        out += term
        if term < last / 2 and term < out * mp.eps:
            return out
        last = term


def numbers():
    n = 1
    while True:
        yield n
        n += 1


def nll(y, *params):
    rate, shape, scale = pieces(*params)
    if y == 0:
        return rate
    z, x = log(rate) + shape * log(y / scale), y / scale
    return rate + x + log(y) - log(total(exp(n * z - loggamma(n * shape)) / mp.factorial(n) for n in numbers()))


def jumped(y, *params):
    """P(0 < Y <= y)."""
    rate, shape, scale = pieces(*params)
    x, power = y / scale, (y / scale) ** shape

    def terms():
        weight = exp(-rate - x)
        for n in numbers():
            weight *= rate * power / n
            series = term = mp.mpf(1)
            for k in numbers():
                term *= x / (n * shape + k)
                series += term
                if term < series * mp.eps:
                    break
            yield weight * series / gamma(n * shape + 1)

    return total(terms())


def cdf(y, *params):
    with mp.workdps(mp.dps + 60):
        return exp(-pieces(*params)[0]) + (jumped(y, *params) if y > 0 else 0)


def sf(y, *params):
    with mp.workdps(mp.dps + 60):
        return 1 - cdf(y, *params)


def interval(lower, upper, *params):
    with mp.workdps(mp.dps + 60):
        return jumped(upper, *params) - (jumped(lower, *params) if lower > 0 else 0)


TAILS = ("log_cdf", "log_sf")
BULK = (
    [
        ("nll", (y,), params)
        for params, values in (
            ((1.0, 1.0, 1.5), (0.0, 1e-3, 0.3, 2.0, 7.0)),
            ((40.0, 0.3, 1.25), (20.0, 41.0)),
            ((0.2, 2.0, 1.75), (0.0, 0.01, 0.5)),
            ((2.0, 0.1, 1.9), (0.4, 2.1)),
        )
        for y in values
    ]
    + [(kind, (y,), (1.0, 1.0, 1.5)) for y in (0.0, 0.3, 2.0) for kind in TAILS]
    + [(kind, (0.5,), (0.2, 2.0, 1.75)) for kind in TAILS]
    + [("log_interval", ends, (1.0, 1.0, 1.5)) for ends in ((0.0, 0.5), (0.4, 0.41), (0.0, 9.0), (0.3, 4.0))]
)
TAIL = [
    ("nll", (y,), params)
    for params, values in (
        ((1.0, 1.0, 1.5), (1e-200, 60.0)),
        ((3.0, 0.5, 1.02), (1.4, 3.0)),
        ((1.0, 1.0, 1.98), (1e-9, 1.0, 9.0)),
        ((1e-6, 1.0, 1.5), (1e-6,)),
        ((100.0, 0.5, 1.5), (90.0,)),
    )
    for y in values
] + [
    (kind, (y,), params)
    for params, values in (
        ((1.0, 1.0, 1.5), (1e-30, 20.0)),
        ((2.0, 0.5, 1.1), (1.0, 12.0)),
        ((1.0, 1.0, 1.9), (1e-9, 6.0)),
        ((1e-6, 1.0, 1.5), (1e-6,)),
    )
    for y in values
    for kind in TAILS
]
