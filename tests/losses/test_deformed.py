"""Losses l(softmax(z)_y): published vectors, mpmath at margins up to 1e4, finite differences, limits, edges."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import neglog as nl
from neglog import _native, losses

_spec = importlib.util.spec_from_file_location("deformed_oracle", Path(__file__).parent / "deformed_oracle.py")
oracle = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(oracle)

INF = np.inf
TABLE = losses.DEFORMATIONS
EVERY = pytest.mark.parametrize(("name", "given"), oracle.CASES, ids=oracle.IDS)
DEFAULT = {"mislabel": {"rate": 0.05}, "alpha_loss": {"alpha": 2.0}, "gamma_divergence": {"gamma": 0.5}}
EACH = pytest.mark.parametrize(("name", "given"), [(name, DEFAULT.get(name, {})) for name in TABLE], ids=list(TABLE))
Z = np.array([[2.0, 1.0, 0.1], [0.5, -1.0, 0.3], [-0.2, 0.4, 3.0], [5.0, 4.0, 2.0]])
Y = np.array([0, 2, 1, 0])


def value(name, *args, **options):
    return getattr(losses, name)(*args, **options)


def with_gradient(name, *args, **options):
    return getattr(losses, f"{name}_grad")(*args, **options)


def test_every_loss_of_the_table_is_tested():
    assert {name for name, _ in oracle.CASES} == set(TABLE)


# ---- published and derived elsewhere ----

VECTORS = [
    ("nllr", {}, [-0.6588461253, 0.4014132780, 2.6399533332, -0.8730719890], [-1, 0.7109495026, 0.2890504974]),
    ("nllr", {"epsilon": 0.1}, [-0.4821603267, 0.4662055200, 2.6470644491, -0.6584240480], None),
    (
        "competing_ratio",
        {},
        [1.0273382999, 1.6553355884, 3.5981714579, 0.9338030026],
        [-0.4630622923, 0.3292139064, 0.1338483859],
    ),
    ("exponential_loss", {}, [0.5174480604, 1.4939345512, 14.0125496711, 0.4176665095], None),
    ("madaboost", {}, [0.5174480604, 1.4014132780, 3.6399533332, 0.4176665095], None),
    ("mislabel", {"rate": 0.05}, [0.4420496113, 0.9223317996, 2.5263906535, 0.3757384262], None),
    (
        "generalized_cross_entropy",
        {},
        [0.3616749650, 0.6750728740, 1.2140928909, 0.3096486785],
        [-0.2546673353, 0.1810556154, 0.0736117199],
    ),
    ("alpha_loss", {"alpha": 2.0}, [0.3764222977, 0.7335516875, 1.4838181058, 0.3202565521], None),
    (
        "focal",
        {},
        [0.0484923434, 0.3279242018, 2.3600229359, 0.0302936620],
        [-0.1035644428, 0.0736290891, 0.0299353537],
    ),
    ("poly1", {}, [0.7580288774, 1.5128887723, 3.6422755591, 0.6436277041], None),
    ("taylor_cross_entropy", {}, [0.3991389728, 0.7784439419, 1.3689966345, 0.3380146300], None),
    ("taylor_cross_entropy", {"order": 6}, [0.4169205611, 0.9054116563, 2.0817139136, 0.3489750674], None),
    ("symmetric_cross_entropy", {}, [1.4056984461, 2.4874948321, 4.0044449017, 1.2133631709], None),
    ("gamma_divergence", {"gamma": 0.5}, [0.1584514639, 0.5248384047, 1.4600133043, 0.1354949864], None),
]


@pytest.mark.parametrize(("name", "given", "want", "slopes"), VECTORS)
def test_vectors(name, given, want, slopes):
    got, gradient = with_gradient(name, Z, Y, reduction="none", **given)
    np.testing.assert_allclose(got, want, rtol=1e-9, atol=6e-11)  # ten decimals are given
    if slopes is not None:
        np.testing.assert_allclose(gradient[0], slopes, rtol=1e-9, atol=6e-11)


# ---- mpmath ----

MARGINS = [1e-8, 0.3, 3.0, 36.5, 80.0, 700.0, 1e4]
SHAPES = {"pairs": 2, "across": 5, "along": 600}  # the kernels: two classes, lanes are rows, lanes are classes


@EVERY
def test_far_margins(name, given):
    margins = np.array([sign * m for m in MARGINS for sign in (1, -1)])
    two = np.stack([np.zeros_like(margins), margins], axis=1)
    truths = [oracle.at_margin(name, given, a, 2) for a in margins]
    through_zero = 4e-16 if name == "competing_ratio" else 0.0
    for shape, classes in SHAPES.items():
        z = np.concatenate([two, np.full((len(two), classes - 2), -INF)], axis=1)
        got, gradient = with_gradient(name, z, np.zeros(len(z), int), reduction="none", **given)
        for row, a in enumerate(margins):
            want, slope, bend = truths[row]
            if name == "mislabel" and classes > 2:
                want, slope, bend = oracle.at_margin(name, given, a, classes)
            where = f"{shape}, margin {a:g}"
            tolerance = 1e-14 * max(1, abs(a * slope / want) if want else 1)
            _close(got[row], want, tolerance + (through_zero / abs(want) if want else 0), f"value, {where}")
            tolerance = 1e-12 * max(1, abs(a * bend / slope) if slope else 1)
            _close(gradient[row, 1], slope, tolerance, f"slope, {where}")
            assert gradient[row, 0] == pytest.approx(-gradient[row, 1], rel=4e-16), where
            assert (gradient[row, 2:] == 0).all(), where


def _close(got, want, tolerance, what):
    if abs(want) < 1e-300:
        assert abs(got) <= 1.1e-300, what
    elif abs(want) > 1.7e308:
        assert abs(got) >= 1.7e308, what  # inf; the gradient stays below
    else:
        error = abs((oracle.mpf(float(got)) - want) / want)
        assert error <= tolerance, (
            f"{what}: {got} for {oracle.mpmath.nstr(want, 20)}, relative error {float(error):.2e}"
        )


@EVERY
def test_float32(name, given):
    rng = np.random.default_rng(7)
    for classes in (2, 3, 40, 700):
        z = rng.normal(0, 4, (64, classes)).astype(np.float32)
        y = rng.integers(0, classes, 64)
        y[:32] = z[:32].argmax(axis=1)
        got, gradient = with_gradient(name, z, y, reduction="none", **given)
        want, slopes = with_gradient(name, z.astype(np.float64), y, reduction="none", **given)
        assert got.dtype == gradient.dtype == np.float32
        moved = np.abs(slopes * z).sum(axis=1)
        assert (np.abs(got - want) <= 8 * 2.0**-23 * np.maximum(np.abs(want), moved) + 1e-37).all()
        scale = np.abs(slopes).max(axis=1, keepdims=True)
        assert (np.abs(gradient - slopes) <= 8 * 2.0**-23 * scale * (1 + 8 * np.abs(z).max()) + 1e-37).all()


@EVERY
@pytest.mark.parametrize("classes", [1, 2, 3, 10, 37, 513])
def test_against_the_reference(name, given, classes):
    """Rows of any number of classes: the kernel against phi, whose margin is taken in extended precision."""
    rng = np.random.default_rng(classes)
    z = rng.normal(0, 2, (9, classes))
    y = rng.integers(0, classes, 9)
    deformation = TABLE[name](**given)
    sharp = np.longdouble(deformation.sharpness) * z
    others = np.ma.masked_array(np.exp(sharp), np.arange(classes) == y[:, None]).sum(axis=1).filled(0)
    with np.errstate(divide="ignore"):
        margin = (np.log(others) - sharp[np.arange(9), y]).astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        want = np.asarray(deformation.phi(np, margin, classes))
    got, gradient = with_gradient(name, z, y, reduction="none", **given)
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(gradient.sum(axis=1), 0, atol=1e-14 * np.abs(gradient).max())
    if classes == 1:
        assert (gradient == 0).all()
        return
    h = 1e-6
    for k in (0, classes // 2, classes - 1):
        step = h * (np.arange(classes) == k)
        up, down = (value(name, z + s * step, y, reduction="none", **given) for s in (1, -1))
        truncated = given.get("truncation") is not None  # a jump of the slope may lie in between
        rough = 0.1 if truncated else 1e-8 * (1 + np.abs(got).max())
        np.testing.assert_allclose(gradient[:, k], (up - down) / (2 * h), rtol=1e-5, atol=rough)


@pytest.mark.parametrize("epsilon", [-1.0 + 1e-6, -1.0 + 1e-12])
def test_poly1_just_above_its_end_in_float32(epsilon):
    """1 + epsilon keeps its digits."""
    z = np.array([[20.0, 0.0], [36.5, 0.0]], np.float32)
    found = with_gradient("poly1", z, [0, 0], epsilon=epsilon, reduction="none")
    exact = with_gradient("poly1", z.astype(float), [0, 0], epsilon=epsilon, reduction="none")
    for a, b in zip(found, exact, strict=True):
        np.testing.assert_allclose(a, b, rtol=8 * 2.0**-23 * 36.5)


@EACH
@pytest.mark.parametrize("dtype", [np.float16, "bfloat16"])
def test_half_precision(name, given, dtype):
    dtype = pytest.importorskip("ml_dtypes").bfloat16 if dtype == "bfloat16" else dtype
    rng = np.random.default_rng(3)
    z = rng.normal(0, 2, (500, 7)).astype(dtype)
    y = rng.integers(0, 7, 500)
    got, gradient = with_gradient(name, z, y, reduction="sum", **given)
    want, slopes = with_gradient(name, z.astype(np.float64), y, reduction="sum", **given)
    assert got.dtype == np.float32 and gradient.dtype == z.dtype
    assert abs(got - want) <= 1e-5 * np.abs(want)
    off = np.abs(gradient.astype(np.float64) - slopes.astype(dtype).astype(np.float64))
    unit = 2.0**-10 if dtype is np.float16 else 2.0**-7
    assert (off <= unit * np.maximum(np.abs(slopes), 6e-5)).all()
    assert (off > 0).mean() < 5e-3


# ---- as cross_entropy in everything else ----

IDENTITIES = [
    ("nllr", {"epsilon": 1.0}),
    ("generalized_cross_entropy", {"q": 0.0}),
    ("alpha_loss", {"alpha": 1.0}),
    ("focal", {"gamma": 0.0}),
    ("poly1", {"epsilon": 0.0}),
    ("mislabel", {"rate": 0.0}),
    ("competing_ratio", {"beta": 0.0}),
    ("symmetric_cross_entropy", {"alpha": 1.0, "beta": 0.0}),
    ("gamma_divergence", {"gamma": 0.0}),
]
RNG = np.random.default_rng(11)
OPTIONS = {
    "plain": {},
    "sum": {"reduction": "sum"},
    "none": {"reduction": "none"},
    "weight": {"weight": [0.5, 2.0, 0.0, 1.0]},
    "sample_weight": {"sample_weight": RNG.random((5, 6))},
    "mask": {"mask": RNG.random((5, 6)) < 0.5},
    "ignored": {"ignore_index": 2},
    "count": {"denominator": "count", "weight": [0.5, 2.0, 3.0, 1.0], "ignore_index": 0},
    "number": {"denominator": 7.5},
    "axis": {"axis": 1},
    "empty": {"mask": np.zeros((5, 6), bool), "empty": "nan"},
}


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize(("name", "given"), IDENTITIES)
def test_options_are_those_of_cross_entropy(name, given, option):
    options = OPTIONS[option]
    z = np.moveaxis(RNG.normal(size=(5, 6, 4)), -1, options.get("axis", -1))
    y = RNG.integers(0, 4, (5, 6))
    want, slopes = losses.cross_entropy_grad(z, y, **options)
    got, gradient = with_gradient(name, z, y, **options, **given)
    np.testing.assert_allclose(got, want, rtol=1e-13)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-13, atol=1e-17)
    np.testing.assert_allclose(value(name, z, y, **options, **given), want, rtol=1e-13)


@EACH
def test_weighted_sums(name, given):
    rng = np.random.default_rng(5)
    z, y = rng.normal(size=(40, 4)), rng.integers(0, 4, 40)
    weight, sample_weight, mask = rng.random(4), rng.random(40), rng.random(40) < 0.7
    each, slopes = with_gradient(name, z, y, reduction="none", **given)
    factor = weight[y] * sample_weight * mask
    got, gradient = with_gradient(name, z, y, weight=weight, sample_weight=sample_weight, mask=mask, **given)
    np.testing.assert_allclose(got, (factor * each).sum() / factor.sum(), rtol=1e-12)
    np.testing.assert_allclose(gradient, factor[:, None] * slopes / factor.sum(), rtol=1e-12, atol=1e-17)


@EACH
@pytest.mark.parametrize("classes", [2, 5, 600])
def test_in_place_and_layouts(name, given, classes):
    rng = np.random.default_rng(6)
    z, y = rng.normal(size=(3, classes, 8)), rng.integers(0, classes, (3, 8))
    want, slopes = with_gradient(name, z, y, axis=1, **given)
    other = np.ascontiguousarray(np.moveaxis(z, 1, -1))
    got, gradient = with_gradient(name, other, y, **given)
    np.testing.assert_allclose(got, want, rtol=1e-13)
    np.testing.assert_allclose(gradient, np.moveaxis(slopes, 1, -1), rtol=1e-12, atol=1e-17)
    before = other.copy()
    value(name, other, y, **given)
    np.testing.assert_array_equal(other, before)
    _, same = with_gradient(name, other, y, out=other, **given)
    assert same is other
    np.testing.assert_array_equal(other, gradient)


@EACH
def test_parameters_are_checked(name, given):
    from dataclasses import fields

    for one in fields(TABLE[name]):
        for wrong in (np.nan, "2"):
            with pytest.raises(nl.ParameterError, match=f"{name}: {one.name}="):
                value(name, Z, Y, **(given | {one.name: wrong}))
        domain = one.metadata["domain"]
        if domain.low > -INF:
            with pytest.raises(nl.ParameterError, match=re.escape(f"{one.name} in {domain}")):
                value(name, Z, Y, **(given | {one.name: domain.low - 1}))
    with pytest.raises(TypeError, match=f"{name}.* unexpected keyword argument 'label_smoothing'"):
        value(name, Z, Y, label_smoothing=0.1, **given)
    with pytest.raises(nl.InputKindError, match=name):
        value(name, Z, Z, **given)  # class indices only
    with pytest.raises(nl.TargetError, match=rf"{name}: target\[1\] = 3"):
        value(name, Z, [0, 3, 0, 0], **given)


# ---- mathematics ----


@EACH
@pytest.mark.parametrize("shift", [1e3, -1e5])
def test_shift_invariance(name, given, shift):
    rng = np.random.default_rng(2)
    z, y = rng.integers(-20, 20, (6, 5)).astype(float), rng.integers(0, 5, 6)  # adding the shift is exact
    want, slopes = with_gradient(name, z, y, **given)
    got, gradient = with_gradient(name, z + shift, y, **given)
    exact = TABLE[name](**given).sharpness == 1.0
    np.testing.assert_allclose(got, want, rtol=0 if exact else 1e-10)
    np.testing.assert_allclose(gradient, slopes, rtol=0 if exact else 1e-10)


LIMITS = [  # loss, parameter, its limit, what the loss is there, sides that the domain has
    ("nllr", "epsilon", 1.0, ("cross_entropy", {}), (1, -1)),
    ("nllr", "epsilon", 0.0, ("nllr", {}), (1,)),
    ("competing_ratio", "beta", 0.0, ("cross_entropy", {}), (1,)),
    ("mislabel", "rate", 0.0, ("cross_entropy", {}), (1,)),
    ("generalized_cross_entropy", "q", 0.0, ("cross_entropy", {}), (1,)),
    ("generalized_cross_entropy", "q", 1.0, ("taylor_cross_entropy", {"order": 1}), (-1,)),
    ("alpha_loss", "alpha", 1.0, ("cross_entropy", {}), (1, -1)),
    ("alpha_loss", "alpha", 0.5, ("exponential_loss", {}), (1, -1)),
    ("focal", "gamma", 0.0, ("cross_entropy", {}), (1,)),
    ("poly1", "epsilon", 0.0, ("cross_entropy", {}), (1, -1)),
    ("poly1", "gamma", 0.0, ("poly1", {}), (1,)),
    ("symmetric_cross_entropy", "beta", 0.0, ("symmetric_cross_entropy", {"beta": 0.0}), (1,)),
    ("gamma_divergence", "gamma", 0.0, ("cross_entropy", {}), (1,)),
]


@pytest.mark.parametrize(("name", "parameter", "at", "limit", "sides"), LIMITS)
def test_limits_are_approached_in_proportion(name, parameter, at, limit, sides):
    z = np.array([[3.0, 1.0, -2.0], [0.0, 4.0, 1.0], [8.0, 0.0, 1.0]])
    y = [0, 0, 0]
    want, slopes = with_gradient(limit[0], z, y, reduction="none", **limit[1])
    for side in sides:
        distances = []
        for h in (1e-3, 1e-5, 1e-7, 1e-9):
            got, gradient = with_gradient(name, z, y, reduction="none", **{parameter: at + side * h})
            distances.append([np.abs(got - want).max() / h, np.abs(gradient - slopes).max() / h])
        first = distances[0]
        assert (np.array(distances) <= 3 * np.array(first) + 1e-5).all(), distances  # 1e-5: rounding over h = 1e-9


def test_identities():
    np.testing.assert_allclose(
        np.logaddexp(0, value("nllr", Z, Y, reduction="none")), losses.cross_entropy(Z, Y, reduction="none"), rtol=1e-14
    )
    pairs = [
        (("alpha_loss", {"alpha": 2.5}), ("generalized_cross_entropy", {"q": 0.6})),
        (("alpha_loss", {"alpha": 0.5}), ("exponential_loss", {})),
        (("competing_ratio", {"alpha": 0.0}), ("nllr", {})),
        (("focal", {"gamma": 1.5}), ("poly1", {"epsilon": 0.0, "gamma": 1.5})),
        (("generalized_cross_entropy", {"q": 1.0}), ("taylor_cross_entropy", {"order": 1})),
    ]
    for (one, given), (other, theirs) in pairs:
        got, gradient = with_gradient(one, Z, Y, reduction="none", **given)
        want, slopes = with_gradient(other, Z, Y, reduction="none", **theirs)
        np.testing.assert_allclose(got, want, rtol=1e-14, atol=1e-15)
        np.testing.assert_allclose(gradient, slopes, rtol=1e-14, atol=1e-15)
    symmetric = value("symmetric_cross_entropy", Z, Y, alpha=0.5, beta=0.25, log_zero=-6.0)
    assert symmetric == pytest.approx(0.5 * value("poly1", Z, Y, epsilon=3.0), rel=1e-14)
    two = np.array([[1.25, -0.5]])  # the unhinged loss
    assert value("nllr", two, [0]) == -1.75


def test_taylor_grows_into_cross_entropy():
    before = np.zeros(4)
    for order in (1, 2, 5, 30, 3000):
        now = value("taylor_cross_entropy", Z, Y, order=order, reduction="none")
        assert (before <= now).all() and (now <= losses.cross_entropy(Z, Y, reduction="none") * (1 + 1e-14)).all()
        before = now
    np.testing.assert_allclose(before, losses.cross_entropy(Z, Y, reduction="none"), rtol=1e-12)


INFLUENCE = {  # 1-norm of the gradient of an outlier: it goes to 0, stays near 2, or grows
    "redescends": ["generalized_cross_entropy", "gamma_divergence", "mislabel", "taylor_cross_entropy", "alpha_loss"],
    "stays": ["nllr", "madaboost", "focal", "poly1", "competing_ratio"],
    "grows": ["exponential_loss"],
}


@EACH
def test_influence_of_an_outlier(name, given):
    norms = []
    for margin in (3.0, 10.0, 30.0, 90.0):
        _, gradient = with_gradient(name, [[0.0, margin, 0.5]], [0], **given)
        norms.append(np.abs(gradient).sum())
    if name in INFLUENCE["redescends"]:
        assert norms == sorted(norms, reverse=True) and norms[-1] < 1e-6
    elif name in INFLUENCE["grows"]:
        assert norms == sorted(norms) and norms[-1] > 1e30
    elif name in INFLUENCE["stays"]:
        assert norms[-1] == pytest.approx(2.0, rel=1e-9)
    else:
        assert name == "symmetric_cross_entropy"
        assert norms[-1] == pytest.approx(0.2, rel=1e-9)  # its share of cross-entropy


def test_truncation_stops_influence():
    z = [[0.0, 0.0], [0.1, 0.0], [-0.1, 0.0]]
    got, gradient = with_gradient("generalized_cross_entropy", z, [0, 0, 0], truncation=0.5, reduction="none")
    assert got[0] == got[2] == pytest.approx((1 - 0.5**0.7) / 0.7, rel=1e-15)
    assert (gradient[[0, 2]] == 0).all() and gradient[1, 0] < 0  # p = 0.5 belongs to the constant part
    assert got[1] < got[0]


@pytest.mark.parametrize("q", [0.1, 0.7, 1.0])
@pytest.mark.parametrize("classes", [2, 3, 10, 100])
def test_generalized_cross_entropy_summed_over_classes_is_bounded(q, classes):
    """Theorem 1 of arXiv:1805.07836: what makes it robust."""
    rng = np.random.default_rng(classes)
    z = np.concatenate([rng.normal(0, 5, (200, classes)), np.zeros((1, classes)), 1e3 * np.eye(classes)[:1]])
    sums = sum(value("generalized_cross_entropy", z, np.full(len(z), k), q=q, reduction="none") for k in range(classes))
    low, high = (classes - classes ** (1 - q)) / q, (classes - 1) / q
    assert (sums >= low * (1 - 1e-12)).all() and (sums <= high * (1 + 1e-12)).all()
    assert sums[-2] == pytest.approx(low) and sums[-1] == pytest.approx(high)


def test_nllr_pulls_every_sample_alike():
    rng = np.random.default_rng(4)
    z = rng.normal(0, 20, (100, 7))
    _, gradient = with_gradient("nllr", z, rng.integers(0, 7, 100), reduction="none")
    np.testing.assert_allclose(np.abs(gradient).sum(axis=1), 2.0, rtol=1e-14)
    risk = [
        0.6 * value("nllr", [t, 0.0, -1.0], 0)
        + 0.3 * value("nllr", [t, 0.0, -1.0], 1)
        + 0.1 * value("nllr", [t, 0.0, -1.0], 2)
        for t in (1.0, 5.0, 20.0)
    ]
    np.testing.assert_allclose(risk, [0.157, -0.711, -3.712], atol=1e-3)  # no minimum: a class has more than 1/2


def test_known_wrong_implementations_of_nllr():
    p = np.exp(losses.log_softmax(Z))
    mine, slopes = with_gradient("nllr", Z, Y, reduction="none")
    rows = np.arange(4)
    # the true class's log-probability set to 0 before exp and sum: it stays in as exp(0) = 1
    log_p = np.log(p)
    others = log_p.copy()
    others[rows, Y] = 0.0
    assert (np.abs(np.log(np.exp(others).sum(axis=1)) - log_p[rows, Y] - mine) > 0.1).all()
    # the competing term detached: what remains is the gradient of cross-entropy
    detached = losses.cross_entropy_grad(Z, Y, reduction="none")[1]
    assert np.abs(detached - slopes).max() > 0.1
    np.testing.assert_allclose(slopes[rows, Y], -1.0, rtol=1e-15)
    # log(1 - p) in float32
    confident = np.array([[50.0, 0.0, 0.0]], np.float32)
    with np.errstate(divide="ignore"):
        naive = np.log(np.float32(1.0) - losses.softmax(confident)[0, 0])
    assert np.isneginf(naive)
    assert value("nllr", confident, [0]) == pytest.approx(-49.30685281944005, rel=1e-6)
    assert value("nllr", confident.astype(float), [0]) == -49.30685281944005


# ---- edges ----


@EVERY
@pytest.mark.parametrize("classes", [2, 4, 600])
def test_infinite_logits(name, given, classes):
    z = np.zeros((5, classes))
    z[:, -1] = -INF  # a masked class
    z[1, 0] = -INF  # an impossible target
    z[2] = -INF  # nothing at all
    z[3, 1:] = -INF  # nothing but the target
    z[4, 0] = INF
    if classes == 2:
        z[1, 1] = 0.0
    y = np.zeros(5, int)
    got, gradient = with_gradient(name, z, y, reduction="none", **given)
    assert (gradient[[0, 1, 3]][np.isneginf(z[[0, 1, 3]]) & (np.arange(classes) > 0)] == 0).all()
    deformation = TABLE[name](**given)
    if classes > 2:
        fewer = value(name, z[0, :-1], 0, **given)
        if name != "mislabel":  # which counts every logit
            assert got[0] == pytest.approx(fewer, rel=1e-14)
    with np.errstate(invalid="ignore", over="ignore"):
        limit = float(deformation.phi(np, np.array(INF), classes))
    assert got[1] == pytest.approx(limit, rel=1e-12) and limit > 0
    assert np.isfinite(gradient[1]).all() and gradient[1, 0] <= 0 and (gradient[1, 1:] >= 0).all()
    if np.abs(gradient[1]).max() < 1e300:
        assert gradient[1].sum() == pytest.approx(0.0, abs=1e-12)
    assert np.isnan(got[2]) and np.isnan(gradient[2]).any()
    alone = float(deformation.phi(np, np.array(-INF), classes))
    assert (gradient[3] == 0).all() and got[3] == pytest.approx(alone, rel=1e-14)
    assert np.isnan(got[4])


@EACH
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("classes", [2, 4, 600])
def test_what_takes_no_part_is_never_read(name, given, dtype, classes):
    z = np.random.default_rng(1).normal(size=(5, classes)).astype(dtype)
    want, slopes = with_gradient(name, z[::2], [1, 1, 1], **given)
    z[[1, 3]] = np.nan
    for options in (
        {"ignore_index": 7 + classes, "target": [1, 7 + classes, 1, 7 + classes, 1]},
        {"mask": np.array([1, 0, 1, 0, 1], bool), "target": [1, 99999, 1, -5, 1]},
        {"sample_weight": [1, 0, 1, 0, 1], "target": [1, 99999, 1, -5, 1]},
    ):
        got, gradient = with_gradient(name, z, options.pop("target"), **options, **given)
        assert got == want
        np.testing.assert_array_equal(gradient[::2], slopes)
        assert (gradient[[1, 3]] == 0).all()


@EACH
def test_nan_is_seen(name, given):
    for classes in (2, 5, 600):
        for k in (0, 1):
            z = np.zeros((1, classes))
            z[0, k] = np.nan
            got, gradient = with_gradient(name, z, [0], **given)
            assert np.isnan(got) and np.isnan(gradient).any()


@EACH
def test_nothing_took_part(name, given):
    for z, y in ((np.zeros((0, 3)), np.zeros(0, int)), (Z, np.full(4, -100))):
        got, gradient = with_gradient(name, z, y, ignore_index=-100, **given)
        assert got == 0.0 and (gradient == 0).all() and gradient.shape == z.shape
        assert np.isnan(value(name, z, y, ignore_index=-100, empty="nan", **given))
        with pytest.raises(nl.DataError, match=name):
            value(name, z, y, ignore_index=-100, empty="raise", **given)


OTHERS = [isa for isa in _native.available_isas() if isa != _native.isa()]


@pytest.mark.skipif("NEGLOG_ISA" in os.environ, reason="this is such a run")
@pytest.mark.parametrize("isa", OTHERS)
def test_as_exact_on_every_other_instruction_set(isa):
    command = [sys.executable, "-m", "pytest", __file__, "-k", "vectors or margins or float32 or infinite"]
    done = subprocess.run(command, env=os.environ | {"NEGLOG_ISA": isa}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_type_checkers_see_the_same_functions():
    import ast
    import inspect

    tree = ast.parse(Path(losses.deformed.__file__).with_suffix(".pyi").read_text())
    classes = {node.name: [one.target.id for one in node.body] for node in tree.body if isinstance(node, ast.ClassDef)}
    stubs = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert set(stubs) == {name + end for name in TABLE for end in ("", "_grad")}
    for name, stub in stubs.items():
        own = [(arg.arg, default) for arg, default in zip(stub.args.kwonlyargs, stub.args.kw_defaults, strict=True)]
        common = classes["Common"] + (classes["CommonGrad"] if name.endswith("_grad") else [])
        parameters = list(inspect.signature(getattr(losses, name)).parameters.values())
        assert [p.name for p in parameters] == [*(a.arg for a in stub.args.args), *(arg for arg, _ in own), *common]
        for parameter, (_, default) in zip(parameters[2:], own, strict=False):
            shown = inspect.Parameter.empty if default is None else ast.literal_eval(default)
            assert parameter.default == shown
