"""Curves as characters, for a terminal."""

from __future__ import annotations

import math

from neglog.report.axes import Scale, tick_labels, ticks
from neglog.report.model import Curves

# dots of a braille character, by row and column: Unicode 2800 plus the sum of those that are set
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_PLAIN = "*"


def plot(figure: Curves, *, width: int = 64, height: int = 12, braille: bool = True) -> str:
    """The first curve of ``figure`` under its title, with axes; dots become bars from zero.

    ``braille=False`` keeps to ASCII, for a terminal that has nothing else.

    >>> from neglog.report.model import Curve
    >>> line = Curve("", ((0.0, 0.0), (1.0, 2.0), (2.0, 4.0)))
    >>> print(plot(Curves("a line", "", (line,), "y"), width=24, height=3, braille=False))
    a line
      4 |                 *******
      2 |       **********
      0 |*******
        +------------------------
         0           1          2  y
    """
    curve = figure.curves[0]
    xs, ys = [x for x, _ in curve.points], [y for _, y in curve.points]
    if not xs:
        return f"{figure.title}\n(nothing to draw)"
    across, down = (2, 4) if braille else (1, 1)
    low, high = (min(0.0, *ys) if curve.dots else min(ys)), max(ys)
    x = Scale(min(xs), max(xs), 0, width * across - 1)
    y = Scale(low, high, height * down - 1, 0)
    lit: set[tuple[int, int]] = set()
    for before, after in zip([curve.points[0], *curve.points], curve.points, strict=False):
        start = (after[0], max(0.0, low)) if curve.dots else before
        lit |= _stroke(x(start[0]), y(start[1]), x(after[0]), y(after[1]))
    body = _braille(lit, width, height) if braille else _ascii(lit, width, height)
    bar, corner, dash = ("│", "└", "─") if braille else ("|", "+", "-")
    beside = _labels(ticks(low, high, max(height // 3, 2)), y, down)
    left = max(len(word) for word in beside.values()) + 2
    lines = [f"{beside.get(row, ''):>{left}} {bar}{body[row]}".rstrip() for row in range(height)]
    under = [" "] * (left + 2 + width + 8)
    for column, word in _labels(ticks(x.low, x.high, max(width // 12, 1)), x, across).items():
        start = left + 2 + column - len(word) // 2
        under[start : start + len(word)] = word
    axis = " " * (left + 1) + corner + dash * width
    return "\n".join([figure.title, *lines, axis, f"{''.join(under).rstrip()}  {figure.x_label}".rstrip()])


def _labels(marks: list[float], scale: Scale, dots: int) -> dict[int, str]:
    """Words for the ticks, by the character that they stand beside."""
    return {int(round(scale(mark)) / dots): word for mark, word in zip(marks, tick_labels(marks), strict=True)}


def _stroke(x1: float, y1: float, x2: float, y2: float) -> set[tuple[int, int]]:
    """The dots of a straight line."""
    steps = max(1, math.ceil(max(abs(x2 - x1), abs(y2 - y1))))
    return {(round(x1 + (x2 - x1) * step / steps), round(y1 + (y2 - y1) * step / steps)) for step in range(steps + 1)}


def _braille(lit: set[tuple[int, int]], width: int, height: int) -> list[str]:
    codes = [[0] * width for _ in range(height)]
    for x, y in lit:
        codes[y // 4][x // 2] |= _DOTS[y % 4][x % 2]
    return ["".join(chr(0x2800 + code) if code else " " for code in row).rstrip() for row in codes]


def _ascii(lit: set[tuple[int, int]], width: int, height: int) -> list[str]:
    return ["".join(_PLAIN if (x, y) in lit else " " for x in range(width)).rstrip() for y in range(height)]
