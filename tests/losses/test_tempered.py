"""Bi-tempered logistic loss, density power divergence, forward correction: published vectors, mpmath, limits, edges."""

from functools import partial

import mpmath as mp
import numpy as np
import pytest

import neglog as nl
from neglog import losses

Z = np.array([[2.0, 1.0, 0.1], [0.5, -1.0, 0.3], [-0.2, 0.4, 3.0], [5.0, 4.0, 2.0]])
Y = np.array([0, 2, 1, 0])
ACTIVATIONS = np.array([[-0.5, 0.1, 2.0], [0.1, 1.5, -5.0], [4.0, -3.0, -6.0]])
LABELS = np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1], [0.2, 0.8, 0.0]])

# ---- published vectors: google/bi-tempered-loss, tests; the loss paper's code has a tolerance of 1e-5


@pytest.mark.parametrize(
    ("t1", "t2", "expected"),
    [(0.5, 1.5, [0.02301914, 0.18972909, 0.93874922]), (0.5, 0.8, [0.21646356, 0.41836615, 1.33997854])],
)
def test_vectors_of_the_papers_code(t1, t2, expected):
    value = losses.bi_tempered(ACTIVATIONS, LABELS, t1=t1, t2=t2, reduction="none")
    np.testing.assert_allclose(value, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("t1", "t2", "expected"), [(0.9, 1.1, 0.45677936), (0.8, 1.2, 0.34298314), (0.7, 1.3, 0.26295574)]
)
def test_vectors_of_the_papers_code_over_temperatures(t1, t2, expected):
    value = losses.bi_tempered(ACTIVATIONS[:1], [[0.2, 0.5, 0.3]], t1=t1, t2=t2)
    np.testing.assert_allclose(value, expected, atol=1e-5)


def test_label_smoothing_of_the_papers_code():
    expected = [0.76652711, 0.08627685, 1.35443510]
    value = losses.bi_tempered(ACTIVATIONS, [0, 1, 2], t1=0.5, t2=1.5, label_smoothing=0.1, reduction="none")
    np.testing.assert_allclose(value, expected, atol=1e-5)
    smooth = 0.9 * np.eye(3) + 0.05 * (1 - np.eye(3))
    soft = losses.bi_tempered(ACTIVATIONS, smooth, t1=0.5, t2=1.5, reduction="none")
    np.testing.assert_allclose(value, soft, rtol=1e-13)


def test_tempered_probabilities_of_the_papers_code():
    five = losses.tempered_softmax(ACTIVATIONS, 4.0, num_iters=5)
    np.testing.assert_allclose(five[2], [0.41369352, 0.30534995, 0.28299212], atol=1e-8)
    converged = losses.tempered_softmax(ACTIVATIONS, 4.0)
    np.testing.assert_allclose(converged[2], [0.41235244, 0.30495036, 0.28269720], atol=1e-8)
    np.testing.assert_allclose(converged.sum(1), 1.0, rtol=1e-14)
    np.testing.assert_allclose(
        losses.tempered_sigmoid([0.0, 3.0, 6.0], 4.0, num_iters=5), [0.5, 0.58516014, 0.6421035], atol=1e-7
    )
    np.testing.assert_allclose(
        losses.tempered_softmax(ACTIVATIONS, 0.8, num_iters=40), losses.tempered_softmax(ACTIVATIONS, 0.8), atol=1e-10
    )


@pytest.mark.parametrize("t", [0.5, 1.0, 2.0])
def test_tempered_softmax_where_the_softmax_has_an_answer(t):
    """-inf is a masked class; +inf, NaN or nothing left is NaN without a warning; axes and types as in softmax."""
    z = np.array([[0.0, -np.inf, 1.0], [np.inf, 0.0, 0.0], [-np.inf] * 3, [np.nan, 0.0, 0.0]])
    found = losses.tempered_softmax(z, t)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(losses.softmax(z)))
    np.testing.assert_allclose(found[0, [0, 2]], losses.tempered_softmax([0.0, 1.0], t), rtol=1e-14)
    assert found[0, 1] == 0.0
    assert losses.tempered_softmax(np.zeros((0, 3)), t).shape == (0, 3)
    image = np.random.default_rng(0).standard_normal((2, 3, 4)).astype(np.float32)
    np.testing.assert_array_equal(
        losses.tempered_softmax(image, t, axis=1),
        np.moveaxis(losses.tempered_softmax(np.moveaxis(image, 1, -1), t), -1, 1),
    )
    for bad, options in (((z, t), {"axis": 5}), ((1.0, t), {}), ((np.zeros((2, 0)), t), {})):
        with pytest.raises(nl.ShapeError, match="tempered_softmax: "):
            losses.tempered_softmax(*bad, **options)
    for steps in (0, -1, 2.5):
        with pytest.raises(nl.ParameterError, match=f"tempered_softmax: num_iters={steps}; allowed: num_iters in int"):
            losses.tempered_softmax(z, t, num_iters=steps)


