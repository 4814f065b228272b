"""Numbers computed once by mpmath, NumPy in float64 or PyTorch 2.13, and kept as literals; each to 1e-9."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.datasets import load_digits

import neglog as nl
from neglog import losses

Z = np.array([[2.0, 1.0, 0.1], [0.5, -1.0, 0.3], [-0.2, 0.4, 3.0], [5.0, 4.0, 2.0]])
Y = np.array([0, 2, 1, 0])
W = [1.0, 2.0, 0.5]
ONE_HOT = np.eye(3)[Y]


def close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"reduction": "none"}, [0.4170300163, 0.9138616044, 2.7088864960, 0.3490122168]),
        ({"reduction": "none", "weight": W}, [0.4170300163, 0.4569308022, 5.4177729921, 0.3490122168]),
        ({}, 1.097197583376247),
        ({"reduction": "sum"}, 4.388790333504988),
        ({"weight": W}, 1.4757213394111572),
        ({"label_smoothing": 0.1}, 1.147197583376247),
        ({"label_smoothing": 0.1, "weight": W}, 1.502303028931282),
        (
            {"label_smoothing": 0.1, "reduction": "none"},
            [0.5136966829, 0.9505282711, 2.6422198294, 0.4823455501],
        ),
    ],
)
def test_cross_entropy_of_indices(options, expected):
    close(losses.cross_entropy(Z, Y, **options), expected)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, 0.5599679458183956),
        ({"weight": W}, 0.4891892142001413),
        ({"label_smoothing": 0.1}, 0.6488568347072845),
    ],
)
def test_cross_entropy_with_an_ignored_row(options, expected):
    close(losses.cross_entropy(Z, [0, 2, -100, 0], ignore_index=-100, **options), expected)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, 1.097197583376247),
        ({"weight": W}, 1.6601865068375516),
        ({"weight": W, "label_smoothing": 0.1}, 1.690090907547692),
    ],
)
def test_cross_entropy_of_probabilities(options, expected):
    close(losses.cross_entropy(Z, ONE_HOT, **options), expected)


def test_gradient_under_label_smoothing():
    _, gradient = losses.cross_entropy_grad(Z, Y, label_smoothing=0.1, reduction="none")
    close(gradient[0], [-0.2743321944, 0.2090996374, 0.0652325571])


def test_a_masked_class_without_smoothing():
    row = Z[0].copy()
    row[1] = -np.inf
    close(losses.cross_entropy(row, 0), 0.1393867583)


def test_per_pixel_zero_logits():
    close(losses.cross_entropy(np.zeros((2, 3, 4, 5)), np.ones((2, 4, 5), int), axis=1), 1.0986122886681096)


@pytest.mark.parametrize(
    ("scores", "target", "probabilities", "nll"),
    [  # L. J. Miranda, "Understanding softmax and the negative log-likelihood" (2017)
        ([5, 4, 2], 0, (0.7054, 0.2595, 0.0351), 0.349),
        ([4, 2, 8], 2, (0.0179, 0.0024, 0.9796), 0.0206),
        ([4, 4, 1], 0, (0.4879, 0.4879, 0.0243), 0.7177),
    ],
)
def test_cat_horse_dog(scores, target, probabilities, nll):
    np.testing.assert_allclose(losses.softmax(scores), probabilities, atol=1e-4)
    assert losses.cross_entropy(scores, target) == pytest.approx(nll, abs=1e-3)


def test_nll_loss_takes_no_logarithm():
    log_p = np.log([0.1, 0.3, 0.5, 0.1])
    close(losses.nll_loss(log_p, 3), 2.302585092994046)
    close(losses.nll_loss(log_p, 2), 0.6931471805599453)
    with pytest.raises(nl.InputKindError):  # probabilities by mistake: torch returns -0.45799235515875870
        losses.nll_loss(losses.softmax(Z), Y)


def test_binary_with_logits():
    x, t = [800.0, -800.0, 0.0, 2.0], [0, 1, 0.3, 1]
    none = {"reduction": "none"}
    close(losses.binary_cross_entropy_with_logits(x, t, **none), [800, 800, 0.6931471806, 0.1269280110])
    weighted = losses.binary_cross_entropy_with_logits(x, t, pos_weight=3.0, **none)
    close(weighted, [800, 2400, 1.1090354889, 0.38078403313])


def test_binary_equals_two_classes():
    x = np.linspace(-30, 30, 61)
    logits = np.stack([np.zeros_like(x), x], axis=1)
    for t in (0, 1):
        target = np.full(len(x), t)
        two = losses.cross_entropy(logits, target, reduction="none")
        close(losses.binary_cross_entropy_with_logits(x, target, reduction="none"), two)


def test_log_loss_of_the_scikit_learn_documentation():
    p = [[0.1, 0.9], [0.9, 0.1], [0.8, 0.2], [0.35, 0.65]]
    close(losses.log_loss(["spam", "ham", "ham", "spam"], p), 0.21616187468057912)
    close(losses.log_loss(["spam", "ham", "ham", "spam"], np.array(p)[:, 1]), 0.21616187468057912)
    close(losses.log_loss([0, 1], [[0.5, 0.6], [0.2, 0.9]]), 0.39925384810888576)


def test_divergence_and_cross_entropy():
    q, p = np.array([0.2, 0.5, 0.3]), np.array([0.1, 0.6, 0.3])
    close(losses.kl_div(np.log(p), q), 0.015822885905003914)
    close(losses.kl_div(np.log([p]), [q], reduction="batchmean"), 0.04746865771501174)
    close(losses.kl_div(np.log([p]), np.log([q]), reduction="batchmean", log_target=True), 0.04746865771501174)
    close(losses.cross_entropy(np.log(p), q), 1.0771216717795853)  # = entropy 1.0296530140645737 + divergence


def test_primitives():
    assert losses.logsumexp([1000.0, 0.0, -1000.0]) == 1000.0
    assert losses.logsumexp([-np.inf, -np.inf]) == -np.inf
    assert losses.logsumexp([1.0, np.inf]) == np.inf
    assert losses.logsumexp(np.empty((2, 0))).tolist() == [-np.inf, -np.inf]
    np.testing.assert_allclose(np.exp(losses.log_softmax(Z)).sum(axis=1), 1, atol=1e-12)


@pytest.mark.parametrize(
    ("x", "softplus"), [(-40.0, 4.248354255291589e-18), (800.0, 800.0), (-800.0, 0.0), (40.0, 40.0)]
)
def test_softplus_is_the_loss_of_a_no(x, softplus):
    close(losses.binary_cross_entropy_with_logits(x, 0), softplus)
    if softplus:
        assert losses.binary_cross_entropy_with_logits(x, 0) == pytest.approx(softplus, rel=1e-14, abs=0)


@pytest.mark.parametrize(
    ("a", "log1mexp"), [(-1e-20, -46.051701859880914), (-0.5, -0.9327521295671886), (0.0, -math.inf)]
)
def test_log1mexp(a, log1mexp):
    from neglog import _native

    close(_native.math("log1mexp", np.array([a]), np.empty(1)), [log1mexp])


def test_log_odds():
    p = np.array([0.0, 0.2, 0.5, 0.8, 1.0])
    close(losses.prob_to_logodds(p), [-np.inf, -math.log(4), 0, math.log(4), np.inf])
    close(losses.logodds_to_odds(losses.prob_to_logodds(p)), [0, 0.25, 1, 4, np.inf])
    close(losses.odds_to_prob(losses.logodds_to_odds(losses.prob_to_logodds(p))), p)
    x = np.linspace(-30, 0, 301)[:-1]  # above 0 the digits of 1 - p are gone: not a property of the functions
    np.testing.assert_allclose(losses.prob_to_logodds(losses.logodds_to_prob(x)), x, rtol=1e-12)
    np.testing.assert_allclose(losses.odds_to_prob(losses.logodds_to_odds(x)), losses.logodds_to_prob(x), rtol=1e-12)


def test_descent_on_separated_classes_never_arrives():
    """Logistic regression of one slope whose NLL has no minimum: the weight grows as the logarithm of the steps."""
    x, y, w = np.array([-2.0, -1.0, 1.0, 2.0]), np.array([0.0, 0.0, 1.0, 1.0]), 0.0
    found = {}
    for step in range(1, 1001):
        _, gradient = losses.binary_cross_entropy_with_logits_grad(w * x, y)
        w -= gradient @ x
        if step in (10, 100, 1000):
            found[step] = w, losses.binary_cross_entropy_with_logits(w * x, y)
    expected = {10: (2.103, 0.06499), 100: (4.018, 0.009076), 1000: (6.231, 0.0009845)}
    for step, (weight, nll) in expected.items():
        np.testing.assert_allclose(found[step], (weight, nll), rtol=6e-4)  # four digits are given
    assert nl.fit("bernoulli", y, x[:, None], intercept=False).status == "separated"


LINEAR = {  # accuracies over five other splits, whose standard deviation is 0.006 and less
    "cross_entropy": (losses.cross_entropy_grad, {}, 0.9406),
    "nllr": (losses.nllr_grad, {}, 0.9026),
    "bridge": (losses.nllr_grad, {"epsilon": 0.1}, 0.9413),
}


@pytest.mark.parametrize("name", LINEAR)
def test_linear_models_with_a_penalty_have_one_minimum(name):
    """Digits, softmax of a linear map, ridge 1e-2 but for the intercepts."""
    loss, given, published = LINEAR[name]
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    x, y = np.column_stack([x[order] / 16, np.ones(len(y))]), y[order]
    train, test = slice(0, len(y) // 2), slice(len(y) // 2, None)

    def penalised(w):
        w = w.reshape(65, 10)
        value, gradient = loss(x[train] @ w, y[train], **given)
        held = 1e-2 * np.vstack([w[:-1], np.zeros(10)])
        return value + 0.5 * (held * w).sum(), (x[train].T @ gradient + held).ravel()

    starts = np.zeros(650), np.random.default_rng(1).normal(0, 1, 650)
    ends = [minimize(penalised, start, jac=True, method="L-BFGS-B", options={"maxiter": 500}) for start in starts]
    assert ends[0].fun == pytest.approx(ends[1].fun, rel=1e-4)
    accuracy = ((x[test] @ ends[0].x.reshape(65, 10)).argmax(1) == y[test]).mean()
    assert abs(accuracy - published) < 4 * 0.006
