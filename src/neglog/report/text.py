"""A report as plain text for a terminal, and as markdown."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill

from neglog.report.cells import cells, is_text
from neglog.report.figures import summary_of
from neglog.report.model import Fact, Note, Report, Table

_WIDTH = 96


def text(report: Report) -> str:
    """The report for a terminal: status, headline numbers, tables; figures as one line."""
    parts = [f"{report.title}\n{report.subtitle}".rstrip()]
    if report.message:
        parts.append(fill(f"{report.status.upper()}: {report.message}", _WIDTH))
    if report.facts:
        parts.append(_facts(report.facts))
    for block in report.blocks:
        if isinstance(block, Table):
            parts.append(_titled(block.title, text_table(block), block.caption))
        elif isinstance(block, Note):
            parts.append(fill(("! " if block.warn else "") + block.text, _WIDTH))
    return "\n\n".join(parts) + "\n"


def _facts(facts: Sequence[Fact]) -> str:
    label = max(len(fact.label) for fact in facts)
    value = max(len(fact.value) for fact in facts)
    lines = [f"  {fact.label:<{label}}  {fact.value:>{value}}  {fact.detail}".rstrip() for fact in facts]
    return "\n".join(lines)


def _titled(title: str, body: str, caption: str) -> str:
    tail = f"\n{fill(caption, _WIDTH, initial_indent='  ', subsequent_indent='  ')}" if caption else ""
    return f"{title}\n{body}{tail}" if title else body + tail


def text_table(table: Table) -> str:
    """Columns under their heads, numbers to the right.

    >>> from neglog.report.model import Column
    >>> columns = (Column("name", "name"), Column("nll", "NLL", "fixed2"))
    >>> print(text_table(Table("", columns, (("a", 0.5), ("bb", 12.25)))))
      name    NLL
      ────  ─────
      a      0.50
      bb    12.25
    """
    body = cells(table)
    widths = [
        max([len(column.label), *(len(row[index]) for row in body)]) for index, column in enumerate(table.columns)
    ]
    left = [is_text(column) for column in table.columns]

    def joined(row: Sequence[str]) -> str:
        padded = [
            words.ljust(width) if flush else words.rjust(width)
            for words, width, flush in zip(row, widths, left, strict=True)
        ]
        return ("  " + "  ".join(padded)).rstrip()

    head = joined([column.label for column in table.columns])
    return "\n".join([head, joined(["─" * width for width in widths]), *map(joined, body)])


def markdown(report: Report) -> str:
    """The report as GitHub-flavoured markdown."""
    parts = [f"# {report.title}", report.subtitle]
    if report.message:
        parts.append(f"> **{report.status}**: {report.message}")
    if report.facts:
        lines = [f"| {fact.label} | {fact.value} | {fact.detail} |" for fact in report.facts]
        parts.append("\n".join(["| | | |", "|---|---:|---|", *lines]))
    for block in report.blocks:
        if isinstance(block, Table):
            parts += [f"## {block.title}", markdown_table(block), block.caption]
        elif isinstance(block, Note):
            parts.append(f"> {block.text}" if block.warn else block.text)
        else:
            parts.append(f"**{block.title}**: {summary_of(block)}")
    return "\n\n".join(part for part in parts if part) + "\n"


def markdown_table(table: Table) -> str:
    """One table, numbers to the right."""

    def joined(row: Sequence[str]) -> str:
        return "| " + " | ".join(words.replace("|", "\\|") for words in row) + " |"

    rule = "|" + "|".join("---" if is_text(column) else "---:" for column in table.columns) + "|"
    return "\n".join([joined([column.label for column in table.columns]), rule, *map(joined, cells(table))])
