"""The example in small: on a few hundred images, those of the package where it is installed."""

import gzip
import json
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("rich")  # the progress

from examples.fashion_mnist import data, temperature  # noqa: E402
from examples.fashion_mnist.__main__ import main  # noqa: E402


def write_idx(path, array):
    head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    path.write_bytes(gzip.compress(head + array.astype(np.uint8).tobytes()))


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """The real images, or noise with a bright patch where the class says: as easy to learn as it sounds."""
    if data.folder() is not None:
        return data.folder()
    path, rng = tmp_path_factory.mktemp("images"), np.random.default_rng(0)
    for name, count in (("train", 600), ("t10k", 600)):
        y = rng.integers(0, 10, count)
        x = rng.integers(0, 200, (count, 28, 28))
        x[np.arange(count), 2 * y, :14] = 255
        write_idx(path / f"{name}-images-idx3-ubyte.gz", x)
        write_idx(path / f"{name}-labels-idx1-ubyte.gz", y)
    return path


def test_both_losses_train_the_same_network(folder, tmp_path, capsys):
    arguments = ["--data", str(folder), "--out", str(tmp_path), "--images", "600", "--epochs", "3", "--quiet"]
    assert main(arguments) == 0
    assert "trained with" in capsys.readouterr().out
    found = json.loads((tmp_path / "report.json").read_text())
    ours, theirs = found["runs"]["neglog"], found["runs"]["torch"]
    # 15 steps of Adam: what one rounding has grown to, far below what a wrong gradient does
    assert found["training_loss_apart"] < 1e-3
    assert np.allclose(ours["train"], theirs["train"], atol=1e-3)
    assert ours["train"][-1] < ours["train"][0]
    assert ours["test"]["nobs"] == 600
    assert ours["test"]["nll"] == pytest.approx(theirs["test"]["nll"], abs=5e-3)
    assert ours["test_at_temperature"]["accuracy"] == ours["test"]["accuracy"]
    page = (tmp_path / "report.html").read_text()
    ET.fromstring(page.removeprefix("<!DOCTYPE html>"))
    assert len(re.findall("<figure>", page)) == 5
    for name in ("learning_curves", "time"):
        ET.fromstring((tmp_path / f"{name}.svg").read_text())


def test_without_the_images_it_says_how_to_get_them(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(data, "FOLDERS", (tmp_path,))
    assert main(["--out", str(tmp_path / "out")]) == 3
    assert "make fashion" in capsys.readouterr().err


def test_a_cut_file_is_not_read(tmp_path):
    write_idx(tmp_path / "x.gz", np.zeros((3, 4)))
    assert data.read_idx(tmp_path / "x.gz").shape == (3, 4)
    (tmp_path / "x.gz").write_bytes(gzip.compress(gzip.decompress((tmp_path / "x.gz").read_bytes())[:-1]))
    with pytest.raises(ValueError, match=r"shape \(3, 4\)"):
        data.read_idx(tmp_path / "x.gz")


def test_the_temperature_is_the_one_that_made_the_labels():
    generator = torch.Generator().manual_seed(0)
    logits = 4 * torch.randn(20_000, 10, generator=generator)
    labels = torch.multinomial((logits / 1.6).softmax(1), 1, generator=generator)[:, 0]
    assert temperature.fit_temperature(logits, labels) == pytest.approx(1.6, rel=0.02)


@pytest.mark.parametrize("labels", [[0, 1, 2], [1, 2, 0]], ids=["all right: T -> 0", "all wrong: T -> inf"])
def test_no_temperature_where_there_is_none(labels):
    with pytest.raises(ValueError, match="no temperature"):
        temperature.fit_temperature(2 * torch.eye(3), torch.tensor(labels))
