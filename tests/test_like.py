"""neglog.like against numbers that MATLAB, GNU Octave and books print.

Unless said otherwise a number is from the tests of Octave's statistics package (inst/Distribution_Fitting/*like.m),
many of which were compared with MATLAB; its printed digits must agree to half a unit of the last.
"""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import optimize, stats

import neglog as nl
from neglog.like import FUNCTIONS

X = np.arange(1, 51.0)
CENSORED = np.ones(50)
CENSORED[[1, 3, 5, 7, 11, 13]] = 0
PARETO = np.array([2.2196, 11.9301, 4.3673, 1.0949, 6.5626, 1.2109, 1.8576, 1.0039, 12.7917, 2.2590]) - 1
DATA = Path(__file__).parent / "data"


def digits(printed):
    """A printed number and half a unit of its last digit."""
    text = printed.lower().lstrip("-")
    mantissa, _, exponent = text.partition("e")
    decimals = len(mantissa.partition(".")[2]) - int(exponent or 0)
    # an answer printed with all its digits is off by the other program's rounding
    return float(printed), max(0.5 * 10.0**-decimals, 1e-12 * abs(float(printed)))


def agrees(value, printed):
    expected, tolerance = digits(printed)
    assert value == pytest.approx(expected, rel=0, abs=tolerance)


VALUES = [
    ("normlike", [2.3, 1.2], X, "13014.95883783327"),
    ("normlike", [2.3, 1.2], X / 2, "2854.802587833265"),
    ("normlike", [21, 15], X, "206.738325604233"),
    ("lognlike", [0, 0.25], X, "3962.330333301793"),
    ("lognlike", [0, 0.25], X / 2, "2473.183051225747"),
    ("lognlike", [0, 0.5], X, "1119.072424020455"),
    ("betalike", [2.3, 1.2], np.arange(1, 100, 2) / 100, "17.873477715879040"),
    ("betalike", [1, 4], np.arange(1, 100, 2) / 100, "79.648061114839550"),
    ("betalike", [1, 4], np.arange(0, 101, 2) / 100, "573.2008434477486"),  # with an exact 0 and an exact 1
    ("evlike", [21, 15], X, "223.7612479380652"),
    ("evlike", [2.3, 1.2], X / 2, "481898704.0472211"),
    ("evlike", [2.3, 1.2], X, "3.242264755689906e17"),
    ("explike", 5, [12], "4.0094"),
    ("explike", 2, X[:5], "10.9657"),
    ("gamlike", [2, 3], X[1:9], "19.4426"),
    ("gamlike", [2, 3], X[4:45], "305.8070"),
    ("gamlike", [2, 13], X[4:45], "163.2261"),
    ("gevlike", [0.2, 0.3, 0.5], [1], "0.75942"),
    ("gevlike", [0, 0.3, 0.5], [1], "0.65157"),
    ("gevlike", [-0.2, 0.3, 0.5], [-5, -4, -3, -2, -1], "3786.4"),
    ("gplike", [0.893710299404345, 1.322962458731574], PARETO, "21.735838309709596"),  # MATLAB R2024a
    ("gplike", [2, 3], X[:10], "32.57864322725392"),
    ("gplike", [1, 2], X[:10], "31.65666282460443"),
    ("gplike", [2, 3], [4], "3.047536764863501"),
    ("nbinlike", [2.42086, 0.0867043], X, "205.5942"),
    ("nbinlike", [3.58823, 0.254697], X[:20], "63.6435"),
    ("nbinlike", [8.80671, 0.615565], X[:10], "24.7410"),
    ("nbinlike", [22.1756, 0.831306], X[:8], "17.9528"),
    ("wbllike", [2.3, 1.2], X, "945.9589180651594"),
    ("wbllike", [2.3, 1.2], X / 2, "424.9879809704742"),
    ("wbllike", [21, 15], X, "1635190.328991511"),
    ("logilike", [25.5, 8.7725], X, "206.6769"),
    ("logilike", [3, 0.8645], X[:5], "9.0699"),
    ("logllike", [3.09717, 0.468525], X, "211.2965"),
    ("logllike", [1.01124, 0.336449], X[:5], "9.2206"),
    ("nakalike", [0.735504, 858.5], X, "202.8689"),
    ("nakalike", [1.17404, 11], X[:5], "8.6976"),
    ("ricelike", [15.3057344, 17.6668458], X, "204.5230311010569"),
    ("ricelike", [2.312346885, 1.681228265], X[:5], "8.65562164930058"),
    ("poisslike", 3.25, [1, 3, 2, 4, 5, 4, 3, 4], "13.9533"),
    ("raylike", 3.25, [1, 3, 2, 4, 5, 4, 3, 4], "14.7442"),
    ("rayllike", 3.25, [1, 3, 2, 4, 5, 4, 3, 4], "14.7442"),
    ("bisalike", [16.2649, 1.0156], X, "215.5905"),
    ("bisalike", [2.5585, 0.5839], X[:5], "8.9950"),
    ("invglike", [25.5, 19.6973], X, "219.1516"),
    ("invglike", [3, 8.1081], X[:5], "9.0438"),
    ("hnlike", [0, math.sqrt(143.5)], X[:20], "64.179177404891300"),
    ("binolike", [3, 0.333], [0, 1, 2, 3], "6.8302"),
    ("tlslike", [0.035893, 0.862711, 0.649261], [-1.2352, -0.2741, 0.1726, 7.4356, 1.0392, 16.4165], "17.9979636579"),
    # MathWorks' page on negative loglikelihood functions, by formula at one datum
    ("gamlike", [2, 3], [1.7], "2.2332629929407157"),
    ("gevlike", [0.1, 1, 0], [1.7], "1.9350786201916166"),
    ("gplike", [0.2, 1], [1.7], "1.75601768377692"),
    ("evlike", [0, 1], [1.7], "3.7739473917271997"),
    ("lognlike", [0.2, 0.5], [1.7], "0.975049684507757"),
    ("explike", [2], [1.7], "1.5431471805599453"),
    ("betalike", [2, 3], [0.3], "-0.5675839575845993"),
    ("nbinlike", [3, 0.4], [2], "1.9787639739263914"),
]


