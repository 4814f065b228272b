"""What callers pass: labels and names of any type, predictions of any float dtype and strides."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neglog.errors import InputError, ShapeError


def class_labels(classes: Any) -> tuple[Any, ...]:
    """The labels as Python values, in the order of the columns.

    Raises
    ------
    InputError
        No labels, a label twice, or a label that is no string, integer, boolean or finite float.
    """
    if isinstance(classes, str | bytes | bool):
        raise InputError(f"Score.classification: classes = {classes!r}; a sequence of labels is needed")
    if isinstance(classes, int | np.integer):
        classes = range(int(classes))
    labels = tuple(label.item() if isinstance(label, np.generic) else label for label in classes)
    if not labels:
        raise InputError("Score.classification: classes is empty; at least one label is needed")
    seen: set[Any] = set()
    for k, label in enumerate(labels):
        if not isinstance(label, str | int | float) or (
            isinstance(label, float) and not math.isfinite(label)
        ):
            raise InputError(
                f"Score.classification: classes[{k}] = {label!r}; "
                "a string, an integer, a boolean or a finite float is needed"
            )
        if label in seen:
            raise InputError(
                f"Score.classification: classes[{k}] = {label!r} occurs twice (labels compare with ==)"
            )
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
        if self._sorted is not None and (
            y.dtype.kind in "bi" or (y.dtype.kind == "u" and y.dtype.itemsize < 8)
        ):
            return self._of_integers(y.astype(np.int64))
        get = self._table.get
        try:
            return np.fromiter((get(label, -1) for label in y.tolist()), dtype=np.int64, count=len(y))
        except TypeError as error:  # an unhashable label
            raise InputError(
                f"Score.update: y: labels are strings, integers, booleans or floats ({error})"
            ) from None

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


def names(name: str, values: Any, rows: int) -> tuple[NDArray[Any] | None, str]:
    """Names of rows or clusters, shape ``(rows,)``, and their type: "int", "str", or "none" for None.

    Raises
    ------
    InputError
        Something else than integers or strings.
    """
    if values is None:
        return None, "none"
    array = vector(name, values, rows)
    if array.dtype.kind in "bi" or (
        array.dtype.kind == "u" and (array.itemsize < 8 or array.max(initial=0) < 2**63)
    ):
        return array.astype(np.int64), "int"
    if array.dtype.kind == "U":
        return array, "str"
    if array.dtype.kind == "O" and all(isinstance(value, str) for value in array):
        return array.astype(np.str_), "str"
    raise InputError(f"Score.update: {name} has dtype {array.dtype}; integers or strings are needed")


class Predictions:
    """Rows of numbers, handed out in blocks as the native kernel reads them: float16, float32 or float64."""

    def __init__(self, p: Any) -> None:
        # a torch tensor: on the CPU without a copy, bfloat16 (which NumPy lacks) widened block by block
        self._tensor = p.detach().cpu() if hasattr(p, "detach") and hasattr(p, "cpu") else None
        self._array = np.asarray(p) if self._tensor is None else np.empty(0)
        shape = tuple(self._array.shape if self._tensor is None else self._tensor.shape)
        if len(shape) != 2:
            hint = (
                "; for two classes give both columns: np.column_stack([1 - p, p])" if len(shape) == 1 else ""
            )
            raise ShapeError(f"Score.update: p has shape {shape}; (rows, classes) is needed{hint}")
        if shape[1] == 0:
            raise ShapeError(f"Score.update: p has shape {shape}; at least one class is needed")
        if self._tensor is None and self._array.dtype.kind not in "biuf":
            raise InputError(f"Score.update: p has dtype {self._array.dtype}; real numbers are needed")
        self.rows, self.classes = shape
        named = getattr(p, "column_names", None) or getattr(p, "columns", ())  # pyarrow; pandas, polars
        self._columns = [name for name in named if isinstance(name, str | int | float)]

    def check_order(self, classes: tuple[Any, ...]) -> None:
        """A table's columns that are named after the classes stand in their order, or InputError."""
        if set(self._columns) == set(classes) and self._columns != list(classes):
            raise InputError(
                f"Score.update: the columns of p are {self._columns} but the classes {list(classes)}; "
                "put the columns in the order of the classes"
            )

    def block(self, rows: slice) -> NDArray[Any]:
        """These rows; a copy only where the dtype or the strides are none that the kernel reads."""
        if self._tensor is not None:
            part = self._tensor[rows]
            part = np.asarray(part if str(part.dtype) in _TORCH_FLOATS else part.double())
        else:
            part = self._array[rows]
        if part.dtype.kind != "f" or part.itemsize > 8 or not part.dtype.isnative:
            part = part.astype(np.float64)
        if not part.flags.aligned or any(stride % part.itemsize for stride in part.strides):
            part = np.ascontiguousarray(part)
        return part


_TORCH_FLOATS = ("torch.float16", "torch.float32", "torch.float64")
