"""Findings about shapes, axes and numbers that are none."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neglog.diagnosis.arrays import by_row
from neglog.diagnosis.finding import Finding


def unreadable(name: str, value: Any) -> Finding:
    """An argument is no array of numbers."""
    labels = name == "target"
    return Finding(
        "unreadable",
        f"{name} holds no numbers",
        f"{name} is a {type(value).__name__} that makes no array of numbers.",
        "class names have to become positions: np.unique(names, return_inverse=True)[1]; log_loss and Score take names."
        if labels
        else "pass an array or a tensor.",
    )


def extra_axis(z: NDArray[Any], t: NDArray[Any]) -> Finding:
    """Labels ``(n, 1)``."""
    return Finding(
        "shapes",
        "labels with an axis too many",
        f"the target has shape {t.shape}, the output {z.shape}.",
        "target.squeeze(-1).",
    )


def mismatch(z: NDArray[Any], t: NDArray[Any]) -> Finding:
    """Nothing can be compared."""
    evidence = f"the output has shape {z.shape}, the target {t.shape}"
    try:
        stretched = np.broadcast_shapes(z.shape, t.shape)
        if stretched not in (z.shape, t.shape) or z.ndim != t.ndim:
            evidence += f"; element by element they would be stretched to {stretched}"
    except ValueError:
        pass
    return Finding(
        "shapes",
        "shapes that do not belong together",
        evidence + ".",
        "regression and yes-or-no targets: the same shape (squeeze(-1) takes off a last axis of length 1). Classes: "
        "the output has one axis more, of one entry per class.",
    )


def class_axis(z: NDArray[Any], axis: int, why: str) -> Finding:
    """Classes lie where a loss does not look by default."""
    return Finding(
        "class_axis",
        "classes along an unusual axis",
        f"the output has shape {z.shape} and its classes lie along axis {axis}: {why}.",
        f"axis={axis} in neglog.losses, dim={axis} in neglog.torch, movedim({axis}, 1) for torch. If view or reshape "
        "made this shape from another order of axes: permute instead.",
        {"axis": float(axis)},
        certain=False,
    )


def normalised_axis(z: NDArray[Any], axis: int, other: int) -> Finding:
    """Sums of 1 along the rows."""
    return Finding(
        "normalised_axis",
        "a softmax along another axis than that of the classes",
        f"of the output of shape {z.shape} the sums along axis {other} are 1, those along axis {axis}, where the "
        "classes are, are not: each class is a distribution over rows.",
        f"softmax or log_softmax along axis {axis}.",
        {"axis": float(axis), "normalised": float(other)},
    )


def not_finite(z: NDArray[Any], bad: NDArray[np.bool_]) -> Finding:
    """NaN and inf."""
    rows = by_row(bad)
    first = int(np.argmax(rows))
    nan = int(np.isnan(z).sum())
    return Finding(
        "not_finite",
        "outputs that are not finite",
        f"{int(rows.sum()):,} of {len(rows):,} rows hold NaN or inf (NaN: {nan:,} values), the first at row {first}.",
        "look for a learning rate that is too high, a logarithm of 0, float16 beyond 65504, NaN among the inputs.",
        {"rows": float(rows.sum()), "nan": float(nan), "first": float(first)},
    )
