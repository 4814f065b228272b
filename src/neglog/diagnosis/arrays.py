"""Arrays and tensors as float64 NumPy, and the statistics that every check shares."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SURE = 4.0
"""Standard errors by which a difference must exceed zero to be called one: by chance, 3 times in 100,000."""

_LARGE = 700.0  # nats; an infinite loss counts as this one, so that means and errors exist


def as_numpy(value: Any) -> NDArray[Any] | None:
    """Numbers or booleans as an array, of a tensor on any device; None for anything else."""
    if hasattr(value, "detach") and hasattr(value, "cpu"):
        value = value.detach().cpu()
        if value.is_floating_point():
            value = value.double()
        value = value.numpy()
    try:
        array = np.asarray(value)
        if array.dtype.kind in "biuf":
            return array
        return array.astype(np.float64) if array.dtype.name == "bfloat16" else None
    except (TypeError, ValueError):  # ragged lists, objects without numbers
        return None


def is_coarse(value: Any) -> bool:
    """Whether the numbers have three digits: float16 or bfloat16."""
    return str(getattr(value, "dtype", "")).removeprefix("torch.") in ("float16", "bfloat16")


def is_tensor(value: Any) -> bool:
    """Whether torch's conventions apply."""
    return hasattr(value, "detach") and hasattr(value, "cpu")


def spaced(rows: int, width: int, most: int = 2**20) -> slice:
    """Evenly spaced rows, with at most about ``most`` values together."""
    return slice(None, None, max(1, math.ceil(rows * width / most)))


def gain(worse: Floats, better: Floats) -> tuple[float, float]:
    """By how much the mean of one loss exceeds another's on the same rows, and in how many standard errors."""
    difference = np.minimum(worse, _LARGE) - np.minimum(better, _LARGE)
    if len(difference) < 8:
        return float(difference.mean()) if len(difference) else 0.0, 0.0
    mean, error = float(difference.mean()), float(difference.std(ddof=1)) / math.sqrt(len(difference))
    return mean, mean / error if error > 0 else math.copysign(math.inf, mean) if mean else 0.0


def span(values: NDArray[Any]) -> str:
    """The range in words.

    >>> span(np.array([0.5, 2.0])), span(np.array([1.0, 1 + 1e-9]))
    ('0.5 to 2', '1')
    """
    low, high = f"{values.min():.4g}", f"{values.max():.4g}"
    return low if low == high else f"{low} to {high}"


def by_row(bad: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether any entry of a row is marked, shape ``(rows,)``."""
    bad = np.atleast_1d(bad)
    return np.asarray(bad.reshape(len(bad), -1).any(1))
