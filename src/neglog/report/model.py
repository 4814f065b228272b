"""What a report says, before anybody decides how it looks.

A :class:`Report` is made once from a result (:mod:`neglog.report.score`, :mod:`neglog.report.fit`) and
rendered as text, markdown, HTML or JSON. Figures hold the numbers they show; :mod:`neglog.report.figures`
draws them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Format = str
"""How a column prints: ``text``, ``count``, ``number``, ``percent``, ``p`` or ``fixedN`` with N decimals."""


@dataclass(frozen=True)
class Fact:
    """One headline number: already formatted, since it is read and not computed with."""

    label: str
    value: str
    detail: str = ""
    large: bool = False


@dataclass(frozen=True)
class Column:
    """``key`` names the value in JSON and CSV, ``label`` heads it on paper."""

    key: str
    label: str
    format: Format = "text"


@dataclass(frozen=True)
class Table:
    """Rows of values in the order of ``columns``; ``bar`` names a column that is also drawn as a bar."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    caption: str = ""
    bar: str | None = None

    def records(self) -> list[dict[str, Any]]:
        """One dict per row, keyed for machines."""
        return [{c.key: value for c, value in zip(self.columns, row, strict=True)} for row in self.rows]


@dataclass(frozen=True)
class Bin:
    """One bar or bin between ``low`` and ``high``."""

    low: float
    high: float
    count: float


@dataclass(frozen=True)
class Point:
    """A reliability point: mean predicted probability, observed share with its interval, weight and band."""

    predicted: float
    observed: float
    low: float
    high: float
    weight: float
    band_low: float
    band_high: float


@dataclass(frozen=True)
class Reliability:
    """Observed share against predicted probability.

    ``counts`` holds all bins, ``points`` those that are not empty, in the same order.
    """

    title: str
    caption: str
    points: tuple[Point, ...]
    counts: tuple[Bin, ...]
    band: str = "band"
    x_label: str = "predicted probability"
    y_label: str = "observed share"


@dataclass(frozen=True)
class Histogram:
    """Counts over bins; ``marks`` are labelled vertical lines."""

    title: str
    caption: str
    bins: tuple[Bin, ...]
    marks: tuple[tuple[str, float], ...] = ()
    x_label: str = ""
    y_label: str = "rows"


@dataclass(frozen=True)
class Whisker:
    """An estimate with its interval; NaN ends are drawn as an estimate without one."""

    label: str
    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class Whiskers:
    """Estimates with intervals, on one axis where their sizes allow it."""

    title: str
    caption: str
    rows: tuple[Whisker, ...]
    level: float = 0.95


@dataclass(frozen=True)
class Quantiles:
    """Sample against theoretical quantiles: ``points`` (theory, sample), ``band`` (theory, low, high)."""

    title: str
    caption: str
    points: tuple[tuple[float, float], ...]
    band: tuple[tuple[float, float, float], ...] = ()
    x_label: str = "normal quantile"
    y_label: str = "residual"
    level: float = 0.95


@dataclass(frozen=True)
class Survival:
    """A step curve with band (time, value, low, high) beside a fitted curve (time, value)."""

    title: str
    caption: str
    steps: tuple[tuple[float, float, float, float], ...]
    censored: tuple[tuple[float, float], ...]
    fitted: tuple[tuple[float, float], ...]
    end: float
    x_label: str = "time"
    y_label: str = "still running"
    fitted_label: str = "fitted"
    level: float = 0.95


@dataclass(frozen=True)
class Counts:
    """Observed bars and expected dots per count: rows (label, observed, expected)."""

    title: str
    caption: str
    rows: tuple[tuple[str, float, float], ...]
    x_label: str = "count"
    y_label: str = "rows"


@dataclass(frozen=True)
class Curve:
    """Points joined by a line, or shown as dots: on top of a line that they may coincide with."""

    label: str
    points: tuple[tuple[float, float], ...]
    dots: bool = False
    second: bool = False  # in the second of two colours
    dashed: bool = False  # a line in grey


@dataclass(frozen=True)
class Curves:
    """Curves over a common axis."""

    title: str
    caption: str
    curves: tuple[Curve, ...]
    x_label: str = ""
    y_label: str = ""


@dataclass(frozen=True)
class Shades:
    """A density over a plane, with points and curves on top.

    ``cells[i][j]`` is its value in the ``i``-th of equal steps from ``y[0]`` to ``y[1]``, the ``j``-th from ``x[0]``
    to ``x[1]``; the shade goes with its square root, so that thin tails show.
    """

    title: str
    caption: str
    cells: tuple[tuple[float, ...], ...]
    x: tuple[float, float]
    y: tuple[float, float]
    points: tuple[tuple[float, float], ...] = ()
    curves: tuple[Curve, ...] = ()
    x_label: str = ""
    y_label: str = ""
    shade_label: str = "density"
    point_label: str = "data"


@dataclass(frozen=True)
class Bars:
    """Horizontal bars: rows (label, one length per part); a bar's parts stand behind one another."""

    title: str
    caption: str
    parts: tuple[str, ...]  # one or two names
    rows: tuple[tuple[str, tuple[float, ...]], ...]
    x_label: str = ""


Picture = tuple[tuple[float, ...], ...]
"""Rows of pixels, the first on top."""


@dataclass(frozen=True)
class Images:
    """Small pictures in labelled strips; in each strip the largest magnitude is the darkest shade, 0 is the page.

    Negative pixels have the second colour.
    """

    title: str
    caption: str
    strips: tuple[tuple[str, tuple[Picture, ...]], ...]
    columns: int = 16  # pictures side by side


@dataclass(frozen=True)
class Band:
    """A curve with an interval about it: rows (x, value, low, high); NaN ends are drawn as a curve without one."""

    label: str
    rows: tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True)
class Panels:
    """Small plots on one scale, each with a curve of its own and the same reference."""

    title: str
    caption: str
    panels: tuple[Band, ...]
    reference: Band
    panel_label: str  # what the curves of the panels are
    x_label: str = ""
    y_label: str = ""


Figure = Reliability | Histogram | Whiskers | Quantiles | Survival | Counts | Curves | Shades | Bars | Images | Panels


@dataclass(frozen=True)
class Note:
    """A paragraph, ``warn`` where it must not be missed."""

    text: str
    warn: bool = False


@dataclass(frozen=True)
class Report:
    """Everything one page says.

    ``ok`` is False where the result must not be used as it is; ``status`` and ``message`` then say why and
    stand above the numbers. ``data`` is the result itself as JSON-able values, embedded so that a page can be
    read again. ``tables`` are what CSV and JSON lines can hold, by name, in full; the first is the default.
    """

    kind: str
    title: str
    subtitle: str
    ok: bool
    status: str
    message: str
    facts: tuple[Fact, ...]
    blocks: tuple[Table | Figure | Note, ...]
    data: dict[str, Any] = field(default_factory=dict[str, Any])
    tables: dict[str, Table] = field(default_factory=dict[str, Table])
