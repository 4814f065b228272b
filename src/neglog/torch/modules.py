"""The losses as modules, with the constructors of ``torch.nn`` and further options by keyword.

What belongs to the loss is given to the constructor, what belongs to a batch (``sample_weight``, ``mask``,
``denominator``) to the call. Tensors become buffers, which move with the module and are saved with it, unless they
are parameters: a temperature may learn.
"""

from __future__ import annotations

from typing import Any, Literal

from torch import Tensor, nn

from neglog.torch.arguments import Empty, Reduction, legacy, tensors
from neglog.torch.binary import binary_cross_entropy, binary_cross_entropy_with_logits, multilabel_soft_margin_loss
from neglog.torch.classification import cross_entropy
from neglog.torch.divergence import kl_div
from neglog.torch.log_probabilities import nll_loss
from neglog.torch.primitives import log_softmax

_DEFAULTS: dict[str, Any] = {
    "ignore_index": -100, "label_smoothing": 0.0, "log_target": False, "reduction": "mean",
    "temperature": 1.0, "z_loss": 0.0, "empty": "zero", "check": False, "full": False, "log_input": True,
}  # fmt: skip


class LossModule(nn.Module):
    """The options that every loss has."""

    def __init__(
        self, size_average: bool | None, reduce: bool | None, reduction: Any, empty: Empty, check: bool
    ) -> None:
        super().__init__()
        if size_average is not None or reduce is not None:
            reduction = legacy("mean", size_average, reduce)
        self.reduction = reduction
        self.empty: Empty = empty
        self.check = check

    def hold(self, name: str, value: float | Tensor | None) -> None:
        """Keeps a number as an attribute, a tensor as a buffer, a parameter as one."""
        if isinstance(value, Tensor) and not isinstance(value, nn.Parameter):
            self.register_buffer(name, value)
        else:
            setattr(self, name, value)

    def extra_repr(self) -> str:
        """Options that are not the default; tensors by their shape."""
        tensors = {**self._buffers, **self._parameters}
        shown = [f"{name}={tuple(value.shape)}" for name, value in tensors.items() if value is not None]
        options = {name: value for name, value in vars(self).items() if not name.startswith("_") and name != "training"}
        return ", ".join(shown + [f"{k}={v!r}" for k, v in options.items() if v != _DEFAULTS.get(k)])


class ClassLossModule(LossModule):
    """The options that every loss of logits has."""

    weight: Tensor | None
    class_mask: Tensor | None
    temperature: float | Tensor
    softcap: float | Tensor | None

    def __init__(
        self,
        weight: Tensor | None,
        ignore_index: int,
        reduction: Any,
        dim: int | None,
        class_mask: Tensor | None,
        temperature: float | Tensor,
        softcap: float | Tensor | None,
        empty: Empty,
        check: bool,
        size_average: bool | None = None,
        reduce: bool | None = None,
    ) -> None:
        super().__init__(size_average, reduce, reduction, empty, check)
        given = {"weight": weight, "class_mask": class_mask}
        tensors(type(self).__name__, **{name: value for name, value in given.items() if value is not None})
        self.register_buffer("weight", weight)
        self.register_buffer("class_mask", class_mask)
        self.ignore_index = ignore_index
        self.dim = dim
        self.hold("temperature", temperature)
        self.hold("softcap", softcap)

    def given(self) -> dict[str, Any]:
        """The options as those of the function."""
        return {
            "weight": self.weight, "ignore_index": self.ignore_index, "reduction": self.reduction, "dim": self.dim,
            "class_mask": self.class_mask, "temperature": self.temperature, "softcap": self.softcap,
            "empty": self.empty, "check": self.check,
        }  # fmt: skip


