"""Against mpmath at 60 digits: values, gradients and Hessians in the bulk and far out."""

import itertools

import mpmath as mp
import pytest

import neglog as nl

INF = float("inf")


def normal_pdf(y, loc, scale):
    return mp.npdf((y - loc) / scale) / scale


def normal_window(a, b, loc, scale):
    low, high = ((mp.mpf(end) - loc) / scale / mp.sqrt(2) for end in (a, b))
    if high <= 0:
        low, high = -high, -low
    return (mp.erfc(low) - mp.erfc(high)) / 2


def poisson_pmf(k, rate):
    return mp.exp(k * mp.log(rate) - rate - mp.loggamma(k + 1)) if k >= 0 else mp.mpf(0)


def poisson_window(a, b, rate):
    first, last = max(int(mp.floor(a)) + 1 if a > -INF else 0, 0), int(min(b, 450))
    term, total = poisson_pmf(first, rate), mp.mpf(0)
    for k in range(first, last + 1):
        total += term
        term *= rate / (k + 1)
    return total


def mixed(pdf, window, k):
    """Density and window of k components, from the odds of each against the first."""

    def split(params):
        raised = [mp.mpf(1), *(mp.exp(p) for p in params[: k - 1])]
        each = (len(params) - k + 1) // k
        return [(w / sum(raised), params[k - 1 + j * each : k - 1 + (j + 1) * each]) for j, w in enumerate(raised)]

    return (
        lambda y, *p: sum(w * pdf(y, *q) for w, q in split(p)),
        lambda a, b, *p: sum(w * window(a, b, *q) for w, q in split(p)),
    )


def inflated(pdf, window):
    return (
        lambda y, *p: (p[-1] if y == 0 else 0) + (1 - p[-1]) * pdf(y, *p[:-1]),
        lambda a, b, *p: (p[-1] if a < 0 <= b else 0) + (1 - p[-1]) * window(a, b, *p[:-1]),
    )


def cut(pdf, window, low, high):
    return (
        lambda y, *p: pdf(y, *p) / window(low, high, *p) if low < y <= high else mp.mpf(0),
        lambda a, b, *p: window(max(a, low), min(b, high), *p) / window(low, high, *p),
    )


NORMAL, POISSON = (normal_pdf, normal_window), (poisson_pmf, poisson_window)
PAIR = mixed(*NORMAL, 2)
CASES = [
    (nl.Truncated("normal", lower=0.0), cut(*NORMAL, 0, INF), (0.3, 1.2), [0.1, 4.0], [(0.5, INF), (-1, 1), (30, 31)]),
    (nl.Truncated("normal", 5.0, 9.0), cut(*NORMAL, 5, 9), (-20.0, 1.5), [5.5, 8.0], [(5, 5.1), (6, 9), (8.9, 9)]),
    (nl.Truncated("poisson", 0), cut(*POISSON, 0, INF), (1e-3,), [1, 4], [(1, INF), (0, 1), (20, INF)]),
    (nl.Truncated("poisson", 2, 9), cut(*POISSON, 2, 9), (80.0,), [3, 9], [(2, 5), (8, 9)]),
    (nl.Mixture("normal", k=2), PAIR, (0.4, -1.0, 0.5, 2.0, 1.5), [0.2, 60], [(-INF, 4.5), (-INF, -30), (0.1, 0.3)]),
    (nl.Mixture("normal", k=2), PAIR, (-80.0, 0.0, 1.0, 5.0, 1.0), [0.2, 7, 35], [(3, INF), (-INF, 8), (20, 21)]),
    (nl.Mixture("normal", k=2), PAIR, (60.0, 0.0, 1.0, 5.0, 1.0), [0.2, -9.0], [(3, INF), (-INF, -3)]),
    (nl.Mixture("poisson", k=3), mixed(*POISSON, 3), (0.5, -2.0, 0.1, 3.0, 40.0), [0, 9, 45], [(-1, 2), (60, 70)]),
    (nl.ZeroInflated("poisson"), inflated(*POISSON), (2.5, 0.4), [0, 3], [(-INF, 0), (-1, 4), (3, INF), (0, 50)]),
    (nl.ZeroInflated("poisson"), inflated(*POISSON), (300.0, 1e-9), [0, 250], [(-INF, 3), (350, INF)]),
    (nl.Hurdle("poisson"), inflated(*cut(*POISSON, 0, INF)), (0.02, 0.7), [0, 3], [(-INF, 0), (0, INF), (2, INF)]),
]


POINTS = [
    pytest.param(f, oracle, params, data, id=f"{f.name} {params} {data}")
    for f, oracle, params, values, windows in CASES
    for data in [*((y,) for y in values), *windows]
]


@pytest.mark.parametrize(("f", "oracle", "params", "data"), POINTS)
def test_against_mpmath(f, oracle, params, data):
    exact = len(data) == 1
    function = oracle[not exact]
    got = f.nll_grad_hess(*data, *params) if exact else f.log_interval_grad_hess(*data, *params)
    count = len(params)

    def value(*p, moved=None):
        return (-1 if exact else 1) * mp.log(function(*(moved or data), *p))

    with mp.workdps(200 if f.discrete else 60):
        p = [mp.mpf(x) for x in params]
        unit = [[int(i == j) for j in range(count)] for i in range(count)]
        pairs = list(itertools.combinations_with_replacement(range(count), 2))

        def derivative(order, moved=None):
            return mp.diff(lambda *x: value(*x, moved=moved), p, order) if any(order) else value(*p, moved=moved)

        def moves(order):
            """What a relative change of each finite end does."""
            step, found = mp.mpf(10) ** -15, mp.mpf(0)
            for i, end in enumerate(data):
                if not f.discrete and abs(end) < INF:
                    ends = [[*data[:i], end * (1 + sign * step), *data[i + 1 :]] for sign in (1, -1)]
                    found += abs(derivative(order, ends[0]) - derivative(order, ends[1])) / (2 * step)
            return found

        want = derivative([0] * count)
        grad = [derivative(order) for order in unit]
        hess = {(i, j): derivative([x + y for x, y in zip(unit[i], unit[j], strict=True)]) for i, j in pairs}
        full = hess | {(j, i): entry for (i, j), entry in hess.items()}
        size = max(abs(want), sum(abs(x * g) for x, g in zip(p, grad, strict=True)) + moves([0] * count))
        if isinstance(f, nl.Truncated):  # of two logarithms, each rounded
            size = max(size, abs(f.family.log_interval(f.lower, f.upper, *params)))
        close(got[0], want, size, 1e-14 if exact else 1e-12)
        for i in range(count):
            size = abs(grad[i]) + sum(abs(p[j] * full[i, j]) for j in range(count)) + moves(unit[i])
            close(got[1][i], grad[i], size, 1e-12)
        for i, j in pairs:
            size = max(abs(full[i, j]), mp.sqrt(abs(full[i, i] * full[j, j])), abs(grad[i] * grad[j]))
            close(got[2][i, j], full[i, j], size, 1e-10)


def close(found, want, size, tolerance):
    error = abs(mp.mpf(float(found)) - want)
    assert error <= tolerance * size + mp.mpf(10) ** -300, (float(found), mp.nstr(want, 17), mp.nstr(error / size, 3))
