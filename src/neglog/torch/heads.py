"""Last layers that turn features into the two parameters of a Gaussian."""

from __future__ import annotations

import math

from torch import Tensor, nn
from torch.nn import functional

from neglog.errors import ParameterError


class GaussianHead(nn.Module):
    r"""Means and variances from features: :math:`\mu = W_1 h + b_1`, :math:`v = \mathrm{softplus}(W_2 h + b_2) + v_0`.

    Parameters
    ----------
    in_features, out_features : int
        Length of the features and number of outputs.
    initial_var : float > min_var
        The variance at features of 0, where training starts; 1 for standardised targets.
    min_var : float > 0
        ``v_0``, the floor, relative to targets of unit variance. Without one the loss has no lower bound as soon as a
        residual can be 0; unlike a clamp it leaves a gradient.
    faithful : bool
        The variance reads the features detached, so that it does not move what the mean is made of: for
        :func:`faithful_gaussian_nll_loss`. The mean then trains exactly as under the squared error.

    Notes
    -----
    ``forward(features) -> (mean, var)``, each ``(..., out_features)``. The layer of the means is made first, so that
    with the same seed it starts as ``torch.nn.Linear(in_features, out_features)`` would.

    Source: Nix and Weigend (1994); floor and start as in the code of Seitzer et al., ICLR 2022.

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> head = nlt.GaussianHead(3, 2)
    >>> mean, var = head(torch.zeros(5, 3))
    >>> mean.shape, torch.allclose(var, torch.ones(5, 2))
    (torch.Size([5, 2]), True)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int = 1,
        *,
        initial_var: float = 1.0,
        min_var: float = 1e-6,
        faithful: bool = False,
    ) -> None:
        super().__init__()
        if not 0.0 < min_var < initial_var < math.inf:
            raise ParameterError(
                f"GaussianHead: min_var={min_var!r} and initial_var={initial_var!r}; allowed: 0 < min_var < initial_var"
            )
        self.min_var, self.faithful = min_var, faithful
        self.mean = nn.Linear(in_features, out_features)
        self.raw_var = nn.Linear(in_features, out_features)
        nn.init.constant_(self.raw_var.bias, softplus_inverse(initial_var - min_var))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        spread = self.raw_var(features.detach() if self.faithful else features)
        return self.mean(features), functional.softplus(spread) + self.min_var

    def extra_repr(self) -> str:
        return f"min_var={self.min_var}, faithful={self.faithful}"


class NaturalGaussianHead(nn.Module):
    r"""Natural parameters from features: :math:`\eta_1 = W_1 h + b_1`, :math:`\eta_2 = -\tfrac12 (\mathrm{softplus}(W_2
    h + b_2) + p_0)`.

    Parameters
    ----------
    in_features, out_features : int
        Length of the features and number of outputs.
    initial_var : float > 0
        The variance at features of 0, where training starts; 1 for standardised targets.
    min_precision : float > 0
        ``p_0``, which bounds the variance by ``1 / p_0``.

    Notes
    -----
    ``forward(features) -> (eta_1, eta_2)``, the arguments of :func:`natural_gaussian_nll_loss`;
    ``moments(features) -> (mean, var)``.

    Source: Immer et al., NeurIPS 2023.

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> head = nlt.NaturalGaussianHead(3)
    >>> mean, var = head.moments(torch.zeros(5, 3))
    >>> torch.allclose(var, torch.ones(5, 1))
    True
    """

    def __init__(
        self,
        in_features: int,
        out_features: int = 1,
        *,
        initial_var: float = 1.0,
        min_precision: float = 1e-6,
    ) -> None:
        super().__init__()
        if not (min_precision > 0 and 0 < initial_var < 1 / min_precision):
            raise ParameterError(
                f"NaturalGaussianHead: min_precision={min_precision!r} and initial_var={initial_var!r}; allowed: both "
                "positive, with initial_var < 1 / min_precision"
            )
        self.min_precision = min_precision
        self.first = nn.Linear(in_features, out_features)
        self.raw_precision = nn.Linear(in_features, out_features)
        nn.init.constant_(self.raw_precision.bias, softplus_inverse(1 / initial_var - min_precision))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        precision = functional.softplus(self.raw_precision(features)) + self.min_precision
        return self.first(features), -0.5 * precision

    def moments(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance of the outputs."""
        eta, curvature = self(features)
        var = -0.5 / curvature
        return eta * var, var

    def extra_repr(self) -> str:
        return f"min_precision={self.min_precision}"


def softplus_inverse(y: float) -> float:
    """The ``x`` with ``log(1 + e^x) = y > 0``."""
    return y + math.log(-math.expm1(-y))