@pytest.mark.parametrize(("function", "params", "data", "printed"), VALUES)
def test_published_values(function, params, data, printed):
    agrees(FUNCTIONS[function](params, data).nlogL, printed)


CENSORED_VALUES = [
    ("normlike", [21, 15], "86.9254371829733"),
    ("lognlike", [0, 0.5], "1091.746371145497"),
    ("lognlike", [0, 1], "349.3969104144271"),
]


@pytest.mark.parametrize(("function", "params", "printed"), CENSORED_VALUES)
def test_published_censored_values(function, params, printed):
    agrees(FUNCTIONS[function](params, X, CENSORED).nlogL, printed)


COVARIANCES = [
    ("normlike", [2.3, 1.2], X, None, ".75767 -.018850 4.8750e-4"),
    ("normlike", [2.3, 1.2], X / 2, None, "3.0501e-01 -1.5859e-02 9.1057e-04"),
    ("normlike", [21, 15], X, None, "5.460474308300396 -1.600790513833993 2.667984189723321"),
    ("normlike", [21, 15], X, CENSORED, "24.4824488866131 -10.6649544179636 6.22827849965737"),
    ("lognlike", [0, 0.25], X, None, "-5.4749e-3 2.8308e-4 -1.1916e-5"),
    ("lognlike", [0, 0.5], X, None, "-2.1152e-2 2.2017e-3 -1.8535e-4"),
    ("lognlike", [0, 0.5], X, CENSORED, "-1.9823e-02 2.0370e-03 -1.6618e-04"),
    ("lognlike", [0, 1], X, CENSORED, "-6.8634e-02 1.3968e-02 -2.1664e-03"),
    ("betalike", [2.3, 1.2], np.arange(1, 100, 2) / 100, None, ".2089689389 .0736745750 .0473191536"),  # by mpmath
    ("evlike", [21, 15], X, None, "11.73913876598908 -5.954612852312121 3.708060045170236"),
    ("evlike", [2.3, 1.2], X, None, "-1.2778e-13 3.1859e-15 -7.9430e-17"),
    ("evlike", [2.3, 1.2], X / 2, None, "-7.6094e-05 3.9819e-06 -2.0836e-07"),
    ("explike", 5, [12], None, "6.5789"),
    ("explike", 2, X[:5], None, ".4"),
    ("gamlike", [2, 3], X[1:9], None, "2.7819 -5.0073 9.6882"),
    ("gamlike", [2, 3], X[4:45], None, ".0423 -.0087 .0167"),
    ("gamlike", [2, 13], X[4:45], None, ".2362 -1.6631 13.9440"),
    ("gplike", [0.893710299404345, 1.322962458731574], PARETO, None,
     "0.724871582460845 -0.735076013984010 1.303920812049488"),
    ("gevlike", [-0.2, 0.3, 0.5], [-5, -4, -3, -2, -1], None,
     "1.6802e-07 4.6110e-06 8.7297e-05 7.5693e-06 1.2034e-05 -0.0019125"),
    ("wbllike", [2.3, 1.2], X, None, ".0250 .0062 .0017"),
    ("wbllike", [2.3, 1.2], X / 2, None, "-0.3238 -0.1112 -0.0376"),
    ("wbllike", [21, 15], X, None, "-0.00001236 -0.00001166 -0.00001009"),
    ("logllike", [3.09717, 0.468525], X, None, "0.0131 -0.0007 0.0031"),
    ("logllike", [1.01124, 0.336449], X[:5], None, "0.0712 -0.0032 0.0153"),
    ("tlslike", [0.035893, 0.862711, 0.649261], [-1.2352, -0.2741, 0.1726, 7.4356, 1.0392, 16.4165], None,
     "0.2525 0.0670 0.0288 0.5724 0.1786 0.1789"),
]  # fmt: skip


