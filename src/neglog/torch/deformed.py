"""The losses ``l(p_y)`` of :mod:`neglog.core.deformations` for tensors: a function and a module for each.

``deformed.pyi`` beside this file says the same to type checkers.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Any, NamedTuple

import torch
from torch import Tensor

from neglog.core.deformation import Deformation
from neglog.core.deformation_docs import documented, own_parameters
from neglog.core.deformations import DEFORMATIONS
from neglog.torch.arguments import positive
from neglog.torch.classification import cross_entropy, finished, prepared
from neglog.torch.modules import ClassLossModule

_WITHOUT = ("size_average", "reduce", "label_smoothing", "z_loss")
_COMMON = {  # what cross_entropy takes besides
    name: parameter if name == "weight" else parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
    for name, parameter in inspect.signature(cross_entropy).parameters.items()
    if name not in ("input", "target", *_WITHOUT)
}
_OF_A_BATCH = ("sample_weight", "mask", "denominator")  # arguments of a module's call


class _Loss(NamedTuple):
    """A deformation as constants of a graph."""

    name: str
    numbers: list[float]
    sharpness: float


def _constants(deformation: Deformation) -> _Loss:
    return _Loss(deformation.name, deformation.numbers, deformation.sharpness)


def _evaluate(
    deformation: _Loss,
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: Any = "mean",
    dim: int | None = None,
    sample_weight: Tensor | None = None,
    mask: Tensor | None = None,
    class_mask: Tensor | None = None,
    denominator: Any = None,
    temperature: float | Tensor = 1.0,
    softcap: float | Tensor | None = None,
    empty: Any = "zero",
    check: bool = False,
) -> Tensor:
    """The value of ``deformation`` of class indices."""
    function = deformation.name
    temperature = positive(function, "temperature", temperature)
    if deformation.sharpness != 1.0:
        temperature = temperature / deformation.sharpness
    loss, x = prepared(
        function, input, target, weight, ignore_index, 0.0, dim, sample_weight, mask, class_mask, temperature, softcap,
        0.0, check, soft=False,
    )  # fmt: skip
    loss = loss._replace(deformation=function, parameters=deformation.numbers)
    return finished(function, loss, x, input, reduction, denominator, empty)


def _function(name: str) -> Callable[..., Tensor]:
    kind = DEFORMATIONS[name]
    own = {one.name: one.default for one in fields(kind)}
    sharpens = kind.sharpness is not Deformation.sharpness

    def loss(input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Any) -> Tensor:
        given = {one: options.pop(one) for one in [*options] if one not in _COMMON}
        if not torch.compiler.is_compiling():
            made = _constants(kind.of(name, given))
        else:  # what the compiler traces; the operator checks the domains
            if not required <= given.keys() <= own.keys():
                kind.of(name, given)
            values = [given.get(one, default) for one, default in own.items()]
            numbers = [math.nan if value is None else float(value) for value in values]
            made = _Loss(name, numbers, 1.0 + numbers[0] if sharpens else 1.0)
        return _evaluate(made, input, target, weight, **options)

    required = {one for one, default in own.items() if default is MISSING}
    first = [*inspect.signature(loss).parameters.values()][:3]
    rest = [parameter for key, parameter in _COMMON.items() if key != "weight"]
    loss.__name__ = loss.__qualname__ = name
    loss.__signature__ = inspect.Signature(  # pyright: ignore[reportFunctionMemberAccess]
        [*first, *own_parameters(kind), *rest], return_annotation="Tensor"
    )
    loss.__doc__ = documented(kind, _VALUE)
    return loss


class DeformedLoss(ClassLossModule):
    """What the modules of this file have in common."""

    kind: type[Deformation]

    def __init__(
        self,
        weight: Tensor | None = None,
        *,
        ignore_index: int = -100,
        reduction: Any = "mean",
        dim: int | None = None,
        class_mask: Tensor | None = None,
        temperature: float | Tensor = 1.0,
        softcap: float | Tensor | None = None,
        empty: Any = "zero",
        check: bool = False,
        **own: Any,
    ) -> None:
        super().__init__(weight, ignore_index, reduction, dim, class_mask, temperature, softcap, empty, check)
        self._deformation = self.kind.of(type(self).__name__, own)
        self._constants = _constants(self._deformation)

    def forward(
        self,
        input: Tensor,
        target: Tensor,
        *,
        sample_weight: Tensor | None = None,
        mask: Tensor | None = None,
        denominator: Any = None,
    ) -> Tensor:
        batch = {"sample_weight": sample_weight, "mask": mask, "denominator": denominator}
        return _evaluate(self._constants, input, target, **batch, **self.given())

    def extra_repr(self) -> str:
        """The loss's parameters, and options that are not the default."""
        own = [f"{one.name}={getattr(self._deformation, one.name)!r}" for one in fields(self._deformation)]
        rest = super().extra_repr()
        return ", ".join([*own, rest] if rest else own)


