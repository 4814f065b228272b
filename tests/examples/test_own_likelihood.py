"""The example of own likelihoods, in small: each number beside what it must be."""

import json
import xml.etree.ElementTree as ET

import pytest

pytest.importorskip("torch")
pytest.importorskip("rich")

from examples.own_likelihood.__main__ import main
from examples.own_likelihood.study import BETA, SIGMA


def test_numbers_and_files(tmp_path, capsys):
    assert main(["--out", str(tmp_path), "--rows", "400"]) == 0
    assert "half-life" in capsys.readouterr().out
    found = json.loads((tmp_path / "report.json").read_text())
    line, coin, decay = found["least squares"], found["coin"], found["decay"]
    assert line["beta, largest difference from least squares"] < 1e-6
    assert line["gradient, largest difference from the formula"] < 1e-9
    assert line["sigma squared"] == pytest.approx(line["RSS / n"], rel=1e-9)
    assert line["RSS / (n - k)"] == pytest.approx(line["RSS / n"] * 400 / 397, rel=1e-12)
    assert line["standard errors with n - k, largest difference"] < 1e-9
    assert line["sigma squared"] == pytest.approx(SIGMA**2, rel=0.3)
    assert len(BETA) == 3
    assert coin["p"] == pytest.approx(coin["share of heads"], rel=1e-9)
    assert coin["standard error"] == pytest.approx(coin["sqrt(p (1 - p) / n)"], rel=1e-7)
    assert decay["rate, low"] < 0.7 < decay["rate, high"]
    ET.fromstring((tmp_path / "decay.svg").read_text())
    page = (tmp_path / "report.html").read_text()
    assert page.count("<figure>") == 1
