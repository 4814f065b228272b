"""Softmax-type losses in torch ops: differentiable any number of times, on any device.

The leading class is kept apart from the others, as in native/rows_impl.hpp: with ``S`` the sum of
``exp(z_k - z_lead)`` over the others, ``logsumexp - z_k = log1p(S) + (z_lead - z_k)``. Both terms are >= 0 and each is
differentiated by itself, so neither a confident loss nor its gradient cancels.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor


def widened(x: Tensor) -> Tensor:
    """Half precision as float32."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


def expm1(x: Tensor) -> Tensor:
    """``e^x - 1``; torch's own has the derivative ``result + 1``, which has lost its digits where x is negative."""
    low = x < -0.5
    return torch.where(low, torch.where(low, x, 0.0).exp() - 1.0, torch.expm1(torch.where(low, 0.0, x)))


def transformed(
    z: Tensor, temperature: float | Tensor, softcap: float | Tensor, class_mask: Tensor | None, dim: int
) -> Tensor:
    r"""``c tanh(z / c) / T`` and -inf where a class is masked; ``softcap`` 0 is none.

    In float64 where the device has it: a logit of 30 rounded to float32 once more would move its probability by 5e-7.
    """
    capped = isinstance(softcap, Tensor) or softcap != 0.0
    scaled = isinstance(temperature, Tensor) or temperature != 1.0
    if not (capped or scaled or class_mask is not None):
        return z
    gone = z.detach() == -math.inf  # tanh would bring a masked class back to life
    if class_mask is not None:
        gone = gone | ~(along(class_mask, z, dim) if class_mask.dim() == 1 else class_mask)
    z = torch.where(gone, 0.0, z)  # its gradient, and its share in those of the options, is exactly 0
    if (capped or scaled) and z.device.type != "mps":
        z = z.double()
    if capped:
        z = softcap * torch.tanh(z / softcap)
    if scaled:
        z = z / temperature
    return torch.where(gone, -math.inf, z)


def along(values: Tensor, z: Tensor, dim: int) -> Tensor:
    """``(C,)`` as it broadcasts along ``dim``."""
    return values.reshape([-1 if i == dim else 1 for i in range(z.dim())])


class Split(NamedTuple):
    """A row seen from its leading class; every field keeps ``dim`` with length 1 or C."""

    top: Tensor  # (1) the largest logit, detached where the derivative at the lead is its own
    below: Tensor  # (C) z - top, of value 0 at the lead
    log_total: Tensor  # (1) logsumexp - top


def leading(z: Tensor, dim: int) -> Tensor:
    """Index of the largest logit; ``dim`` is kept with length 1."""
    return z.detach().argmax(dim, keepdim=True)


def split(
    z: Tensor, dim: int, lead: Tensor | None = None, keep: Tensor | None = None, dtype: torch.dtype | None = None
) -> Split:
    """``z`` against its largest logit.

    ``keep`` says where the derivative at the lead has to be minus the sum of those of the others, as where a loss is
    nearly 0 (None: everywhere); elsewhere it is the lead's own probability, less rounded. Both are exact. ``dtype`` is
    that of the result; ``z`` may be wider.
    """
    lead = leading(z, dim) if lead is None else lead
    is_lead = torch.zeros_like(z, dtype=torch.bool).scatter(dim, lead, True)
    top = z.gather(dim, lead)
    base = top if keep is None else torch.where(keep, top, top.detach())
    below = torch.where(is_lead if keep is None else is_lead & keep, 0.0, (z - base).to(dtype or z.dtype))
    terms = torch.where(is_lead, below.expm1(), below.exp())
    others = terms.sum(dim, keepdim=True, dtype=below.dtype if z.device.type == "mps" else torch.float64)
    undefined = top.detach().isinf()  # all logits -inf, or one of them +inf
    return Split(base, below, torch.where(undefined, math.nan, others.log1p()).to(below.dtype))


