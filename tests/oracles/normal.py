"""Normal(loc, scale) in mpmath."""

from mpmath import erfc, log, mp, pi, sqrt

DISCRETE = False


def nll(y, loc, scale):
    return ((y - loc) / scale) ** 2 / 2 + log(scale) + log(2 * pi) / 2


def sf(y, loc, scale):
    return erfc((y - loc) / scale / sqrt(2)) / 2


def cdf(y, loc, scale):
    return sf(-y, -loc, scale)


def interval(lower, upper, loc, scale):
    with mp.workdps(mp.dps + 40):  # the difference of two tails that agree to 20 digits and more
        if lower > loc:
            return sf(lower, loc, scale) - sf(upper, loc, scale)
        return cdf(upper, loc, scale) - cdf(lower, loc, scale)


PARAMS = [(0.0, 1.0), (0.4, 0.7), (-120.0, 15.0), (2.0, 1e-3)]
Z = [-3.0, -1.7, -0.3, 0.0, 0.01, 1.0, 1.999, 2.001, 2.6]
BULK = (
    [
        (kind, (loc + z * scale,), (loc, scale))
        for loc, scale in PARAMS
        for z in Z
        for kind in ("nll", "log_cdf", "log_sf")
    ]
    + [
        ("log_interval", (loc + z * scale, loc + (z + width) * scale), (loc, scale))
        for loc, scale in PARAMS[:3]
        for z in (-2.5, -0.6, 0.0, 1.2)
        for width in (1e-9, 1e-3, 0.3, 0.7, 1.3, 4.0)
    ]
    + [
        # just across the median, where the choice between the two tails is made
        ("log_interval", (low, high), (0.0, 1.0))
        for low in (-1e-9, -0.1)
        for high in (0.2, 1.5, 5.7, 9.0)
    ]
)
TAIL = [
    (kind, (loc + sign * z * scale,), (loc, scale))
    for loc, scale in PARAMS[:2]
    for z in (4.0, 8.0, 12.5, 20.0, 37.0, 40.0, 100.0, 1e4, 1e8)
    for sign in (-1, 1)
    for kind in ("nll", "log_cdf", "log_sf")
] + [
    ("log_interval", (loc + z * scale, loc + (z + width) * scale), (loc, scale))
    for loc, scale in PARAMS[:2]
    for z in (-1000.0, -40.0, -9.0, 7.0, 40.0, 1000.0)
    for width in (1e-8, 1e-4, 0.01, 0.05, 0.5, 5.0, 80.0)
]
