"""What the losses of independent elements share: one kernel job, its walk through memory, its reference.

Dense memory is walked as it lies, whatever its axes are called; only operands that lie differently are copied into
the input's order, and an input with gaps is copied whole.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from neglog import _native
from neglog.errors import InputKindError, ShapeError
from neglog.torch.arguments import (
    CODES,
    CPU,
    DIVISORS,
    Divisor,
    address,
    boolean,
    divisor_for,
    floating,
    per_entry,
    place,
)
from neglog.torch.arguments import result_dtype as dtype_of_loss
from neglog.torch.fused import evaluate, operator
from neglog.torch.layout import gradient_like
from neglog.torch.parallel import is_group, total_weight
from neglog.torch.reduction import divided, finished, reduced, weighted
from neglog.torch.reference import widened
from neglog.torch.reference_elementwise import FORMULAS, Kind
from neglog.torch.routing import may_look_at
from neglog.torch.targets import TOLERANCE

_FORMULA_CODES = {name: code for code, name in enumerate(FORMULAS)}
_TARGET_CODES = {
    torch.uint8: 0, torch.int32: 1, torch.int64: 2,
    torch.float16: 3, torch.bfloat16: 4, torch.float32: 5, torch.float64: 6,
}  # fmt: skip


@operator
class Pointwise(NamedTuple):
    """A binary loss or a divergence with its options made explicit."""

    target: Tensor
    weight: Tensor | None
    pos_weight: Tensor | None
    sample_weight: Tensor | None
    mask: Tensor | None
    formula: str  # a key of FORMULAS
    by_row: bool  # an entry is a row along the last axis and its loss the mean over it; otherwise an element
    reduction: str  # a key of DIVISORS
    number: float  # the divisor of "given"
    empty: str
    function: str  # for messages

    name = "pointwise"
    tensors = 5

    def result(self, input: Tensor) -> Tensor:
        dtype = dtype_of_loss(input)
        if self.reduction != "none":
            return torch.empty((), dtype=dtype, device=input.device)
        if self.by_row:
            return torch.empty(input.shape[:-1], dtype=dtype, device=input.device)
        return torch.empty_like(input, dtype=dtype)

    def forward(self, input: Tensor, with_gradient: bool) -> tuple[Tensor, Tensor | None]:
        x = self._walkable(input)
        if self.reduction == "none":
            losses = self.result(x)
            self._kernel(x, self.sample_weight, 1.0, losses, None)
            return losses, None
        # float16: a loss scale has to enter before the gradient is rounded
        gradient = gradient_like(x) if with_gradient and x.dtype is not torch.float16 else None
        total, divisor = self._kernel(x, self.sample_weight, 1.0, None, gradient)
        value = finished(total, divisor, self.empty, self.function)
        return torch.scalar_tensor(value, dtype=dtype_of_loss(x), device=CPU), gradient

    def backward(self, input: Tensor, upstream: Tensor) -> Tensor:
        x = self._walkable(input)
        gradient = gradient_like(x)
        weight, factor = self.sample_weight, 1.0
        if upstream.numel() and not any(upstream.stride()):  # one number for all, as from a scalar or from sum()
            factor = upstream[(0,) * upstream.dim()].item()
        elif weight is None:
            weight = upstream
        else:
            weight = weighted(upstream.double(), weight)
        self._kernel(x, weight, factor, None, gradient)
        return gradient

    def _walkable(self, input: Tensor) -> Tensor:
        """``input``, or a copy of it, without gaps; in rows if those are entries."""
        if input.is_contiguous():
            return input
        if self.by_row:
            return input.contiguous()
        return input if _is_dense(input) else input.clone()

    def _kernel(
        self, x: Tensor, entry_weight: Tensor | None, factor: float, losses: Tensor | None, gradient: Tensor | None
    ) -> tuple[float, float]:
        """(value, divisor) of one pass over ``x``."""
        target = _laid_like(self.target, x)
        mask = self.mask
        weight_code, weight, period, pos_weight, pos_period = 2, None, 1, None, 1
        given = [w for w in (self.weight, self.pos_weight, entry_weight) if w is not None]
        if given:
            dtype = given[0].dtype
            if dtype not in CODES or any(w.dtype is not dtype for w in given):
                dtype = torch.float64
            weight_code = CODES[dtype]
            weight, period = _pattern(self.weight, x, dtype)
            pos_weight, pos_period = _pattern(self.pos_weight, x, dtype)
            if entry_weight is not None:
                entry_weight = entry_weight.to(dtype)
                entry_weight = entry_weight.contiguous() if self.by_row else _laid_like(entry_weight, x)
        if mask is not None:
            mask = mask.contiguous() if self.by_row else _laid_like(mask, x)
        divisor = self.number if self.reduction == "given" else 1.0
        kind = DIVISORS[self.reduction]
        value, own_divisor, bad_input, bad_target = _native.pointwise_strided(
            _FORMULA_CODES[self.formula], x.numel(), CODES[x.dtype], x.data_ptr(),
            _TARGET_CODES[target.dtype], target.data_ptr(),
            weight_code, address(weight), period, address(pos_weight), pos_period,
            address(entry_weight), address(mask), x.shape[-1] if self.by_row else 1,
            address(losses), address(gradient),
            kind, factor / divisor if divisor else 0.0, torch.get_num_threads(),
        )  # fmt: skip
        if bad_input >= 0:
            self._raise_bad("input", x, _position(x, bad_input))
        if bad_target >= 0:
            self._raise_bad("target", self.target, _position(x, bad_target))
        if kind == 0:
            return (value / divisor if divisor else value), divisor
        return value, own_divisor

    def reference(self, input: Tensor) -> Tensor:
        formula, x = FORMULAS[self.formula], widened(input)
        target, weight, pos_weight, entry_weight = (
            None if values is None else values.to(x.dtype)
            for values in (self.target, self.weight, self.pos_weight, self.sample_weight)
        )
        assert target is not None
        part, weighs = self._part(), self._weighs()
        if may_look_at(input, self.target):
            self.check(input)
        if weighs is not None:  # a weight of 0 has a slope all the same, where what it stands before is finite
            weighs = weighs | formula.smooth(x.detach(), target.detach())
        read = _both(part, weighs)
        if read is not None:
            read = read.expand(x.shape)
            x = torch.where(read, x, _HARMLESS[formula.input])
            target = torch.where(read, target, _HARMLESS[formula.target])
            weight = None if weight is None else torch.where(read, weight, 0.0)
        losses = weighted(formula.loss(x, target, pos_weight), weight)
        losses = losses if read is None else torch.where(read, losses, 0.0)
        if self.mask is not None and entry_weight is not None:
            entry_weight = torch.where(self.mask, entry_weight, 0.0)
        if self.reduction != "weights":
            weight = None
        if self.by_row:
            losses = losses.mean(-1)
            weight = None if weight is None else weight.expand(x.shape).mean(-1)
        elif weight is not None:
            weight = weight.expand(x.shape)
        losses = weighted(losses, entry_weight)
        return reduced(losses, self.mask, entry_weight, weight, self.reduction, self.number, self.empty, self.function)

    def _part(self) -> Tensor | None:
        """Elements that are not masked, as they broadcast; None: all."""
        return self.mask.unsqueeze(-1) if self.by_row and self.mask is not None else self.mask

    def _weighs(self) -> Tensor | None:
        """Elements whose weights are not 0, as they broadcast; None: all."""
        entries = None if self.sample_weight is None else self.sample_weight.detach() != 0
        if self.by_row and entries is not None:
            entries = entries.unsqueeze(-1)
        return _both(entries, None if self.weight is None else self.weight.detach() != 0)

    def check(self, input: Tensor) -> None:
        """Raises at the first value that is read and of another kind than the formula takes; waits for the device."""
        formula = FORMULAS[self.formula]
        wrong_input, wrong_target = _wrong(input, formula.input), _wrong(self.target, formula.target)
        if formula.input == "log_probability":  # not read where the target has no mass
            wrong_input &= (self.target.exp() if formula.target == "log_probability" else self.target) != 0
        read = _both(self._part(), self._weighs())
        for name, values, wrong in (("input", input, wrong_input), ("target", self.target, wrong_target)):
            wrong = wrong if read is None else wrong & read
            if bool(wrong.any()):
                self._raise_bad(name, values, tuple(int(i) for i in wrong.nonzero()[0]))

    def _raise_bad(self, name: str, values: Tensor, position: tuple[int, ...]) -> None:
        formula = FORMULAS[self.formula]
        found = f"{self.function}: {place(name, position)} = {values[position].item()} is no"
        if (formula.input if name == "input" else formula.target) == "log_probability":
            hint = "with log_target" if name == "target" else "log_softmax gives them"
            raise InputKindError(f"{found} log-probability; allowed: {name} <= 0 ({hint})")
        hint = " (binary_cross_entropy_with_logits takes logits)" if name == "input" else ""
        raise InputKindError(f"{found} probability; allowed: 0 <= {name} <= 1{hint}")


def elementwise(
    function: str,
    formula: str,
    input: Tensor,
    target: Tensor,
    weight: Tensor | None,
    pos_weight: Tensor | None,
    sample_weight: Tensor | None,
    mask: Tensor | None,
    reduction: str,
    denominator: Any,
    empty: str,
    check: bool,
    by_row: bool = False,
) -> Tensor:
    """Checks shapes and dtypes, decides the divisor, and evaluates."""
    if target.shape != input.shape:
        raise ShapeError(
            f"{function}: target has shape {tuple(target.shape)}; allowed: that of input, {tuple(input.shape)} "
            "(nothing is broadcast)"
        )
    floating(function, "input", input)
    if target.dtype not in _TARGET_CODES:
        target = _readable(function, target)
    if weight is not None:
        _expands(function, "weight", weight, input)
    if pos_weight is not None:
        _expands(function, "pos_weight", pos_weight, input)
    if sample_weight is not None or mask is not None:
        entries = input.shape[:-1] if by_row else input.shape
        per_entry(function, "sample_weight", sample_weight, entries)
        per_entry(function, "mask", mask, entries)
        boolean(function, "mask", mask)
    if denominator is not None:
        denominator = _shared(denominator, input, sample_weight, mask, by_row)
    divisor = divisor_for(function, reduction, denominator, empty, "entries", batch_mean=formula.startswith("kl_div"))
    if divisor.reduction == "batchmean":
        divisor = _batches(input, sample_weight, mask)
    loss = Pointwise(
        target, weight, pos_weight, sample_weight, mask, formula, by_row,
        divisor.reduction, divisor.number, empty, function,
    )  # fmt: skip
    if check:
        loss.check(input)
    value = evaluate(loss, input)
    return value if divisor.tensor is None else divided(value, divisor.tensor, empty, function)


def _both(a: Tensor | None, b: Tensor | None) -> Tensor | None:
    """``a & b``, where None is True everywhere."""
    return b if a is None else a if b is None else a & b


def _readable(function: str, target: Tensor) -> Tensor:
    """``target`` in a dtype that the kernels read."""
    if target.dtype.is_complex:
        raise InputKindError(f"{function}: target has dtype {target.dtype}; allowed: floats, integers, bool")
    return target.to(torch.uint8 if target.dtype is torch.bool else torch.int64)


def _expands(function: str, name: str, weight: Tensor, input: Tensor) -> None:
    trailing = input.shape[input.dim() - weight.dim() :] if weight.dim() <= input.dim() else None
    if trailing is None or any(n != 1 and n != size for n, size in zip(weight.shape, trailing, strict=True)):
        raise ShapeError(
            f"{function}: {name} has shape {tuple(weight.shape)}; allowed: what broadcasts to the target's "
            f"{tuple(input.shape)}"
        )


def _shared(denominator: Any, input: Tensor, sample_weight: Tensor | None, mask: Tensor | None, by_row: bool) -> Any:
    """``denominator`` with a process group replaced by this rank's share of the total."""
    if is_group(denominator):
        entries = input.detach()
        return total_weight(
            entries, sample_weight=sample_weight, mask=mask, dim=-1 if by_row else (), group=denominator
        )
    return denominator


