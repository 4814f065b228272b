"""What callers pass: labels and names of any type, predictions of any float dtype and strides."""

from __future__ import annotations

import math
from collections.abc import Sequence
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
    ordered = hasattr(classes, "__iter__") and not isinstance(classes, set | frozenset)
    if isinstance(classes, str | bytes | bool) or not (ordered or isinstance(classes, int | np.integer)):
        raise InputError(f"Score.classification: classes = {classes!r}; a sequence of labels is needed")
    if isinstance(classes, int | np.integer):
        classes = range(int(classes))
    labels = tuple(label.item() if isinstance(label, np.generic) else label for label in classes)
    if not labels:
        raise InputError("Score.classification: classes is empty; at least one label is needed")
    seen: set[Any] = set()
    for k, label in enumerate(labels):
        if not isinstance(label, str | int | float) or (isinstance(label, float) and not math.isfinite(label)):
            raise InputError(
                f"Score.classification: classes[{k}] = {label!r}; "
                "a string, an integer, a boolean or a finite float is needed"
            )
        if label in seen:
            raise InputError(f"Score.classification: classes[{k}] = {label!r} occurs twice (labels compare with ==)")
        seen.add(label)
    return labels


def columns_by_class(columns: Sequence[Any], classes: Sequence[Any]) -> list[int] | None:
    """The column of each class where the columns are named after the classes, all with one prefix and suffix.

    None where their names say nothing about classes.

    >>> columns_by_class(["p_cat", "p_dog", "p_horse"], ["dog", "cat", "horse"])
    [1, 0, 2]
    >>> columns_by_class(["first", "second"], ["no", "yes"])

    Raises
    ------
    InputError
        A column is named after a class, though not all are, and stands at the place of another class.
    """
    named, labels = [str(name) for name in columns], [str(label) for label in classes]
    at = {name: k for k, name in enumerate(named)}
    if len(at) != len(labels) or len(set(labels)) != len(labels):
        return None
    first = labels[0]
    for name in named:
        for start in range(len(name) - len(first) + 1):
            before, after = name[:start], name[start + len(first) :]
            if name[start:].startswith(first) and all(before + label + after in at for label in labels):
                return [at[before + label + after] for label in labels]
    before = _common_start(named)
    after = _common_start([name[before:][::-1] for name in named])
    for k, name in enumerate(named):
        core = name[before : len(name) - after]
        # p_0, p_1, p_2 of the classes 1, 2, 3: numbers of columns
        if core and not core.isdecimal() and core in labels and labels[k] != core:
            raise InputError(
                f"column '{name}' stands where class {classes[k]!r} is expected; the columns are "
                f"{', '.join(named[:10])}, the classes {', '.join(labels[:10])}"
            )
    return None


def _common_start(names: Sequence[str]) -> int:
    low, high = min(names), max(names)  # of sorted strings the first and the last have least in common
    return next((k for k, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), len(low))


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
        raise ShapeError(f"Score.update: {name} has shape {array.shape}; p has {rows} rows, so ({rows},) is needed")
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
    if array.dtype.kind in "bi" or (array.dtype.kind == "u" and (array.itemsize < 8 or array.max(initial=0) < 2**63)):
        return array.astype(np.int64), "int"
    if array.dtype.kind == "U":
        return array, "str"
    if array.dtype.kind == "O" and all(isinstance(value, str) for value in array):
        return array.astype(np.str_), "str"
    raise InputError(f"Score.update: {name} has dtype {array.dtype}; integers or strings are needed")


ROUNDING = 1e-6  # of a sum: what arithmetic in float32 explains


def normalised(p: NDArray[Any], input: str, tolerance: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rows divided by their sum where that is within ``tolerance`` of 1, and how far from 1 each sum was.

    Rows that hold something else than probabilities are left as they are.
    """
    p = np.array(p, dtype=np.float64, order="C")  # sums along contiguous rows depend on the row alone
    with np.errstate(invalid="ignore", over="ignore"):
        inside = (p <= 0).all(1) if input == "logprobs" else ((p >= 0) & (p <= 1)).all(1)
        sums = (np.exp(p) if input == "logprobs" else p).sum(1)
        off = np.abs(sums - 1)
        chosen = inside & (off <= tolerance) & (sums > 0)
    if input == "logprobs":
        p[chosen] = np.minimum(p[chosen] - np.log(sums[chosen])[:, None], 0.0)
    else:
        p[chosen] /= sums[chosen][:, None]
    return p, off


def kind_that_fits(p: NDArray[Any], declared: str) -> tuple[str, str] | None:
    """An observation about values that do not fit the declared kind, and the kind that they would fit.

    For error messages alone: nothing is ever scored as another kind than declared.

    >>> kind_that_fits(np.log([[0.25, 0.75]]), "probs")
    ('no value is positive, and the exponentials of a row sum to one', 'logprobs')
    """
    p = p.astype(np.float64)
    if not (p < np.inf).all():  # NaN, too
        return None
    with np.errstate(over="ignore"):
        log_sums, sums = np.exp(p).sum(1), p.sum(1)
    if declared == "probs" and (p <= 0).all():
        if (np.abs(log_sums - 1) <= 0.05).all():
            return "no value is positive, and the exponentials of a row sum to one", "logprobs"
        return "no value is positive", "logits"
    if declared == "logprobs" and (p >= 0).all() and (np.abs(sums - 1) <= 0.05).all():
        return "all values lie in [0, 1] and sum to one", "probs"
    if declared == "logprobs" and (p > 0).any():
        return "values lie on both sides of 0" if (p < 0).any() else "no value is negative", "logits"
    if declared == "probs" and (p < 0).any() and (p > 1).any():
        return "values lie below 0 and above 1", "logits"
    return None


class Predictions:
    """Rows of numbers, handed out in blocks as the native kernel reads them: float16, float32 or float64."""

    def __init__(self, p: Any) -> None:
        # a torch tensor: on the CPU without a copy, bfloat16 (which NumPy lacks) widened block by block
        self._tensor = p.detach().cpu() if hasattr(p, "detach") and hasattr(p, "cpu") else None
        self._array = np.asarray(p) if self._tensor is None else np.empty(0)
        shape = tuple(self._array.shape if self._tensor is None else self._tensor.shape)
        if len(shape) != 2:
            hint = "; for two classes give both columns: np.column_stack([1 - p, p])" if len(shape) == 1 else ""
            raise ShapeError(f"Score.update: p has shape {shape}; (rows, classes) is needed{hint}")
        if shape[1] == 0:
            raise ShapeError(f"Score.update: p has shape {shape}; at least one class is needed")
        if self._tensor is None and self._array.dtype.kind not in "biuf":
            raise InputError(f"Score.update: p has dtype {self._array.dtype}; real numbers are needed")
        self.rows, self.classes = shape
        named = getattr(p, "column_names", None) or getattr(p, "columns", ())  # pyarrow; pandas, polars
        self._columns = [name for name in named if isinstance(name, str | int | float)]

    def check_order(self, classes: tuple[Any, ...]) -> None:
        """A table's columns that are named after the classes stand in their order, or InputError.

        Not reordered: integer names are as likely the numbers of the columns.
        """
        if not self._columns or self._columns == list(classes):
            return
        try:
            order = columns_by_class(self._columns, classes)
        except InputError as error:
            raise InputError(f"Score.update: p: {error}") from None
        if order is not None and order != list(range(len(classes))):
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
