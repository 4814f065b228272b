"""A loss of one's own, ``l(p_y)`` given as a function of ``log p_y`` and ``log(1 - p_y)`` in torch ops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from neglog.core.deformation import Deformation, check_own, softplus
from neglog.errors import InputKindError, ShapeError
from neglog.torch.arguments import Empty, Reduction, divisor_for, result_dtype, tensors
from neglog.torch.classification import divisor_of_mean, prepared
from neglog.torch.fused import evaluate
from neglog.torch.parallel import is_group, share
from neglog.torch.reduction import divided, looked_up, reduced, rows_read, weighted
from neglog.torch.targets import readable_indices

_FUNCTION = "softmax_loss"


def softmax_loss(
    fn: Callable[[Tensor, Tensor], Tensor],
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
    dim: int | None = None,
    sample_weight: Tensor | None = None,
    mask: Tensor | None = None,
    class_mask: Tensor | None = None,
    denominator: Any = None,
    temperature: float | Tensor = 1.0,
    softcap: float | Tensor | None = None,
    empty: Empty = "zero",
    check: bool = False,
) -> Tensor:
    r"""A loss of your own that depends on the softmax probability of the true class.

    .. math:: l = f(\log p, \log(1 - p)), \qquad p = \operatorname{softmax}(z)_y

    Parameters
    ----------
    fn : callable
        ``fn(log_p, log_q)`` in torch operations, elementwise: called once with the two logarithms, tensors of the
        target's shape in which neither has lost digits for any p, and returns losses of that shape. Tensors that it
        refers to, such as a learned parameter, are differentiated like any other.
    input : (C,), (N, C) or (N, C, d1, ...) tensor
        Logits ``z``: float16, bfloat16, float32 or float64, of any memory layout.
    target : integer tensor
        Class indices ``y`` of the shape without the class axis.
    weight, ignore_index, reduction, dim, sample_weight, mask, class_mask, denominator, temperature, softcap,
    empty, check
        As in :func:`neglog.torch.cross_entropy`.

    Returns
    -------
    Tensor: float64 for float64 logits, float32 for narrower ones.

    Raises
    ------
    ShapeError
        ``fn`` does not return one loss per target.
    TargetError, InputKindError, ParameterError
        As :func:`neglog.torch.cross_entropy`.

    Notes
    -----
    The margin of the true class is computed by one fused pass and differentiated by another, autograd does the rest:
    twice, and under ``torch.compile`` and ``torch.func``. For entries that take no part ``fn`` sees ``p = 1/2``, and
    what it returns is not used. Where the target's logit is ``-inf``, ``log_p`` is -inf: where ``fn`` has no derivative
    there, the gradient is NaN.

    Examples
    --------
    >>> import torch, neglog.torch as nlt
    >>> def mine(log_p, log_q):
    ...     return -torch.clamp((2 * log_q).exp(), min=0.1) * log_p
    >>> logits = torch.tensor([[2.0, 1.0, 0.1], [5.0, 4.0, 2.0]], requires_grad=True)
    >>> print(f"{nlt.softmax_loss(mine, logits, torch.tensor([0, 0])):.6f}")
    0.041697
    """
    check_own(_FUNCTION, fn)
    if isinstance(fn, Deformation):
        raise InputKindError(f"{_FUNCTION}: fn={fn!r}; allowed: a function (neglog.torch.{fn.name} is that loss)")
    loss, x = prepared(
        _FUNCTION, input, target, weight, ignore_index, 0.0, dim, sample_weight, mask, class_mask, temperature, softcap,
        0.0, check, soft=False,
    )  # fmt: skip
    part = loss.part()
    indices = readable_indices(_FUNCTION, loss.target, input, loss.dim, ignore_index, part, sample_weight)
    by_class = None if weight is None else looked_up(weight, indices)
    read = rows_read(x, loss.dim, part, by_class, sample_weight)
    of_margin = loss._replace(
        weight=None, sample_weight=None, mask=read, reduction="none", deformation="nllr", parameters=[0.0]
    )
    margin = evaluate(of_margin, x).to(result_dtype(input))
    if read is not None:
        margin = torch.where(read, margin, 0.0)
    losses = fn(-softplus(torch, margin), -softplus(torch, -margin))
    tensors(_FUNCTION, **{"what fn returns": losses})
    if losses.shape != margin.shape:
        raise ShapeError(
            f"{_FUNCTION}: fn returns shape {tuple(losses.shape)}; allowed: that of the target, {tuple(margin.shape)}"
        )
    losses = weighted(weighted(losses, by_class), sample_weight)
    if read is not None:
        losses = torch.where(read, losses, 0.0)
    if denominator is not None and is_group(denominator):
        denominator = share(_FUNCTION, divisor_of_mean(loss), denominator)
    divisor = divisor_for(_FUNCTION, reduction, denominator, empty, loss.reduction)
    value = reduced(losses, part, sample_weight, by_class, divisor.reduction, divisor.number, empty, _FUNCTION)
    return value if divisor.tensor is None else divided(value, divisor.tensor, empty, _FUNCTION)
