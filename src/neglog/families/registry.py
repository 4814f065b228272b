"""The families by name. Registering is the only wiring: tests, fits and the command line loop over this."""

from __future__ import annotations

import difflib
from typing import TypeVar

from neglog.errors import InputError
from neglog.families.base import Family

_FAMILIES: dict[str, Family] = {}
F = TypeVar("F", bound=Family)


def register(cls: type[F]) -> type[F]:
    """Class decorator: make the family known under its name."""
    _FAMILIES[cls.name] = cls()
    return cls


def names() -> list[str]:
    """Names of all registered families, sorted.

    >>> import neglog as nl
    >>> "weibull" in nl.families.names()
    True
    """
    return sorted(_FAMILIES)


def family(name: str | Family) -> Family:
    """The family of that name; a family is returned as it is.

    Case and underscores do not matter: ``"log_normal"``, ``"lognormal"`` and ``"LogNormal"`` are one.

    Raises
    ------
    InputError
        If there is no such family.

    Examples
    --------
    >>> import neglog as nl
    >>> nl.family("weibull") == nl.Weibull()
    True
    """
    if isinstance(name, Family):
        return name
    plain = str(name).replace("_", "").lower()
    found = next((f for known, f in _FAMILIES.items() if known.replace("_", "") == plain), None)
    if found is None:
        near = difflib.get_close_matches(str(name), _FAMILIES, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise InputError(f"family: there is no family {name!r}; {hint}known are {', '.join(names())}")
    return found
