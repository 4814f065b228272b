"""The one place where weights, masks, ignored entries and the divisor of a mean are decided.

An entry is what has one target: a row of logits, or an element of an elementwise loss. Its loss is
multiplied by ``weight`` (torch's: by class for index targets, elementwise for binary losses) and by
``sample_weight``. It takes part unless it is ignored, masked, or of zero ``sample_weight``; what takes no
part is never read, and its loss and gradient are exactly 0.

The mean is the sum of the weighted losses over the divisor that ``denominator`` names:

``None``
    what torch divides by: the sum of ``weight[target]`` for index targets, the number of entries that take
    part for all others; with ``sample_weight`` each entry counts its sample weight
``"count"``
    the number of entries that take part
``"weights"``
    the sum of ``weight * sample_weight``
a number
    itself: the same for every part of a split batch, so that the parts add up to the whole

Where the divisor is 0 because nothing took part, the mean is ``empty``: ``"zero"`` (with zero gradient),
``"nan"``, or ``"raise"``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np

from neglog import _native
from neglog.core.arrays import Array, Layout
from neglog.errors import DataError, InputKindError, ParameterError, ShapeError

Kind = Literal["mean", "sum", "none"]
Empty = Literal["zero", "nan", "raise"]
Denominator = float | Literal["count", "weights"] | None


class Entries(NamedTuple):
    """Which entries take part and what they weigh, in memory order."""

    layout: Layout
    sample_weight: Array | None  # entry_shape, float64
    mask: Array | None  # entry_shape, bool
    weight: Array | None  # (C,) by class, or a pattern that repeats over the elements; float64
    target: Array | None = None  # entry_shape, class indices; None for probability and elementwise targets
    ignore_index: int | None = None


class Reduction(NamedTuple):
    """How the sum of weighted losses becomes the result, and what multiplies the gradient on the way."""

    function: str
    kind: Kind
    divisor: float
    empty: Empty

    @property
    def scale(self) -> float:
        return 1.0 / self.divisor if self.divisor else 0.0

    def finish(self, total: float, losses: Array | None, layout: Layout, dtype: np.dtype[Any]) -> Any:
        """The result from the kernel's ``total`` (or its unreduced ``losses`` for ``"none"``)."""
        if losses is not None:
            return layout.restore_entries(losses)[()]
        if self.divisor:
            return dtype.type(total / self.divisor)
        if total != 0:
            raise ParameterError(
                f"{self.function}: denominator=0 but entries took part (their losses sum to {total:.6g}); "
                "allowed: a number > 0, or 0 where nothing takes part"
            )
        if self.empty == "raise":
            raise DataError(
                f"{self.function}: the mean of nothing: all {layout_size(layout)} entries are ignored, "
                "masked or of zero weight; allowed with empty='zero' or empty='nan'"
            )
        return dtype.type(0.0 if self.empty == "zero" else math.nan)


def layout_size(layout: Layout) -> int:
    """Number of entries."""
    return math.prod(layout.entry_shape)


def losses_buffer(kind: Kind, layout: Layout, dtype: np.dtype[Any]) -> Array | None:
    """Where the kernel writes unreduced losses: only for ``reduction="none"``."""
    return np.empty(layout.entry_shape, dtype) if kind == "none" else None


def entry_weights(function: str, layout: Layout, sample_weight: Any, mask: Any) -> tuple[Array | None, Array | None]:
    """``sample_weight`` and ``mask`` in memory order; both must have the target's shape."""
    if sample_weight is not None:
        array = _real(function, "sample_weight", sample_weight)
        if array.shape != layout.batch:
            raise ShapeError(
                f"{function}: sample_weight has shape {array.shape}; allowed: one weight per target, {layout.batch}"
            )
        sample_weight = layout.entries(array)
    if mask is not None:
        array = np.asarray(mask)
        if array.dtype.kind != "b":
            raise InputKindError(f"{function}: mask has dtype {array.dtype}; allowed: bool, True for what takes part")
        if array.shape != layout.batch:
            raise ShapeError(f"{function}: mask has shape {array.shape}; allowed: one value per target, {layout.batch}")
        mask = layout.entries(array)
    return sample_weight, mask


def _real(function: str, name: str, weight: Any) -> Array:
    try:
        return np.asarray(weight, np.float64)
    except (TypeError, ValueError) as error:
        raise InputKindError(f"{function}: {name} cannot be read as real numbers: {error}") from None


def class_weight(function: str, weight: Any, classes: int) -> Array | None:
    """``weight`` as ``(C,)`` float64."""
    if weight is None:
        return None
    array = np.ascontiguousarray(_real(function, "weight", weight))
    if array.shape != (classes,):
        raise ShapeError(
            f"{function}: weight has shape {np.shape(weight)}; allowed: one weight per class, ({classes},)"
        )
    return array


