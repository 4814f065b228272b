"""Where a tensor's rows lie in memory, so that the kernels read it as it is.

A row is what runs along the class axis; there is one for each target. The kernels take rows as ``outer x inner``
with any strides, which covers batches, images, channels-last, transposed views and slices such as
``logits[:, :-1]``. Only memory that no two strides describe is copied first.
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

import torch
from torch import Tensor

from neglog import _native

_HUGE = 1 << 22  # bytes; below it, pages of 4 KiB cost less than asking for larger ones


class Rows(NamedTuple):
    """A tensor as ``(outer, classes, inner)``."""

    tensor: Tensor  # the input, or its contiguous copy
    outer: int
    classes: int
    inner: int
    strides: tuple[int, int, int]  # in elements
    batch: tuple[int, ...]  # the target's shape
    order: tuple[int, ...] | None  # the batch axes as rows are counted; None: as they stand
    dim: int

    def entries(self, values: Tensor, dtype: torch.dtype | None = None) -> Tensor:
        """One value per row, contiguous in the order of the rows."""
        if self.order is None and (dtype is None or values.dtype is dtype) and values.is_contiguous():
            return values
        if self.order is not None:
            values = values.permute(self.order)
        return values.to(dtype or values.dtype).contiguous()

    def restore(self, values: Tensor) -> Tensor:
        """The inverse of :meth:`entries`."""
        if self.order is None:
            return values.view(self.batch)
        values = values.view([self.batch[i] for i in self.order])
        return values.permute([self.order.index(i) for i in range(len(self.order))])

    def like(self) -> tuple[Tensor, tuple[int, int, int]]:
        """Fresh memory for a gradient and its strides."""
        fresh = gradient_like(self.tensor)
        strides = self.strides if self.tensor.is_contiguous() else self.strides_of(fresh)
        if strides is not None:
            return fresh, strides
        # overlapping or gappy axes out of order: one row after the other, seen through the caller's axes
        order = self.order or tuple(range(len(self.batch)))
        by_row = torch.empty([*(self.batch[i] for i in order), self.classes], dtype=fresh.dtype, device=fresh.device)
        places = [order.index(i) for i in range(len(order))]
        fresh = by_row.permute([*places[: self.dim], len(order), *places[self.dim :]])
        return fresh, (self.inner * self.classes, 1, self.classes)

    def strides_of(self, other: Tensor) -> tuple[int, int, int] | None:
        """Strides of a tensor of the same shape in the same order of rows, if there are such."""
        groups = _merge(_batch_axes(other, self.dim, self.order))
        step = other.stride(self.dim)
        if len(groups) < 2:
            stride = groups[0][1] if groups else 1
            return (stride * self.inner, step, stride)
        if len(groups) == 2 and groups[1][0] == self.inner:
            return (groups[0][1], step, groups[1][1])
        return None

    def position(self, row: int) -> tuple[int, ...]:
        """The caller's index of a row."""
        if not self.batch:
            return ()
        sizes = [self.batch[i] for i in self.order] if self.order else list(self.batch)
        inside: list[int] = []
        for size in reversed(sizes):
            row, at = divmod(row, size)
            inside.insert(0, at)
        return tuple(inside[self.order.index(i)] for i in range(len(inside))) if self.order else tuple(inside)


def rows_along(x: Tensor, dim: int) -> Rows:
    """The rows of ``x`` along ``dim >= 0``."""
    shape = (*x.shape,)  # slicing a tuple costs a tenth of slicing a torch.Size
    if x.is_contiguous():
        if dim == len(shape) - 1 == 1:
            return Rows(x, shape[0], shape[1], 1, (shape[1], 1, 1), shape[:1], None, 1)
        inner = prod(shape[dim + 1 :])
        classes = shape[dim]
        batch = (*shape[:dim], *shape[dim + 1 :])
        return Rows(x, prod(shape[:dim]), classes, inner, (classes * inner, inner, 1), batch, None, dim)
    batch = (*shape[:dim], *shape[dim + 1 :])
    groups = _merge(_batch_axes(x, dim, None))
    order = None
    if len(groups) > 2:
        by_stride = sorted(range(len(batch)), key=lambda i: -x.stride(i if i < dim else i + 1))
        order = tuple(by_stride)
        groups = _merge(_batch_axes(x, dim, order))
    if len(groups) > 2:
        return rows_along(x.contiguous(), dim)
    step = x.stride(dim)
    if not groups:
        return Rows(x, 1, shape[dim], 1, (1, step, 1), batch, order, dim)
    if len(groups) == 2:
        (outer, far), (inner, near) = groups
        return Rows(x, outer, shape[dim], inner, (far, step, near), batch, order, dim)
    ((count, stride),) = groups
    if stride < step:  # rows lie side by side
        return Rows(x, 1, shape[dim], count, (count * stride, step, stride), batch, order, dim)
    return Rows(x, count, shape[dim], 1, (stride, step, 1), batch, order, dim)


def gradient_like(x: Tensor) -> Tensor:
    """Fresh memory for a gradient, in large pages where it is large: writing it then costs a third."""
    fresh = torch.empty_like(x)
    size = fresh.numel() * fresh.element_size()
    if size >= _HUGE:
        _native.advise_huge(fresh.data_ptr(), size)
    return fresh


def _batch_axes(x: Tensor, dim: int, order: tuple[int, ...] | None) -> list[tuple[int, int]]:
    """(size, stride) of all axes but ``dim``, as rows are counted."""
    axes = [(x.shape[i], x.stride(i)) for i in range(x.dim()) if i != dim]
    return axes if order is None else [axes[i] for i in order]


def _merge(axes: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Neighbours that one stride walks through become one; axes of length 1 vanish."""
    merged: list[tuple[int, int]] = []
    for size, stride in axes:
        if size == 1:
            continue
        if merged and merged[-1][1] == size * stride:
            merged[-1] = (merged[-1][0] * size, stride)
        else:
            merged.append((size, stride))
    return merged
