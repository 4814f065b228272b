"""The nll of rows of a scalar family as a differentiable tensor.

Exact rows: the kernel gives value and gradient in one pass and, for a double backward, the Hessian; whatever else is
asked for (the derivative in y, a third one, other devices, torch.func, compiled code) is the family's reference.

Censored rows have kernels only. Their derivatives in the ends of the interval are densities over its probability,

    V = -log P(l < Y <= u):   dV/dl = f(l) / P = exp(V - E(l)),   dV/du = -f(u) / P = -exp(V - E(u)),   E = -log f,

with the next order by the chain rule. A row whose ends are equal is exact: V = E(l), and its slope is that of ``l``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx

from neglog.compose import window
from neglog.errors import InputKindError
from neglog.families import kernel
from neglog.families.base import Family
from neglog.families.registry import family as family_named
from neglog.families.registry import spelled
from neglog.families.scalar import ScalarFamily
from neglog.torch.family_reference import by_reference, harmless_data
from neglog.torch.reference import widened
from neglog.torch.routing import Way, dispatched, forward_mode, is_differentiated, transforming, way_for


class Rows(NamedTuple):
    """What is evaluated: tensors of one shape follow, ``y`` or ``lower, upper``, then the parameters."""

    family: ScalarFamily
    dtype: torch.dtype  # of value and slopes
    ends: int  # 0: exact rows; 2: censored rows
    moving: bool = False  # whether the ends are differentiated too


def exact_rows(family: Family, y: Tensor, params: Sequence[Tensor], dtype: torch.dtype) -> Tensor:
    """``-log f(y)`` per row; tensors of one shape but for the event axes, which are last."""
    if isinstance(family, ScalarFamily) and not family.written and all(way_for(p, (y,)) is Way.KERNEL for p in params):
        return _by_kernel(Rows(family, dtype, 0), y, *params)
    return by_reference(family, y, params).to(dtype)


def censored_rows(
    family: ScalarFamily, lower: Tensor, upper: Tensor, params: Sequence[Tensor], dtype: torch.dtype
) -> Tensor:
    """``-log P(lower < Y <= upper)`` per row, ``-log f(lower)`` where the ends are equal; on the CPU."""
    tensors = [t.resolve_neg() for t in (lower, upper, *params)]
    for tensor in tensors:
        if tensor.device.type != "cpu":
            raise InputKindError(
                f"nll: the probability of an interval (censored or truncated rows) on {tensor.device}; allowed: the "
                "CPU, where the kernels are"
            )
    tracked = lower.requires_grad or upper.requires_grad
    if tracked and family.discrete:
        raise _no_slope_in_counts()
    rows = Rows(family, dtype, 2, (tracked or forward_mode() or transforming()) and not family.discrete)
    if forward_mode() or transforming():
        return _Derivative.apply(rows, 0, *tensors)  # pyright: ignore[reportReturnType]
    if torch.compiler.is_compiling() or dispatched():
        return _operator(tensors, spelled(family), dtype is torch.float64, rows.moving, 0)
    return _by_kernel(rows, *tensors)


def log_window(family: ScalarFamily, lower: float, upper: float, params: Sequence[Tensor]) -> Tensor:
    """``log P(lower < Y <= upper)`` in the references of compositions."""
    params = torch.broadcast_tensors(*params)
    ends = [torch.full_like(params[0].detach(), end) for end in (lower, upper)]
    return -censored_rows(family, ends[0], ends[1], params, params[0].dtype)


window.in_torch = log_window  # pyright: ignore[reportAttributeAccessIssue]


def readable(y: Tensor) -> Tensor:
    """Data as the kernels read it: integers become float64, half precision float32, exactly."""
    if not y.is_floating_point():
        return y.to(torch.float32 if y.device.type == "mps" else torch.float64)
    return widened(y)


def _by_kernel(rows: Rows, *tensors: Tensor) -> Tensor:
    if torch.is_grad_enabled() and any(t.requires_grad for t in tensors):
        return _Eager.apply(rows, *tensors)  # pyright: ignore[reportReturnType]
    return _evaluated(rows, 0, tensors)[0]


class _Eager(torch.autograd.Function):
    """The value, with all slopes from the same pass. Without setup_context, which costs 28 us a call."""

    @staticmethod
    def forward(ctx: Any, rows: Rows, *tensors: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        value, ctx.slopes = _evaluated(rows, 1, tensors)
        ctx.rows = rows
        ctx.save_for_backward(*tensors)
        return value

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        tensors, rows = ctx.saved_tensors, ctx.rows
        wanted = ctx.needs_input_grad[1:]
        if is_differentiated(upstream):
            products: Tensor = upstream * _Derivative.apply(rows, 1, *tensors)
            return None, *_per_tensor(rows, wanted, products)
        slopes, ctx.slopes = ctx.slopes, None  # given away: a second backward computes them anew
        if slopes is None:
            slopes = _evaluated(rows, 1, tensors)[1]
        return None, *_per_tensor(rows, wanted, slopes.mul_(upstream))


class _Derivative(torch.autograd.Function):
    """The derivatives of one order, stacked in front: 0 the value, 1 slopes, 2 curvatures, 3 of exact rows only.

    It brings what torch may ask of it: backward, forward mode and vmap, in any combination.
    """

    @staticmethod
    def forward(rows: Rows, order: int, *tensors: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return _thirds(rows, *tensors) if order == 3 else _evaluated(rows, order, tensors)[order]

    @staticmethod
    def setup_context(ctx: FunctionCtx, inputs: tuple[Any, ...], output: Tensor) -> None:  # pyright: ignore
        ctx.rows, ctx.order, *tensors = inputs  # pyright: ignore
        ctx.set_materialize_grads(False)  # a tangent that is not there differs from one of zeros
        ctx.save_for_backward(*tensors)
        ctx.save_for_forward(*tensors)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor | None) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        rows, tensors, wanted = ctx.rows, ctx.saved_tensors, ctx.needs_input_grad[2:]
        if upstream is None:
            return (None,) * len(ctx.needs_input_grad)
        products = upstream * _next(rows, ctx.order, tensors)
        for _ in range(ctx.order):
            products = products.sum(1)
        return None, None, *_per_tensor(rows, wanted, products)

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Tensor:
        rows, tensors, order = ctx.rows, ctx.saved_tensors, ctx.order
        given = tangents[2:]
        if rows.ends and not rows.moving and any(t is not None for t in given[:2]):
            raise _no_slope_in_counts()
        used = given if rows.moving else given[rows.ends or 1 :]
        zero = torch.zeros_like(tensors[-1])
        moved = torch.stack([zero if t is None else t for t in used])
        return (moved[(slice(None), *(None,) * order)] * _next(rows, order, tensors)).sum(0)

    @staticmethod
    def vmap(  # pyright: ignore[reportIncompatibleMethodOverride]
        info: Any, in_dims: tuple[Any, ...], rows: Rows, order: int, *tensors: Tensor
    ) -> tuple[Tensor, int]:
        size = info.batch_size
        stacked = [
            t.unsqueeze(0).expand(size, *t.shape) if dim is None else t.movedim(dim, 0)
            for t, dim in zip(tensors, in_dims[2:], strict=True)
        ]
        return _Derivative.apply(rows, order, *stacked), order  # pyright: ignore[reportReturnType]


def _next(rows: Rows, order: int, tensors: tuple[Tensor, ...]) -> Tensor:
    """The derivative of order ``order + 1``."""
    if order == (2 if rows.ends else 3):
        raise NotImplementedError(_beyond(order))
    return _Derivative.apply(rows, order + 1, *tensors)  # pyright: ignore[reportReturnType]


def _beyond(limit: int) -> str:
    what = "an interval" if limit == 2 else "exact rows"
    return f"nll: a derivative of order {limit + 1} of {what}; allowed: up to {limit}"


def _per_tensor(rows: Rows, wanted: tuple[bool, ...], products: Tensor) -> list[Tensor | None]:
    """``products``, one per slope, in the places of the tensors."""
    fixed = 0 if rows.moving else rows.ends or 1
    if rows.ends and not rows.moving and any(wanted[:2]):
        raise _no_slope_in_counts()
    return [None] * fixed + [p if want else None for p, want in zip(products, wanted[fixed:], strict=True)]


def _no_slope_in_counts() -> InputKindError:
    return InputKindError(
        "nll: an end of a censored row requires a gradient, but the probability of counts does not vary smoothly with "
        "it; allowed for discrete families: ends without requires_grad"
    )


# ------------------------------------------------------------------- compiled code: censored rows behind an operator


def _operator_kernel(tensors: Sequence[Tensor], family: str, wide: bool, moving: bool, order: int) -> Tensor:
    known = family_named(family)
    assert isinstance(known, ScalarFamily)
    rows = Rows(known, torch.float64 if wide else torch.float32, 2, moving)
    # an operator runs below autograd, which slopes in the ends use
    with torch._C._SetExcludeDispatchKeyGuard(torch._C.DispatchKey.AutogradFunctionality, False):  # pyright: ignore
        return _evaluated(rows, order, tuple(t.detach() for t in tensors))[order].contiguous()


_operator = torch.library.custom_op(
    "neglog::censored_rows",
    _operator_kernel,
    mutates_args=(),
    device_types="cpu",
    schema="(Tensor[] tensors, str family, bool wide, bool moving, int order) -> Tensor",
)


@_operator.register_fake
def _operator_fake(tensors: Sequence[Tensor], family: str, wide: bool, moving: bool, order: int) -> Tensor:
    slots = len(tensors) - (0 if moving else 2)
    dtype = torch.float64 if wide else torch.float32
    return tensors[-1].new_empty((*(slots,) * order, *tensors[-1].shape), dtype=dtype)


def _operator_keep(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    tensors, *ctx.options = inputs
    ctx.save_for_backward(*tensors)


def _operator_backward(ctx: Any, upstream: Tensor) -> tuple[Any, ...]:
    tensors = list(ctx.saved_tensors)
    family, wide, moving, order = ctx.options
    if order == 2:
        raise NotImplementedError(_beyond(2))
    products = upstream * _operator(tensors, family, wide, moving, order + 1)
    for _ in range(order):
        products = products.sum(1)
    fixed = [] if moving else [None, None]
    return [*fixed, *products], None, None, None, None


_operator.register_autograd(_operator_backward, setup_context=_operator_keep)


# ------------------------------------------------------------------------------------------------ numbers, no autograd


def _evaluated(rows: Rows, order: int, tensors: tuple[Tensor, ...]) -> list[Tensor]:
    """[value, slopes, curvatures][: order + 1]; slopes (S, *shape), one per tensor that is differentiated, in order."""
    data, params = list(tensors[: rows.ends or 1]), list(tensors[rows.ends or 1 :])
    kind = kernel.OBSERVED if rows.ends else kernel.EXACT
    if not (rows.moving and order):
        return _jets(rows, kind, order, data, params)
    wide = rows._replace(dtype=torch.float64)  # rates are exponentials of differences
    data, params = [t.double() for t in data], [p.double() for p in params]
    jets = _jets(wide, kind, order, data, params)
    return [t.detach().to(rows.dtype) for t in _with_ends(wide, order, jets, data, params)]


def _gradient(values: Tensor, inputs: list[Tensor]) -> list[Tensor]:
    """Of the sum, differentiable in turn; zeros where nothing depends on anything, as for the uniform density."""
    if not values.requires_grad:
        return [torch.zeros_like(t) for t in inputs]
    return list(torch.autograd.grad(values.sum(), inputs, create_graph=True, allow_unused=True, materialize_grads=True))


def _thirds(rows: Rows, y: Tensor, *params: Tensor) -> Tensor:
    """Third derivatives of exact rows, by the reference."""
    with torch.enable_grad():
        live = [p.detach().requires_grad_() for p in params]
        out = by_reference(rows.family, y, live).unsqueeze(0)
        for _ in range(3):
            each = [_gradient(entry, live) for entry in out.flatten(0, -1 - y.dim())]
            out = torch.stack([torch.stack(slopes) for slopes in each])
        return out.detach().reshape(*(len(live),) * 3, *y.shape).to(rows.dtype)


def _jets(rows: Rows, kind: int, order: int, data: list[Tensor], params: list[Tensor]) -> list[Tensor]:
    dtype = np.dtype(np.float64 if rows.dtype is torch.float64 else np.float32)
    arrays = [_array(t) for t in data]
    results = rows.family._jets(  # pyright: ignore[reportPrivateUsage]
        kind, order, arrays, [_array(t) for t in params], tuple(params[0].shape), dtype
    )
    return [torch.from_numpy(np.asarray(result)) for result in results]


def _array(values: Tensor) -> Any:
    """The tensor's memory; one element where it repeats one."""
    values = values.detach()
    if values.numel() > 1 and not any(values.stride()):
        values = values[(0,) * values.dim()]
    return values.numpy()


