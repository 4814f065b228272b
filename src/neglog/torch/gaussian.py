"""Gaussian losses of a mean and a variance: the likelihood in torch's signature, and three that train heads by it."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from neglog.errors import ParameterError, ShapeError
from neglog.torch.arguments import Empty, Reduction, floating
from neglog.torch.entries import Entries, same_shape
from neglog.torch.reference import widened

_HALF_LOG_2_PI = 0.5 * math.log(2 * math.pi)


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: Reduction = "mean",
    *,
    sample_weight: Tensor | None = None,
    mask: Tensor | None = None,
    denominator: Any = None,
    empty: Empty = "zero",
    check: bool = False,
) -> Tensor:
    r"""Negative log-likelihood of a Gaussian with the given mean and variance.

    .. math:: \tfrac12 \left[ \log v + \frac{(y - \mu)^2}{v} \right] \; (+ \tfrac12 \log 2\pi),
        \qquad v = \max(\mathrm{var}, \mathrm{eps})

    Parameters
    ----------
    input : tensor
        Means ``mu``: float16, bfloat16, float32 or float64.
    target : tensor of the same shape
        Observations ``y``.
    var : tensor or number
        Variances (not standard deviations, not their logarithms): of the shape of ``input``, with one axis of length 1
        instead, or without the last axis.
    full : bool
        Add the constant. Without it numbers do not compare with other likelihoods.
    eps : float >= 0
        Floor of the variance. The gradient is that of the value: 0 in ``var`` below the floor.
    reduction : "mean", "sum" or "none"
    sample_weight : tensor of the target's shape, optional
        Multiplies each loss; the mean divides by its sum.
    mask : bool tensor of the target's shape, optional
        True takes part; other entries are never read.
    denominator : optional
        What the mean divides by: ``"count"``, ``"weights"``, a number, a 0-d tensor or a process group.
    empty : "zero", "nan" or "raise"
        The mean when nothing takes part.
    check : bool
        Look for negative variances on any device (which waits for it); on the CPU that happens anyway.

    Returns
    -------
    Tensor in nats: float64 for float64 input, float32 for narrower ones.

    Raises
    ------
    ShapeError
        A target of another shape than the input, or a variance that fits neither; nothing else is broadcast.
    InputKindError
        A negative variance that takes part.

    Notes
    -----
    torch clamps the variance without telling its gradient, which below ``eps`` is then that of another function and
    drives the variance further down. A floor that still learns belongs into the model: :class:`GaussianHead` has one.

    A density may exceed 1, so a loss may be negative; with a variance that learns and a residual that can be 0 it has
    no lower bound but the one that ``eps`` sets.

    Source: Nix and Weigend, "Estimating the mean and variance of the target probability distribution" (1994).

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> mean, var = torch.tensor([0.4], requires_grad=True), torch.tensor([0.5], requires_grad=True)
    >>> loss = nlt.gaussian_nll_loss(mean, torch.tensor([1.3]), var, full=True)
    >>> loss.backward()
    >>> print(f"{loss.item():.6f} {mean.grad.item():.4f} {var.grad.item():.4f}")
    1.382365 -1.8000 -0.6200
    """
    function = "gaussian_nll_loss"
    entries = Entries(function, target.shape, sample_weight, mask, reduction, denominator, empty)
    tensors = _mean_variance(entries, input, target, var, eps, check)

    def loss(mean: Tensor, y: Tensor, v: Tensor) -> Tensor:
        return _loss(mean, y, v, full)

    return entries.reduce(loss, tensors, (0.0, 0.0, 1.0))


def beta_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    beta: float = 0.5,
    eps: float = 1e-6,
    reduction: Reduction = "mean",
    *,
    sample_weight: Tensor | None = None,
    mask: Tensor | None = None,
    denominator: Any = None,
    empty: Empty = "zero",
    check: bool = False,
) -> Tensor:
    r"""Gaussian loss whose residuals weigh more where the variance is large, so that the mean learns there too.

    .. math:: \lfloor v^\beta \rfloor \; \tfrac12 \left[ \log v + \frac{(y - \mu)^2}{v} \right]

    with a factor that is not differentiated. The gradients are :math:`v^{\beta-1} (\mu - y)` in the mean and
    :math:`\tfrac12 v^{\beta} (1/v - (y - \mu)^2 / v^2)` in the variance.

    Parameters
    ----------
    input, target, var, eps, reduction, sample_weight, mask, denominator, empty, check
        As in :func:`gaussian_nll_loss`.
    beta : float in [0, 1]
        0 is :func:`gaussian_nll_loss`; 1 gives the mean the gradient of the squared error.

    Returns
    -------
    Tensor: float64 for float64 input, float32 for narrower ones. To train with, not a likelihood: judge the model by
    :func:`gaussian_nll_loss`.

    Raises
    ------
    ShapeError, InputKindError, ParameterError

    Notes
    -----
    Source: Seitzer, Tavakoli, Antic, Martius, "On the pitfalls of heteroscedastic uncertainty estimation with
    probabilistic neural networks", ICLR 2022.

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> mean = torch.tensor([0.4], requires_grad=True)
    >>> loss = nlt.beta_nll_loss(mean, torch.tensor([1.3]), torch.tensor([0.5]), beta=1.0)
    >>> loss.backward()
    >>> print(f"{loss.item():.6f} {mean.grad.item():.4f}")
    0.231713 -0.9000
    """
    function = "beta_nll_loss"
    if not 0.0 <= beta <= 1.0:
        raise ParameterError(f"{function}: beta={beta!r}; allowed: 0 <= beta <= 1")
    entries = Entries(function, target.shape, sample_weight, mask, reduction, denominator, empty)
    tensors = _mean_variance(entries, input, target, var, eps, check)

    def loss(mean: Tensor, y: Tensor, v: Tensor) -> Tensor:
        return v.detach() ** beta * _loss(mean, y, v, False)

    return entries.reduce(loss, tensors, (0.0, 0.0, 1.0))


def faithful_gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: Reduction = "mean",
    *,
    sample_weight: Tensor | None = None,
    mask: Tensor | None = None,
    denominator: Any = None,
    empty: Empty = "zero",
    check: bool = False,
) -> Tensor:
    r"""Gaussian loss that leaves the mean exactly what the squared error would make of it.

    .. math:: \tfrac12 (y - \mu)^2 + \tfrac12 \left[ \log v + \frac{(y - \lfloor\mu\rfloor)^2}{v} \right]
        \; (+ \log 2\pi)

    The mean gets the gradient of unit variance, the variance that of the likelihood at a mean that is not
    differentiated. For a shared trunk the variance has to read its features detached: :class:`GaussianHead` with
    ``faithful=True``.

    Parameters
    ----------
    input, target, var, full, eps, reduction, sample_weight, mask, denominator, empty, check
        As in :func:`gaussian_nll_loss`.

    Returns
    -------
    Tensor: float64 for float64 input, float32 for narrower ones. The sum of two likelihoods: judge the model by
    :func:`gaussian_nll_loss`.

    Raises
    ------
    ShapeError, InputKindError

    Notes
    -----
    Source: Stirn et al., "Faithful heteroscedastic regression with neural networks", AISTATS 2023.

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> mean, var = torch.tensor([0.4], requires_grad=True), torch.tensor([0.5], requires_grad=True)
    >>> nlt.faithful_gaussian_nll_loss(mean, torch.tensor([1.3]), var).backward()
    >>> print(f"{mean.grad.item():.4f} {var.grad.item():.4f}")
    -0.9000 -0.6200
    """
    function = "faithful_gaussian_nll_loss"
    entries = Entries(function, target.shape, sample_weight, mask, reduction, denominator, empty)
    tensors = _mean_variance(entries, input, target, var, eps, check)

    def loss(mean: Tensor, y: Tensor, v: Tensor) -> Tensor:
        squared = 0.5 * (y - mean) ** 2
        return (squared + _HALF_LOG_2_PI if full else squared) + _loss(mean.detach(), y, v, full)

    return entries.reduce(loss, tensors, (0.0, 0.0, 1.0))


def natural_gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    curvature: Tensor,
    full: bool = False,
    reduction: Reduction = "mean",
    *,
    sample_weight: Tensor | None = None,
    mask: Tensor | None = None,
    denominator: Any = None,
    empty: Empty = "zero",
    check: bool = False,
) -> Tensor:
    r"""Negative log-likelihood of a Gaussian in its natural parameters, jointly convex in both.

    .. math:: -\eta_1 y - \eta_2 y^2 - \frac{\eta_1^2}{4 \eta_2} - \tfrac12 \log(-2\eta_2) \; (+ \tfrac12 \log 2\pi),
        \qquad \eta_1 = \frac{\mu}{v}, \; \eta_2 = -\frac{1}{2v}

    Its gradient is mean parameter minus sufficient statistic, :math:`(\mu - y, \mu^2 + v - y^2)`, and its Hessian the
    Fisher information.

    Parameters
    ----------
    input : tensor
        ``eta_1``: float16, bfloat16, float32 or float64.
    target : tensor of the same shape
    curvature : tensor of the same shape
        ``eta_2 < 0``.
    full : bool
        Add the constant.
    reduction, sample_weight, mask, denominator, empty, check
        As in :func:`gaussian_nll_loss`.

    Returns
    -------
    Tensor in nats: float64 for float64 input, float32 for narrower ones.

    Raises
    ------
    ShapeError
    InputKindError
        A positive ``eta_2`` that takes part.

    Notes
    -----
    Computed as :math:`\tfrac12 p (y - \eta_1 / p)^2 - \tfrac12 \log p` with :math:`p = -2 \eta_2`, where the squares of
    the formula cannot cancel.

    Source: Immer et al., "Effective Bayesian heteroscedastic regression with deep neural networks", NeurIPS 2023.

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> eta = torch.tensor([0.8], requires_grad=True), torch.tensor([-1.0], requires_grad=True)
    >>> loss = nlt.natural_gaussian_nll_loss(eta[0], torch.tensor([1.3]), eta[1], full=True)
    >>> loss.backward()
    >>> print(f"{loss.item():.6f} {eta[0].grad.item():.4f} {eta[1].grad.item():.4f}")
    1.382365 -0.9000 -1.0300
    """
    function = "natural_gaussian_nll_loss"
    floating(function, "input", input)
    same_shape(function, "target", target, input)
    same_shape(function, "curvature", curvature, input)
    entries = Entries(function, target.shape, sample_weight, mask, reduction, denominator, empty)
    entries.check()
    entries.refuse("curvature", curvature, curvature > 0, "eta_2 < 0, -1 / (2 var)", check)
    eta = widened(input)

    def loss(eta: Tensor, y: Tensor, curvature: Tensor) -> Tensor:
        precision = -2 * curvature
        value = 0.5 * precision * (y - eta / precision) ** 2 - 0.5 * torch.log(precision)
        return value + _HALF_LOG_2_PI if full else value

    return entries.reduce(loss, (eta, target.to(eta.dtype), curvature.to(eta.dtype)), (0.0, 0.0, -0.5))


def _loss(mean: Tensor, y: Tensor, var: Tensor, full: bool) -> Tensor:
    value = 0.5 * (torch.log(var) + (y - mean) ** 2 / var)
    return value + _HALF_LOG_2_PI if full else value


def _mean_variance(
    entries: Entries, input: Tensor, target: Tensor, var: Tensor | float, eps: float, check: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Mean, target and floored variance of the shape of the input, in the dtype of the arithmetic."""
    function = entries.function
    floating(function, "input", input)
    same_shape(function, "target", target, input)
    entries.check()
    if not eps >= 0:
        raise ParameterError(f"{function}: eps={eps!r}; allowed: eps >= 0")
    mean = widened(input)
    v = var if isinstance(var, Tensor) else torch.full((), var, dtype=mean.dtype, device=input.device)
    v = _fitted(function, v, input)
    entries.refuse("var", v, v < 0, "var >= 0, the variance (not its logarithm)", check)
    return mean, target.to(mean.dtype), v.to(mean.dtype).clamp(min=eps)


def _fitted(function: str, var: Tensor, input: Tensor) -> Tensor:
    """torch's rule: one variance for all, the shape of the input, one axis of length 1 instead, or no last axis."""
    if var.dim() and var.shape == input.shape[:-1] and var.shape != input.shape:
        var = var.unsqueeze(-1)
    if var.dim() == input.dim():
        others = [n for n, size in zip(var.shape, input.shape, strict=True) if n != size]
    else:
        others = [1] if var.dim() == 0 else [0]
    if others not in ([], [1]):
        raise ShapeError(
            f"{function}: var has shape {tuple(var.shape)}; allowed: that of input, {tuple(input.shape)}, with one "
            "axis of length 1 instead, or without the last axis"
        )
    return var.expand(input.shape)
