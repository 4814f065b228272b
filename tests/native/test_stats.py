"""By-products of a row of logits and what they pass back: every dtype, layout and option, on every instruction set."""

import mpmath
import numpy as np
import pytest
from tests.native.strided import FLOATS, TARGETS, address, exact, layouts, stored, strides

from neglog import _native

NONE = (0, 0, 0)


def selection(y, ignore, mask, class_mask, temperature, softcap):
    code = 0 if y is None else TARGETS[y.dtype.name]
    return (address(y), code, ignore is not None, ignore or 0, address(mask), address(class_mask), temperature, softcap)


def stats(x, y=None, dtype="float64", ignore=None, mask=None, class_mask=None, temperature=1.0, softcap=0.0, threads=2):
    outer, classes, inner = x.shape
    wide = "float64" if dtype == "float64" else "float32"
    out = [np.full((outer, inner), -7, kind) for kind in (wide, wide, wide, "int64", "int64")]
    bad = _native.logit_stats(
        FLOATS[dtype], outer, classes, inner, address(x), strides(x),
        *selection(y, ignore, mask, class_mask, temperature, softcap), *map(address, out), threads,
    )  # fmt: skip
    return (*out, bad)


def back(x, ups, grad, y=None, dtype="float64", ignore=None, mask=None, class_mask=None, temperature=1.0, softcap=0.0):
    outer, classes, inner = x.shape
    _native.logit_stats_back(
        FLOATS[dtype], outer, classes, inner, address(x), strides(x),
        *selection(y, ignore, mask, class_mask, temperature, softcap), *map(address, ups), address(grad),
        strides(grad), 2,
    )  # fmt: skip


def formulas(z, y, ups=None):
    """Everything in float64 from transformed logits (outer, C, inner), and the gradient in them."""
    top = z.max(1, keepdims=True)
    lse = top + np.log(np.exp(z - top).sum(1, keepdims=True))
    log_p = z - lse
    p = np.exp(log_p)
    entropy = -np.where(p > 0, p * np.where(p > 0, log_p, 0), 0).sum(1, keepdims=True)
    at = np.take_along_axis(log_p, y[:, None], 1)
    rank = (z > np.take_along_axis(z, y[:, None], 1)).sum(1)
    values = at[:, 0], lse[:, 0], entropy[:, 0], z.argmax(1), rank
    if ups is None:
        return values
    a, b, c = (u[:, None] for u in ups)
    one_hot = np.arange(z.shape[1])[None, :, None] == y[:, None]
    bent = np.where(p > 0, p * (np.where(p > 0, log_p, 0) + entropy), 0)
    return (*values, a * (one_hot - p) + b * p - c * bent)