def test_tempered_softmax_sums_to_one_where_it_is_all_but_a_projection():
    """t near 0, many classes close together: Newton's steps do not shrink like squares before the last classes go."""
    z = -1e-5 * np.random.default_rng(0).standard_normal(100_000) ** 2
    for t in (1e-4, 1e-2, 0.3, 3.0):
        assert losses.tempered_softmax(z, t).sum() == pytest.approx(1.0, abs=len(z) * 2.0**-53)


def test_density_power_vectors():
    value, gradient = losses.density_power_grad(Z, Y, beta=0.5, reduction="none")
    np.testing.assert_allclose(value, [0.2499160795, 0.7330942327, 2.0992195409, 0.2115882256], rtol=1e-9)
    np.testing.assert_allclose(gradient[0], [-0.2901769978, 0.2250557556, 0.0651212422], rtol=2e-9)
    p = losses.softmax(Z)
    brier = ((p - np.eye(3)[Y]) ** 2).sum(1)
    np.testing.assert_allclose(losses.density_power(Z, Y, beta=1.0, reduction="none"), brier, rtol=1e-13)


def test_forward_correction_vectors():
    transition = 0.95 * np.eye(3) + 0.05 / 3
    value = losses.forward_correction(Z, Y, transition, reduction="none")
    np.testing.assert_allclose(value, [0.4420496113, 0.9223317996, 2.5263906535, 0.3757384262], rtol=1e-9)
    mislabel = losses.mislabel_grad(Z, Y, rate=0.05, reduction="none")
    ours = losses.forward_correction_grad(Z, Y, transition, reduction="none")
    for a, b in zip(ours, mislabel, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)


# ---- mpmath


def log_t(t, u):
    return mp.log(u) if t == 1 else (u ** (1 - t) - 1) / (1 - t)


def exp_t(t, x):
    if t == 1:
        return mp.exp(x)
    base = 1 + (1 - t) * x
    return base ** (1 / (1 - t)) if base > 0 else mp.mpf(0)


def tempered_oracle(t1, t2, z, q):
    """Loss and gradient by bisection for the normaliser, to 60 digits."""
    with mp.workdps(60):
        t1, t2 = mp.mpf(t1), mp.mpf(t2)
        z, q = [mp.mpf(float(x)) for x in z], [mp.mpf(float(x)) for x in q]
        low, high = max(z), max(z) - log_t(t2, mp.mpf(1) / len(z))
        for _ in range(210):
            middle = (low + high) / 2
            low, high = (middle, high) if sum(exp_t(t2, x - middle) for x in z) > 1 else (low, middle)
        p = [exp_t(t2, x - low) for x in z]
        loss = mp.mpf(0)
        for a, b in zip(p, q, strict=True):
            loss += (b * (log_t(t1, b) - log_t(t1, a)) if b else 0) - (b ** (2 - t1) - a ** (2 - t1)) / (2 - t1)
        delta = [(a - b) * a ** (t2 - t1) if a else mp.mpf(0) for a, b in zip(p, q, strict=True)]
        escort = [a**t2 for a in p]
        share = sum(delta) / sum(escort)
        return float(loss), [float(d - e * share) for d, e in zip(delta, escort, strict=True)]


TEMPERATURES = [(1.0, 1.0), (0.5, 1.5), (0.5, 0.8), (0.9, 1.1), (0.0, 4.0), (0.3, 1.0), (1.0, 1.3), (-1.0, 1.0)]