def element_weight(function: str, name: str, weight: Any, layout: Layout) -> Array | None:
    """``weight`` that broadcasts over the elements, as a pattern that repeats along memory."""
    if weight is None:
        return None
    array = _real(function, name, weight)
    shape = layout.batch
    if layout.order is None and array.shape == shape[len(shape) - array.ndim :]:
        return np.ascontiguousarray(array).reshape(-1)  # a scalar, or the last axes: nothing to copy
    try:
        whole = np.broadcast_to(array, shape)
    except ValueError:
        raise ShapeError(
            f"{function}: {name} has shape {array.shape}; allowed: what broadcasts to the target's {shape}"
        ) from None
    return layout.entries(whole)


def plan(
    function: str,
    entries: Entries,
    reduction: str,
    denominator: Any,
    empty: str,
    batch_mean: bool = False,
    row_weights: Callable[[], Array] | None = None,
) -> Reduction:
    """Decides the divisor, without reading more than it needs: nothing at all for a plain mean.

    ``batch_mean`` allows ``reduction="batchmean"``. ``row_weights`` computes the class weight that a row of
    probabilities carries; it is called for ``denominator="weights"`` only.
    """
    if empty not in _EMPTY:
        raise ParameterError(f"{function}: empty={empty!r}; allowed: {_one_of(_EMPTY)}")
    if reduction == "mean":
        return Reduction(function, "mean", _divisor(function, entries, denominator, row_weights), empty)
    if denominator is not None:
        raise ParameterError(
            f"{function}: denominator={denominator!r} with reduction={reduction!r}; allowed with reduction='mean' only"
        )
    if batch_mean and reduction == "batchmean":
        return Reduction(function, "mean", _batches(function, entries), empty)
    if reduction not in _KINDS:
        allowed = (*_KINDS, "batchmean") if batch_mean else _KINDS
        raise ParameterError(f"{function}: reduction={reduction!r}; allowed: {_one_of(allowed)}")
    return Reduction(function, reduction, 1.0, empty)


def _divisor(function: str, entries: Entries, denominator: Any, row_weights: Callable[[], Array] | None) -> float:
    if denominator is not None and not isinstance(denominator, str):
        return _number(function, denominator)
    if denominator not in (None, "count", "weights"):
        raise ParameterError(f"{function}: denominator={denominator!r}; allowed: 'count', 'weights', or a number > 0")
    layout, sample_weight, mask, weight, target, ignore_index = entries
    if denominator == "weights" and row_weights is not None and weight is not None:
        sample_weight = _row_weights(entries, row_weights())
        weight = None
    weighs = weight is not None and denominator != "count" and (denominator == "weights" or target is not None)
    size = layout_size(layout)
    if not weighs and sample_weight is None and mask is None and ignore_index is None:
        return float(size)
    read_target = target if weighs or ignore_index is not None else None
    count, plain, weighted, magnitude = _native.totals(
        size, layout.memory.shape[1] if layout.memory.ndim == 3 else 0, read_target,
        weight if weighs else None, sample_weight, mask, ignore_index,
    )  # fmt: skip
    if denominator == "count":
        return float(count)
    divisor = weighted if weighs else plain
    if divisor <= 0 and magnitude > 0:
        raise ParameterError(
            f"{function}: the weights of what takes part sum to {divisor:.6g}; allowed for a weighted mean: "
            "a sum > 0 (negative weights go with reduction='sum' or a numeric denominator)"
        )
    return divisor


def _row_weights(entries: Entries, by_class: Array) -> Array:
    """sample_weight * class weight per row, not read where the row takes no part."""
    took_part = np.ones(entries.layout.entry_shape, bool) if entries.mask is None else entries.mask
    if entries.sample_weight is None:
        return np.where(took_part, by_class, 0.0)
    took_part = took_part & (entries.sample_weight != 0)
    product = np.zeros(entries.layout.entry_shape)
    return np.multiply(by_class, entries.sample_weight, out=product, where=took_part)


def _batches(function: str, entries: Entries) -> float:
    """How many entries of the first axis have an element that takes part."""
    layout = entries.layout
    if not layout.batch:
        raise ShapeError(f"{function}: reduction='batchmean' for a scalar; allowed: input with a first axis")
    took_part = np.ones(layout.entry_shape, bool) if entries.mask is None else entries.mask
    if entries.sample_weight is not None:
        took_part = took_part & (entries.sample_weight != 0)
    elif entries.mask is None:
        return float(layout.batch[0]) if layout_size(layout) else 0.0
    by_batch = layout.restore_entries(took_part)
    return float(np.count_nonzero(by_batch.any(axis=tuple(range(1, by_batch.ndim)))))


def _number(function: str, denominator: Any) -> float:
    try:
        value = float(denominator)  # also a 0-d array or tensor
    except (TypeError, ValueError):
        value = math.nan
    if not (0.0 <= value < math.inf):
        raise ParameterError(f"{function}: denominator={denominator!r}; allowed: 'count', 'weights', or a number > 0")
    return value


def _one_of(names: tuple[str, ...]) -> str:
    return ", ".join(map(repr, names))


_KINDS = ("mean", "sum", "none")
_EMPTY = ("zero", "nan", "raise")
