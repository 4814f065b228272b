"""What type checkers see of deformed.py; tests/torch/test_deformed.py compares the two."""

from typing import Any, TypedDict, Unpack

from torch import Tensor

from neglog.torch.arguments import Empty, Reduction
from neglog.torch.modules import LossModule

class Module(TypedDict, total=False):
    ignore_index: int
    reduction: Reduction
    dim: int | None
    class_mask: Tensor | None
    temperature: float | Tensor
    softcap: float | Tensor | None
    empty: Empty
    check: bool

class Common(Module, total=False):
    sample_weight: Tensor | None
    mask: Tensor | None
    denominator: Any

class DeformedLoss(LossModule):
    weight: Tensor | None
    def __call__(
        self,
        input: Tensor,
        target: Tensor,
        *,
        sample_weight: Tensor | None = None,
        mask: Tensor | None = None,
        denominator: Any = None,
    ) -> Tensor: ...

def alpha_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, alpha: float, **options: Unpack[Common]
) -> Tensor: ...
def competing_ratio(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    alpha: float = 1.5,
    beta: float = 1.0,
    **options: Unpack[Common],
) -> Tensor: ...
def exponential_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Unpack[Common]
) -> Tensor: ...
def focal(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, gamma: float = 2.0, **options: Unpack[Common]
) -> Tensor: ...
def gamma_divergence(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, gamma: float, **options: Unpack[Common]
) -> Tensor: ...
def generalized_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    q: float = 0.7,
    truncation: float | None = None,
    **options: Unpack[Common],
) -> Tensor: ...
def madaboost(input: Tensor, target: Tensor, weight: Tensor | None = None, **options: Unpack[Common]) -> Tensor: ...
def mislabel(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, rate: float, **options: Unpack[Common]
) -> Tensor: ...
def nllr(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, epsilon: float = 0.0, **options: Unpack[Common]
) -> Tensor: ...
def poly1(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    epsilon: float = 1.0,
    gamma: float = 0.0,
    **options: Unpack[Common],
) -> Tensor: ...
def symmetric_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    alpha: float = 0.1,
    beta: float = 1.0,
    log_zero: float = -4.0,
    **options: Unpack[Common],
) -> Tensor: ...
def taylor_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, order: int = 2, **options: Unpack[Common]
) -> Tensor: ...

class AlphaLoss(DeformedLoss):
    def __init__(self, weight: Tensor | None = None, *, alpha: float, **options: Unpack[Module]) -> None: ...

class CompetingRatioLoss(DeformedLoss):
    def __init__(
        self, weight: Tensor | None = None, *, alpha: float = 1.5, beta: float = 1.0, **options: Unpack[Module]
    ) -> None: ...

class ExponentialLoss(DeformedLoss):
    def __init__(self, weight: Tensor | None = None, **options: Unpack[Module]) -> None: ...

class FocalLoss(DeformedLoss):
    def __init__(self, weight: Tensor | None = None, *, gamma: float = 2.0, **options: Unpack[Module]) -> None: ...

class GammaDivergenceLoss(DeformedLoss):
    def __init__(self, weight: Tensor | None = None, *, gamma: float, **options: Unpack[Module]) -> None: ...

class GeneralizedCrossEntropyLoss(DeformedLoss):
    def __init__(
        self,
        weight: Tensor | None = None,
        *,
        q: float = 0.7,
        truncation: float | None = None,
        **options: Unpack[Module],
    ) -> None: ...

class MadaBoostLoss(DeformedLoss):
    def __init__(self, weight: Tensor | None = None, **options: Unpack[Module]) -> None: ...

class MislabelLoss(DeformedLoss):
    def __init__(self, weight: Tensor | None = None, *, rate: float, **options: Unpack[Module]) -> None: ...

class NLLRLoss(DeformedLoss):
    def __init__(self, weight: Tensor | None = None, *, epsilon: float = 0.0, **options: Unpack[Module]) -> None: ...

class Poly1Loss(DeformedLoss):
    def __init__(
        self, weight: Tensor | None = None, *, epsilon: float = 1.0, gamma: float = 0.0, **options: Unpack[Module]
    ) -> None: ...

class SymmetricCrossEntropyLoss(DeformedLoss):
    def __init__(
        self,
        weight: Tensor | None = None,
        *,
        alpha: float = 0.1,
        beta: float = 1.0,
        log_zero: float = -4.0,
        **options: Unpack[Module],
    ) -> None: ...

class TaylorCrossEntropyLoss(DeformedLoss):
    def __init__(self, weight: Tensor | None = None, *, order: int = 2, **options: Unpack[Module]) -> None: ...
