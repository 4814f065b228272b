"""Rows of a user's likelihood: the call, what it may return, and its derivatives by torch.func."""

from __future__ import annotations

import contextlib
import os
import traceback
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from neglog.compose.jets import LOG_HALF
from neglog.errors import InputError, ShapeError
from neglog.families import kernel
from neglog.families.base import Array
from neglog.families.expectation import expect

if TYPE_CHECKING:
    from neglog.compose.custom import Custom

_BLOCK = 1 << 16  # rows of one call: half a megabyte for each tensor that autograd keeps

Call = Callable[..., Any]  # tensors of the free parameters -> tensor of rows


def evaluate(
    family: Custom, rows: int, order: int, data: list[Array], values: list[Array], shape: tuple[int, ...]
) -> list[Array]:
    """``[value (n,), gradient (P, n), Hessian (P, P, n)]`` up to ``order``, zero in columns of data."""
    size, count = int(np.prod(shape)), len(values)
    flat = [_rows(array, shape) for array in [*data, *values]]
    out = [np.zeros((count,) * i + (size,)) for i in range(order + 1)]
    for first in range(0, size, _BLOCK):
        part = slice(first, min(first + _BLOCK, size))
        block = [np.broadcast_to(array, size)[part] for array in flat]
        with _on_cpu():
            found = _block(family, rows, order, block[: len(data)], block[len(data) :])
        for whole, here in zip(out, found, strict=True):
            whole[..., part] = here
    return out


def _on_cpu() -> contextlib.AbstractContextManager[Any]:
    """What the user's function makes lies beside what it is given, wherever torch makes tensors by default."""
    import torch

    return contextlib.nullcontext() if torch.get_default_device().type == "cpu" else torch.device("cpu")


def _rows(array: Array, shape: tuple[int, ...]) -> Array:
    array = np.asarray(array, dtype=np.float64)
    return array.reshape(1) if array.size == 1 else np.ascontiguousarray(np.broadcast_to(array, shape)).reshape(-1)


def _block(family: Custom, rows: int, order: int, ends: list[Array], values: list[Array]) -> list[Array]:
    """Only rows whose data and parameters are possible reach the user's functions."""
    size, count = len(ends[0]), len(values)
    window = rows == kernel.WINDOW
    valid, missing = np.ones(size, bool), np.isnan(ends[0]) | np.isnan(ends[-1])
    for parameter, value in zip(family.parameters, values, strict=True):
        valid &= parameter.domain.contains(value)
        missing |= np.isnan(value)
    exact = np.full(size, not window) if rows != kernel.OBSERVED else ends[0] == ends[-1]
    out = [np.full((count,) * i + (size,), np.nan if i or window else np.inf) for i in range(order + 1)]
    out[0][missing] = np.nan
    seen = valid & ~missing & exact & family.support.contains(ends[0])
    if seen.any():
        _put(out, seen, _call(family, _alone(family, family.fn), order, ends[:1], values, seen), 1.0)
    between = valid & ~missing & ~exact
    if between.any():
        _put(out, between, _interval(family, order, ends, values, between), 1.0 if window else -1.0)
    return out


def _put(out: list[Array], rows: Array, found: list[Array], sign: float = 1.0) -> None:
    for whole, part in zip(out, found, strict=True):
        whole[..., rows] = sign * part


def _alone(family: Custom, fn: Call) -> Call:
    """One of the user's functions, of data ``[y]`` and all parameters."""

    def rowwise(data: list[Any], tensors: list[Any]) -> Any:
        return checked(family, fn, data[0], tensors)

    return rowwise


def _call(family: Custom, fn: Call, order: int, data: list[Array], values: list[Array], rows: Array) -> list[Array]:
    """``fn(data, parameters)`` with its derivatives in ``rows``; those in columns of data are zero."""
    import torch

    at = [torch.tensor(end[rows], dtype=torch.float64) for end in data]
    tensors = [torch.tensor(value[rows], dtype=torch.float64) for value in values]
    free, count = family.free, len(values)
    found = derivatives(lambda *parameters: fn(at, [*parameters, *tensors[free:]]), order, tensors[:free])
    out = [np.zeros((count,) * i + found[0].shape) for i in range(order + 1)]
    for i, (whole, part) in enumerate(zip(out, found, strict=True)):
        whole[(slice(free),) * i] = part
    return out


