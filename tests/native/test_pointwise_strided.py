"""Elementwise losses by address: dtypes, weights, runs, divisors, edges, on every instruction set."""

import mpmath
import numpy as np
import pytest
from scipy.special import expit, xlogy
from tests.native.strided import FLOATS, FORMULAS, TARGETS, address, exact, stored

from neglog import _native


def call(formula, x, t, dtype="float64", target="float64", weight=None, pos_weight=None, entry_weight=None, mask=None,
         run=1, loss=None, grad=None, kind=0, scale=1.0, threads=2):  # fmt: skip
    given = next((w.dtype.name for w in (weight, pos_weight, entry_weight) if w is not None), "float64")
    return _native.pointwise_strided(
        FORMULAS[formula], x.size, FLOATS[dtype], address(x), TARGETS[target], address(t), FLOATS[given],
        address(weight), 0 if weight is None else weight.size, address(pos_weight),
        0 if pos_weight is None else pos_weight.size, address(entry_weight), address(mask), run, address(loss),
        address(grad), kind, scale, threads,
    )  # fmt: skip


def reference(formula, x, t, pos_weight=1.0):
    """Loss and gradient in float64."""
    if formula == "bce":
        with np.errstate(divide="ignore", invalid="ignore"):
            return -(xlogy(t, x) + xlogy(1 - t, 1 - x)), (x - t) / (x * (1 - x))
    if formula == "bce_with_logits":
        up, down = np.logaddexp(0, x), np.logaddexp(0, -x)
        return (1 - t) * up + pos_weight * t * down, (1 - t) * expit(x) - pos_weight * t * expit(-x)
    if formula == "kl_div":
        return xlogy(t, t) - t * x, -t
    return np.exp(t) * (t - x), -np.exp(t)


def size(formula, x, t, loss):
    """What a relative error counts from: the terms before they cancel, and the digits that exp(t) takes from t."""
    if formula == "kl_div":
        return np.abs(xlogy(t, t)) + np.abs(t * x)
    if formula == "kl_div_log_target":
        return np.exp(t) * (np.abs(t) + np.abs(x)) * (1 + np.abs(t))
    return loss


def data(formula, rng, n):
    x = rng.normal(size=n) * 4 if formula == "bce_with_logits" else np.log(rng.uniform(0.01, 0.99, n))
    x = np.exp(x) if formula == "bce" else x
    t = np.log(rng.uniform(0.01, 1, n)) if formula == "kl_div_log_target" else rng.uniform(0, 1, n)
    return x, t


ROUNDING = {"float64": 1e-14, "float32": 5e-7, "float16": 1e-3, "bfloat16": 8e-3}


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("n", [1, 7, 513, 40_000])  # one lane, one vector and less, a block and one, several pieces
def test_value_and_gradient(formula, dtype, n):
    rng = np.random.default_rng(n)
    x, t = (stored(a, dtype) for a in data(formula, rng, n))
    losses, grad = np.empty(n, "float64" if dtype == "float64" else "float32"), np.empty_like(x)
    value, divisor, bad_input, bad_target = call(formula, x, t, dtype, dtype, loss=losses, grad=grad, kind=1, scale=3.0)
    loss, slope = reference(formula, exact(x, dtype), exact(t, dtype))
    assert (divisor, bad_input, bad_target) == (n, -1, -1)
    ulp = 2.0**-52 if dtype == "float64" else 2.0**-23
    within = 8 * ulp * size(formula, exact(x, dtype), exact(t, dtype), loss)
    assert abs(value - loss.mean()) <= within.mean()
    assert (np.abs(losses - loss) <= within).all()
    tiny = ROUNDING[dtype] / n + (2**-25 if dtype == "float16" else 0)  # half a unit of the subnormal numbers
    np.testing.assert_allclose(exact(grad, dtype), slope * 3.0 / n, rtol=ROUNDING[dtype], atol=tiny)


