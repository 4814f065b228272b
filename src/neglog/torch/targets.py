"""Class indices or probabilities: the dtype decides, never the shape. And how a bad target is reported."""

from __future__ import annotations

from typing import NoReturn

import torch
from torch import Tensor

from neglog.errors import InputKindError, ParameterError, ShapeError, TargetError
from neglog.torch.arguments import boolean, place, tensors
from neglog.torch.routing import may_look_at

_READ_BY_KERNELS = (torch.int64, torch.int32, torch.uint8)


def class_axis(function: str, input: Tensor, dim: int | None) -> int:
    """torch's rule unless ``dim`` is given: axis 1, or 0 for a single row."""
    axes = input.dim()
    if dim is None:
        dim = 1 if axes > 1 else 0
    elif dim < 0:
        dim += axes
    if not 0 <= dim < axes:
        raise ShapeError(f"{function}: dim={dim} for input of shape {tuple(input.shape)}; allowed: one of its axes")
    if input.shape[dim] == 0:
        raise ShapeError(f"{function}: input has shape {tuple(input.shape)}; allowed: at least one class along {dim}")
    return dim


def class_indices(function: str, target: Tensor, input: Tensor, dim: int) -> Tensor:
    """``target`` in an integer dtype that the kernels read; its shape is that of ``input`` without ``dim``."""
    dtype = target.dtype
    if dtype.is_floating_point or dtype.is_complex or dtype is torch.bool:
        raise InputKindError(f"{function}: target has dtype {dtype}; allowed: an integer dtype for class indices")
    shape = (*input.shape,)
    shape = shape[:dim] + shape[dim + 1 :]
    if target.shape != shape:
        hint = ""
        if input.dim() > 2 and target.shape == input.shape[:-1]:
            hint = " (classes along the last axis: dim=-1)"
        raise ShapeError(
            f"{function}: target has shape {tuple(target.shape)} and dtype {target.dtype} (class indices); allowed: "
            f"{shape}, the input's {tuple(input.shape)} without its class axis {dim}{hint}"
        )
    return target if dtype in _READ_BY_KERNELS else target.long()


def probabilities(function: str, target: Tensor, input: Tensor, ignore_index: int) -> None:
    if target.shape != input.shape:
        raise ShapeError(
            f"{function}: target has shape {tuple(target.shape)} and dtype {target.dtype} (probabilities); allowed: "
            f"that of the input, {tuple(input.shape)} (class indices need an integer dtype)"
        )
    if ignore_index >= 0:
        raise ParameterError(
            f"{function}: ignore_index={ignore_index} with probability targets; allowed: integer targets, or mask="
        )


def check_indices(function: str, target: Tensor, classes: int, ignore_index: int, part: Tensor | None) -> None:
    """Reads every index that takes part."""
    wrong = (target < 0) | (target >= classes)
    if part is not None:
        wrong &= part
    if bool(wrong.any()):
        row = tuple(int(i) for i in wrong.nonzero()[0])
        raise_bad_index(function, target, row, classes, ignore_index)


def readable_indices(
    function: str,
    target: Tensor,
    input: Tensor,
    dim: int,
    ignore_index: int,
    part: Tensor | None,
    sample_weight: Tensor | None,
) -> Tensor:
    """Indices that ``gather`` may use: 0 where an entry takes no part; a wrong one of weight 0 is not looked at."""
    classes, target = input.shape[dim], target.long()
    if sample_weight is not None:
        harmless = (sample_weight.detach() != 0) | ((target >= 0) & (target < classes))
        part = harmless if part is None else part & harmless
    if may_look_at(input, target):
        check_indices(function, target, classes, ignore_index, part)
    return target if part is None else torch.where(part, target, 0)


def raise_bad_index(
    function: str, target: Tensor, position: tuple[int, ...], classes: int, ignore_index: int
) -> NoReturn:
    found = int(target[position])
    hint = " (labels that start at 1?)" if found == classes and classes > 1 else ""
    raise TargetError(
        f"{function}: {place('target', position)} = {found}{hint}; allowed: 0 <= target < {classes}, "
        f"or ignore_index={ignore_index}"
    )


def raise_bad_probability(function: str, target: Tensor, position: tuple[int, ...]) -> NoReturn:
    found = target[position].item()
    raise InputKindError(
        f"{function}: {place('target', position)} = {found} is no probability; allowed: 0 <= target <= 1 "
        "(class indices: an integer dtype)"
    )


def check_probabilities(function: str, target: Tensor, dim: int, part: Tensor | None) -> None:
    """Each in [0, 1]; reads every probability of what takes part."""
    outside = (target < 0) | (target > 1)
    if part is not None:
        outside &= part.unsqueeze(dim)
    if bool(outside.any()):
        raise_bad_probability(function, target, tuple(int(i) for i in outside.nonzero()[0]))


def check_sums(function: str, target: Tensor, dim: int, part: Tensor | None) -> None:
    """The probabilities of a row sum to one."""
    sums = target.sum(dim, dtype=torch.float32 if target.device.type == "mps" else torch.float64)
    off = ~((sums - 1.0).abs() <= TOLERANCE[target.dtype.itemsize])
    if part is not None:
        off &= part
    if bool(off.any()):
        row = tuple(int(i) for i in off.nonzero()[0])
        raise InputKindError(
            f"{function}: {place('target', row)} sums to {sums[row].item():.6g} over the classes; allowed with "
            "check=True: 1"
        )


TOLERANCE = {2: 0.03, 4: 3e-4, 8: 1e-8}  # about the square root of the dtype's precision


def class_weight(function: str, weight: Tensor, classes: int) -> None:
    tensors(function, weight=weight)
    if weight.shape != (classes,):
        raise ShapeError(
            f"{function}: weight has shape {tuple(weight.shape)}; allowed: one weight per class, ({classes},)"
        )


def check_class_mask(function: str, class_mask: Tensor, input: Tensor, dim: int) -> None:
    """``(C,)`` or what broadcasts to the input."""
    boolean(function, "class_mask", class_mask)
    if class_mask.shape == (input.shape[dim],):
        return
    try:
        fits = torch.broadcast_shapes(class_mask.shape, input.shape) == input.shape and class_mask.dim() == input.dim()
    except RuntimeError:
        fits = False
    if not fits:
        raise ShapeError(
            f"{function}: class_mask has shape {tuple(class_mask.shape)}; allowed: ({input.shape[dim]},) or what "
            f"broadcasts to the input's {tuple(input.shape)}"
        )
