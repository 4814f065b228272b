"""The page: well-formed, small, self-contained, with the result inside; and the figures that are on it."""

from __future__ import annotations

import json
import math
import re
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pytest

import neglog as nl
from neglog import demo
from neglog.report import figures
from neglog.report.axes import Scale, ticks
from neglog.report.fit import fit_report
from neglog.report.html import html
from neglog.report.model import (
    Band,
    Bars,
    Bin,
    Counts,
    Curve,
    Curves,
    Histogram,
    Images,
    Panels,
    Quantiles,
    Reliability,
    Shades,
    Survival,
    Table,
    Whisker,
    Whiskers,
)
from neglog.report.score import score_report

LIMIT = 150_000  # bytes: opens at once and survives e-mail


def parsed(page: str) -> ET.Element:
    """The page as XML: what a strict parser takes, every browser takes."""
    return ET.fromstring(page.removeprefix("<!DOCTYPE html>"))


@pytest.fixture(scope="session")
def digits() -> Any:
    """250 parameters: more than a page has room for."""
    data = demo.load("digits").rows(np.arange(1797) % 6 == 0)
    return nl.fit("categorical", data["digit"], data.matrix("pixel_[2-4]_*"), intercept=True, l2=10.0)


@pytest.fixture
def pages(score: Any, life: Any, kicks: Any, failed: Any, digits: Any) -> dict[str, str]:
    reports = {
        "score": score_report(score, title="Score of <preds> & more"),
        "life": fit_report(life, title="Weibull fit"),
        "kicks": fit_report(kicks, title="Poisson fit"),
        "failed": fit_report(failed, title="A failed fit"),
        "digits": fit_report(digits, title="Digits"),
    }
    return {name: html(report) for name, report in reports.items()}


@pytest.mark.parametrize("name", ["score", "life", "kicks", "failed", "digits"])
def test_a_page_is_well_formed_small_and_alone(name: str, pages: dict[str, str]) -> None:
    page = pages[name]
    assert len(page.encode()) < LIMIT
    tree = parsed(page)
    used = {element.tag for element in tree.iter()}
    assert used.isdisjoint({"link", "img", "iframe", "object"}) and not re.search(r"\bsrc=|https?:|url\(|@import", page)
    scripts = list(tree.iter("script"))
    assert [script.get("type") for script in scripts] == ["application/json"]
    assert json.loads(scripts[0].text or "")["kind"]
    assert not re.search(r'(?:x|y|points|width|height)="[^"]*\b(nan|inf)\b', page)
    assert "prefers-color-scheme" in page and "@media print" in page


def test_every_figure_says_how_to_read_it(pages: dict[str, str]) -> None:
    for page in pages.values():
        for figure in parsed(page).iter("figure"):
            assert len("".join(figure.find("figcaption").itertext())) > 60  # type: ignore[union-attr]
            assert figure.find("svg").get("aria-label")  # type: ignore[union-attr]


def test_what_people_wrote_is_escaped(pages: dict[str, str]) -> None:
    assert "<preds>" not in pages["score"] and "&lt;cat&gt;" in pages["score"]
    heading = next(parsed(pages["score"]).iter("h1"))
    assert heading.text == "Score of <preds> & more"


def test_the_embedded_result_is_the_result(score: Any, pages: dict[str, str]) -> None:
    script = next(parsed(pages["score"]).iter("script"))
    found = json.loads(script.text or "")
    assert found["nll"] == score.nll and found["bad"] == dict(score.bad)
    life = json.loads(next(parsed(pages["life"]).iter("script")).text or "")
    assert life["estimates"][1]["estimate"] == pytest.approx(606.528, abs=5e-4) and len(life["cov"]) == 2


def test_the_strongest_parameters_come_first_and_are_as_many_as_it_says(digits: Any) -> None:
    report = fit_report(digits, title="Digits")
    whiskers = next(block for block in report.blocks if isinstance(block, Whiskers))
    assert len(whiskers.rows) == 30 and whiskers.caption.startswith("The 30 of ")
    (table,) = (block for block in report.blocks if isinstance(block, Table))
    z = [abs(row["z"]) for row in table.records()]
    assert len(z) == 30 and z == sorted(z, reverse=True)


def test_a_failed_fit_looks_failed(pages: dict[str, str]) -> None:
    assert 'class="status bad"' in pages["failed"] and 'class="status bad"' not in pages["life"]


def _drawn(figure: Any) -> ET.Element:
    text = figures.draw(figure)
    assert not re.search(r'="[^"]*\b(nan|inf)\b', text)  # no coordinate is missing
    return ET.fromstring(text)


