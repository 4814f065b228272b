"""What drives a parameter.

Nothing, a matrix, or a formula. A term turns data into columns, at the fit and later.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neglog.errors import InputError, ShapeError
from neglog.estimation import formula
from neglog.estimation.tables import Floats, Mask, Table, array, floats, listed, nulls

INTERCEPT = "Intercept"


@dataclass(frozen=True)
class Constant:
    """One value for all rows."""

    columns: tuple[str, ...] = (INTERCEPT,)
    intercept: int | None = 0

    def matrix(self, source: Any, rows: int) -> Floats:
        """A column of ones, shape ``(rows, 1)``."""
        del source
        return np.ones((rows, 1))


@dataclass(frozen=True)
class Matrix:
    """The columns of ``X`` as they are, after a column of ones if ``intercept`` is not None."""

    columns: tuple[str, ...]
    intercept: int | None

    def matrix(self, source: Any, rows: int) -> Floats:
        """Shape ``(rows, len(columns))``; ``source`` is a matrix or a table that has the columns."""
        first = self.intercept is not None
        wanted = self.columns[first:]
        values, names, named = matrix_of(source, wanted)
        # a fit that saw no names goes by position
        if named and names != wanted and not all(c == f"x{i}" for i, c in enumerate(wanted)):
            missing = [name for name in wanted if name not in names]
            raise InputError(f"predict: X lacks the columns {listed(missing)} of the fit")
        if values.shape[1] != len(wanted):
            raise ShapeError(f"predict: X has {values.shape[1]} columns; the fit had {len(wanted)}")
        return np.column_stack([np.ones(len(values)), values]) if first else values


@dataclass(frozen=True)
class Formula:
    """Right side of a formula, with what it learned from the data of the fit (see the module ``formula``)."""

    rhs: str
    columns: tuple[str, ...]
    intercept: int | None
    state: dict[str, Any] = field(repr=False, hash=False)
    absorbed: bool = False  # its intercept is left out: other parameters take its place

    def matrix(self, source: Any, rows: int) -> Floats:
        """Shape ``(rows, len(columns))``."""
        table = source if isinstance(source, Table) else Table.of(source)
        values, columns, _ = formula.build_matrix(self.rhs, table, np.ones(table.rows, bool), self.state)
        if self.absorbed:
            values, columns = _slopes(values, columns)
        if columns != self.columns:
            raise InputError(
                f"predict: formula '~ {self.rhs}' gives the columns {listed(columns)}; "
                f"at the fit {listed(self.columns)}"
            )
        return values


Term = Constant | Matrix | Formula


def from_formula(rhs: str, table: Table, keep: Mask) -> tuple[Term, Floats]:
    """The term and its columns on the rows ``keep``."""
    values, columns, state = formula.build_matrix(rhs, table, keep)
    intercept = columns.index(INTERCEPT) if INTERCEPT in columns else None
    if columns == (INTERCEPT,):
        return Constant(), values
    if not columns:
        raise InputError(f"fit: formula '~ {rhs}' gives no column")
    return Formula(rhs, columns, intercept, state), values


def without_intercept(term: Term, values: Floats | None) -> tuple[Term, Floats | None]:
    """The same columns but the intercept, for a location that thresholds move against."""
    if isinstance(term, Constant) or values is None:
        return Constant(), None
    if term.intercept is None:
        return term, values
    values, columns = _slopes(values, term.columns)
    if isinstance(term, Formula):
        return Formula(term.rhs, columns, None, term.state, absorbed=True), values
    return Matrix(columns, None), values


def _slopes(values: Floats, columns: tuple[str, ...]) -> tuple[Floats, tuple[str, ...]]:
    keep = [i for i, column in enumerate(columns) if column != INTERCEPT]
    return values[:, keep], tuple(columns[i] for i in keep)


def from_matrix(source: Any, intercept: bool, keep: Mask) -> tuple[Term, Floats]:
    """The term and its columns on the rows ``keep``."""
    values, names, _ = matrix_of(source)
    values = values[keep] if not keep.all() else values
    if not intercept:
        if not names:
            raise InputError("fit: X has no columns; pass intercept=True, or leave X out")
        return Matrix(names, None), values
    if not names:
        return Constant(), np.ones((len(values), 1))
    return Matrix((INTERCEPT, *names), 0), np.column_stack([np.ones(len(values)), values])


def matrix_of(source: Any, wanted: tuple[str, ...] = ()) -> tuple[Floats, tuple[str, ...], bool]:
    """Float64 columns, their names (``x0``, ``x1`` ... if they have none) and whether they have names.

    Of a table that has all the ``wanted`` columns only these are read.
    """
    if isinstance(source, Table):
        source = source.source
    if hasattr(source, "columns") or hasattr(source, "column_names") or isinstance(source, dict):
        table = Table.of(source)
        names = wanted if wanted and set(wanted) <= set(table.names) else table.names
        columns = [floats(table.column(name), f"column {name!r} of X") for name in names]
        return np.column_stack(columns) if columns else np.empty((table.rows, 0)), names, True
    values = floats(source, "X")
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim != 2:
        raise ShapeError(f"fit: X has shape {values.shape}; allowed: (n, k)")
    return values, tuple(f"x{i}" for i in range(values.shape[1])), False


def missing(source: Any) -> Mask:
    """True for the rows of ``X`` that hold a NaN."""
    return np.asarray(np.isnan(matrix_of(source)[0]).any(axis=1))


def missing_in_formula(text: str, table: Table) -> dict[str, Mask]:
    """For each column that a formula mentions and that has missing values, where they are."""
    found = {name: nulls(array(table.column(name))) for name in formula.variables(text, table)}
    return {name: mask for name, mask in found.items() if mask.any()}
