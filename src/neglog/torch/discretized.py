"""The loss of quantised data, such as pixels: mixtures of logistic distributions in bins."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from neglog.families.discretized_logistic import DiscretizedLogistic
from neglog.torch.arguments import Empty, Reduction, floating
from neglog.torch.entries import Entries
from neglog.torch.family_rows import exact_rows
from neglog.torch.mixtures import expect, mixed, mixture_shapes
from neglog.torch.reference import widened


def discretized_logistic_mixture_nll_loss(
    input: tuple[Tensor, Tensor, Tensor],
    target: Tensor,
    bins: int = 256,
    coefficients: Tensor | None = None,
    reduction: Reduction = "mean",
    *,
    sample_weight: Tensor | None = None,
    mask: Tensor | None = None,
    denominator: Any = None,
    empty: Empty = "zero",
) -> Tensor:
    r"""Negative log-likelihood of quantised data, such as pixels, under a mixture of logistic distributions.

    .. math:: -\log \sum_k \pi_k \prod_c P(y_c; \mu_{kc}, s_{kc})

    with :math:`P` the mass of a bin (:class:`neglog.DiscretizedLogistic`): the levels :math:`0, \dots, n - 1` stand for
    :math:`x = 2 y / (n - 1) - 1` on [-1, 1], and the outer bins reach to infinity.

    Parameters
    ----------
    input : (logits, loc, log_scale)
        Tensors of shapes ``(..., K)``, ``(..., K, C)`` and ``(..., K, C)``; locations on the scale of [-1, 1].
    target : (..., C) tensor
        Levels, whole numbers from 0 to ``bins - 1``.
    bins : int
        Number of levels.
    coefficients : (..., K, C (C - 1) / 2) tensor, optional
        Of a row of channels: the location of channel ``c`` moves by ``sum_b tanh(coefficient) x_b`` over the channels
        before it, in the order (1, 0), (2, 0), (2, 1) of PixelCNN++.
    reduction : "mean", "sum" or "none"
        Over rows (pixels): ``"none"`` has the shape ``(...)``. Divided by ``C log 2`` these are bits per dimension.
    sample_weight, mask : tensors of that shape, optional
    denominator, empty
        As in :func:`gaussian_nll_loss`.

    Returns
    -------
    Tensor in nats: float64 for float64 input, float32 for narrower ones. What is no level costs ``+inf``.

    Raises
    ------
    ShapeError

    Notes
    -----
    Every bin is exact and they sum to one. The code of PixelCNN++ has a floor of 1e-12 below the probability, takes
    the density for narrow bins, and bounds the log-scales by -7.

    Source: Salimans, Karpathy, Chen, Kingma, "PixelCNN++", ICLR 2017, section 2.

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> one = torch.zeros(1), torch.tensor([[0.1]]), torch.tensor([[-2.0]])
    >>> nlt.discretized_logistic_mixture_nll_loss(one, torch.tensor([128]))
    tensor(4.3579)
    """
    function = "discretized_logistic_mixture_nll_loss"
    logits, loc, log_scale = input
    floating(function, "logits", logits)
    mixture_shapes(function, logits, loc, target)
    expect(function, "log_scale", log_scale, loc.shape)
    channels = loc.shape[-1]
    family = DiscretizedLogistic(bins)
    a = widened(logits)
    tensors = [a, loc.to(a.dtype), log_scale.to(a.dtype), target.to(a.dtype)]
    if coefficients is not None:
        expect(function, "coefficients", coefficients, (*loc.shape[:-1], channels * (channels - 1) // 2))
        tensors.append(coefficients.to(a.dtype))
    entries = Entries(function, target.shape[:-1], sample_weight, mask, reduction, denominator, empty)
    entries.check()

    def loss(a: Tensor, loc: Tensor, log_scale: Tensor, y: Tensor, *coefficients: Tensor) -> Tensor:
        y = y.unsqueeze(-2).expand(loc.shape)
        if coefficients:
            loc = loc + _from_channels_before(2 * y / (bins - 1) - 1, torch.tanh(coefficients[0]))
        each = exact_rows(family, y, (loc, torch.exp(log_scale)), a.dtype)
        return mixed(a, each.sum(-1))

    return entries.reduce(loss, tensors, [0.0] * len(tensors))


def _from_channels_before(x: Tensor, coefficients: Tensor) -> Tensor:
    """What the channels before each add to its location."""
    places = range(x.shape[-1])
    pairs = {(c, b): i for i, (c, b) in enumerate((c, b) for c in places for b in range(c))}
    moved = [
        sum((coefficients[..., pairs[c, b]] * x[..., b] for b in range(c)), torch.zeros_like(x[..., c])) for c in places
    ]
    return torch.stack(moved, -1)
