"""log_softmax and logsumexp in torch's names and signatures."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from neglog import _native
from neglog.errors import ShapeError
from neglog.torch import reference_softmax
from neglog.torch.arguments import CODES, CPU, address, floating
from neglog.torch.arguments import result_dtype as dtype_of_value
from neglog.torch.fused import evaluate, operator
from neglog.torch.layout import Rows, rows_along
from neglog.torch.reference import widened


@operator
class LogProbabilities(NamedTuple):
    """:func:`log_softmax` along an axis."""

    dim: int

    name = "log_softmax"
    tensors = 0

    def result(self, input: Tensor) -> Tensor:
        return torch.empty_like(input)

    def forward(self, input: Tensor, with_gradient: bool) -> tuple[Tensor, Tensor | None]:
        rows = rows_along(input, self.dim)
        log_p, strides = rows.like()
        _normalise(rows, None, log_p, strides)
        return log_p, None

    def backward(self, input: Tensor, upstream: Tensor) -> Tensor:
        rows = rows_along(input, self.dim)
        gradient, strides = rows.like()
        upstream_strides = rows.strides_of(upstream)
        if upstream_strides is None:
            copy, upstream_strides = rows.like()
            upstream = copy.copy_(upstream)
        _native.log_softmax_back_strided(
            CODES[input.dtype], rows.outer, rows.classes, rows.inner, rows.tensor.data_ptr(), rows.strides,
            upstream.data_ptr(), upstream_strides, gradient.data_ptr(), strides, torch.get_num_threads(),
        )  # fmt: skip
        return gradient

    def reference(self, input: Tensor) -> Tensor:
        return reference_softmax.log_softmax(widened(input), self.dim).to(input.dtype)


@operator
class LogSumExp(NamedTuple):
    """:func:`logsumexp` over an axis."""

    dim: int

    name = "logsumexp"
    tensors = 0

    def result(self, input: Tensor) -> Tensor:
        shape = input.shape[: self.dim] + input.shape[self.dim + 1 :]
        return torch.empty(shape, dtype=dtype_of_value(input), device=input.device)

    def forward(self, input: Tensor, with_gradient: bool) -> tuple[Tensor, Tensor | None]:
        rows = rows_along(input, self.dim)
        value = torch.empty(rows.outer * rows.inner, dtype=dtype_of_value(input), device=CPU)
        _normalise(rows, value, None, rows.strides)
        return rows.restore(value), None

    def backward(self, input: Tensor, upstream: Tensor) -> Tensor:
        rows = rows_along(input, self.dim)
        gradient, strides = rows.like()
        by_row = rows.entries(upstream)  # held during the call
        _native.logsumexp_back_strided(
            CODES[input.dtype], rows.outer, rows.classes, rows.inner, rows.tensor.data_ptr(), rows.strides,
            by_row.data_ptr(), gradient.data_ptr(), strides, torch.get_num_threads(),
        )  # fmt: skip
        return gradient

    def reference(self, input: Tensor) -> Tensor:
        return reference_softmax.logsumexp(widened(input), self.dim).squeeze(self.dim)


def _normalise(rows: Rows, lse: Tensor | None, log_p: Tensor | None, strides: tuple[int, int, int]) -> None:
    _native.logsumexp_strided(
        CODES[rows.tensor.dtype], rows.outer, rows.classes, rows.inner, rows.tensor.data_ptr(), rows.strides,
        address(lse), address(log_p), strides, False, torch.get_num_threads(),
    )  # fmt: skip


def log_softmax(input: Tensor, dim: int | None = None, dtype: torch.dtype | None = None) -> Tensor:
    r"""Log-probabilities of a softmax.

    .. math:: z_k - \log \sum_j e^{z_j}

    Parameters
    ----------
    input : tensor
        Logits ``z``: float16, bfloat16, float32 or float64, in any memory layout; never modified.
    dim : int, optional
        The axis that is normalised. Without it torch's old rule applies, with a warning: 0 for 0, 1 or 3 axes, else 1.
    dtype : torch.dtype, optional
        The input is converted first.

    Returns
    -------
    Tensor in the shape and dtype of ``input``; half precision is computed in float32 and rounded once.

    Raises
    ------
    ShapeError
        An axis that ``input`` does not have.
    InputKindError
        A dtype that cannot be used.

    Notes
    -----
    A logit of ``-inf`` is a masked class and stays ``-inf``; a row of nothing else, or with a ``+inf``, is NaN. A
    confident prediction keeps its distance from 0, which ``z - logsumexp(z)`` rounds away, and its gradient.

    Source: Bishop, "Pattern Recognition and Machine Learning" (2006), eq. 4.104.

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> print([f"{v:.6g}" for v in nlt.log_softmax(torch.tensor([40.0, 0.0]), dim=0).tolist()])
    ['-4.24835e-18', '-40']
    """
    if dtype is not None:
        input = input.to(dtype)
    floating("log_softmax", "input", input)
    if dim is None:
        warnings.warn("log_softmax without dim takes axis 0 of 0, 1 or 3 axes and axis 1 of others", stacklevel=2)
        dim = 0 if input.dim() in (0, 1, 3) else 1
    if not input.dim():
        _axis("log_softmax", input, dim)
        return log_softmax(input.unsqueeze(0), 0).squeeze(0)
    return evaluate(LogProbabilities(_axis("log_softmax", input, dim)), input)


def logsumexp(input: Tensor, dim: int | Sequence[int], keepdim: bool = False) -> Tensor:
    r"""Logarithm of the sum of exponentials.

    .. math:: \log \sum_k e^{z_k}

    Parameters
    ----------
    input : tensor
        ``z``: float16, bfloat16, float32 or float64, in any memory layout; never modified.
    dim : int or sequence of int
        The axis or axes that are summed over; an empty sequence means all, as in torch. Several that no one stride
        walks through are copied into one.
    keepdim : bool
        Keep those axes with length 1.

    Returns
    -------
    Tensor of the shape without ``dim``: float64 for float64, float32 for narrower input.

    Raises
    ------
    ShapeError
        An axis that ``input`` does not have, or that is named twice.
    InputKindError
        A dtype that cannot be used.

    Notes
    -----
    All ``-inf``, or no element at all, gives ``-inf``, a ``+inf`` gives ``+inf``, NaN only if an element is NaN. The
    gradient is the softmax.

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> nlt.logsumexp(torch.tensor([[1000.0, 0.0, -1000.0], [0.0, 0.0, 0.0]]), dim=1)
    tensor([1000.0000,    1.0986])
    """
    floating("logsumexp", "input", input)
    if isinstance(dim, int):
        axes = (_axis("logsumexp", input, dim),)
    else:
        axes = tuple(_axis("logsumexp", input, one) for one in dim) or tuple(range(input.dim()))
        if len(set(axes)) < len(axes):
            raise ShapeError(f"logsumexp: dim={tuple(dim)} names an axis twice, for input of {input.dim()} axes")
    joined = input
    if not input.dim():
        joined = input.unsqueeze(0)
    elif len(axes) > 1:
        kept = [i for i in range(input.dim()) if i not in axes]
        joined = input.permute((*kept, *axes)).flatten(len(kept))
    value = evaluate(LogSumExp(axes[0] if len(axes) == 1 else joined.dim() - 1), joined)
    for axis in sorted(axes) if keepdim and input.dim() else ():
        value = value.unsqueeze(axis)
    return value


def _axis(function: str, input: Tensor, dim: int) -> int:
    axes = max(input.dim(), 1)
    if not -axes <= dim < axes:
        raise ShapeError(
            f"{function}: dim={dim} for input of shape {tuple(input.shape)}; allowed: -{axes} <= dim < {axes}"
        )
    return dim % axes
