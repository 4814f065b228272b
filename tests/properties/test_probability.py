"""A family is a probability distribution: it sums to one, and its cdf, quantiles, moments and draws agree."""

import itertools

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad
from scipy.special import expit, logit

import neglog as nl
from neglog.families import ScalarFamily
from neglog.families.expectation import expect

CUT = 1e-13  # probability left out at each end of a numerical integral


def total(f: ScalarFamily, *params: float) -> float:
    """The sum or integral of the density, by a routine that knows nothing of the family but where to look."""
    if f.discrete:
        y = np.arange(float(f.ppf(0.0, *params)), float(f.ppf(1 - CUT, *params)) + 1)
        return float(np.sum(np.exp(-f.nll(y, *params))))
    levels = np.array([CUT, 1e-6, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 1 - 1e-6, 1 - CUT])
    if f.atom is not None:  # at the lower end, below all that is integrated
        levels = levels + (1 - levels) * np.exp(-f.nll(f.atom, *params))
    cuts = f.ppf(levels, *params)

    # y may span many decades, on one side or on both: it is a function of t, log its slope
    if f.support.low == 0 and f.support.high == np.inf:
        y, log_slope, t = np.exp, lambda t: t, np.log
    elif np.isinf(f.support.low) and np.isinf(f.support.high):
        center, spread = cuts[5], cuts[6] - cuts[4]
        y, t = (lambda t: center + spread * np.sinh(t)), (lambda y: np.arcsinh((y - center) / spread))
        log_slope = lambda t: np.log(spread * np.cosh(t))  # noqa: E731
    else:  # both ends are finite
        low, width = f.support.low, f.support.high - f.support.low
        y, t = (lambda t: low + width * expit(t)), (lambda y: logit((y - low) / width))
        log_slope = lambda t: np.log(width * expit(t) * expit(-t))  # noqa: E731

    def density(t):
        return float(np.exp(log_slope(t) - f.nll(y(t), *params)))

    # next to an upper end numbers lie too far apart for a density that is infinite there
    cuts = np.minimum(cuts, f.support.high - 1e-4) if np.isfinite(f.support.high) else cuts
    middle = sum(quad(density, a, b, epsabs=1e-13, epsrel=1e-11)[0] for a, b in itertools.pairwise(t(np.asarray(cuts))))
    return middle + float(f.cdf(cuts[0], *params) + f.sf(cuts[-1], *params))


def expectation(f: ScalarFamily, g, *params: float):
    """E[g(Y)], for g that returns one number per y."""
    high = f.support.high
    if np.isfinite(high) and f.sf(high - 1e-15 * abs(high), *params) > 1e-9:
        pytest.skip("so much probability lies between the last numbers before the upper end that y does not show it")
    return expect(f, g, [np.float64(p) for p in params])


@pytest.fixture(params=range(3), ids="parameters{}".format)
def point(scalar, rows, request):
    return [float(p) for p in rows(scalar, (), seed=request.param).params]


def test_sums_to_one(scalar, point):
    assert total(scalar, *point) == pytest.approx(1, abs=1e-9)
    assert expectation(scalar, np.ones_like, *point) == pytest.approx(1, abs=1e-9)  # what the moments below rest on


def test_classes_sum_to_one(rows):
    f = nl.Categorical()
    (logits,) = rows(f, (10,)).params
    total = np.exp(-f.nll(np.arange(logits.shape[-1])[:, None], logits)).sum(0)
    np.testing.assert_allclose(total, 1, rtol=1e-14)


def settles(f: ScalarFamily, power: int, *params: float) -> bool:
    """The last 1e-30 of probability in the upper and the lower tail hardly count in E[Y^power]."""
    far = np.full(2, np.log(1e-30))
    values = [np.full(2, p) for p in params]
    ends = np.abs([f.quantile_of_log(far, upper, values)[0] for upper in (False, True)])
    return bool(np.all(1e-30 * np.where(np.isfinite(ends), ends, 0) ** power < 1e-10))


def test_moments(scalar, point):
    mean, var = float(scalar.mean(*point)), float(scalar.var(*point))
    if settles(scalar, 1, *point):
        assert expectation(scalar, lambda y: y, *point) == pytest.approx(mean, rel=1e-8, abs=1e-8)
    if settles(scalar, 2, *point):
        assert expectation(scalar, lambda y: (y - mean) ** 2, *point) == pytest.approx(var, rel=1e-8)
    else:
        assert not np.isfinite(var) or expectation(scalar, lambda y: (y - mean) ** 2, *point) < var * (1 + 1e-8)


