"""From NumPy arrays to the native loops and back: dtypes, broadcasting, fresh outputs. No mathematics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neglog import _native
from neglog.errors import InputKindError, ShapeError

Array = NDArray[Any]

# What the rows of a call mean; native/family_job.hpp has the same list.
EXACT = 0  # -log f(y)
OBSERVED = 1  # -log f(y) where y == upper, otherwise -log P(y < Y <= upper)
WINDOW = 2  # +log P(y < Y <= upper)


def as_real(function: str, name: str, value: ArrayLike) -> Array:
    """``value`` as native float32 or float64; other reals are widened exactly (integers: to 2**53)."""
    array = np.asarray(value)
    if array.dtype.char in "fd" and array.dtype.isnative:
        return array
    if array.dtype.kind not in "fiub":
        raise InputKindError(f"{function}: {name} has dtype {array.dtype}; allowed: real numbers")
    return array.astype(np.float32 if array.dtype.char == "f" else np.float64)


def widest(values: Sequence[Any]) -> np.dtype[Any]:
    """The widest of float16, float32, float64 given. Integers and Python's own floats do not decide."""
    dtypes = [
        np.asarray(value).dtype for value in values if type(value) not in (float, int, bool) and value is not None
    ]
    size = max((dtype.itemsize for dtype in dtypes if dtype.kind == "f"), default=8)
    return np.dtype({2: np.float16, 4: np.float32}.get(size, np.float64))


def result_dtype(values: Sequence[Any]) -> np.dtype[Any]:
    """The dtype of a result: half precision is for input and gradients only."""
    return np.promote_types(widest(values), np.float32)


def broadcast_shape(function: str, shapes: dict[str, tuple[int, ...]]) -> tuple[int, ...]:
    """The common shape, or an error that lists what was given."""
    try:
        return np.broadcast_shapes(*shapes.values())
    except ValueError:
        given = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise ShapeError(f"{function}: shapes do not broadcast together: {given}") from None


def draw_shape(function: str, size: int | tuple[int, ...] | None, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of a sample: ``size``, which must hold parameters of ``shape``, or ``shape`` itself."""
    if size is None:
        return shape
    wanted = tuple(size) if isinstance(size, Iterable) else (int(size),)
    if broadcast_shape(function, {"size": wanted, "parameters": shape}) != wanted:
        raise ShapeError(f"{function}: size {wanted} does not hold parameters of shape {shape}")
    return wanted


def evaluate(
    family: str,
    rows: int,  # EXACT, OBSERVED or WINDOW
    order: int,  # 0 value, 1 and gradient, 2 and Hessian
    data: Sequence[Array],  # y, or lower and upper
    parameters: Sequence[Array],
    shape: tuple[int, ...],
    dtype: np.dtype[Any],  # of the gradient; value and Hessian are at least float32
) -> tuple[Any, ...]:
    """Value ``shape``, gradient ``(P, *shape)``, Hessian ``(P, P, *shape)``, as far as ``order`` says."""
    count = len(parameters)
    half = dtype == np.float16
    # on Linux np.empty asks by itself for huge pages from 4 MiB on
    outputs = [np.empty((count,) * i + shape, np.float64 if half else dtype) for i in range(order + 1)]
    inputs = [_rows(array, shape) for array in data]
    _native.family_rows(
        family,
        rows,
        inputs[0],
        inputs[1] if len(inputs) > 1 else None,
        [_rows(array, shape) for array in parameters],
        [out.reshape(-1) for out in outputs],
    )
    if half:  # each result is rounded once
        with np.errstate(over="ignore"):
            outputs = [out.astype(np.float16 if i == 1 else np.float32) for i, out in enumerate(outputs)]
    return tuple(out[()] for out in outputs)


def _rows(array: Array, shape: tuple[int, ...]) -> Array:
    """One element that stands for every row, or one per row without gaps."""
    if array.size == 1:
        return array.reshape(1)
    return np.ascontiguousarray(np.broadcast_to(array, shape)).reshape(-1)