def test_reliability_points_stand_where_they_belong(score: Any) -> None:
    figure = next(b for b in score_report(score, title="").blocks if isinstance(b, Reliability))
    tree = _drawn(figure)
    dots = [e for e in tree.iter("circle") if e.get("class") == "dot" and e.find("title") is not None]
    assert len(dots) == len(figure.points) == 6
    ideal = next(e for e in tree.iter("line") if e.get("class") == "ideal" and float(e.get("x1") or 0) < 60)
    x = Scale(0, 1, float(ideal.get("x1") or 0), _end(tree))
    for point, circle in zip(figure.points, dots, strict=True):
        assert float(circle.get("cx") or 0) == pytest.approx(x(point.predicted), abs=0.06)


def _end(tree: ET.Element) -> float:
    return max(float(e.get("x2") or 0) for e in tree.iter("line") if e.get("class") == "grid")


def test_heights_of_a_histogram_grow_as_square_roots() -> None:
    bins = (Bin(0.0, 0.5, 4), Bin(0.5, 1.0, 16), Bin(1.0, math.inf, 0))
    tree = _drawn(Histogram("h", "c", bins, (("mean", 0.75), ("beyond", 99.0))))
    heights = [float(e.get("height") or 0) for e in tree.iter("rect")]
    assert heights[1] == pytest.approx(2 * heights[0], abs=0.2) and heights[2] == 0
    assert "beyond" not in ET.tostring(tree, encoding="unicode")


@pytest.mark.parametrize(
    "figure",
    [
        Histogram("h", "c", ()),
        Whiskers("w", "c", (Whisker("a", 1.0, math.nan, math.nan),)),
        Whiskers("w", "c", (Whisker("a", 1.0, 1.0, 1.0), Whisker("b", -2.0, -3.0, -1.0))),
        Whiskers("w", "c", tuple(Whisker(f"x{i}", i, i - 1.0, i + 1.0) for i in range(30))),
        Quantiles("q", "c", ()),
        Quantiles("q", "c", ((0.0, 0.0),)),
        Counts("c", "c", (("0", 0.0, 0.0),)),
        Counts("c", "c", tuple((str(i), 1.0 * i, 2.0) for i in range(40))),
        Survival("s", "c", ((0.0, 1.0, 1.0, 1.0), (2.0, 0.0, math.nan, math.nan)), (), ((0.0, 1.0),), 2.0),
        Reliability("r", "c", (), ()),
        Curves("c", "c", ()),
        Curves("c", "c", (Curve("a", ((1.0, 0.5),)), Curve("b", ((1.0, 0.5),), dots=True, second=True))),
        Curves("c", "c", (Curve("a", ((1.0, 0.5), (2.0, 0.5)), dashed=True),)),
        Shades("s", "c", (), (0.0, 1.0), (0.0, 1.0)),
        Shades("s", "c", ((0.0,),), (0.0, 1.0), (0.0, 1.0), points=((0.5, 0.5),)),
        Bars("b", "c", ("all",), ()),
        Bars("b", "c", ("one", "two"), (("a", (0.0, 0.0)),)),
        Images("i", "c", ()),
        Images("i", "c", (("none", ()), ("blank", (((0.0, 0.0), (0.0, 0.0)),)))),
        Panels("p", "c", (), Band("r", ()), "own"),
        Panels("p", "c", (Band("a", ((0.0, 1.0, math.nan, math.nan),)),), Band("r", ()), "own"),
    ],
    ids=lambda figure: type(figure).__name__,
)
def test_figures_with_little_to_show_are_still_figures(figure: Any) -> None:
    _drawn(figure)


def test_neighbours_of_one_shade_are_one_rectangle() -> None:
    cells = ((4.0, 4.0, 0.0, 1.0), (0.0, 0.0, 0.0, 0.0))
    tree = _drawn(Shades("s", "c", cells, (0.0, 4.0), (0.0, 2.0)))
    groups = {float(g.get("opacity", "0")): list(g) for g in tree.iter("g") if g.get("opacity")}
    assert {level: len(rects) for level, rects in groups.items()} == {0.5: 1, 1.0: 1}  # the square root of 1/4 and of 1
    wide, narrow = groups[1.0][0], groups[0.5][0]
    assert float(wide.get("width", "0")) == pytest.approx(2 * float(narrow.get("width", "0")), abs=0.1)
    assert float(wide.get("x", "0")) < float(narrow.get("x", "0"))
    assert wide.get("y") == narrow.get("y")  # the lower row


