"""The Poisson loss in torch's name and signature."""

from __future__ import annotations

import math
from typing import Any, Literal

import torch
from torch import Tensor

from neglog.errors import ParameterError
from neglog.torch.arguments import Empty, Reduction, floating, legacy
from neglog.torch.entries import Entries, same_shape
from neglog.torch.reference import widened

Constant = bool | Literal["exact", "stirling"]


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: Constant = False,
    size_average: bool | None = None,
    eps: float = 0.0,
    reduce: bool | None = None,
    reduction: Reduction = "mean",
    *,
    sample_weight: Tensor | None = None,
    mask: Tensor | None = None,
    denominator: Any = None,
    empty: Empty = "zero",
    check: bool = False,
) -> Tensor:
    r"""Negative log-likelihood of counts whose rate, or its logarithm, is given.

    .. math:: \lambda - k \log \lambda \; (+ \log k!), \qquad \log \lambda = x \ \text{with}\ \text{log\_input}

    Parameters
    ----------
    input : tensor
        ``x = log(rate)``, or the rate with ``log_input=False``: float16, bfloat16, float32 or float64.
    target : tensor of the same shape
        Counts ``k >= 0``, of any real dtype; what is no integer is taken as it is, as torch does.
    log_input : bool
        Whether ``input`` is a logarithm.
    full : bool, "exact" or "stirling"
        The constant: True or ``"exact"`` adds ``log k!``; ``"stirling"`` what torch adds, Stirling's approximation for
        ``k > 1`` and otherwise 0. Without it numbers do not compare with other likelihoods.
    size_average, reduce : bool, optional
        torch's older names for ``reduction``.
    eps : float >= 0
        Added to the rate inside the logarithm with ``log_input=False``; torch's default is 1e-8.
    reduction : "mean", "sum" or "none"
    sample_weight, mask, denominator, empty
        As in :func:`gaussian_nll_loss`.
    check : bool
        Look for negative counts and rates on any device (which waits for it); on the CPU that happens anyway.

    Returns
    -------
    Tensor in nats: float64 for float64 input, float32 for narrower ones.

    Raises
    ------
    ShapeError
        A target of another shape than the input; nothing is broadcast.
    InputKindError
        A negative count or rate that takes part.

    Notes
    -----
    A rate of 0 gives a count of 0 the loss 0 and every other ``+inf``. With the constant the sum is computed as
    :math:`k (e^d - 1 - d) + \tfrac12 \log 2\pi k + \dots`, :math:`d = \log(\lambda / k)`, where the large terms have
    cancelled already (Loader, "Fast and accurate computation of binomial probabilities", 2000).

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> rate = torch.tensor([2.5], dtype=torch.float64)
    >>> nlt.poisson_nll_loss(rate, torch.tensor([3]), log_input=False, full=True)
    tensor(1.5429, dtype=torch.float64)
    """
    function = "poisson_nll_loss"
    if size_average is not None or reduce is not None:
        reduction = legacy(reduction, size_average, reduce)
    if full not in (True, False, "exact", "stirling"):
        raise ParameterError(f"{function}: full={full!r}; allowed: True or 'exact', 'stirling', False")
    if not eps >= 0:
        raise ParameterError(f"{function}: eps={eps!r}; allowed: eps >= 0")
    floating(function, "input", input)
    same_shape(function, "target", target, input)
    entries = Entries(function, target.shape, sample_weight, mask, reduction, denominator, empty)
    entries.check()
    entries.refuse("target", target, target < 0, "counts >= 0", check)
    if not log_input:
        entries.refuse("input", input, input < 0, "rates >= 0 (log_input=True takes logarithms)", check)
    x = widened(input)
    dtype = x.dtype
    if full in (True, "exact") and input.device.type != "mps":
        x = x.double()

    def loss(x: Tensor, k: Tensor) -> Tensor:
        if full in (True, "exact"):
            return _exact(x, k, log_input, eps).to(dtype)
        value = _plain(x, k, log_input, eps)
        return value + _stirling(k) if full else value

    return entries.reduce(loss, (x, target.to(x.dtype)), (0.5, 0.0))


def _plain(x: Tensor, k: Tensor, log_input: bool, eps: float) -> Tensor:
    """``rate - k log(rate)``, with ``0 log 0 = 0``."""
    none = (k == 0) | (x == math.inf)
    if log_input:
        return torch.exp(x) - k * torch.where(none, 0.0, x)
    return x - k * torch.log(torch.where(none, 1.0, x + eps))


def _exact(x: Tensor, k: Tensor, log_input: bool, eps: float) -> Tensor:
    """``rate - k log(rate) + log k!``; large counts by their deviance."""
    large = k >= 10
    few, many = torch.where(large, 0.0, k), torch.where(large, k, 10.0)
    direct = _plain(x, few, log_input, eps) + torch.lgamma(few + 1)
    if log_input:
        d = torch.where(large, x, 0.0) - torch.log(many)
        deviance = many * (torch.expm1(d) - torch.where(d == math.inf, 0.0, d))
    else:
        rate = torch.where(large, x, 1.0)
        excess = (rate + eps - many) / many
        deviance = many * (excess - torch.log1p(torch.where(excess == math.inf, 0.0, excess))) - eps
    return torch.where(large, deviance + 0.5 * torch.log(2 * math.pi * many) + _stirling_error(many), direct)


def _stirling_error(k: Tensor) -> Tensor:
    """``log k! - (k log k - k + log(2 pi k) / 2)`` for ``k >= 10``; the next term is below 3e-17."""
    square = 1 / (k * k)
    series = torch.zeros_like(k)
    for numerator, denominator in ((1, 156), (-691, 360360), (1, 1188), (-1, 1680), (1, 1260), (-1, 360), (1, 12)):
        series = series * square + numerator / denominator
    return series / k


def _stirling(k: Tensor) -> Tensor:
    """torch's approximation of ``log k!``: 0 up to ``k = 1``."""
    many = torch.where(k > 1, k, 2.0)
    return torch.where(k > 1, many * torch.log(many) - many + 0.5 * torch.log(2 * math.pi * many), 0.0)