def _with_ends(rows: Rows, order: int, jets: list[Tensor], data: list[Tensor], params: list[Tensor]) -> list[Tensor]:
    """Slopes and curvatures of censored rows with those in both ends in front."""
    value, slopes = jets[0], jets[1]
    known = data[0] == data[1]
    low, high = (_density(rows, end, params, order) for end in data)
    rates = [torch.where(known, 0.0, sign * torch.exp(value - e.value)) for sign, e in ((1, low), (-1, high))]
    out = [value, torch.stack([torch.where(known, low.slope, rates[0]), rates[1], *slopes])]
    if order > 1:
        count = len(params) + 2
        matrix = value.new_empty((count, count, *value.shape))
        matrix[2:, 2:] = jets[2]
        matrix[0, 1] = _product(rates[0], rates[1])
        for i, (e, rate) in enumerate(((low, rates[0]), (high, rates[1]))):
            matrix[i, i] = _product(rate, rate - e.slope)
            matrix[i, 2:] = _product(rate, slopes - e.params)
        matrix[0, 0] = torch.where(known, low.bend, matrix[0, 0])
        matrix[0, 2:] = torch.where(known, low.mixed, matrix[0, 2:])
        for i in range(2):
            matrix[i + 1 :, i] = matrix[i, i + 1 :]
        out.append(matrix)
    return out


def _product(rate: Tensor, factor: Tensor) -> Tensor:
    """0 where the density at the end is 0, as at an infinite one."""
    return torch.where(rate == 0, 0.0, rate * factor)


class _Density(NamedTuple):
    """``E = -log f`` at an end of the rows and its derivatives; those after ``slope`` for curvatures only."""

    value: Tensor
    slope: Tensor  # in the end
    params: Tensor
    bend: Tensor  # the second in the end
    mixed: Tensor  # in the end and each parameter


def _density(rows: Rows, end: Tensor, params: list[Tensor], order: int) -> _Density:
    value, *slopes = _jets(rows, kernel.EXACT, order - 1, [end], params)
    with torch.enable_grad():
        y = torch.where(end.isfinite(), end, harmless_data(rows.family)).detach().requires_grad_()
        live = [p.detach().requires_grad_() for p in params]
        (slope,) = _gradient(by_reference(rows.family, y, live), [y])
        if order == 1:
            return _Density(value, slope, slope, slope, slope)
        bend, *mixed = _gradient(slope, [y, *live])
    return _Density(value, slope, slopes[0], bend, torch.stack(mixed))
