"""Regression with a Gaussian that outliers do not pull."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from neglog.core.domain import NON_NEGATIVE, check_number
from neglog.torch.arguments import Empty, Reduction, floating, tensors
from neglog.torch.entries import Entries, same_shape
from neglog.torch.reference import expm1, widened


def gaussian_density_power(
    input: Tensor,
    target: Tensor,
    var: Tensor,
    beta: float = 0.5,
    *,
    reduction: Reduction = "mean",
    sample_weight: Tensor | None = None,
    mask: Tensor | None = None,
    denominator: Any = None,
    empty: Empty = "zero",
    check: bool = False,
) -> Tensor:
    r"""Density power divergence of a Gaussian: regression that outliers do not pull.

    .. math:: (2\pi v)^{-\beta/2} \Bigl[ (1 + \beta)^{-1/2} - \bigl(1 + \tfrac1\beta\bigr)
        e^{-\beta (y - \mu)^2 / 2v} \Bigr] + \frac1\beta

    Parameters
    ----------
    input : tensor
        Means ``mu``.
    target : tensor of the same shape
        Observations ``y``.
    var : tensor of the same shape
        Variances ``v > 0``.
    beta : float >= 0
        Robustness; 0.1 to 0.5 are usual, 0 is the Gaussian NLL with its constant.
    reduction, sample_weight, mask, denominator, empty, check
        As in :func:`neglog.torch.gaussian_nll_loss`.

    Returns
    -------
    Tensor: float64 for float64 input, float32 for narrower ones.

    Raises
    ------
    ParameterError
        ``beta`` outside its domain.
    ShapeError
        Shapes that are not equal; nothing is broadcast.
    InputKindError
        A variance that is not positive.

    Notes
    -----
    The divergence ``int f^(1 + beta) - (1 + 1 / beta) f(y)^beta + 1 / beta``, whose integral is ``(2 pi v)^(-beta /
    2) (1 + beta)^(-1/2)``. The pull of an observation goes to 0 with its distance.

    Source: Basu, Harris, Hjort, Jones (1998), "Robust and efficient estimation by minimising a density power
    divergence", Biometrika 85.

    Examples
    --------
    >>> import torch, neglog.torch as nlt
    >>> y = torch.tensor([0.5, 50.0])
    >>> print(nlt.gaussian_density_power(torch.zeros(2), y, torch.ones(2), 0.5, reduction="none"))
    tensor([0.7357, 2.5157])
    """
    function = "gaussian_density_power"
    check_number(function, "beta", beta, NON_NEGATIVE)
    tensors(function, input=input, target=target, var=var)
    for name, values in (("input", input), ("target", target), ("var", var)):
        floating(function, name, values)
        same_shape(function, name, values, input)
    entries = Entries(function, target.shape, sample_weight, mask, reduction, denominator, empty)
    entries.check()
    entries.refuse("var", var, var.detach() <= 0, "var > 0", check)

    def loss(mean: Tensor, y: Tensor, v: Tensor) -> Tensor:
        log_peak = -0.5 * (v.log() + math.log(2 * math.pi))
        sigma, residual = v.sqrt(), y - mean
        if beta == 0.0:
            return 0.5 * (residual / sigma) ** 2 - log_peak
        # f^beta, and with it all that a residual does, is 0 long before its square overflows
        gone = beta * (log_peak - 0.5 * (residual / sigma) ** 2).detach() < math.log(torch.finfo(v.dtype).tiny)
        log_f = log_peak - 0.5 * (torch.where(gone, 0.0, residual) / sigma) ** 2
        power = torch.where(gone, 0.0, torch.exp(beta * log_f))
        whole = torch.exp(beta * log_peak) * (1.0 + beta) ** -0.5
        # -(1 + 1 / beta) f^beta + 1 / beta without their difference
        return whole - power - torch.where(gone, -1.0, expm1(beta * log_f)) / beta

    return entries.reduce(loss, (widened(input), widened(target), widened(var)), (0.0, 0.0, 1.0))
