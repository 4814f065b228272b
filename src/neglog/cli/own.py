"""A likelihood of one's own on the command line: the file that defines it, the columns that it reads, its start."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from neglog.cli.exits import UsageError
from neglog.errors import DataError


def family(name: str) -> Any:
    """The family of that name; ``file.py:name`` is a likelihood that the file defines, and the file is run."""
    import neglog as nl

    own = re.fullmatch(r"(.+\.py):(\w+)", name)
    try:
        return nl.Custom.from_file(own[1], own[2]) if own else nl.family(name)
    except nl.InputError as error:
        raise UsageError(str(error)) from None


def reads(known: Any, given: list[str]) -> dict[str, str]:
    """For each column that a likelihood reads the one of the files that has it; ``given`` are ``x=column``.

    >>> import neglog as nl
    >>> reads(nl.Normal(), [])
    {}
    """
    wanted = list(dict.fromkeys(p.column for p in known.parameters if p.column))
    found = {name: name for name in wanted}
    for pair in given:
        name, equals, column = (part.strip() for part in pair.partition("="))
        if not equals or not column:
            raise UsageError(f"--data {pair!r} must read name=column")
        if name not in found:
            reading = f"reads {', '.join(wanted)}" if wanted else "reads no column besides the response"
            raise UsageError(f"--data {pair}: {known.name} {reading}")
        found[name] = column
    return found


def present(known: Any, columns: dict[str, str], have: Sequence[str]) -> None:
    """Refuse a file that lacks what the likelihood reads under a name that nobody gave: it may have another there."""
    for name, column in columns.items():
        if name == column and column not in have:
            raise DataError(
                f"no column {name!r}, which {known.name} reads; where it has another name: --data {name}=COLUMN "
                f"(columns: {', '.join(have)})"
            )


def renamed(table: Any, columns: dict[str, str]) -> Any:
    """An Arrow table or batch in which they have the names that the likelihood knows."""
    for name, column in columns.items():
        if name == column:
            continue
        if name in table.column_names:
            raise UsageError(f"--data {name}={column}: there is a column {name!r} too, which another option uses")
        table = table.append_column(name, table.column(column))
    return table


def numbers(option: str, given: list[str]) -> dict[str, float]:
    """Values by name from ``a=1,b=2``.

    >>> numbers("--start", ["a=1, b=2e-3", "c=-4"])
    {'a': 1.0, 'b': 0.002, 'c': -4.0}
    """
    found: dict[str, float] = {}
    for pair in (pair for one in given for pair in one.split(",")):
        name, equals, value = (part.strip() for part in pair.partition("="))
        try:
            found[name] = float(value)
        except ValueError:
            equals = ""
        if not equals:
            raise UsageError(f"{option} {pair!r} must read name=number")
    return found
