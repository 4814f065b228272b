"""Many curves with bands, each in a small plot of its own beside the same reference."""

from __future__ import annotations

import math
from html import escape

from neglog.report.axes import Scale, area, line, rule, text, x_axis, y_axis
from neglog.report.model import Band, Panels
from neglog.report.numbers import number

_WIDTH, _LEFT, _RIGHT, _GAP = 460.0, 50.0, 10.0, 20.0
_COLUMNS, _HEIGHT, _HEAD = 3, 78.0, 18.0


def panels(figure: Panels) -> tuple[float, str]:
    """(height, drawing): one scale for all, ticks at the left and at the bottom only."""
    bands = [figure.reference, *figure.panels]
    xs = [row[0] for band in bands for row in band.rows] or [0.0, 1.0]
    ys = [value for band in bands for row in band.rows for value in row[1:] if math.isfinite(value)] or [0.0, 1.0]
    margin = 0.04 * (max(ys) - min(ys)) or 1.0
    width = (_WIDTH - _LEFT - _RIGHT - (_COLUMNS - 1) * _GAP) / _COLUMNS
    rows = math.ceil(len(figure.panels) / _COLUMNS)
    parts = [_legend(figure)]
    for index, band in enumerate(figure.panels):
        row, column = divmod(index, _COLUMNS)
        top = 26 + row * (_HEIGHT + _HEAD) + _HEAD
        left = _LEFT + column * (width + _GAP)
        x = Scale(min(xs), max(xs), left + 4, left + width)
        y = Scale(min(ys) - margin, max(ys) + margin, top + _HEIGHT, top)
        if column == 0:
            parts.append(y_axis(y, left, _WIDTH - _RIGHT, "", most=3))
        parts.append(text(left + 2, top - 4, band.label, "label", "start"))
        parts += [_band(figure.reference, x, y, "ideal"), _band(band, x, y, "curve")]
        if index + _COLUMNS >= len(figure.panels):
            parts.append(x_axis(x, top + _HEIGHT, "", most=4))
        else:
            parts.append(rule(left, top + _HEIGHT, left + width, top + _HEIGHT, "axis"))
    bottom = 26 + rows * (_HEIGHT + _HEAD)
    parts.append(text(12, (26 + bottom) / 2, figure.y_label, "label", turn=-90))
    parts.append(text((_LEFT + _WIDTH - _RIGHT) / 2, bottom + 36, figure.x_label, "label"))
    return bottom + 44, "".join(parts)


def _legend(figure: Panels) -> str:
    own, middle = _LEFT + 40 + 6.1 * len(figure.reference.label), 12.0
    return (
        rule(_LEFT, middle, _LEFT + 18, middle, "ideal")
        + text(_LEFT + 25, middle + 4, figure.reference.label, anchor="start")
        + rule(own, middle, own + 18, middle, "curve")
        + text(own + 25, middle + 4, figure.panel_label, anchor="start")
    )


def _band(band: Band, x: Scale, y: Scale, css: str) -> str:
    """The line, over its band where it has one."""
    known = [row for row in band.rows if all(map(math.isfinite, row))]
    low, high = [(x(a), y(b)) for a, _, b, _ in known], [(x(a), y(c)) for a, _, _, c in known]
    shade = area(high, low, "band") if known else ""
    points = [(x(a), y(value)) for a, value, *_ in band.rows if math.isfinite(value)]
    tip = ", ".join(f"{number(a)}: {number(value)}" for a, value, *_ in band.rows)
    return f"{shade}<g><title>{escape(band.label)}. {tip}</title>{line(points, css)}</g>"
