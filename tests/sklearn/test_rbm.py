"""The estimators: scikit-learn's own checks, its attributes, and its answers where they are the same."""

import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import BernoulliRBM as SklearnRBM
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

import neglog as nl
from neglog.sklearn import BernoulliRBM, GaussianRBM


@parametrize_with_checks(
    [
        BernoulliRBM(8, binarize=0.0, n_iter=2, random_state=0),  # the checks' data are real numbers
        GaussianRBM(8, n_iter=2, random_state=0, learning_rate=1e-5),  # and far from unit variance
    ]
)
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


@pytest.fixture
def x():
    rng = np.random.default_rng(0)
    return (rng.random((200, 12)) < rng.random((3, 12))[rng.integers(3, size=200)]).astype(float)


def same_parameters(theirs, ours):
    """Ours with what theirs has learned."""
    ours.fit(np.zeros((2, theirs.n_features_in_)))
    ours.components_ = theirs.components_.copy()
    ours.intercept_hidden_, ours.intercept_visible_ = theirs.intercept_hidden_, theirs.intercept_visible_
    return ours


def test_the_same_parameters_say_the_same(x):
    theirs = SklearnRBM(5, random_state=0, n_iter=20).fit(x)
    ours = same_parameters(theirs, BernoulliRBM(5, n_iter=0))
    np.testing.assert_allclose(ours.transform(x), theirs.transform(x), rtol=1e-12)
    np.testing.assert_allclose(ours.model_.free_energy(x), theirs._free_energy(x), rtol=1e-12)
    # theirs estimates from one unit of each row
    draws = np.array([theirs.set_params(random_state=s).score_samples(x).mean() for s in range(200)])
    assert abs(draws.mean() - ours.score(x)) < 4.5 * draws.std() / np.sqrt(200)
    ours.likelihood = "stochastic"
    mine = np.array([ours.score(x) for _ in range(200)])
    assert abs(mine.mean() - draws.mean()) < 4.5 * np.hypot(mine.std(), draws.std()) / np.sqrt(200)
    shapes = ("components_", "intercept_hidden_", "intercept_visible_", "h_samples_")
    fitted = BernoulliRBM(5, n_iter=1).fit(x)
    assert [getattr(fitted, a).shape for a in shapes] == [getattr(theirs, a).shape for a in shapes]
    assert list(fitted.get_feature_names_out()) == [f"bernoullirbm{i}" for i in range(5)]


def test_it_learns_as_well(x):
    kept, exact = {"n_iter": 30, "learning_rate": 0.05}, []
    for seed in range(5):
        theirs = SklearnRBM(6, random_state=seed, **kept).fit(x)
        ours = BernoulliRBM(6, random_state=seed, likelihood="exact", **kept).fit(x)
        reference = same_parameters(theirs, BernoulliRBM(6, n_iter=0, likelihood="exact"))
        exact.append((ours.score(x), reference.score(x)))
    ours, theirs = np.mean(exact, 0)
    assert ours > theirs - 0.05


def test_partial_fit_goes_on(x):
    rbm = BernoulliRBM(4, random_state=0, likelihood="exact", learning_rate=0.3)
    first = rbm.partial_fit(x).score(x)
    assert rbm.partial_fit(x) is rbm
    for _ in range(2000):
        rbm.partial_fit(x)
    assert rbm.score(x) > first + 0.3
    # the chains too, through a copy on disk
    other = pickle.loads(pickle.dumps(rbm))
    np.testing.assert_array_equal(rbm.partial_fit(x).components_, other.partial_fit(x).components_)


@pytest.mark.parametrize("kind", [BernoulliRBM, GaussianRBM])
def test_random_state(kind, x):
    fits = [kind(4, n_iter=3, random_state=s).fit(x) for s in (0, 0, 1, np.random.RandomState(0))]
    np.testing.assert_array_equal(fits[0].components_, fits[1].components_)
    np.testing.assert_array_equal(fits[0].components_, fits[3].components_)
    assert (fits[0].components_ != fits[2].components_).any()
    for method in (lambda f: f.gibbs(x), lambda f: f.sample(50)):
        first, again = method(fits[0]), method(fits[0])
        np.testing.assert_array_equal(first, method(fits[1]))
        assert (first != again).any()
        method(fits[1])


def test_kinds_of_likelihood(x):
    rbm = BernoulliRBM(6, random_state=0, n_iter=30).fit(x)
    exact = -rbm.model_.nll(x)
    found = {kind: rbm.set_params(likelihood=kind).score_samples(x) for kind in ("exact", "ais", "pseudo")}
    np.testing.assert_array_equal(found["exact"], exact)
    np.testing.assert_allclose(found["ais"], exact, atol=0.1)
    np.testing.assert_array_equal(found["pseudo"], -nl.energy.pseudo_nll(rbm.model_, x))
    np.testing.assert_array_equal(found["ais"], rbm.set_params(likelihood="ais").score_samples(x))
    with pytest.raises(nl.ParameterError, match=r"likelihood = 'true'.*'pseudo'"):
        rbm.set_params(likelihood="true").score_samples(x)
    with pytest.raises(nl.ParameterError, match="likelihood = 'true'"):
        BernoulliRBM(2, likelihood="true").fit(x)
    large = BernoulliRBM(25, n_iter=1, likelihood="exact").fit(np.repeat(x, 2, 1))
    with pytest.raises(nl.ParameterError, match="too many to enumerate"):
        large.score_samples(np.repeat(x, 2, 1))


