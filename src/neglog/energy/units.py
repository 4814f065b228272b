"""Layers of units: probabilities and draws from what flows into them, by the native kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

from neglog import _native
from neglog.core.arrays import Array

Rng = np.random.Generator | int | None


class Draws:
    """Random numbers by counting (Philox4x32-10): a key, and how many layers have been drawn with it.

    What a layer gets depends on the key, its number and the place of each unit alone, not on the number of threads or
    the dtype.
    """

    def __init__(self, rng: Rng = None) -> None:
        self.key = int(np.random.default_rng(rng).integers(2**64, dtype=np.uint64))
        self.stream = 0
        self._normals = np.random.Generator(np.random.Philox(key=self.key))

    def binary(
        self,
        inflow: Array,  # (n, units) float32 or float64, contiguous
        bias: Array,  # (units,) of the same dtype
        *,
        scale: float = 1.0,
        sample: Array,
        softplus: Array | None = None,
    ) -> Array:
        """States 0 and 1 into ``sample``: 1 with probability ``sigmoid(scale * inflow + bias)``."""
        self.stream += 1
        _native.units(inflow, None, scale, bias, None, sample, softplus, self.key, self.stream)
        return sample

    def layer(
        self,
        states: Array,  # (n, units of the other layer)
        weights: Array,  # (units of the other layer, units), or such a view of the transposed matrix
        bias: Array,
        *,
        scale: float = 1.0,
        sample: Array | None = None,
        probability: Array | None = None,
    ) -> None:
        """The same where ``states @ weights`` flow in, with the probabilities; ``sample`` may be of the last rows."""
        self.stream += sample is not None
        rest = scale, bias, probability, sample, None, self.key, self.stream
        if not _native.units(states, weights, *rest):
            inflow: Any = sample if probability is None else probability
            _native.units(product(states, weights, inflow), None, *rest)

    def add_normal(self, mean: Array) -> Array:
        """Standard normal noise added in place."""
        mean += self._normals.standard_normal(mean.shape, mean.dtype.type)
        return mean

    def uniform(self, count: int) -> Array:
        """Numbers in [0, 1)."""
        return self._normals.random(count)


def sigmoid(inflow: Array, bias: Array, *, scale: float = 1.0, out: Array | None = None) -> Array:
    """``1 / (1 + exp(-(scale * inflow + bias)))``; ``out`` may be ``inflow``."""
    result: Any = np.empty_like(inflow) if out is None else out
    _native.units(inflow, None, scale, bias, result, None, None, 0, 0)
    return result


def softplus_sum(inflow: Array, bias: Array, *, scale: float = 1.0) -> Array:
    """``sum_j log(1 + exp(scale * inflow + bias))`` of each row of float64."""
    result = np.empty(len(inflow))
    _native.units(inflow, None, scale, bias, None, None, result, 0, 0)
    return result


def aligned(rows: int, width: int, dtype: np.dtype[Any]) -> Array:
    """Memory for a matrix that begins a cache line: vectors across two of them, or two threads in one, take longer."""
    size = rows * width * dtype.itemsize
    bytes_ = np.empty(size + 64, np.uint8)
    first = -bytes_.ctypes.data % 64
    return bytes_[first : first + size].view(dtype).reshape(rows, width)


_TERMS = 256  # BLAS cuts longer sums, on several threads elsewhere than on one


def product(a: Array, b: Array, out: Array | None = None) -> Array:
    """``a @ b`` of matrices, with the same rounding for any number of threads; faster where ``a`` is all 0 and 1."""
    result = np.empty((len(a), b.shape[1]), b.dtype) if out is None else out
    if _native.binary_product(a, b, result):
        return result
    terms = len(b)
    parts = -(-terms // _TERMS)
    step = -(-terms // parts)
    np.matmul(a[:, :step], b[:step], out=result)
    for at in range(step, terms, step):
        result += np.matmul(a[:, at : at + step], b[at : at + step])
    return result
