"""What is known about families, read from the registry."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from neglog.report.formulas import spelled
from neglog.report.model import Column, Table
from neglog.report.text import text_table


def _parameters(family: Any) -> str:
    return ", ".join(_condition(parameter) for parameter in family.parameters)


def _condition(parameter: Any) -> str:
    """A parameter with its domain as an inequality.

    >>> import neglog as nl
    >>> [_condition(p) for name in ("weibull", "poisson", "beta_mean") for p in nl.family(name).parameters[:1]]
    ['shape > 0', 'rate ≥ 0', '0 < mean < 1']
    >>> _condition(nl.Binomial().parameters[0]), _condition(nl.Normal().parameters[0])
    ('whole n ≥ 0', 'loc')
    """
    domain = parameter.domain
    words = f"whole {parameter.name}" if domain.integer else parameter.name
    if np.isfinite(domain.low) and np.isfinite(domain.high):
        return f"{domain.low:g} {_LESS[domain.low_closed]} {words} {_LESS[domain.high_closed]} {domain.high:g}"
    return f"{words} {_MORE[domain.low_closed]} {domain.low:g}" if np.isfinite(domain.low) else words


_LESS, _MORE = ("<", "≤"), (">", "≥")


def _support(family: Any) -> str:
    return str(family.support)


def catalogue(families: Sequence[Any]) -> Table:
    """One row per family."""
    return Table(
        title="Families",
        columns=(
            Column("name", "family"),
            Column("parameters", "parameters"),
            Column("links", "links"),
            Column("support", "support"),
            Column("location", "covariates act on"),
        ),
        rows=tuple(
            (
                family.name,
                _parameters(family),
                ", ".join(parameter.link.name for parameter in family.parameters),
                _support(family),
                family.location,
            )
            for family in families
        ),
    )


def card(family: Any) -> str:
    """One family: its formula and notes as documented, its parameters, its support."""
    table = Table(
        title="",
        columns=(Column("name", "parameter"), Column("domain", "domain"), Column("link", "link")),
        rows=tuple((p.name, str(p.domain), p.link.name) for p in family.parameters),
    )
    lines = [
        f"{family.name}: {'discrete' if family.discrete else 'continuous'} on {_support(family)}; "
        f"covariates act on {family.location}",
        text_table(table),
        _plain(inspect.cleandoc(type(family).__doc__ or "")),
    ]
    return "\n\n".join(lines) + "\n"


def _plain(documentation: str) -> str:
    """A docstring without its examples and markup, for a terminal.

    >>> _plain("Mean :math:`k`; see ``y``.\\n\\nExamples\\n--------\\n>>> 1")
    'Mean k; see y.'
    """
    text = documentation.partition("\nExamples\n")[0].rstrip()
    text = re.sub(r"\.\. math::\s*(.*?)(?=\n\s*\n|\Z)", lambda math: spelled(math[1]), text, flags=re.DOTALL)
    text = re.sub(r":math:`([^`]*)`", lambda math: spelled(math[1]), text)
    return re.sub(r"(?::\w+:)?(`+)([^`]*)\1", r"\2", text)