@pytest.mark.parametrize(("function", "params", "data", "censoring", "printed"), COVARIANCES)
def test_published_covariances(function, params, data, censoring, printed):
    avar = FUNCTIONS[function](params, data, censoring).avar
    assert np.array_equal(avar, avar.T)
    upper = avar[np.triu_indices(len(avar))]
    for value, text in zip(upper, printed.split(), strict=True):
        agrees(value, text)


INFORMATION = [
    ("gevlike", [0.2, 0.3, 0.5], [1], "-0.12547 1.77884 1.06731 16.40761 8.48877 0.27979"),
    # MATLAB's covariance is another one at k = 0; this is the limit from both sides. Octave's test prints the second
    # number twice, once with a digit missing
    ("gevlike", [0, 0.3, 0.5], [1], "0.090036 3.412229 2.047337 24.760027 12.510190 2.098618"),
]


@pytest.mark.parametrize(("function", "params", "data", "printed"), INFORMATION)
def test_published_information(function, params, data, printed):
    information = np.linalg.inv(FUNCTIONS[function](params, data).avar)
    for value, text in zip(information[np.triu_indices(3)], printed.split(), strict=True):
        agrees(value, text)


def observed_information(function, params, *rest):
    """By central differences of the value, with Richardson's extrapolation: nothing of the kernels' derivatives."""
    params = np.array(params, float)
    step = 1e-3 * np.maximum(np.abs(params), 0.1)

    def second(i, j, h):
        e, f = h * step * (np.arange(len(params)) == i), h * step * (np.arange(len(params)) == j)
        at = lambda p: function(p, *rest).nlogL  # noqa: E731
        return (at(params + e + f) - at(params + e - f) - at(params - e + f) + at(params - e - f)) / (
            4 * h * h * step[i] * step[j]
        )

    pairs = [[(i, j) for j in range(len(params))] for i in range(len(params))]
    return np.array([[(4 * second(i, j, 1.0) - second(i, j, 2.0)) / 3 for i, j in row] for row in pairs])


