"""The losses of means, variances and counts as modules, in the manner of :mod:`neglog.torch.modules`."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from neglog.torch.arguments import Empty, Reduction
from neglog.torch.counts import Constant, poisson_nll_loss
from neglog.torch.gaussian import (
    beta_nll_loss,
    faithful_gaussian_nll_loss,
    gaussian_nll_loss,
    natural_gaussian_nll_loss,
)
from neglog.torch.modules import LossModule


class GaussianNLLLoss(LossModule):
    """Negative log-likelihood of a mean and a variance: :func:`neglog.torch.gaussian_nll_loss` as a module.

    Parameters
    ----------
    full, eps, reduction
        As in ``torch.nn.GaussianNLLLoss``.
    empty, check
        As in :func:`neglog.torch.gaussian_nll_loss`.

    Notes
    -----
    ``forward(input, target, var, *, sample_weight=None, mask=None, denominator=None)``.

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> nlt.GaussianNLLLoss(full=True)(torch.tensor([0.4]), torch.tensor([1.3]), torch.tensor([0.5]))
    tensor(1.3824)
    """

    def __init__(
        self,
        *,
        full: bool = False,
        eps: float = 1e-6,
        reduction: Reduction = "mean",
        empty: Empty = "zero",
        check: bool = False,
    ) -> None:
        super().__init__(None, None, reduction, empty, check)
        self.full = full
        self.eps = eps

    def forward(
        self,
        input: Tensor,
        target: Tensor,
        var: Tensor | float,
        *,
        sample_weight: Tensor | None = None,
        mask: Tensor | None = None,
        denominator: Any = None,
    ) -> Tensor:
        return gaussian_nll_loss(
            input, target, var, self.full, self.eps, self.reduction, sample_weight=sample_weight, mask=mask,
            denominator=denominator, empty=self.empty, check=self.check,
        )  # fmt: skip


class BetaNLLLoss(LossModule):
    """Gaussian loss with residuals weighed by a power of the variance: :func:`neglog.torch.beta_nll_loss` as a module.

    Parameters
    ----------
    beta, eps, reduction, empty, check
        As in :func:`neglog.torch.beta_nll_loss`.

    Notes
    -----
    ``forward(input, target, var, *, sample_weight=None, mask=None, denominator=None)``.

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> nlt.BetaNLLLoss(beta=1.0)(torch.tensor([0.4]), torch.tensor([1.3]), torch.tensor([0.5]))
    tensor(0.2317)
    """

    def __init__(
        self,
        beta: float = 0.5,
        *,
        eps: float = 1e-6,
        reduction: Reduction = "mean",
        empty: Empty = "zero",
        check: bool = False,
    ) -> None:
        super().__init__(None, None, reduction, empty, check)
        self.beta = beta
        self.eps = eps

    def forward(
        self,
        input: Tensor,
        target: Tensor,
        var: Tensor | float,
        *,
        sample_weight: Tensor | None = None,
        mask: Tensor | None = None,
        denominator: Any = None,
    ) -> Tensor:
        return beta_nll_loss(
            input, target, var, self.beta, self.eps, self.reduction, sample_weight=sample_weight, mask=mask,
            denominator=denominator, empty=self.empty, check=self.check,
        )  # fmt: skip


class FaithfulGaussianNLLLoss(LossModule):
    """Gaussian loss that trains the mean as the squared error does: :func:`neglog.torch.faithful_gaussian_nll_loss`.

    Parameters
    ----------
    full, eps, reduction, empty, check
        As in :func:`neglog.torch.faithful_gaussian_nll_loss`.

    Notes
    -----
    ``forward(input, target, var, *, sample_weight=None, mask=None, denominator=None)``.

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> nlt.FaithfulGaussianNLLLoss()(torch.tensor([0.4]), torch.tensor([1.3]), torch.tensor([0.5]))
    tensor(0.8684)
    """

    def __init__(
        self,
        *,
        full: bool = False,
        eps: float = 1e-6,
        reduction: Reduction = "mean",
        empty: Empty = "zero",
        check: bool = False,
    ) -> None:
        super().__init__(None, None, reduction, empty, check)
        self.full = full
        self.eps = eps

    def forward(
        self,
        input: Tensor,
        target: Tensor,
        var: Tensor | float,
        *,
        sample_weight: Tensor | None = None,
        mask: Tensor | None = None,
        denominator: Any = None,
    ) -> Tensor:
        return faithful_gaussian_nll_loss(
            input, target, var, self.full, self.eps, self.reduction, sample_weight=sample_weight, mask=mask,
            denominator=denominator, empty=self.empty, check=self.check,
        )  # fmt: skip


class NaturalGaussianNLLLoss(LossModule):
    """Gaussian loss of natural parameters: :func:`neglog.torch.natural_gaussian_nll_loss` as a module.

    Parameters
    ----------
    full, reduction, empty, check
        As in :func:`neglog.torch.natural_gaussian_nll_loss`.

    Notes
    -----
    ``forward(input, target, curvature, *, sample_weight=None, mask=None, denominator=None)``.

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> nlt.NaturalGaussianNLLLoss(full=True)(torch.tensor([0.8]), torch.tensor([1.3]), torch.tensor([-1.0]))
    tensor(1.3824)
    """

    def __init__(
        self,
        *,
        full: bool = False,
        reduction: Reduction = "mean",
        empty: Empty = "zero",
        check: bool = False,
    ) -> None:
        super().__init__(None, None, reduction, empty, check)
        self.full = full

    def forward(
        self,
        input: Tensor,
        target: Tensor,
        curvature: Tensor,
        *,
        sample_weight: Tensor | None = None,
        mask: Tensor | None = None,
        denominator: Any = None,
    ) -> Tensor:
        return natural_gaussian_nll_loss(
            input, target, curvature, self.full, self.reduction, sample_weight=sample_weight, mask=mask,
            denominator=denominator, empty=self.empty, check=self.check,
        )  # fmt: skip


class PoissonNLLLoss(LossModule):
    """Negative log-likelihood of counts: :func:`neglog.torch.poisson_nll_loss` as a module.

    Parameters
    ----------
    log_input, full, size_average, eps, reduce, reduction
        As in ``torch.nn.PoissonNLLLoss``; ``full=True`` is exact, ``"stirling"`` torch's approximation.
    empty, check
        As in :func:`neglog.torch.poisson_nll_loss`.

    Notes
    -----
    ``forward(log_input, target, *, sample_weight=None, mask=None, denominator=None)``.

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> nlt.PoissonNLLLoss(full=True)(torch.tensor([0.0]), torch.tensor([3]))
    tensor(2.7918)
    """

    def __init__(
        self,
        log_input: bool = True,
        full: Constant = False,
        size_average: bool | None = None,
        eps: float = 0.0,
        reduce: bool | None = None,
        reduction: Reduction = "mean",
        *,
        empty: Empty = "zero",
        check: bool = False,
    ) -> None:
        super().__init__(size_average, reduce, reduction, empty, check)
        self.log_input = log_input
        self.full: Constant = full
        self.eps = eps

    def forward(
        self,
        log_input: Tensor,
        target: Tensor,
        *,
        sample_weight: Tensor | None = None,
        mask: Tensor | None = None,
        denominator: Any = None,
    ) -> Tensor:
        return poisson_nll_loss(
            log_input, target, self.log_input, self.full, eps=self.eps, reduction=self.reduction,
            sample_weight=sample_weight, mask=mask, denominator=denominator, empty=self.empty, check=self.check,
        )  # fmt: skip