def _batches(input: Tensor, sample_weight: Tensor | None, mask: Tensor | None) -> Divisor:
    """How many of the first axis hold something that takes part; 1 without axes."""
    read = _both(mask, None if sample_weight is None else sample_weight != 0)
    if read is None or not input.dim():
        batches = input.shape[0] if input.dim() else 1
        if not torch.compiler.is_compiling():
            return Divisor("given", float(batches), None)
        return Divisor("sum", 0.0, torch.full((), batches, dtype=dtype_of_loss(input), device=input.device))
    return Divisor("sum", 0.0, read.flatten(1).any(1).sum() if read.dim() > 1 else read.sum())


def _is_dense(x: Tensor) -> bool:
    """Whether the elements fill one stretch of memory, each once, in whatever order of the axes."""
    filled = 1
    for stride, size in sorted(zip(x.stride(), x.shape, strict=True)):
        if size != 1:
            if stride != filled:
                return False
            filled *= size
    return True


def _laid_like(values: Tensor, x: Tensor) -> Tensor:
    """``values`` of the shape of ``x`` in its order of memory."""
    if values.stride() == x.stride() or (values.is_contiguous() and x.is_contiguous()):
        return values
    return torch.empty_like(x, dtype=values.dtype).copy_(values)


def _pattern(weight: Tensor | None, x: Tensor, dtype: torch.dtype) -> tuple[Tensor | None, int]:
    """``weight`` as values that repeat along the memory of ``x``, and how many.

    One number, or the last axes of contiguous memory, repeat as they are; any other broadcast is written out.
    """
    if weight is None:
        return None, 1
    weight = weight.to(dtype)
    if weight.numel() == 1:
        return weight, 1
    sizes = list(weight.shape)
    while sizes and sizes[0] == 1:
        del sizes[0]
    if x.is_contiguous() and sizes == list(x.shape[x.dim() - len(sizes) :]):
        return weight.contiguous(), max(weight.numel(), 1)
    return _laid_like(weight.expand(x.shape), x), max(x.numel(), 1)


def _position(x: Tensor, flat: int) -> tuple[int, ...]:
    """The index of the ``flat``-th element in the memory of ``x``."""
    position = [0] * x.dim()
    for axis in sorted(range(x.dim()), key=lambda i: (x.stride(i), x.shape[i] != 1)):
        flat, position[axis] = divmod(flat, x.shape[axis])
    return tuple(position)


def _wrong(values: Tensor, kind: Kind) -> Tensor:
    """Where ``values`` prove to be of another kind."""
    if kind == "probability":
        return (values < 0) | (values > 1)
    if kind == "log_probability":
        return values > TOLERANCE[values.dtype.itemsize if values.is_floating_point() else 2]
    return torch.zeros_like(values, dtype=torch.bool)


_HARMLESS: dict[Kind, float] = {"anything": 0.5, "probability": 0.5, "log_probability": -0.5}
