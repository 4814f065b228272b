"""Losses with one target a row: what surrounds their kernels."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from neglog.torch.arguments import CPU, result_dtype
from neglog.torch.layout import Rows, rows_along
from neglog.torch.reduction import finished, weighted


class ByRows(Protocol):
    """A loss of rows along ``dim``."""

    @property
    def sample_weight(self) -> Tensor | None: ...
    @property
    def dim(self) -> int: ...
    @property
    def reduction(self) -> str: ...
    @property
    def empty(self) -> str: ...

    def kernel(
        self,
        rows: Rows,
        sample_weight: Tensor | None,
        factor: float,  # multiplies the gradient
        losses: Tensor | None = None,
        gradient: Tensor | None = None,
        strides: tuple[int, int, int] = (0, 0, 0),  # of the gradient
    ) -> tuple[float, float]:
        """(value, divisor) of one pass over the input; the value is the sum where the divisor is 0."""
        ...


def result(loss: ByRows, input: Tensor) -> Tensor:
    """An empty tensor of the shape and dtype of the value."""
    shape = input.shape[: loss.dim] + input.shape[loss.dim + 1 :] if loss.reduction == "none" else ()
    return torch.empty(shape, dtype=result_dtype(input), device=input.device)


def forward(loss: ByRows, input: Tensor, with_gradient: bool, function: str) -> tuple[Tensor, Tensor | None]:
    rows = rows_along(input, loss.dim)
    dtype = result_dtype(input)
    if loss.reduction == "none":
        losses = torch.empty(rows.outer * rows.inner, dtype=dtype, device=CPU)
        loss.kernel(rows, loss.sample_weight, 1.0, losses=losses)
        return rows.restore(losses), None
    gradient, strides = None, rows.strides
    if with_gradient and input.dtype is not torch.float16:  # there a loss scale has to enter before rounding
        gradient, strides = rows.like()
    total, divisor = loss.kernel(rows, loss.sample_weight, 1.0, gradient=gradient, strides=strides)
    return torch.scalar_tensor(finished(total, divisor, loss.empty, function), dtype=dtype, device=CPU), gradient


def backward(loss: ByRows, input: Tensor, upstream: Tensor) -> Tensor:
    rows = rows_along(input, loss.dim)
    gradient, strides = rows.like()
    weight, factor = loss.sample_weight, 1.0
    if loss.reduction != "none":
        factor = upstream.item()
    else:
        weight = upstream.double() if weight is None else weighted(upstream.double(), weight)
    loss.kernel(rows, weight, factor, gradient=gradient, strides=strides)
    return gradient
