"""Losses of all probabilities of a row, for tensors: bi-tempered logistic, density power, forward correction."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from neglog.core.tempered import bi_tempered as checked_temperatures
from neglog.core.tempered import check_transition
from neglog.core.tempered import density_power as checked_power
from neglog.errors import ShapeError
from neglog.torch.arguments import Empty, Reduction, floating, tensors
from neglog.torch.classification import finished, prepared
from neglog.torch.modules import ClassLossModule
from neglog.torch.routing import may_look_at


def bi_tempered(
    input: Tensor,
    target: Tensor,
    t1: float = 0.8,
    t2: float = 1.2,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
    label_smoothing: float = 0.0,
    dim: int | None = None,
    sample_weight: Tensor | None = None,
    mask: Tensor | None = None,
    class_mask: Tensor | None = None,
    denominator: Any = None,
    temperature: float | Tensor = 1.0,
    softcap: float | Tensor | None = None,
    empty: Empty = "zero",
    check: bool = False,
) -> Tensor:
    r"""Bi-tempered logistic loss: bounded for outliers, with a heavy-tailed softmax for labels near the boundary.

    .. math:: \sum_k q_k (\log_{t_1} q_k - \log_{t_1} p_k) - \frac{q_k^{2 - t_1} - p_k^{2 - t_1}}{2 - t_1}, \qquad
        p_k = \exp_{t_2}(z_k - \lambda), \quad \sum_k p_k = 1

    Parameters
    ----------
    input : (C,), (N, C) or (N, C, d1, ...) tensor
        Activations ``z``: float16, bfloat16, float32 or float64.
    target : tensor
        Class indices, or probabilities ``q`` of the shape of ``input``.
    t1, t2, label_smoothing
        As in :func:`neglog.losses.bi_tempered`.
    weight, ignore_index, reduction, dim, sample_weight, mask, class_mask, denominator, temperature, softcap, empty,
    check
        As in :func:`neglog.torch.cross_entropy`.

    Returns
    -------
    Tensor in nats: float64 for float64 input, float32 for narrower ones.

    Raises
    ------
    ParameterError, TargetError, ShapeError, InputKindError

    Notes
    -----
    As :func:`neglog.losses.bi_tempered`, which has the source; differentiable twice.

    Examples
    --------
    >>> import torch, neglog.torch as nlt
    >>> print(f"{nlt.bi_tempered(torch.tensor([[-0.5, 0.1, 2.0]]), torch.tensor([[0.2, 0.3, 0.5]]), 0.5, 1.5):.6f}")
    0.023019
    """
    checked_temperatures("bi_tempered", t1, t2)
    loss, x = prepared(
        "bi_tempered", input, target, weight, ignore_index, label_smoothing, dim, sample_weight, mask, class_mask,
        temperature, softcap, 0.0, check,
    )  # fmt: skip
    loss = loss._replace(deformation="bi_tempered", parameters=[float(t1), float(t2)])
    return finished("bi_tempered", loss, x, input, reduction, denominator, empty)


def density_power(
    input: Tensor,
    target: Tensor,
    beta: float = 0.5,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
    dim: int | None = None,
    sample_weight: Tensor | None = None,
    mask: Tensor | None = None,
    class_mask: Tensor | None = None,
    denominator: Any = None,
    temperature: float | Tensor = 1.0,
    softcap: float | Tensor | None = None,
    empty: Empty = "zero",
    check: bool = False,
) -> Tensor:
    r"""Density power divergence of a class: from cross-entropy (``beta = 0``) to the Brier score (``beta = 1``).

    .. math:: \sum_k p_k^{1 + \beta} - \Bigl(1 + \frac1\beta\Bigr) p_y^\beta + \frac1\beta, \qquad
        p = \operatorname{softmax}(z)

    Parameters
    ----------
    input : (C,), (N, C) or (N, C, d1, ...) tensor
        Logits ``z``.
    target : tensor
        Class indices, or probabilities of the shape of ``input``.
    beta : float >= 0
        As in :func:`neglog.losses.density_power`.
    weight, ignore_index, reduction, dim, sample_weight, mask, class_mask, denominator, temperature, softcap, empty,
    check
        As in :func:`neglog.torch.cross_entropy`.

    Returns
    -------
    Tensor: float64 for float64 input, float32 for narrower ones.

    Raises
    ------
    ParameterError, TargetError, ShapeError, InputKindError

    Notes
    -----
    As :func:`neglog.losses.density_power`, which has the source; strictly proper; differentiable twice.

    Examples
    --------
    >>> import torch, neglog.torch as nlt
    >>> print(f"{nlt.density_power(torch.tensor([[2.0, 1.0, 0.1]]), torch.tensor([0]), beta=0.5):.6f}")
    0.249916
    """
    checked_power("density_power", beta)
    loss, x = prepared(
        "density_power", input, target, weight, ignore_index, 0.0, dim, sample_weight, mask, class_mask, temperature,
        softcap, 0.0, check,
    )  # fmt: skip
    loss = loss._replace(deformation="density_power", parameters=[float(beta)])
    return finished("density_power", loss, x, input, reduction, denominator, empty)


def forward_correction(
    input: Tensor,
    target: Tensor,
    transition: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
    dim: int | None = None,
    sample_weight: Tensor | None = None,
    mask: Tensor | None = None,
    class_mask: Tensor | None = None,
    denominator: Any = None,
    temperature: float | Tensor = 1.0,
    softcap: float | Tensor | None = None,
    empty: Empty = "zero",
    check: bool = False,
) -> Tensor:
    r"""NLL of labels that were changed with known probabilities.

    .. math:: -\log \sum_j T_{jy} p_j, \qquad p = \operatorname{softmax}(z)

    Parameters
    ----------
    input : (C,), (N, C) or (N, C, d1, ...) tensor
        Logits ``z`` of the true classes.
    target : integer tensor
        Observed classes.
    transition : (C, C) tensor
        ``T``: the probability of the observed class (column) given the true one (row). Differentiable, so that rows
        that are a softmax of parameters learn; on an accelerator they are looked at with ``check=True`` only.
    weight, ignore_index, reduction, dim, sample_weight, mask, class_mask, denominator, temperature, softcap, empty,
    check
        As in :func:`neglog.torch.cross_entropy`.

    Returns
    -------
    Tensor in nats: float64 for float64 input, float32 for narrower ones.

    Raises
    ------
    ParameterError
        A transition that is no probability, or whose rows do not sum to one within 1e-6 (half precision: 0.008).
    TargetError, ShapeError, InputKindError

    Notes
    -----
    As :func:`neglog.losses.forward_correction`, which has the source; differentiable twice.

    Examples
    --------
    >>> import torch, neglog.torch as nlt
    >>> transition = 0.95 * torch.eye(3) + 0.05 / 3
    >>> print(f"{nlt.forward_correction(torch.tensor([[2.0, 1.0, 0.1]]), torch.tensor([0]), transition):.6f}")
    0.442050
    """
    function = "forward_correction"
    loss, x = prepared(
        function, input, target, weight, ignore_index, 0.0, dim, sample_weight, mask, class_mask, temperature, softcap,
        0.0, check, soft=False,
    )  # fmt: skip
    _check_transition(function, transition, input.shape[loss.dim], check)
    loss = loss._replace(deformation=function, transition=transition)
    return finished(function, loss, x, input, reduction, denominator, empty)


def _check_transition(function: str, transition: Tensor, classes: int, check: bool) -> None:
    tensors(function, transition=transition)
    floating(function, "transition", transition)
    if transition.shape != (classes, classes):
        raise ShapeError(f"{function}: transition has shape {tuple(transition.shape)}; allowed: ({classes}, {classes})")
    if check or may_look_at(transition):
        half = transition.dtype.itemsize == 2
        check_transition(function, transition.detach().cpu().double().numpy(), half)


class BiTemperedLoss(ClassLossModule):
    """Bi-tempered logistic loss: :func:`neglog.torch.bi_tempered` as a module.

    Parameters
    ----------
    t1, t2, label_smoothing, weight, ignore_index, reduction, dim, class_mask, temperature, softcap, empty, check
        As in the function.

    Notes
    -----
    ``forward(input, target, *, sample_weight=None, mask=None, denominator=None)``.

    Examples
    --------
    >>> import torch, neglog.torch as nlt
    >>> print(f"{nlt.BiTemperedLoss(0.5, 1.5)(torch.tensor([[-0.5, 0.1, 2.0]]), torch.tensor([2])):.6f}")
    0.181561
    """

    def __init__(
        self,
        t1: float = 0.8,
        t2: float = 1.2,
        weight: Tensor | None = None,
        *,
        label_smoothing: float = 0.0,
        ignore_index: int = -100,
        reduction: Reduction = "mean",
        dim: int | None = None,
        class_mask: Tensor | None = None,
        temperature: float | Tensor = 1.0,
        softcap: float | Tensor | None = None,
        empty: Empty = "zero",
        check: bool = False,
    ) -> None:
        super().__init__(weight, ignore_index, reduction, dim, class_mask, temperature, softcap, empty, check)
        checked_temperatures("BiTemperedLoss", t1, t2)
        self.t1, self.t2, self.label_smoothing = t1, t2, label_smoothing

    def forward(
        self,
        input: Tensor,
        target: Tensor,
        *,
        sample_weight: Tensor | None = None,
        mask: Tensor | None = None,
        denominator: Any = None,
    ) -> Tensor:
        return bi_tempered(
            input, target, self.t1, self.t2, label_smoothing=self.label_smoothing, sample_weight=sample_weight,
            mask=mask, denominator=denominator, **self.given(),
        )  # fmt: skip


class DensityPowerLoss(ClassLossModule):
    """Density power divergence of a class: :func:`neglog.torch.density_power` as a module.

    Parameters
    ----------
    beta, weight, ignore_index, reduction, dim, class_mask, temperature, softcap, empty, check
        As in the function.

    Notes
    -----
    ``forward(input, target, *, sample_weight=None, mask=None, denominator=None)``.

    Examples
    --------
    >>> import torch, neglog.torch as nlt
    >>> print(f"{nlt.DensityPowerLoss(0.5)(torch.tensor([[2.0, 1.0, 0.1]]), torch.tensor([0])):.6f}")
    0.249916
    """

    def __init__(
        self,
        beta: float = 0.5,
        weight: Tensor | None = None,
        *,
        ignore_index: int = -100,
        reduction: Reduction = "mean",
        dim: int | None = None,
        class_mask: Tensor | None = None,
        temperature: float | Tensor = 1.0,
        softcap: float | Tensor | None = None,
        empty: Empty = "zero",
        check: bool = False,
    ) -> None:
        super().__init__(weight, ignore_index, reduction, dim, class_mask, temperature, softcap, empty, check)
        checked_power("DensityPowerLoss", beta)
        self.beta = beta

    def forward(
        self,
        input: Tensor,
        target: Tensor,
        *,
        sample_weight: Tensor | None = None,
        mask: Tensor | None = None,
        denominator: Any = None,
    ) -> Tensor:
        return density_power(
            input, target, self.beta, sample_weight=sample_weight, mask=mask, denominator=denominator,
            **self.given(),
        )  # fmt: skip


class ForwardCorrectionLoss(ClassLossModule):
    """NLL of labels that were changed with known probabilities: :func:`neglog.torch.forward_correction` as a module.

    Parameters
    ----------
    transition : (C, C) tensor
        Kept as a buffer, or as a parameter if it is one.
    weight, ignore_index, reduction, dim, class_mask, temperature, softcap, empty, check
        As in the function.

    Notes
    -----
    ``forward(input, target, *, sample_weight=None, mask=None, denominator=None)``.

    Examples
    --------
    >>> import torch, neglog.torch as nlt
    >>> criterion = nlt.ForwardCorrectionLoss(0.95 * torch.eye(3) + 0.05 / 3)
    >>> print(f"{criterion(torch.tensor([[2.0, 1.0, 0.1]]), torch.tensor([0])):.6f}")
    0.442050
    """

    transition: Tensor

    def __init__(
        self,
        transition: Tensor,
        weight: Tensor | None = None,
        *,
        ignore_index: int = -100,
        reduction: Reduction = "mean",
        dim: int | None = None,
        class_mask: Tensor | None = None,
        temperature: float | Tensor = 1.0,
        softcap: float | Tensor | None = None,
        empty: Empty = "zero",
        check: bool = False,
    ) -> None:
        super().__init__(weight, ignore_index, reduction, dim, class_mask, temperature, softcap, empty, check)
        _check_transition("ForwardCorrectionLoss", transition, len(transition), check)
        self.hold("transition", transition)

    def forward(
        self,
        input: Tensor,
        target: Tensor,
        *,
        sample_weight: Tensor | None = None,
        mask: Tensor | None = None,
        denominator: Any = None,
    ) -> Tensor:
        return forward_correction(
            input, target, self.transition, sample_weight=sample_weight, mask=mask, denominator=denominator,
            **self.given(),
        )  # fmt: skip
