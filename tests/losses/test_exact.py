"""Against mpmath: 1e-14 in float64 and 8 ulp in float32, times the condition of the loss."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from neglog import _native, losses

_spec = importlib.util.spec_from_file_location("oracle", Path(__file__).parent / "oracle.py")
oracle = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(oracle)

UNIT = {np.float64: 1e-14, np.float32: 8 * 2.0**-23}
SMALLEST = {np.float64: 1e-307, np.float32: 1e-37}  # below: subnormal, whose digits the format does not have


def logits_of(rng, dtype, rows, classes, spread):
    return rng.normal(0, spread, (rows, classes)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("classes", [1, 2, 3, 10, 37, 65, 1000])
@pytest.mark.parametrize("spread", [1.0, 30.0])
def test_index_targets(dtype, classes, spread):
    rng = np.random.default_rng(classes)
    z = logits_of(rng, dtype, 6, classes, spread)
    y = rng.integers(0, classes, 6)
    y[:3] = z[:3].argmax(axis=1)  # confident and correct: the loss is tiny and must keep its digits
    loss, gradient = losses.cross_entropy_grad(z, y, reduction="none")
    for row in range(6):
        want, want_gradient, condition = oracle.cross_entropy_row(z[row], np.eye(classes)[y[row]])
        if want > SMALLEST[dtype] or want == 0:
            assert oracle.relative_errors([loss[row]], [want])[0] <= UNIT[dtype] * max(1, condition)
        wide = [g if abs(g) > SMALLEST[dtype] else 0 for g in want_gradient]
        got = np.where([g == 0 for g in wide], 0, gradient[row])
        bound = UNIT[dtype] * (1 + 2 * np.abs(z[row]).max())
        assert oracle.relative_errors(got, wide).max() <= bound


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("kind", ["index", "probabilities"])
def test_soft_targets(dtype, weighted, smoothing, kind):
    rng = np.random.default_rng(5)
    classes = 21
    z = logits_of(rng, dtype, 8, classes, 4.0)
    z[0, 3] = z[1, :7] = -np.inf  # masked classes
    weight = rng.uniform(0, 2, classes).astype(np.float32).astype(np.float64) if weighted else None
    q = rng.dirichlet(np.ones(classes), 8).astype(dtype)
    q[0, 3] = q[1, :7] = 0
    y = rng.integers(8, classes, 8)
    target = y if kind == "index" else q
    options = {"weight": weight, "label_smoothing": smoothing, "reduction": "none"}
    loss, gradient = losses.cross_entropy_grad(z, target, **options)
    for row in range(8):
        distribution = np.eye(classes)[y[row]] if kind == "index" else q[row]
        want, want_gradient, condition = oracle.cross_entropy_row(z[row], distribution, weight, smoothing)
        assert oracle.relative_errors([loss[row]], [want])[0] <= UNIT[dtype] * max(1, condition)
        scale = float(max(map(abs, want_gradient)))  # single entries pass through zero: absolute
        errors = np.abs(gradient[row] - np.array([float(g) for g in want_gradient]))
        assert errors.max() <= 2 * UNIT[dtype] * scale
        assert (gradient[row][np.isneginf(z[row])] == 0).all()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("classes", [2, 3, 100])
@pytest.mark.parametrize("margin", [40.0, 80.0, 100.0, 700.0, 1e3, 1e30])
def test_margins(dtype, classes, margin):
    z = np.zeros((2, classes), dtype)
    z[:, 1] = margin
    loss, gradient = losses.cross_entropy_grad(z, [1, 0], reduction="none")
    with oracle.mpmath.workdps(330):  # log(1 + e^-700) must not round to log(1)
        confident, its_gradient, condition = oracle.cross_entropy_row(z[0], np.eye(classes)[1])
    if confident > SMALLEST[dtype]:
        assert oracle.relative_errors([loss[0]], [confident])[0] <= UNIT[dtype] * condition
        assert gradient[0, 1] < 0
        assert oracle.relative_errors(gradient[0], its_gradient).max() <= UNIT[dtype] * 2 * margin
    else:
        assert 0 <= loss[0] <= 2 * SMALLEST[dtype]
    wrong, its_gradient, _ = oracle.cross_entropy_row(z[1], np.eye(classes)[0])
    assert oracle.relative_errors([loss[1]], [wrong])[0] <= UNIT[dtype]
    np.testing.assert_allclose(gradient[1], [float(g) for g in its_gradient], rtol=1e-6, atol=SMALLEST[dtype])


def test_a_margin_of_40_is_not_zero():
    loss, gradient = losses.cross_entropy_grad([40.0, 0.0], 0)
    assert loss == 4.248354255291589e-18
    assert gradient[0] == -gradient[1] == -4.248354255291589e-18


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shift", [0.0, 1e2, -1e3])
def test_shift_invariance(dtype, shift):
    rng = np.random.default_rng(0)
    z = rng.integers(-20, 20, (5, 7)).astype(dtype)  # integers: adding the shift is exact
    y = rng.integers(0, 7, 5)
    loss, gradient = losses.cross_entropy_grad(z, y)
    moved, moved_gradient = losses.cross_entropy_grad(z + dtype(shift), y)
    assert loss == moved
    np.testing.assert_array_equal(gradient, moved_gradient)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_binary_with_logits(dtype):
    x = np.array([-1e3, -700, -100, -40, -5, -1e-3, 0, 1e-20, 0.7, 5, 40, 100, 700, 1e3]).astype(dtype)
    for t in (0.0, 1.0, 0.25):
        for pos_weight in (1.0, 3.0):
            loss, gradient = losses.binary_cross_entropy_with_logits_grad(
                x, np.full(x.shape, t), pos_weight=pos_weight, reduction="none"
            )
            want = [oracle.bce_with_logits(v, t, pos_weight) for v in x]
            slope = [oracle.bce_with_logits_gradient(v, t, pos_weight) for v in x]
            in_range = np.array([abs(w) > SMALLEST[dtype] for w in want])
            condition = np.array([max(1, abs(float(v * s / w))) for v, s, w in zip(x, slope, want, strict=True)])
            errors = oracle.relative_errors(loss, want)
            assert (errors[in_range] <= UNIT[dtype] * condition[in_range]).all()
            assert (loss[~in_range] <= SMALLEST[dtype]).all()
            if t in (0.0, 1.0):
                in_range = np.array([abs(s) > SMALLEST[dtype] for s in slope])
                errors = oracle.relative_errors(gradient, slope)
                assert (errors[in_range] <= UNIT[dtype] * np.maximum(1, np.abs(x[in_range]))).all()
            else:
                np.testing.assert_allclose(gradient, [float(s) for s in slope], atol=UNIT[dtype])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_binary_of_probabilities(dtype):
    tiny = np.finfo(dtype).tiny
    p = np.array([tiny, 1e-30, 1e-10, 1e-3, 0.3, 0.5, 0.9, 1 - np.finfo(dtype).epsneg]).astype(dtype)
    for t in (0.0, 1.0, 0.25):
        loss, gradient = losses.binary_cross_entropy_grad(p, np.full(p.shape, t), reduction="none")
        want = [oracle.bce(v, t) for v in p]
        slope = [oracle.bce_gradient(v, t) for v in p]
        assert oracle.relative_errors(loss, want).max() <= UNIT[dtype]
        assert oracle.relative_errors(gradient, slope).max() <= UNIT[dtype]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_divergence(dtype):
    rng = np.random.default_rng(3)
    x = np.log(rng.dirichlet(np.ones(9), 5)).astype(dtype)
    q = rng.dirichlet(np.ones(9), 5).astype(dtype)
    loss = losses.kl_div(x, q, reduction="none")
    want = [
        oracle.exact(b) * (oracle.mpmath.log(oracle.exact(b)) - oracle.exact(a))
        for a, b in zip(x.flat, q.flat, strict=True)
    ]
    scale = np.array([abs(float(b * a)) for a, b in zip(x.flat, q.flat, strict=True)])  # log q - x passes through zero
    errors = np.abs(loss.ravel() - np.array([float(w) for w in want]))
    assert (errors <= UNIT[dtype] * scale + 1e-300).all()


def test_sums_keep_float64_digits():
    # a million float32 losses: a float32 accumulator would be off in the fourth digit
    rng = np.random.default_rng(1)
    z = rng.normal(size=(1_000_000, 2)).astype(np.float32)
    y = rng.integers(0, 2, len(z))
    exact_mean = losses.cross_entropy(z.astype(np.float64), y)
    assert abs(losses.cross_entropy(z, y) - exact_mean) <= 1e-7 * exact_mean


@pytest.mark.parametrize("dtype", [np.float16, "bfloat16"])
def test_half_precision_is_widened_and_rounded_once(dtype):
    dtype = pytest.importorskip("ml_dtypes").bfloat16 if dtype == "bfloat16" else dtype
    rng = np.random.default_rng(2)
    z = rng.normal(0, 3, (70_000, 5)).astype(dtype)  # as a count, 70000 is infinite in float16
    y = rng.integers(0, 5, len(z))
    loss, gradient = losses.cross_entropy_grad(z, y, reduction="sum")
    wide_loss, wide_gradient = losses.cross_entropy_grad(z.astype(np.float64), y, reduction="sum")
    assert loss.dtype == np.float32
    assert abs(loss - wide_loss) <= 1e-6 * wide_loss
    assert gradient.dtype == z.dtype
    once = wide_gradient.astype(dtype).astype(np.float64)
    steps = np.abs(gradient.astype(np.float64) - once) / np.maximum(np.abs(once), 6e-5)
    unit = 2.0**-10 if dtype is np.float16 else 2.0**-7
    assert steps.max() <= unit  # never off by more than the neighbour,
    assert (steps > 0).mean() < 1e-3  # and that only where float32 arithmetic meets a tie


def test_elementwise_half_precision_is_rounded_once():
    rng = np.random.default_rng(4)
    x = rng.normal(0, 3, 50_000).astype(np.float16)
    t = rng.integers(0, 2, x.shape)
    _, gradient = losses.binary_cross_entropy_with_logits_grad(x, t, reduction="sum")
    _, wide = losses.binary_cross_entropy_with_logits_grad(x.astype(np.float64), t, reduction="sum")
    np.testing.assert_array_equal(gradient, wide.astype(np.float16))


OTHERS = [isa for isa in _native.available_isas() if isa != _native.isa()]


@pytest.mark.skipif("NEGLOG_ISA" in os.environ, reason="this is such a run")
@pytest.mark.parametrize("isa", OTHERS)
def test_as_exact_on_every_other_instruction_set(isa):
    here = Path(__file__).parent
    command = [sys.executable, "-m", "pytest", str(here / "test_exact.py"), str(here / "test_edges.py")]
    environment = os.environ | {"NEGLOG_ISA": isa}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
