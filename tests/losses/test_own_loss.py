"""A loss of one's own on NumPy arrays: equal to the table's where it says the same, with two derivatives."""

import mpmath
import numpy as np
import pytest

import neglog as nl
from neglog import losses
from neglog.losses.jet import Jet

RNG = np.random.default_rng(8)
Z, Y = RNG.normal(0, 2, (7, 5)), np.array([0, 4, 2, -100, 1, 3, 0])
MINE = {  # in the table's words and in one's own
    "focal": ({"gamma": 1.5}, lambda u, v: -np.exp(1.5 * v) * u),
    "nllr": ({}, lambda u, v: v - u),
    "generalized_cross_entropy": ({}, lambda u, v: -np.expm1(0.7 * u) / 0.7),
    "competing_ratio": ({}, lambda u, v: -u + np.log(1.5 + np.exp(v))),
    "madaboost": ({}, lambda u, v: np.where(v > u, 1 + v - u, np.exp(np.minimum(v - u, 0)))),
    "mislabel": ({"rate": 0.1}, lambda u, v: -np.logaddexp(np.log(0.9) + u, np.log(0.02))),
    "taylor_cross_entropy": ({"order": 3}, lambda u, v: sum(np.exp(v) ** i / i for i in (1, 2, 3))),
    "symmetric_cross_entropy": ({}, lambda u, v: -0.1 * u + 4 * (1 - np.exp(u))),
}
OPTIONS = [
    {},
    {"reduction": "none"},
    {"reduction": "sum", "weight": [0.5, 0.0, 2.0, 1.0, 1.0]},
    {"sample_weight": RNG.random(7), "mask": RNG.random(7) < 0.7},
    {"denominator": "count", "sample_weight": RNG.random(7)},
]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "+".join(o) or "plain")
@pytest.mark.parametrize("name", MINE)
def test_as_the_table(name, options):
    given, mine = MINE[name]
    options = options | {"ignore_index": -100}
    want, slopes = getattr(losses, f"{name}_grad")(Z, Y, **given, **options)
    got, gradient = losses.softmax_loss_grad(mine, Z, Y, **options)
    np.testing.assert_allclose(got, want, rtol=1e-12)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-11, atol=1e-15)
    np.testing.assert_allclose(losses.softmax_loss(mine, Z, Y, **options), want, rtol=1e-12)


@pytest.mark.parametrize("name", MINE)
def test_hessian_products_are_differences_of_gradients(name):
    given, mine = MINE[name]
    vector, h = RNG.normal(size=Z.shape), 1e-6
    up, down = (losses.softmax_loss_grad(mine, Z + s * h * vector, Y, ignore_index=-100)[1] for s in (1, -1))
    product = losses.softmax_loss_hessian_product(mine, Z, Y, vector, ignore_index=-100)
    np.testing.assert_allclose(product, (up - down) / (2 * h), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(product.sum(axis=1), 0, atol=1e-15)
    assert (product[3] == 0).all()
    from_table = losses.softmax_loss_hessian_product(
        losses.DEFORMATIONS[name](**given), Z, Y, vector, ignore_index=-100
    )
    np.testing.assert_allclose(product, from_table, rtol=1e-10, atol=1e-14)


def test_a_sharpened_hessian():
    loss, h = losses.DEFORMATIONS["gamma_divergence"](gamma=0.5), 1e-6
    vector = RNG.normal(size=Z.shape)
    y = np.where(Y < 0, 1, Y)
    up, down = (losses.gamma_divergence_grad(Z + s * h * vector, y, gamma=0.5)[1] for s in (1, -1))
    product = losses.softmax_loss_hessian_product(loss, Z, y, vector)
    np.testing.assert_allclose(product, (up - down) / (2 * h), rtol=1e-6, atol=1e-9)
    assert losses.softmax_loss(loss, Z, y) == pytest.approx(losses.gamma_divergence(Z, y, gamma=0.5), rel=1e-13)


def test_axes_dtypes_and_memory():
    z = RNG.normal(size=(2, 4, 3)).astype(np.float32)
    y, vector = RNG.integers(0, 4, (2, 3)), RNG.normal(size=(2, 4, 3))
    mine = MINE["focal"][1]
    want, slopes = losses.focal_grad(z, y, axis=1, gamma=1.5)
    got, gradient = losses.softmax_loss_grad(mine, z, y, axis=1)
    assert got.dtype == gradient.dtype == np.float32 and gradient.shape == z.shape
    np.testing.assert_allclose(got, want, rtol=1e-6)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-5, atol=1e-8)
    product = losses.softmax_loss_hessian_product(mine, z, y, vector, axis=1)
    moved = losses.softmax_loss_hessian_product(mine, np.moveaxis(z, 1, -1), y, np.moveaxis(vector, 1, -1))
    assert product.dtype == np.float32
    np.testing.assert_allclose(product, np.moveaxis(moved, -1, 1), rtol=1e-5, atol=1e-8)
    kept = z.copy()
    losses.softmax_loss_grad(mine, z, y, axis=1, out=z)
    np.testing.assert_allclose(z, slopes, rtol=1e-5, atol=1e-8)
    assert losses.softmax_loss(mine, kept.astype(np.float16), y, axis=1).dtype == np.float32


