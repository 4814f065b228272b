"""A report as one HTML file: no scripts, nothing fetched, dark where the system is dark, clean on paper."""

from __future__ import annotations

from html import escape

from neglog import __version__
from neglog.report.cells import cell, is_text
from neglog.report.data import report_json
from neglog.report.figures import STYLE, draw, inline_bar
from neglog.report.model import Fact, Figure, Note, Report, Table

_PAGE = """
:root{color-scheme:light dark;--ink:#1c2024;--soft:#667078;--faint:#e7e5e0;--page:#fffefb;--data:#1f5f8b;--warn:#9a3412;--warnfill:#fdf1e8}
@media (prefers-color-scheme:dark){:root{--ink:#e4e2dc;--soft:#98a1a8;--faint:#2b3034;--page:#15181a;--data:#7db8dd;--warn:#f0a67c;--warnfill:#2c211a}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1040px;margin:0 auto;padding:44px 28px 36px}
.kicker{margin:0;color:var(--soft);font-size:12px;letter-spacing:.09em;text-transform:uppercase}
h1{margin:4px 0 2px;font-size:27px;line-height:1.25;font-weight:640;letter-spacing:-.012em}
h2{margin:0 0 10px;font-size:16px;font-weight:640}
.subtitle{margin:0;color:var(--soft)}
.status{margin:20px 0 0;padding:9px 14px;border-left:3px solid var(--data);background:color-mix(in srgb,var(--data) 7%,transparent);max-width:80ch}
.status.bad,.note.warn{border-left:3px solid var(--warn);background:var(--warnfill)}.status b{margin-right:.4em}
.bad b,.warn b{color:var(--warn)}
dl{display:flex;flex-wrap:wrap;gap:16px 27px;margin:26px 0 34px;padding:18px 0;border:solid var(--faint);border-width:1px 0}
dl div{min-width:84px}dt{color:var(--soft);font-size:12.5px}dd{margin:0;font-variant-numeric:tabular-nums}
dd.value{font-size:20px;font-weight:560;line-height:1.35}.large dd.value{font-size:34px;line-height:1.1;font-weight:600;letter-spacing:-.02em}
dd.detail{color:var(--soft);font-size:12.5px}
.flow{columns:2 420px;column-gap:44px;margin:0 0 20px}
figure,section{margin:0 0 34px;break-inside:avoid}figure>svg{display:block;width:100%;height:auto}
figcaption,.caption{margin:6px 0 0;color:var(--soft);font-size:13px;max-width:72ch}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:13px}
th{padding:4px 9px 5px 0;text-align:right;color:var(--soft);font-weight:500;border-bottom:1px solid var(--soft);white-space:nowrap}
td{padding:4px 9px 4px 0;text-align:right;border-bottom:1px solid var(--faint);white-space:nowrap}
th.text,td.text{text-align:left}svg.inline{width:60px;height:8px;margin-right:9px;vertical-align:1px}
.note{max-width:80ch;margin:0 0 26px}.note.warn{padding:9px 14px}
footer{margin:10px 0 0;padding:12px 0 0;border-top:1px solid var(--faint);color:var(--soft);font-size:12.5px}
@media print{:root,svg{--ink:#000!important;--soft:#444!important;--page:#fff!important;--faint:#ddd!important}main{max-width:none;padding:0}body{font-size:11pt}}
"""  # noqa: E501 - one rule per line reads better than broken rules


def html(report: Report) -> str:
    """One self-contained page with the result embedded as JSON in ``<script id="neglog-result">``."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
        f"<title>{escape(report.title)}</title>\n<style>{STYLE}{_PAGE}</style>\n</head>\n<body>\n<main>\n"
        f'<header>\n<p class="kicker">neglog {escape(report.kind)} report</p>\n<h1>{escape(report.title)}</h1>\n'
        f'<p class="subtitle">{escape(report.subtitle)}</p>\n</header>\n'
        f"{_status(report)}{_facts(report.facts)}{_blocks(report)}"
        f"<footer>neglog {__version__}. Natural logarithms, all constants included. The numbers of this page, "
        "unrounded, are embedded in it as JSON.</footer>\n</main>\n"
        f'<script type="application/json" id="neglog-result">{report_json(report)}</script>\n</body>\n</html>\n'
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
        f'<section>\n<h2>{escape(table.title)}</h2>\n<div class="scroll"><table>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{''.join(body)}</tbody>\n</table></div>\n{caption}</section>\n"
    )
