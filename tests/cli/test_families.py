"""``neglog families NAME``: the card, the curves in the terminal, the SVG file."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neglog as nl
from neglog.families import ScalarFamily
from neglog.report.family_figures import figures, typical
from neglog.report.terminal import plot

SCALAR = [name for name in nl.families.names() if isinstance(nl.family(name), ScalarFamily)]


def test_the_card_says_what_the_family_is(run: Any) -> None:
    out = run("families", "generalized_pareto").out
    for words in (
        "-log f(y) = log σ + (1+k) t, t=log(1+k y/σ)/k",
        "generalized_pareto: continuous on [0, inf); covariates act on scale",
        "shape      (-inf, inf)  identity",
        "generalized_pareto: density",
        "generalized_pareto: negative log-likelihood",
    ):
        assert words in out, words


@pytest.mark.parametrize("name", SCALAR)
def test_every_family_is_drawn(run: Any, name: str, tmp_path: Path) -> None:
    outcome = run("families", name, "--plot", "f.svg")
    assert outcome.code == 0
    assert outcome.err == ""
    assert outcome.out.count("│") == 24  # two plots of twelve lines
    svg = ElementTree.parse(tmp_path / "f.svg").getroot()
    words = " ".join("".join(node.itertext()) for node in svg.iter())
    assert f"{name}: negative log-likelihood" in words
    tag = "circle" if nl.family(name).discrete else "polyline"
    assert len(list(svg.iter(f"{{http://www.w3.org/2000/svg}}{tag}"))) >= 2 * len(typical(nl.family(name)))


@pytest.mark.parametrize("name", SCALAR)
def test_what_is_drawn_is_the_family(name: str) -> None:
    family = nl.family(name)
    sets = typical(family)
    density, nll = figures(family, sets)
    for values, upper, lower in zip(sets, density.curves, nll.curves, strict=True):
        y, height = np.array(upper.points).T
        cap = max(b for curve in density.curves for _, b in curve.points)
        np.testing.assert_allclose(height, np.minimum(np.exp(-family.nll(y, *values)), cap), rtol=1e-12)
        y, height = np.array(lower.points).T
        exact = family.nll(y, *values)
        np.testing.assert_allclose(height, np.maximum(exact, -np.log(cap)), rtol=1e-9, atol=1e-9)
        step = y[1] - y[0]  # next to a pole the first point has some probability below it
        assert family.cdf(y.max(), *values) - family.cdf(y.min() - step, *values) > 0.9


def test_at_chooses_the_parameters(run: Any, tmp_path: Path) -> None:
    outcome = run("families", "weibull", "--at", "shape=2,scale=10", "--at", "scale=20,shape=0.5", "--plot", "f.svg")
    assert outcome.code == 0
    assert "at shape = 2, scale = 10" in outcome.out
    svg = (tmp_path / "f.svg").read_text(encoding="utf-8")
    assert "shape = 2, scale = 10" in svg
    assert "shape = 0.5, scale = 20" in svg


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("weibull", "--at", "shape=2"), "the parameters of weibull are shape, scale"),
        (("weibull", "--at", "shape=2,scale=x"), "scale = 'x' is no number"),
        (("weibull", "--at", "shape=-2,scale=1"), "shape = -2 is outside its domain (0, inf)"),
        (("weibull", *["--at", "shape=2,scale=1"] * 4), "--at is given 4 times"),
        (("--plot", "f.svg"), "need the name of a family"),
        (("categorical", "--plot", "f.svg"), "cannot be drawn"),
        (("weibull", "--plot", "nowhere/f.svg"), "there is no directory nowhere"),
    ],
)
def test_what_cannot_be_drawn(run: Any, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    outcome = run("families", *arguments)
    assert outcome.code == 2
    assert message in outcome.err
    assert not (tmp_path / "f.svg").exists()


def test_names_as_python_has_them(run: Any) -> None:
    assert run("families", "GeneralizedPareto").out == run("families", "generalized_pareto").out


def test_a_family_of_vectors_has_a_card_without_curves(run: Any) -> None:
    outcome = run("families", "categorical")
    assert outcome.code == 0
    assert "logits" in outcome.out
    assert "│" not in outcome.out


def test_a_terminal_without_braille() -> None:
    plain = plot(figures(nl.Normal(), [(0.0, 1.0)])[0], braille=False)
    assert plain.isascii()
    assert plain.count("|") == 12
    rows = [line.partition("|")[2] for line in plain.splitlines()[1:13]]
    assert rows[0].strip("* ") == ""
    assert abs(rows[0].index("*") + len(rows[0].rstrip()) - 64) <= 2  # the top is in the middle
    assert rows[-1].startswith("***")


def test_a_terminal_without_greek_letters() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from neglog.cli import main; sys.exit(main())", "families", "normal"],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()
    assert "normal: density" in done.stdout
