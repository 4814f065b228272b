"""Class indices or probabilities: the dtype decides, never the shape. And how a bad target is reported."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from neglog.core.arrays import Array, Layout
from neglog.errors import InputKindError, ParameterError, ShapeError, TargetError


def place(name: str, position: tuple[int, ...]) -> str:
    """``name[1, 2]``, or ``name`` for a scalar."""
    return f"{name}[{', '.join(map(str, position))}]" if position else name


def is_index(function: str, target: Array, probabilities: bool) -> bool:
    """Integers are class indices; floats are probabilities where those are allowed."""
    if target.dtype.kind in "iu":
        return True
    if probabilities and (target.dtype.kind == "f" or target.dtype.name == "bfloat16"):
        return False
    allowed = "integers for class indices" + (", floats for probabilities" if probabilities else "")
    raise InputKindError(f"{function}: target has dtype {target.dtype}; allowed: {allowed}")


def index_target(function: str, target: Array, layout: Layout, shape: tuple[int, ...], axis: int) -> Array:
    """Class indices in memory order, in an integer type that the kernels read."""
    if target.shape != layout.batch:
        raise ShapeError(
            f"{function}: target has shape {target.shape} and integer dtype {target.dtype} (class indices); "
            "allowed: "
            f"{layout.batch}, the input's shape {shape} without its class axis {axis}"
        )
    if target.dtype.char not in "lqiB" or not target.dtype.isnative:
        if target.dtype.kind == "u" and target.dtype.itemsize == 8:
            target = np.minimum(target, np.uint64(2**63 - 1))  # beyond any class, and must not wrap around
        target = target.astype(np.int64)
    return layout.entries(target)


def probability_target(function: str, target: Array, layout: Layout, shape: tuple[int, ...]) -> Array:
    """Probabilities in the logits' memory order."""
    if target.shape != shape:
        raise ShapeError(
            f"{function}: target has shape {target.shape} and dtype {target.dtype} (probabilities); "
            "allowed: that of "
            f"the logits, {shape} (class indices need an integer dtype)"
        )
    return layout.full(target)


def check_ignore_index(function: str, ignore_index: Any, index: bool) -> int | None:
    """``ignore_index`` as an int; only class indices can be ignored by value."""
    if ignore_index is None:
        return None
    if not index:
        raise ParameterError(
            f"{function}: ignore_index={ignore_index!r} with probability targets; allowed: integer targets, or mask="
        )
    if not isinstance(ignore_index, (int, np.integer)) or not -(2**63) <= ignore_index < 2**63:
        raise ParameterError(f"{function}: ignore_index={ignore_index!r}; allowed: an integer")
    return int(ignore_index)


def raise_bad_class(
    function: str, target: Array, position: tuple[int, ...], classes: int, ignore_index: int | None
) -> NoReturn:
    also = "" if ignore_index is None else f", or ignore_index={ignore_index}"
    hint = " (labels that start at 1?)" if int(target[position]) == classes and classes > 1 else ""
    raise TargetError(
        f"{function}: {place('target', position)} = {target[position]}{hint}; allowed: 0 <= target < {classes}{also}"
    )


def raise_not_probability(
    function: str, name: str, array: Array, position: tuple[int, ...], hint: str = ""
) -> NoReturn:
    raise InputKindError(
        f"{function}: {place(name, position)} = {array[position]} is no probability; allowed: 0 <= {name} <= 1{hint}"
    )


def raise_not_log_probability(
    function: str, name: str, array: Array, position: tuple[int, ...], hint: str = ""
) -> NoReturn:
    """A value above 0 by more than rounding explains."""
    raise InputKindError(
        f"{function}: {place(name, position)} = {array[position]} is no log-probability; allowed: {name} <= 0{hint}"
    )