@pytest.mark.parametrize("target", ["uint8", "int32", "int64", "float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("dtype", FLOATS)
def test_targets_of_any_dtype(dtype, target):
    rng = np.random.default_rng(3)
    x, t = stored(rng.normal(size=700), dtype), rng.integers(0, 2, 700)
    loss = reference("bce_with_logits", exact(x, dtype), t)[0]
    grad = np.empty_like(x)
    value = call("bce_with_logits", x, stored(t, target), dtype, target, grad=grad)[0]
    assert value == pytest.approx(loss.sum(), rel=1e-6)
    assert value == call("bce_with_logits", x, stored(t, target), dtype, target)[0]


@pytest.mark.parametrize("weights", ["float32", "float64"])
@pytest.mark.parametrize("period", [1, 5, 40, 1400])
def test_weights_repeat(weights, period):
    rng = np.random.default_rng(period)
    n = 1400
    x, t = data("bce_with_logits", rng, n)
    w, p, entry = (rng.uniform(0, 2, size).astype(weights) for size in (period, period, n))
    w[0] = 0 if period > 1 else 0.75
    mask = (rng.uniform(size=n) < 0.7).astype(np.uint8)
    x[(mask == 0)] = np.nan  # never read
    grad = np.full(n, np.nan)
    value, divisor, *bad = call("bce_with_logits", x, t, weight=w, pos_weight=p, entry_weight=entry, mask=mask,
                                grad=grad, kind=3)  # fmt: skip
    product = np.tile(w, n // period).astype(float) * entry * mask
    loss, slope = reference("bce_with_logits", np.nan_to_num(x), t, np.tile(p, n // period).astype(float))
    assert divisor == pytest.approx(product.sum(), rel=1e-13)
    assert value == pytest.approx((product * loss).sum() / product.sum(), rel=1e-13)
    np.testing.assert_allclose(grad, product * slope / product.sum(), rtol=1e-12, atol=1e-18)
    assert (grad[product == 0] == 0).all()
    assert bad == [-1, -1]


@pytest.mark.parametrize("kind", [0, 1, 2, 3])
@pytest.mark.parametrize("run", [3, 50, 700])
def test_an_entry_may_be_a_row(kind, run):
    """multilabel_soft_margin_loss: the mean over the classes of a row, one weight and one mask value per row."""
    rng = np.random.default_rng(run)
    rows = 60
    x, t = data("bce_with_logits", rng, rows * run)
    by_class, entry = rng.uniform(0.5, 2, run), rng.uniform(0.5, 2, rows)
    mask = (rng.uniform(size=rows) < 0.7).astype(np.uint8)
    losses, grad = np.empty(rows), np.empty(rows * run)
    value, divisor, *_ = call("bce_with_logits", x, t, weight=by_class, entry_weight=entry, mask=mask, run=run,
                              loss=losses, grad=grad, kind=kind)  # fmt: skip
    loss, slope = (a.reshape(rows, run) * by_class for a in reference("bce_with_logits", x, t))
    taken = entry * mask
    expected = {0: 1.0, 1: mask.sum(), 2: taken.sum(), 3: taken.sum() * by_class.mean()}[kind]
    assert divisor == pytest.approx(expected, rel=1e-13)
    np.testing.assert_allclose(losses, loss.mean(1) * taken, rtol=1e-12)
    assert value == pytest.approx((loss.mean(1) * taken).sum() / expected, rel=1e-13)
    np.testing.assert_allclose(grad.reshape(rows, run), slope * taken[:, None] / run / expected, rtol=1e-11, atol=1e-17)


@pytest.mark.parametrize("formula", FORMULAS)
def test_first_bad_element(formula):
    x, t = data(formula, np.random.default_rng(0), 40_000)
    t[[30_001, 35_000]] = 1.5
    assert call(formula, x, t)[2:] == (-1, 30_001)
    if formula != "bce_with_logits":
        x[20_000] = 1.25
        assert call(formula, x, t)[2] == 20_000
    mask = np.ones(40_000, np.uint8)
    mask[[20_000, 30_001, 35_000]] = 0
    assert call(formula, x, t, mask=mask)[2:] == (-1, -1)


def test_nothing_takes_part():
    x, t, grad = np.full(9, np.nan), np.full(9, 7.0), np.full(9, np.nan)
    mask = np.zeros(9, np.uint8)
    assert call("bce", x, t, mask=mask, grad=grad, kind=1) == (0.0, 0.0, -1, -1)
    assert (grad == 0).all()
    assert call("bce", x[:0], t[:0], kind=1) == (0.0, 0.0, -1, -1)


INF, NAN = np.inf, np.nan
EDGES = {  # (input, target, loss, gradient)
    "bce": [(0, 0, 0, 1), (1, 1, 0, -1), (0, 1, INF, -INF), (1, 0, INF, INF), (0, 0.5, INF, -INF), (NAN, 1, NAN, NAN)],
    "bce_with_logits": [(INF, 1, 0, 0), (INF, 0, INF, 1), (-INF, 0, 0, 0), (-INF, 1, INF, -1), (INF, 0.5, INF, 0.5),
                        (800, 0, 800, 1), (0, 0.25, np.log(2), 0.25), (NAN, 0, NAN, NAN)],
    "kl_div": [(-INF, 0, 0, 0), (-INF, 0.5, INF, -0.5), (0, 1, 0, -1), (NAN, 0.5, NAN, -0.5), (NAN, 0, 0, 0)],
    "kl_div_log_target": [(-INF, -INF, 0, 0), (-INF, 0, INF, -1), (0, -INF, 0, 0), (0, 0, 0, -1)],
}  # fmt: skip


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("dtype", FLOATS)
def test_edges(formula, dtype):
    x, t, loss, slope = np.array(EDGES[formula], float).T
    x, t = stored(x, dtype), stored(t, dtype)
    losses, grad = np.empty(x.size, "float64" if dtype == "float64" else "float32"), np.empty_like(x)
    assert call(formula, x, t, dtype, dtype, loss=losses, grad=grad)[2:] == (-1, -1)
    np.testing.assert_allclose(losses, loss, rtol=1e-7)
    np.testing.assert_array_equal(exact(grad, dtype), slope)
    mask = np.zeros(x.size, np.uint8)
    assert call(formula, x, t, dtype, dtype, mask=mask, loss=losses, grad=grad) == (0.0, 1.0, -1, -1)
    assert (losses == 0).all()
    assert (exact(grad, dtype) == 0).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_tails_against_mpmath(dtype):
    """Relative to the loss itself, however small: a margin of 40 in float64 keeps 4.2e-18."""
    x, t = np.meshgrid([-80, -40, -16, -1e-3, -1e-30, 0, 1e-30, 1e-3, 0.7, 16, 40, 80], [0, 1e-20, 0.3, 1 - 2**-24, 1])
    x, t = x.ravel().astype(dtype), t.ravel().astype(dtype)
    losses, grad = np.empty_like(x), np.empty_like(x)
    call("bce_with_logits", x, t, dtype, dtype, loss=losses, grad=grad)
    with mpmath.workdps(60):
        for i, (a, b) in enumerate(zip(map(mpmath.mpf, x.tolist()), map(mpmath.mpf, t.tolist()), strict=True)):
            up, down = mpmath.log1p(mpmath.exp(a)), mpmath.log1p(mpmath.exp(-a))
            loss = (1 - b) * up + b * down
            slope = (1 - b) / (1 + mpmath.exp(-a)) - b / (1 + mpmath.exp(a))
            assert abs(losses[i].item() - loss) <= 8 * np.finfo(dtype).eps * loss
            assert abs(grad[i].item() - slope) <= 2 * np.finfo(dtype).eps


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_change_nothing(threads):
    x, t = data("bce_with_logits", np.random.default_rng(1), 100_003)
    grad = np.empty_like(x)
    one = np.empty_like(x)
    assert call("bce_with_logits", x, t, grad=grad, threads=threads) == call(
        "bce_with_logits", x, t, grad=one, threads=1
    )
    np.testing.assert_array_equal(grad, one)


def test_in_place():
    x, t = data("bce_with_logits", np.random.default_rng(2), 1000)
    grad = np.empty_like(x)
    call("bce_with_logits", x, t, grad=grad)
    call("bce_with_logits", x, t, grad=x)
    np.testing.assert_array_equal(grad, x)


@pytest.mark.parametrize("isa", _native.available_isas())
def test_on_every_instruction_set(isa, on_isa):
    on_isa(isa, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__, "-k", "not every_instruction_set")
