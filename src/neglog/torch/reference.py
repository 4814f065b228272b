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
    r"""``c tanh(z / c) / T`` and -inf where a class is masked; ``softcap`` 0 is none."""
    if class_mask is not None:
        if class_mask.dim() == 1:
            class_mask = along(class_mask, z, dim)
        z = torch.where(class_mask, z, 0.0)  # what is masked is not read, and its gradient is exactly 0
    if isinstance(softcap, Tensor) or softcap != 0.0:
        z = softcap * torch.tanh(z / softcap)
    if isinstance(temperature, Tensor) or temperature != 1.0:
        z = z / temperature
    return z if class_mask is None else torch.where(class_mask, z, -math.inf)


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


def split(z: Tensor, dim: int) -> Split:
    lead = z.detach().argmax(dim, keepdim=True)
    is_lead = torch.zeros_like(z, dtype=torch.bool).scatter(dim, lead, True)
    top = z.gather(dim, lead)
    below = torch.where(is_lead, 0.0, z - top)
    others = torch.where(is_lead, 0.0, below.exp()).sum(dim, keepdim=True)
    undefined = top.detach().isinf()  # all logits -inf, or one of them +inf
    return Split(lead, is_lead, top, below, torch.where(undefined, math.nan, others.log1p()))


def softmax_nll(
    z: Tensor,  # float32 or float64, with ``dim`` the class axis
    target: Tensor,  # class indices without ``dim``, all inside [0, C), or probabilities like z
    weight: Tensor | None,  # (C,)
    label_smoothing: float,
    z_loss: float,
    dim: int,
) -> Tensor:
    r"""``sum_k a_k (logsumexp - z_k) + z_loss A logsumexp^2`` per row.

    ``a_k = w_k ((1 - eps) t_k + eps / C' [z_k > -inf])``, ``A = sum_k a_k``, ``C'`` the classes that remain.
    """
    row = split(z, dim)
    index = not target.is_floating_point()
    if index and label_smoothing == 0.0:
        y = target.unsqueeze(dim)
        mass = None if weight is None else weight.to(z.dtype)[target].unsqueeze(dim)
        loss = row.log_total - row.below.gather(dim, y)
        if mass is not None:
            loss = torch.where((mass == 0) & loss.isinf(), 0.0, mass * loss)
    else:
        t = torch.zeros_like(z).scatter(dim, target.unsqueeze(dim), 1.0) if index else target.to(z.dtype)
        remains = z.detach() > -math.inf
        if label_smoothing != 0.0:
            spread = label_smoothing / remains.sum(dim, keepdim=True).clamp(min=1).to(z.dtype)
            t = t * (1.0 - label_smoothing) + torch.where(remains, spread, 0.0)
        a = t if weight is None else t * along(weight.to(z.dtype), z, dim)
        mass = a.sum(dim, keepdim=True)
        below = torch.where((a == 0) & ~remains, 0.0, row.below)
        loss = mass * row.log_total - (a * below).sum(dim, keepdim=True)
    if z_loss != 0.0:
        square = (row.top + row.log_total) ** 2
        loss = loss + z_loss * (square if mass is None else mass * square)
    return loss.squeeze(dim)
