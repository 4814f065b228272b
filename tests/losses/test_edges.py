"""Masked classes, impossible targets, undefined rows; finite differences; messages for bad input."""

import numpy as np
import pytest

import neglog as nl
from neglog import losses

INF = np.inf
FLOATS = [np.float16, np.float32, np.float64]
RNG = np.random.default_rng(23)


# ---- infinities ----


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("classes", [3, 20, 700])
def test_a_masked_class_is_gone(dtype, classes):
    z = RNG.normal(size=(4, classes)).astype(dtype)
    y = np.array([0, 1, 2, 0])
    masked = np.concatenate([z, np.full((4, 2), -INF, dtype)], axis=1)
    tolerance = {"rtol": 1e-3 if dtype is np.float16 else 1e-5, "atol": 1e-7}
    for smoothing in (0.0, 0.1, 1.0):  # smoothing spreads over the classes that remain
        want, slopes = losses.cross_entropy_grad(z, y, label_smoothing=smoothing, reduction="none")
        loss, gradient = losses.cross_entropy_grad(masked, y, label_smoothing=smoothing, reduction="none")
        np.testing.assert_allclose(loss, want, **tolerance)
        np.testing.assert_allclose(gradient[:, :-2], slopes, **tolerance)
        assert (gradient[:, -2:] == 0).all()
    q = np.eye(classes + 2)[y].astype(dtype)  # one-hot: 0 * log 0 = 0 at the masked classes
    loss, gradient = losses.cross_entropy_grad(masked, q, reduction="none")
    np.testing.assert_allclose(loss, losses.cross_entropy(z, y, reduction="none"), **tolerance)
    assert (gradient[:, -2:] == 0).all()
    assert np.isneginf(losses.log_softmax(masked)[:, -2:]).all()
    assert (losses.softmax(masked)[:, -2:] == 0).all()


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("classes", [2, 3, 20, 700])
@pytest.mark.parametrize("kind", ["index", "probabilities"])
def test_an_impossible_target(dtype, classes, kind):
    z = RNG.normal(size=(3, classes)).astype(dtype)
    y = np.array([0, 1, classes - 1])
    z[np.arange(3), y] = -INF
    one_hot = np.eye(classes)[y]
    target = y if kind == "index" else one_hot.astype(dtype)
    loss, gradient = losses.cross_entropy_grad(z, target, reduction="none")
    assert (loss == INF).all()
    p = losses.softmax(z.astype(np.float64))
    np.testing.assert_allclose(gradient, p - one_hot, rtol=2e-3 if dtype is np.float16 else 1e-5)
    assert losses.cross_entropy(z, target) == INF


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("classes", [1, 2, 3, 20, 700])
@pytest.mark.parametrize("options", [{}, {"label_smoothing": 0.1}])
def test_undefined_rows(dtype, classes, options):
    y = np.zeros(2, int)
    nothing_left = np.full((2, classes), -INF, dtype)
    loss, gradient = losses.cross_entropy_grad(nothing_left, y, reduction="none", **options)
    assert np.isnan(loss).all()
    assert np.isnan(gradient).all()
    certain = np.zeros((2, classes), dtype)
    certain[:, -1] = INF
    assert np.isnan(losses.cross_entropy(certain, y, reduction="none", **options)).all()
    unknown = np.zeros((2, classes), dtype)
    unknown[1, -1] = np.nan
    loss = losses.cross_entropy(unknown, y, reduction="none", **options)
    assert np.isfinite(loss[0])
    assert np.isnan(loss[1])


def test_one_class_is_certain():
    loss, gradient = losses.cross_entropy_grad([[3.0], [-2.0]], [0, 0], reduction="none")
    assert loss.tolist() == [0, 0]
    assert gradient.tolist() == [[0], [0]]


@pytest.mark.parametrize("classes", [2, 5, 300])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_gradient_at_the_target_is_minus_the_others(classes, dtype):
    z = RNG.normal(0, 8, (50, classes)).astype(dtype)
    y = z.argmax(axis=1)
    _, gradient = losses.cross_entropy_grad(z, y, reduction="none")
    at_target = gradient[np.arange(50), y].copy()
    gradient[np.arange(50), y] = 0
    others = gradient.astype(np.float64).sum(axis=1)
    np.testing.assert_allclose(at_target, -others, rtol=1e-13 if dtype is np.float64 else 2e-6)


