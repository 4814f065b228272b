"""Figures as hand-written SVG: small files, sharp on paper, dark where the reader's system is dark.

Colours are CSS classes only (:data:`STYLE`), so that one drawing serves light, dark and print.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from html import escape
from itertools import groupby
from typing import Any

from neglog.report.axes import Scale, area, box, dot, line, pixel, rule, text, ticks, x_axis, y_axis
from neglog.report.model import (
    Bars,
    Counts,
    Curve,
    Curves,
    Figure,
    Histogram,
    Images,
    Panels,
    Picture,
    Quantiles,
    Reliability,
    Shades,
    Survival,
    Whisker,
    Whiskers,
)
from neglog.report.numbers import fixed, number, percent, with_error
from neglog.report.panels import panels
from neglog.report.styles import stylesheet

STYLE = stylesheet("figures.css")

_WIDTH = 460.0
_LEFT, _RIGHT, _HEAD = 58.0, 16.0, 22.0


def draw(figure: Figure) -> str:
    """The figure as an ``<svg>`` element for a page that holds :data:`STYLE` once."""
    height, body = _DRAWINGS[type(figure)](figure)
    label = escape(f"{figure.title}. {figure.caption}", quote=True)
    return f'<svg viewBox="0 0 {_WIDTH:.0f} {height:.0f}" role="img" aria-label="{label}">{body}</svg>'


def standalone(*figures: Figure) -> str:
    """The figures, one below the other, as a file of their own, each with a heading."""
    head, top = 30, 0.0
    parts: list[str] = []
    for figure in figures:
        height, body = _DRAWINGS[type(figure)](figure)
        heading = text(_LEFT, 24, figure.title, "heading", "start")
        parts.append(
            f'<g transform="translate(0 {top:.0f})">{heading}<g transform="translate(0 {head})">{body}</g></g>'
        )
        top += round(height + head)
    title = escape("; ".join(figure.title for figure in figures))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:.0f} {top:.0f}" '
        f'width="{_WIDTH:.0f}" height="{top:.0f}" role="img"><title>{title}</title>'
        f"<desc>{escape(' '.join(f.caption for f in figures))}</desc><style>{STYLE}"
        ".page{fill:var(--page)}.heading{font-size:14px;font-weight:600;fill:var(--ink)}</style>"
        f'<rect class="page" width="100%" height="100%" rx="6"/>{"".join(parts)}</svg>\n'
    )


def _legend(entries: list[tuple[str, str]]) -> tuple[str, float]:
    """Samples with words, above the plot so that they never cover data; and where the plot may begin."""
    parts: list[str] = []
    x, middle = _LEFT, 12.0
    for css, words in entries:
        width = 25 + 6.1 * len(words) + 16
        if x > _LEFT and x + width > _WIDTH:
            x, middle = _LEFT, middle + 17
        if css in ("dot", "fitdot", "point"):
            parts.append(dot(x + 9, middle, 4, css))
        elif css in ("bar", "fitbar", "band", "shade"):
            parts.append(box(x, middle - 5, 18, 10, css))
        else:
            parts.append(rule(x, middle, x + 18, middle, css))
        parts.append(text(x + 25, middle + 4, words, anchor="start"))
        x += width
    return "".join(parts), middle + 20


def _root(value: float) -> float:
    return math.sqrt(max(value, 0.0))


def _root_ticks(top: float) -> list[float]:
    """Ticks for a square-root axis: round numbers from the whole range, its quarter and its beginning."""
    candidates = sorted({0.0, *(tick for share in (1, 0.25, 0.04) for tick in ticks(0, top * share, 2))})
    chosen = [0.0]
    for tick in candidates[1:]:
        if tick.is_integer() and _root(tick / top) - _root(chosen[-1] / top) > 0.11:
            chosen.append(tick)
    return chosen


# ---- one function per figure: (height, drawing) ------------------------------------------------------------


def _reliability(figure: Reliability) -> tuple[float, str]:
    legend, top = _legend(
        [("ideal", "perfectly calibrated"), ("dot", "observed, with its interval"), ("band", figure.band)]
    )
    side = _WIDTH - _LEFT - _RIGHT
    bottom = top + 0.86 * side
    x, y = Scale(0, 1, _LEFT, _LEFT + side), Scale(0, 1, bottom, top)
    parts = [legend, y_axis(y, _LEFT, _LEFT + side, figure.y_label)]
    used = [bin for bin in figure.counts if bin.count]
    for p, bin in zip(figure.points, used, strict=True):
        height = y(p.band_low) - y(p.band_high)
        parts.append(box(x(bin.low), y(p.band_high), x(bin.high) - x(bin.low), height, "band"))
    parts.append(rule(x(0), y(0), x(1), y(1), "ideal"))
    total = sum(point.weight for point in figure.points) or 1.0
    for p in figure.points:
        if math.isfinite(p.low) and math.isfinite(p.high):
            parts.append(rule(x(p.predicted), y(p.low), x(p.predicted), y(p.high), "whisker"))
        tip = f"predicted {fixed(p.predicted, 3)}, observed {fixed(p.observed, 3)}, weight {number(p.weight)}"
        parts.append(dot(x(p.predicted), y(p.observed), 3 + 4 * _root(p.weight / total), "dot", tip))
    base = bottom + 14
    parts.append(_underneath(figure, x, base))
    parts.append(x_axis(x, base + _DEPTH, figure.x_label))
    return base + _DEPTH + 44, "".join(parts)


_DEPTH = 44.0


def _underneath(figure: Reliability, x: Scale, base: float) -> str:
    """How many rows stand behind each point, as square roots: a bin of 3 beside one of 400 stays visible."""
    parts: list[str] = []
    top = max((bin.count for bin in figure.counts), default=1.0) or 1.0
    for bin in figure.counts:
        height = _DEPTH * _root(bin.count / top)
        tip = f"{fixed(bin.low, 2)} to {fixed(bin.high, 2)}: {number(bin.count)} rows"
        parts.append(box(x(bin.low) + 0.5, base + _DEPTH - height, x(bin.high) - x(bin.low) - 1, height, "bar", tip))
    parts.append(text(_LEFT - 8, base + 9, number(top), anchor="end"))
    parts.append(text(_LEFT - 8, base + _DEPTH, "rows", anchor="end"))
    return "".join(parts)


def _histogram(figure: Histogram) -> tuple[float, str]:
    """Bars of equal width, whatever the bins: wide ranges are binned by factors, not by steps."""
    bottom, right = 250.0, _WIDTH - _RIGHT
    width = (right - _LEFT) / max(len(figure.bins), 1)
    top = max((bin.count for bin in figure.bins), default=1.0) or 1.0
    y = Scale(0, top, bottom, _HEAD + 24, _root)
    label = f"{figure.y_label} (square-root scale)"
    parts = [y_axis(y, _LEFT, right, label, values=_root_ticks(top))]
    for index, bin in enumerate(figure.bins):
        tip = f"{number(bin.low, 3)} to {number(bin.high, 3)}: {number(bin.count)}"
        gap = 1.0 if width > 4 else 0.4
        left = _LEFT + index * width + gap / 2
        parts.append(box(left, y(bin.count), width - gap, bottom - y(bin.count), "bar", tip))
    parts.append(rule(_LEFT, bottom, right, bottom, "axis"))
    if figure.bins and figure.bins[0].low == 0:
        parts.append(text(_LEFT, bottom + 17, "0"))
    for power in range(-12, 7):
        at = _place(figure, 10.0**power, width)
        if at is not None and at > _LEFT + width:  # the first bar reaches down to zero
            parts += [rule(at, bottom, at, bottom + 4, "axis"), text(at, bottom + 17, f"{10.0**power:g}")]
    for index, (words, value) in enumerate(sorted(figure.marks, key=lambda mark: mark[1])):
        at = _place(figure, value, width)
        if at is None:
            continue
        head = _HEAD - 8 + 14 * index
        parts.append(rule(at, head, at, bottom, "mark"))
        anchor, shift = ("end", -5) if at > _WIDTH / 2 else ("start", 5)
        parts.append(text(at + shift, head + 8, words, "marktext", anchor))
    parts.append(text((_LEFT + right) / 2, bottom + 36, figure.x_label, "label"))
    return bottom + 44, "".join(parts)


def _place(figure: Histogram, value: float, width: float) -> float | None:
    """Where ``value`` stands among bars of equal width; None outside."""
    for index, bin in enumerate(figure.bins):
        if bin.low <= value < bin.high and math.isfinite(bin.high):
            return _LEFT + width * (index + (value - bin.low) / (bin.high - bin.low))
    return None


def _common_axis(rows: tuple[Whisker, ...]) -> bool:
    """Whether one axis serves all rows: the widest interval is not a hundred times the narrowest."""
    widths = [row.high - row.low for row in rows if math.isfinite(row.high - row.low) and row.high > row.low]
    if len(rows) < 2 or not widths:
        return False
    low, high = min(row.low for row in rows), max(row.high for row in rows)
    return math.isfinite(high - low) and high - low < 60 * min(widths)


def _whiskers(figure: Whiskers) -> tuple[float, str]:
    longest = max((len(row.label) for row in figure.rows), default=4)
    left = min(190.0, 24 + 6.6 * longest)
    right = _WIDTH - 96.0
    common = _common_axis(figure.rows)
    step = 22.0 if common else 44.0
    bottom = _HEAD + step * len(figure.rows)
    parts: list[str] = []
    shared: Scale | None = None
    if common:
        low, high = min(row.low for row in figure.rows), max(row.high for row in figure.rows)
        margin = 0.04 * (high - low)
        shared = Scale(low - margin, high + margin, left, right)
        for tick in ticks(shared.low, shared.high):
            parts.append(rule(shared(tick), _HEAD - 4, shared(tick), bottom, "grid"))
        if shared.low < 0 < shared.high:
            parts.append(rule(shared(0), _HEAD - 4, shared(0), bottom, "ideal"))
        parts.append(x_axis(shared, bottom, ""))
    for index, row in enumerate(figure.rows):
        middle = _HEAD + step * (index + 0.5) - (0 if common else 6)
        words = row.label if len(row.label) <= 26 else row.label[:25] + "…"
        parts.append(text(left - 12, middle + 4, words, "label", "end"))
        parts.append(_whisker(row, shared, middle, left, right))
    return bottom + (30 if common else 8), "".join(parts)


def _whisker(row: Whisker, shared: Scale | None, middle: float, left: float, right: float) -> str:
    known = math.isfinite(row.low) and math.isfinite(row.high)
    half = (row.high - row.low) / 2 if known else None
    estimate = with_error(row.estimate, half, 3)[0]
    parts = [text(_WIDTH - 6, middle + 4, estimate, "value", "end")]
    if not known:
        parts.append(text((left + right) / 2, middle + 4, "no interval", "tick"))
        return "".join(parts)
    scale = shared
    if scale is None:
        # its own axis, so the ends carry their numbers
        margin = 0.18 * (row.high - row.low) or 1.0
        scale = Scale(row.low - margin, row.high + margin, left, right)
        parts.append(rule(left, middle, right, middle, "grid"))
        if scale.low < 0 < scale.high:
            parts.append(rule(scale(0), middle - 9, scale(0), middle + 9, "ideal"))
        for end in (row.low, row.high):
            parts.append(text(scale(end), middle + 20, with_error(end, half, 3)[0]))
    parts.append(rule(scale(row.low), middle, scale(row.high), middle, "whisker"))
    for end in (row.low, row.high):
        parts.append(rule(scale(end), middle - 4, scale(end), middle + 4, "whisker"))
    parts.append(dot(scale(row.estimate), middle, 4.5, "dot", f"{row.label} = {number(row.estimate, 6)}"))
    return "".join(parts)


def _quantiles(figure: Quantiles) -> tuple[float, str]:
    entries = [("ideal", "the model is right"), ("point", "one row")]
    if len(figure.band) > 1:
        entries.append(("band", f"{100 * figure.level:g}% of samples of this size"))
    legend, top = _legend(entries)
    side = _WIDTH - _LEFT - _RIGHT
    bottom = top + 0.8 * side
    values = [value for point in figure.points for value in point]
    low, high = min(values, default=-1.0), max(values, default=1.0)
    margin = 0.05 * (high - low) or 1.0
    x = Scale(low - margin, high + margin, _LEFT, _LEFT + side)
    y = Scale(low - margin, high + margin, bottom, top)
    parts = [legend, y_axis(y, _LEFT, _LEFT + side, figure.y_label)]
    if len(figure.band) > 1:
        clip = [(x(t), y(min(h, y.high)), y(max(lo, y.low))) for t, lo, h in figure.band]
        parts.append(area([(t, h) for t, h, _ in clip], [(t, lo) for t, _, lo in clip], "band"))
    parts.append(rule(x(x.low), y(x.low), x(x.high), y(x.high), "ideal"))
    parts += [dot(x(theory), y(sample), 2.6, "point") for theory, sample in figure.points]
    parts.append(x_axis(x, bottom, figure.x_label))
    return bottom + 44, "".join(parts)


def _survival(figure: Survival) -> tuple[float, str]:
    names = [
        ("fit", figure.fitted_label),
        ("curve", "Kaplan-Meier"),
        ("band", f"its {100 * figure.level:g}% band, point by point"),
    ]
    legend, top = _legend(names)
    bottom = top + 270
    x = Scale(0, figure.end, _LEFT, _WIDTH - _RIGHT)
    y = Scale(0, 1, bottom, top)
    parts = [legend, y_axis(y, _LEFT, _WIDTH - _RIGHT, figure.y_label)]
    corners: list[tuple[float, float, float, float]] = []
    for index, (time, value, low, high) in enumerate(figure.steps):
        if index:
            corners.append((time, *corners[-1][1:]))
        corners.append((time, value, low, high))
    upper = [(x(t), y(high)) for t, _, _, high in corners if math.isfinite(high)]
    lower = [(x(t), y(low)) for t, _, low, _ in corners if math.isfinite(low)]
    parts.append(area(upper, lower, "band"))
    parts.append(line([(x(t), y(value)) for t, value, _, _ in corners], "curve"))
    for time, value in figure.censored:
        parts.append(rule(x(time), y(value) - 4, x(time), y(value) + 4, "cross"))
    parts.append(line([(x(t), y(value)) for t, value in figure.fitted], "fit"))
    parts.append(x_axis(x, bottom, figure.x_label))
    return bottom + 44, "".join(parts)


def _counts(figure: Counts) -> tuple[float, str]:
    legend, head = _legend([("bar", "observed"), ("fitdot", "expected under the fit")])
    bottom = head + 230
    top = max((max(observed, expected) for _, observed, expected in figure.rows), default=1.0) or 1.0
    y = Scale(0, 1.04 * top, bottom, head)
    parts = [legend, y_axis(y, _LEFT, _WIDTH - _RIGHT, figure.y_label)]
    step = (_WIDTH - _RIGHT - _LEFT) / max(len(figure.rows), 1)
    middles = [_LEFT + step * (index + 0.5) for index in range(len(figure.rows))]
    sparse = max(1, math.ceil(len(figure.rows) / 16))
    for index, ((words, observed, expected), middle) in enumerate(zip(figure.rows, middles, strict=True)):
        width = min(0.62 * step, 56)
        tip = f"{words}: observed {number(observed)}, expected {number(expected)}"
        parts.append(box(middle - width / 2, y(observed), width, bottom - y(observed), "bar", tip))
        if index % sparse == 0:
            parts.append(text(middle, bottom + 17, words))
    parts.append(line([(m, y(row[2])) for m, row in zip(middles, figure.rows, strict=True)], "fit"))
    parts += [dot(m, y(row[2]), 4, "fitdot") for m, row in zip(middles, figure.rows, strict=True)]
    parts.append(rule(_LEFT, bottom, _WIDTH - _RIGHT, bottom, "axis"))
    parts.append(text((_LEFT + _WIDTH - _RIGHT) / 2, bottom + 36, figure.x_label, "label"))
    return bottom + 44, "".join(parts)


def _style(curve: Curve) -> str:
    """The class of a curve's line or of its dots."""
    if curve.dots:
        return "fitdot" if curve.second else "dot"
    if curve.dashed:
        return "ideal"
    return "fit" if curve.second else "curve"


