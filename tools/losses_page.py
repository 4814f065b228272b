"""The table of losses in docs/losses.md: ``python tools/losses_page.py`` writes it from the facts beside the losses."""

from __future__ import annotations

import re
from dataclasses import MISSING, fields
from pathlib import Path

from neglog.losses import DEFORMATIONS

PAGE = Path(__file__).parents[1] / "docs" / "losses.md"
BEGIN, END = "<!-- losses: written by tools/losses_page.py -->", "<!-- end of losses -->"


def sections() -> str:
    """One section per loss: what it is, its formula, its parameters, when to use it and its source."""
    return "\n\n".join(section(name) for name in DEFORMATIONS)


def section(name: str) -> str:
    kind = DEFORMATIONS[name]
    own = [
        f"* `{one.name}` in {one.metadata['domain']}"
        f"{'' if one.default is MISSING else f', default {one.default}'}: {one.metadata['meaning']}"
        for one in fields(kind)
    ]
    parts = [
        f"### {name}",
        (kind.__doc__ or "").splitlines()[0] + f" Module `nlt.{kind.module}`.",
        f"```text\n{kind.plain}\n```",
        "\n".join(own),
        plain(kind.notes),
        f"Source: {plain(kind.source)}",
    ]
    return "\n\n".join(part for part in parts if part)


def plain(text: str) -> str:
    """Docstring markup as Markdown."""
    return re.sub(r":func:`(\w+)`", r"`\1`", " ".join(text.split())).replace("``", "`")


def filled(page: str) -> str:
    """The page with the table between its markers."""
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n\n{sections()}\n\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text()))