# parameters and data inside the support of each, some rows censored, fractional frequencies
ORDINARY = {
    "betalike": ([2.0, 3.0], [0.1, 0.3, 0.5, 0.6, 0.9]),
    "binolike": ([6, 0.4], [0, 1, 2, 4, 5]),
    "bisalike": ([2.0, 0.6], [0.5, 1.0, 2.0, 3.0, 5.0]),
    "burrlike": ([2.0, 1.5, 1.2], [0.5, 1.0, 2.0, 3.0, 5.0]),
    "evlike": ([1.0, 0.8], [-1.0, 0.0, 0.5, 1.0, 2.0]),
    "explike": ([2.0], [0.5, 1.0, 2.0, 3.0, 5.0]),
    "gamlike": ([1.7, 1.3], [0.5, 1.0, 2.0, 3.0, 5.0]),
    "gevlike": ([0.2, 1.1, 0.4], [-1.0, 0.0, 0.5, 1.0, 4.0]),
    "gplike": ([0.2, 1.1], [0.5, 1.0, 2.0, 3.0, 5.0]),
    "gumbellike": ([1.0, 0.8], [-1.0, 0.0, 0.5, 1.0, 2.0]),
    "hnlike": ([0.3, 1.5], [0.5, 1.0, 2.0, 3.0, 5.0]),
    "invglike": ([2.0, 3.0], [0.5, 1.0, 2.0, 3.0, 5.0]),
    "logilike": ([1.0, 0.8], [-1.0, 0.0, 0.5, 1.0, 2.0]),
    "logllike": ([0.6, 0.5], [0.5, 1.0, 2.0, 3.0, 5.0]),
    "lognlike": ([0.6, 0.7], [0.5, 1.0, 2.0, 3.0, 5.0]),
    "nakalike": ([1.2, 7.0], [0.5, 1.0, 2.0, 3.0, 5.0]),
    "nbinlike": ([2.5, 0.4], [0, 1, 2, 4, 5]),
    "normlike": ([1.0, 0.8], [-1.0, 0.0, 0.5, 1.0, 2.0]),
    "poisslike": ([2.2], [0, 1, 2, 4, 5]),
    "raylike": ([2.2], [0.5, 1.0, 2.0, 3.0, 5.0]),
    "rayllike": ([2.2], [0.5, 1.0, 2.0, 3.0, 5.0]),
    "ricelike": ([1.5, 1.2], [0.5, 1.0, 2.0, 3.0, 5.0]),
    "tlslike": ([1.0, 0.8, 3.0], [-1.0, 0.0, 0.5, 1.0, 2.0]),
    "wbllike": ([2.0, 1.4], [0.5, 1.0, 2.0, 3.0, 5.0]),
}
CENSORING = np.array([0, 0, 1, 0, 1])
FREQ = np.array([1.0, 2.5, 1.0, 3.0, 0.5])
KNOWN = {"hnlike": 0, "binolike": 0}
ALL = sorted(FUNCTIONS)


def test_the_table_has_every_function():
    names = "beta ev exp gam gev gp logn nbin norm wbl bisa burr gumbel hn invg logi logl naka poiss ray rice tls bino"
    assert set(FUNCTIONS) == {f"{name}like" for name in names.split()} | {"rayllike"} == set(ORDINARY)
    assert all(getattr(nl.like, name) is function for name, function in FUNCTIONS.items())


