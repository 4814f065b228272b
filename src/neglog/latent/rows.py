"""Rows of numbers as the models of this package take them: checked once, with the first bad value named."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neglog.core import arrays
from neglog.errors import DataError, ParameterError, ShapeError

Array = NDArray[Any]


def as_rows(function: str, x: ArrayLike, columns: int | None = None) -> Array:
    """``x`` as a contiguous float32 or float64 array ``(n, D)``, which may hold anything."""
    rows = arrays.floating(function, "x", x)
    if rows.ndim != 2 or rows.shape[1] == 0 or (columns is not None and rows.shape[1] != columns):
        allowed = "(n, D)" if columns is None else f"(n, {columns})"
        raise ShapeError(f"{function}: x has shape {rows.shape}; allowed: {allowed}")
    return np.ascontiguousarray(rows, dtype=np.float32 if rows.dtype == np.float32 else np.float64)


def finite(function: str, x: Array) -> Array:
    """``x``, of which every number is finite and of which there is at least a row."""
    if not len(x):
        raise DataError(f"{function}: x has no rows")
    good = np.isfinite(x)
    if not good.all():
        row, column = np.argwhere(~good)[0].tolist()
        count = int((~good.all(axis=1)).sum())
        raise DataError(
            f"{function}: x[{row}, {column}] = {x[row, column]}; allowed: finite numbers ({count} bad rows of {len(x)})"
        )
    return x


def as_weights(function: str, weights: ArrayLike | None, rows: int, some: bool = True) -> NDArray[np.float64] | None:
    """Weights of the rows: finite, not negative, and, with ``some``, not all zero."""
    if weights is None:
        return None
    w = np.ascontiguousarray(arrays.floating(function, "sample_weight", weights), dtype=np.float64)
    if w.shape != (rows,):
        raise ShapeError(f"{function}: sample_weight has shape {w.shape}; allowed: ({rows},)")
    bad = ~(np.isfinite(w) & (w >= 0))
    if bad.any():
        at = int(np.flatnonzero(bad)[0])
        raise ParameterError(f"{function}: sample_weight[{at}] = {w[at]}; allowed: finite and at least 0")
    if some and not w.any():
        raise ParameterError(f"{function}: every sample_weight is zero")
    return w