def test_large_logits():
    for scale in (1e3, 1e30, 1e38, 1e300):
        dtype = np.float64 if scale > 1e38 else np.float32
        z = np.array([[scale, 0.0, -scale]], dtype)
        assert losses.cross_entropy(z, [0]) == 0
        assert losses.cross_entropy(z, [1]) == pytest.approx(scale)
        assert losses.logsumexp(z)[0] == z[0, 0]


def test_probabilities_of_zero_and_one():
    p, t = [0.0, 0.0, 1.0, 1.0, 0.0, 1.0], [0.0, 1.0, 0.0, 1.0, 0.5, 0.5]
    loss, gradient = losses.binary_cross_entropy_grad(p, t, reduction="none")
    assert loss.tolist() == [0, INF, INF, 0, INF, INF]
    assert gradient.tolist() == [1, -INF, INF, -1, -INF, INF]


def test_infinite_log_odds():
    x, t = [INF, INF, -INF, -INF, INF, -INF], [1.0, 0.0, 0.0, 1.0, 0.5, 0.5]
    loss, gradient = losses.binary_cross_entropy_with_logits_grad(x, t, reduction="none")
    assert loss.tolist() == [0, INF, 0, INF, INF, INF]
    assert gradient.tolist() == [0, 1, 0, -1, 0.5, -0.5]


def test_divergence_where_one_side_is_zero():
    x, q = [-INF, -INF, -1.0], [0.0, 0.5, 0.0]
    loss, gradient = losses.kl_div_grad(x, q, reduction="none")
    assert loss.tolist() == [0, INF, 0]
    assert gradient.tolist() == [0, -0.5, 0]
    loss, gradient = losses.kl_div_grad([-INF, -1.0], [-INF, -INF], log_target=True, reduction="none")
    assert loss.tolist() == gradient.tolist() == [0, 0]


def test_nll_of_an_impossible_class():
    assert losses.nll_loss([-INF, 0.0], 0) == INF
    assert losses.nll_loss([-INF, 0.0], 1) == 0


@pytest.mark.parametrize("position", [0, 1])
def test_nan_that_is_read_gives_nan(position):
    values = np.array([0.3, 0.6])
    values[position] = np.nan
    fine = np.array([0.5, 0.5])
    for call in (losses.binary_cross_entropy, losses.binary_cross_entropy_with_logits):
        assert np.isnan(call(values, fine))
        assert np.isnan(call(fine, values))
    assert np.isnan(losses.kl_div(-values, fine))
    assert np.isnan(losses.kl_div(-fine, values))
    assert np.isnan(losses.cross_entropy(values, fine))
    assert np.isnan(losses.cross_entropy(fine, values))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("classes", [2, 3, 20, 700])