def _curves(figure: Curves) -> tuple[float, str]:
    legend, top = _legend([(_style(curve), curve.label) for curve in figure.curves])
    bottom = top + 250
    points = [point for curve in figure.curves for point in curve.points]
    xs, ys = [x for x, _ in points] or [0.0, 1.0], [y for _, y in points] or [0.0, 1.0]
    margin = 0.05 * (max(ys) - min(ys)) or 1.0
    x = Scale(min(xs), max(xs), _LEFT + 8, _WIDTH - _RIGHT)
    y = Scale(min(ys) - margin, max(ys) + margin, bottom, top)
    parts = [legend, y_axis(y, _LEFT, _WIDTH - _RIGHT, figure.y_label), x_axis(x, bottom, figure.x_label)]
    for curve in sorted(figure.curves, key=lambda curve: curve.dots):
        if curve.dots:
            tips = [f"{curve.label}: {number(a)}, {number(b)}" for a, b in curve.points]
            parts += [dot(x(a), y(b), 3.5, _style(curve), tip) for (a, b), tip in zip(curve.points, tips, strict=True)]
        else:
            parts.append(line([(x(a), y(b)) for a, b in curve.points], _style(curve)))
    return bottom + 44, "".join(parts)


_LEVELS = 8  # shades that an eye tells apart


