"""Rice(nu, scale) in mpmath: Marcum's Q function by its Neumann series of Bessel functions."""

from mpmath import besseli, exp, log, mp, sqrt

DISCRETE = False


def nll(y, nu, scale):
    return (y**2 + nu**2) / (2 * scale**2) - log(y / scale**2) - log(besseli(0, y * nu / scale**2))


def neumann(ratio, x, first):
    """exp(-x) sum_{n >= first} ratio^n I_n(x), by Miller's downward recurrence."""
    top = int(30 * sqrt(x) + 150)
    above, here = mp.mpf(0), mp.mpf(1)
    values = [here]
    for n in range(top, 0, -1):
        above, here = here, above + 2 * n / x * here
        values.append(here)
    values.reverse()
    total = mp.polyval(values[: first - 1 if first else None : -1], ratio) * ratio**first
    return total / (2 * mp.fsum(values[1:]) + values[0])


def sf(y, nu, scale):
    return 1 - small(y, nu, scale) if y < abs(nu) else small(y, nu, scale)


def cdf(y, nu, scale):
    return small(y, nu, scale) if y < abs(nu) else 1 - small(y, nu, scale)


def small(y, nu, scale):
    """P(Y <= y) below nu, P(Y > y) from there on."""
    a, b = abs(nu) / scale, y / scale
    with mp.workdps(mp.dps + 20):
        if a == 0:
            return exp(-(b**2) / 2)
        weight = exp(-((a - b) ** 2) / 2)
        return weight * (neumann(b / a, a * b, 1) if b < a else neumann(a / b, a * b, 0))


def interval(lower, upper, nu, scale):
    with mp.workdps(mp.dps + 40):
        return cdf(upper, nu, scale) - cdf(lower, nu, scale)


KINDS = ("nll", "log_cdf", "log_sf")
BULK = [
    (kind, (y,), (nu, scale))
    for nu, scale, ys in (
        (0.0, 1.3, (0.3, 1.5, 3.4)),
        (1.0, 1.0, (0.2, 1.6, 3.0)),
        (3.0, 1.1, (1.4, 2.9, 4.8)),
        (50.0, 2.0, (47.0, 50.1, 54.0)),
        (7.9, 1.0, (1.01, 7.0, 9.0)),
    )
    for y in ys
    for kind in KINDS
] + [
    ("log_interval", ends, (nu, scale))
    for nu, scale, ends in ((1.0, 1.0, (0.5, 0.5004)), (1.0, 1.0, (0.5, 2.0)), (9.0, 2.0, (12.0, 13.0)))
]
TAIL = [
    (kind, (y,), (nu, 1.0))
    for nu, ys in ((0.0, (1e-4, 40.0)), (1e-3, (1e-9, 40.0)), (1.0, (1e-5, 41.0)), (45.0, (1e-3, 5.0, 85.0)))
    for y in ys
    for kind in KINDS
] + [("nll", (1e6 + 3.0,), (1e6, 1.0)), ("log_sf", (3e3 + 30.0,), (3e3, 1.0))]
