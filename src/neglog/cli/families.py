"""``neglog families``."""

from __future__ import annotations

import sys
from typing import Any

from neglog.cli.exits import OK, UsageError
from neglog.cli.options import Format


def families(name: str | None = None, /, *, format: Format = "table") -> int:
    """List the likelihoods that fit and score know, or describe one.

    Parameters
    ----------
    name
        Describe this one: formula, parameters with their domains and links, support.
    format
        Format of standard output.
    """
    import neglog as nl
    from neglog.evaluation.sources import did_you_mean
    from neglog.report.data import csv_table, json_lines, to_json
    from neglog.report.families import card, catalogue
    from neglog.report.text import markdown_table, text_table

    known = nl.families.names()
    if name is not None and name not in known:
        raise UsageError(f"no family '{name}'{did_you_mean(name, known)} there are {', '.join(known)}")
    if name is not None and format in ("table", "md"):
        sys.stdout.write(card(nl.family(name)))
        return OK
    table = catalogue([nl.family(one) for one in ([name] if name else known)])
    render: dict[str, Any] = {
        "table": lambda: text_table(table) + "\n",
        "md": lambda: markdown_table(table) + "\n",
        "csv": lambda: csv_table(table),
        "jsonl": lambda: json_lines(table.records()),
        "json": lambda: to_json({"families": table.records()}) + "\n",
    }
    sys.stdout.write(render[format]())
    return OK
