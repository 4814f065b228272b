"""Softmax regression: scikit-learn's optimum or lower, labels of any kind, both parametrisations."""

from __future__ import annotations

import gc
import warnings

import numpy as np
import pytest

import neglog as nl
from neglog.errors import DataError, InputError


@pytest.fixture(scope="module")
def digits():
    from sklearn.datasets import load_digits

    return load_digits(return_X_y=True)


@pytest.mark.parametrize("l2", [1.0, 0.05])
def test_digits_reach_the_optimum_of_scikit_learn_or_lower(digits, l2):
    from sklearn.linear_model import LogisticRegression

    x, y = digits
    model = LogisticRegression(C=1 / l2, solver="newton-cholesky", tol=1e-10).fit(x, y)
    theirs = -model.predict_log_proba(x)[np.arange(len(y)), y].sum() + l2 / 2 * (model.coef_**2).sum()
    r = nl.fit("categorical", y, x, intercept=True, l2=l2)
    assert r.ok
    assert r.objective == pytest.approx(theirs, abs=1e-8)
    np.testing.assert_allclose(r.predict(x), model.predict_proba(x), atol=1e-6)
    names = [name for name in r.names if name.endswith(".Intercept")]
    assert sum(r.params[name] for name in names) == pytest.approx(0.0, abs=1e-9)


@pytest.fixture(scope="module")
def flowers():
    from sklearn.datasets import load_iris

    iris = load_iris()
    return iris.data, iris.target_names[iris.target]


def test_labels_of_any_kind(flowers):
    x, species = flowers
    named = nl.fit("categorical", species, x, intercept=True, l2=1.0)
    assert named.classes == ("setosa", "versicolor", "virginica")
    assert named.names[:2] == ("logits.setosa.Intercept", "logits.setosa.x0")
    _, codes = np.unique(species, return_inverse=True)
    for labels in (
        codes,
        codes.astype(float) * 2.5,
        codes.astype(np.uint8),
        species.astype(object),
        list(species),
    ):
        r = nl.fit("categorical", labels, x, intercept=True, l2=1.0)
        assert (r.values == named.values).all() and len(r.classes) == 3
    assert nl.fit("categorical", codes > 0, x, intercept=True, l2=1.0).classes == (False, True)


def test_two_classes_are_a_bernoulli(flowers):
    x, species = flowers
    x, y = x[50:], species[50:] == "virginica"
    two, one = nl.fit("categorical", y, x, intercept=True), nl.fit("bernoulli", y, x, intercept=True)
    assert two.ok
    np.testing.assert_allclose(two.values, one.values, rtol=1e-8)
    np.testing.assert_allclose(two.cov, one.cov, rtol=1e-7)
    assert two.loglik == pytest.approx(one.loglik, rel=1e-13)


def test_without_covariates_the_frequencies_come_back():
    r = nl.fit("categorical", ["b", "a", "b", "c", "b", "a"])
    assert r.ok and r.names == ("logits.b", "logits.c")
    np.testing.assert_allclose(r.predict(1), [[2 / 6, 3 / 6, 1 / 6]], rtol=1e-12)
    assert r.nll == pytest.approx(-(2 * np.log(2 / 6) + 3 * np.log(3 / 6) + np.log(1 / 6)), rel=1e-13)


