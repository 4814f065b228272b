"""The machines in small: the page is whole, its likelihoods are exact, its words are as sure as its errors."""

import json
import math
import re
import xml.etree.ElementTree as ET
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("sklearn")
pytest.importorskip("torch")  # examples.fashion_mnist, whose files it reads
pytest.importorskip("rich")  # the progress

from examples.rbm import data
from examples.rbm.__main__ import main
from examples.rbm.report import PAIRS, difference, reading
from examples.rbm.train import FALLING, METHODS


def test_the_whole_run(tmp_path, capsys):
    small = "--seeds 2 --epochs 60 --hidden 8 --large-hidden 24 --large-epochs 3 --temperatures 300 --images 400"
    small += " --clothes-epochs 20"
    assert main([*small.split(), "--out", str(tmp_path), "--quiet"]) == 0
    assert "PCD" in capsys.readouterr().out
    found = json.loads((tmp_path / "report.json").read_text())
    assert list(found["runs"]) == list(METHODS)
    base = 64 * math.log(2)
    for name, runs in found["runs"].items():
        assert len(runs) == 2 and all(run["test"] < 0.65 * base for run in runs), name
    if data.fashion() is not None:
        assert list(found["clothes"]) == list(FALLING)
        assert all(run["test"] < 0.65 * 196 * math.log(2) for runs in found["clothes"].values() for run in runs)
    for row in found["annealing"]:
        assert row["low"] < row["exact"] < row["high"]
    large = found["large"]
    assert large["hidden"] == 24 and large["test"] < large["test"] + large["test_stderr"] < 784 * math.log(2)
    page = (tmp_path / "report.html").read_text()
    ET.fromstring(page.removeprefix("<!DOCTYPE html>"))
    assert len(re.findall("<figure>", page)) == 4
    for name in ("learning", "filters", "samples", "large"):
        ET.fromstring((tmp_path / f"{name}.svg").read_text())


def test_persistent_chains_beat_one_step():
    # the shape that the full run shows with ten seeds, where it is largest: long training
    split = data.digits(0)
    test = {name: METHODS[name](split, 12, 300, 0, lambda _: None).test for name in ("CD-1", "PCD")}
    assert test["PCD"] < test["CD-1"]


@pytest.mark.skipif(data.fashion() is None, reason="Fashion-MNIST is not installed")
def test_the_order_of_the_literature_where_chains_mix_slowly():
    # by so much that one seed and 2,000 pictures will do
    split = data.clothes(0, 2000)
    assert split.train.shape == (1500, 196) and split.side == 14 and set(np.unique(split.train)) == {0, 1}
    one, ten, persistent = (METHODS[name](split, 16, 60, 0, lambda _: None).test for name in FALLING)
    assert persistent + 1 < ten < one - 5


def test_the_digits():
    split, other = data.digits(0), data.digits(1)
    assert split.train.shape == (1198, 64) and split.test.shape == (599, 64) and split.side == 8
    assert set(np.unique(split.train)) == {0, 1}
    assert (split.train != other.train).any()
    rows = np.concatenate([split.train, split.test])
    assert rows.sum() == np.concatenate([other.train, other.test]).sum()


def results(**tests):
    return {name: [SimpleNamespace(test=value) for value in values] for name, values in tests.items()}


def test_words_are_as_sure_as_errors():
    names = {name for pair in PAIRS for name in pair}
    found = results(**dict.fromkeys(names, (1.0, 2.0, 3.0))) | results(**{"CD-1": (2.0, 3.1, 4.0)})
    gap, error = difference(found, "CD-1", "PCD")
    assert gap == pytest.approx(1.1 / 1.0 * 31 / 33) and error == pytest.approx(np.std([1, 1.1, 1], ddof=1) / 3**0.5)
    words = reading(found, PAIRS)
    assert "CD-1 is worse than PCD by 1.033 ± 0.033 nats" in words
    assert "CD-10 and PCD are not told apart" in words