@pytest.mark.parametrize("name", ALL)
def test_value_against_scipy(name):
    params, data = ORDINARY[name]
    frozen = SCIPY[name](*params)
    density = frozen.logpmf if hasattr(frozen, "logpmf") else frozen.logpdf
    rows = np.where(CENSORING, frozen.logsf(data), density(data))
    assert FUNCTIONS[name](params, data, CENSORING, FREQ).nlogL == pytest.approx(-np.sum(FREQ * rows), rel=1e-12)


SCIPY = {
    "betalike": stats.beta,
    "binolike": stats.binom,
    "bisalike": lambda b, c: stats.fatiguelife(c, scale=b),
    "burrlike": lambda a, c, k: stats.burr12(c, k, scale=a),
    "evlike": stats.gumbel_l,
    "explike": lambda mu: stats.expon(scale=mu),
    "gamlike": lambda a, b: stats.gamma(a, scale=b),
    "gevlike": lambda k, s, m: stats.genextreme(-k, m, s),
    "gplike": lambda k, s: stats.genpareto(k, scale=s),
    "gumbellike": stats.gumbel_r,
    "hnlike": stats.halfnorm,
    "invglike": lambda m, s: stats.invgauss(m / s, scale=s),
    "logilike": stats.logistic,
    "logllike": lambda m, s: stats.fisk(1 / s, scale=math.exp(m)),
    "lognlike": lambda m, s: stats.lognorm(s, scale=math.exp(m)),
    "nakalike": lambda m, w: stats.nakagami(m, scale=math.sqrt(w)),
    "nbinlike": stats.nbinom,
    "normlike": stats.norm,
    "poisslike": stats.poisson,
    "raylike": lambda b: stats.rayleigh(scale=b),
    "rayllike": lambda b: stats.rayleigh(scale=b),
    "ricelike": lambda nu, s: stats.rice(nu / s, scale=s),
    "tlslike": lambda m, s, nu: stats.t(nu, m, s),
    "wbllike": lambda a, b: stats.weibull_min(b, scale=a),
}


@pytest.mark.parametrize("name", ALL)
def test_covariance_is_the_inverse_of_the_observed_information(name):
    params, data = ORDINARY[name]
    avar = FUNCTIONS[name](params, data, CENSORING, FREQ).avar
    assert avar.shape == (len(params), len(params))
    free = [i for i in range(len(params)) if i != KNOWN.get(name)]
    if name in KNOWN:
        known = KNOWN[name]
        assert not avar[known].any() and not avar[:, known].any()

    def of_free(values, *rest):
        full = list(params)
        for i, value in zip(free, values, strict=True):
            full[i] = value
        return FUNCTIONS[name](full, *rest)

    information = observed_information(of_free, [params[i] for i in free], data, CENSORING, FREQ)
    assert avar[np.ix_(free, free)] @ information == pytest.approx(np.eye(len(free)), abs=2e-6)


@pytest.mark.parametrize("name", ALL)
def test_frequencies_are_repeats_and_a_zero_is_not_read(name):
    params, data = ORDINARY[name]
    freq = np.array([1, 0, 2, 0, 3])
    broken = np.array(data, float)
    broken[1], broken[3] = math.nan, -1e9
    counted = FUNCTIONS[name](params, broken, CENSORING, freq)
    repeated = FUNCTIONS[name](params, np.repeat(data, freq), np.repeat(CENSORING, freq))
    assert counted.nlogL == repeated.nlogL
    assert np.array_equal(counted.avar, repeated.avar)


@pytest.mark.parametrize("name", ALL)
def test_empty_arguments_are_defaults(name):
    params, data = ORDINARY[name]
    plain = FUNCTIONS[name](params, data)
    for other in (FUNCTIONS[name](params, data, [], []), FUNCTIONS[name](params, data, np.zeros(5), np.ones(5))):
        assert other.nlogL == plain.nlogL
        assert np.array_equal(other.avar, plain.avar)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("bad", [math.nan, -math.inf])
