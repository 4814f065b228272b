"""Losses of directions: the cosine, and the von Mises-Fisher likelihood that makes a likelihood of it."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from neglog.errors import ParameterError, ShapeError
from neglog.torch.arguments import Empty, Reduction, floating, per_entry
from neglog.torch.bessel import log_bessel
from neglog.torch.entries import Entries, same_shape
from neglog.torch.reference import widened
from neglog.torch.targets import TOLERANCE


def cosine_loss(
    input: Tensor,
    target: Tensor,
    dim: int = -1,
    reduction: Reduction = "mean",
    *,
    sample_weight: Tensor | None = None,
    mask: Tensor | None = None,
    denominator: Any = None,
    empty: Empty = "zero",
) -> Tensor:
    r"""Minus the cosine of the angle between two vectors: -1 for one direction, 1 for opposite ones.

    .. math:: -\frac{x \cdot y}{\lVert x \rVert \lVert y \rVert}

    Parameters
    ----------
    input, target : tensors of one shape, floating
        Vectors along ``dim``, of any length; one of length 0 has the loss 0 and no gradient.
    dim : int
        The axis of the vectors.
    reduction : "mean", "sum" or "none"
        ``"none"`` has the shape without ``dim``.
    sample_weight, mask : tensors of that shape, optional
    denominator, empty
        As in :func:`gaussian_nll_loss`.

    Returns
    -------
    Tensor: float64 for float64 input, float32 for narrower ones.

    Raises
    ------
    ShapeError
        Shapes that differ; nothing is broadcast.

    Notes
    -----
    Up to constants the negative log-likelihood of a von Mises-Fisher distribution of fixed concentration
    (:func:`von_mises_fisher_nll_loss`). The convention is that of Keras' ``CosineSimilarity``, without its epsilon.

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> y, x = torch.tensor([[0.0, 1.0], [1.0, 1.0]]), torch.tensor([[1.0, 0.0], [2.0, 2.0]])
    >>> nlt.cosine_loss(x, y)
    tensor(-0.5000)
    """
    function = "cosine_loss"
    x, y = _vectors(function, input, target, dim)
    entries = Entries(function, x.shape[:-1], sample_weight, mask, reduction, denominator, empty)
    entries.check()

    def loss(x: Tensor, y: Tensor) -> Tensor:
        return -(direction(x) * direction(y)).sum(-1)

    return entries.reduce(loss, (x, y), (1.0, 1.0))


def von_mises_fisher_nll_loss(
    input: Tensor,
    target: Tensor,
    concentration: Tensor | float | None = None,
    reduction: Reduction = "mean",
    *,
    sample_weight: Tensor | None = None,
    mask: Tensor | None = None,
    denominator: Any = None,
    empty: Empty = "zero",
    check: bool = False,
) -> Tensor:
    r"""Negative log-likelihood of directions: von Mises-Fisher on the sphere in ``d`` dimensions.

    .. math:: -\log C_d(\kappa) - \kappa\, \mu \cdot y, \qquad
        C_d(\kappa) = \frac{\kappa^{d/2 - 1}}{(2\pi)^{d/2} I_{d/2-1}(\kappa)}

    Parameters
    ----------
    input : (..., d) tensor, d >= 2
        ``kappa mu``: direction and concentration in one vector of any length. With ``concentration``: the direction
        only, whatever its length.
    target : tensor of the same shape
        Unit vectors ``y``.
    concentration : tensor that broadcasts to ``(...)``, or number, optional
        ``kappa >= 0``.
    reduction : "mean", "sum" or "none"
        ``"none"`` has the shape ``(...)``.
    sample_weight, mask : tensors of that shape, optional
    denominator, empty
        As in :func:`gaussian_nll_loss`.
    check : bool
        Look for vectors that are no unit vectors on any device (which waits for it); on the CPU that happens anyway.

    Returns
    -------
    Tensor in nats per unit of surface: float64 for float64 input, float32 for narrower ones. ``kappa = 0`` is the
    uniform distribution and smooth.

    Raises
    ------
    ShapeError
    InputKindError
        A target whose length is not 1 (by more than rounding), or a negative concentration.

    Notes
    -----
    :math:`\kappa - \kappa \mu \cdot y = \tfrac12 \kappa \lVert \mu - y \rVert^2` and the scaled Bessel function, so
    that a sharp prediction that is right keeps its digits; any ``d`` and ``kappa``, without overflow.

    Source: Mardia and Jupp, "Directional Statistics" (2000), section 9.3.2.

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> x, y = torch.tensor([[0.0, 0.0, 2.0]]), torch.tensor([[0.0, 0.6, 0.8]])
    >>> nlt.von_mises_fisher_nll_loss(x, y)
    tensor(1.5262)
    >>> nlt.von_mises_fisher_nll_loss(x, y, concentration=0.0)  # the area of the sphere
    tensor(2.5310)
    """
    function = "von_mises_fisher_nll_loss"
    x, y = _vectors(function, input, target, -1)
    size, dtype = x.shape[-1], x.dtype
    if size < 2:
        raise ShapeError(f"{function}: input has shape {tuple(input.shape)}; allowed: (..., d) with d >= 2")
    entries = Entries(function, x.shape[:-1], sample_weight, mask, reduction, denominator, empty)
    entries.check()
    length = torch.linalg.vector_norm(y.detach(), dim=-1)
    off = (length - 1).abs() > TOLERANCE[target.dtype.itemsize if target.is_floating_point() else 8]
    entries.refuse("target", length, off, "vectors of length 1", check)
    if x.device.type != "mps":
        x, y = x.double(), y.double()
    tensors = [x, y]
    if concentration is not None:
        if not isinstance(concentration, Tensor):
            concentration = torch.full((), concentration, dtype=x.dtype, device=x.device)
        try:
            concentration = concentration.to(x.dtype).expand(x.shape[:-1])
        except RuntimeError:
            per_entry(function, "concentration", concentration, x.shape[:-1])
        entries.refuse("concentration", concentration, concentration < 0, "concentration >= 0", check)
        tensors.append(concentration)

    def loss(x: Tensor, y: Tensor, *kappa: Tensor) -> Tensor:
        natural = direction(x) * kappa[0].unsqueeze(-1) if kappa else x
        return _von_mises_fisher(natural, direction(y)).to(dtype)

    return entries.reduce(loss, tensors, (1.0, size**-0.5, 1.0)[: len(tensors)])


def _von_mises_fisher(natural: Tensor, y: Tensor) -> Tensor:
    """``-log C_d(kappa) - kappa mu . y`` of ``natural = kappa mu`` and a unit vector."""
    size = natural.shape[-1]
    square = (natural * natural).sum(-1)
    large = square > 1
    kappa = torch.sqrt(torch.where(large, square, 1.0))
    apart = natural - kappa.unsqueeze(-1) * y
    misfit = torch.where(large, 0.5 * (apart * apart).sum(-1) / kappa, -(natural * y).sum(-1))
    return log_bessel(size / 2 - 1, square, large) + misfit + size / 2 * math.log(2 * math.pi)


def direction(x: Tensor) -> Tensor:
    """``x`` along its last axis with length 1; 0, with no gradient, where it is 0."""
    largest = x.detach().abs().amax(-1, keepdim=True)
    nothing = largest == 0
    x = torch.where(nothing, 1.0, x / torch.where(nothing, 1.0, largest))  # the squares neither overflow nor vanish
    return torch.where(nothing, 0.0, x / torch.sqrt((x * x).sum(-1, keepdim=True)))


def _vectors(function: str, input: Tensor, target: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """Both in the dtype of the arithmetic with the vectors along the last axis."""
    floating(function, "input", input)
    same_shape(function, "target", target, input)
    if not -input.dim() <= dim < input.dim():
        raise ParameterError(f"{function}: dim={dim} for input of shape {tuple(input.shape)}; allowed: one of its axes")
    x = widened(input)
    return x.movedim(dim, -1), target.to(x.dtype).movedim(dim, -1)
