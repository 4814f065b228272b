"""The loss of mixture density networks: Gaussian components whose parameters are tensors."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

from neglog.errors import ShapeError
from neglog.torch.arguments import Empty, Reduction, floating
from neglog.torch.entries import Entries
from neglog.torch.reference import widened


class GaussianMixture(NamedTuple):
    """K Gaussian components in D dimensions for each row: what :class:`MixtureDensityHead` gives.

    Attributes
    ----------
    logits : (..., K) tensor
        Log-weights up to a constant.
    loc : (..., K, D) tensor
        Means.
    scale : tensor
        ``(..., K, D)`` standard deviations; ``(..., K, 1)`` one for all dimensions; ``(..., K, D, D)`` the lower
        triangular Cholesky factors of covariances.

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> two = nlt.GaussianMixture(torch.zeros(2), torch.tensor([[-1.0], [1.0]]), torch.ones(2, 1))
    >>> two.mean(), two.var()
    (tensor([0.]), tensor([2.]))
    """

    logits: Tensor
    loc: Tensor
    scale: Tensor

    @property
    def full(self) -> bool:
        """Whether ``scale`` holds Cholesky factors."""
        return self.scale.dim() > self.loc.dim()

    def mean(self) -> Tensor:
        """Expected values ``(..., D)``."""
        return (self.logits.softmax(-1).unsqueeze(-1) * self.loc).sum(-2)

    def var(self) -> Tensor:
        """Variances ``(..., D)``: of the components and between them."""
        weight = self.logits.softmax(-1).unsqueeze(-1)
        within = (self.scale**2).sum(-1) if self.full else self.scale**2
        return (weight * (within + (self.loc - self.mean().unsqueeze(-2)) ** 2)).sum(-2)

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """One draw for each row, ``(..., D)``."""
        weight = self.logits.detach().softmax(-1)
        flat = weight.reshape(-1, weight.shape[-1])
        chosen = torch.multinomial(flat, 1, generator=generator).reshape(weight.shape[:-1])
        loc, scale = _component(self.loc.detach(), chosen), _component(self.scale.detach(), chosen)
        noise = torch.randn(loc.shape, dtype=loc.dtype, device=loc.device, generator=generator)
        return loc + ((scale @ noise.unsqueeze(-1)).squeeze(-1) if self.full else scale * noise)


def _component(values: Tensor, chosen: Tensor) -> Tensor:
    """The values of the chosen component, whose axis stands where ``chosen`` ends."""
    index = chosen.reshape(chosen.shape + (1,) * (values.dim() - chosen.dim()))
    index = index.expand(*chosen.shape, 1, *values.shape[chosen.dim() + 1 :])
    return values.gather(chosen.dim(), index).squeeze(chosen.dim())


def mixture_density_nll_loss(
    input: GaussianMixture | tuple[Tensor, Tensor, Tensor],
    target: Tensor,
    reduction: Reduction = "mean",
    *,
    sample_weight: Tensor | None = None,
    mask: Tensor | None = None,
    denominator: Any = None,
    empty: Empty = "zero",
    check: bool = False,
) -> Tensor:
    r"""Negative log-likelihood of a mixture of Gaussians, the loss of a mixture density network.

    .. math:: -\log \sum_k \pi_k\, N(y; \mu_k, \Sigma_k), \qquad \pi = \mathrm{softmax}(a)

    With the responsibilities :math:`\gamma_k = \pi_k N_k / \sum_j \pi_j N_j` its gradients are :math:`\pi_k - \gamma_k`
    in the logits, :math:`\gamma_k (\mu_k - y) / \sigma_k^2` in the means and :math:`\gamma_k (1 - (y - \mu_k)^2 /
    \sigma_k^2)` in the logarithms of the standard deviations.

    Parameters
    ----------
    input : GaussianMixture
        Or ``(logits, loc, scale)`` of its shapes.
    target : (..., D) tensor
    reduction : "mean", "sum" or "none"
        Over rows: ``"none"`` has the shape ``(...)``.
    sample_weight, mask : tensors of that shape, optional
    denominator, empty
        As in :func:`gaussian_nll_loss`.
    check : bool
        Look for scales that are not positive on any device (which waits for it); on the CPU that happens anyway.

    Returns
    -------
    Tensor in nats, constants included: float64 for float64 input, float32 for narrower ones.

    Raises
    ------
    ShapeError
        Shapes that do not match; nothing is broadcast, but the one standard deviation of ``(..., K, 1)``.
    InputKindError
        A scale (or a diagonal of a factor) that is not positive.

    Notes
    -----
    In logarithms to the end: a row far from every component costs its squared distance, where the sum of densities
    would be 0 and its logarithm ``-inf``. Components have no order: compare densities, not parameters. A component
    whose scale may shrink onto a point or a repeated value has no lower bound; :class:`MixtureDensityHead` sets one.

    Source: Bishop, "Mixture density networks", NCRG/94/004 (1994).

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> weights = torch.tensor([0.2, 0.5, 0.3]).log()
    >>> means, scales = torch.tensor([[-1.0], [0.2], [2.0]]), torch.tensor([[0.5], [0.3], [1.0]])
    >>> nlt.mixture_density_nll_loss((weights, means, scales), torch.tensor([0.6]))
    tensor(1.1419)
    """
    function = "mixture_density_nll_loss"
    logits, loc, scale = input
    floating(function, "logits", logits)
    full = scale.dim() > loc.dim()
    mixture_shapes(function, logits, loc, target)
    shapes = (loc.shape + loc.shape[-1:],) if full else (loc.shape, (*loc.shape[:-1], 1))
    if scale.shape not in shapes:
        raise ShapeError(
            f"{function}: scale has shape {tuple(scale.shape)}; allowed: {tuple(loc.shape)}, that of loc, with a last "
            "axis of 1 for one scale, or with a further one for Cholesky factors"
        )
    entries = Entries(function, target.shape[:-1], sample_weight, mask, reduction, denominator, empty)
    entries.check()
    diagonal = scale.diagonal(dim1=-2, dim2=-1) if full else scale
    entries.refuse("scale", diagonal, diagonal <= 0, "scales > 0", check)
    a = widened(logits)
    tensors = (a, loc.to(a.dtype), scale.to(a.dtype), target.to(a.dtype))
    unit = torch.eye(loc.shape[-1], dtype=a.dtype, device=a.device) if full else 1.0
    return entries.reduce(_gaussian_mixture, tensors, (0.0, 0.0, unit, 0.0))


def _gaussian_mixture(logits: Tensor, loc: Tensor, scale: Tensor, y: Tensor) -> Tensor:
    apart = y.unsqueeze(-2) - loc
    if scale.dim() > loc.dim():
        z = torch.linalg.solve_triangular(scale, apart.unsqueeze(-1), upper=False).squeeze(-1)
        size = scale.diagonal(dim1=-2, dim2=-1)
    else:
        z, size = apart / scale, scale.expand(loc.shape)
    each = (0.5 * z * z + torch.log(size)).sum(-1) + 0.5 * loc.shape[-1] * math.log(2 * math.pi)
    return mixed(logits, each)


def mixed(logits: Tensor, each: Tensor) -> Tensor:
    """``-log sum_k pi_k exp(-each_k)``."""
    return -torch.logsumexp(torch.log_softmax(logits, -1) - each, -1)


def mixture_shapes(function: str, logits: Tensor, loc: Tensor, target: Tensor) -> None:
    if not target.dim() or not logits.dim():
        raise ShapeError(f"{function}: target needs an axis for the dimensions and logits one for the components")
    expect(function, "logits", logits, target.shape[:-1] + logits.shape[-1:])
    expect(function, "loc", loc, target.shape[:-1] + logits.shape[-1:] + target.shape[-1:])


def expect(function: str, name: str, values: Tensor, shape: tuple[int, ...]) -> None:
    if values.shape != shape:
        raise ShapeError(
            f"{function}: {name} has shape {tuple(values.shape)}; allowed: {tuple(shape)} (nothing is broadcast)"
        )