def test_invalid_parameters_give_nan(name, bad):
    params, data = ORDINARY[name]
    for i in range(len(params)):
        values = list(params)
        values[i] = bad
        nlogL, avar = FUNCTIONS[name](values, data)
        assert math.isnan(nlogL)
        assert avar.shape == (len(params), len(params)) and np.isnan(avar).all()


POSITIVE = {
    "betalike": [0, 1], "bisalike": [0, 1], "burrlike": [0, 1, 2], "evlike": [1], "explike": [0], "gamlike": [0, 1],
    "gevlike": [1], "gplike": [1], "gumbellike": [1], "hnlike": [1], "invglike": [0, 1], "logilike": [1],
    "logllike": [1], "lognlike": [1], "nakalike": [0, 1], "nbinlike": [0, 1], "normlike": [1], "raylike": [0],
    "ricelike": [1], "tlslike": [1, 2], "wbllike": [0, 1],
}  # fmt: skip


@pytest.mark.parametrize("name", [name for name in ALL if name in POSITIVE])
@pytest.mark.parametrize("value", [0.0, -1.0])
def test_what_must_be_positive(name, value):
    params, data = ORDINARY[name]
    for i in POSITIVE[name]:
        values = list(params)
        values[i] = value
        assert math.isnan(FUNCTIONS[name](values, data).nlogL)


SUPPORT = {
    "betalike": -0.1, "binolike": 7, "bisalike": -1, "burrlike": -1, "explike": -1, "gamlike": -1, "gevlike": -6,
    "gplike": -1, "hnlike": 0.2, "invglike": -1, "logllike": -1, "lognlike": -1, "nakalike": -1, "nbinlike": 0.5,
    "poisslike": -1, "raylike": -1, "ricelike": -1, "wbllike": -1,
}  # fmt: skip


@pytest.mark.parametrize("name", [name for name in ALL if name in SUPPORT])
def test_data_outside_the_support_give_inf(name):
    params, data = ORDINARY[name]
    nlogL, avar = FUNCTIONS[name](params, [*data, SUPPORT[name]])
    assert nlogL == math.inf
    free = [i for i in range(len(params)) if i != KNOWN.get(name)]
    assert np.isnan(avar[np.ix_(free, free)]).all()


@pytest.mark.parametrize("name", ALL)
def test_nan_in_the_data_gives_nan(name):
    params, data = ORDINARY[name]
    for censoring in (None, [0, 0, 0, 0, 0, 1]):
        assert math.isnan(FUNCTIONS[name](params, [*data, math.nan], censoring).nlogL)


def test_where_octave_loses_the_tail():
    # 44 rows far in the upper tail, where 1 - cdf is 0: Octave's test expects Inf and NaN
    nlogL, avar = nl.like.normlike([2.3, 1.2], X, CENSORED)
    z = (X - 2.3) / 1.2
    assert nlogL == pytest.approx(-np.where(CENSORED, stats.norm.logsf(z), stats.norm.logpdf(z) - math.log(1.2)).sum())
    assert nlogL == pytest.approx(13129.7736, abs=5e-5)
    assert np.isfinite(avar).all()


BOUNDED = {"betalike", "binolike"}


@pytest.mark.parametrize("name", [name for name in ALL if name not in BOUNDED])
def test_far_censored_rows_leave_everything_finite(name):
    params, data = ORDINARY[name]
    nlogL, avar = FUNCTIONS[name](params, [*data, 20.0 * data[-1]], [0, 0, 0, 0, 0, 1])
    assert math.isfinite(nlogL) and nlogL > FUNCTIONS[name](params, data).nlogL + 1
    assert np.isfinite(avar).all()


@pytest.mark.parametrize(("name", "rest"), [("gevlike", [0.3, 0.5]), ("gplike", [3.0])])
def test_no_jump_at_shape_zero(name, rest):
    at, *beside = (FUNCTIONS[name]([k, *rest], [1.0, 2.0, 4.0]) for k in (0.0, -1e-9, 1e-9))
    for other in beside:
        assert other.nlogL == pytest.approx(at.nlogL, rel=1e-6)
        assert other.avar == pytest.approx(at.avar, rel=1e-5, abs=1e-7)
    if name == "gevlike":  # Octave's test
        agrees(FUNCTIONS[name]([0, *rest], [1.0]).avar[0, 0], "-2.813275839387")