def test_pictures_have_a_path_for_each_shade() -> None:
    picture = ((1.0, 1.0, -0.5), (0.0, 0.01, 1.0))
    tree = _drawn(Images("i", "c", (("label", (picture, picture)),), columns=1))
    paths = [(e.get("class"), e.get("opacity"), e.get("d")) for e in tree.iter("path")]
    assert paths[:2] == [("negative", "0.5", "M2 0h1v1h-1z"), ("shade", "1", "M0 0h2v1h-2zM2 1h1v1h-1z")]
    assert paths[2:] == paths[:2]
    first, second = (e for e in tree.iter("rect") if e.get("class") == "frame")
    assert first.get("x") == second.get("x") and float(second.get("y", "0")) > float(first.get("y", "0"))


def test_panels_share_a_scale_and_the_reference() -> None:
    rising, flat = ((0.0, 1.0, 0.5, 1.5), (1.0, 3.0, 2.0, 4.0)), ((0.0, 2.0, math.nan, math.nan), (1.0, 2.0, 2.0, 2.0))
    tree = _drawn(Panels("p", "c", tuple(Band(name, rising) for name in "abcd"), Band("same", flat), "own"))
    own = [e.get("points", "") for e in tree.iter("polyline") if e.get("class") == "curve"]
    same = [e.get("points", "") for e in tree.iter("polyline") if e.get("class") == "ideal"]
    heights = [[float(point.split(",")[1]) for point in points.split()] for points in own]
    assert len(own) == len(same) == 4
    assert heights[0] == heights[1] == heights[2]
    assert np.subtract(heights[3], heights[0]) == pytest.approx([96.0, 96.0])  # a row of plots lower
    assert all(first > last for first, last in heights)  # up
    bands = [e.get("points", "").split() for e in tree.iter("polygon")]
    assert [len(corners) for corners in bands] == [2, 4] * 4  # the reference has an interval at one place only


def test_the_parts_of_a_bar_stand_behind_one_another() -> None:
    tree = _drawn(Bars("b", "c", ("one", "two"), (("a", (1.0, 3.0)), ("b", (0.0, 2.0)))))
    rects = [e for e in tree.iter("rect") if e.find("title") is not None]
    start, width = ([float(e.get(key) or 0) for e in rects] for key in ("x", "width"))
    assert width[1] == pytest.approx(3 * width[0], abs=0.3) and width[2] == 0
    assert start[1] == pytest.approx(start[0] + width[0], abs=0.2)
    assert start[1] + width[1] == pytest.approx(start[2] + 2 * width[3], abs=0.4)


def test_whiskers_share_an_axis_only_where_it_serves_all() -> None:
    alike = Whiskers("w", "c", (Whisker("a", 1.0, 0.0, 2.0), Whisker("b", 3.0, 1.0, 5.0)))
    apart = Whiskers("w", "c", (Whisker("shape", 1.7, 1.0, 3.0), Whisker("scale", 606.0, 405.0, 908.0)))
    assert figures._common_axis(alike.rows) and not figures._common_axis(apart.rows)
    assert "405" in figures.draw(apart)


def test_a_standalone_picture_is_an_svg_file(score: Any) -> None:
    figure = next(b for b in score_report(score, title="").blocks if isinstance(b, Reliability))
    text = figures.standalone(figure)
    assert ET.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg" and len(text) < 20_000


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1.0, 7.0, 360.0, 1e12])
@pytest.mark.parametrize("start", [-3.3, 0.0, 0.1, 17.0])
def test_ticks_are_inside_few_and_evenly_spaced(scale: float, start: float) -> None:
    low, high = start * scale, (start + 1.7) * scale
    found = ticks(low, high)
    assert 2 <= len(found) <= 7 and all(low - 1e-9 * scale <= tick <= high + 1e-9 * scale for tick in found)
    steps = np.diff(found)
    assert np.allclose(steps, steps[0], rtol=1e-6)


def test_a_thousand_classes_still_make_a_small_page() -> None:
    classes = [f"a rather long class name, number {index}" for index in range(1000)]
    state = nl.Score.classification(input="logits", classes=classes)
    state.update([classes[7], classes[9]], np.zeros((2, 1000)))
    page = html(score_report(state.result(), title="Many"))
    assert len(page.encode()) < LIMIT
    found = json.loads(next(parsed(page).iter("script")).text or "")
    assert found["shortened"] == {"classes": 1000} and len(found["classes"]) == 200
    assert "of 1000" in page
