"""Tables from files: CSV, Parquet, Arrow IPC and JSON lines; one file, many, a glob or standard input.

A :class:`Tables` is a list of inputs that look like one table. It is read in record batches, so that memory
does not grow with the number of rows, or whole. Whatever goes wrong with a file becomes one
:class:`~neglog.DataError` whose message starts with the file's name.
"""

from __future__ import annotations

import difflib
import fnmatch
import glob
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from neglog.errors import DataError
from neglog.evaluation.readers import FORMATS, Options, Want, arrow, explained, open_reader, shown

__all__ = ["FORMATS", "Batch", "Options", "Tables", "Want", "did_you_mean", "shown"]


@dataclass(frozen=True)
class Batch:
    """Consecutive rows: ``table`` is a pyarrow.RecordBatch, ``first_row`` counts from 0 in its file."""

    table: Any
    source: str
    first_row: int


@dataclass
class Tables:
    """Files that look like one table.

    Parameters
    ----------
    inputs : paths, glob patterns, or ``"-"`` for standard input (CSV unless ``options.format`` is given).
    options : how to read them.

    Raises
    ------
    DataError
        A pattern without files, a directory, an empty, unreadable or truncated file, a missing column.
    MissingDependencyError
        Without pyarrow.
    """

    inputs: Sequence[str]
    options: Options = field(default_factory=Options)

    def __post_init__(self) -> None:
        arrow()
        self.paths: tuple[str, ...] = tuple(path for item in self.inputs for path in _expand(item))
        if not self.paths:
            raise DataError("no input file was given")
        if self.paths.count("-") > 1:
            raise DataError("'-' (standard input) can be read only once")
        self._sizes = [os.path.getsize(path) if os.path.isfile(path) else None for path in self.paths]
        self._current = 0
        self._reader = open_reader(self.paths[0], self.options)

    @property
    def names(self) -> tuple[str, ...]:
        """Column names of the first file; the others must have those that are asked for, in any order."""
        return tuple(self._reader.names)

    @property
    def done(self) -> float | None:
        """The fraction of all bytes that has been read, None where a pipe makes it unknowable."""
        sizes = [size for size in self._sizes if size is not None]
        if len(sizes) < len(self._sizes):
            return None
        here = sizes[self._current] * self._reader.done() if self._current < len(sizes) else 0
        return min(1.0, (sum(sizes[: self._current]) + here) / sum(sizes)) if sum(sizes) else 1.0

    def require(self, columns: Iterable[str]) -> None:
        """Raise unless all ``columns`` are there, once each."""
        _check_columns(self.paths[0], self._reader.names, columns)

    def expand(self, patterns: Sequence[str]) -> tuple[str, ...]:
        """Column names from names and globs such as ``p_*``, in the order of the file within a glob."""
        found: dict[str, None] = {}
        for pattern in patterns:
            if pattern in self.names or not glob.has_magic(pattern):
                self.require([pattern])
                found[pattern] = None
                continue
            matches = [name for name in self.names if fnmatch.fnmatchcase(name, pattern)]
            if not matches:
                have = _shown(self.names)
                raise DataError(f"{shown(self.paths[0])}: no column matches '{pattern}'; it has {have}")
            found.update(dict.fromkeys(matches))
        return tuple(found)

    def batches(self, want: Want) -> Iterator[Batch]:
        """All rows in order, a record batch at a time."""
        for index, path in enumerate(self.paths):
            if index:
                self._reader.close()
                self._current, self._reader = index, open_reader(path, self.options)
            _check_columns(path, self._reader.names, want.columns)
            first = 0
            with explained(path):
                for table in self._reader.batches(want):
                    batch = _as_wanted(path, table, want)
                    if batch.num_rows:
                        yield Batch(batch, path, first)
                    first += batch.num_rows
        self._reader.close()
        self._current = len(self.paths)

    def read(self, want: Want, progress: Callable[[float | None, int], None] | None = None) -> Any:
        """All rows as one ``pyarrow.Table``; raises where there are none. Tells ``progress(done, rows)``."""
        pa = arrow()
        parts: list[Any] = []
        rows = 0
        for batch in self.batches(want):
            parts.append(batch.table)
            rows += batch.table.num_rows
            if progress is not None:
                progress(self.done, rows)
        if not parts:
            raise DataError(f"{shown(self.paths[0])} has a header but no rows")
        # a column that is whole numbers in one block and decimals in the next is one column of decimals
        return pa.concat_tables([pa.Table.from_batches([part]) for part in parts], promote_options="permissive")


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """A hint for a misspelt name.

    >>> did_you_mean("Weigth", ["weight", "y"])
    "; did you mean 'weight'?"
    >>> did_you_mean("zzz", ["weight"])
    ''
    """
    lower = {choice.lower(): choice for choice in choices}
    close = difflib.get_close_matches(name.lower(), lower, n=1)
    return f"; did you mean '{lower[close[0]]}'?" if close else ""