def _shades(figure: Shades) -> tuple[float, str]:
    entries = [("shade", figure.shade_label)] if figure.cells else []
    entries += [("point", figure.point_label)] if figure.points else []
    legend, top = _legend(entries + [(_style(curve), curve.label) for curve in figure.curves])
    bottom = top + 330
    x = Scale(*figure.x, _LEFT, _WIDTH - _RIGHT)
    y = Scale(*figure.y, bottom, top)
    parts = [legend, y_axis(y, _LEFT, _WIDTH - _RIGHT, figure.y_label), _cells(figure, x, y)]
    parts += [dot(x(a), y(b), 1.7, "point") for a, b in figure.points]
    parts += [line([(x(a), y(b)) for a, b in curve.points], _style(curve)) for curve in figure.curves]
    parts.append(x_axis(x, bottom, figure.x_label))
    return bottom + 44, "".join(parts)


def _cells(figure: Shades, x: Scale, y: Scale) -> str:
    """Neighbours of one shade in one rectangle; the shades that are nearly none are not drawn."""
    highest = max((value for row in figure.cells for value in row), default=0.0) or 1.0
    by_level: dict[int, list[str]] = {}
    height = (y.end - y.start) / max(len(figure.cells), 1)
    for i, row in enumerate(figure.cells):
        width, at = (x.end - x.start) / len(row), 0
        levels = [round(_LEVELS * math.sqrt(max(value, 0.0) / highest)) for value in row]
        for level, run in groupby(levels):
            count = len(list(run))
            corner = x.start + at * width, y.start + (i + 1) * height
            if level:
                by_level.setdefault(level, []).append(box(*corner, count * width, -height, "shade"))
            at += count
    return "".join(f'<g opacity="{level / _LEVELS:g}">{"".join(by_level[level])}</g>' for level in sorted(by_level))


