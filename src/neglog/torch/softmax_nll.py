"""Cross-entropy as a fused loss: its kernel call, its reference, what its messages say."""

from __future__ import annotations

from typing import NamedTuple, NoReturn

import torch
from torch import Tensor

from neglog import _native
from neglog.core.deformation import IDENTITY, Native
from neglog.core.deformations import named
from neglog.core.tempered import ROW_LOSSES, row_loss
from neglog.torch import by_rows, reference, reference_tempered
from neglog.torch.arguments import CODES, CPU, DIVISORS, PROBABILITIES, TARGET_CODES, address
from neglog.torch.fused import operator
from neglog.torch.layout import Rows
from neglog.torch.reduction import looked_up, reduced, rows_read, weighted
from neglog.torch.routing import may_look_at
from neglog.torch.targets import check_probabilities, raise_bad_index, raise_bad_probability, readable_indices


@torch.compiler.allow_in_graph  # tables and checks are nothing for a compiler to trace
def _phi(margin: Tensor, deformation: str, parameters: list[float], classes: int) -> Tensor:
    return named(deformation, parameters).phi(torch, margin, classes)


@operator
class SoftmaxNLL(NamedTuple):
    """:func:`cross_entropy` with its options made explicit."""

    target: Tensor  # class indices, or probabilities in the dtype of the logits
    weight: Tensor | None
    sample_weight: Tensor | None
    mask: Tensor | None
    class_mask: Tensor | None  # (C,)
    transition: Tensor | None  # (C, C) float64, of "forward_correction"
    dim: int
    ignore_index: int
    label_smoothing: float
    temperature: float
    softcap: float  # 0: none
    z_loss: float  # a tensor on the way of the reference
    reduction: str  # a key of arguments.DIVISORS
    number: float  # the divisor of "given"
    empty: str
    deformation: str = ""  # a key of DEFORMATIONS or one of ROW_LOSSES, with
    parameters: list[float] = []  # noqa: RUF012  # its numbers; empty: cross-entropy

    name = "softmax_nll"
    tensors = 6

    @property
    def function(self) -> str:
        """What messages call it."""
        return self.deformation or "cross_entropy"

    def result(self, input: Tensor) -> Tensor:
        return by_rows.result(self, input)

    def forward(self, input: Tensor, with_gradient: bool) -> tuple[Tensor, Tensor | None]:
        return by_rows.forward(self, input, with_gradient, self.function)

    def backward(self, input: Tensor, upstream: Tensor) -> Tensor:
        return by_rows.backward(self, input, upstream)

    def native(self, classes: int) -> Native:
        """What the kernel calls it."""
        if not self.deformation:
            return IDENTITY
        if self.deformation in ROW_LOSSES:
            return row_loss(self.deformation, self.parameters)
        return named(self.deformation, self.parameters).native(classes)

    def losses(self, z: Tensor, target: Tensor, by_class: Tensor | None, dtype: torch.dtype) -> Tensor:
        """Rows of transformed logits in torch ops, times the class weights."""
        dim, classes = self.dim, z.shape[self.dim]
        if not self.deformation:
            return reference.softmax_nll(z, target, self.weight, self.label_smoothing, self.z_loss, dim, dtype)
        if self.deformation in ROW_LOSSES:
            native = self.native(classes)
            losses = reference_tempered.row_losses(z, target, native, self.transition, self.label_smoothing, dim)
        else:
            margin = reference.margin(z, target, dim, dtype)
            losses = _phi(margin, self.deformation, self.parameters, classes)
        return weighted(losses.to(dtype), by_class)

    def kernel(
        self,
        rows: Rows,
        sample_weight: Tensor | None,
        factor: float,
        losses: Tensor | None = None,
        gradient: Tensor | None = None,
        strides: tuple[int, int, int] = (0, 0, 0),
    ) -> tuple[float, float]:
        """(value, divisor) of one pass over the logits."""
        target, kind = self.target, DIVISORS[self.reduction]
        if target.is_floating_point():
            code, target_strides = PROBABILITIES, rows.strides_of(target)
            if target_strides is None:
                copy, target_strides = rows.like()
                target = copy.copy_(target)
        else:
            target = rows.entries(target)
            code, target_strides = TARGET_CODES[target.dtype], (0, 0, 0)
        divisor = 1.0
        if self.reduction == "given":
            divisor = self.number
        elif self.reduction == "weights" and code == PROBABILITIES:
            by_class = self.row_weight(self.target.double())
            kind, divisor = (2, 1.0) if by_class is None else (0, self._total(by_class))
        weight = None if self.weight is None else self.weight.to(torch.float64).contiguous()
        row_weight = None if sample_weight is None else rows.entries(sample_weight, torch.float64)
        mask = None if self.mask is None else rows.entries(self.mask)
        class_mask = None if self.class_mask is None else self.class_mask.contiguous()
        transition = None if self.transition is None else self.transition.to(torch.float64).contiguous()
        value, own_divisor, bad_row = _native.softmax_nll_strided(
            CODES[rows.tensor.dtype], rows.outer, rows.classes, rows.inner,
            rows.tensor.data_ptr(), rows.strides, target.data_ptr(), code, target_strides,
            address(weight), address(row_weight), address(mask), address(class_mask),
            code != PROBABILITIES, self.ignore_index, self.label_smoothing,
            self.temperature, self.softcap, self.z_loss, address(losses), address(gradient), strides,
            kind, factor / divisor if divisor else 0.0, torch.get_num_threads(),
            *self.native(rows.classes), address(transition),
        )  # fmt: skip
        if bad_row >= 0:
            self._raise_bad(rows, bad_row)
        if kind == 0:
            return (value / divisor if divisor else value), divisor
        return value, own_divisor

    def _total(self, by_class: Tensor) -> float:
        """Sum of ``by_class * sample_weight`` over what takes part."""
        part = self.part()
        amount = by_class if self.sample_weight is None else by_class * self.sample_weight
        return float((amount if part is None else torch.where(part, amount, 0.0)).sum())

    def row_weight(self, target: Tensor) -> Tensor | None:
        """Class weight that each row carries."""
        if self.weight is None:
            return None
        if target.is_floating_point():
            return (target * reference.along(self.weight.to(target.dtype), target, self.dim)).sum(self.dim)
        return looked_up(self.weight, target)

    def part(self) -> Tensor | None:
        """Rows that are neither ignored nor masked; None: all."""
        if self.target.is_floating_point():
            return self.mask
        kept = self.target.long() != self.ignore_index
        return kept if self.mask is None else kept & self.mask

    def _raise_bad(self, rows: Rows, row: int) -> NoReturn:
        position = rows.position(row)
        if not self.target.is_floating_point():
            raise_bad_index(self.function, self.target, position, rows.classes, self.ignore_index)
        before, after = position[: self.dim], position[self.dim :]
        q = self.target[(*before, slice(None), *after)]
        k = int(((q < 0) | (q > 1)).nonzero()[0])
        raise_bad_probability("cross_entropy", self.target, (*before, k, *after))

    def reference(self, input: Tensor) -> Tensor:
        z, target, dim, part = reference.widened(input), self.target, self.dim, self.part()
        dtype = z.dtype
        if not target.is_floating_point():
            target = target.long()
            target = readable_indices(self.function, target, input, dim, self.ignore_index, part, self.sample_weight)
        by_class = self.row_weight(target)
        read = rows_read(z, dim, part, by_class, self.sample_weight)
        if target.is_floating_point() and may_look_at(input, target):
            check_probabilities("cross_entropy", target.detach(), dim, read)
        if read is not None:
            z = torch.where(read.unsqueeze(dim), z, 0.0)
            if target.is_floating_point():
                target = torch.where(read.unsqueeze(dim), target, 0.0)
        z = reference.transformed(z, self.temperature, self.softcap, self.class_mask, dim)
        losses = weighted(self.losses(z, target, by_class, dtype), self.sample_weight)
        losses = losses if read is None else torch.where(read, losses, 0.0)
        return reduced(
            losses, part, self.sample_weight, by_class, self.reduction, self.number, self.empty, self.function
        )