def test_betalike_is_not_matlabs_outer_product():
    data = np.arange(1, 100, 2) / 100
    score = nl.Beta().nll_grad(data, 2.3, 1.2)[1]
    for value, text in zip(np.linalg.inv(score @ score.T)[np.triu_indices(2)], MATLAB_BETA.split(), strict=True):
        agrees(value, text)


MATLAB_BETA = ".03691678 .02803056 .03965629"


def test_betalike_reads_exact_ends_as_censored():
    low, high = math.sqrt(np.finfo(float).tiny), 1 - 2.0**-53
    a, b = 2.3, 1.2
    ends = nl.like.betalike([a, b], [0.0, 0.4, 1.0])
    by_hand = -nl.Beta().log_cdf(low, a, b) + nl.Beta().nll(0.4, a, b) - nl.Beta().log_sf(high, a, b)
    assert ends.nlogL == pytest.approx(by_hand, rel=1e-15)
    assert nl.like.betalike([a, b], [1.0], [1]).nlogL == pytest.approx(-nl.Beta().log_sf(high, a, b), rel=1e-15)


def test_edges_of_domains_warn_of_nothing():
    assert nl.like.poisslike(0, [0]).nlogL == 0
    assert nl.like.poisslike(0, [1]).nlogL == math.inf
    assert nl.like.binolike([3, 1], [3, 3]).nlogL == 0
    assert nl.like.logilike([0, 1], [800.0], [1]).nlogL == 800  # Octave: -800
    assert math.isfinite(nl.like.ricelike([0, 1], [1.0, 2.0]).nlogL)
    assert nl.like.evlike([0, 1], [800.0]).nlogL == math.inf  # exp(800)


def test_covariance_of_an_uninformative_row_is_infinite():
    assert nl.like.wbllike([2.0, 1.0], [0.0], [1]) == (0.0, pytest.approx(np.full((2, 2), math.inf)))


@pytest.mark.parametrize("unit", [1e-150, 1e-8, 1e8, 1e150])
def test_covariance_of_any_unit(unit):
    one = nl.like.normlike([21, 15], X).avar
    # the unit is a rounded number, and so are its products
    assert nl.like.normlike([21 * unit, 15 * unit], X * unit).avar / unit**2 == pytest.approx(one, rel=1e-12)


def mle(data, start, *rest):
    """What mle() of MATLAB's manual does: fminsearch, then Wald intervals from the observed information."""
    found = optimize.minimize(
        lambda p: nl.like.normlike(p, data, *rest).nlogL, start, method="Nelder-Mead", tol=1e-11,
        options={"maxiter": 2000},
    )  # fmt: skip
    return found.x, np.sqrt(np.diag(nl.like.normlike(found.x, data, *rest).avar))


TWELVE = [2.1, 3.4, 1.9, 5.2, 4.1, 2.8, 3.3, 4.7, 2.2, 3.9, 3.0, 4.5]


def test_mle_of_a_custom_density():
    estimate, stderr = mle(TWELVE, [3, 1])
    assert estimate == pytest.approx([3.425, 1.0320893], abs=5e-8)
    for level, low, high in [
        (0.95, [2.8410510441517, 0.619175174501268], [4.00894837185232, 1.44500307331509]),
        (0.90, [2.93493454, 0.68556081], [3.91506488, 1.37861743]),
    ]:
        z = stats.norm.ppf((1 + level) / 2)
        # the published estimates are those of an optimiser that stopped 5e-7 before the optimum
        assert estimate - z * stderr == pytest.approx(low, abs=2e-6)
        assert estimate + z * stderr == pytest.approx(high, abs=2e-6)