def _bars(figure: Bars) -> tuple[float, str]:
    styles = ("fitbar", "bar")[-len(figure.parts) :]
    legend, top = _legend(list(zip(styles, figure.parts, strict=True)))
    left = min(190.0, 24 + 6.6 * max((len(label) for label, _ in figure.rows), default=4))
    longest = max((sum(lengths) for _, lengths in figure.rows), default=1.0) or 1.0
    x = Scale(0, longest, left, _WIDTH - 70)
    bottom = top + 30.0 * len(figure.rows)
    parts = [legend]
    for index, (label, lengths) in enumerate(figure.rows):
        middle, start = top + 30 * (index + 0.5), 0.0
        parts.append(text(left - 10, middle + 4, label, "label", "end"))
        for length, css, name in zip(lengths, styles, figure.parts, strict=True):
            tip = f"{label}, {name}: {number(length)}"
            parts.append(box(x(start), middle - 9, x(start + length) - x(start), 18, css, tip))
            start += length
        parts.append(text(x(start) + 8, middle + 4, number(start, 3), "value", "start"))
    parts.append(x_axis(x, bottom, figure.x_label))
    return bottom + 44, "".join(parts)


def _images(figure: Images) -> tuple[float, str]:
    top, parts = 6.0, list[str]()
    side = (_WIDTH - 2 * _RIGHT) / figure.columns
    for label, pictures in figure.strips:
        top += 14
        parts.append(text(_RIGHT, top, label, "label", "start"))
        top += 7
        strongest = max((abs(v) for picture in pictures for row in picture for v in row), default=0.0) or 1.0
        for index, picture in enumerate(pictures):
            line_of, place = divmod(index, figure.columns)
            corner = _RIGHT + place * side, top + line_of * side
            parts.append(_picture(picture, strongest, *corner, 0.9 * side))
        top += side * math.ceil(len(pictures) / figure.columns) + 8
    return top, "".join(parts)


