"""Labels of any type to class positions."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neglog.errors import InputError, ShapeError


def class_labels(classes: Iterable[Any] | int) -> tuple[Any, ...]:
    """The labels as Python values, in the order of the columns.

    Raises
    ------
    InputError
        No labels, a label twice, or a label that is no string, integer, boolean or finite float.
    """
    if isinstance(classes, int | np.integer) and not isinstance(classes, bool):
        classes = range(int(classes))
    elif isinstance(classes, str | bytes):
        raise InputError(f"Score.classification: classes = {classes!r}; a sequence of labels is needed")
    labels = tuple(label.item() if isinstance(label, np.generic) else label for label in classes)
    if not labels:
        raise InputError("Score.classification: classes is empty; at least one label is needed")
    seen: set[Any] = set()
    for k, label in enumerate(labels):
        if not isinstance(label, str | int | float) or (isinstance(label, float) and not math.isfinite(label)):
            raise InputError(
                f"Score.classification: classes[{k}] = {label!r}; a string, an integer, a boolean or a finite "
                "float is needed"
            )
        if label in seen:
            raise InputError(f"Score.classification: classes[{k}] = {label!r} occurs twice (labels compare with ==)")
        seen.add(label)
    return labels


class LabelPositions:
    """Position of each label among the classes, -1 where it is none of them.

    Labels match as Python's ``==`` says: 1, 1.0 and True are one label, "1" is another.

    >>> LabelPositions(("ham", "spam")).of(np.array(["spam", "eggs"]))
    array([ 1, -1])
    """

    def __init__(self, classes: tuple[Any, ...]) -> None:
        self._table = {label: k for k, label in enumerate(classes)}
        self._sorted: NDArray[np.int64] | None = None
        if all(isinstance(c, int) and abs(c) < 2**62 for c in classes):
            values = np.array([int(c) for c in classes], dtype=np.int64)
            self._order = np.argsort(values)
            self._sorted = values[self._order]
            self._is_range = bool(np.array_equal(values, np.arange(len(classes))))

    def of(self, y: NDArray[Any]) -> NDArray[np.int64]:
        """Positions of the labels in ``y``, one-dimensional."""
        if self._sorted is not None and (y.dtype.kind in "bi" or (y.dtype.kind == "u" and y.dtype.itemsize < 8)):
            return self._of_integers(y.astype(np.int64))
        get = self._table.get
        try:
            return np.fromiter((get(label, -1) for label in y.tolist()), dtype=np.int64, count=len(y))
        except TypeError as error:  # an unhashable label
            raise InputError(f"Score.update: y: labels are strings, integers, booleans or floats ({error})") from None

    def _of_integers(self, y: NDArray[np.int64]) -> NDArray[np.int64]:
        assert self._sorted is not None
        if self._is_range:
            return np.where((y >= 0) & (y < len(self._sorted)), y, -1)
        at = np.minimum(np.searchsorted(self._sorted, y), len(self._sorted) - 1)
        return np.where(self._sorted[at] == y, self._order[at], -1)


def vector(name: str, values: Any, rows: int) -> NDArray[Any]:
    """``values`` as an array of shape ``(rows,)``; never broadcast.

    Raises
    ------
    ShapeError
        The shape is another.
    """
    array = np.asarray(values)
    if array.dtype.kind in "US" and isinstance(values, list | tuple):
        array = np.array(values, dtype=object)  # NumPy would turn [1, "a"] into ["1", "a"]
    if array.shape != (rows,):
        raise ShapeError(
            f"Score.update: {name} has shape {array.shape}; p has {rows} rows, so ({rows},) is needed"
        )
    return array