def _module(name: str) -> Any:
    kind = DEFORMATIONS[name]
    module: Any = type(kind.module, (DeformedLoss,), {"kind": kind, "__module__": __name__})
    module.__doc__ = documented(kind, _MODULE)
    rest = [p for key, p in _COMMON.items() if key != "weight" and key not in _OF_A_BATCH]
    module.__signature__ = inspect.Signature([_COMMON["weight"], *own_parameters(kind), *rest])
    return module


_VALUE = r"""{summary}

    .. math:: {formula}, \qquad p = \operatorname{{softmax}}(z)_y

    Parameters
    ----------
    input : (C,), (N, C) or (N, C, d1, ...) tensor
        Logits ``z``: float16, bfloat16, float32 or float64, of any memory layout.
    target : integer tensor
        Class indices ``y`` of the shape without the class axis.
{own}    weight, ignore_index, reduction, dim, sample_weight, mask, class_mask, denominator, temperature, softcap,
    empty, check
        As in :func:`neglog.torch.cross_entropy`.

    Returns
    -------
    Tensor in nats: float64 for float64 logits, float32 for narrower ones.

    Raises
    ------
    ParameterError
        A parameter outside its domain.
    TargetError, ShapeError, InputKindError
        As :func:`neglog.torch.cross_entropy`.

    Notes
    -----
    {notes}

    Computed from the margin ``log sum_(k != y) exp(z_k) - z_y``, so that no digits are lost between logits far apart.
    Differentiable twice, and under ``torch.compile`` and ``torch.func``, as cross-entropy.

    {source}

    Examples
    --------
    >>> import torch, neglog.torch as nlt
    >>> loss = nlt.{name}(torch.tensor([[2.0, 1.0, 0.1]]), torch.tensor([0]){arguments})
    >>> print(f"{{loss:.6f}}")
    {rounded}
    """

_MODULE = r"""{summary} :func:`neglog.torch.{name}` as a module.

    Parameters
    ----------
{own}    weight, ignore_index, reduction, dim, class_mask, temperature, softcap, empty, check
        As in :class:`neglog.torch.CrossEntropyLoss`.

    Notes
    -----
    ``forward(input, target, *, sample_weight=None, mask=None, denominator=None)``.

    Examples
    --------
    >>> import torch, neglog.torch as nlt
    >>> criterion = nlt.{module}({keywords})
    >>> print(f"{{criterion(torch.tensor([[2.0, 1.0, 0.1]]), torch.tensor([0])):.6f}}")
    {rounded}
    """

alpha_loss = _function("alpha_loss")
competing_ratio = _function("competing_ratio")
exponential_loss = _function("exponential_loss")
focal = _function("focal")
gamma_divergence = _function("gamma_divergence")
generalized_cross_entropy = _function("generalized_cross_entropy")
madaboost = _function("madaboost")
mislabel = _function("mislabel")
nllr = _function("nllr")
poly1 = _function("poly1")
symmetric_cross_entropy = _function("symmetric_cross_entropy")
taylor_cross_entropy = _function("taylor_cross_entropy")

AlphaLoss = _module("alpha_loss")
CompetingRatioLoss = _module("competing_ratio")
ExponentialLoss = _module("exponential_loss")
FocalLoss = _module("focal")
GammaDivergenceLoss = _module("gamma_divergence")
GeneralizedCrossEntropyLoss = _module("generalized_cross_entropy")
MadaBoostLoss = _module("madaboost")
MislabelLoss = _module("mislabel")
NLLRLoss = _module("nllr")
Poly1Loss = _module("poly1")
SymmetricCrossEntropyLoss = _module("symmetric_cross_entropy")
TaylorCrossEntropyLoss = _module("taylor_cross_entropy")
