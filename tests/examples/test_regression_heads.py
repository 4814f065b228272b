"""The comparison in small: two of the tables, those of packages that the tests have anyway."""

import json
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("rich")  # the progress
pytest.importorskip("sklearn")
pytest.importorskip("statsmodels")

from examples.regression_heads import data, train  # noqa: E402
from examples.regression_heads.__main__ import main  # noqa: E402
from examples.regression_heads.report import stderr  # noqa: E402


def test_the_page(tmp_path, capsys):
    arguments = ["--tables", "engel,diabetes", "--splits", "3", "--steps", "60", "--out", str(tmp_path), "--quiet"]
    assert main(arguments) == 0
    assert "faithful" in capsys.readouterr().out
    found = json.loads((tmp_path / "report.json").read_text())["tables"]
    assert list(found) == ["diabetes", "engel"]
    for table in found.values():
        assert [len(head["nll"]) for head in table["heads"].values()] == [3] * len(train.HEADS)
        assert np.isfinite([head[key] for head in table["heads"].values() for key in ("nll", "rmse")]).all()
    # better than the best normal distribution that looks at no column
    y = data.engel().y
    blind = 0.5 * np.log(2 * np.pi * np.e * y.var())
    assert np.mean(found["engel"]["heads"]["Gaussian NLL"]["nll"]) < blind - 0.5
    page = (tmp_path / "report.html").read_text()
    ET.fromstring(page.removeprefix("<!DOCTYPE html>"))
    assert len(re.findall("<figure>", page)) == 5
    for name in ("density", "engels_food_nll", "engels_food_rmse", "diabetes_nll", "diabetes_rmse"):
        ET.fromstring((tmp_path / f"{name}.svg").read_text())


def test_unknown_tables_are_named(capsys):
    with pytest.raises(SystemExit):
        main(["--tables", "engel,boston"])
    assert "allowed: engel, then any of" in capsys.readouterr().err


@pytest.fixture(scope="module")
def splits():
    return data.split(data.engel(), 4, seed=1)


def test_splits_share_no_row_and_scale_by_training_rows(splits):
    parts = (splits.train, splits.validation, splits.test)
    assert [part.y.shape for part in parts] == [(4, 189), (4, 23), (4, 23)]
    assert torch.allclose(splits.train.y.mean(1), torch.zeros(4), atol=1e-5)
    assert torch.allclose(splits.train.y.std(1, unbiased=False), torch.ones(4), atol=1e-5)
    for s in range(4):
        y = torch.cat([part.y[s].double() for part in parts]) * splits.unit[s] + splits.origin[s]
        assert np.allclose(np.sort(y.numpy()), np.sort(splits.table.y), rtol=1e-5)


def test_the_faithful_mean_is_that_of_least_squares(splits):
    heads = {head.name: head for head in train.HEADS}
    means = {}
    for name in ("least squares", "faithful"):
        torch.manual_seed(0)
        networks = train.Networks(heads[name], 4, 1)
        optimizer = torch.optim.Adam(networks.state.values(), lr=5e-3)
        for _ in range(30):
            optimizer.zero_grad()
            heads[name].loss(*networks(splits.train.x), splits.train.y).backward()
            optimizer.step()
        means[name] = networks(splits.test.x)[0].detach()
    # the same gradient up to the order in which a product of matrices adds
    assert torch.allclose(means["least squares"], means["faithful"], atol=1e-5)


def test_scores_are_in_the_unit_of_the_table(splits):
    """A target in other units: the NLL moves by the logarithm of the unit, the RMSE by the unit."""
    table = splits.table
    other = data.split(data.Table("", "", "", table.x, 1000 * table.y), 4, seed=1)
    head = train.HEADS[1]
    (one, _), (two, _) = train.train(head, splits, 20, 0), train.train(head, other, 20, 0)
    assert torch.allclose(two.nll - one.nll, torch.log(torch.tensor(1000.0, dtype=torch.float64)), atol=1e-4)
    assert torch.allclose(two.rmse, 1000 * one.rmse, rtol=1e-4)


def test_standard_error_is_larger_than_of_independent_splits(splits):
    difference = torch.tensor([0.1, -0.2, 0.3, 0.0], dtype=torch.float64)
    naive = difference.std().item() / 2
    assert stderr(difference, splits) == pytest.approx(naive * (1 + 4 * 23 / 189) ** 0.5)
