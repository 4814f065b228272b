"""What a loss has to bring, and how one value of it reaches the caller with its gradient.

A loss is a ``NamedTuple`` of everything but the input it is differentiated in. Its fields are the arguments of its
operator ``neglog::<name>``, whose schema is read from their annotations.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, ForwardRef, Protocol, TypeVar

import torch
from torch import Tensor

from neglog.torch.routing import Way, is_differentiated, way_for


class Fused(Protocol):
    """One loss with its options; ``input`` is the tensor that kernels differentiate in."""

    name: str  # of the operator
    tensors: int  # so many fields, the first, are tensors or None

    def __getitem__(self, key: slice, /) -> tuple[Any, ...]: ...
    def __iter__(self) -> Iterator[Any]: ...

    def result(self, input: Tensor) -> Tensor:
        """An empty tensor of the shape and dtype of the value."""
        ...

    def forward(self, input: Tensor, with_gradient: bool) -> tuple[Tensor, Tensor | None]:
        """The value by the kernel; on request its gradient, where the same pass gives it (else None)."""
        ...

    def backward(self, input: Tensor, upstream: Tensor) -> Tensor:
        """The gradient by the kernel; ``upstream`` has the shape of the value and enters before rounding."""
        ...

    def reference(self, input: Tensor) -> Tensor:
        """The value in torch ops: differentiable any number of times, on any device."""
        ...


def evaluate(loss: Fused, input: Tensor) -> Tensor:
    """The value of ``loss`` at ``input``, by the way that :mod:`neglog.torch.routing` decides."""
    way = way_for(input, loss[: loss.tensors])
    if way is Way.KERNEL:
        return by_kernel(loss, input)
    if way is Way.OPERATOR:
        return getattr(torch.ops.neglog, loss.name)(input, *loss)
    return loss.reference(input)


def by_kernel(loss: Fused, input: Tensor) -> Tensor:
    """The value by the kernel, with its gradient where somebody may ask for it."""
    if input.requires_grad and torch.is_grad_enabled():
        return _Kernel.apply(input, loss)  # pyright: ignore[reportReturnType]
    return loss.forward(input, False)[0]


class _Kernel(torch.autograd.Function):
    # forward(ctx, ...) in one piece: setup_context costs 28 us a call, and its use, functorch, takes the reference

    @staticmethod
    def forward(ctx: Any, input: Tensor, loss: Fused) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        value, ctx.gradient = loss.forward(input, True)
        ctx.with_value = ctx.gradient is not None
        ctx.wide = input.dtype.itemsize > 2
        ctx.loss = loss
        ctx.save_for_backward(input, *loss[: loss.tensors])  # notices what is changed in between
        return value

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        if is_differentiated(upstream):
            return _differentiable_gradient(ctx.loss, ctx.saved_tensors[0], upstream), None
        gradient, ctx.gradient = ctx.gradient, None  # given away: a second backward computes it anew, the same way
        factor = upstream.item() if ctx.with_value else 0.0
        if ctx.with_value and (ctx.wide or abs(math.frexp(factor)[0]) == 0.5):  # half precision is rounded once
            if gradient is None:
                gradient = ctx.loss.forward(ctx.saved_tensors[0], True)[1]
            return gradient if factor == 1.0 else gradient.mul_(factor), None
        return ctx.loss.backward(ctx.saved_tensors[0], upstream.resolve_neg()), None


def _differentiable_gradient(loss: Fused, input: Tensor, upstream: Tensor) -> Tensor:
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(loss.reference(input), input, upstream, create_graph=True)
    return gradient


Loss = TypeVar("Loss", bound=Callable[..., Fused])


def operator(loss: Loss) -> Loss:
    """Registers ``neglog::<name>`` and ``neglog::<name>_backward`` for a class of losses."""
    name: str = loss.name  # pyright: ignore[reportFunctionMemberAccess]
    annotations: dict[str, ForwardRef] = loss.__annotations__  # a NamedTuple keeps "int" as ForwardRef("int")
    fields = ", ".join(f"{_SCHEMA[type_.__forward_arg__]} {field}" for field, type_ in annotations.items())

    def backward_kernel(upstream: Tensor, input: Tensor, *arguments: Any) -> Tensor:
        return laid_like(torch.empty_like(input, device="meta"), loss(*arguments).backward(input, upstream))

    def second_derivative(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        factor, input, *arguments = restored(ctx)
        with torch.enable_grad():
            factor, input = factor.detach().requires_grad_(), input.detach().requires_grad_()
            gradient = _differentiable_gradient(loss(*arguments), input, factor)
            derivatives = torch.autograd.grad(gradient, (factor, input), upstream, allow_unused=True)
        return (*derivatives, *(None for _ in arguments))

    backward = torch.library.custom_op(
        f"neglog::{name}_backward",
        backward_kernel,
        mutates_args=(),
        device_types="cpu",
        schema=f"(Tensor upstream, Tensor input, {fields}) -> Tensor",
    )

    def fake_backward(upstream: Tensor, input: Tensor, *arguments: Any) -> Tensor:
        return torch.empty_like(input)

    backward.register_fake(fake_backward)
    backward.register_autograd(second_derivative, setup_context=keep)

    def forward_kernel(input: Tensor, *arguments: Any) -> Tensor:
        value = loss(*arguments).forward(input, False)[0]
        return value if not value.dim() else laid_like(loss(*arguments).result(input), value)

    def first_derivative(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        input, *arguments = restored(ctx)
        return (backward(upstream, input, *arguments), *(None for _ in arguments))

    forward = torch.library.custom_op(
        f"neglog::{name}",
        forward_kernel,
        mutates_args=(),
        device_types="cpu",
        schema=f"(Tensor input, {fields}) -> Tensor",
    )

    def fake_forward(input: Tensor, *arguments: Any) -> Tensor:
        return loss(*arguments).result(input)

    forward.register_fake(fake_forward)
    forward.register_autograd(first_derivative, setup_context=keep)
    return loss


_SCHEMA = {
    "Tensor": "Tensor",
    "Tensor | None": "Tensor?",
    "int": "SymInt",
    "float": "float",
    "bool": "bool",
    "str": "str",
    "list[float]": "float[]",
}


def laid_like(promised: Tensor, values: Tensor) -> Tensor:
    """``values`` with the strides that the fake kernel promised."""
    if values.stride() == promised.stride():
        return values
    return torch.empty_strided(values.shape, promised.stride(), dtype=values.dtype).copy_(values)


def keep(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.save_for_backward(*(argument for argument in inputs if isinstance(argument, Tensor)))
    ctx.others = tuple(None if isinstance(argument, Tensor) else (argument,) for argument in inputs)


def restored(ctx: Any) -> list[Any]:
    tensors = iter(ctx.saved_tensors)
    return [next(tensors) if other is None else other[0] for other in ctx.others]
