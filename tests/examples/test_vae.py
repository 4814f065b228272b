"""The autoencoder in small: it learns, the bounds are in order, and every file is written."""

import json
import xml.etree.ElementTree as ET

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from examples.fashion_mnist import data  # noqa: E402
from examples.vae import train  # noqa: E402
from examples.vae.__main__ import main  # noqa: E402
from tests.examples.test_fashion_mnist import write_idx  # noqa: E402

import neglog.torch as nlt  # noqa: E402


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """The real images, or bright squares whose place and size are two numbers."""
    if data.folder() is not None:
        return data.folder()
    path, rng = tmp_path_factory.mktemp("squares"), np.random.default_rng(0)
    for name in ("train", "t10k"):
        x = np.zeros((600, 28, 28))
        place, size = rng.integers(0, 14, 600), rng.integers(4, 14, 600)
        for image, at, side in zip(x, place, size, strict=True):
            image[at : at + side, 5 : 5 + side] = 200
        write_idx(path / f"{name}-images-idx3-ubyte.gz", x)
        write_idx(path / f"{name}-labels-idx1-ubyte.gz", size % 10)
    return path


def test_it_learns_and_says_what_was_published(folder, tmp_path, capsys):
    sizes = ["--images", "600", "--epochs", "2", "--samples", "20"]
    assert main(["--data", str(folder), "--out", str(tmp_path), *sizes, "--quiet"]) == 0
    said = capsys.readouterr().out
    assert "197.80" in said and "174.58" in said and "MNIST, published" in said
    found = json.loads((tmp_path / "report.json").read_text())
    for run in found["runs"].values():
        assert run["train"][1] < run["train"][0]
        bounds = [run["bounds"][k][0] for k in ("1", "10", "20")]
        assert bounds == sorted(bounds, reverse=True)
        assert bounds[0] == pytest.approx(run["test"][-1], rel=0.05)
    for name in ("loss", "samples", "plane", "codes"):
        ET.fromstring((tmp_path / f"{name}.svg").read_text())


def test_the_loss_is_the_tutorials():
    """Sum of the pixels' cross-entropies, and -1/2 sum(1 + log var - mu^2 - var), written out."""
    torch.manual_seed(0)
    model, x = train.Autoencoder(784), torch.rand(5, 784)
    generator = torch.Generator().manual_seed(1)
    loss = train.bound(model, x, False, generator)
    mu, log_var = model.posterior(x)
    z = nlt.gaussian_draws(mu, log_var, generator=torch.Generator().manual_seed(1))[0]
    bce = torch.nn.functional.binary_cross_entropy(torch.sigmoid(model.decoder(z)), x, reduction="none").sum(1)
    kl = -0.5 * (1 + log_var - mu**2 - log_var.exp()).sum(1)
    torch.testing.assert_close(loss, (bce + kl).mean())


def test_without_the_images_it_says_how_to_get_them(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(data, "FOLDERS", (tmp_path,))
    assert main(["--out", str(tmp_path / "out")]) == 3
    assert "make vae" in capsys.readouterr().err
