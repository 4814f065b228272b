"""The losses row by row, as their definitions read: the second opinion where torch has no such option.

Scalars and short Python loops in float64, differentiable by torch's autograd; nothing is vectorised, and nothing is
shared with the library.
"""

from __future__ import annotations

import torch


def takes_part(row, y, ignore_index, mask):
    """Rows that are neither ignored nor masked; ``row`` indexes the batch.

    Rows of zero sample weight add nothing, but a derivative in that weight: their loss.
    """
    if mask is not None and not mask[row]:
        return False
    return y is None or int(y[row]) != ignore_index


def row_loss(z, t, *, weight, label_smoothing, class_mask, temperature, softcap, z_loss):
    """One row: z (C,), t (C,) a distribution."""
    live = [k for k in range(len(z)) if z[k] != -torch.inf and (class_mask is None or class_mask[k])]
    if not live:
        return z.new_tensor(torch.nan)
    z = {k: (z[k] if softcap is None else softcap * torch.tanh(z[k] / softcap)) / temperature for k in live}
    lse = torch.logsumexp(torch.stack(list(z.values())), 0)
    loss, total = torch.zeros_like(lse), torch.zeros_like(lse)
    for k in range(len(t)):
        a = (1 - label_smoothing) * t[k] + (label_smoothing / len(live) if k in live else 0)
        a = a if weight is None else a * weight[k]
        total = total + a
        if a != 0:
            loss = loss + (a * (lse - z[k]) if k in live else torch.full_like(lse, torch.inf))
    return loss + z_loss * total * lse**2 if not isinstance(z_loss, float) or z_loss else loss


def cross_entropy(
    z,
    target,
    weight=None,
    ignore_index=-100,
    reduction="mean",
    label_smoothing=0.0,
    *,
    dim=None,
    sample_weight=None,
    mask=None,
    class_mask=None,
    denominator=None,
    temperature=1.0,
    softcap=None,
    z_loss=0.0,
):
    axis = (0 if z.ndim == 1 else 1) if dim is None else dim
    if class_mask is not None:
        shape = [1] * z.ndim
        shape[axis] = -1
        class_mask = class_mask.reshape(shape) if class_mask.ndim == 1 else class_mask
        class_mask = class_mask.broadcast_to(z.shape).movedim(axis, -1)
    z = z.movedim(axis, -1)
    classes = z.shape[-1]
    by_class = not target.is_floating_point()
    t = target.movedim(axis, -1) if not by_class else None
    batch = z.shape[:-1]
    losses, count, entries, weights = {}, 0, 0.0, 0.0
    for row in torch.cartesian_prod(*map(torch.arange, batch)).reshape(-1, len(batch)).tolist() if batch else [[]]:
        row = tuple(row)
        if not takes_part(row, target if by_class else None, ignore_index, mask):
            continue
        one = torch.nn.functional.one_hot(target[row].long(), classes).to(z.dtype) if by_class else t[row]
        loss = row_loss(
            z[row],
            one,
            weight=weight,
            label_smoothing=label_smoothing,
            class_mask=None if class_mask is None else class_mask[row],
            temperature=temperature,
            softcap=softcap,
            z_loss=z_loss,
        )
        s = 1.0 if sample_weight is None else sample_weight[row]
        losses[row] = loss * s if s != 0 or loss.isfinite() else torch.zeros_like(loss)
        count += int(s != 0)
        entries = entries + s
        weights = weights + (s if weight is None else s * (weight * one).sum())
    return reduce(z, losses, batch, reduction, denominator, count, entries, weights, by_class)


def reduce(like, losses, batch, reduction, denominator, count, entries, weights, weigh):
    zero = like.new_zeros(())
    if reduction == "none":
        rows = torch.cartesian_prod(*map(torch.arange, batch)).reshape(-1, len(batch)).tolist() if batch else [[]]
        flat = [losses.get(tuple(row), zero) for row in rows]
        return torch.stack(flat).reshape(batch) if flat else like.new_zeros(batch)
    total = sum(losses.values(), zero)
    if reduction == "sum":
        return total
    if denominator is None:
        denominator = weights if weigh else entries
    elif denominator == "count":
        denominator = count
    elif denominator == "weights":
        denominator = weights
    return total / denominator if losses and denominator != 0 else zero


def elementwise(formula, x, t, *, weight=None, reduction="mean", sample_weight=None, mask=None, denominator=None):
    """``formula(x, t, place)`` of every element, which is an entry of its own."""
    losses, count, entries, weights = {}, 0, 0.0, 0.0
    places = torch.cartesian_prod(*map(torch.arange, x.shape)).reshape(-1, x.ndim).tolist() if x.ndim else [[]]
    w = None if weight is None else weight.broadcast_to(x.shape)
    for place in map(tuple, places):
        if not takes_part(place, None, None, mask):
            continue
        s = 1.0 if sample_weight is None else sample_weight[place]
        losses[place] = formula(x[place], t[place], place) * s * (1.0 if w is None else w[place])
        count += int(s != 0)
        entries = entries + s
        weights = weights + s * (1.0 if w is None else w[place])
    if reduction == "batchmean":
        took = {p[0] for p in losses if sample_weight is None or sample_weight[p] != 0}
        denominator, reduction = len(took), "mean"
    return reduce(x, losses, x.shape, reduction, denominator, count, entries, weights, False)


def xlogy(t, p):
    return t * 0 if t == 0 else t * torch.log(p)


def bce(p, t, place):
    return -xlogy(t, p) - xlogy(1 - t, 1 - p)


def bce_with_logits(pos_weight, shape):
    w = torch.ones(shape, dtype=torch.float64) if pos_weight is None else pos_weight.broadcast_to(shape)

    def formula(x, t, place):
        positive, negative = (
            torch.nn.functional.softplus(-x, threshold=1e9),
            torch.nn.functional.softplus(x, threshold=1e9),
        )
        return w[place] * t * positive + (1 - t) * negative

    return formula


def kl_div(x, t, place):
    return xlogy(t, t) - (t * x if t != 0 else 0 * t)


def kl_div_log_target(x, t, place):
    return torch.exp(t) * (t - x) if t != -torch.inf else 0 * x
