"""The losses of :mod:`neglog.core.tempered` in torch ops: differentiable any number of times, on any device."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from neglog.core.deformation import TEMPERED, Native
from neglog.torch import reference
from neglog.torch.reduction import looked_up

_STEPS = 12  # of Newton from the left; 10 where it was slowest, t in [0.01, 500], rows of 2 to 3000 classes
_TERMS = 40  # of the series below 1/8


def row_losses(
    z: Tensor, target: Tensor, native: Native, transition: Tensor | None, label_smoothing: float, dim: int
) -> Tensor:
    """Losses of rows along ``dim``; ``target`` holds class indices or probabilities."""
    z = z.movedim(dim, -1).double() if z.device.type != "mps" else z.movedim(dim, -1)
    lead = reference.leading(z, -1)
    top = z.gather(-1, lead)
    undefined = torch.where(top.isfinite(), 0.0, math.nan)  # all logits -inf, or one of them +inf or NaN
    gone = z.detach() == -math.inf
    # the leader's derivative is minus the sum of those of the others: its own terms would cancel
    kept = torch.zeros_like(gone).scatter(-1, lead, True) | gone
    below = torch.where(kept, 0.0, z - torch.where(top.isfinite(), top, 0.0))
    if native.kind != TEMPERED:
        assert transition is not None
        column = looked_up(transition.to(z.dtype).t(), target)
        return (_mixed(below, gone, column) + undefined).squeeze(-1)
    t1, t2, factor, _ = native.parameters
    by_index = not target.is_floating_point()
    if not by_index:
        q = target.movedim(dim, -1).to(z.dtype)
    else:
        is_target = torch.zeros_like(gone).scatter(-1, target.unsqueeze(-1), True)
        q = is_target.to(z.dtype)
        if label_smoothing != 0.0:
            others = ~is_target & ~gone
            count = others.sum(-1, keepdim=True).to(z.dtype)
            each = label_smoothing / count.clamp(min=1)
            q = torch.where(is_target, 1.0 - each * count, torch.where(others, each, 0.0))
            by_index = False
    p, log_p = _tempered(below, gone, t2)
    s = 1.0 - t1
    loss = _of_index(p, log_p, q > 0, s) if by_index else _divergence(q, p, log_p, s).sum(-1, keepdim=True)
    return (factor * loss + undefined).squeeze(-1)


def _tempered(below: Tensor, gone: Tensor, t: float) -> tuple[Tensor, Tensor]:
    """Probabilities and their logarithms, which are ``-inf`` where they are 0."""
    with torch.no_grad():
        shift = torch.zeros_like(below[..., :1])
        for _ in range(_STEPS):
            shift = _newton(below, gone, shift, t)
    for _ in range(2):  # each step of Newton doubles the order to which the root's derivatives are right
        shift = _newton(below, gone, shift, t)
    return _exp(below - shift, gone, t)


def _newton(below: Tensor, gone: Tensor, shift: Tensor, t: float) -> Tensor:
    x = below - shift
    e, log_e = _exp(x, gone, t)
    total = e.sum(-1, keepdim=True)
    zero = log_e == -math.inf
    slope = torch.where(zero, 0.0, e / torch.where(zero, 1.0, 1.0 + (1.0 - t) * x)).sum(-1, keepdim=True)
    log_total = total.log()
    return shift + total * (log_total if t == 1.0 else torch.expm1((t - 1.0) * log_total) / (t - 1.0)) / slope


def _exp(x: Tensor, gone: Tensor, t: float) -> tuple[Tensor, Tensor]:
    """``exp_t`` and its logarithm."""
    if t != 1.0:
        gone = gone | ((1.0 - t) * x <= -1.0)
        x = torch.log1p((1.0 - t) * torch.where(gone, 0.0, x)) / (1.0 - t)
    log_e = torch.where(gone, 0.0, x)
    return torch.where(gone, 0.0, log_e.exp()), torch.where(gone, -math.inf, log_e)


def _power(log_p: Tensor, s: float) -> Tensor:
    """``p^s``, 0 at ``p = 0``."""
    if s == 0.0:
        return torch.ones_like(log_p)
    gone = log_p == -math.inf
    return torch.where(gone, 0.0, (s * torch.where(gone, 0.0, log_p)).exp())


def _of_index(p: Tensor, log_p: Tensor, is_target: Tensor, s: float) -> Tensor:
    """Terms of the others, and ``int_0^r x (1 - x)^(s - 1) dx`` with ``r`` the sum of the others."""
    others = torch.where(is_target, 0.0, p)
    r = others.sum(-1, keepdim=True)
    cost = torch.where(is_target, 0.0, p * _power(log_p, s)).sum(-1, keepdim=True) / (1.0 + s)
    impossible = torch.where(is_target, log_p, 0.0).sum(-1, keepdim=True) == -math.inf
    small = r < 0.125
    near = torch.where(small, r, 0.0)
    term, series = near * near, near * near / 2.0
    for n in range(1, _TERMS):
        term = term * ((n - s) / n * near)
        series = series + term / (n + 2)
    own = torch.where(is_target & ~impossible, log_p, 0.0).sum(-1, keepdim=True)
    log_y = torch.where(small | impossible, -1.0, own)
    first = -log_y if s == 0.0 else -reference.expm1(s * log_y) / s
    far = first + reference.expm1((1.0 + s) * log_y) / (1.0 + s)
    never = 1.0 / s - 1.0 / (1.0 + s) if s > 0.0 else math.inf
    return cost + torch.where(impossible, never, torch.where(small, series, far))


def _divergence(q: Tensor, p: Tensor, log_p: Tensor, s: float) -> Tensor:
    """Terms of the Bregman divergence from ``q`` to ``p``."""
    absent, gone = q == 0.0, log_p == -math.inf
    log_q = torch.where(absent, 0.0, torch.where(absent, 1.0, q).log())
    if s == 0.0:
        apart = log_q - torch.where(gone & absent, 0.0, log_p)
        return torch.where(absent, p, q * apart - (q - p))
    own, shrink = (s * log_q).exp(), _power(log_p, s)
    apart = torch.where(gone, own, shrink * reference.expm1(s * (log_q - torch.where(gone, 0.0, log_p))))
    none = p * shrink / (1.0 + s) - q * shrink / s  # q is 0, its derivative is not
    return torch.where(absent, none, q * apart / s - (q * own - p * shrink) / (1.0 + s))


def _mixed(below: Tensor, gone: Tensor, column: Tensor) -> Tensor:
    """``-log sum_k T_ky p_k``."""
    e = torch.where(gone, 0.0, below.exp())
    total = e.sum(-1, keepdim=True)
    miss = (e * (1.0 - column)).sum(-1, keepdim=True) / total
    near = miss < 0.5
    usable = ~gone & (column > 0)
    best = torch.where(usable, below.detach(), -math.inf).amax(-1, keepdim=True)
    impossible = best == -math.inf
    base = torch.where(impossible, 0.0, best)
    lifted = torch.where(gone, 0.0, (below - base).clamp(max=700.0)).exp()  # > 1 only where the column is 0
    mix = torch.where(gone, 0.0, column * lifted).sum(-1, keepdim=True)
    far = total.log() - base - torch.where(impossible, 1.0, mix).log()
    close = -torch.log1p(-torch.where(near, miss, 0.0))
    return torch.where(impossible, math.inf, torch.where(near, close, far))
