"""Shapes, memory order, dtypes, out=, instruction sets and threads: none of them may change a number."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

import neglog as nl
from neglog import _native, losses

RNG = np.random.default_rng(11)


def reference(z, y, axis):
    """Cross-entropy per row and its gradient, as the textbook has it."""
    z = np.moveaxis(z.astype(np.float64), axis, -1)
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    p = e / e.sum(axis=-1, keepdims=True)
    one_hot = np.eye(z.shape[-1])[y]
    return -np.log((p * one_hot).sum(axis=-1)), np.moveaxis(p - one_hot, -1, axis)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("classes", [*range(1, 71), 127, 128, 129, 511, 512, 513, 1000, 1025])
def test_every_class_count(dtype, classes):
    # 1 ... 70 crosses every tail of a vector, 64 and 512 change the loop, 1024 is a block
    z = RNG.normal(size=(19, classes)).astype(dtype)
    y = RNG.integers(0, classes, 19)
    loss, gradient = losses.cross_entropy_grad(z, y, reduction="none")
    want, want_gradient = reference(z, y, -1)
    tolerance = 1e-13 if dtype is np.float64 else 2e-6
    np.testing.assert_allclose(loss, want, atol=tolerance)
    np.testing.assert_allclose(gradient, want_gradient, atol=tolerance)
    one_hot = np.eye(classes)[y].astype(dtype)
    loss, gradient = losses.cross_entropy_grad(z, one_hot, reduction="none")
    np.testing.assert_allclose(loss, want, atol=tolerance)
    np.testing.assert_allclose(gradient, want_gradient, atol=tolerance)


@pytest.mark.parametrize("rows", [0, 1, 2, 15, 16, 17, 33])
@pytest.mark.parametrize("classes", [1, 2, 3, 100])
def test_every_row_count(rows, classes):
    z, y = RNG.normal(size=(rows, classes)), RNG.integers(0, classes, rows)
    loss, gradient = losses.cross_entropy_grad(z, y, reduction="none")
    want, want_gradient = reference(z, y, -1) if rows else (np.empty(0), np.empty((0, classes)))
    np.testing.assert_allclose(loss, want, atol=1e-13)
    np.testing.assert_allclose(gradient, want_gradient, atol=1e-13)
    for value in (losses.logsumexp(z), losses.log_softmax(z), losses.softmax(z)):
        assert value.shape[0] == rows


def test_a_row_does_not_depend_on_its_neighbours():
    z = RNG.normal(size=(40, 13)).astype(np.float32)
    y = RNG.integers(0, 13, 40)
    whole, gradient = losses.cross_entropy_grad(z, y, reduction="none")
    for rows in (slice(3, 4), slice(5, 27), slice(39, 40)):
        part, slopes = losses.cross_entropy_grad(z[rows], y[rows], reduction="none")
        np.testing.assert_array_equal(part, whole[rows])
        np.testing.assert_array_equal(slopes, gradient[rows])


@pytest.mark.parametrize("axis", [0, 1, 2, 3, -1, -4])
def test_class_axis_anywhere(axis):
    shape = [4, 3, 5, 2]
    shape[axis] = 6
    z = RNG.normal(size=shape)
    batch = tuple(np.delete(shape, axis))
    y, s, mask = RNG.integers(0, 6, batch), RNG.uniform(1, 2, batch), RNG.random(batch) < 0.7
    options = {"sample_weight": s, "mask": mask, "reduction": "none"}
    want, slope = reference(z, y, axis)
    loss, gradient = losses.cross_entropy_grad(z, y, axis=axis, **options)
    np.testing.assert_allclose(loss, want * s * mask, atol=1e-13)
    np.testing.assert_allclose(gradient, slope * np.expand_dims(s * mask, axis), atol=1e-13)
    loss, gradient = losses.nll_loss_grad(losses.log_softmax(z, axis=axis), y, axis=axis, **options)
    np.testing.assert_allclose(loss, want * s * mask, atol=1e-13)
    assert gradient.shape == z.shape


MEMORY = {
    "C": lambda a: a,
    "F": np.asfortranarray,
    "transposed": lambda a: np.ascontiguousarray(a.transpose(1, 2, 0)).transpose(2, 0, 1),
    "gaps": lambda a: np.repeat(a, 2, axis=1)[:, ::2],
    "reversed": lambda a: a[::-1].copy()[::-1],
    "broadcast": lambda a: np.broadcast_to(a[:1], a.shape),
    "read-only": lambda a: frozen(a),
    "other byte order": lambda a: a.astype(a.dtype.newbyteorder()),
}


def frozen(a):
    a = a.copy()
    a.flags.writeable = False
    return a


@pytest.mark.parametrize("order", MEMORY)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_memory_order_changes_nothing(order, axis):
    z = RNG.normal(size=(4, 6, 5))
    z = np.ascontiguousarray(MEMORY[order](z))  # broadcast repeats rows
    given = MEMORY[order](z)
    batch = tuple(np.delete(z.shape, axis))
    y, s, mask = RNG.integers(0, 4, batch), RNG.uniform(1, 2, batch), RNG.random(batch) < 0.7
    options = {"axis": axis, "sample_weight": s, "mask": mask, "ignore_index": 3}
    for reduction in ("mean", "none"):
        want = losses.cross_entropy_grad(z, y, reduction=reduction, **options)
        got = losses.cross_entropy_grad(given, np.asfortranarray(y), reduction=reduction, **options)
        np.testing.assert_allclose(got[0], want[0], rtol=1e-14)
        np.testing.assert_allclose(got[1], want[1], rtol=1e-12, atol=1e-16)
        assert got[1].dtype == given.dtype.newbyteorder("=")
    for call in (losses.log_softmax, losses.softmax, losses.logsumexp):
        np.testing.assert_allclose(call(given, axis=axis), call(z, axis=axis), rtol=1e-13)
    upstream = RNG.normal(size=z.shape)
    np.testing.assert_allclose(
        losses.log_softmax_grad(given, MEMORY[order](upstream), axis=axis)[1],
        losses.log_softmax_grad(z, np.ascontiguousarray(MEMORY[order](upstream)), axis=axis)[1],
        rtol=1e-11, atol=1e-15,
    )  # fmt: skip
    t, weight = RNG.random(z.shape), RNG.random(z.shape[-1])
    want = losses.binary_cross_entropy_with_logits_grad(z, t, weight=weight, pos_weight=weight + 1)
    got = losses.binary_cross_entropy_with_logits_grad(given, t, weight=weight, pos_weight=weight + 1)
    np.testing.assert_allclose(got[0], want[0], rtol=1e-14)
    np.testing.assert_array_equal(got[1], want[1])


def test_transposed_logits_are_not_copied():
    z = RNG.normal(size=(3, 4, 8)).astype(np.float32)
    _, gradient = losses.cross_entropy_grad(z.transpose(0, 2, 1), RNG.integers(0, 4, (3, 8)))
    assert gradient.transpose(0, 2, 1).flags.c_contiguous  # the memory order of the input, kept


def test_inputs_are_never_modified():
    z, y = RNG.normal(size=(9, 4)), RNG.integers(0, 4, 9)
    s, mask, q = RNG.random(9), RNG.random(9) < 0.5, RNG.dirichlet(np.ones(4), 9)
    arrays = [z, y, s, mask, q]
    before = [a.copy() for a in arrays]
    losses.cross_entropy_grad(z, y, sample_weight=s, mask=mask, label_smoothing=0.1)
    losses.cross_entropy_grad(z, q, sample_weight=s, mask=mask)
    losses.log_softmax_grad(z, q)
    losses.kl_div_grad(-np.abs(z), q)
    losses.nll_loss_grad(-np.abs(z), y)
    for a, b in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(a, b)


INTEGERS = [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64, ">i4"]


@pytest.mark.parametrize("dtype", INTEGERS)
def test_every_integer_type_is_an_index(dtype):
    z, y = RNG.normal(size=(8, 5)), RNG.integers(0, 5, 8)
    want = losses.cross_entropy(z, y)
    assert losses.cross_entropy(z, y.astype(dtype)) == want
    with pytest.raises(nl.TargetError, match=r"target\[0\] = 99; allowed: 0 <= target < 5"):
        losses.cross_entropy(z, np.full(8, 99, dtype))


def test_an_index_beyond_int64_does_not_wrap_into_ignore_index():
    with pytest.raises(nl.TargetError, match=f"target = {2**64 - 1}; allowed: 0 <= target < 2, or ignore_index=-1"):
        losses.cross_entropy([0.0, 1.0], np.uint64(2**64 - 1), ignore_index=-1)


@pytest.mark.parametrize("ignore_index", [255, 0])
def test_ignore_index_of_unsigned_bytes(ignore_index):
    z, y = RNG.normal(size=(6, 3)), np.array([0, 1, 2, 255, 255, 0], np.uint8)
    if ignore_index == 255:
        assert losses.cross_entropy(z, y, ignore_index=255) == losses.cross_entropy(z[[0, 1, 2, 5]], y[[0, 1, 2, 5]])
    else:
        with pytest.raises(nl.TargetError, match=r"target\[3\] = 255"):
            losses.cross_entropy(z, y, ignore_index=0)


@pytest.mark.parametrize("dtype", [bool, np.int8, np.int32, np.int64, np.uint16, np.float16, np.float32, np.float64])
def test_binary_targets_of_any_type(dtype):
    x, t = RNG.normal(size=50).astype(np.float32), RNG.integers(0, 2, 50)
    want = losses.binary_cross_entropy_with_logits(x, t.astype(np.float64))
    assert losses.binary_cross_entropy_with_logits(x, t.astype(dtype)) == want


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_result_types(dtype):
    z, y = RNG.normal(size=(4, 3)).astype(dtype), RNG.integers(0, 3, 4)
    narrow = np.float64 if dtype is np.float64 else np.float32
    for reduction in ("mean", "sum", "none"):
        loss, gradient = losses.cross_entropy_grad(z, y, reduction=reduction)
        assert loss.dtype == narrow
        assert gradient.dtype == dtype
        assert isinstance(loss, np.generic) == (reduction != "none")
    assert losses.logsumexp(z).dtype == narrow
    assert losses.log_softmax(z).dtype == dtype
    assert losses.cross_entropy(z[0], y[0], reduction="none").shape == ()


def test_a_finer_probability_target_keeps_its_digits():
    z = RNG.normal(size=(6, 4)).astype(np.float16)
    q = RNG.dirichlet(np.ones(4), 6)
    loss, gradient = losses.cross_entropy_grad(z, q)
    wide, wide_gradient = losses.cross_entropy_grad(z.astype(np.float64), q)
    assert loss == np.float32(wide)
    np.testing.assert_array_equal(gradient, wide_gradient.astype(np.float16))
    assert losses.cross_entropy(z.astype(np.float64), q.astype(np.float32)).dtype == np.float64


def test_lists_and_integers_are_accepted():
    assert losses.cross_entropy([[1, 2, 3]], [0]) == losses.cross_entropy([[1.0, 2.0, 3.0]], [0])


@pytest.mark.parametrize("classes", [2, 5, 100, 3000])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("kind", ["index", "smoothed", "probabilities"])
def test_out(classes, dtype, kind):
    z = RNG.normal(size=(33, classes)).astype(dtype)
    y = RNG.integers(0, classes, 33)
    target = RNG.dirichlet(np.ones(classes), 33).astype(dtype) if kind == "probabilities" else y
    options = {"label_smoothing": 0.1 if kind == "smoothed" else 0.0}
    want, slopes = losses.cross_entropy_grad(z, target, **options)
    out = np.full_like(z, np.nan)
    loss, gradient = losses.cross_entropy_grad(z, target, out=out, **options)
    assert gradient is out
    assert loss == want
    np.testing.assert_array_equal(out, slopes)
    other_order = np.asfortranarray(np.full_like(z, np.nan))
    assert losses.cross_entropy_grad(z, target, out=other_order, **options)[1] is other_order
    np.testing.assert_array_equal(other_order, slopes)
    in_place = z.copy()
    loss, gradient = losses.cross_entropy_grad(in_place, target, out=in_place, **options)
    assert gradient is in_place
    assert loss == want
    np.testing.assert_array_equal(in_place, slopes)


def test_out_in_place_on_any_memory():
    z, y = RNG.normal(size=(6, 5, 4)), RNG.integers(0, 5, (6, 4))
    want = losses.cross_entropy_grad(z, y, axis=1)[1]
    for given in (np.asfortranarray(z), np.repeat(z, 2, axis=2)[:, :, ::2]):
        losses.cross_entropy_grad(given, y, axis=1, out=given)
        np.testing.assert_allclose(given, want, rtol=1e-12)


@pytest.mark.parametrize("call", [losses.log_softmax, losses.softmax])
def test_out_of_primitives(call):
    for shape, axis in [((7, 300), 1), ((7, 9, 5), 1)]:
        z = RNG.normal(size=shape)
        want, out, in_place = call(z, axis=axis), np.empty_like(z), z.copy()
        assert call(z, axis=axis, out=out) is out
        assert call(in_place, axis=axis, out=in_place) is in_place
        np.testing.assert_array_equal(out, want)
        np.testing.assert_array_equal(in_place, want)


def test_out_of_elementwise_losses():
    x, t = RNG.random(2000), RNG.random(2000)
    calls = [
        losses.binary_cross_entropy_grad,
        losses.binary_cross_entropy_with_logits_grad,
        losses.kl_div_grad,
    ]
    for call in calls:
        x = -np.abs(x) if call is losses.kl_div_grad else x
        want = call(x, t)[1]
        in_place = x.copy()
        call(in_place, t, out=in_place)
        np.testing.assert_array_equal(in_place, want)
        with pytest.raises(nl.InputKindError, match=f"{call.__name__}: out overlaps target"):
            call(x, t, out=t)


def test_out_that_is_refused():
    z, y = RNG.normal(size=(4, 3)), np.array([0, 1, 2, 0])
    memory = RNG.normal(size=15)
    overlapping, onto = memory[:12].reshape(4, 3), memory[3:].reshape(4, 3)
    cases = [
        (
            z,
            {"out": np.empty((3, 4))},
            nl.ShapeError,
            "out has shape (3, 4); allowed: that of the input, (4, 3)",
        ),
        (z, {"out": np.empty((4, 3), np.float32)}, nl.InputKindError, "out has dtype float32; allowed"),
        (z, {"out": frozen(z)}, nl.InputKindError, "out is read-only"),
        (z, {"out": [[0.0] * 3] * 4}, nl.InputKindError, "out is a list; allowed: a numpy array"),
        (overlapping, {"out": onto}, nl.InputKindError, "out overlaps the input without being it"),
    ]
    for logits, options, error, message in cases:
        with pytest.raises(error) as caught:
            losses.cross_entropy_grad(logits, y, **options)
        assert str(caught.value).startswith("cross_entropy_grad: " + message)
    with pytest.raises(nl.InputKindError, match="out overlaps target"):
        losses.cross_entropy_grad(z, z2 := np.abs(z) / 100, out=z2)
    with pytest.raises(nl.InputKindError, match="nll_loss_grad: out overlaps log_probs"):
        losses.nll_loss_grad(z, y, out=z)


def test_bfloat16():
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
    z = RNG.normal(size=(20, 6)).astype(bfloat16)
    y, q = RNG.integers(0, 6, 20), RNG.dirichlet(np.ones(6), 20)
    wide = z.astype(np.float32)
    for target in (y, q.astype(np.float32)):
        loss, gradient = losses.cross_entropy_grad(z, target)
        want, slopes = losses.cross_entropy_grad(wide, target)
        assert loss == pytest.approx(want, rel=1e-6)
        assert loss.dtype == np.float32
        assert gradient.dtype == bfloat16
        np.testing.assert_array_equal(gradient, slopes.astype(bfloat16))
    soft = q.astype(bfloat16)
    want = losses.cross_entropy(wide, soft.astype(np.float32))
    assert losses.cross_entropy(z, soft) == pytest.approx(want, rel=1e-6)
    assert losses.cross_entropy(z.astype(np.float16), soft) == pytest.approx(want, rel=1e-2)
    assert losses.log_softmax(z).dtype == bfloat16
    assert losses.binary_cross_entropy_with_logits_grad(z, soft)[1].dtype == bfloat16
    assert losses.cross_entropy_grad(np.asfortranarray(z), y)[1].dtype == bfloat16


PROGRAM = """
import hashlib, sys
import numpy as np
import neglog as nl
from neglog import losses