def test_mle_with_frequencies():
    estimate, _ = mle(TWELVE, [3, 1], None, [1, 2, 1, 1, 3, 1, 2, 1, 1, 1, 2, 1])
    assert estimate == pytest.approx([3.47058837030174, 0.902783454993327], abs=1e-6)


def test_mle_with_censoring():
    censoring = np.isin(np.arange(12), (2, 7))
    estimate, _ = mle(TWELVE, [3, 1], censoring)
    assert estimate == pytest.approx([3.62195934926527, 1.03307264832117], abs=2e-6)
    assert nl.like.normlike(estimate, TWELVE, censoring).nlogL == pytest.approx(15.744917, abs=5e-7)


def cars():
    with (DATA / "cars.csv").open() as file:
        return [(row["year"], float(row["mpg"] or "nan")) for row in csv.DictReader(file)]


def test_matlabs_manual_burr_fit_of_carbig():
    mpg = np.array([mpg for _, mpg in cars() if not math.isnan(mpg)])
    r = nl.fit("burr_xii", mpg)
    assert r.ok
    assert [r.params[name] for name in ("scale", "c", "k")] == pytest.approx([34.64472, 3.78978, 3.57223], abs=1e-5)
    nlogL, avar = nl.like.burrlike([r.params[name] for name in ("scale", "c", "k")], mpg)
    assert nlogL == pytest.approx(1376.116592, abs=5e-7)
    assert np.sqrt(np.diag(avar)) == pytest.approx([r.stderr[name] for name in ("scale", "c", "k")], rel=1e-5)


def test_matlabs_page_weibull_of_carsmall():
    by_year = {year: [mpg for y, mpg in cars() if y == year] for year in ("1970", "1976", "1982")}
    mpg = np.array(by_year["1970"] + by_year["1976"] + by_year["1982"][-31:])
    mpg = mpg[~np.isnan(mpg)]
    assert len(mpg) == 94
    r = nl.fit("weibull", mpg)
    nlogL, avar = nl.like.wbllike([r.params["scale"], r.params["shape"]], mpg)
    assert r.params == pytest.approx({"shape": 3.27193, "scale": 26.5079}, abs=5e-5)
    # fminsearch, which the page uses, arrives at the same place
    estimate = optimize.minimize(lambda p: nl.like.wbllike(p, mpg).nlogL, [20, 1], method="Nelder-Mead", tol=1e-9).x
    assert estimate == pytest.approx([r.params["scale"], r.params["shape"]], rel=1e-6)
    agrees(nlogL, "327.4942")
    # the page's intervals are symmetric in the logarithm
    for estimate, variance, low, high in zip(
        (26.507864, 3.271927), np.diag(avar), (24.8333, 2.79441), (28.2954, 3.83104), strict=True
    ):
        half = stats.norm.ppf(0.975) * math.sqrt(variance) / estimate
        assert [estimate * math.exp(-half), estimate * math.exp(half)] == pytest.approx([low, high], abs=5e-5)


def test_bad_arguments_name_what_is_wrong():
    with pytest.raises(nl.ParameterError, match=r"normlike: params has 3 elements; allowed: \(mu, sigma\)"):
        nl.like.normlike([1, 2, 3], [1.0])
    with pytest.raises(nl.ShapeError, match=r"wbllike: freq has shape \(1,\) and data \(2,\)"):
        nl.like.wbllike([1, 2], [1.0, 2.0], None, [1])
    with pytest.raises(nl.DataError, match="censoring = 3 at position 1; allowed: 1"):
        nl.like.normlike([1, 2], [1.0, 2.0], [0, 3])
    with pytest.raises(nl.DataError, match="freq = -1 at position 0"):
        nl.like.normlike([1, 2], [1.0, 2.0], None, [-1, 2])
    with pytest.raises(nl.InputKindError, match="normlike: data has dtype complex128"):
        nl.like.normlike([1, 2], [1j])