def checked(family: Custom, fn: Call, y: Any, tensors: Sequence[Any]) -> Any:
    """``fn`` at those tensors, or what is wrong with what it returns."""
    import torch

    named = {parameter.name: tensor for parameter, tensor in zip(family.parameters, tensors, strict=True)}
    try:
        value = fn(y, **named)
    except InputError:
        raise
    except Exception as error:  # whatever the user's code raises; it stays as the cause, with its traceback
        raise InputError(
            f"{family.name}: {_called(fn)} failed with {type(error).__name__}{_place(fn, error)}: {_line(error)}"
        ) from error
    if not isinstance(value, torch.Tensor):
        raise InputError(f"{family.name}: {_called(fn)} returned a {type(value).__name__}; allowed: a torch tensor")
    if value.shape != y.shape:
        hint = "; leave out .sum() or .mean()" if value.dim() == 0 else ""
        raise ShapeError(
            f"{family.name}: {_called(fn)} returned shape {tuple(value.shape)} for rows of shape {tuple(y.shape)}; "
            f"allowed: one number per row{hint}"
        )
    if not value.is_floating_point():
        raise InputError(f"{family.name}: {_called(fn)} returned {value.dtype}; allowed: floating point")
    if all(tensor.dtype == torch.float64 for tensor in (y, *tensors)) and value.dtype != torch.float64:
        raise InputError(
            f"{family.name}: {_called(fn)} returned {value.dtype} of float64 tensors; allowed: torch.float64, without "
            "which no maximum can be verified"
        )
    return value.to(torch.float64) if y.dtype == torch.float64 else value


def _place(fn: Call, error: Exception) -> str:
    """Where in the file of ``fn`` it happened; empty where that has no name, as of a builtin."""
    file = getattr(getattr(fn, "__code__", None), "co_filename", None)
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f" in line {lines[-1]} of {os.path.basename(file)}" if file and lines else ""


def _called(fn: Call) -> str:
    return getattr(fn, "__name__", "fn")


def _line(error: Exception) -> str:
    line = " ".join(str(error).split())[:300]
    hint = next((advice for part, advice in _HINTS.items() if part in line), "")
    return f"{line.rstrip('.')}. Here: {hint}" if hint else line


_HINTS = {  # what torch says to whom did not mean torch
    "numpy()": "torch's functions in place of NumPy's (torch.exp for np.exp)",
    "converted to Python scalars": "torch's functions in place of those of math (torch.log for math.log); no float()",
    "Boolean value of Tensor": "torch.where(condition, a, b) in place of if, and, or, min and max",
}


def derivatives(fn: Call, order: int, parameters: Sequence[Any]) -> list[Array]:
    """``fn`` of row-wise tensors ``(n,)``: value ``(n,)``, gradient ``(P, n)`` and Hessian ``(P, P, n)``.

    Since each row depends on its own parameters only, the gradient of the sum holds the gradients of the rows, and a
    product with a constant direction their Hessians' columns.
    """
    import torch

    if order == 0:
        with torch.no_grad():
            return [fn(*parameters).numpy()]
    every = tuple(range(len(parameters)))

    def total(*p: Any) -> Any:
        value = fn(*p)
        return value.sum(), value

    slopes = torch.func.grad(total, argnums=every, has_aux=True)
    if order == 1:
        gradient, value = slopes(*parameters)
        return [value.detach().numpy(), torch.stack(gradient).numpy()]
    found: Any = torch.func.vjp(slopes, *parameters, has_aux=True)
    gradient, pull, value = found
    zeros, ones = torch.zeros_like(value), torch.ones_like(value)
    columns = [torch.stack(pull(tuple(ones if p == q else zeros for q in every))) for p in every]
    hessian = torch.stack(columns)
    return [value.detach().numpy(), torch.stack(gradient).detach().numpy(), hessian.detach().numpy()]