def test_gaussian_likelihood():
    data = np.random.default_rng(0).normal(3.0, 1.0, (300, 4))
    small, large = (GaussianRBM(n, random_state=0, n_iter=5).fit(data) for n in (3, 25))
    np.testing.assert_array_equal(small.score_samples(data), -small.model_.nll(data))
    best = -2 * (1 + np.log(2 * np.pi))
    assert small.score(data) == pytest.approx(best, abs=0.2)
    assert large.score(data) == pytest.approx(best, abs=0.4)  # by AIS
    with pytest.raises(nl.ParameterError, match="'auto'"):
        small.set_params(likelihood="pseudo").score_samples(data)


def test_binarize_and_range(x):
    grey = x * 16
    with pytest.raises(nl.DataError, match=r"= 16.0; allowed: 0 and 1"):
        BernoulliRBM(3).fit(grey)
    plain, cut = BernoulliRBM(3, random_state=0).fit(x), BernoulliRBM(3, random_state=0, binarize=7.5).fit(grey)
    np.testing.assert_array_equal(plain.components_, cut.components_)
    np.testing.assert_array_equal(plain.transform(x), cut.transform(grey))


def test_sparse_matrices_and_dtypes(x):
    dense = BernoulliRBM(3, random_state=0).fit(x)
    np.testing.assert_array_equal(
        dense.components_, BernoulliRBM(3, random_state=0).fit(sparse.csr_array(x)).components_
    )
    np.testing.assert_array_equal(dense.transform(x), dense.transform(sparse.csr_array(x)))
    single = BernoulliRBM(3, random_state=0).fit(x.astype(np.float32))
    assert {single.components_.dtype, single.transform(x.astype(np.float32)).dtype} == {np.dtype(np.float32)}


def test_verbose_and_callback(x, capsys):
    heard = []
    BernoulliRBM(3, n_iter=3, verbose=1, callback=heard.append).fit(x)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines] == [f"[BernoulliRBM] Iteration {i}" for i in (1, 2, 3)]
    assert all("pseudo-likelihood = -" in line and "time = " in line for line in lines)
    assert [p.epoch for p in heard] == [1, 2, 3]
    GaussianRBM(3, n_iter=1, verbose=1).fit(x)
    assert "log-likelihood = -" in capsys.readouterr().out


def test_parameters_arrive(x):
    sparse_one = BernoulliRBM(4, method="cd", n_iter=60, random_state=0, sparsity=nl.energy.Sparsity(0.1, 30.0)).fit(x)
    assert abs(sparse_one.transform(x).mean(0) - 0.1).max() < 0.05
    assert not hasattr(sparse_one, "h_samples_")
    decayed = BernoulliRBM(4, n_iter=30, random_state=0, weight_decay=1.0).fit(x)
    assert (
        abs(decayed.components_).max() < 0.3 < abs(BernoulliRBM(4, n_iter=30, random_state=0).fit(x).components_).max()
    )
    again = clone(sparse_one)
    assert again.method == "cd" and again.sparsity.target == 0.1


def test_selection_and_pipelines():
    digits = load_digits()
    x, y = digits.data[:400], digits.target[:400]
    search = GridSearchCV(
        BernoulliRBM(binarize=7.5, likelihood="exact", n_iter=40, random_state=0), {"n_components": [1, 8]}, cv=2
    ).fit(x)
    assert search.best_params_ == {"n_components": 8}
    model = make_pipeline(
        BernoulliRBM(50, binarize=7.5, n_iter=30, random_state=0), LogisticRegression(C=10, max_iter=500)
    )
    assert model.fit(x[:300], y[:300]).score(x[300:], y[300:]) > 0.75


@pytest.mark.parametrize("method", ["fit", "partial_fit", "transform", "score_samples", "gibbs"])
def test_values_that_are_no_states_are_refused(x, method):
    """In every call, also in updates after the first."""
    rbm = BernoulliRBM(3, random_state=0, n_iter=1).partial_fit(x)
    with pytest.raises(nl.DataError, match=r"BernoulliRBM: X\[0, 1\] = 3.0; allowed: 0 and 1, and probabilities"):
        getattr(rbm, method)(np.where(np.arange(12) == 1, 3.0, x))
    rbm.binarize = 0.5
    getattr(rbm, method)(3 * x)
