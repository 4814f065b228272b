"""Boosting with a pseudo-loss: AdaBoost.M2's closed forms, weights of outliers, wrong labels on real data."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

import neglog as nl
from neglog import losses
from neglog.sklearn import PseudoLossBoostingClassifier


@parametrize_with_checks([PseudoLossBoostingClassifier(n_estimators=5)])
def test_scikit_learn_contract(estimator, check):
    check(estimator)


def test_the_first_round_is_adaboost_m2():
    """D uniform over wrong classes; the step ``log((1 - eps) / eps) / 2`` where no margin is 0."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((200, 3)), rng.integers(0, 2, 200)
    y = np.where(rng.random(200) < 0.7, x[:, 0] > 0, y).astype(int)
    model = PseudoLossBoostingClassifier("exponential_loss", n_estimators=1, max_depth=1).fit(x, y)
    pull = np.where(np.eye(2)[y] == 1, 1.0, -1.0) / 200
    tree = DecisionTreeRegressor(max_depth=1).fit(x, pull)
    leaf = tree.apply(x)
    sums = np.array([pull[leaf == one].sum(0) for one in range(3)])
    h = (sums > 0)[leaf].astype(float)
    right = h[np.arange(200), y] - h[np.arange(200), 1 - y]
    epsilon = (0.5 * (1 - right)).mean()
    np.testing.assert_allclose(model.pseudo_loss_, [epsilon], rtol=1e-12)
    np.testing.assert_allclose(model.steps_, [0.5 * np.log((1 - epsilon) / epsilon)], rtol=1e-8)


@pytest.mark.parametrize(
    ("loss", "parameters"),
    [("exponential_loss", {}), ("madaboost", {}), ("cross_entropy", {}), ("mislabel", {"rate": 0.1})],
)
def test_the_loss_falls_round_by_round(loss, parameters):
    x, y = load_digits(return_X_y=True)
    held = slice(1000, None)
    model = PseudoLossBoostingClassifier(loss, parameters, n_estimators=40, max_depth=4, random_state=0)
    model.fit(x[:1000], y[:1000])
    assert (np.diff(model.train_loss_) <= 1e-12).all()
    assert (model.pseudo_loss_ < 0.5).all()
    scores = model.decision_function(x[:1000])
    mean = getattr(losses, loss)(scores, y[:1000], **parameters)
    np.testing.assert_allclose(model.train_loss_[-1], mean, rtol=1e-12)
    assert model.score(x[held], y[held]) > 0.85
    probs = model.predict_proba(x[held])
    np.testing.assert_allclose(probs.sum(1), 1.0, rtol=1e-12)
    if loss == "exponential_loss":
        np.testing.assert_allclose(probs, losses.softmax(2 * model.decision_function(x[held])), atol=1e-12)


def test_weight_of_an_outlier():
    """What a sample with odds of 1e6 against it weighs: 1e6, 1, 1, about 1, nearly 0."""
    z, y = np.array([[0.0, np.log(1e6)]]), [0]
    pulls = {
        "exponential_loss": 1e6,
        "madaboost": 1.0,
        "nllr": 1.0,
        "cross_entropy": 1 - 1e-6,
        "mislabel": 0.95 * 1e-6 / (0.95 * 1e-6 + 0.025) * (1 - 1e-6),
    }
    for loss, weight in pulls.items():
        parameters = {"rate": 0.05} if loss == "mislabel" else {}
        gradient = getattr(losses, f"{loss}_grad")(z, y, **parameters)[1]
        np.testing.assert_allclose(gradient[0, 1], weight, rtol=2e-6)