def margin(z: Tensor, target: Tensor, dim: int, dtype: torch.dtype) -> Tensor:
    """``log sum_{k != y} e^{z_k} - z_y`` per row; -inf, without a gradient, where nothing competes."""
    y = target.unsqueeze(dim)
    z_y = z.gather(dim, y)
    others = z.scatter(dim, y, -math.inf)
    top = others.detach().amax(dim, keepdim=True)
    alone = top == -math.inf
    base = torch.where(alone, 0.0, top)
    total = (others - base).exp().sum(dim, keepdim=True, dtype=z.dtype if z.device.type == "mps" else torch.float64)
    log_total = torch.where(alone, 1.0, total).log()
    undefined = torch.where(z_y.detach() == math.inf, math.nan, 0.0)
    against = (base - z_y) + log_total + undefined
    return torch.where(alone, -math.inf - z_y.detach(), against).squeeze(dim).to(dtype)


def softmax_nll(
    z: Tensor,  # float32 or float64, transformed
    target: Tensor,  # class indices without ``dim``, all inside [0, C), or probabilities like z
    weight: Tensor | None,  # (C,)
    label_smoothing: float,
    z_loss: float | Tensor,
    dim: int,
    dtype: torch.dtype,  # of the result
) -> Tensor:
    r"""``sum_k a_k (logsumexp - z_k) + z_loss A logsumexp^2`` per row.

    ``a_k = w_k ((1 - eps) t_k + eps / C' [z_k > -inf])``, ``A = sum_k a_k``, ``C'`` the classes that remain.
    """
    lead = leading(z, dim)
    mass = at_lead = torch.zeros((), dtype=dtype, device=z.device)
    chosen = spread = None  # the share of a class index, and what is spread over the classes
    if not target.is_floating_point():
        # not added to the spread: summed with C shares of eps / C, rounding would add up
        y = target.unsqueeze(dim)
        chosen = mass + (1.0 - label_smoothing)
        if weight is not None:
            chosen = chosen * weight.to(dtype)[y]
        mass, at_lead = chosen, torch.where(y == lead, chosen, 0.0)
    if target.is_floating_point() or label_smoothing != 0.0:
        spread = _spread(z, target, weight, label_smoothing, dim, dtype)
        mass, at_lead = mass + spread.sum(dim, keepdim=True), at_lead + spread.gather(dim, lead)
    keep = (mass - at_lead).detach() <= mass.detach() / 1024  # else no derivative at the lead comes near 0
    row = split(z, dim, lead, keep, dtype)
    loss = mass * row.log_total
    if chosen is not None:
        y = target.unsqueeze(dim)
        below = torch.where((y == lead) & keep, 0.0, (z.gather(dim, y) - row.top).to(dtype))
        loss = loss - torch.where((chosen == 0) & below.isinf(), 0.0, chosen * below)
    if spread is not None:
        gone = (spread == 0) & (z.detach() == -math.inf)
        loss = loss - (spread * torch.where(gone, 0.0, row.below)).sum(dim, keepdim=True)
    if isinstance(z_loss, Tensor) or z_loss != 0.0:
        loss = loss + z_loss * mass * (row.top + row.log_total).to(dtype) ** 2
    return loss.squeeze(dim).to(dtype)


def _spread(
    z: Tensor, target: Tensor, weight: Tensor | None, label_smoothing: float, dim: int, dtype: torch.dtype
) -> Tensor:
    """``a_k`` of probabilities, or what label smoothing adds to the share of a class index."""
    a = target.to(dtype) * (1.0 - label_smoothing) if target.is_floating_point() else None
    if label_smoothing != 0.0:
        remains = z.detach() > -math.inf
        share = label_smoothing / remains.sum(dim, keepdim=True).clamp(min=1).to(dtype)
        smoothing = torch.where(remains, share, 0.0)
        a = smoothing if a is None else a + smoothing
    assert a is not None
    return a if weight is None else a * along(weight.to(dtype), z, dim)
