"""Curves as characters, for a terminal."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import NamedTuple

from neglog.report.axes import Scale, tick_labels, ticks
from neglog.report.model import Curve, Curves

# dots of a braille character, by row and column: Unicode 2800 plus the sum of those that are set
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))

Cell = tuple[int, int]


class _Pen(NamedTuple):
    """How a curve is told from others: ``on`` of every ``period`` steps are drawn."""

    period: int
    on: int
    key: str  # in the legend
    ascii: str


_LINE, _DASHES = _Pen(1, 1, "───", "*"), _Pen(8, 4, "╌╌╌", "o")
_POINTS, _MARKS = _Pen(6, 1, "···", "."), _Pen(1, 1, "•••", "#")


def plot(figure: Curves, *, width: int = 64, height: int = 12, braille: bool = True) -> str:
    """The curves of ``figure`` under its title, with axes and, of several, a legend.

    If the first consists of dots they become bars from zero. ``braille=False`` keeps to ASCII, for a terminal that has
    nothing else.

    >>> from neglog.report.model import Curve
    >>> line = Curve("2x", ((0.0, 0.0), (1.0, 2.0), (2.0, 4.0)))
    >>> flat = Curve("2", ((0.0, 2.0), (2.0, 2.0)), second=True)
    >>> print(plot(Curves("lines", "", (line, flat), "y"), width=24, height=3, braille=False))
    lines
      4 |                 *******
      2 |oooo   **********ooo
      0 |*******
        +------------------------
         0           1          2  y
         *** 2x   ooo 2
    """
    curves = [curve for curve in figure.curves if curve.points]
    if not curves:
        return f"{figure.title}\n(nothing to draw)"
    bars = curves[0].dots
    xs, ys = ([point[axis] for curve in curves for point in curve.points] for axis in (0, 1))
    across, down = (2, 4) if braille else (1, 1)
    low, high = (min(0.0, *ys) if bars else min(ys)), max(ys)
    x = Scale(min(xs), max(xs), 0, width * across - 1)
    y = Scale(low, high, height * down - 1, 0)
    drawn: list[tuple[_Pen, set[Cell]]] = []
    for curve in curves:
        places = [(x(a), y(b)) for a, b in curve.points]
        if bars:
            foot = y(max(0.0, low))
            cells = {cell for a, b in places for cell in _stroke((a, foot), (a, b), _LINE)[0]}
        elif curve.dots:
            cells = {cell for a, b in places for cell in _mark(a, b, width * across, height * down)}
        else:
            cells = _line(places, _pen(curve))
        drawn.append((_pen(curve), cells))
    body = _braille([cells for _, cells in drawn], width, height) if braille else _ascii(drawn, width, height)
    bar, corner, dash = ("│", "└", "─") if braille else ("|", "+", "-")
    beside = _labels(ticks(low, high, max(height // 3, 2)), y, down)
    left = max(len(word) for word in beside.values()) + 2
    lines = [f"{beside.get(row, ''):>{left}} {bar}{body[row]}".rstrip() for row in range(height)]
    lines.append(" " * (left + 1) + corner + dash * width)
    lines += _under(_labels(ticks(x.low, x.high, max(width // 12, 1)), x, across), left + 2, width, figure.x_label)
    if len(curves) > 1:
        lines += _legend(curves, left + 2, width, braille)
    return "\n".join([figure.title, *lines])


def has_braille() -> bool:
    """Whether standard output can show what ``plot`` draws."""
    try:
        "⠿└•╌".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _pen(curve: Curve) -> _Pen:
    return _MARKS if curve.dots else _DASHES if curve.second else _POINTS if curve.dashed else _LINE


def _under(words: dict[int, str], left: int, width: int, label: str) -> list[str]:
    """The words of the ticks, and the axis's label behind them or, where it is long, below."""
    under = [" "] * (left + width + 8)
    for column, word in words.items():
        start = left + column - len(word) // 2
        under[start : start + len(word)] = word
    ticked = "".join(under).rstrip()
    one = f"{ticked}  {label}".rstrip()
    return [one] if len(one) <= left + width + 8 else [ticked, label.rjust(left + width).rstrip()]


def _legend(curves: Sequence[Curve], left: int, width: int, braille: bool) -> list[str]:
    """As many entries in a line as fit."""
    entries = [f"{_pen(curve).key if braille else 3 * _pen(curve).ascii} {curve.label}" for curve in curves]
    lines = [entries[0]]
    for entry in entries[1:]:
        if len(lines[-1]) + len(entry) + 3 <= width + 8:
            lines[-1] += f"   {entry}"
        else:
            lines.append(entry)
    return [" " * left + line for line in lines]


def _labels(marks: list[float], scale: Scale, dots: int) -> dict[int, str]:
    """Words for the ticks, by the character that they stand beside."""
    return {int(round(scale(mark)) / dots): word for mark, word in zip(marks, tick_labels(marks), strict=True)}


def _line(places: Sequence[tuple[float, float]], pen: _Pen) -> set[Cell]:
    cells: set[Cell] = set()
    done = 0.0
    for before, after in zip([places[0], *places], places, strict=False):
        found, done = _stroke(before, after, pen, done)
        cells |= found
    return cells


def _stroke(
    start: tuple[float, float], end: tuple[float, float], pen: _Pen, done: float = 0.0
) -> tuple[set[Cell], float]:
    """The dots of a straight line, and how far the pen has moved, ``done`` of that before."""
    (x1, y1), (x2, y2) = start, end
    far = max(abs(x2 - x1), abs(y2 - y1))
    steps = max(1, math.ceil(far))
    cells = {
        (round(x1 + (x2 - x1) * step / steps), round(y1 + (y2 - y1) * step / steps))
        for step in range(steps + 1)
        if (done + far * step / steps) % pen.period < pen.on
    }
    return cells, done + far


def _mark(x: float, y: float, columns: int, rows: int) -> set[Cell]:
    """A dot that can be seen on a line."""
    found = ((round(x) + i, round(y) + j) for i in (-1, 0, 1) for j in (-1, 0, 1))
    return {(i, j) for i, j in found if 0 <= i < columns and 0 <= j < rows}


def _braille(drawn: list[set[Cell]], width: int, height: int) -> list[str]:
    codes = [[0] * width for _ in range(height)]
    for x, y in set[Cell]().union(*drawn):
        codes[y // 4][x // 2] |= _DOTS[y % 4][x % 2]
    return ["".join(chr(0x2800 + code) if code else " " for code in row).rstrip() for row in codes]


def _ascii(drawn: list[tuple[_Pen, set[Cell]]], width: int, height: int) -> list[str]:
    rows = [[" "] * width for _ in range(height)]
    for pen, cells in reversed(drawn):  # the first on top
        for x, y in cells:
            rows[y][x] = pen.ascii
    return ["".join(row).rstrip() for row in rows]
