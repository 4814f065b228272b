"""What array was given: its float kind, its order in memory, and whose memory it shares.

Kernels read C-contiguous memory as ``(outer, C, inner)`` (row losses) or ``(n,)`` (elementwise losses). A
transposed array is such memory with its axes renamed, so it is renamed back instead of copied; only an array
with gaps is copied.
"""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neglog.errors import InputKindError, ParameterError, ShapeError

Array = NDArray[Any]


class Layout(NamedTuple):
    """An array as the kernels read it, and the way back to the caller's axes."""

    memory: Array  # (outer, C, inner) or (n,), C-contiguous, bfloat16 as uint16
    entry_shape: tuple[int, ...]  # (outer, inner) or (n,): what stands for one target each
    batch: tuple[int, ...]  # shape of the target as the caller sees it
    order: tuple[int, ...] | None  # batch axes in memory order; None: as the caller has them
    axes: tuple[int, ...] | None  # all axes in memory order; None: as the caller has them

    def entries(self, array: Array) -> Array:
        """One value per target, in memory order."""
        if self.order is not None:
            array = array.transpose(self.order)
        return np.ascontiguousarray(array).reshape(self.entry_shape)

    def full(self, array: Array) -> Array:
        """An array of the shape of ``memory``'s origin, in its memory order (bfloat16 as uint16)."""
        if self.axes is not None:
            array = array.transpose(self.axes)
        return bits(np.ascontiguousarray(array)).reshape(self.memory.shape)

    def restore_entries(self, array: Array) -> Array:
        """The inverse of :meth:`entries`, without a copy."""
        if self.order is None:
            return array.reshape(self.batch)
        return array.reshape([self.batch[i] for i in self.order]).transpose(np.argsort(self.order))

    def position(self, flat: int) -> tuple[int, ...]:
        """The caller's index of the entry that is the ``flat``-th in memory."""
        if not self.batch:
            return ()
        if self.order is None:
            return tuple(map(int, np.unravel_index(flat, self.batch)))
        inside = np.unravel_index(flat, [self.batch[i] for i in self.order])
        return tuple(int(inside[i]) for i in np.argsort(self.order))


def floating(function: str, name: str, value: Any) -> Array:
    """``value`` as a float16, bfloat16, float32 or float64 array; integers become float64."""
    array = value if type(value) is np.ndarray else np.asarray(value)
    dtype = array.dtype
    if dtype.char in "efd" and dtype.isnative:
        return array
    if dtype.name == "bfloat16":
        return array
    if dtype.kind in "iub":
        return array.astype(np.float64)
    if dtype.char in "efd":
        return array.astype(dtype.newbyteorder("="))
    raise InputKindError(
        f"{function}: {name} has dtype {dtype}; allowed: float16, bfloat16, float32, float64 (integers become float64)"
    )


def numbers(function: str, name: str, value: Any) -> Array:
    """``value`` in a dtype whose elements the kernels widen to double themselves; others become float64."""
    array = np.asarray(value)
    if array.dtype.char in "?Bilqefd" and array.dtype.isnative:
        return array
    return floating(function, name, array)


def result_dtype(array: Array) -> np.dtype[Any]:
    """The dtype of a loss: float64 for float64 input, float32 for everything narrower."""
    return _FLOAT64 if array.dtype.char == "d" else _FLOAT32


def finest(a: np.dtype[Any], b: np.dtype[Any]) -> np.dtype[Any]:
    """The narrowest float dtype that holds both: float32 for float16 beside bfloat16."""
    if a == b:
        return a
    return _FLOAT32 if a.itemsize == b.itemsize else max(a, b, key=lambda dtype: dtype.itemsize)


def bits(array: Array) -> Array:
    """bfloat16 as the uint16 that kernels widen in registers; anything else as it is."""
    return array.view(np.uint16) if array.dtype.name == "bfloat16" else array


def rows(function: str, name: str, array: Array, axis: int) -> Layout:
    """Logits with the class axis at ``axis``, as ``(outer, C, inner)``."""
    axis = axis_index(function, name, array, axis)
    shape = array.shape
    batch = shape[:axis] + shape[axis + 1 :]
    axes = _memory_axes(array)
    if axes is None:
        outer, inner = prod(shape[:axis]), prod(shape[axis + 1 :])
        memory = bits(np.ascontiguousarray(array)).reshape(outer, shape[axis], inner)
        return Layout(memory, (outer, inner), batch, None, None)
    at = axes.index(axis)
    outer, inner = prod(shape[i] for i in axes[:at]), prod(shape[i] for i in axes[at + 1 :])
    order = tuple(i - (i > axis) for i in axes if i != axis)
    memory = bits(array.transpose(axes)).reshape(outer, shape[axis], inner)
    return Layout(memory, (outer, inner), batch, order, axes)