@pytest.mark.parametrize(("t1", "t2"), [*TEMPERATURES, (1 - 1e-9, 1 + 1e-9), (1 - 1e-5, 1 - 1e-5)])
def test_tempered_against_mpmath(t1, t2):
    rng = np.random.default_rng(1)
    for spread in (1.0, 6.0):
        z = spread * rng.standard_normal((6, 4))
        y = np.r_[z[:3].argmax(1), z[3:].argmin(1)]
        soft = rng.dirichlet(np.ones(4), 6)
        soft[0] = [0.0, 1.0, 0.0, 0.0]
        value, gradient = losses.bi_tempered_grad(z, y, t1=t1, t2=t2, reduction="none")
        by_soft, soft_gradient = losses.bi_tempered_grad(z, soft, t1=t1, t2=t2, reduction="none")
        for i in range(6):
            expected, slope = tempered_oracle(t1, t2, z[i], np.eye(4)[y[i]])
            np.testing.assert_allclose(value[i], expected, rtol=1e-13, atol=1e-50)
            np.testing.assert_allclose(gradient[i], slope, rtol=1e-11, atol=1e-45)
            expected, slope = tempered_oracle(t1, t2, z[i], soft[i])
            np.testing.assert_allclose(by_soft[i], expected, rtol=1e-13, atol=1e-14)
            np.testing.assert_allclose(soft_gradient[i], slope, rtol=1e-11, atol=1e-14)


def mixed_oracle(z, column):
    with mp.workdps(80):
        z, t = [mp.mpf(float(x)) for x in z], [mp.mpf(float(x)) for x in column]
        e = [mp.exp(x) for x in z]
        p = [x / sum(e) for x in e]
        likely = sum(a * b for a, b in zip(p, t, strict=True))
        return float(-mp.log(likely)), [float(a - a * b / likely) for a, b in zip(p, t, strict=True)]


@pytest.mark.parametrize("spread", [1.0, 10.0, 60.0])
def test_forward_correction_against_mpmath(spread):
    rng = np.random.default_rng(2)
    z, y = spread * rng.standard_normal((8, 5)), rng.integers(0, 5, 8)
    cycle = np.roll(np.eye(5), 1, 0)
    for transition in (rng.dirichlet(np.ones(5), 5), np.eye(5), cycle, (np.eye(5) + cycle) / 2):
        value, gradient = losses.forward_correction_grad(z, y, transition, reduction="none")
        for i in range(8):
            expected, slope = mixed_oracle(z[i], transition[:, y[i]])
            np.testing.assert_allclose(value[i], expected, rtol=1e-13, atol=1e-50)
            np.testing.assert_allclose(gradient[i], slope, rtol=1e-11, atol=1e-15)


def density_power_gradient(z, y, beta):
    """The definition, to 400 digits."""
    with mp.workdps(400):
        e = [mp.exp(mp.mpf(float(x))) for x in z]
        p, beta = [x / sum(e) for x in e], mp.mpf(beta)
        whole = sum(x ** (1 + beta) for x in p)
        return [(1 + beta) * (x ** (1 + beta) - x * whole - p[y] ** beta * ((k == y) - x)) for k, x in enumerate(p)]


@pytest.mark.parametrize("beta", [1e-6, 0.5, 1.0, 2.0])
def test_gradients_where_one_class_leads_by_far(beta):
    """Right or wrong: the leader's gradient is minus the sum of the others', not a difference of ones."""
    rng = np.random.default_rng(8)
    for gap in (16.0, 40.0, 90.0, 150.0):
        z = rng.standard_normal((4, 5))
        z[:, 2] += gap
        for y in (2, 0):
            found = losses.density_power_grad(z, np.full(4, y), beta=beta, reduction="none")[1]
            for row in range(4):
                want = density_power_gradient(z[row], y, beta)
                np.testing.assert_allclose(found[row], [float(x) for x in want], rtol=1e-12 * gap, atol=1e-290)


@pytest.mark.parametrize("margin", [1e4, 1e30, 1e300])
def test_a_label_that_only_an_unlikely_class_can_have(margin):
    for dtype in (np.float64, np.float32, np.float16):
        if margin < float(np.finfo(dtype).max):
            z = np.array([[0.0, margin, -1.0]], dtype)
            loss, gradient = losses.forward_correction_grad(z, [0], np.eye(3))
            assert loss == z[0, 1]
            np.testing.assert_array_equal(gradient, [[-1.0, 1.0, 0.0]])


# ---- limits