rng = np.random.default_rng(0)
digest = hashlib.sha256()
values = []
def add(*arrays):
    for a in arrays:
        a = np.asarray(a)
        digest.update(a.tobytes())
        values.append(float(np.nansum(np.where(np.isinf(a), 0, a).astype(np.float64))))
for shape, axis in [((40000, 10), 1), ((3000, 2), 1), ((70, 1000), 1), ((20, 30, 500), 1), ((5, 5000), 1)]:
    for dtype in (np.float16, np.float32, np.float64):
        z = rng.normal(0, 3, shape).astype(dtype)
        classes = shape[axis]
        batch = tuple(n for i, n in enumerate(shape) if i != axis)
        y = rng.integers(0, classes, batch)
        s, w = rng.random(batch), rng.random(classes)
        add(*losses.cross_entropy_grad(z, y, axis=axis, sample_weight=s, weight=w, ignore_index=1))
        add(*losses.cross_entropy_grad(z, y, axis=axis, label_smoothing=0.1))
        lp, g = losses.log_softmax_grad(z, z, axis=axis)
        add(lp, g, losses.logsumexp(z, axis=axis), *losses.nll_loss_grad(lp, y, axis=axis, weight=w))
        q = rng.random(shape)
        add(*losses.binary_cross_entropy_with_logits_grad(z, q, sample_weight=rng.random(shape)))
        add(*losses.kl_div_grad(-abs(z), q))
        add(*losses.binary_cross_entropy_grad(q.astype(dtype), q > 0.5))