# one class, one vector and less, across with an inner axis, along with one block and several
SHAPES = [(3, 1, 1), (40, 7, 1), (3, 5, 17), (2, 130, 40), (9, 700, 1), (4, 2500, 1)]
VALUE = {"float64": 1e-13, "float32": 2e-6, "float16": 2e-6, "bfloat16": 2e-6}
SLOPE = {"float64": 1e-14, "float32": 2e-7, "float16": 1e-3, "bfloat16": 4e-3}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("options", ["plain", "transforms"])
def test_every_layout(shape, dtype, options):
    rng = np.random.default_rng(shape)
    outer, classes, inner = shape
    values = stored(rng.normal(size=shape) * 4, dtype)
    values[0, classes // 2 : classes - 1] = stored(-np.inf, dtype)
    y = rng.integers(0, classes, (outer, inner))
    ups = [rng.normal(size=(outer, inner)).astype("float64" if dtype == "float64" else "float32") for _ in range(3)]
    z = exact(values, dtype)
    slope = np.ones(shape)
    chosen = {}
    if options == "transforms":
        kept = (rng.uniform(size=classes) < 0.8).astype(np.uint8)
        kept[y.flat[0]] = kept[0] = 1
        chosen = {"class_mask": kept, "temperature": 0.7, "softcap": 5.0}
        gone = (kept[None, :, None] == 0) | (z == -np.inf)
        slope = np.where(gone, 0, 1 / np.cosh(np.where(gone, 0, z) / 5) ** 2 / 0.7)
        z = np.where(gone, -np.inf, 5 * np.tanh(z / 5) / 0.7)
    *expected, gradient = formulas(z, y, ups)
    gradient = np.where(slope > 0, gradient * slope, 0)
    for x in layouts(shape, dtype):
        x[...] = values
        *got, bad = stats(x, y, dtype, **chosen)
        assert bad == -1
        for one, other in zip(got[:3], expected[:3], strict=True):
            np.testing.assert_allclose(one, other, rtol=VALUE[dtype], atol=VALUE[dtype])
        np.testing.assert_array_equal(got[4], expected[4])
        np.testing.assert_array_equal(np.take_along_axis(z, got[3][:, None], 1)[:, 0], z.max(1))
        for grad in layouts(shape, dtype):
            grad[...] = stored(np.full(shape, np.nan), dtype)
            back(x, ups, grad, y, dtype, **chosen)
            np.testing.assert_allclose(exact(grad, dtype), gradient, rtol=SLOPE[dtype] * 8, atol=SLOPE[dtype] * 8)


@pytest.mark.parametrize("classes", [3, 700])
def test_each_upstream_by_itself(classes):
    rng = np.random.default_rng(classes)
    x, y = rng.normal(size=(5, classes, 1)), rng.integers(0, classes, (5, 1))
    for i in range(3):
        ups = [rng.normal(size=(5, 1)) if i == j else None for j in range(3)]
        grad = np.full_like(x, np.nan)
        back(x, ups, grad, y)
        expected = formulas(x, y, [np.zeros((5, 1)) if u is None else u for u in ups])[-1]
        np.testing.assert_allclose(grad, expected, rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("classes", [2, 700])
@pytest.mark.parametrize("margin", [40.0, 300.0])
def test_a_confident_row_keeps_its_digits(classes, margin):
    x = np.zeros((1, classes, 1))
    x[0, 1] = margin
    log_prob, lse, entropy, argmax, rank, _ = stats(x, np.array([[1]]))
    with mpmath.workdps(200):
        others = (classes - 1) * mpmath.exp(-margin)
        total = 1 + others
        exact_log_prob, exact_entropy = -mpmath.log(total), mpmath.log(total) + others * margin / total
        exact_slopes = others / total, -(margin - others * margin / total) * others / total
    assert log_prob[0, 0] == pytest.approx(float(exact_log_prob), rel=1e-14)
    assert entropy[0, 0] == pytest.approx(float(exact_entropy), rel=1e-14)
    assert (lse[0, 0], argmax[0, 0], rank[0, 0]) == (margin, 1, 0)
    one, grad = np.ones((1, 1)), np.empty_like(x)
    back(x, [one, None, None], grad, np.array([[1]]))
    assert grad[0, 1, 0] == pytest.approx(float(exact_slopes[0]), rel=1e-14)
    back(x, [None, None, one], grad, np.array([[1]]))
    assert grad[0, 1, 0] == pytest.approx(float(exact_slopes[1]), rel=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("classes", [4, 1500])
def test_edges(dtype, classes):
    inf, nan = np.inf, np.nan
    rows = np.full((6, classes, 1), -inf, dtype)
    rows[0, :2, 0] = 0  # two classes remain
    rows[2, 2] = inf
    rows[3, 1:3] = inf
    rows[4, :3, 0] = 1, nan, 2
    rows[5] = 0
    y = np.array([1, 0, 2, 2, 2, 3])[:, None]
    log_prob, lse, entropy, argmax, rank, bad = stats(rows, y, dtype)
    half = np.log(0.5)
    np.testing.assert_allclose(log_prob[:, 0], [half, nan, nan, nan, nan, -np.log(classes)], rtol=1e-6)
    np.testing.assert_allclose(lse[:, 0], [-half, -inf, inf, inf, nan, np.log(classes)], rtol=1e-6)
    np.testing.assert_allclose(entropy[:, 0], [-half, nan, nan, nan, nan, np.log(classes)], rtol=1e-6)
    assert argmax[[0, 1, 2, 3, 5], 0].tolist() == [0, 0, 2, 1, 0]
    assert rank[[0, 1, 2, 3, 5], 0].tolist() == [0, 0, 0, 0, 0]
    assert bad == -1
    grad, one = np.empty_like(rows), np.ones((6, 1), dtype)
    back(rows, [one, one, one], grad, y, dtype)
    # d log_prob + d lse + d entropy of two equal classes: e_y - p + p - p (log p + H)
    np.testing.assert_allclose(grad[0, :, 0], [0, 1] + [0] * (classes - 2), atol=1e-7)
    assert np.isnan(grad[1:5]).any(axis=1).all()
    back(rows, [np.zeros_like(one)] * 3, grad, y, dtype)
    assert (grad == 0).all()


def test_a_target_that_is_no_class_of_the_row():
    x = np.array([[0.0, -np.inf, 1.0]])[:, :, None]
    log_prob, *_, rank, _ = stats(x, np.array([[1]]))
    assert (log_prob[0, 0], rank[0, 0]) == (-np.inf, 2)
    grad = np.empty_like(x)
    back(x, [np.ones((1, 1)), None, None], grad, np.array([[1]]))
    p = 1 / (1 + np.e)
    np.testing.assert_allclose(grad[0, :, 0], [-p, 1, p - 1], rtol=1e-15)


@pytest.mark.parametrize("target", ["uint8", "int32", "int64"])
@pytest.mark.parametrize("classes", [4, 600])
def test_who_takes_part(target, classes):
    x = np.random.default_rng(5).normal(size=(50, classes, 1))
    y = np.full((50, 1), 2, target)
    ignore = 3
    y[10:20] = ignore
    mask = np.ones((50, 1), np.uint8)
    mask[15:25] = 0
    x[15:25] = np.nan
    log_prob, lse, entropy, argmax, rank, bad = stats(x, y, ignore=ignore, mask=mask)
    assert bad == -1
    assert (log_prob[10:25] == 0).all()
    assert (rank[10:25] == -1).all()
    assert (rank[:10] >= 0).all()
    np.testing.assert_allclose(lse[10:15], np.log(np.exp(x[10:15]).sum(1)), rtol=1e-14)
    np.testing.assert_array_equal(argmax[10:15], x[10:15].argmax(1))
    assert (lse[15:25] == 0).all()
    assert (entropy[15:25] == 0).all()
    assert (argmax[15:25] == 0).all()
    grad = np.full_like(x, np.nan)
    up = np.ones((50, 1))
    back(x, [up, None, None], grad, y, ignore=ignore, mask=mask)
    assert (grad[10:25] == 0).all()
    back(x, [up, up, None], grad, y, ignore=ignore, mask=mask)
    np.testing.assert_allclose(grad[10:15].sum(1), 1, rtol=1e-13)
    assert (grad[15:25] == 0).all()
    y[[7, 30]] = 255 if target == "uint8" else -1
    x600 = x[:, :200]  # 255 is a class of 600
    assert stats(np.ascontiguousarray(x600), y, ignore=ignore, mask=mask)[-1] == 7


def test_without_target():
    x = np.random.default_rng(6).normal(size=(8, 5, 3))
    log_prob, lse, entropy, argmax, rank, bad = stats(x)
    assert (log_prob == -7).all()
    assert (rank == -7).all()
    np.testing.assert_allclose(lse, np.log(np.exp(x).sum(1)), rtol=1e-14)
    np.testing.assert_array_equal(argmax, x.argmax(1))
    assert (entropy > 0).all()
    assert bad == -1


@pytest.mark.parametrize("classes", [6, 3000])
def test_ties_count_once_each_way(classes):
    x = np.zeros((1, classes, 1))
    x[0, [3, 5], 0] = 2.0
    x[0, 4] = 1.0
    *_, argmax, rank, _ = stats(x, np.array([[5]]))
    assert (argmax[0, 0], rank[0, 0]) == (3, 0)
    assert stats(x, np.array([[4]]))[4][0, 0] == 2
    assert stats(x, np.array([[0]]))[4][0, 0] == 3


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", FLOATS)
def test_log_softmax_and_logsumexp_back(shape, dtype):
    rng = np.random.default_rng(shape)
    outer, classes, inner = shape
    values, given = stored(rng.normal(size=shape) * 3, dtype), stored(rng.normal(size=shape), dtype)
    up = rng.normal(size=(outer, inner)).astype("float64" if dtype == "float64" else "float32")
    z, g = exact(values, dtype), exact(given, dtype)
    p = np.exp(z - z.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    for x in layouts(shape, dtype):
        x[...] = values
        for grad, upstream in zip(layouts(shape, dtype), reversed(list(layouts(shape, dtype))), strict=True):
            upstream[...] = given
            size = FLOATS[dtype], outer, classes, inner, address(x), strides(x)
            _native.log_softmax_back_strided(
                *size, address(upstream), strides(upstream), address(grad), strides(grad), 2
            )
            sums = g.sum(1, keepdims=True)
            scale = SLOPE[dtype] * (4 + np.abs(g).sum(1).max() / 100)
            np.testing.assert_allclose(exact(grad, dtype), g - p * sums, rtol=4 * SLOPE[dtype], atol=scale)
            _native.logsumexp_back_strided(*size, address(up), address(grad), strides(grad), 2)
            expected = p * up[:, None].astype(float)
            np.testing.assert_allclose(exact(grad, dtype), expected, rtol=4 * SLOPE[dtype], atol=4 * SLOPE[dtype])


@pytest.mark.parametrize("classes", [3, 800])
def test_log_softmax_back_of_a_confident_row(classes):
    """-e_y back gives p - e_y: at the target minus the sum of the others, not a difference of ones."""
    x, up = np.zeros((1, classes, 1)), np.zeros((1, classes, 1))
    x[0, 1], up[0, 1] = 40.0, -1.0
    grad = np.empty_like(x)
    size = 3, 1, classes, 1, address(x), strides(x)
    _native.log_softmax_back_strided(*size, address(up), strides(up), address(grad), strides(grad), 1)
    p = np.exp(-40.0)
    np.testing.assert_allclose(grad[0, :2, 0], [p, -(classes - 1) * p], rtol=1e-14)


def test_threads_change_nothing():
    x = np.random.default_rng(8).normal(size=(3000, 40, 1))
    y = np.zeros((3000, 1), np.int64)
    for one, other in zip(stats(x, y, threads=1), stats(x, y, threads=4), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("isa", _native.available_isas())
def test_on_every_instruction_set(isa, on_isa):
    on_isa(isa, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__, "-k", "not every_instruction_set")
