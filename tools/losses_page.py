"""The tables of docs/losses.md, from the facts beside the losses and from checks: ``python tools/losses_page.py``."""

from __future__ import annotations

import re
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from neglog.losses import DEFORMATIONS, properties

PAGE = Path(__file__).parents[1] / "docs" / "losses.md"
BEGIN, END = "<!-- losses: written by tools/losses_page.py -->", "<!-- end of losses -->"
BEGIN_PROPERTIES, END_PROPERTIES = "<!-- properties: written by tools/losses_page.py -->", "<!-- end of properties -->"

# the rows of the table of properties
CHECKED: list[tuple[str, dict[str, Any]]] = [
    ("cross_entropy", {}),
    ("nllr", {}),
    ("nllr", {"epsilon": 0.1}),
    ("competing_ratio", {}),
    ("exponential_loss", {}),
    ("madaboost", {}),
    ("mislabel", {"rate": 0.2}),
    ("generalized_cross_entropy", {"q": 0.7}),
    ("alpha_loss", {"alpha": 0.5}),
    ("alpha_loss", {"alpha": 2.0}),
    ("focal", {"gamma": 2.0}),
    ("poly1", {"epsilon": 1.0}),
    ("taylor_cross_entropy", {"order": 2}),
    ("symmetric_cross_entropy", {}),
    ("gamma_divergence", {"gamma": 0.5}),
    ("density_power", {"beta": 0.5}),
    ("density_power", {"beta": 1.0}),
    ("bi_tempered", {"t1": 0.8, "t2": 1.0}),
    ("bi_tempered", {"t1": 0.8, "t2": 1.2}),
]


def properties_table() -> str:
    """One row per loss: proper, convex, range, influence, pull."""
    lines = [
        "| loss, 10 classes | proper | convex | range | pull if impossible | pull at p = 1/100, of that at 1/2 |",
        "|---|---|---|---|---|---:|",
    ]
    for name, parameters in CHECKED:
        found = properties(name, classes=10, **parameters)
        given = ", ".join(f"{key}={value:g}" for key, value in parameters.items())
        low, high = (f"{0.0 if abs(end) < 1e-12 else end:.3g}" for end in (found.lower, found.upper))
        yes = {True: "yes", False: "no"}
        lines.append(
            f"| `{name}{f'({given})' if given else ''}` | {yes[found.proper]} | {yes[found.convex]} "
            f"| {low} to {high} | {found.influence} | {found.pull:.2f} |"
        )
    return "\n".join(lines)


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
    """The page with the tables between their markers."""
    for begin, end, text in ((BEGIN, END, sections()), (BEGIN_PROPERTIES, END_PROPERTIES, properties_table())):
        before, rest = page.split(begin)
        page = f"{before}{begin}\n\n{text}\n\n{end}{rest.split(end)[1]}"
    return page


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text()))
