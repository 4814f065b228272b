"""Reading the call of ``fit``: which family, what is the response, what drives each parameter."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from neglog.core.observations import Observations
from neglog.errors import InputError
from neglog.estimation import formula
from neglog.estimation.tables import Table, listed


@dataclass(frozen=True, eq=False)
class Request:
    """The response, and for each parameter None, a formula's right side, or a matrix."""

    y: Any
    response: str  # how the caller wrote it; "y" if it came as an array
    sources: dict[str, Any]
    intercept: bool
    table: Table | None


def read(family: Any, y: Any, x: Any, data: Any, intercept: bool) -> Request:
    """Sort out the forms of the call; they are listed in :func:`neglog.fit`."""
    table = None if data is None else Table.of(data)
    names = [parameter.name for parameter in family.parameters if not parameter.column]
    sources: dict[str, Any] = {}
    left = ""
    if formula.is_formula(y):
        left, sources[family.location] = formula.split(y)
    elif isinstance(y, Mapping):
        left, sources = _formulas(cast("Mapping[str, Any]", y), names)
    if sources and x is not None:
        raise InputError("fit: the formula names the covariates already; leave X out")
    if x is not None:
        given = (
            cast("Mapping[str, Any]", x)
            if isinstance(x, Mapping) and _names_parameters(x, names)
            else {family.location: x}
        )
        sources = {name: _source(name, source, table) for name, source in given.items()}
    if left or isinstance(y, str):
        left = left or cast(str, y)
        if table is None:
            raise InputError(f"fit: the response {left!r} is a name; pass data= with that column")
        y = formula.response(left, table)
    elif isinstance(y, Mapping) or formula.is_formula(y) or y is None:
        raise InputError("fit: no formula names the response: write 'y ~ x', or pass y and then the formulas")
    if table is None and any(isinstance(source, str) for source in sources.values()):
        raise InputError("fit: a formula needs data=: a DataFrame, a pyarrow Table or a dict of columns")
    if intercept and not any(source is not None and not isinstance(source, str) for source in sources.values()):
        intercept = False  # formulas and constants have theirs
    return Request(y, left or "y", {p.name: sources.get(p.name) for p in family.parameters}, intercept, table)


def _names_parameters(x: Mapping[Any, Any], names: list[str]) -> bool:
    """Whether a dict is one of parameters; a dict of columns for the location is the alternative."""
    if set(x) <= set(names):
        return True
    values = list(x.values())
    if any(isinstance(value, str) for value in values):
        unknown = next(str(key) for key in x if key not in names)
        close = difflib.get_close_matches(unknown, names, 1)
        raise InputError(
            f"fit: there is no parameter {unknown!r}; {f'did you mean {close[0]!r}? ' if close else ''}"
            f"the parameters are {', '.join(names)}"
        )
    return False


def _formulas(given: Mapping[str, Any], names: list[str]) -> tuple[str, dict[str, Any]]:
    """The one response among several formulas, and the right sides by parameter."""
    if not given or not all(formula.is_formula(text) for text in given.values()):
        raise InputError("fit: a dict in place of y must hold one formula per parameter, such as {'loc': 'y ~ x'}")
    if not _names_parameters(given, names):
        raise InputError(f"fit: the keys {listed(list(given))} are not parameters ({', '.join(names)})")
    parts = {name: formula.split(text) for name, text in given.items()}
    lefts = {left for left, _ in parts.values() if left}
    if len(lefts) > 1:
        raise InputError(f"fit: the formulas name different responses: {listed(sorted(lefts))}")
    return next(iter(lefts), ""), {name: right for name, (_, right) in parts.items()}


def _source(name: str, source: Any, table: Table | None) -> Any:
    """None, the right side of a formula, or a matrix; a list of strings means columns of the data."""
    if source is None:
        return None
    if isinstance(source, str):
        left, right = formula.split(source if "~" in source else f"~ {source}")
        if left:
            raise InputError(f"fit: the response is given as y; the formula for {name} must start with '~'")
        return right
    if (
        isinstance(source, (list, tuple))
        and source
        and all(isinstance(item, str) for item in cast("list[Any]", source))
    ):
        if table is None:
            raise InputError(f"fit: the covariates of {name} are names; pass data= with those columns")
        return {column: table.column(column) for column in cast("list[str]", source)}
    if isinstance(source, Observations):
        raise InputError(f"fit: the covariates of {name} cannot be censored observations")
    return source


def named(value: Any, table: Table | None, what: str) -> Any:
    """A column of the data if ``value`` is a string, else ``value``."""
    if not isinstance(value, str):
        return value
    if table is None:
        raise InputError(f"fit: {what}={value!r} is a name; pass data= with that column")
    return table.column(value)


def rows_in(y: Any) -> int:
    """Number of rows of a response."""
    return len(y) if isinstance(y, Observations) else len(np.atleast_1d(np.asarray(y)))
