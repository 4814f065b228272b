"""nll_loss by address: strides, weights, divisors, edges, on every instruction set."""

import numpy as np
import pytest
from tests.native.strided import FLOATS, TARGETS, address, exact, layouts, stored, strides

from neglog import _native


def call(x, y, dtype="float64", weight=None, sample_weight=None, mask=None, ignore=None, loss=None, grad=None, kind=0,
         scale=1.0, threads=2):  # fmt: skip
    outer, classes, inner = x.shape
    return _native.gather_nll_strided(
        FLOATS[dtype], outer, classes, inner, address(x), strides(x), address(y), TARGETS[y.dtype.name],
        address(weight), address(sample_weight), address(mask), ignore is not None, ignore or 0, address(loss),
        address(grad), (0, 0, 0) if grad is None else strides(grad), kind, scale, threads,
    )  # fmt: skip


SHAPES = [(1, 1, 1), (40, 7, 1), (3, 5, 17), (70, 1000, 1), (5, 3, 600)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("target", ["uint8", "int32", "int64"])
def test_every_layout(shape, dtype, target):
    rng = np.random.default_rng(shape)
    outer, classes, inner = shape
    values = stored(-rng.exponential(size=shape), dtype)
    y = rng.integers(0, min(classes, 256), (outer, inner)).astype(target)
    w, entry = rng.uniform(0.5, 2, classes), rng.uniform(0.5, 2, (outer, inner))
    picked = np.take_along_axis(exact(values, dtype), y[:, None].astype(int), 1)[:, 0]
    weight = w[y] * entry
    for x in layouts(shape, dtype):
        x[...] = values
        for grad in layouts(shape, dtype):
            grad[...] = stored(np.full(shape, 3.0), dtype)
            losses = np.empty((outer, inner), "float64" if dtype == "float64" else "float32")
            value, divisor, *bad = call(x, y, dtype, w, entry, loss=losses, grad=grad, kind=3, scale=2.0)
            assert bad == [-1, -1]
            assert divisor == pytest.approx(weight.sum(), rel=1e-14)
            assert value == pytest.approx(-(weight * picked).sum() / weight.sum(), rel=1e-14)
            np.testing.assert_allclose(losses, -weight * picked, rtol=1e-6)
            slope = np.zeros(shape)
            np.put_along_axis(slope, y[:, None].astype(int), (-2 * weight / weight.sum())[:, None], 1)
            ulp = {"float64": 1e-15, "float32": 1e-7, "float16": 1e-3, "bfloat16": 8e-3}[dtype]
            np.testing.assert_allclose(exact(grad, dtype), slope, rtol=ulp)


def test_divisors_and_who_takes_part():
    x = np.log(np.full((6, 3, 1), 0.25))
    y = np.array([0, 1, 2, -100, 1, 0])[:, None]
    w, entry = np.array([2.0, 3.0, 0.0]), np.array([1.0, 0.5, 1.0, 1.0, 7.0, 0.0])
    mask = np.array([1, 1, 1, 1, 0, 1], np.uint8)
    x[3:] = np.nan
    grad = np.empty_like(x)
    options = {"weight": w, "sample_weight": entry, "mask": mask, "ignore": -100, "grad": grad}
    divisors = [call(x, y, kind=kind, **options)[1] for kind in range(4)]
    assert divisors == [1.0, 3.0, 2.5, 3.5]
    assert call(x, y, kind=3, **options)[0] == pytest.approx(np.log(4), rel=1e-15)
    np.testing.assert_allclose(grad[:, :, 0], [[-2 / 3.5, 0, 0], [0, -1.5 / 3.5, 0], *[[0, 0, 0]] * 4])
    assert call(x, y, kind=1, mask=np.zeros(6, np.uint8), grad=grad) == (0.0, 0.0, -1, -1)
    assert (grad == 0).all()


def test_first_bad_target_and_value():
    x, y = np.full((40_000, 2, 1), -0.5), np.zeros((40_000, 1), np.int64)
    x[39_000] = 0.5
    assert call(x, y)[2:] == (-1, 39_000)
    y[30_000], y[25_000] = 2, -1
    assert call(x, y)[2:] == (25_000, 39_000)
    assert call(x, y, ignore=-1)[2] == 30_000


@pytest.mark.parametrize("isa", _native.available_isas())
def test_on_every_instruction_set(isa, on_isa):
    on_isa(isa, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__, "-k", "not every_instruction_set")
