"""What is known about families, read from the registry."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from typing import Any

from neglog.report.model import Column, Table
from neglog.report.text import text_table


def _parameters(family: Any) -> str:
    return ", ".join(f"{parameter.name} in {parameter.domain}" for parameter in family.parameters)


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
    text = re.sub(r":math:`([^`]*)`", lambda math: _spelled(math[1]), text)
    return re.sub(r"(?::\w+:)?(`+)([^`]*)\1", r"\2", text)


_GREEK = {"eta": "η", "lambda": "λ", "mu": "μ", "pi": "π", "sigma": "σ", "theta": "θ"}
_SIGNS = {"dots": "...", "infty": "∞", "le": "≤"}


def _spelled(formula: str) -> str:
    r"""The LaTeX that docstrings use, as a line of text.

    >>> _spelled(r"-\log f(y) = z^2/2 + \log\sigma + \tfrac12\log 2\pi + e^{-\eta}")
    '-log f(y) = z^2/2 + log σ + 1/2 log 2π + e^(-η)'
    """
    formula = re.sub(r"\\tfrac(\d)(\d)", r"\1/\2", formula)
    formula = re.sub(r"([_^])\{([^}]*)\}", r"\1(\2)", formula)
    formula = re.sub(r"(?<=[a-z])(?=\\)|(?<=[\w)])(?=\\log)", " ", formula)
    return re.sub(r"\\([a-z]+)", lambda word: (_GREEK | _SIGNS).get(word[1], word[1]), formula)