def test_temperatures_of_one_are_cross_entropy_and_its_divergence():
    rng = np.random.default_rng(3)
    z, y, q = 20 * rng.standard_normal((50, 6)), rng.integers(0, 6, 50), rng.dirichlet(np.ones(6), 50)
    for ours, theirs in zip(
        losses.bi_tempered_grad(z, y, t1=1.0, t2=1.0, reduction="none"),
        losses.cross_entropy_grad(z, y, reduction="none"),
        strict=True,
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-300)
    entropy = -(q * np.log(q)).sum(1)
    divergence = losses.cross_entropy(z, q, reduction="none") - entropy
    np.testing.assert_allclose(losses.bi_tempered(z, q, t1=1.0, t2=1.0, reduction="none"), divergence, atol=1e-12)
    published = losses.bi_tempered(ACTIVATIONS[:1], [[0.2, 0.5, 0.3]], t1=1.0, t2=1.0)
    np.testing.assert_allclose(published, 0.6287046571701158, rtol=1e-12)


@pytest.mark.parametrize("step", [1e-3, 1e-5, 1e-7, 1e-9])
def test_continuous_at_the_limits(step):
    exact = losses.cross_entropy_grad(Z, Y, reduction="none")
    for found in (
        losses.bi_tempered_grad(Z, Y, t1=1 - step, t2=1 + step, reduction="none"),
        losses.bi_tempered_grad(Z, Y, t1=1 - step, t2=1 - step, reduction="none"),
        losses.density_power_grad(Z, Y, beta=step, reduction="none"),
        losses.forward_correction_grad(Z, Y, (1 - step) * np.eye(3) + step / 3, reduction="none"),
    ):
        for a, b in zip(found, exact, strict=True):
            np.testing.assert_allclose(a, b, atol=30 * step)


def test_density_power_is_strictly_proper():
    rng = np.random.default_rng(4)
    eta = rng.dirichlet(np.ones(5))
    for beta in (0.2, 1.0, 2.5):
        z = np.tile(np.log(eta), (5, 1))
        gradient = losses.density_power_grad(z, np.arange(5), beta=beta, reduction="none")[1]
        np.testing.assert_allclose(eta @ gradient, 0.0, atol=1e-14)


# ---- the contract's edges


def test_confident_rows_keep_their_digits():
    z = [[40.0, 0.0]]
    assert losses.bi_tempered(z, [0], t1=1.0, t2=1.0) == pytest.approx(4.248354255291589e-18, rel=1e-14)
    assert losses.forward_correction(z, [0], np.eye(2)) == pytest.approx(4.248354255291589e-18, rel=1e-14)
    brier = losses.density_power(z, [0], beta=1.0)
    assert brier == pytest.approx(2 * 4.248354255291589e-18**2, rel=1e-12)


def test_impossible_and_masked_classes():
    z = np.array([[0.0, -np.inf, 1.0]])
    for t1, t2 in TEMPERATURES:
        value, gradient = losses.bi_tempered_grad(z, [1], t1=t1, t2=t2)
        bound = np.inf if t1 == 1 else 1 / (1 - t1) - 1 / (2 - t1)
        p = losses.tempered_softmax(z[:, [0, 2]], t2)[0]
        np.testing.assert_allclose(value, bound + (p ** (2 - t1)).sum() / (2 - t1), rtol=1e-13)
        assert gradient[0, 1] == 0.0
        assert losses.bi_tempered(z, [0], t1=t1, t2=t2) == pytest.approx(
            losses.bi_tempered(z[:, [0, 2]], [0], t1=t1, t2=t2), rel=1e-14
        )
        assert np.isnan(losses.bi_tempered(np.full((1, 3), -np.inf), [0], t1=t1, t2=t2))
    swap = np.array([[0.0, 1.0], [1.0, 0.0]])
    assert losses.forward_correction([[0.0, -np.inf]], [0], swap) == np.inf
    assert losses.forward_correction([[0.0, -np.inf]], [1], swap) == 0.0


CASES = {
    "bi_tempered": (losses.bi_tempered_grad, {"t1": 0.6, "t2": 1.4}),
    "density_power": (losses.density_power_grad, {"beta": 0.4}),
    "forward_correction": (losses.forward_correction_grad, {"transition": 0.8 * np.eye(3) + 0.2 / 3}),
}


