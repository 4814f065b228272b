"""Binary cross-entropy and Kullback-Leibler divergence in torch ops, one value per element.

Every form below is differentiable any number of times in all of its arguments, on any device, and keeps its digits
in each derivative: what autograd makes of ``log1p(exp(x))`` is accurate, what it makes of ``1 - sigmoid(x)`` is not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from torch import Tensor

Kind = Literal["anything", "probability", "log_probability"]


class Formula(NamedTuple):
    """A loss per element, and what it reads."""

    loss: Callable[[Tensor, Tensor, Tensor | None], Tensor]  # (input, target, pos_weight)
    input: Kind
    target: Kind
    smooth: Callable[[Tensor, Tensor], Tensor]  # (input, target) -> where the loss and all its slopes are finite


def softplus(x: Tensor) -> Tensor:
    """``log(1 + e^x)``; each side of 0 is smooth by itself, so no derivative is taken across the seam."""
    above = x > 0
    high, low = torch.where(above, x, 0.0), torch.where(above, 0.0, x)
    return torch.where(above, high + torch.log1p(torch.exp(-high)), torch.log1p(torch.exp(low)))


def bce(p: Tensor, t: Tensor, pos_weight: Tensor | None = None) -> Tensor:
    """``-(t log p + (1 - t) log(1 - p))``."""
    yes = _charged(t, p, 0.0, lambda p: -torch.log(p))
    return yes + _charged(1 - t, p, 1.0, lambda p: -torch.log1p(-p))


def bce_with_logits(x: Tensor, t: Tensor, pos_weight: Tensor | None = None) -> Tensor:
    """``(1 - t) softplus(x) + pos_weight t softplus(-x)``: two terms of one sign."""
    no = _charged(1 - t, x, torch.inf, softplus)
    return no + _charged(t if pos_weight is None else pos_weight * t, x, -torch.inf, lambda x: softplus(-x))


def kl_div(x: Tensor, q: Tensor, pos_weight: Tensor | None = None) -> Tensor:
    """``q log q - q x``."""
    gone = (q == 0) & (x == -torch.inf)  # a class that both sides mask
    x, q = torch.where(gone, 0.0, x), torch.where(gone, 1.0, q)
    return torch.where(gone, 0.0, -torch.special.entr(q) - q * x)  # entr: slope -inf at q = 0, as it is


def kl_div_log_target(x: Tensor, t: Tensor, pos_weight: Tensor | None = None) -> Tensor:
    """``e^t (t - x)``."""
    gone = torch.exp(t) == 0
    x, t = torch.where(gone, 0.0, x), torch.where(gone, 0.0, t)
    return torch.where(gone, 0.0, torch.exp(t) * (t - x))


def _charged(share: Tensor, x: Tensor, pole: float, cost: Callable[[Tensor], Tensor]) -> Tensor:
    """``share * cost(x)``, and 0 for a share of 0 in the infinite cost at the pole.

    The slope in the share is infinite there all the same, which is what entr, 0 at 0, contributes.
    """
    gone = (share == 0) & (x == pole)
    charged = share * cost(torch.where(gone, 0.5, x))
    return torch.where(gone, torch.special.entr(torch.where(gone, share, 1.0)), charged)


def _finite(x: Tensor, t: Tensor) -> Tensor:
    return x.isfinite() & t.isfinite()


def _inside(p: Tensor, t: Tensor) -> Tensor:
    return (p > 0) & (p < 1) & t.isfinite()


def _has_mass(x: Tensor, q: Tensor) -> Tensor:
    return _finite(x, q) & (q > 0)


FORMULAS: dict[str, Formula] = {  # in the order of native/losses.hpp
    "bce": Formula(bce, "probability", "probability", _inside),
    "bce_with_logits": Formula(bce_with_logits, "anything", "probability", _finite),
    "kl_div": Formula(kl_div, "log_probability", "probability", _has_mass),
    "kl_div_log_target": Formula(kl_div_log_target, "log_probability", "log_probability", _finite),
}