def _interval(family: Custom, order: int, ends: list[Array], values: list[Array], rows: Array) -> list[Array]:
    """``log P(lower < Y <= upper)`` from the logarithms of both tails."""
    if family.log_cdf_of is None or family.log_sf_of is None:
        raise InputError(
            f"{family.name}: censored and truncated rows, quantiles, draws and residuals need the distribution "
            "function; pass log_cdf= and log_sf= to nl.Custom"
        )
    low, high = (end[rows] for end in ends)
    theta, support = [value[rows] for value in values], family.support
    below = (low < support.low) if support.low_closed else (low <= support.low)
    above = high >= support.high
    none = (low >= high) | (low >= support.high) | ((high < support.low) if support.low_closed else high <= support.low)
    out = [np.zeros((len(values),) * i + (len(low),)) for i in range(order + 1)]
    out[0][none] = -np.inf
    for part in out[1:]:
        part[..., none] = np.nan
    cases = (
        (below & ~above, _alone(family, family.log_cdf_of), [high]),
        (above & ~below, _alone(family, family.log_sf_of), [low]),
        (~below & ~above, _difference(family, family.log_cdf_of, family.log_sf_of), [low, high]),
    )
    for case, fn, data in cases:
        if (case & ~none).any():
            _put(out, case & ~none, _call(family, fn, order, data, theta, case & ~none))
    return out


def _difference(family: Custom, log_cdf: Call, log_sf: Call) -> Call:
    """``log(F(upper) - F(lower))``, in whichever tail that is the smaller."""

    def log_probability(data: list[Any], tensors: list[Any]) -> Any:
        import torch

        cdf = [checked(family, log_cdf, end, tensors) for end in data]
        sf = [checked(family, log_sf, end, tensors) for end in data]
        left = (cdf[1] <= sf[0]).detach()
        more, less = torch.where(left, cdf[1], sf[0]), torch.where(left, cdf[0], sf[1])
        gap = less - more
        near = (gap > LOG_HALF).detach()
        close, wide = torch.where(near, gap, -1.0), torch.where(near, -1.0, gap)
        return more + torch.where(near, torch.log(-torch.expm1(close)), torch.log1p(-torch.exp(wide)))

    return log_probability


def reference(family: Custom, xp: Any, y: Any, params: Sequence[Any]) -> Any:
    """The user's function itself, ``+inf`` outside the support, in torch; in numpy by way of it."""
    import torch

    if xp is np:
        shape = np.broadcast_shapes(np.shape(y), *(np.shape(p) for p in params))
        return evaluate(family, kernel.EXACT, 0, [np.asarray(y)], [np.asarray(p) for p in params], shape)[0].reshape(
            shape
        )
    y, *params = torch.broadcast_tensors(y, *params)
    support = family.support
    inside = (y >= support.low if support.low_closed else y > support.low) & (
        y <= support.high if support.high_closed else y < support.high
    )
    if support.integer:
        inside = inside & (y == y.floor())
    shape = y.shape
    safe = torch.where(inside, y, _somewhere(family))
    value = checked(family, family.fn, safe.reshape(-1), [p.reshape(-1) for p in params]).reshape(shape)
    return torch.where(y != y, y, torch.where(inside, value, torch.inf))


def _somewhere(family: Custom) -> float:
    """A value of the support."""
    low, high = family.support.low, family.support.high
    if np.isfinite(low) and np.isfinite(high):
        return float(np.floor((low + high) / 2)) if family.support.integer else (low + high) / 2
    return low + 1.0 if np.isfinite(low) else high - 1.0 if np.isfinite(high) else 0.5 * (not family.support.integer)


def mean(family: Custom, fn: Call, params: Sequence[Array]) -> Array:
    """The user's expected value."""
    import torch

    shape = np.broadcast_shapes(*(np.shape(p) for p in params))

    def of_rows(_: Any, **named: Any) -> Any:
        return fn(**named)

    with torch.no_grad(), _on_cpu():
        tensors = [torch.tensor(np.ascontiguousarray(np.broadcast_to(p, shape)).reshape(-1)) for p in params]
        value = checked(family, of_rows, tensors[0], tensors)
    return value.numpy().reshape(shape)


def moments(family: Custom, params: Sequence[Array]) -> tuple[Array, Array]:
    """Mean and variance by quadrature."""
    values = list(np.broadcast_arrays(*params))
    centre = expect(family, lambda y: y, values)
    return centre, expect(family, lambda y: (y - centre) ** 2, values)