class CrossEntropyLoss(ClassLossModule):
    """Negative log-likelihood of classes under a softmax of logits: :func:`neglog.torch.cross_entropy` as a module.

    Parameters
    ----------
    weight, size_average, ignore_index, reduce, reduction, label_smoothing
        As in ``torch.nn.CrossEntropyLoss``.
    dim, class_mask, temperature, softcap, z_loss, empty, check
        As in :func:`neglog.torch.cross_entropy`. A ``temperature`` or ``softcap`` that is an ``nn.Parameter`` learns.

    Notes
    -----
    ``forward(input, target, *, sample_weight=None, mask=None, denominator=None)`` has the shapes, errors and edges of
    the function.

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> criterion = nlt.CrossEntropyLoss(label_smoothing=0.1)
    >>> criterion
    CrossEntropyLoss(label_smoothing=0.1)
    >>> criterion(torch.tensor([[2.0, 1.0, 0.1]]), torch.tensor([0]))
    tensor(0.5137)
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: Reduction = "mean",
        label_smoothing: float = 0.0,
        *,
        dim: int | None = None,
        class_mask: Tensor | None = None,
        temperature: float | Tensor = 1.0,
        softcap: float | Tensor | None = None,
        z_loss: float = 0.0,
        empty: Empty = "zero",
        check: bool = False,
    ) -> None:
        super().__init__(
            weight, ignore_index, reduction, dim, class_mask, temperature, softcap, empty, check, size_average, reduce
        )
        self.label_smoothing = label_smoothing
        self.z_loss = z_loss

    def forward(
        self,
        input: Tensor,
        target: Tensor,
        *,
        sample_weight: Tensor | None = None,
        mask: Tensor | None = None,
        denominator: Any = None,
    ) -> Tensor:
        return cross_entropy(
            input, target, label_smoothing=self.label_smoothing, sample_weight=sample_weight, mask=mask,
            denominator=denominator, z_loss=self.z_loss, **self.given(),
        )  # fmt: skip


class NLLLoss(LossModule):
    """Negative log-likelihood of classes whose log-probabilities are given: :func:`neglog.torch.nll_loss` as a module.

    Parameters
    ----------
    weight, size_average, ignore_index, reduce, reduction
        As in ``torch.nn.NLLLoss``.
    dim, empty, check
        As in :func:`neglog.torch.nll_loss`.

    Notes
    -----
    ``forward(input, target, *, sample_weight=None, mask=None, denominator=None)``.

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> nlt.NLLLoss()(torch.tensor([[0.1, 0.3, 0.5, 0.1]]).log(), torch.tensor([2]))
    tensor(0.6931)
    """

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: Reduction = "mean",
        *,
        dim: int | None = None,
        empty: Empty = "zero",
        check: bool = False,
    ) -> None:
        super().__init__(size_average, reduce, reduction, empty, check)
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index
        self.dim = dim

    def forward(
        self,
        input: Tensor,
        target: Tensor,
        *,
        sample_weight: Tensor | None = None,
        mask: Tensor | None = None,
        denominator: Any = None,
    ) -> Tensor:
        return nll_loss(
            input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction, dim=self.dim,
            sample_weight=sample_weight, mask=mask, denominator=denominator, empty=self.empty, check=self.check,
        )  # fmt: skip


class BCELoss(LossModule):
    """Binary cross-entropy of probabilities: :func:`neglog.torch.binary_cross_entropy` as a module.

    Parameters
    ----------
    weight, size_average, reduce, reduction
        As in ``torch.nn.BCELoss``.
    empty, check
        As in :func:`neglog.torch.binary_cross_entropy`.

    Notes
    -----
    ``forward(input, target, *, sample_weight=None, mask=None, denominator=None)``.

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> nlt.BCELoss(reduction="none")(torch.tensor([0.9, 0.0]), torch.tensor([1.0, 1.0]))
    tensor([0.1054,    inf])
    """

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: Reduction = "mean",
        *,
        empty: Empty = "zero",
        check: bool = False,
    ) -> None:
        super().__init__(size_average, reduce, reduction, empty, check)
        self.register_buffer("weight", weight)

    def forward(
        self,
        input: Tensor,
        target: Tensor,
        *,
        sample_weight: Tensor | None = None,
        mask: Tensor | None = None,
        denominator: Any = None,
    ) -> Tensor:
        return binary_cross_entropy(
            input, target, self.weight, reduction=self.reduction, sample_weight=sample_weight, mask=mask,
            denominator=denominator, empty=self.empty, check=self.check,
        )  # fmt: skip


class BCEWithLogitsLoss(LossModule):
    """Binary cross-entropy of log-odds: :func:`neglog.torch.binary_cross_entropy_with_logits` as a module.

    Parameters
    ----------
    weight, size_average, reduce, reduction, pos_weight
        As in ``torch.nn.BCEWithLogitsLoss``.
    empty, check
        As in :func:`neglog.torch.binary_cross_entropy_with_logits`.

    Notes
    -----
    ``forward(input, target, *, sample_weight=None, mask=None, denominator=None)``.

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> criterion = nlt.BCEWithLogitsLoss(pos_weight=torch.tensor([3.0]))
    >>> criterion
    BCEWithLogitsLoss(pos_weight=(1,))
    >>> criterion(torch.tensor([2.0]), torch.tensor([1.0]))
    tensor(0.3808)
    """

    weight: Tensor | None
    pos_weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: Reduction = "mean",
        pos_weight: Tensor | None = None,
        *,
        empty: Empty = "zero",
        check: bool = False,
    ) -> None:
        super().__init__(size_average, reduce, reduction, empty, check)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(
        self,
        input: Tensor,
        target: Tensor,
        *,
        sample_weight: Tensor | None = None,
        mask: Tensor | None = None,
        denominator: Any = None,
    ) -> Tensor:
        return binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight,
            sample_weight=sample_weight, mask=mask, denominator=denominator, empty=self.empty, check=self.check,
        )  # fmt: skip


class MultiLabelSoftMarginLoss(LossModule):
    """Mean binary cross-entropy of several labels: :func:`neglog.torch.multilabel_soft_margin_loss` as a module.

    Parameters
    ----------
    weight, size_average, reduce, reduction
        As in ``torch.nn.MultiLabelSoftMarginLoss``.
    empty, check
        As in :func:`neglog.torch.multilabel_soft_margin_loss`.

    Notes
    -----
    ``forward(input, target, *, sample_weight=None, mask=None, denominator=None)``.

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> nlt.MultiLabelSoftMarginLoss()(torch.tensor([[2.0, -1.0]]), torch.tensor([[1, 0]]))
    tensor(0.2201)
    """

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: Reduction = "mean",
        *,
        empty: Empty = "zero",
        check: bool = False,
    ) -> None:
        super().__init__(size_average, reduce, reduction, empty, check)
        self.register_buffer("weight", weight)

    def forward(
        self,
        input: Tensor,
        target: Tensor,
        *,
        sample_weight: Tensor | None = None,
        mask: Tensor | None = None,
        denominator: Any = None,
    ) -> Tensor:
        return multilabel_soft_margin_loss(
            input, target, self.weight, reduction=self.reduction, sample_weight=sample_weight, mask=mask,
            denominator=denominator, empty=self.empty, check=self.check,
        )  # fmt: skip


class KLDivLoss(LossModule):
    """Kullback-Leibler divergence: :func:`neglog.torch.kl_div` as a module.

    Parameters
    ----------
    size_average, reduce, reduction, log_target
        As in ``torch.nn.KLDivLoss``.
    empty, check
        As in :func:`neglog.torch.kl_div`.

    Notes
    -----
    ``forward(input, target, *, sample_weight=None, mask=None, denominator=None)``.

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> p, q = torch.tensor([[0.1, 0.6, 0.3]]), torch.tensor([[0.2, 0.5, 0.3]])
    >>> nlt.KLDivLoss(reduction="batchmean")(p.log(), q)
    tensor(0.0475)
    """

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: Reduction | Literal["batchmean"] = "mean",
        log_target: bool = False,
        *,
        empty: Empty = "zero",
        check: bool = False,
    ) -> None:
        super().__init__(size_average, reduce, reduction, empty, check)
        self.log_target = log_target

    def forward(
        self,
        input: Tensor,
        target: Tensor,
        *,
        sample_weight: Tensor | None = None,
        mask: Tensor | None = None,
        denominator: Any = None,
    ) -> Tensor:
        return kl_div(
            input, target, reduction=self.reduction, log_target=self.log_target, sample_weight=sample_weight, mask=mask,
            denominator=denominator, empty=self.empty, check=self.check,
        )  # fmt: skip


class LogSoftmax(nn.Module):
    """Log-probabilities of a softmax along ``dim``: :func:`neglog.torch.log_softmax` as a module.

    Parameters
    ----------
    dim : int, optional
        As in ``torch.nn.LogSoftmax``.

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> nlt.LogSoftmax(dim=1)(torch.tensor([[0.0, 0.0]]))
    tensor([[-0.6931, -0.6931]])
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return log_softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"