print(nl._native.isa(), digest.hexdigest(), *values)
"""


def run(**environment):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    isa, digest, *values = done.stdout.split()
    return isa, digest, np.array(values, float)


def test_instruction_sets_agree():
    first = None
    for isa in _native.available_isas():
        name, _, values = run(NEGLOG_ISA=isa)
        assert name == isa
        first = values if first is None else first
        scale = np.abs(first).max()
        np.testing.assert_allclose(values, first, rtol=2e-5, atol=1e-7 * scale)


def test_threads_change_no_bit():
    digests = {run(OMP_NUM_THREADS=str(n))[1] for n in (1, 2, 5)}
    assert len(digests) == 1


def test_thread_limit_at_run_time():
    z, y = RNG.normal(size=(100_000, 7)).astype(np.float32), RNG.integers(0, 7, 100_000)
    limit = nl.get_num_threads()
    results = set()
    try:
        for n in (1, 2, 3, 8):
            nl.set_num_threads(n)
            loss, gradient = losses.cross_entropy_grad(z, y, weight=np.arange(1.0, 8.0))
            results.add((float(loss), hashlib.sha256(gradient.tobytes()).hexdigest()))
    finally:
        nl.set_num_threads(limit)
    assert len(results) == 1


def test_logsumexp_over_several_axes():
    special = pytest.importorskip("scipy.special")
    z = RNG.normal(size=(3, 4, 5))
    for x in (z, z.transpose(2, 0, 1), np.asfortranarray(z)):
        for axis in (None, 1, (1,), (0, 2), (2, 0), (-1, 0, 1)):
            for keepdims in (False, True):
                want = special.logsumexp(x, axis=axis, keepdims=keepdims)
                got = losses.logsumexp(x, axis=axis, keepdims=keepdims)
                assert np.shape(got) == np.shape(want)
                np.testing.assert_allclose(got, want, rtol=1e-14)
    assert np.array_equal(losses.logsumexp(z, axis=()), z)
    assert losses.logsumexp(2.0, axis=None) == 2.0
    assert losses.logsumexp(np.empty((2, 0, 3)), axis=(0, 1)).tolist() == [-np.inf] * 3
