"""GeneralizedPoisson(rate, dispersion) in mpmath: tails summed term by term."""

from mpmath import exp, fsum, log, loggamma, mp

DISCRETE = True


def nll(y, rate, dispersion):
    m = rate + dispersion * y
    return m - (y - 1) * log(m) - log(rate) + loggamma(y + 1)


def terms(y, rate, dispersion, step):
    """P(y) + P(y + step) + ..., until the terms no longer count or there are none."""
    total, k, limit = mp.mpf(0), y, dispersion * exp(1 - dispersion)
    factorial, last = mp.factorial(y), mp.inf
    while k >= 0:
        m = rate + dispersion * k
        term = rate * exp((k - 1) * log(m) - m) / factorial
        total += term
        ratio = max(term / last, limit)  # of all terms from here on, past the mode
        if ratio < 1 and term < (1 - ratio) * total * mp.eps:
            break
        factorial, last = factorial * (k + 1) if step > 0 else factorial / max(k, 1), term
        k += step
    return total


def sf(y, rate, dispersion):
    with mp.workdps(mp.dps + 20):
        if y < rate / (1 - dispersion):
            return 1 - terms(int(y), rate, dispersion, -1)
        return terms(int(y) + 1, rate, dispersion, 1)


def cdf(y, rate, dispersion):
    with mp.workdps(mp.dps + 20):
        if y < rate / (1 - dispersion):
            return terms(int(y), rate, dispersion, -1)
        return 1 - terms(int(y) + 1, rate, dispersion, 1)


def interval(lower, upper, *params):
    return fsum(exp(-nll(mp.mpf(j), *params)) for j in range(int(lower) + 1, int(upper) + 1))


KINDS = ("nll", "log_cdf", "log_sf")
BULK = [
    (kind, (float(y),), params)
    for params, counts in (
        ((2.0, 0.5), (0, 1, 3, 9)),
        ((0.3, 0.1), (0, 1, 2)),
        ((40.0, 0.25), (45, 53, 60)),
        ((200.0, 1e-3), (190, 210)),
    )
    for y in counts
    for kind in KINDS
] + [("log_interval", (low, high), (2.0, 0.5)) for low, high in ((0.0, 1.0), (1.0, 4.0), (2.0, 40.0))]
TAIL = [
    (kind, (float(y),), params)
    for params, counts in (
        ((2.0, 0.5), (60, 400)),
        ((1e-8, 0.3), (0, 20)),
        ((0.5, 0.7), (0, 100)),
        ((100.0, 0.5), (20, 90, 400)),
        ((25.0, 1e-9), (0, 90)),
    )
    for y in counts
    for kind in KINDS
]
