"""Losses in torch ops with one value per entry: what takes part, and the reduction, around a formula.

The formula is called with tensors in which entries that take no part hold harmless values, so that whatever they
really hold reaches neither the loss nor a gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from neglog.errors import InputKindError, ShapeError
from neglog.torch.arguments import boolean, divisor_for, per_entry, place
from neglog.torch.parallel import is_group, total_weight
from neglog.torch.reduction import divided, reduced, weighted
from neglog.torch.routing import forward_mode, may_look_at, transforming


class Entries(NamedTuple):
    """The arguments that every loss of this kind takes besides its tensors."""

    function: str  # for messages
    shape: torch.Size | tuple[int, ...]  # of the entries
    sample_weight: Tensor | None
    mask: Tensor | None
    reduction: str
    denominator: Any
    empty: str

    def check(self) -> None:
        per_entry(self.function, "sample_weight", self.sample_weight, self.shape)
        per_entry(self.function, "mask", self.mask, self.shape)
        boolean(self.function, "mask", self.mask)

    def reduce(
        self, formula: Callable[..., Tensor], tensors: Sequence[Tensor], harmless: Sequence[float | Tensor]
    ) -> Tensor:
        """The reduced loss; ``formula(*tensors)`` has the entries' shape, tensors that shape and perhaps more axes."""
        losses = self._read(formula, tensors, harmless)
        denominator, sample_weight = self.denominator, self.sample_weight
        if is_group(denominator):
            denominator = total_weight(losses, sample_weight=sample_weight, mask=self.mask, dim=(), group=denominator)
        divisor = divisor_for(self.function, self.reduction, denominator, self.empty, "entries")
        dtype = losses.dtype
        if self.reduction != "none" and losses.device.type != "mps":
            losses = losses.double()  # for the sum
        if self.mask is not None and sample_weight is not None:
            sample_weight = torch.where(self.mask, sample_weight, 0.0)
        value = reduced(
            weighted(losses, sample_weight), self.mask, sample_weight, None,
            divisor.reduction, divisor.number, self.empty, self.function,
        )  # fmt: skip
        if divisor.tensor is not None:
            value = divided(value, divisor.tensor, self.empty, self.function)
        return value.to(dtype)

    def _read(
        self, formula: Callable[..., Tensor], tensors: Sequence[Tensor], harmless: Sequence[float | Tensor]
    ) -> Tensor:
        read, weight = self.mask, self.sample_weight
        if weight is not None:
            read = weight.detach() != 0
            if weight.requires_grad or forward_mode() or transforming():
                # a weight of 0 has a slope all the same, where what it stands before is finite
                with torch.no_grad():
                    read = read | formula(*[t.detach() for t in tensors]).isfinite()
            if self.mask is not None:
                read = read & self.mask
        if read is None:
            return formula(*tensors)
        safe = [torch.where(beside(read, t), t, at) for t, at in zip(tensors, harmless, strict=True)]
        return torch.where(read, formula(*safe), 0.0)

    def refuse(self, name: str, values: Tensor, wrong: Tensor, allowed: str, check: bool = False) -> None:
        """Raises at the first value that is wrong in an entry that takes part, where values may be looked at."""
        if not (check or may_look_at(values)):
            return
        for read in (self.mask, None if self.sample_weight is None else self.sample_weight.detach() != 0):
            wrong = wrong if read is None else wrong & beside(read, wrong)
        if bool(wrong.any()):
            at = tuple(int(i) for i in wrong.nonzero()[0])
            raise InputKindError(f"{self.function}: {place(name, at)} = {values[at].item():g}; allowed: {allowed}")


def same_shape(function: str, name: str, values: Tensor, input: Tensor) -> None:
    """Nothing is broadcast."""
    if values.shape != input.shape:
        raise ShapeError(
            f"{function}: {name} has shape {tuple(values.shape)}; allowed: that of input, {tuple(input.shape)} "
            "(nothing is broadcast)"
        )


def beside(read: Tensor, values: Tensor) -> Tensor:
    """``read`` with an axis for each further one of ``values``."""
    return read.reshape(read.shape + (1,) * (values.dim() - read.dim()))
