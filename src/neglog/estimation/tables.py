"""One way to read columns out of a pandas DataFrame, a pyarrow Table or a dict of columns.

None is imported.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from neglog.errors import DataError, InputError, ShapeError

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Table:
    """Columns by name, whatever holds them."""

    source: Any
    names: tuple[str, ...]
    rows: int

    @classmethod
    def of(cls, source: Any) -> Table:
        """Wrap ``source``, or say what is accepted."""
        if isinstance(source, Mapping):
            columns = cast("Mapping[Any, Any]", source)
            lengths = {str(name): len(column) for name, column in columns.items()}
            if len(set(lengths.values())) > 1:
                raise ShapeError(f"fit: the columns of data have different lengths: {lengths}")
            return cls(columns, tuple(lengths), next(iter(lengths.values()), 0))
        if hasattr(source, "column_names") and hasattr(source, "num_rows"):  # pyarrow
            return cls(source, tuple(map(str, source.column_names)), int(source.num_rows))
        if hasattr(source, "columns") and hasattr(source, "loc"):  # pandas
            return cls(source, tuple(map(str, source.columns)), len(source))
        raise InputError(
            f"fit: data is a {type(source).__name__}; give a pandas DataFrame, a pyarrow Table or a dict of columns"
        )

    def column(self, name: str) -> Any:
        """The column as its container holds it."""
        if name not in self.names:
            close = difflib.get_close_matches(name, self.names, 1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise DataError(f"fit: data has no column {name!r}{hint} (columns: {listed(self.names)})")
        if hasattr(self.source, "iloc"):
            return self.source.iloc[:, self.names.index(name)]
        return self.source[name]

    def frame(self, names: Sequence[str], keep: Mask) -> Any:
        """The rows ``keep`` of some columns as a pandas DataFrame, which formulaic wants."""
        import pandas as pd  # formulaic depends on it

        return pd.DataFrame({name: pd.Series(array(self.column(name))[keep]) for name in names})


def listed(names: Sequence[object], most: int = 8) -> str:
    """``a, b, c and 4 more``."""
    head = ", ".join(map(str, names[:most]))
    return head if len(names) <= most else f"{head} and {len(names) - most} more"


def array(column: Any) -> NDArray[Any]:
    """A column as a one-dimensional NumPy array of whatever dtype it has."""
    if hasattr(column, "combine_chunks"):  # a pyarrow ChunkedArray; its Arrays share to_numpy
        return np.asarray(column.to_numpy())
    return np.asarray(column)


def levels(column: Any) -> tuple[Any, ...] | None:
    """The categories of an ordered pandas Categorical, in their order; None for what declares none."""
    dtype: Any = getattr(column, "dtype", None)
    return tuple(dtype.categories) if getattr(dtype, "ordered", False) else None


def nulls(values: NDArray[Any]) -> Mask:
    """True where a value is missing: NaN, NaT, None or pandas' NA."""
    if values.dtype.kind == "O":
        return np.fromiter((v is None or v is not v or _differs(v) for v in values.flat), bool, values.size)
    if values.dtype.kind in "fc":
        return np.isnan(values).reshape(-1)
    if values.dtype.kind in "mM":
        return np.isnat(values).reshape(-1)
    return np.zeros(values.size, bool)


def _differs(value: Any) -> bool:
    try:
        return bool(value != value)
    except TypeError:  # pandas' NA refuses to be a bool
        return True


def floats(values: Any, what: str) -> Floats:
    """``values`` as float64, missing ones as NaN.

    Anything that is no number is an error naming its position.
    """
    if hasattr(values, "combine_chunks"):
        values = array(values)
    raw = np.asarray(values)
    if raw.dtype.kind in "biuf":
        return raw.astype(np.float64, copy=False)
    if raw.dtype.kind == "O" or raw.dtype.kind in "US":
        missing = nulls(raw).reshape(raw.shape)
        out = np.full(raw.shape, np.nan)
        for index in np.argwhere(~missing):
            at = tuple(int(i) for i in index)
            try:
                if isinstance(raw[at], (str, bytes)):
                    raise TypeError
                out[at] = float(raw[at])
            except (TypeError, ValueError):
                raise DataError(
                    f"fit: {what} must be numbers; found {raw[at]!s} at position {at[0] if at else 0}"
                ) from None
        return out
    raise DataError(f"fit: {what} must be numbers, not {raw.dtype}")
