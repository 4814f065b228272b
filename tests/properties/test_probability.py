"""A family is a probability distribution: it sums to one, and its cdf, quantiles, moments and draws agree."""

import itertools

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

import neglog as nl
from neglog.families import ScalarFamily

CUT = 1e-13  # probability left out at each end of a numerical integral


def expectation(f: ScalarFamily, g, *params: float):
    """E[g(Y)], for g that returns one number per y."""
    if f.discrete:
        y = np.arange(0, float(f.ppf(1 - CUT, *params)) + 1)
        return np.sum(g(y) * np.exp(-f.nll(y, *params)), axis=-1)
    cuts = [float(f.ppf(q, *params)) for q in (CUT, 1e-6, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 1 - 1e-6, 1 - CUT)]

    def integrand(y):
        return float(g(np.float64(y)) * np.exp(-f.nll(y, *params)))

    return sum(quad(integrand, a, b, epsabs=1e-13, epsrel=1e-11)[0] for a, b in itertools.pairwise(cuts))


@pytest.fixture(params=range(3), ids="parameters{}".format)
def point(scalar, rows, request):
    return [float(p) for p in rows(scalar, (), seed=request.param).params]


def test_sums_to_one(scalar, point):
    assert expectation(scalar, np.ones_like, *point) == pytest.approx(1, abs=1e-9)


def test_classes_sum_to_one(rows):
    f = nl.Categorical()
    (logits,) = rows(f, (10,)).params
    total = np.exp(-f.nll(np.arange(logits.shape[-1])[:, None], logits)).sum(0)
    np.testing.assert_allclose(total, 1, rtol=1e-14)


def test_moments(scalar, point):
    mean = float(scalar.mean(*point))
    assert expectation(scalar, lambda y: y, *point) == pytest.approx(mean, rel=1e-8, abs=1e-8)
    # the ends that are cut off weigh (y - mean)^2
    assert expectation(scalar, lambda y: (y - mean) ** 2, *point) == pytest.approx(float(scalar.var(*point)), rel=1e-6)


def test_fisher_is_the_variance_of_the_score(scalar, point):
    fisher = scalar.fisher(*point)
    for i in range(len(point)):
        assert expectation(scalar, lambda y, i=i: scalar.nll_grad(y, *point)[1][i], *point) == pytest.approx(
            0, abs=1e-6
        )
        for j in range(len(point)):

            def product(y, i=i, j=j):
                grad = scalar.nll_grad(y, *point)[1]
                return grad[i] * grad[j]

            def curvature(y, i=i, j=j):
                return scalar.nll_grad_hess(y, *point)[2][i, j]

            for expected in (expectation(scalar, product, *point), expectation(scalar, curvature, *point)):
                assert fisher[i, j] == pytest.approx(expected, rel=1e-6, abs=1e-6)


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
        np.testing.assert_allclose(scalar.cdf(y, *params), q, rtol=1e-12)


def test_quantiles_at_the_ends(scalar, rows):
    params = rows(scalar, ()).params
    assert scalar.ppf(0.0, *params) == scalar.support.low
    assert scalar.ppf(1.0, *params) == scalar.support.high
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
        assert stats.kstest(scalar.cdf(y, *point), "uniform").pvalue > 1e-4


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
    assert np.shape(family.sample(*params, rng=0)) == (3,)
    assert np.shape(family.sample(*params, size=(5, 3), rng=0)) == (5, 3)
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


def test_densities_are_limits_of_intervals(scalar, rows):
    if scalar.discrete:
        pytest.skip("discrete")
    r = rows(scalar, (100,))
    width = 1e-7 * np.abs(r.y)
    observed = nl.interval(r.y - width / 2, r.y + width / 2)
    for narrow, exact in zip(scalar.nll_grad_hess(observed, *r.params), scalar.nll_grad_hess(*r.args), strict=True):
        if narrow.ndim == 1:
            narrow = narrow + np.log(observed.upper - observed.lower)
        # width^2 / 24 times a second derivative
        np.testing.assert_allclose(narrow, exact, rtol=1e-9, atol=1e-9)
