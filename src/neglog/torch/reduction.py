"""The reduction contract in torch ops: what takes part, what it weighs, what the mean divides by.

The counterpart of :mod:`neglog.core.reduce`, whose words it keeps: an entry is what has one target; it takes part
unless it is ignored, masked, or of zero sample weight; what takes no part is never read.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from neglog.errors import DataError, ParameterError
from neglog.torch.routing import may_look_at


def weighted(losses: Tensor, weight: Tensor | None) -> Tensor:
    """``weight * losses``, 0 where the weight is 0; differentiable in the weight also where it is 0."""
    if weight is None:
        return losses
    product = losses * weight.to(losses.dtype)
    return torch.where((weight == 0) & ~losses.isfinite(), 0.0, product)


def looked_up(table: Tensor, index: Tensor) -> Tensor:
    """``table[index]``; of a 0-d index, too, which ``vmap`` (per-sample gradients) does not let torch read."""
    return table[index.unsqueeze(-1)].squeeze(index.dim())


def rows_read(z: Tensor, dim: int, part: Tensor | None, *weights: Tensor | None) -> Tensor | None:
    """Rows whose logits count: they take part, and no weight of 0 stands before NaN or +inf. None: all do."""
    given = [weight for weight in weights if weight is not None]
    if not given:
        return part
    harmless = (z.detach() < math.inf).all(dim)
    for weight in given:
        harmless = harmless | (weight.detach() != 0)
    return harmless if part is None else part & harmless


def reduced(
    losses: Tensor,  # weighted, 0 where an entry takes no part
    part: Tensor | None,  # bool: takes part; None: all do
    sample_weight: Tensor | None,
    weight: Tensor | None,  # what weighs an entry besides: weight[y], or elementwise
    reduction: str,
    number: float,
    empty: str,
    function: str,
) -> Tensor:
    """The value of a loss from its weighted entries."""
    if reduction == "none":
        return losses
    total = losses.sum()
    if reduction == "sum":
        return total
    if reduction == "given":
        return divided(total, total.new_tensor(number), empty, function)
    return divided(total, divisor_of(losses, part, sample_weight, weight, reduction), empty, function)


def divisor_of(
    losses: Tensor, part: Tensor | None, sample_weight: Tensor | None, weight: Tensor | None, reduction: str
) -> Tensor:
    """Count of what takes part, its sample weight, or its weight * sample weight."""
    if reduction == "count":
        if part is None and sample_weight is None:
            return losses.new_tensor(losses.numel())
        counted = torch.ones_like(losses, dtype=torch.bool) if part is None else part
        return (counted if sample_weight is None else counted & (sample_weight != 0)).sum().to(losses.dtype)
    amounts = [w.to(losses.dtype) for w in (sample_weight, weight if reduction == "weights" else None) if w is not None]
    if not amounts:
        return divisor_of(losses, part, None, None, "count")
    amount = amounts[0] if len(amounts) == 1 else amounts[0] * amounts[1]
    return (amount if part is None else torch.where(part, amount, 0.0)).sum()


def divided(total: Tensor, divisor: Any, empty: str, function: str) -> Tensor:
    """``total / divisor``; where nothing took part, what ``empty`` says, with a live graph and zero gradient."""
    divisor = divisor.to(total.device, total.dtype) if isinstance(divisor, Tensor) else total.new_tensor(divisor)
    nothing = (divisor == 0) & (total.detach() == 0)
    if may_look_at(total, divisor):
        check_divisor(total.item(), divisor.item(), function)
    mean = total / torch.where(nothing, 1.0, divisor)
    if empty == "zero":
        return mean
    if empty == "nan":
        return torch.where(nothing, math.nan, mean)
    if bool(nothing):
        raise nothing_took_part(function)
    return mean


def nothing_took_part(function: str) -> DataError:
    return DataError(
        f"{function}: the mean of nothing: every entry is ignored, masked or of zero weight; "
        "allowed with empty='zero' or empty='nan'"
    )


def finished(total: float, divisor: float, empty: str, function: str) -> float:
    """A kernel's mean: ``total`` is already divided unless the divisor is 0."""
    check_divisor(total, divisor, function)
    if divisor:
        return total
    if empty == "raise":
        raise nothing_took_part(function)
    return 0.0 if empty == "zero" else math.nan


def check_divisor(total: float, divisor: float, function: str) -> None:
    if divisor > 0 or (divisor == 0 and total == 0) or divisor != divisor:
        return
    if divisor < 0:
        raise ParameterError(
            f"{function}: the weights of what takes part sum to {divisor:.6g}; allowed for a weighted mean: a sum > 0 "
            "(negative weights go with reduction='sum' or a numeric denominator)"
        )
    raise ParameterError(
        f"{function}: the denominator is 0 but entries took part (their losses sum to {total:.6g}); allowed: a "
        "number > 0, or 0 where nothing takes part"
    )
