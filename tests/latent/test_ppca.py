"""PPCA: the formulas of Tipping and Bishop, scikit-learn's likelihood, and bounds that meet the likelihood."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.decomposition import PCA

import neglog as nl
from neglog.latent import PPCA, fit_ppca


def random_model(d=5, q=2, seed=0):
    rng = np.random.default_rng(seed)
    return PPCA(rng.normal(size=d), rng.normal(size=(d, q)), 0.3)


@pytest.mark.parametrize(("d", "q"), [(1, 0), (3, 0), (3, 1), (6, 4)])
def test_nll_is_scipys(d, q):
    model = random_model(d, q)
    x = model.sample(50, rng=1)
    law = multivariate_normal(model.mean, model.covariance)
    np.testing.assert_allclose(model.nll(x), -law.logpdf(x).reshape(-1), rtol=1e-12)


def test_the_specs_formula():
    """1/2 [D log 2 pi + log |C| + tr(C^-1 S)]"""
    model = random_model()
    x = model.sample(300, rng=1)
    s = (x - model.mean).T @ (x - model.mean) / 300
    c = model.covariance
    expected = 0.5 * (5 * np.log(2 * np.pi) + np.linalg.slogdet(c)[1] + np.trace(np.linalg.solve(c, s)))
    assert model.mean_nll(x) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("q", [1, 3])
def test_the_maximum_is_scikit_learns(q):
    x = random_model(6, 2).sample(400, rng=1)
    ours, theirs = fit_ppca(x, q), PCA(q).fit(x)
    # theirs divides by n - 1
    np.testing.assert_allclose(ours.covariance, theirs.get_covariance() * 399 / 400, rtol=1e-10, atol=1e-12)
    assert ours.noise == pytest.approx(theirs.noise_variance_ * 399 / 400, rel=1e-12)
    assert ours.mean_nll(x) < -theirs.score(x)


def test_it_is_a_maximum():
    x = random_model(4, 2).sample(300, rng=1)
    best = fit_ppca(x, 2)
    rng = np.random.default_rng(0)
    for _ in range(20):
        w = best.loadings + 1e-3 * rng.normal(size=best.loadings.shape)
        other = PPCA(best.mean + 1e-3 * rng.normal(size=4), w, best.noise * np.exp(1e-3 * rng.normal()))
        assert other.mean_nll(x) > best.mean_nll(x)
    truth = random_model(4, 2)
    assert best.mean_nll(x) < truth.mean_nll(x)
    assert best.parameters == 4 + 7 + 1


def test_posterior():
    model = random_model(5, 3)
    x = model.sample(4, rng=1)
    mean, covariance = model.posterior(x)
    m = model.loadings.T @ model.loadings + model.noise * np.eye(3)
    np.testing.assert_allclose(covariance, model.noise * np.linalg.inv(m), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(mean, (x - model.mean) @ model.loadings @ np.linalg.inv(m), rtol=1e-11)


def test_the_bound_meets_the_likelihood_at_the_posterior_only():
    model = random_model(5, 2)
    x = model.sample(6, rng=1)
    nll = model.nll(x)
    mean, covariance = model.posterior(x)
    np.testing.assert_allclose(model.bound(x, mean, covariance), nll, rtol=1e-12)
    rng = np.random.default_rng(0)
    for _ in range(20):
        root = np.linalg.cholesky(covariance) + 0.05 * rng.normal(size=(2, 2))
        assert (model.bound(x, mean + 0.05 * rng.normal(size=mean.shape), root @ root.T) > nll).all()


def test_weights_scales_and_narrow_data():
    x = random_model(4, 1).sample(200, rng=1)
    w = np.random.default_rng(0).integers(0, 3, 200)
    a, b = fit_ppca(x, 1, sample_weight=w), fit_ppca(np.repeat(x, w, axis=0), 1)
    np.testing.assert_allclose(a.covariance, b.covariance, rtol=1e-10)
    assert a.mean_nll(x, w) == pytest.approx(b.mean_nll(np.repeat(x, w, axis=0)), rel=1e-13)
    # a noise 1e-6 of the signal: squared, 1e-12, and its eigenvalues are right to 1e-9 all the same
    narrow = PPCA(np.zeros(3), [[1.0], [1.0], [0.0]], 1e-12)
    found = fit_ppca(narrow.sample(5000, rng=0), 1)
    assert found.noise == pytest.approx(1e-12, rel=0.05)
    assert fit_ppca(x.astype(np.float32), 1).noise == pytest.approx(fit_ppca(x, 1).noise, rel=1e-5)


BAD = [
    (lambda: PPCA([0.0], [[1.0]], 1.0), "q < D"),
    (lambda: PPCA([0.0, 0.0], [[1.0], [0.0]], 0.0), "noise = 0"),
    (lambda: PPCA([0.0, np.inf], [[1.0], [0.0]], 1.0), "finite"),
    (lambda: fit_ppca(np.ones((5, 3)), 1), "plane of 1 dimensions"),
    (lambda: fit_ppca(np.outer(np.arange(5.0), [1, 2, 3]), 1), "plane of 1 dimensions"),
    (lambda: fit_ppca(np.eye(3), 3), "an integer from 0 to 2"),
    (lambda: fit_ppca([[1.0, np.nan]], 1), r"x\[0, 1\] = nan"),
    (lambda: random_model().bound(np.zeros((2, 5)), np.zeros((2, 1)), np.eye(2)), r"\(2, 2\) and \(2, 2\)"),
    (lambda: random_model().bound(np.zeros((2, 5)), np.zeros((2, 2)), -np.eye(2)[::-1]), "positive definite"),
    (lambda: random_model().bound(np.zeros((1, 5)), np.zeros((1, 2)), -np.eye(2)), "positive definite"),
    (lambda: random_model().bound(np.zeros((1, 5)), np.zeros((1, 2)), [[1.0, 0.5], [0.0, 1.0]]), "not symmetric"),
    (lambda: random_model().bound(np.zeros((1, 5)), np.zeros((1, 2)), [[1.0, np.nan], [np.nan, 1.0]]), "finite"),
    (lambda: fit_ppca(np.eye(4), True), "components=True"),
    (lambda: fit_ppca(1e200 * np.random.default_rng(0).normal(size=(20, 3)), 1), "too large to be squared"),
]


@pytest.mark.parametrize(("call", "message"), BAD)
def test_bad_input(call, message):
    with pytest.raises(nl.NeglogError, match=message):
        call()


def test_edges():
    model = random_model(3, 1)
    nll = model.nll([[np.inf, 0, 0], [np.nan, 0, 0], [0, 0, 0]])
    assert nll[0] == np.inf and np.isnan(nll[1]) and np.isfinite(nll[2])
    assert model.nll([[1e200, 0, 0]])[0] == np.inf
