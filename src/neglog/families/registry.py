"""The families by name. Registering is the only wiring: tests, fits and the command line loop over this."""

from __future__ import annotations

import ast
import dataclasses
import difflib
import math
from collections.abc import Callable
from typing import Any, TypeVar

from neglog.errors import InputError
from neglog.families.base import Family

_FAMILIES: dict[str, Family] = {}
_MAKERS: dict[str, Callable[..., Family]] = {}  # what may stand before "(" in a name
F = TypeVar("F", bound=Family)


def register(cls: type[F]) -> type[F]:
    """Class decorator: make the family known under its name."""
    _FAMILIES[cls.name] = cls()
    _MAKERS[cls.name] = cls
    return cls


def composition(name: str) -> Callable[[type[F]], type[F]]:
    """Class decorator: make a family of families known as ``name(family, ...)``."""

    def add(cls: type[F]) -> type[F]:
        _MAKERS[name] = cls
        return cls

    return add


def names() -> list[str]:
    """Names of all registered families, sorted.

    >>> import neglog as nl
    >>> "weibull" in nl.families.names()
    True
    """
    return sorted(_FAMILIES)


def family(name: str | Family) -> Family:
    """The family of that name; a family is returned as it is.

    Case and underscores do not matter: ``"log_normal"``, ``"lognormal"`` and ``"LogNormal"`` are one. A family with
    options, or made of others, is written as a call.

    Raises
    ------
    InputError
        If there is no such family.

    Examples
    --------
    >>> import neglog as nl
    >>> nl.family("weibull") == nl.Weibull()
    True
    >>> nl.family("truncated(poisson, lower=0)") == nl.Truncated(nl.Poisson(), 0)
    True
    """
    if isinstance(name, Family):
        return name
    if "(" not in str(name):
        return _find(str(name), _FAMILIES)
    try:
        found = _read(ast.parse(str(name).strip(), mode="eval").body)
    except (SyntaxError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"family: {name!r} cannot be read as a family: {error}") from None
    if not isinstance(found, Family):
        raise InputError(f"family: {name!r} is no family")
    return found


def spelled(known: Family) -> str:
    """The name under which :func:`family` finds exactly this one, its options included.

    >>> import neglog as nl
    >>> spelled(nl.Normal()), spelled(nl.Mixture("normal", k=2))
    ('normal', 'mixture(normal, 2)')
    """
    if known.name not in _FAMILIES or known == _FAMILIES[known.name]:
        return known.name
    options = [
        f"{field.name}={getattr(known, field.name)!r}"
        for field in dataclasses.fields(known)  # type: ignore[arg-type]
        if getattr(known, field.name) != field.default
    ]
    return f"{known.name}({', '.join(options)})"


def _find(name: str, among: dict[str, Any]) -> Any:
    plain = name.replace("_", "").lower()
    found = next((f for known, f in among.items() if known.replace("_", "") == plain), None)
    if found is None:
        near = difflib.get_close_matches(name, among, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        if name.endswith(".py"):
            hint = f"a likelihood of your own is {name}:NAME, with the name that it has in the file; "
        raise InputError(f"family: there is no family {name!r}; {hint}known are {', '.join(sorted(among))}")
    return found


def _read(node: ast.expr) -> Any:
    """A number, a string, a family or a call, of what a name may hold; nothing is evaluated."""
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float, str)):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_read(node.operand)
    if isinstance(node, ast.Name):
        return math.inf if node.id == "inf" else _find(node.id, _FAMILIES)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        options = {keyword.arg: _read(keyword.value) for keyword in node.keywords if keyword.arg}
        return _find(node.func.id, _MAKERS)(*map(_read, node.args), **options)
    raise InputError(f"family: {ast.unparse(node)!r} has no meaning in a family's name")
