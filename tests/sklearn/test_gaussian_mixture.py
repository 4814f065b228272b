"""The estimator: scikit-learn's own checks, and its attributes beside scikit-learn's."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture as SklearnMixture
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import parametrize_with_checks

import neglog as nl
from neglog.sklearn import GaussianMixture

TYPES = ["full", "tied", "diag", "spherical"]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks([GaussianMixture(random_state=0)])
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


@pytest.fixture
def x():
    rng = np.random.default_rng(0)
    return np.vstack(
        [rng.normal(-1, 1, (300, 3)), rng.normal(0.3, 0.7, (500, 3)) @ [[1, 0.3, 0], [0, 1, 0], [0, 0, 2]]]
    )


@pytest.mark.parametrize("kind", TYPES)
def test_attributes_are_scikit_learns(x, kind):
    shape = {"full": np.tile(np.eye(3), (2, 1, 1)), "tied": np.eye(3), "diag": np.ones((2, 3)), "spherical": np.ones(2)}
    start = {"weights_init": [0.5, 0.5], "means_init": [[-1.0] * 3, [1.0] * 3], "precisions_init": shape[kind]}
    options = {"covariance_type": kind, "tol": 0, "max_iter": 4, "reg_covar": 0, **start}
    with pytest.warns(ConvergenceWarning):
        theirs = SklearnMixture(2, **options).fit(x)
    with pytest.warns(ConvergenceWarning, match="max_iter=4"):
        ours = GaussianMixture(2, **options).fit(x)
    for name in ("weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-9, atol=1e-10, err_msg=name)
    for method in ("score_samples", "predict_proba", "predict", "score", "aic", "bic"):
        np.testing.assert_allclose(getattr(ours, method)(x), getattr(theirs, method)(x), rtol=1e-9, err_msg=method)
    assert (ours.n_iter_, ours.converged_, ours.n_features_in_) == (4, False, 3)
    assert ours.lower_bounds_[-2] == pytest.approx(theirs.lower_bound_, rel=1e-12)  # theirs is of the step before
    assert ours.lower_bound_ == ours.lower_bounds_[-1] == pytest.approx(ours.score(x), rel=1e-13)


def test_it_says_which_component_is_degenerate(x):
    spiked = np.vstack([x, np.full((5, 3), 50.0)])
    means = [[-2.0] * 3, [1.0] * 3, [50.0] * 3]
    with pytest.warns(ConvergenceWarning, match="component 2: a direction of the covariance is held at reg_covar"):
        gm = GaussianMixture(3, means_init=means).fit(spiked)
    assert gm.degenerate_ == (2,)
    with pytest.warns(ConvergenceWarning, match="component 2 .* has a direction without spread"):
        GaussianMixture(3, means_init=means, reg_covar=0).fit(spiked)


def test_a_warm_start_goes_on(x):
    gm = GaussianMixture(2, max_iter=3, tol=0, warm_start=True, random_state=0)
    with pytest.warns(ConvergenceWarning):
        before = gm.fit(x).lower_bound_
        assert gm.fit(x).lower_bound_ > before


def test_grid_search_and_weights(x):
    search = GridSearchCV(GaussianMixture(random_state=0), {"n_components": [1, 2]}, cv=3).fit(x)
    assert search.best_params_ == {"n_components": 2}
    w = np.random.default_rng(0).integers(1, 4, len(x))
    start = {"means_init": [[-2.0] * 3, [1.0] * 3], "tol": 1e-8, "max_iter": 1000}
    a = GaussianMixture(2, **start).fit(x, sample_weight=w)
    assert a.score_samples(x) @ w == pytest.approx(a.lower_bound_ * w.sum(), rel=1e-12)
    labels = clone(a).fit_predict(x)
    np.testing.assert_array_equal(labels, clone(a).fit(x).predict(x))
    assert a.sample(10)[0].shape == (10, 3)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_start_takes_weights_beside_means(x):
    """Its likelihood by scipy: the given weights and means, the covariance about the nearest mean in standard units."""
    weights, means = np.array([0.9, 0.1]), np.array([[-1.0] * 3, [1.0] * 3])
    apart = x[:, None] - means
    nearest = np.square(apart / x.std(0)).sum(2).argmin(1)
    rest = apart[np.arange(len(x)), nearest]
    cov = rest.T @ rest / len(x)
    density = sum(w * multivariate_normal(m, cov).pdf(x) for w, m in zip(weights, means, strict=True))
    fitted = GaussianMixture(2, means_init=means, weights_init=weights, max_iter=1).fit(x)
    assert fitted.fit_.history[0] == pytest.approx(-np.log(density).mean(), rel=1e-5)


def test_bad_parameters(x):
    with pytest.raises(nl.ParameterError, match="covariance_type='diagonal'; allowed: full, tied, diag, spherical"):
        GaussianMixture(2, covariance_type="diagonal").fit(x)
    with pytest.raises(nl.ParameterError, match="need means_init"):
        GaussianMixture(2, weights_init=[0.5, 0.5]).fit(x)
    with pytest.raises(nl.ParameterError, match="sum 1"):
        GaussianMixture(2, means_init=[[-1.0] * 3, [1.0] * 3], weights_init=[0.5, 0.6]).fit(x)
    with pytest.raises(nl.InputError, match="n_samples=2 for n_components=3"):
        GaussianMixture(3).fit(x[:2])
