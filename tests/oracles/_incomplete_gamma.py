"""The regularised incomplete gamma functions at any precision, for the oracles of the families that have them.

mpmath's own are slow for large arguments. Either value may underflow the working precision of the other.
"""

from mpmath import exp, log, loggamma, mp, mpf, sqrt


def both(a, x):
    """P(a, x) and Q(a, x); the smaller has all digits of the working precision."""
    if x > a + 3 * sqrt(a) + 3:
        q = exp(log_weight(a, x)) * a / fraction(a, x)
        return 1 - q, q
    with mp.workdps(mp.dps + 20):
        p = exp(log_weight(a, x)) * series(a, x)
        return p, 1 - p


def log_weight(a, x):
    return a * log(x) - x - loggamma(1 + a)


def series(a, x):
    """1 + x / (a + 1) + x^2 / ((a + 1) (a + 2)) + ... (Abramowitz and Stegun 6.5.29), in integers times 2^-bits."""
    bits = mp.prec + 40
    step, over, under = int(mp.ldexp(x, bits)), int(mp.ldexp(a, bits)), 1 << bits
    term = total = under
    while term:
        over += under
        term = term * step // over
        total += term
    return mp.ldexp(mpf(total), -bits)


def fraction(a, x):
    """x^a e^-x / Gamma(a, x) as Legendre's continued fraction (6.5.31), by the modified Lentz method."""
    out = c = b = x + 1 - a
    d = i = 0
    while True:
        i += 1
        term = i * (a - i)
        b += 2
        d = 1 / (b + term * d)
        c = b + term / c
        out *= c * d
        if abs(c * d - 1) < 10 * mp.eps:
            return out
