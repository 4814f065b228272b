"""``neglog explain``: every topic, its figure, and what happens to a wrong name."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from neglog.report.figures import standalone
from neglog.report.topic_figures import figure, names
from neglog.report.topics import topics

PICTURES = Path(__file__).parents[2] / "docs" / "images" / "explain"


def test_without_a_topic_all_are_listed(run: Any) -> None:
    outcome = run("explain")
    assert outcome.code == 0
    assert [line.split()[0] for line in outcome.out.splitlines()] == list(topics())
    assert "softmax           The softmax and its derivative, step by step" in outcome.out


@pytest.mark.parametrize("name", topics())
def test_every_topic_is_shown_with_its_figure(run: Any, name: str) -> None:
    outcome = run("explain", name)
    assert outcome.code == 0
    assert outcome.err == ""
    title, _, rest = outcome.out.partition("\n")
    assert title.strip() == topics()[name].title
    assert ("│" in rest) == (name in names())
    assert not re.search(r"\]\(|\*\*[A-Z]|\.svg|\x1b|…", outcome.out)
    for example in re.findall(r">>> (\w+)", topics()[name].text):
        assert example in rest


def test_a_wrong_topic_gets_a_suggestion(run: Any) -> None:
    outcome = run("explain", "sofmax")
    assert outcome.code == 2
    assert outcome.err.startswith("neglog: no topic 'sofmax'; did you mean 'softmax'? there are logarithm,")
    assert run("explain", "Log_Odds").code == 0
    assert run("explain", "zzzz").err.startswith("neglog: no topic 'zzzz'; there are logarithm,")


@pytest.mark.parametrize("name", names())
def test_every_curve_of_a_figure_is_in_the_terminal(run: Any, name: str) -> None:
    shown = " ".join(run("explain", name).out.split())
    drawn = figure(name)
    assert " ".join(drawn.caption.split()) in shown
    for curve in drawn.curves if len(drawn.curves) > 1 else ():
        assert f"{curve.label}" in shown


@pytest.mark.parametrize("columns", [1, 20, 40, 80, 200])
def test_narrow_and_wide_terminals(run: Any, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for name in topics():
        outcome = run("explain", name)
        assert outcome.code == 0, outcome.err
        drawn = [line for line in outcome.out.splitlines() if re.search("[│└]", line)]
        assert all(len(line) <= max(columns, 32) for line in drawn)
        if columns == 80:  # words are broken, code is not
            code = {f" {line}".rstrip() for line in topics()[name].text.splitlines()}
            assert all(len(line) <= 80 or line in code for line in outcome.out.splitlines())
            examples = re.findall(r"^(?:>>>|\.\.\.) .*$", topics()[name].text, re.MULTILINE)
            assert {f" {line}" for line in examples} <= set(outcome.out.splitlines())


def test_plot_writes_the_figure(run: Any, tmp_path: Path) -> None:
    assert run("explain", "softmax", "--plot", "s.svg").code == 0
    assert (tmp_path / "s.svg").read_text("utf-8") == standalone(figure("softmax"))
    assert run("explain", "--plot", "s.svg").code == 2
    for command in ("explain", "softmax"), ("families", "normal"):
        refused = run(*command, "--plot", "s.png")
        assert refused.code == 2 and "a figure is an SVG file" in refused.err
    assert not (tmp_path / "s.png").exists()


def test_a_terminal_without_unicode(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from neglog.cli import main

    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    assert main(["explain", "minus-log-p"]) == 0
    shown = raw.getvalue().decode("ascii")
    assert "****" in shown and "What ?log p looks like" in shown


@pytest.mark.parametrize("name", names())
def test_the_committed_figure_is_what_the_program_draws(name: str) -> None:
    """Up to a pixel's tenth, which the last digit of a logarithm on another machine may move."""
    number = re.compile(r"-?\d+(?:\.\d+)?")
    style = re.compile("<style>.*?</style>")  # of all figures in common
    committed, drawn = (
        style.sub("", text) for text in ((PICTURES / f"{name}.svg").read_text("utf-8"), standalone(figure(name)))
    )
    assert number.sub("#", committed) == number.sub("#", drawn), "run: make docs"
    pairs = zip(number.findall(committed), number.findall(drawn), strict=True)
    assert all(abs(float(a) - float(b)) < 0.11 for a, b in pairs), "run: make docs"
    ElementTree.fromstring(drawn)


def test_every_figure_belongs_to_a_topic_that_shows_it() -> None:
    assert set(names()) <= set(topics())
    assert {path.stem for path in PICTURES.glob("*.svg")} == set(names())
    for name in names():
        assert f"](../images/explain/{name}.svg)" in topics()[name].text