def test_against_statsmodels():
    import statsmodels.api as sm

    with warnings.catch_warnings():  # pandas leaves the file of a regex separator to the garbage collector
        warnings.simplefilter("ignore", ResourceWarning)
        data = sm.datasets.anes96.load_pandas()
        gc.collect()
    x = sm.add_constant(data.exog.to_numpy(float), prepend=False)
    y = data.endog.to_numpy()
    theirs = sm.MNLogit(y, x).fit(method="newton", disp=0, tol=1e-12)
    r = nl.fit("categorical", y, x)
    assert r.ok
    # reference case F2 (Stata)
    assert r.loglik == pytest.approx(-1461.922747312, rel=1e-10)
    assert r.aic == pytest.approx(2995.84549462, rel=1e-9) and r.bic == pytest.approx(3170.45003661, rel=1e-9)
    params = np.asarray(theirs.params).T.ravel()
    np.testing.assert_allclose(r.values, params, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(list(r.stderr.values()), np.asarray(theirs.bse).T.ravel(), rtol=1e-7)


def test_kinds_of_prediction(flowers):
    x, species = flowers
    r = nl.fit("categorical", species, x, intercept=True, l2=1.0)
    logits, probs, logs = (r.predict(x[:5], kind=kind) for kind in ("logits", "probs", "logprobs"))
    np.testing.assert_allclose(probs.sum(axis=1), 1, rtol=1e-14)
    np.testing.assert_allclose(np.exp(logs), probs, rtol=1e-13)
    np.testing.assert_allclose(np.exp(logits - logits[:, :1]), probs / probs[:, :1], rtol=1e-12)
    np.testing.assert_allclose(r.predict()[:5], probs, rtol=1e-12)
    with pytest.raises(InputError, match="probs, logprobs, logits"):
        r.predict(x, kind="params")


def test_what_makes_no_sense():
    with pytest.raises(DataError, match="all labels are 'a'"):
        nl.fit("categorical", ["a", "a"])
    with pytest.raises(InputError, match="cannot be censored"):
        nl.fit("categorical", nl.interval([0.0], [1.0]))
    with pytest.raises(InputError, match="precision weights need a dispersion"):
        nl.fit("categorical", ["a", "b"], weights=[1, 2], weight_kind="precision")
    with pytest.raises(InputError, match="tied together"):
        nl.fit("categorical", ["a", "b"], l2=1.0, fixed={"logits.b": 0.0})
    with pytest.raises(DataError, match="cannot be sorted together"):
        nl.fit("categorical", np.array(["a", 1, None, 2.5], dtype=object)[[0, 1, 3]])


def test_many_coefficients_go_by_products(monkeypatch):
    """Above the limit there is no Hessian matrix, and the optimum is the same."""
    from sklearn.datasets import load_wine

    from neglog.estimation import problem as problems

    x, y = load_wine(return_X_y=True)
    dense = nl.fit("categorical", y, x, intercept=True, l2=1.0)
    monkeypatch.setattr(problems, "DENSE", 10)
    large = nl.fit("categorical", y, x, intercept=True, l2=1.0)
    assert large.ok, large.message
    assert large.objective == pytest.approx(dense.objective, rel=1e-12)
    np.testing.assert_allclose(large.values, dense.values, rtol=1e-5, atol=1e-7)


def test_a_hundred_coefficients_cost_a_few_products():
    """20,000 rows, 10 classes, 10 columns: 0.3 s of one core; a product per pair of classes takes 3 s."""
    import time

    rng = np.random.default_rng(0)
    x = rng.normal(size=(20_000, 10))
    y = (x @ rng.normal(size=(10, 10)) + rng.gumbel(size=(20_000, 10))).argmax(axis=1)
    nl.fit("categorical", y[:100] % 2, x[:100], l2=1.0)  # imports
    begin = time.process_time()
    r = nl.fit("categorical", y, x, intercept=True, l2=1.0)
    assert r.ok and time.process_time() - begin < 1.5


def test_the_curvature_of_rows_that_are_predicted_well():
    """``p (1 - p)`` of logits 40 apart is e^-40; a difference of products would give 0."""
    r = nl.fit("categorical", [0, 1, 1], [[1.0], [2.0], [3.0]], l2=1.0)
    problem = r.training.model.problem
    eta = np.array([40.0 * 2**0.5, 0.0])[: problem.rows.predictors, None] * np.ones((1, 3))
    columns, everything = problem.designs[0].columns, slice(0, 3)
    found = problem.rows.curvature(everything, eta, columns, None)
    h = problem.rows.derivatives(everything, eta)[2]
    np.testing.assert_allclose(found, np.einsum("efm,mi,mj->eifj", h, columns, columns).reshape(found.shape), rtol=1e-9)
    assert found[0, 0] > 0
