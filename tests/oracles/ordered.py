"""Ordered(link)(loc, thresholds) with two thresholds in mpmath; the data are the class and the number of the link."""

from mpmath import exp, log, log1p, mp, mpf, ncdf

DISCRETE = True
LINKS = ("logit", "probit", "cloglog")
cdf = {"logit": lambda x: 1 / (1 + exp(-x)), "probit": ncdf, "cloglog": lambda x: -mp.expm1(-exp(x))}
sf = {"logit": lambda x: 1 / (1 + exp(x)), "probit": lambda x: ncdf(-x), "cloglog": lambda x: exp(-exp(x))}


def nll(y, link, loc, first, second):
    f, g = cdf[LINKS[int(link)]], sf[LINKS[int(link)]]
    with mp.workdps(mp.dps + 60):  # the difference of two tails that agree to 20 digits and more
        low, high = mpf(first) - loc, mpf(second) - loc
        below, above = f(low), g(high)
        if y == 1:
            inside = g(low) - above if low > 0 else f(high) - below
            return -log(inside) if inside < 0.5 else -log1p(-below - above)
        part, rest = (below, g(low)) if y == 0 else (above, f(high))
        return -log(part) if part < 0.5 else -log1p(-rest)


ENDS = [
    (0.3, -1.0, 0.5),
    (0.25, 0.25 - 2**-30, 0.25 + 2**-30),
    (1.2, 0.7, 1.7),
    (-1.5, -2.0, 1.5),
    (5.0, 0.1, 0.1 + 2**-20),
]
FAR = [
    (loc, first, second)
    for loc, first, second in (
        (-40.0, 0.25, 0.5),
        (40.0, 0.25, 0.26),
        (38.0, 0.5, 0.501),
        (-30.0, 0.5, 4.5),
        (0.5, -39.0, 40.0),
        (700.0, -2.0, 3.0),
        (1e4, 0.5, 0.5001),
    )
]
BULK = [("nll", (float(y), float(link)), params) for link in range(3) for params in ENDS for y in range(3)]
# exp(exp(7)) is all that a cloglog model can hold
TAIL = [
    ("nll", (float(y), float(link)), params)
    for link in range(3)
    for params in FAR
    for y in range(3)
    if link != 2 or abs(params[0]) < 6 or (y == 0 and params[0] > 0) or (y == 1 and params[0] > 0 and params[0] < 50)
]
