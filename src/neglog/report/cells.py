"""How a table cell prints, the same in text, markdown and HTML."""

from __future__ import annotations

from typing import Any

from neglog.report.model import Column, Table
from neglog.report.numbers import Placed, fixed, number, p_value, percent

_LONGEST = 48  # characters of a label: a table of tweets would be no table


def cell(value: Any, column: Column) -> str:
    """One value under its column's format.

    >>> cell(0.2741, Column("nll", "NLL", "fixed3")), cell(None, Column("p", "p", "p"))
    ('0.274', '–')
    """
    if value is None:
        return "–"
    if isinstance(value, Placed):
        return str(value)
    if column.format.startswith("fixed"):
        return fixed(float(value), int(column.format.removeprefix("fixed")))
    if column.format in ("count", "number"):
        return number(value)
    if column.format == "percent":
        return percent(value)
    if column.format == "p":
        return p_value(value)
    words = str(value)
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"


def is_text(column: Column) -> bool:
    """Text stands at the left of its column, everything else at the right."""
    return column.format == "text"


def cells(table: Table) -> list[list[str]]:
    """All cells as printed, without the head."""
    return [[cell(value, column) for value, column in zip(row, table.columns, strict=True)] for row in table.rows]
