"""The last layer of a mixture density network, made so that training can start from it."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from neglog.errors import DataError, ParameterError, ShapeError
from neglog.torch.heads import softplus_inverse
from neglog.torch.mixtures import GaussianMixture

Covariance = Literal["diagonal", "isotropic", "full"]
_ROUNDS = 20  # of k-means: where components start need not be more exact


class MixtureDensityHead(nn.Module):
    r"""Mixtures of K Gaussians from features, for :func:`mixture_density_nll_loss`.

    In units of the targets' mean :math:`m` and standard deviation :math:`s`, :math:`\mu_k = m + s\,(W h + b)_k` and
    :math:`\sigma_k = s\,(\mathrm{softplus}(V h + c)_k + \text{floor})`.

    Parameters
    ----------
    in_features, components : int
        Length of the features and number K of components.
    out_features : int
        Dimensions D of a target.
    covariance : "diagonal", "isotropic" or "full"
        One standard deviation per dimension, one for all of them, or a Cholesky factor.
    floor : float > 0
        The least standard deviation, relative to that of the targets. Without one a component shrinks onto a point, or
        onto a value that repeats, and the likelihood has no bound.
    targets : (n, D) or (n,) tensor, optional
        Training targets to start from, as by :meth:`initialize`. Without them they are taken to be standardised.

    Notes
    -----
    ``forward(features) -> GaussianMixture`` of shapes ``(..., K)``, ``(..., K, D)`` and that of the covariance.

    A component far from all data gets no responsibility, no gradient, and never comes back. Here they start at the
    centers of K clusters of the targets, each as wide as the distance to its neighbours, all with the same weight, so
    that each is responsible for something.

    Source: Bishop, "Mixture density networks", NCRG/94/004 (1994).

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> y = torch.tensor([0.0, 0.1, 5.0, 5.1, 9.9, 10.0])
    >>> head = nlt.MixtureDensityHead(4, components=3, targets=y)
    >>> mixture = head(torch.zeros(2, 4))
    >>> mixture.loc.shape
    torch.Size([2, 3, 1])
    >>> [round(m, 2) for m in mixture.loc[0, :, 0].tolist()]
    [0.05, 5.05, 9.95]
    """

    shift: Tensor
    unit: Tensor

    def __init__(
        self,
        in_features: int,
        components: int,
        out_features: int = 1,
        *,
        covariance: Covariance = "diagonal",
        floor: float = 1e-3,
        targets: Tensor | None = None,
    ) -> None:
        super().__init__()
        if covariance not in ("diagonal", "isotropic", "full"):
            raise ParameterError(
                f"MixtureDensityHead: covariance={covariance!r}; allowed: 'diagonal', 'isotropic', 'full'"
            )
        if not (0 < floor < 0.1 and components >= 1 and out_features >= 1):
            raise ParameterError(
                f"MixtureDensityHead: floor={floor!r}, components={components!r}, out_features={out_features!r}; "
                "allowed: 0 < floor < 0.1, and at least one of both"
            )
        self.components, self.out_features = components, out_features
        self.covariance, self.floor = covariance, floor
        self.logits = nn.Linear(in_features, components)
        self.loc = nn.Linear(in_features, components * out_features)
        self.raw_scale = nn.Linear(in_features, components * (1 if covariance == "isotropic" else out_features))
        self.lower = nn.Linear(in_features, components * out_features**2) if covariance == "full" else None
        self.register_buffer("shift", torch.zeros(out_features))
        self.register_buffer("unit", torch.ones(out_features))
        if targets is None:
            self._start_at(_normal_centers(components, out_features))
        else:
            self.initialize(targets)

    @torch.no_grad()
    def initialize(self, targets: Tensor) -> None:
        """Units and places from training targets, ``(n, D)``, or ``(n,)`` for one dimension.

        Raises
        ------
        ShapeError
        DataError
            Targets that are not finite, or all equal in a dimension.
        """
        y = targets.detach().to(self.unit)
        y = y.unsqueeze(-1) if y.dim() == 1 and self.out_features == 1 else y
        if y.dim() != 2 or y.shape[1] != self.out_features:
            raise ShapeError(
                f"MixtureDensityHead.initialize: targets has shape {tuple(targets.shape)}; allowed: "
                f"(n, {self.out_features})"
            )
        unit = y.std(0, correction=0) if len(y) else y.sum(0)
        if not bool((unit.isfinite() & (unit > 0)).all()):
            raise DataError("MixtureDensityHead.initialize: targets have to be finite and not all equal in a dimension")
        self.shift.copy_(y.mean(0))
        self.unit.copy_(unit)
        self._start_at(_cluster_centers((y - self.shift) / self.unit, self.components))

    @torch.no_grad()
    def _start_at(self, centers: Tensor) -> None:  # (K, D)
        """Components at the centers for features of 0, each as wide as the distance to its neighbour; equal weights."""
        near = torch.cdist(centers.double(), centers.double()).fill_diagonal_(math.inf).amin(1)
        width = torch.where(near.isfinite(), near, 1.0).clamp(10 * self.floor, 1.0)
        raw = torch.tensor([softplus_inverse(w - self.floor) for w in width.tolist()])
        self.loc.bias.copy_(centers.reshape(-1))
        self.raw_scale.bias.copy_(raw.repeat_interleave(self.raw_scale.out_features // self.components))
        nn.init.zeros_(self.logits.bias)
        if self.lower is not None:
            nn.init.zeros_(self.lower.bias)

    def forward(self, features: Tensor) -> GaussianMixture:
        batch = features.shape[:-1]
        loc = self.shift + self.unit * self.loc(features).reshape(*batch, self.components, self.out_features)
        size = functional.softplus(self.raw_scale(features)).reshape(*batch, self.components, -1) + self.floor
        return GaussianMixture(self.logits(features), loc, self._scale(features, size))

    def _scale(self, features: Tensor, size: Tensor) -> Tensor:
        if self.covariance == "isotropic":
            return size * self.unit.log().mean().exp()
        if self.covariance == "diagonal":
            return size * self.unit
        factor = torch.diag_embed(size)
        if self.lower is not None:
            factor = factor + self.lower(features).reshape(factor.shape).tril(-1)
        return factor * self.unit.unsqueeze(-1)

    def extra_repr(self) -> str:
        return f"components={self.components}, covariance={self.covariance!r}, floor={self.floor}"


def _normal_centers(count: int, size: int) -> Tensor:
    """Quantiles of standard normal targets, in another order along each further axis."""
    quantiles = torch.special.ndtri((torch.arange(count) + 0.5) / count)
    return torch.stack([quantiles, *(quantiles[torch.randperm(count)] for _ in range(size - 1))], 1)


def _cluster_centers(y: Tensor, count: int) -> Tensor:  # (n, D) -> (K, D)
    """k-means from quantiles along the longest axis of the data."""
    axis = torch.linalg.eigh(y.T @ y)[1][:, -1]
    along = y @ (axis * torch.where(axis.sum() < 0, -1.0, 1.0))
    order = along.argsort()
    centers = y[order[((torch.arange(count) + 0.5) / count * len(y)).long()]]
    for _ in range(_ROUNDS):
        nearest = torch.cdist(y, centers).argmin(1)
        total = torch.zeros_like(centers).index_add_(0, nearest, y)
        members = torch.bincount(nearest, minlength=count).unsqueeze(1)
        centers = torch.where(members > 0, total / members.clamp(min=1), centers)
    return centers
