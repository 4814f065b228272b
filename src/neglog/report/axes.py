"""Axes for hand-written SVG: scales, nice ticks, the frame."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from neglog.report.numbers import exponent, fixed, number


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers inside ``[low, high]``, at steps of 1, 2, 2.5 or 5 times a power of ten.

    >>> ticks(0, 1)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    >>> ticks(-3.1, 642, 5)
    [0.0, 200.0, 400.0, 600.0]
    >>> ticks(5, 5)
    [5.0]
    """
    if not high > low:
        return [float(low)]
    raw = (high - low) / most
    power = 10.0 ** exponent(raw)
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10, 20) if factor * power >= raw * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    decimals = 2 - exponent(step)  # 3 * 0.2 is 0.6000000000000001
    return [round(index * step, decimals) + 0.0 for index in range(first, last + 1)]


def tick_labels(values: Sequence[float]) -> list[str]:
    """Labels with as many decimals as the step between ticks needs.

    >>> tick_labels([0.0, 0.25, 0.5]), tick_labels([0.0, 2000.0]), tick_labels([0, 2e-7])
    (['0.00', '0.25', '0.50'], ['0', '2,000'], ['0', '2e-07'])
    """
    if len(values) < 2:
        return [number(value) for value in values]
    step = values[1] - values[0]
    if any(abs(b - a - step) > 1e-6 * abs(step) for a, b in pairwise(values)):
        return [number(value) for value in values]
    for decimals in range(6):
        if abs(step * 10**decimals - round(step * 10**decimals)) < 1e-6 * step * 10**decimals:
            return [fixed(value, decimals) for value in values]
    return [number(value) for value in values]


def pixel(value: float) -> str:
    """A coordinate with one decimal: smaller differences are not seen but are paid for in bytes."""
    return f"{value:.1f}".removesuffix(".0")


@dataclass(frozen=True)
class Scale:
    """Data to pixels. ``bend`` is applied to data first; it must be increasing (a square root for counts)."""

    low: float
    high: float
    start: float
    end: float
    bend: Callable[[float], float] = float

    def __call__(self, value: float) -> float:
        span = self.bend(self.high) - self.bend(self.low)
        share = (self.bend(value) - self.bend(self.low)) / span if span else 0.5
        return self.start + share * (self.end - self.start)


def line(points: Sequence[tuple[float, float]], css: str) -> str:
    """An open line through pixel coordinates."""
    path = " ".join(f"{pixel(x)},{pixel(y)}" for x, y in points)
    return f'<polyline class="{css}" points="{path}"/>'


def area(upper: Sequence[tuple[float, float]], lower: Sequence[tuple[float, float]], css: str) -> str:
    """The area between two lines."""
    path = " ".join(f"{pixel(x)},{pixel(y)}" for x, y in [*upper, *reversed(lower)])
    return f'<polygon class="{css}" points="{path}"/>'


def rule(x1: float, y1: float, x2: float, y2: float, css: str) -> str:
    """A straight line."""
    return f'<line class="{css}" x1="{pixel(x1)}" y1="{pixel(y1)}" x2="{pixel(x2)}" y2="{pixel(y2)}"/>'


def dot(x: float, y: float, radius: float, css: str, tip: str = "") -> str:
    """A dot, with what it stands for shown when pointed at."""
    title = f"<title>{escape(tip)}</title>" if tip else ""
    return f'<circle class="{css}" cx="{pixel(x)}" cy="{pixel(y)}" r="{pixel(radius)}">{title}</circle>'


def box(x: float, y: float, width: float, height: float, css: str, tip: str = "") -> str:
    """A filled rectangle."""
    title = f"<title>{escape(tip)}</title>" if tip else ""
    return (
        f'<rect class="{css}" x="{pixel(x)}" y="{pixel(y)}" width="{pixel(max(width, 0))}" '
        f'height="{pixel(max(height, 0))}">{title}</rect>'
    )


def text(x: float, y: float, words: str, css: str = "tick", anchor: str = "middle", turn: int = 0) -> str:
    """A label; ``turn`` in degrees about its own point."""
    rotate = f' transform="rotate({turn} {pixel(x)} {pixel(y)})"' if turn else ""
    return f'<text class="{css}" x="{pixel(x)}" y="{pixel(y)}" text-anchor="{anchor}"{rotate}>{escape(words)}</text>'


def x_axis(scale: Scale, y: float, label: str, *, most: int = 6, values: Sequence[float] | None = None) -> str:
    """Ticks under a plot, with the label centred below them."""
    marks = list(values) if values is not None else ticks(scale.low, scale.high, most)
    parts = [rule(scale.start, y, scale.end, y, "axis")]
    for value, words in zip(marks, tick_labels(marks), strict=True):
        parts += [rule(scale(value), y, scale(value), y + 4, "axis"), text(scale(value), y + 17, words)]
    if label:
        parts.append(text((scale.start + scale.end) / 2, y + 36, label, "label"))
    return "".join(parts)


def y_axis(
    scale: Scale,
    x: float,
    right: float,
    label: str,
    *,
    most: int = 6,
    values: Sequence[float] | None = None,
    gap: float = 42,
) -> str:
    """Ticks left of a plot with pale lines across it: values are read off horizontally."""
    marks = list(values) if values is not None else ticks(scale.low, scale.high, most)
    parts: list[str] = []
    for value, words in zip(marks, tick_labels(marks), strict=True):
        parts += [
            rule(x, scale(value), right, scale(value), "grid"),
            text(x - 8, scale(value) + 4, words, anchor="end"),
        ]
    if label:
        parts.append(text(x - gap, (scale.start + scale.end) / 2, label, "label", turn=-90))
    return "".join(parts)
