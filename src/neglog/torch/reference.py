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

    lead: Tensor  # (1) index of the largest logit
    is_lead: Tensor  # (C) bool
    top: Tensor  # (1) the largest logit
    below: Tensor  # (C) z - top; 0 at the lead, without gradient
    log_total: Tensor  # (1) logsumexp - top


def split(z: Tensor, dim: int, dtype: torch.dtype | None = None) -> Split:
    """``dtype`` is that of the result; ``z`` may be wider."""
    lead = z.detach().argmax(dim, keepdim=True)
    is_lead = torch.zeros_like(z, dtype=torch.bool).scatter(dim, lead, True)
    top = z.gather(dim, lead)
    below = torch.where(is_lead, 0.0, (z - top).to(dtype or z.dtype))
    others = torch.where(is_lead, 0.0, below.exp()).sum(dim, keepdim=True)
    undefined = top.detach().isinf()  # all logits -inf, or one of them +inf
    return Split(lead, is_lead, top, below, torch.where(undefined, math.nan, others.log1p()))


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
    row = split(z, dim, dtype)
    loss = mass = torch.zeros((), dtype=dtype, device=z.device)
    if not target.is_floating_point():
        # the target's share goes its own way: summed with C shares of eps / C, their rounding would add up
        y = target.unsqueeze(dim)
        mass = mass + (1.0 - label_smoothing)
        if weight is not None:
            mass = mass * weight.to(dtype)[y]
        below = torch.where(y == row.lead, 0.0, (z.gather(dim, y) - row.top).to(dtype))
        loss = torch.where((mass == 0) & below.isinf(), 0.0, -mass * below)
    if target.is_floating_point() or label_smoothing != 0.0:
        remains = z.detach() > -math.inf
        a = torch.zeros((), dtype=dtype, device=z.device)
        if target.is_floating_point():
            a = target.to(dtype) * (1.0 - label_smoothing)
        if label_smoothing != 0.0:
            spread = label_smoothing / remains.sum(dim, keepdim=True).clamp(min=1).to(dtype)
            a = a + torch.where(remains, spread, 0.0)
        if weight is not None:
            a = a * along(weight.to(dtype), z, dim)
        mass = mass + a.sum(dim, keepdim=True)
        loss = loss - (a * torch.where((a == 0) & ~remains, 0.0, row.below)).sum(dim, keepdim=True)
    loss = loss + mass * row.log_total
    if isinstance(z_loss, Tensor) or z_loss != 0.0:
        loss = loss + z_loss * mass * (row.top + row.log_total).to(dtype) ** 2
    return loss.squeeze(dim).to(dtype)
