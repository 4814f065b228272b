"""Bishop's inverse problem in small: the mixture must win by far, and nobody may beat the truth."""

import json
import math
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("rich")  # the progress

from examples.bishop import data, train  # noqa: E402
from examples.bishop.__main__ import main  # noqa: E402


def test_the_mixture_wins(tmp_path, capsys):
    assert main(["--out", str(tmp_path), "--steps", "300", "--seeds", "1", "--quiet"]) == 0
    assert "mixture of 3" in capsys.readouterr().out
    found = json.loads((tmp_path / "report.json").read_text())
    nll = {name: network["nll"][0] for name, network in found["networks"].items()}
    assert found["truth"]["nll"] < nll["mixture of 3"] < nll["one Gaussian"] - 0.5
    # a mean between the branches answers nothing
    apart = {name: network["apart"][0] for name, network in found["networks"].items()}
    assert apart["mixture of 3"] < 0.1 < apart["least squares"]
    page = (tmp_path / "report.html").read_text()
    ET.fromstring(page.removeprefix("<!DOCTYPE html>"))
    assert len(re.findall("<figure>", page)) == 6
    for name in ("least_squares", "one_gaussian", "mixture"):
        ET.fromstring((tmp_path / f"{name}.svg").read_text())


def test_the_truth_is_a_density():
    # of a pair: 1 / 0.2 where it is possible; so that of t is length / 0.2
    t = torch.linspace(-0.0995, 1.0995, 1200, dtype=torch.float64)[:, None]
    length = data.true_nll(t).exp()
    assert (length.sum() * 1e-3 / (2 * data.NOISE)).item() == pytest.approx(1, abs=1e-3)


def test_the_truth_against_simulation():
    part = data.draw(400_000, seed=5)
    inside = (part.t - 0.65).abs() < 0.01
    x = np.sort(part.x[inside].numpy())
    lengths = data.true_nll(torch.tensor([[0.65]])).exp().item()
    # of the values that are possible a histogram of narrow bins is full, of the others it is empty
    full = np.histogram(x, np.linspace(0, 1, 201))[0] > len(x) / 400
    assert full.mean() == pytest.approx(lengths, abs=0.02)


def test_one_component_is_a_gaussian():
    torch.manual_seed(0)
    part = data.draw(50, seed=3)
    network = train.Mixture(1, part)
    mixture = network(part.t)
    expected = -torch.distributions.Normal(mixture.loc[:, 0], mixture.scale[:, 0]).log_prob(part.x)
    assert torch.allclose(network.nll(part.t, part.x)[:, None], expected, atol=1e-6)
    assert torch.allclose(network.loss(part.t, part.x), expected.mean(), atol=1e-6)


def test_a_far_target_keeps_its_loss():
    # the sum in linear space underflows here, and its gradient is NaN
    network = train.Mixture(3, data.draw(50, seed=3))
    loss = network.loss(torch.tensor([[0.5]]), torch.tensor([[60.0]]))
    loss.backward()
    assert math.isfinite(loss.item()) and loss.item() > 1000
    assert all(torch.isfinite(p.grad).all() for p in network.parameters())