def test_fisher_is_the_variance_of_the_score(scalar, point):
    fisher = scalar.fisher(*point)
    size = np.sqrt(np.outer(np.diag(fisher), np.diag(fisher)))
    count = len(point)

    def score(y):
        return scalar.nll_grad(y, *point)[1]

    def products(y):
        return (grad := score(y))[:, None] * grad

    def curvature(y):
        return scalar.nll_grad_hess(y, *point)[2]

    assert fisher.shape == (count, count)
    np.testing.assert_array_less(np.abs(expectation(scalar, products, *point) - fisher), 1e-7 * size + 1e-300)
    if scalar.regular:
        # a whole parameter ends the support: the score of the formula between whole numbers is not centred
        free = np.flatnonzero([not p.domain.integer for p in scalar.parameters])
        part = np.ix_(free, free)
        mean, bend = expectation(scalar, score, *point)[free], expectation(scalar, curvature, *point)[part]
        np.testing.assert_array_less(np.abs(mean), 1e-7 * np.sqrt(np.diag(fisher))[free] + 1e-300)
        np.testing.assert_array_less(np.abs(bend - fisher[part]), 1e-7 * size[part] + 1e-300)


def test_general_ways_agree_with_closed_forms(scalar, rows):
    """The quantiles and the Fisher information that a family would have without its own."""
    r = rows(scalar, (20,))
    q = np.random.default_rng(6).uniform(0.001, 0.999, 20)
    np.testing.assert_allclose(ScalarFamily._ppf(scalar, q, *r.params), scalar.ppf(q, *r.params), rtol=1e-9, atol=1e-9)


def test_fisher_of_classes(rows):
    f = nl.Categorical()
    (logits,) = rows(f, (7,)).params
    _, grad, hess = f.nll_grad_hess(np.arange(logits.shape[-1])[:, None], logits)
    p = f.mean(logits)
    np.testing.assert_allclose(np.einsum("bc,cbi,cbj->bij", p, grad, grad), f.fisher(logits), atol=1e-15)
    np.testing.assert_array_equal(hess[0], f.fisher(logits))
    np.testing.assert_allclose(f.var(logits), np.diagonal(f.fisher(logits), axis1=-2, axis2=-1), rtol=1e-15)


def test_quantiles_invert_the_cdf(scalar, rows):
    params = rows(scalar, (200,)).params
    q = np.random.default_rng(5).uniform(0.001, 0.999, 200)
    y = scalar.ppf(q, *params)
    if scalar.discrete:
        assert np.all(scalar.cdf(y, *params) >= q)
        assert np.all(scalar.cdf(y - 1, *params) < q)
    else:
        # next to an end numbers that are as close to y as they can be may be far from it in probability
        ends = [np.where(np.isfinite(end), np.abs(end), 0.0) for end in scalar._ends(*params)]
        unit = np.spacing(np.maximum(np.abs(y), np.maximum(*ends)))
        near = [scalar.cdf(y + ulps * unit, *params) for ulps in (-10, 0, 10)]
        assert np.all((near[0] <= q * (1 + 1e-12)) & (near[2] >= q * (1 - 1e-12)))
        resolved = near[2] - near[0] < 1e-12 * q
        np.testing.assert_allclose(near[1][resolved], q[resolved], rtol=1e-12)


def test_quantiles_at_the_ends(scalar, rows):
    params = rows(scalar, ()).params
    low, high = scalar._ends(*params)
    assert scalar.ppf(0.0, *params) == low
    assert scalar.ppf(1.0, *params) == high
    assert np.isnan(scalar.ppf(np.nan, *params))
    for q in (-1e-3, 1.001):
        with pytest.raises(nl.InputError, match=r"ppf: q = "):
            scalar.ppf(q, *params)


def test_draws_follow_the_distribution(scalar, point):
    y = scalar.sample(*point, size=4000, rng=11)
    assert y.dtype == (np.int64 if scalar.discrete else np.float64)
    assert np.all(scalar.support.contains(y))
    if scalar.discrete:
        values, counts = np.unique(y, return_counts=True)
        expected = 4000 * np.exp(-scalar.nll(values, *point))
        often = expected > 5
        observed = np.append(counts[often], 4000 - counts[often].sum())
        expected = np.append(expected[often], 4000 - expected[often].sum())
        often = expected > 0.5
        if often.sum() > 1:
            statistic = np.sum((observed - expected)[often] ** 2 / expected[often])
            assert stats.chi2.sf(statistic, often.sum() - 1) > 1e-4
    else:
        u = scalar.cdf(y, *point)
        if scalar.atom is not None:  # its probability is spread evenly
            u = u * np.where(y == scalar.atom, np.random.default_rng(0).random(4000), 1.0)
        assert stats.kstest(u, "uniform").pvalue > 1e-4


