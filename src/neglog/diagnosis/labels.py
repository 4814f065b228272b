"""Checks of class labels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neglog.diagnosis.finding import Finding


def check_labels(y: NDArray[Any], classes: int, ignore_index: int) -> Iterator[Finding]:
    """The findings of labels that should be positions in ``range(classes)`` or ``ignore_index``."""
    if not y.size:
        yield Finding("empty", "no rows", "the target has no entries.", "look at what selected the rows.")
        return
    if y.dtype.kind == "f":
        yield Finding(
            "float_labels",
            "class labels as floating-point numbers",
            f"the target has dtype {y.dtype}, and its shape is that of class labels. PyTorch would take it for "
            "probabilities, or refuse it.",
            "target.long() or target.astype(int).",
        )
    y = np.atleast_1d(y)
    counted = y[y != ignore_index]
    if not counted.size:
        yield Finding(
            "all_ignored",
            "every row is ignored",
            f"all {y.size:,} targets are {ignore_index}, the ignored index: the mean of nothing is 0 here and NaN in "
            "PyTorch, and nothing is learned.",
            "look at how the labels were masked, and at ignore_index.",
            {"rows": float(y.size)},
        )
        return
    low, high = float(counted.min()), float(counted.max())
    numbers = {"lowest": low, "highest": high, "classes": float(classes)}
    if low >= 1 and high == classes:
        yield Finding(
            "one_based",
            "labels that count from one",
            f"the labels run from {low:.0f} to {high:.0f}, and none is 0; {classes} outputs have the positions 0 to "
            f"{classes - 1}.",
            "subtract 1 from the target.",
            numbers,
        )
    elif not (low >= 0 and high < classes):  # NaN, too
        yield _outside(y, counted, classes, ignore_index, numbers)


def integer_one_hot(t: NDArray[Any]) -> Finding:
    """Integers of the output's shape, each row of which has a single 1."""
    return Finding(
        "one_hot",
        "one-hot labels as integers",
        f"the target has the output's shape and dtype {t.dtype}, with a single 1 in each row. cross_entropy takes "
        "integers for positions of classes, and refuses this shape; PyTorch wants floating-point probabilities.",
        "target.argmax(-1); or target.float(), target.astype(float), to pass probabilities.",
        {"rows": float(t.size // t.shape[-1])},
        certain=False,  # yes-or-no targets may look so
    )


def _outside(y: NDArray[Any], counted: NDArray[Any], classes: int, ignored: int, numbers: dict[str, float]) -> Finding:
    bad = (y != ignored) & ~((y >= 0) & (y < classes))
    values, count = np.unique(y[bad]), int(bad.sum())
    first = np.argwhere(bad)[0].tolist()
    shown = ", ".join(f"{v:g}" for v in values[:5]) + (", ..." if len(values) > 5 else "")
    change = "count classes as 0 to C - 1, and give the network an output for each."
    if len(values) == 1 and len(counted) > count:
        change = f"if {values[0]:g} marks entries that do not count: ignore_index={values[0]:g}. Else {change}"
    return Finding(
        "target_outside",
        "labels that are no class",
        f"{count:,} of {y.size:,} targets lie outside 0 to {classes - 1}: {shown} (the first at "
        f"{first[0] if len(first) == 1 else tuple(first)}).",
        change,
        numbers | {"rows": float(count)},
    )
