"""A report as one HTML file: no scripts, nothing fetched, dark where the system is dark, clean on paper."""

from __future__ import annotations

from html import escape

from neglog import __version__
from neglog.report.cells import cell, is_text
from neglog.report.data import report_json
from neglog.report.figures import STYLE, draw, inline_bar
from neglog.report.model import Fact, Figure, Note, Report, Table
from neglog.report.styles import stylesheet


def html(report: Report) -> str:
    """One self-contained page with the result embedded as JSON in ``<script id="neglog-result">``."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
        f"<title>{escape(report.title)}</title>\n<style>{STYLE}{stylesheet('page.css')}</style>\n</head>\n<body>\n<main>\n"
        f'<header>\n<p class="kicker">neglog {escape(report.kind)} report</p>\n'
        f"<h1>{escape(report.title)}</h1>\n"
        f'<p class="subtitle">{escape(report.subtitle)}</p>\n</header>\n'
        f"{_status(report)}{_facts(report.facts)}{_blocks(report)}"
        f"<footer>neglog {__version__}. Natural logarithms, all constants included. The numbers of this "
        "page, unrounded, are embedded in it as JSON.</footer>\n</main>\n"
        f'<script type="application/json" id="neglog-result">{report_json(report)}</script>\n'
        "</body>\n</html>\n"
    )


def _status(report: Report) -> str:
    if not report.message:
        return ""
    css = "status" if report.ok else "status bad"
    return f'<p class="{css}"><b>{escape(report.status)}</b> {escape(report.message)}</p>\n'


def _facts(facts: tuple[Fact, ...]) -> str:
    def one(fact: Fact) -> str:
        detail = f'<dd class="detail">{escape(fact.detail)}</dd>' if fact.detail else ""
        css = ' class="large"' if fact.large else ""
        value = f'<dd class="value">{escape(fact.value)}</dd>'
        return f"<div{css}><dt>{escape(fact.label)}</dt>{value}{detail}</div>\n"

    return f"<dl>\n{''.join(map(one, facts))}</dl>\n" if facts else ""


def _blocks(report: Report) -> str:
    """Figures and tables flow in two columns where there is room; notes take the width."""
    parts: list[str] = []
    flowing = False
    for block in report.blocks:
        if flowing == isinstance(block, Note):
            parts.append("</div>\n" if flowing else '<div class="flow">\n')
            flowing = not flowing
        if isinstance(block, Table):
            parts.append(_table(block))
        elif isinstance(block, Note):
            parts.append(f'<p class="note{" warn" if block.warn else ""}">{escape(block.text)}</p>\n')
        else:
            parts.append(_figure(block))
    return "".join(parts) + ("</div>\n" if flowing else "")


def _figure(figure: Figure) -> str:
    caption = f"<figcaption>{escape(figure.caption)}</figcaption>"
    return f"<figure>\n<h2>{escape(figure.title)}</h2>\n{draw(figure)}\n{caption}\n</figure>\n"


def _table(table: Table) -> str:
    def css(text: bool) -> str:
        return ' class="text"' if text else ""

    keys = [column.key for column in table.columns]
    barred = keys.index(table.bar) if table.bar else None
    top = max((row[barred] or 0.0 for row in table.rows), default=0.0) if barred is not None else 0.0
    head = "".join(f"<th{css(is_text(column))}>{escape(column.label)}</th>" for column in table.columns)
    body: list[str] = []
    for row in table.rows:
        tds: list[str] = []
        for index, (value, column) in enumerate(zip(row, table.columns, strict=True)):
            bar = inline_bar(value / top) if index == barred and top and value is not None else ""
            tds.append(f"<td{css(is_text(column))}>{bar}{escape(cell(value, column))}</td>")
        body.append(f"<tr>{''.join(tds)}</tr>\n")
    caption = f'<p class="caption">{escape(table.caption)}</p>\n' if table.caption else ""
    return (
        f'<section>\n<h2>{escape(table.title)}</h2>\n<div class="scroll"><table>\n'
        f"<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{''.join(body)}</tbody>\n</table></div>\n{caption}</section>\n"
    )