def _picture(picture: Picture, strongest: float, x: float, y: float, side: float) -> str:
    """One path for each shade: runs of pixels as ``M column row h length v 1 h -length z``."""
    by_level: dict[int, list[str]] = {}
    for i, row in enumerate(picture):
        at = 0
        for level, run in groupby(round(_LEVELS * value / strongest) for value in row):
            count = len(list(run))
            if level:
                by_level.setdefault(level, []).append(f"M{at} {i}h{count}v1h-{count}z")
            at += count
    pixel_side = side / max(len(picture), 1)
    paths = "".join(
        f'<path class="{"shade" if level > 0 else "negative"}" opacity="{abs(level) / _LEVELS:g}" '
        f'd="{"".join(by_level[level])}"/>'
        for level in sorted(by_level)
    )
    frame = box(x, y, side, side, "frame")
    return f'{frame}<g transform="translate({pixel(x)} {pixel(y)}) scale({pixel_side:.4g})">{paths}</g>'


_DRAWINGS: dict[type[Any], Callable[[Any], tuple[float, str]]] = {
    Reliability: _reliability,
    Histogram: _histogram,
    Whiskers: _whiskers,
    Quantiles: _quantiles,
    Survival: _survival,
    Counts: _counts,
    Curves: _curves,
    Shades: _shades,
    Bars: _bars,
    Images: _images,
    Panels: panels,
}


def inline_bar(share: float) -> str:
    """A bar inside a table cell, ``share`` of its width."""
    width = 60 * min(max(share, 0.0), 1.0) if math.isfinite(share) else 0.0
    return f'<svg class="inline" viewBox="0 0 60 8" aria-hidden="true">{box(0, 0, width, 8, "bar")}</svg>'


def summary_of(figure: Figure) -> str:
    """One line for renderings that cannot show a picture."""
    if isinstance(figure, Reliability):
        gaps = [abs(point.observed - point.predicted) for point in figure.points]
        worst = percent(max(gaps)) if gaps else "–"
        return f"{len(figure.points)} bins, largest gap between observed and predicted {worst}"
    return figure.caption