@pytest.mark.parametrize("inner", [1, 40])
@pytest.mark.parametrize("target", ["index", "smoothed", "probabilities"])
@pytest.mark.parametrize("where", [0, 1, [0, 1]])
def test_a_logit_of_plus_infinity_has_no_gradient(dtype, classes, inner, target, where):
    z = RNG.normal(size=(9, classes, inner)).astype(dtype)
    z[4, where, inner // 2] = INF
    y = np.zeros((9, inner), int)
    q = y if target != "probabilities" else np.full_like(z, 1 / classes)
    options = {"label_smoothing": 0.1} if target == "smoothed" else {}
    loss, gradient = losses.cross_entropy_grad(z, q, axis=1, reduction="none", **options)
    undefined = np.zeros((9, inner), bool)
    undefined[4, inner // 2] = True
    np.testing.assert_array_equal(np.isnan(loss), undefined)
    np.testing.assert_array_equal(np.isnan(gradient), np.broadcast_to(undefined[:, None], z.shape))


# ---- finite differences ----


def central(f, x, h=1e-5):
    slopes = np.empty_like(x)
    for i in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[i] += h
        down[i] -= h
        slopes[i] = (f(up) - f(down)) / (2 * h)
    return slopes


Z = RNG.normal(size=(4, 5))
Y = RNG.integers(0, 5, 4)
Q = RNG.dirichlet(np.ones(5), 4)
EVERYTHING = {"sample_weight": RNG.uniform(0.5, 2, 4), "mask": np.array([True, True, False, True])}
GRADIENTS = {
    "cross_entropy": (Z, Y, EVERYTHING | {"weight": RNG.uniform(0.5, 2, 5)}),
    "cross_entropy, smoothed": (
        Z,
        Y,
        EVERYTHING | {"weight": RNG.uniform(0.5, 2, 5), "label_smoothing": 0.3},
    ),
    "cross_entropy, probabilities": (
        Z,
        Q,
        EVERYTHING | {"weight": RNG.uniform(0.5, 2, 5), "label_smoothing": 0.3},
    ),
    "cross_entropy, unnormalised": (Z, Q * 0.5, {"denominator": 2.0}),
    "nll_loss": (losses.log_softmax(Z), Y, EVERYTHING | {"weight": RNG.uniform(0.5, 2, 5)}),
    "binary_cross_entropy": (RNG.uniform(0.1, 0.9, (4, 5)), Q, {"weight": RNG.random(5)}),
    "binary_cross_entropy_with_logits": (Z, Q, {"weight": RNG.random(5), "pos_weight": RNG.random(5) + 1}),
    "kl_div": (losses.log_softmax(Z), Q, {"reduction": "batchmean"}),
    "kl_div, log target": (losses.log_softmax(Z), np.log(Q), {"reduction": "batchmean", "log_target": True}),
}


@pytest.mark.parametrize("case", GRADIENTS)
def test_gradients_by_finite_differences(case):
    x, target, options = GRADIENTS[case]
    name = case.partition(",")[0]
    value, gradient = getattr(losses, f"{name}_grad")(x, target, **options)
    assert value == getattr(losses, name)(x, target, **options)
    np.testing.assert_allclose(gradient, central(lambda v: getattr(losses, name)(v, target, **options), x), atol=5e-9)


def test_gradients_of_primitives_by_finite_differences():
    slopes = central(lambda v: losses.logsumexp(v).sum(), Z)
    np.testing.assert_allclose(losses.logsumexp_grad(Z)[1], slopes, atol=5e-9)
    upstream = RNG.normal(size=Z.shape)
    slopes = central(lambda v: (losses.log_softmax(v) * upstream).sum(), Z)
    np.testing.assert_allclose(losses.log_softmax_grad(Z, upstream)[1], slopes, atol=5e-9)


# ---- bad input ----

MESSAGES = [
    (
        nl.TargetError,
        lambda: losses.cross_entropy(Z, [0, 5, 1, 2]),
        "cross_entropy: target[1] = 5 (labels that start at 1?); allowed: 0 <= target < 5",
    ),
    (
        nl.TargetError,
        lambda: losses.cross_entropy(Z, [0, 1, -1, 2], ignore_index=-100),
        "cross_entropy: target[2] = -1; allowed: 0 <= target < 5, or ignore_index=-100",
    ),
    (
        nl.TargetError,
        lambda: losses.cross_entropy(np.zeros((2, 5, 3)), [[0, 1, 2], [2, 9, 0]], axis=1),
        "cross_entropy: target[1, 1] = 9; allowed: 0 <= target < 5",
    ),
    (
        nl.TargetError,
        lambda: losses.cross_entropy(np.asfortranarray(np.zeros((2, 3, 5))), [[0, 1, 2], [2, 9, 0]]),
        "cross_entropy: target[1, 1] = 9; allowed: 0 <= target < 5",
    ),
    (
        nl.TargetError,
        lambda: losses.nll_loss_grad([-1.0, -2.0], 7),
        "nll_loss_grad: target = 7; allowed: 0 <= target < 2",
    ),
    (
        nl.ShapeError,
        lambda: losses.cross_entropy(Z, Y[:, None]),
        "cross_entropy: target has shape (4, 1) and integer dtype int64 (class indices); allowed: (4,), the "
        "input's "
        "shape (4, 5) without its class axis 1",
    ),
    (
        nl.ShapeError,
        lambda: losses.cross_entropy(Z, Q[0]),
        "cross_entropy: target has shape (5,) and dtype float64 (probabilities); allowed: that of the "
        "logits, (4, 5) "
        "(class indices need an integer dtype)",
    ),
    (
        nl.ShapeError,
        lambda: losses.cross_entropy(Z, Y.astype(float)),  # never guessed from the shape
        "cross_entropy: target has shape (4,) and dtype float64 (probabilities); allowed",
    ),
    (
        nl.ShapeError,
        lambda: losses.cross_entropy(Z, Y, weight=[1.0, 2.0]),
        "cross_entropy: weight has shape (2,); allowed: one weight per class, (5,)",
    ),
    (
        nl.ShapeError,
        lambda: losses.cross_entropy(Z, Y, sample_weight=np.ones((4, 1))),
        "cross_entropy: sample_weight has shape (4, 1); allowed: one weight per target, (4,)",
    ),
    (
        nl.ShapeError,
        lambda: losses.cross_entropy(Z, Y, mask=np.ones(5, bool)),
        "cross_entropy: mask has shape (5,); allowed: one value per target, (4,)",
    ),
    (
        nl.ShapeError,
        lambda: losses.cross_entropy(Z, Y, axis=2),
        "cross_entropy: axis=2 for logits of shape (4, 5); allowed: -2 <= axis < 2",
    ),
    (nl.ShapeError, lambda: losses.logsumexp(1.0), "logsumexp: logits is a scalar; it needs a class axis"),
    (
        nl.ShapeError,
        lambda: losses.cross_entropy(np.zeros((2, 0)), [0, 0]),
        "cross_entropy: logits has shape (2, 0); allowed: at least one class along axis 1",
    ),
    (
        nl.ShapeError,
        lambda: losses.binary_cross_entropy_with_logits(Z[:, :1], Y),
        "binary_cross_entropy_with_logits: target has shape (4,); allowed: that of logits, (4, 1) (nothing "
        "is broadcast)",
    ),
    (
        nl.ShapeError,
        lambda: losses.binary_cross_entropy_with_logits(Z, Q, pos_weight=np.ones(4)),
        "binary_cross_entropy_with_logits: pos_weight has shape (4,); allowed: what broadcasts to the target's (4, 5)",
    ),
    (
        nl.ShapeError,
        lambda: losses.log_softmax_grad(Z, Z[0]),
        "log_softmax_grad: upstream has shape (5,); allowed: that of the logits, (4, 5)",
    ),
    (nl.InputKindError, lambda: losses.cross_entropy(Z, Q - 0.5), "cross_entropy: target[0, "),
    (
        nl.InputKindError,
        lambda: losses.cross_entropy(Z.T, np.where(np.eye(5)[Y] > 0, 1.5, 0).T, axis=0),
        f"cross_entropy: target[{Y[0]}, 0] = 1.5 is no probability; allowed: 0 <= target <= 1",
    ),
    (
        nl.InputKindError,
        lambda: losses.cross_entropy(Z, Q / 2, check=True),
        "cross_entropy: target[0] sums to 0.5 over the classes; allowed with check=True: 1",
    ),
    (
        nl.InputKindError,
        lambda: losses.cross_entropy(Z, Y > 2),
        "cross_entropy: target has dtype bool; allowed: integers for class indices, floats for probabilities",
    ),
    (
        nl.InputKindError,
        lambda: losses.nll_loss(Z, Q),
        "nll_loss: target has dtype float64; allowed: integers",
    ),
    (
        nl.InputKindError,
        lambda: losses.nll_loss(-np.abs(Z), Y, check=True),
        "nll_loss: exp(log_probs[0]) sums to ",
    ),
    (
        nl.InputKindError,
        lambda: losses.nll_loss_grad(np.array([[-0.5, 0.25], [-0.5, -2.0]]), [0, 0], axis=0),
        "nll_loss_grad: log_probs[0, 1] = 0.25 is no log-probability; allowed: log_probs <= 0",
    ),
    (
        nl.InputKindError,
        lambda: losses.kl_div_grad([-1.0, 0.25, 0.5], [1.0, 0.0, 0.5]),
        "kl_div_grad: log_probs[2] = 0.5 is no log-probability; allowed: log_probs <= 0",
    ),
    (
        nl.InputKindError,
        lambda: losses.kl_div([-1.0, -1.0], [-1.0, 0.5], log_target=True),
        "kl_div: target[1] = 0.5 is no log-probability; allowed: target <= 0 (with log_target)",
    ),
    (
        nl.ShapeError,
        lambda: losses.logsumexp(Z, axis=(0, -2)),
        "logsumexp: axis=(0, -2) names an axis twice for logits of shape (4, 5)",
    ),
    (
        nl.ShapeError,
        lambda: losses.logsumexp(Z, axis=(0, 2)),
        "logsumexp: axis=2 for logits of shape (4, 5); allowed: -2 <= axis < 2",
    ),
    (
        nl.ParameterError,
        lambda: losses.cross_entropy(Z, Y, label_smoothing="a"),
        "cross_entropy: label_smoothing='a'; allowed: 0 <= label_smoothing <= 1",
    ),
    (
        nl.InputKindError,
        lambda: losses.cross_entropy(Z, Y, sample_weight=["a"] * 4),
        "cross_entropy: sample_weight cannot be read as real numbers",
    ),
    (
        nl.InputKindError,
        lambda: losses.cross_entropy(Z, Y, weight=["a"] * 5),
        "cross_entropy: weight cannot be read as real numbers",
    ),
    (nl.ParameterError, lambda: losses.softmax(Z, axis=(0, 1)), "softmax: axis=(0, 1); allowed: an integer"),
    (nl.ParameterError, lambda: losses.log_softmax(Z, axis="a"), "log_softmax: axis='a'; allowed"),
    (
        nl.InputKindError,
        lambda: losses.cross_entropy(Z.astype(complex), Y),
        "cross_entropy: logits has dtype complex128; allowed: float16, bfloat16, float32, float64",
    ),
    (
        nl.InputKindError,
        lambda: losses.cross_entropy(Z.astype(object), Y),
        "cross_entropy: logits has dtype object",
    ),
    (
        nl.InputKindError,
        lambda: losses.cross_entropy(Z, Y, mask=np.ones(4)),
        "cross_entropy: mask has dtype float64; allowed: bool, True for what takes part",
    ),
    (
        nl.InputKindError,
        lambda: losses.binary_cross_entropy([0.5, 1.5], [0, 1]),
        "binary_cross_entropy: probs[1] = 1.5 is no probability; allowed: 0 <= probs <= 1 "
        "(binary_cross_entropy_with_logits takes logits)",
    ),
    (
        nl.InputKindError,
        lambda: losses.binary_cross_entropy_with_logits_grad([[0.5, 1.5]], [[0, 2]]),
        "binary_cross_entropy_with_logits_grad: target[0, 1] = 2 is no probability; allowed: 0 <= target <= 1",
    ),
    (
        nl.InputKindError,
        lambda: losses.kl_div([-1.0, -2.0], [0.5, -0.5]),
        "kl_div: target[1] = -0.5 is no probability; allowed: 0 <= target <= 1",
    ),
    (
        nl.ParameterError,
        lambda: losses.cross_entropy(Z, Q, ignore_index=-100),
        "cross_entropy: ignore_index=-100 with probability targets; allowed: integer targets, or mask=",
    ),
    (
        nl.InputKindError,
        lambda: losses.prob_to_logodds([0.5, 1.5]),
        "prob_to_logodds: p[1] = 1.5 is no probability",
    ),
    (
        nl.InputKindError,
        lambda: losses.odds_to_prob([1.0, -0.5]),
        "odds_to_prob: odds[1] = -0.5; allowed: odds >= 0",
    ),
]


@pytest.mark.parametrize(("error", "call", "message"), MESSAGES, ids=[m[2][:60] for m in MESSAGES])
def test_messages(error, call, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value).startswith(message)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, IndexError) == (error is nl.TargetError)


@pytest.mark.parametrize(("dtype", "rounding"), [(np.float16, 0.02), (np.float32, 2e-4), (np.float64, 7e-9)])
def test_log_probabilities_may_exceed_0_by_rounding(dtype, rounding):
    x = np.array([[rounding, -2.0]], dtype)
    assert losses.nll_loss(x, [0]) == -x[0, 0]
    assert np.isfinite(losses.kl_div(x, np.array([[0.5, 0.5]], dtype)))
    for call in (lambda: losses.nll_loss(2 * x, [0]), lambda: losses.kl_div(2 * x, [[0.5, 0.5]])):
        with pytest.raises(nl.InputKindError):
            call()
    assert losses.nll_loss(x + 1, [0], mask=[False]) == 0  # what takes no part is not read
    assert losses.kl_div(x + 1, x * 0, sample_weight=np.zeros((1, 2))) == 0


@pytest.mark.parametrize("n", ["a", 0, -1, 2.0, True, 2**31])
def test_a_number_of_threads_is_a_positive_integer(n):
    with pytest.raises(nl.ParameterError, match=r"set_num_threads: n = .*; allowed: an integer of at least 1"):
        nl.set_num_threads(n)


def test_a_bad_target_among_many_is_the_first():
    y = np.zeros(200_000, int)
    y[[70_000, 150_000, 199_999]] = 7
    with pytest.raises(nl.TargetError, match=r"target\[70000\] = 7"):
        losses.cross_entropy(np.zeros((200_000, 3), np.float32), y)


def test_checks_that_pass():
    for dtype in FLOATS:
        z = Z.astype(dtype)
        losses.cross_entropy(z, losses.softmax(z), check=True)
        losses.nll_loss(losses.log_softmax(z), Y, check=True)
    rows = Q.copy()
    rows[0] = 0.9  # not checked where it takes no part
    losses.cross_entropy(Z, rows, mask=np.arange(4) > 0, check=True)