class PlainMean(NamedTuple):
    """The mean over contiguous rows without options: what :class:`SoftmaxNLL` spends on its arguments is left out."""

    target: Tensor  # (N,) int64
    ignore_index: int
    rows: int
    classes: int

    name = SoftmaxNLL.name
    tensors = 1

    def result(self, input: Tensor) -> Tensor:
        return self.general().result(input)

    def forward(self, input: Tensor, with_gradient: bool) -> tuple[Tensor, Tensor | None]:
        dtype, strides = input.dtype, (self.classes, 1, 1)
        gradient = torch.empty_like(input) if with_gradient and dtype is not torch.float16 else None
        value, divisor, bad_row = _native.softmax_nll_strided(
            CODES[dtype], self.rows, self.classes, 1, input.data_ptr(), strides, self.target.data_ptr(), 2, (0, 0, 0),
            0, 0, 0, 0, True, self.ignore_index, 0.0, 1.0, 0.0, 0.0,
            0, 0 if gradient is None else gradient.data_ptr(), strides, 2, 1.0, 1,
        )  # fmt: skip
        if bad_row >= 0 or not divisor:
            return self.general().forward(input, with_gradient)  # which knows what to say
        dtype = torch.float64 if dtype is torch.float64 else torch.float32
        return torch.scalar_tensor(value, dtype=dtype, device=CPU), gradient

    def backward(self, input: Tensor, upstream: Tensor) -> Tensor:
        return self.general().backward(input, upstream)

    def reference(self, input: Tensor) -> Tensor:
        return self.general().reference(input)

    def general(self) -> SoftmaxNLL:
        return SoftmaxNLL(
            self.target, None, None, None, None, None, 1, self.ignore_index, 0.0, 1.0, 0.0, 0.0, "entries", 0.0, "zero"
        )