def test_draws_of_classes_follow_the_probabilities():
    f = nl.Categorical()
    logits = np.array([0.0, 1.0, -np.inf, -1.0])
    counts = np.bincount(f.sample(logits, size=4000, rng=3), minlength=4)
    expected = 4000 * f.mean(logits)
    assert counts[2] == 0
    keep = expected > 0
    assert stats.chisquare(counts[keep], expected[keep]).pvalue > 1e-4


def test_draws_have_the_shape_asked_for(family, rows):
    params = rows(family, (3,)).params
    event = np.shape(rows(family, ()).y)
    assert np.shape(family.sample(*params, rng=0)) == (3, *event)
    assert np.shape(family.sample(*params, size=(5, 3), rng=0)) == (5, 3, *event)
    np.testing.assert_array_equal(family.sample(*params, rng=7), family.sample(*params, rng=7))
    with pytest.raises(nl.ShapeError):
        family.sample(*params, size=4)


def test_tails_are_complementary(scalar, rows):
    r = rows(scalar, (200,))
    np.testing.assert_allclose(scalar.cdf(*r.args) + scalar.sf(*r.args), 1, rtol=1e-14)
    assert np.all(scalar.log_cdf(*r.args) <= 0)
    assert np.all(scalar.log_sf(*r.args) <= 0)


def test_intervals_add_up(scalar, rows, ends):
    params = rows(scalar, (200,)).params
    lower, upper = ends(scalar, params)
    whole = scalar.cdf(lower, *params) + np.exp(scalar.log_interval(lower, upper, *params)) + scalar.sf(upper, *params)
    np.testing.assert_allclose(whole, 1, rtol=1e-14)


def test_intervals_of_every_width_are_consistent(scalar, rows):
    """(a, c] is (a, b] and (b, c], whichever formula each of them takes."""
    params = [p[:, None, None] for p in rows(scalar, (20,)).params]
    q = np.array([1e-9, 1e-4, 0.01, 0.2, 0.2001, 0.5, 0.52, 0.9, 0.999, 1 - 1e-7])
    a, b = (scalar.ppf(x, *params) for x in (q[:, None], q[None, :]))
    a, b = np.minimum(a, b), np.maximum(a, b)
    middle = np.floor((a + b) / 2) if scalar.discrete else (a + b) / 2
    parts = np.logaddexp(scalar.log_interval(a, middle, *params), scalar.log_interval(middle, b, *params))
    np.testing.assert_allclose(parts, scalar.log_interval(a, b, *params), rtol=1e-12, atol=1e-13)


def test_masses_are_intervals(scalar, rows):
    if not scalar.discrete:
        pytest.skip("continuous")
    r = rows(scalar, (100,))
    np.testing.assert_allclose(
        scalar.log_interval(r.y - 1, r.y, *r.params), -scalar.nll(*r.args), rtol=1e-14, atol=1e-15
    )


def test_densities_are_limits_of_intervals(scalar, rows, clear_of_moving_ends):
    if scalar.discrete:
        pytest.skip("discrete")
    r = rows(scalar, (100,))
    clear = clear_of_moving_ends(scalar, r.y, r.params, 1e-3)
    clear &= scalar.support.high - r.y > 1e-6  # the distance to 1 has digits enough
    clear &= r.y != scalar.atom
    r = type(r)(r.y[clear], tuple(p[clear] for p in r.params))
    width = 1e-7 * np.minimum(np.abs(r.y), np.abs(scalar.support.high - r.y))
    observed = nl.interval(r.y - width / 2, r.y + width / 2)
    for narrow, exact in zip(scalar.nll_grad_hess(observed, *r.params), scalar.nll_grad_hess(*r.args), strict=True):
        if narrow.ndim == 1:
            narrow = narrow + np.log(observed.upper - observed.lower)
        # width^2 / 24 times a second derivative
        np.testing.assert_allclose(narrow, exact, rtol=1e-9, atol=1e-9)