def test_digits_and_what_is_not_read():
    z = np.array([[400.0, 0.0, -np.inf], [np.nan, 0.0, 0.0], [np.inf, 0.0, 0.0]])
    options = {"mask": np.array([True, False, True]), "sample_weight": [1.0, 1.0, 0.0]}
    loss, gradient = losses.softmax_loss_grad(lambda u, v: -u, z, [0, 0, 0], **options)
    assert loss == pytest.approx(np.exp(-400.0), rel=1e-13)
    assert gradient[0, 1] == pytest.approx(np.exp(-400.0), rel=1e-13) and (gradient[:, 2] == 0).all()
    assert (gradient[1:] == 0).all()
    assert losses.softmax_loss(lambda u, v: -u, [[-np.inf, 0.0]], [0]) == np.inf


@pytest.mark.parametrize("name", MINE)
def test_impossible_targets_and_rows_without_competitors(name):
    given, mine = MINE[name]
    z = np.array([[-np.inf, 0.0, 1.0], [2.0, -np.inf, -np.inf], [-800.0, 0.0, 0.0], [800.0, 0.0, 0.0]])
    want, slopes = getattr(losses, f"{name}_grad")(z, np.zeros(4, int), reduction="none", **given)
    got, gradient = losses.softmax_loss_grad(mine, z, np.zeros(4, int), reduction="none")
    np.testing.assert_allclose(gradient, slopes, rtol=1e-12, atol=1e-15)
    if name != "mislabel":  # where 0.02 is that of five classes
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-15)
    product = losses.softmax_loss_hessian_product(mine, z, np.zeros(4, int), np.ones_like(z), reduction="none")
    np.testing.assert_allclose(product, 0.0, atol=1e-12)


def test_errors():
    for call in (losses.softmax_loss, losses.softmax_loss_grad):
        with pytest.raises(nl.ShapeError, match=rf"{call.__name__}: fn returns shape \(1,\) for 7 targets"):
            call(lambda u, v: u[:1] if isinstance(u, np.ndarray) else Jet(np.zeros(1)), Z, np.abs(Y % 5))
        with pytest.raises(nl.TargetError, match=rf"{call.__name__}: target\[3\] = -100"):
            call(lambda u, v: -u, Z, Y)
    with pytest.raises(TypeError, match=r"np.arcsin has no derivative here; allowed: absolute, add"):
        losses.softmax_loss_grad(lambda u, v: np.arcsin(u), Z, Y, ignore_index=-100)
    with pytest.raises(TypeError, match=r"np.sort has no derivative here"):
        losses.softmax_loss_grad(lambda u, v: np.sort(u), Z, Y, ignore_index=-100)
    with pytest.raises(nl.ShapeError, match="vector has shape"):
        losses.softmax_loss_hessian_product(lambda u, v: -u, Z, Y, Z[0], ignore_index=-100)
    with pytest.raises(nl.InputKindError, match="fn returns dtype complex128"):
        losses.softmax_loss(lambda u, v: 1j * u, Z, Y, ignore_index=-100)
    constant, gradient = losses.softmax_loss_grad(lambda u, v: np.ones(u.shape), Z, Y, ignore_index=-100)
    assert constant == 1.0 and (gradient == 0).all()


UNARY = ["negative", "exp", "exp2", "expm1", "log", "log2", "log1p", "sqrt", "square", "reciprocal", "tanh", "sin",
         "cos", "arctan", "positive", "absolute"]  # fmt: skip
IN_MPMATH = {
    "negative": lambda x: -x, "positive": lambda x: x, "absolute": abs, "exp2": lambda x: mpmath.power(2, x),
    "log2": lambda x: mpmath.log(x, 2), "square": lambda x: x * x, "reciprocal": lambda x: 1 / x, "arctan": mpmath.atan,
}  # fmt: skip


@pytest.mark.parametrize("name", UNARY)
def test_rules_of_differentiation(name):
    function = IN_MPMATH.get(name) or getattr(mpmath, name)
    for at in (0.3, 1.7):
        jet = getattr(np, name)(Jet(np.array([at]), 1.0) * 2.0)
        want = [mpmath.diff(lambda x: function(2 * x), at, n) for n in (0, 1, 2)]
        for got, value in zip((jet.value, jet.first, jet.second), want, strict=True):
            assert got[0] == pytest.approx(float(value), rel=1e-12, abs=1e-12)


def test_rules_of_two_arguments():
    def both(xp, x):
        power = getattr(xp, "power", None) or np.power
        return (x + 2) * x / (1 + x * x) - 3 / x + power(x, 2.5) + power(1.5, x) + x**3 + (2 - x) ** 2 + power(x, x)

    for at in (0.6, 2.2):
        jet = both(np, Jet(np.array([at]), 1.0))
        for n, got in enumerate((jet.value, jet.first, jet.second)):
            assert got[0] == pytest.approx(float(mpmath.diff(lambda x: both(mpmath, x), at, n)), rel=1e-11)
    x = Jet(np.array([0.5, 3.0]), 1.0)
    high, low, soft = np.maximum(x * x, x), np.minimum(x * x, 1.0), np.logaddexp(x, 2 * x)
    assert high.first.tolist() == [1.0, 6.0] and low.first.tolist() == [1.0, 0.0] and low.second.tolist() == [2.0, 0.0]
    share = 1 / (1 + np.exp(-np.array([0.5, 3.0])))
    np.testing.assert_allclose(soft.first, 1 + share, rtol=1e-14)
    np.testing.assert_allclose(soft.second, share * (1 - share), rtol=1e-13)
    assert (x > 1).tolist() == [False, True] and np.where(x > 1, x, 0.0).first.tolist() == [0.0, 1.0]
    flat = x**0 + x**1 + Jet(np.zeros(2), 1.0) ** 2
    assert flat.first.tolist() == [1.0, 1.0] and flat.second.tolist() == [2.0, 2.0]
