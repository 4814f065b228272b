"""Signatures and docstrings of what is made from the table of losses ``l(p_y)``."""

from __future__ import annotations

import inspect
import textwrap
from dataclasses import MISSING, fields

from neglog.core.deformation import Deformation


def own_parameters(kind: type[Deformation]) -> list[inspect.Parameter]:
    """The loss's parameters as those of a function."""
    return [
        inspect.Parameter(
            one.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if one.default is MISSING else one.default,
            annotation=one.type,
        )
        for one in fields(kind)
    ]


def documented(kind: type[Deformation], template: str, **more: str) -> str:
    """``template`` with the facts of ``kind`` and what ``more`` says."""
    own = "".join(
        f"    {one.name} : {str(one.type).replace(' | None', ', optional')} in {one.metadata['domain']}"
        f"{'' if one.default is MISSING or one.default is None else f', default {one.default:g}'}\n"
        f"        {one.metadata['meaning'][0].upper()}{one.metadata['meaning'][1:]}\n"
        for one in fields(kind)
    )
    arguments, value = kind.example
    return template.format(
        name=kind.name,
        summary=(kind.__doc__ or "").splitlines()[0],
        formula=kind.formula,
        own=own,
        notes=_wrapped(kind.notes),
        source=_wrapped(f"Source: {kind.source}"),
        module=kind.module,
        keywords=arguments,
        arguments=f", {arguments}" if arguments else "",
        rounded=f"{float(value):.6f}",
        value=value,
        **more,
    )


def _wrapped(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), 112, subsequent_indent="    ", break_on_hyphens=False)
