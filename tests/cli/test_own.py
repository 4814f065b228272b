"""A likelihood of one's own on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neglog as nl

pytest.importorskip("torch")
pytest.importorskip("pyarrow")

SOURCE = """
import math, torch, neglog as nl

def curve(y, a, b, sigma, x):
    return 0.5 * ((y - a * torch.exp(-b * x)) / sigma) ** 2 + torch.log(sigma) + 0.5 * math.log(2 * math.pi)

decay = nl.Custom(curve, {"a": nl.real, "b": nl.positive, "sigma": nl.positive}, name="decay",
                  mean=lambda a, b, sigma, x: a * torch.exp(-b * x))
broken = nl.Custom(lambda y, mu: y.nonsense(), {"mu": nl.real}, name="broken")
total = nl.Custom(lambda y, mu: ((y - mu) ** 2).sum(), {"mu": nl.real}, name="total")
number = 3
"""


@pytest.fixture
def files(tmp_path: Path) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(8)
    x = np.linspace(0, 4, 40)
    y = 3 * np.exp(-0.7 * x) + 0.05 * rng.normal(size=40)
    (tmp_path / "mine.py").write_text(SOURCE)
    rows = [f"{u},{v},{v}" for u, v in zip(y, x, strict=True)]
    (tmp_path / "a.csv").write_text("\n".join(["volume,x,hours", *rows]) + "\n")
    (tmp_path / "b.csv").write_text((tmp_path / "a.csv").read_text().replace("volume,x,", "volume,z,"))
    return {"x": x, "y": y}


def test_fit_save_and_predict(run: Any, files: dict[str, np.ndarray], tmp_path: Path) -> None:
    done = run("fit", "--family", "mine.py:decay", "a.csv", "--y", "volume", "--format", "json", "--save", "m.json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    module = nl.Custom.from_file(str(tmp_path / "mine.py"), "decay")
    here = nl.fit(module, files["y"], data={"x": files["x"]})
    assert {row["name"]: row["estimate"] for row in found["estimates"]} == pytest.approx(here.params, rel=1e-12)
    assert run("fit", "mine.py:decay", "a.csv", "--y", "volume", "--format", "json").out == done.out
    other = run("fit", "mine.py:decay", "b.csv", "--y", "volume", "--data", "x=hours", "--format", "json")
    assert json.loads(other.out)["loglik"] == found["loglik"]
    asked = run("predict", "m.json", "a.csv")
    assert asked.code == 2
    assert asked.err == (
        "neglog: load: the likelihood 'decay' is the user's own (mine.py:decay), which is not saved: give --family "
        "file.py:name\n"
    )
    rows = run("predict", "m.json", "b.csv", "--family", "mine.py:decay", "--data", "x=hours").out.splitlines()
    np.testing.assert_allclose([float(row) for row in rows[1:]], here.predict(), rtol=1e-12)


def test_the_report(run: Any, files: dict[str, np.ndarray], tmp_path: Path) -> None:
    done = run("fit", "mine.py:decay", "a.csv", "--y", "volume", "--report", "out.html", "--start", "a=2,b=1,sigma=0.1")
    assert done.code == 0, done.err
    assert "VERIFIED" in done.out
    assert "decay" in (tmp_path / "out.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("absent.py:f", "a.csv", "--y", "volume"), 2, "absent.py: there is no such file"),
        (("mine.py:absent", "a.csv", "--y", "volume"), 2, "mine.py: it defines no absent; a likelihood is"),
        (("mine.py:number", "a.csv", "--y", "volume"), 2, "mine.py: number is a int; a likelihood is"),
        (("mine.py:broken", "a.csv", "--y", "volume"), 2, "broken: <lambda> failed with AttributeError"),
        (("mine.py:total", "a.csv", "--y", "volume"), 2, "leave out .sum() or .mean()"),
        (("mine.py:decay", "b.csv", "--y", "volume"), 3, "no column 'x', which decay reads; where it has another"),
        (("mine.py", "a.csv", "--y", "volume"), 2, "a likelihood of your own is mine.py:NAME"),
        (("mine.py:decay", "a.csv", "--y", "volume", "--data", "t=hours"), 2, "--data t=hours: decay reads x"),
        (("mine.py:decay", "a.csv", "--y", "volume", "--data", "x"), 2, "--data 'x' must read name=column"),
        (("mine.py:decay", "a.csv", "--y", "volume", "--start", "a=one"), 2, "--start 'a=one' must read name=number"),
        (("mine.py:decay", "a.csv", "--y", "volume", "--start", "b=-1"), 2, "b = -1 is outside its domain (0, inf)"),
    ],
)
def test_what_is_wrong_is_one_line(run: Any, files: Any, arguments: tuple[str, ...], code: int, message: str) -> None:
    done = run("fit", *arguments)
    assert done.code == code, done.err
    assert message in done.err
    assert done.err.count("\n") == 1
    assert done.out == ""


def test_a_file_that_does_not_run(run: Any, files: Any, tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("import nothing_of_that_name\n")
    done = run("fit", "bad.py:f", "a.csv", "--y", "volume")
    assert done.code == 2
    assert done.err == "neglog: bad.py: ModuleNotFoundError: No module named 'nothing_of_that_name'\n"


def test_a_likelihood_without_a_maximum_exits_with_4(run: Any, files: Any, tmp_path: Path) -> None:
    (tmp_path / "flat.py").write_text(
        "import neglog as nl\nf = nl.Custom(lambda y, a, b: (y - a - b) ** 2, {'a': nl.real, 'b': nl.real}, name='f')\n"
    )
    done = run("fit", "flat.py:f", "a.csv", "--y", "volume")
    assert done.code == 4
    assert "flat" in done.err
