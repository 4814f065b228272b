"""Arguments that every loss takes: torch's legacy switches, reductions, denominators, weights, masks."""

from __future__ import annotations

import math
import warnings
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from neglog.errors import InputKindError, ParameterError, ShapeError
from neglog.torch.routing import forward_mode, may_look_at

Reduction = Literal["mean", "sum", "none"]
Empty = Literal["zero", "nan", "raise"]

_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
CPU = torch.device("cpu")  # an object: parsing the string costs 0.15 us a call
CODES = {torch.float16: 0, torch.bfloat16: 1, torch.float32: 2, torch.float64: 3}
TARGET_CODES = {torch.uint8: 0, torch.int32: 1, torch.int64: 2}
PROBABILITIES = 3  # the kernels' code of a target that holds probabilities

# how a loss is reduced, as the operators name it -> what the kernels divide by
DIVISORS = {"none": 0, "sum": 0, "given": 0, "count": 1, "entries": 2, "weights": 3}


def result_dtype(input: Tensor) -> torch.dtype:
    """Losses are float64 for float64 and float32 for everything narrower."""
    return torch.float64 if input.dtype is torch.float64 else torch.float32


def legacy(reduction: Reduction, size_average: bool | None, reduce: bool | None) -> Reduction:
    """``reduction`` with torch's older ``size_average`` and ``reduce``, where given, taking its place."""
    if size_average is None and reduce is None:
        return reduction
    meant: Reduction = "none" if reduce is False else "sum" if size_average is False else "mean"
    warnings.warn(f"size_average and reduce are torch's old names: reduction={meant!r} says it", stacklevel=3)
    return meant


class Divisor(NamedTuple):
    """What the sum of the losses is divided by."""

    reduction: str  # a key of DIVISORS
    number: float  # for "given"
    tensor: Tensor | None  # divides outside, where it is on a device or under the compiler


def divisor_for(
    function: str, reduction: str, denominator: Any, empty: str, default: str, batch_mean: bool = False
) -> Divisor:
    """``default`` is what a plain mean divides by; a process group is resolved before."""
    if empty not in ("zero", "nan", "raise"):
        raise ParameterError(f"{function}: empty={empty!r}; allowed: 'zero', 'nan', 'raise'")
    if reduction == "mean":
        if denominator is None:
            return Divisor(default, 0.0, None)
        return _explicit(function, denominator)
    if reduction not in ("sum", "none") and not (batch_mean and reduction == "batchmean"):
        also = ", 'batchmean'" if batch_mean else ""
        raise ParameterError(f"{function}: reduction={reduction!r}; allowed: 'mean', 'sum', 'none'{also}")
    if denominator is not None:
        raise ParameterError(
            f"{function}: denominator={denominator!r} with reduction={reduction!r}; allowed with reduction='mean' only"
        )
    return Divisor(reduction, 0.0, None)


def _explicit(function: str, denominator: Any) -> Divisor:
    if isinstance(denominator, str):
        if denominator not in ("count", "weights"):
            raise ParameterError(f"{function}: denominator={denominator!r}; allowed: {_DENOMINATORS}")
        return Divisor(denominator, 0.0, None)
    if isinstance(denominator, Tensor):
        if denominator.dim() != 0:
            raise ParameterError(
                f"{function}: denominator has shape {tuple(denominator.shape)}; allowed: {_DENOMINATORS}"
            )
        if denominator.requires_grad or forward_mode() or not may_look_at(denominator):
            return Divisor("sum", 0.0, denominator)
        denominator = denominator.item()  # a number goes into the pass over the input
    compiling = torch.compiler.is_compiling()
    try:
        number = denominator if compiling and isinstance(denominator, int | float) else float(denominator)
    except (TypeError, ValueError):
        number = math.nan
    if not 0.0 <= number < math.inf:
        raise ParameterError(f"{function}: denominator={denominator!r}; allowed: {_DENOMINATORS}")
    if compiling:  # an argument of the operator would be a constant, and every number a graph of its own
        return Divisor("sum", 0.0, torch.full((), number, dtype=torch.float64, device=CPU))
    return Divisor("given", number, None)


_DENOMINATORS = "'count', 'weights', a number > 0, a 0-d tensor, or a process group"


def per_entry(function: str, name: str, values: Tensor | None, shape: torch.Size | tuple[int, ...]) -> None:
    """One value per target; nothing is broadcast."""
    if values is not None and values.shape != shape:
        raise ShapeError(f"{function}: {name} has shape {tuple(values.shape)}; allowed: one per target, {tuple(shape)}")


def boolean(function: str, name: str, values: Tensor | None) -> None:
    if values is not None and values.dtype is not torch.bool:
        raise InputKindError(f"{function}: {name} has dtype {values.dtype}; allowed: bool, True for what takes part")


def positive(function: str, name: str, value: float | Tensor) -> float | Tensor:
    """A number > 0 (or +inf); a 0-d tensor is taken as it is."""
    if isinstance(value, Tensor):
        if value.dim() != 0:
            raise ParameterError(f"{function}: {name} has shape {tuple(value.shape)}; allowed: a number > 0 or 0-d")
        return value
    if not value > 0.0:
        raise ParameterError(f"{function}: {name}={value!r}; allowed: {name} > 0")
    return float(value)


def integer(function: str, name: str, value: Any) -> None:
    if not isinstance(value, int):
        raise ParameterError(f"{function}: {name}={value!r}; allowed: an integer")


def tensors(function: str, **given: Any) -> None:
    """No arrays, no lists."""
    for name, value in given.items():
        if not isinstance(value, Tensor):
            raise InputKindError(f"{function}: {name} is of type {type(value).__name__}; allowed: a tensor")


def floating(function: str, name: str, values: Tensor) -> None:
    if values.dtype not in _FLOATS:
        raise InputKindError(
            f"{function}: {name} has dtype {values.dtype}; allowed: float16, bfloat16, float32, float64"
        )


def address(values: Tensor | None) -> int:
    """For the kernels: 0 is None."""
    return 0 if values is None else values.data_ptr()


def place(name: str, position: tuple[int, ...]) -> str:
    """``name[1, 2]``, or ``name`` for a scalar."""
    return f"{name}[{', '.join(map(str, position))}]" if position else name