def axis_index(function: str, name: str, array: Array, axis: Any) -> int:
    """``axis`` as an index from the left."""
    ndim = array.ndim
    if not isinstance(axis, int | np.integer) or isinstance(axis, bool):
        raise ParameterError(f"{function}: axis={axis!r}; allowed: an integer")
    if not -ndim <= axis < ndim:
        raise ShapeError(
            f"{function}: axis={axis} for {name} of shape {array.shape}; allowed: -{ndim} <= axis < {ndim}"
            if ndim
            else f"{function}: {name} is a scalar; it needs a class axis"
        )
    return int(axis) % ndim


def flat(array: Array) -> Layout:
    """An array of independent elements as ``(n,)``."""
    axes = _memory_axes(array)
    if axes is None:
        memory = bits(np.ascontiguousarray(array)).reshape(-1)
        return Layout(memory, memory.shape, array.shape, None, None)
    memory = bits(array.transpose(axes)).reshape(-1)
    return Layout(memory, memory.shape, array.shape, axes, axes)


def gradient_like(
    function: str, array: Array, layout: Layout, out: Array | None, reads: dict[str, Any]
) -> tuple[Array, Array]:
    """The gradient twice: as the caller sees it, and as the kernel writes it (bfloat16 as uint16).

    They share memory unless ``out`` has another memory order than ``array``; then :func:`deliver` copies.
    ``reads`` are the other inputs by name, which ``out`` must not overlap.
    """
    if out is None:
        if layout.axes is None:
            made = np.empty(array.shape, array.dtype)
            return made, bits(made).reshape(layout.memory.shape)
        made = np.empty([array.shape[i] for i in layout.axes], array.dtype)
        return made.transpose(np.argsort(layout.axes)), bits(made).reshape(layout.memory.shape)
    _check_out(function, array, out, reads)
    view = out if layout.axes is None else out.transpose(layout.axes)
    if view.flags.c_contiguous:
        return out, bits(view).reshape(layout.memory.shape)
    return out, np.empty(layout.memory.shape, layout.memory.dtype)


def deliver(gradient: Array, written: Array, layout: Layout) -> Array:
    """Copies what the kernel wrote to where the caller wants it, if that is another memory."""
    target = gradient if layout.axes is None else gradient.transpose(layout.axes)
    if not target.flags.c_contiguous:
        bits(target)[...] = written.reshape(target.shape)
    return gradient


def _check_out(function: str, array: Array, out: Any, reads: dict[str, Any]) -> None:
    if not isinstance(out, np.ndarray):
        raise InputKindError(f"{function}: out is a {type(out).__name__}; allowed: a numpy array")
    if out.shape != array.shape:
        raise ShapeError(f"{function}: out has shape {out.shape}; allowed: that of the input, {array.shape}")
    if out.dtype != array.dtype:
        raise InputKindError(f"{function}: out has dtype {out.dtype}; allowed: that of the input, {array.dtype}")
    if not out.flags.writeable:
        raise InputKindError(f"{function}: out is read-only")
    same = out.ctypes.data == array.ctypes.data and out.strides == array.strides
    if not same and np.may_share_memory(out, array):
        raise InputKindError(
            f"{function}: out overlaps the input without being it; pass the input itself to work in place, "
            "or separate memory"
        )
    for name, other in reads.items():
        if isinstance(other, np.ndarray) and np.may_share_memory(out, other):
            raise InputKindError(f"{function}: out overlaps {name}; pass separate memory")


def _memory_axes(array: Array) -> tuple[int, ...] | None:
    """Axes from slowest to fastest if that order is gapless and not already the array's own, else None."""
    if array.flags.c_contiguous:
        return None
    strides = array.strides
    axes = tuple(sorted(range(array.ndim), key=lambda i: -strides[i]))
    return axes if array.transpose(axes).flags.c_contiguous else None


_FLOAT32 = np.dtype(np.float32)
_FLOAT64 = np.dtype(np.float64)
