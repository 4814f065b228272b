"""VonMises(loc, concentration) in mpmath."""

from mpmath import acos, besseli, cos, exp, floor, log, mp, pi, quad

DISCRETE = False


def nll(y, loc, concentration):
    return log(2 * pi * besseli(0, concentration)) - concentration * cos(y - loc)


def arc(low, high, concentration):
    """Probability of the angles between them, both in [0, pi]; beyond exp(-260) of the first nothing counts."""
    floor_of_cos = cos(low) - 260 / concentration
    if floor_of_cos > -1:
        high = min(high, acos(floor_of_cos))
    nodes = [low + (high - low) * j / 8 for j in range(9)]
    total = quad(lambda t: exp(concentration * (cos(t) - cos(low))), nodes, method="gauss-legendre")
    return total * exp(-nll(low, 0, concentration))


def sf(y, loc, concentration):
    d = y - loc
    return arc(d, pi, concentration) if d >= 0 else 1 - arc(-d, pi, concentration)


def cdf(y, loc, concentration):
    return sf(-y, -loc, concentration)


def interval(lower, upper, loc, concentration):
    total, start = mp.mpf(0), lower - loc
    while start < upper - loc:  # half turn by half turn
        turn = floor(start / pi)
        stop = min((turn + 1) * pi, upper - loc)
        ends = (start - turn * pi, stop - turn * pi)
        if int(turn) % 2:
            ends = (pi - ends[1], pi - ends[0])
        total += arc(*ends, concentration)
        start = stop
    return total


KINDS = ("nll", "log_cdf", "log_sf")
BULK = [
    (kind, (loc + d,), (loc, concentration))
    for loc, concentration, ds in (
        (0.5, 0.1, (-2.5, 0.0, 1.5)),
        (-1.0, 2.0, (-1.2, 0.3, 2.0)),
        (3.0, 7.9, (-0.5, 0.25, 1.0)),
        (0.0, 50.0, (-0.2, 0.05, 0.4)),
    )
    for d in ds
    for kind in KINDS
]
TAIL = (
    [
        (kind, (loc + d,), (loc, concentration))
        for loc, concentration, ds in (
            (0.5, 1e-3, (-3.14, 3.1)),
            (0.0, 8.1, (-3.0, 3.14159)),
            (0.2, 300.0, (-2.0, 1.0, 3.1)),
            (0.0, 1e6, (-0.5, -0.04, 0.01)),
        )
        for d in ds
        for kind in KINDS
    ]
    + [("nll", (100.3,), (0.2, 3.0)), ("nll", (-7.0,), (0.2, 3.0))]
    + [
        ("log_interval", (low, high), (0.2, concentration))
        for concentration in (0.5, 40.0)
        for low, high in ((-0.3, 0.1), (1.0, 1.00001), (-3.0, -0.5), (2.5, 4.5), (2.0, 7.0), (19.0, 20.0))
    ]
)