@pytest.mark.parametrize("name", CASES)
def test_weights_masks_layouts_and_dtypes(name):
    loss, options = CASES[name]
    rng = np.random.default_rng(5)
    z, y = rng.standard_normal((7, 3, 4)), rng.integers(0, 3, (7, 4))
    flat_z, flat_y = np.moveaxis(z, 1, -1).reshape(-1, 3), y.reshape(-1)
    each, slope = loss(flat_z, flat_y, reduction="none", **options)
    value, gradient = loss(z, y, axis=1, reduction="none", **options)
    np.testing.assert_array_equal(value.reshape(-1), each)
    np.testing.assert_array_equal(np.moveaxis(gradient, 1, -1).reshape(-1, 3), slope)
    weight, sample_weight = np.array([1.0, 2.0, 0.5]), rng.random(28)
    mask = rng.random(28) < 0.7
    mean, gradient = loss(
        np.where(mask[:, None], flat_z, np.nan),
        flat_y,
        weight=weight,
        sample_weight=sample_weight,
        mask=mask,
        **options,
    )
    amount = np.where(mask, weight[flat_y] * sample_weight, 0.0)
    np.testing.assert_allclose(mean, (amount * each).sum() / amount.sum(), rtol=1e-13)
    np.testing.assert_allclose(gradient, amount[:, None] * slope / amount.sum(), rtol=1e-13, atol=1e-300)
    ignored, gradient = loss(flat_z, np.where(mask, flat_y, -100), ignore_index=-100, **options)
    np.testing.assert_allclose(ignored, each[mask].mean(), rtol=1e-13)
    assert (gradient[~mask] == 0).all()
    narrow, gradient = loss(flat_z.astype(np.float32), flat_y, reduction="none", **options)
    assert narrow.dtype == gradient.dtype == np.float32
    exact = loss(flat_z.astype(np.float32).astype(float), flat_y, reduction="none", **options)
    np.testing.assert_array_equal(narrow, exact[0].astype(np.float32))  # rounded once
    np.testing.assert_array_equal(gradient, exact[1].astype(np.float32))
    half = loss(flat_z.astype(np.float16), flat_y, **options)
    assert half[0].dtype == np.float32
    assert half[1].dtype == np.float16
    in_place = flat_z.copy()
    loss(in_place, flat_y, out=in_place, **options)
    np.testing.assert_array_equal(in_place, loss(flat_z, flat_y, **options)[1])
    np.testing.assert_allclose(slope.sum(1), 0.0, atol=1e-15)
    shifted = loss(flat_z + 1e3, flat_y, reduction="none", **options)[0]
    np.testing.assert_allclose(shifted, each, rtol=1e-10)
    assert loss(np.zeros((0, 3)), np.zeros(0, int), **options)[0] == 0.0


def test_bad_input_is_named():
    with pytest.raises(nl.ParameterError, match=r"t1=1\.5"):
        losses.bi_tempered(Z, Y, t1=1.5)
    with pytest.raises(nl.ParameterError, match="t2=0"):
        losses.bi_tempered(Z, Y, t2=0.0)
    with pytest.raises(nl.ParameterError, match="beta=-1"):
        losses.density_power(Z, Y, beta=-1.0)
    for wrong in ("a", None, np.ones(2), float("nan")):
        with pytest.raises(nl.ParameterError, match=r"bi_tempered: t1=.*; allowed: t1 in \(-inf, 1\]"):
            losses.bi_tempered(Z, Y, t1=wrong)
    with pytest.raises(nl.TargetError, match="3"):
        losses.density_power(Z, [0, 3, 1, 0])
    with pytest.raises(nl.InputKindError, match=r"1\.2"):
        losses.bi_tempered(Z[:1], [[1.2, -0.2, 0.0]])
    with pytest.raises(nl.InputKindError):
        losses.forward_correction(Z, np.eye(3)[Y], np.eye(3))
    with pytest.raises(nl.ShapeError, match=r"\(3, 3\)"):
        losses.forward_correction(Z, Y, np.eye(2))
    for loss in (losses.focal, partial(losses.forward_correction, transition=np.eye(3))):
        for axis in ("a", None):
            with pytest.raises(nl.ParameterError, match=f"axis={axis!r}; allowed: an integer"):
                loss(Z, Y, axis=axis)
        with pytest.raises(nl.ShapeError, match="axis=9 for logits of shape"):
            loss(Z, Y, axis=9)
        with pytest.raises(nl.InputKindError, match="logits has dtype"):
            loss("a", Y)
    with pytest.raises(nl.ParameterError, match=r"row 1 of transition sums to 0\.9"):
        losses.forward_correction(Z, Y, [[1, 0, 0], [0, 0.9, 0], [0, 0, 1]])
    with pytest.raises(nl.ParameterError, match="is no probability"):
        losses.forward_correction(Z, Y, [[1.5, -0.5, 0], [0, 1, 0], [0, 0, 1]])
    with pytest.raises(nl.ParameterError, match="t=-1"):
        losses.tempered_softmax(Z, -1.0)
