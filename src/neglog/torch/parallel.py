"""Denominators of batches that are split over micro-batches, processes, or both.

A mean of means is not the mean: a rank with 3 tokens would count as much as one with 3,000. The remedy is one
number that every part divides by. DDP and FSDP average gradients over the ranks, so a rank's share of the total
weight is the global sum over the number of ranks: averaging then gives the gradient of the global mean.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, distributed

from neglog.errors import InputKindError, ParameterError, ShapeError
from neglog.torch.routing import may_look_at
from neglog.torch.targets import raise_bad_index

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup

_FUNCTION = "total_weight"


def total_weight(
    target: Tensor,
    weight: Tensor | None = None,
    *,
    sample_weight: Tensor | None = None,
    mask: Tensor | None = None,
    ignore_index: int = -100,
    dim: int | tuple[()] | None = None,
    group: ProcessGroup | None = None,
) -> Tensor:
    r"""What the mean over a batch divides by, as a number that its parts can share.

    .. math:: \sum_{n\ \text{takes part}} w_{y_n} s_n \quad\text{(class indices)}
        \qquad \sum_{n\ \text{takes part}} s_n \quad\text{(floating targets)}

    Pass it as ``denominator=`` to the losses of all parts of the batch: their losses and gradients then add up to
    those of the whole. The totals of several micro-batches are added. With ``group`` the total is summed over
    the ranks and divided by their number, because DDP and FSDP average the gradients of the ranks.

    Parameters
    ----------
    target : tensor
        Integers are class indices ``y``, one per entry. Floats are probabilities with a class dimension ``dim``, or
        targets of an elementwise loss (``dim=()``).
    weight : (C,) tensor, optional
        Class weights ``w``. As in torch they do not enter the divisor of floating targets.
    sample_weight : tensor of one value per entry, optional
        ``s``, otherwise 1.
    mask : bool tensor of one value per entry, optional
        True takes part.
    ignore_index : int
        Class index that takes no part; without effect on floating targets.
    dim : int or (), optional
        The class dimension of a floating target: by default torch's, 1, or 0 of a single entry. ``()`` if there is
        none, as for binary losses and ``kl_div``: every element is an entry.
    group : torch.distributed.ProcessGroup, optional
        The ranks over which gradients are averaged, ``torch.distributed.group.WORLD`` for all. Collective: every
        rank of the group calls, also one that has nothing.

    Returns
    -------
    0-d float64 tensor (float32 where the device has no float64) on the target's device, detached. 0 if nothing takes
    part; the losses are then 0 as well.

    Raises
    ------
    TargetError
        A class index outside ``[0, C)`` that is not ignored, if there are class weights to look up; on the CPU.
    ShapeError
        ``sample_weight`` or ``mask`` without one value per entry.
    InputKindError
        A mask that is not bool.
    ParameterError
        A group that this process does not belong to.

    Examples
    --------
    Two micro-batches of different size:

    >>> import torch
    >>> import neglog.torch as nlt
    >>> logits = torch.tensor([[2.0, 1.0, 0.1], [0.5, -1.0, 0.3], [-0.2, 0.4, 3.0]])
    >>> target = torch.tensor([0, 2, -100])
    >>> total = sum(nlt.total_weight(part) for part in target.split(2))
    >>> total
    tensor(2., dtype=torch.float64)
    >>> parts = [
    ...     nlt.cross_entropy(z, y, denominator=total) for z, y in zip(logits.split(2), target.split(2))
    ... ]
    >>> torch.testing.assert_close(sum(parts), nlt.cross_entropy(logits, target))

    """
    with torch.no_grad():
        total = _local(target, weight, sample_weight, mask, ignore_index, dim)
        return total if group is None else share(_FUNCTION, total, group)


def is_group(denominator: Any) -> bool:
    """Whether ``denominator`` is a process group of torch.distributed."""
    return distributed.is_available() and isinstance(denominator, distributed.ProcessGroup)


def share(function: str, divisor: Tensor | float, group: ProcessGroup) -> Tensor:
    """A rank's share of the divisor: its sum over ``group`` over the number of ranks; detached.

    ``divisor`` that is a number is summed on the group's own device. Traced by torch.compile as a functional
    collective. The all-reduce is ordinary code beside the loss, never part of an op: an op may be recomputed or
    reordered, which would leave the ranks waiting for one another.
    """
    ranks = distributed.get_world_size(group)
    if ranks < 1:
        raise ParameterError(f"{function}: this process does not belong to the process group {group!r}")
    if isinstance(divisor, Tensor):
        total = divisor.detach().clone()  # the collective works in place
    else:
        total = torch.tensor(divisor, dtype=torch.float64, device=_device(group))
    distributed.all_reduce(total, group=group)
    return total / ranks


def _device(group: ProcessGroup) -> torch.device:
    devices = group._device_types  # pyright: ignore[reportPrivateUsage]
    return torch.device("cpu") if torch.device("cpu") in devices else devices[0]


def _local(
    target: Tensor,
    weight: Tensor | None,
    sample_weight: Tensor | None,
    mask: Tensor | None,
    ignore_index: int,
    dim: int | tuple[()] | None,
) -> Tensor:
    """The total of this process, in torch ops: they read N targets, of a loss that reads N x C logits."""
    by_class = not target.is_floating_point()
    shape = target.shape if by_class else _entries(target, dim)
    wide = torch.float32 if target.device.type == "mps" else torch.float64
    took = target != ignore_index if by_class else None
    if mask is not None:
        _same_shape("mask", mask, shape)
        if mask.dtype != torch.bool:
            raise InputKindError(
                f"{_FUNCTION}: mask has dtype {mask.dtype}; allowed: torch.bool, True for what takes part"
            )
        took = mask if took is None else took & mask
    if sample_weight is not None:
        _same_shape("sample_weight", sample_weight, shape)
    if sample_weight is None and (weight is None or not by_class):
        if took is None:
            return torch.full((), math.prod(shape), dtype=wide, device=target.device)
        return took.sum().to(wide)
    terms = torch.ones((), dtype=wide, device=target.device)
    if sample_weight is not None:
        terms = sample_weight.to(wide)
        took = terms != 0 if took is None else took & (terms != 0)
    if weight is not None and by_class:
        assert took is not None
        terms = terms * _looked_up(target, weight.to(wide), took, ignore_index)
    return terms.where(took, 0).sum() if took is not None else terms.sum()


def _looked_up(target: Tensor, weight: Tensor, took: Tensor, ignore_index: int) -> Tensor:
    """The class weight of every target; an arbitrary one where it takes no part."""
    classes = weight.numel()
    index = target.long().where(took, 0)  # uint8 would index as a mask
    if weight.ndim != 1:
        raise ShapeError(f"{_FUNCTION}: weight has shape {tuple(weight.shape)}; allowed: one weight per class, (C,)")
    if may_look_at(target):
        bad = (index < 0) | (index >= classes)
        if bad.any():
            position = tuple(bad.nonzero()[0].tolist())
            raise_bad_index(_FUNCTION, target, position, classes, ignore_index)
    return weight[index]


def _entries(target: Tensor, dim: int | tuple[()] | None) -> tuple[int, ...]:
    """Shape of the entries of a floating target: what is left without the class dimension."""
    shape = tuple(target.shape)
    if dim == ():
        return shape
    axis = (0 if len(shape) == 1 else 1) if dim is None else dim
    if not isinstance(axis, int) or not -len(shape) <= axis < len(shape):
        raise ShapeError(
            f"{_FUNCTION}: dim={dim!r} for a floating target of shape {shape}; "
            "allowed: its class dimension, or () for none"
        )
    axis %= len(shape)
    return shape[:axis] + shape[axis + 1 :]


def _same_shape(name: str, given: Tensor, shape: tuple[int, ...]) -> None:
    if given.shape != shape:
        raise ShapeError(
            f"{_FUNCTION}: {name} has shape {tuple(given.shape)}; allowed: one value per entry, {tuple(shape)}"
        )