def test_wrong_labels_lose_their_weight():
    """What the last round's samples with flipped labels weigh, beside the others: much with the exponential loss."""
    x, y = load_breast_cancer(return_X_y=True)
    rng = np.random.default_rng(0)
    flipped = rng.random(len(y)) < 0.1
    noisy = np.where(flipped, 1 - y, y)
    ratio = {}
    for loss, parameters in (("exponential_loss", {}), ("madaboost", {}), ("mislabel", {"rate": 0.2})):
        model = PseudoLossBoostingClassifier(loss, parameters, n_estimators=40, max_depth=2, random_state=0)
        score = model.fit(x, noisy).decision_function(x)
        logits = np.column_stack([np.zeros_like(score), score])
        weight = np.abs(getattr(losses, f"{loss}_grad")(logits, noisy, reduction="none", **parameters)[1]).sum(1)
        ratio[loss] = weight[flipped].mean() / weight[~flipped].mean()
    assert ratio["mislabel"] < ratio["madaboost"] < ratio["exponential_loss"]


def test_weights_are_repeated_rows():
    x, y = load_iris(return_X_y=True)
    weight = 1 + np.arange(150) % 3
    repeat = np.repeat(np.arange(150), weight)
    model = PseudoLossBoostingClassifier("madaboost", n_estimators=5, max_depth=2, random_state=0)
    one = clone(model).fit(x, y, sample_weight=weight)
    many = clone(model).fit(x[repeat], y[repeat])
    np.testing.assert_allclose(one.train_loss_, many.train_loss_, rtol=1e-10)


PROBABILITIES = [  # of the classes, from what a loss has made of the scores
    ("cross_entropy", {}, losses.softmax),
    ("exponential_loss", {}, lambda f: losses.softmax(2 * f)),
    ("generalized_cross_entropy", {"q": 0.4}, lambda f: losses.softmax(0.6 * f)),
    ("generalized_cross_entropy", {"q": 0.7, "truncation": 0.1}, losses.softmax),  # flat: nothing to recover from
    ("alpha_loss", {"alpha": np.inf}, losses.softmax),  # linear
    ("gamma_divergence", {"gamma": 0.5}, losses.softmax),
    ("mislabel", {"rate": 0.2}, losses.softmax),  # of the true classes
    ("density_power", {"beta": 0.5}, losses.softmax),
    ("bi_tempered", {"t1": 0.8, "t2": 1.3}, lambda f: losses.tempered_softmax(f, 1.3)),
    ("forward_correction", {"transition": 0.8 * np.eye(3) + 0.2 / 3}, losses.softmax),
]


@pytest.mark.parametrize(("loss", "parameters", "expected"), PROBABILITIES)
def test_every_loss_has_probabilities_here_and_in_objectives(loss, parameters, expected):
    x, y = load_iris(return_X_y=True)
    model = PseudoLossBoostingClassifier(loss, parameters, n_estimators=5, max_depth=2, random_state=0).fit(x, y)
    scores = model.decision_function(x)
    assert np.ptp(scores) > 0
    np.testing.assert_allclose(model.predict_proba(x), expected(scores), rtol=1e-11)
    by_objective = nl.Objective(loss, classes=3, **parameters).parameters(scores)["probs"]
    np.testing.assert_array_equal(by_objective, model.predict_proba(x))


def test_what_cannot_be_used_is_named():
    x, y = load_iris(return_X_y=True)
    with pytest.raises(nl.ParameterError, match="hinge"):
        PseudoLossBoostingClassifier("hinge").fit(x, y)
    for other in ("nll_loss", "softmax_loss", "kl_div", "logsumexp"):  # they have a gradient, too
        with pytest.raises(nl.ParameterError, match=f"{other}' is no loss of logits .*; allowed: cross_entropy, nllr"):
            PseudoLossBoostingClassifier(other).fit(x, y)
        with pytest.raises(nl.ParameterError, match=f"Objective: '{other}' is no loss of logits"):
            nl.Objective(other, classes=3)
    for name in ("learning_rate", "n_estimators"):
        for wrong in (0, -1, None, "a", np.inf):
            with pytest.raises(nl.ParameterError, match=f"BoostingClassifier: {name}={wrong!r}; allowed: {name}"):
                PseudoLossBoostingClassifier(**{name: wrong}).fit(x, y)