def _shown(names: Sequence[str], limit: int = 8) -> str:
    listed = ", ".join(names[:limit])
    return f"{len(names)} columns: {listed}{', ...' if len(names) > limit else ''}"


def _check_columns(path: str, names: Sequence[str], columns: Iterable[str]) -> None:
    for column in columns:
        count = names.count(column)
        if count == 0:
            hint = did_you_mean(column, names)
            raise DataError(f"{shown(path)}: no column '{column}'{hint or ';'} it has {_shown(names)}")
        if count > 1:
            raise DataError(f"{shown(path)}: {count} columns are named '{column}'")


def _expand(item: str) -> list[str]:
    if item == "-" or os.path.isfile(item):
        return [item]
    if os.path.isdir(item):
        raise DataError(f"{item} is a directory; name the files in it, for instance '{item.rstrip('/')}/*.parquet'")
    if glob.has_magic(item):
        paths = sorted(path for path in glob.glob(item, recursive=True) if os.path.isfile(path))
        if not paths:
            raise DataError(f"no file matches '{item}'")
        return paths
    if os.path.exists(item):  # a named pipe, /dev/stdin: readable once, like "-"
        return [item]
    folder = os.path.dirname(item) or "."
    near = os.listdir(folder) if os.path.isdir(folder) else []
    raise DataError(f"no file '{item}'{did_you_mean(os.path.basename(item), near)}")


def _as_wanted(path: str, table: Any, want: Want) -> Any:
    """Select and cast: numeric columns to float64 with NaN for null, text to string."""
    pa = arrow()
    arrays = []
    for name in want.columns:
        array = table.column(name)
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        if name in want.numeric:
            array = _numbers(path, name, array)
        elif name in want.text:
            array = _text(array)
        arrays.append(array)
    return pa.RecordBatch.from_arrays(arrays, names=list(want.columns))


def _numbers(path: str, name: str, array: Any) -> Any:
    pa = arrow()
    kind = array.type
    if pa.types.is_null(kind):
        return pa.array([float("nan")] * len(array), pa.float64())
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return array  # one column that holds a whole row of probabilities
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
            or pa.types.is_decimal(kind)):  # fmt: skip
        example = next((value for value in array.to_pylist() if value is not None), None)
        raise DataError(f"{shown(path)}: column '{name}' holds {kind}, for instance {example!r}, not numbers")
    if pa.types.is_boolean(kind):
        array = array.cast(pa.int8())
    array = array.cast(pa.float64(), safe=False)
    return array.fill_null(float("nan")) if array.null_count else array


def _text(array: Any) -> Any:
    """As strings; 3.0, from a tool that knows no missing integers, is the label 3."""
    pa = arrow()
    if not pa.types.is_floating(array.type):
        return array.cast(pa.string())
    compute = arrow(".compute")
    whole = compute.and_(compute.equal(array, compute.floor(array)), compute.less(compute.abs(array), 2.0**63))
    integers = compute.if_else(whole, array, 0.0).cast(pa.int64(), safe=False)
    return compute.if_else(whole, integers.cast(pa.string()), array.cast(pa.string()))
