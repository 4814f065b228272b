"""The study in small: all losses for a few steps, on images that are easy to tell apart."""

import gzip
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("rich")  # the progress

from examples.fashion_mnist.data import Part  # noqa: E402
from examples.label_noise import claims, data, losses, report, study, summary, train  # noqa: E402
from examples.label_noise.__main__ import main  # noqa: E402
from scipy import stats  # noqa: E402

DOCUMENT = Path(__file__).parents[2] / "docs" / "label_noise.md"
NOISES = {noise.name: noise for noise in data.NOISES}
LOSSES = {loss.name: loss for loss in losses.LOSSES}


def write_idx(path, array):
    head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    path.write_bytes(gzip.compress(head + array.astype(np.uint8).tobytes()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Noise with a bright patch where the class says."""
    path, rng = tmp_path_factory.mktemp("images"), np.random.default_rng(0)
    for name, count in (("train", 500), ("t10k", 200)):
        y = rng.integers(0, 10, count)
        x = rng.integers(0, 200, (count, 28, 28))
        x[np.arange(count), 2 * y, :14] = 255
        write_idx(path / f"{name}-images-idx3-ubyte.gz", x)
        write_idx(path / f"{name}-labels-idx1-ubyte.gz", y)
    return path


def test_the_study(folder, tmp_path, capsys):
    document = tmp_path / "label_noise.md"
    document.write_text(DOCUMENT.read_text())
    (tmp_path / "images").mkdir()
    out = tmp_path / "out"
    size = ["--images", "300", "--epochs", "3", "--repetitions", "2", "--noises", "none", "40 %", "40 % pairs"]
    arguments = ["--data", str(folder), "--out", str(out), "--document", str(document), "--workers", "1", "--quiet"]
    assert main([*arguments, *size]) == 0
    assert "Accuracy above cross-entropy" in capsys.readouterr().out
    found = json.loads((out / "report.json").read_text())
    records = {(r["loss"], r["noise"], r["seed"]): r for r in found["records"]}
    assert len(records) == len(LOSSES) * 3 * 2
    # paired: without noise these are cross-entropy, with it those two are one loss, and rounding is what remains
    for one, other, noise in (
        ("mislabel, true rate", "cross-entropy", "none"),
        ("forward correction", "cross-entropy", "none"),
        ("mislabel, true rate", "forward correction", "40 %"),
    ):
        for seed in range(2):
            a, b = (records[loss, noise, seed]["final"]["nll"] for loss in (one, other))
            assert a == pytest.approx(b, rel=1e-3)
    assert records["cross-entropy", "none", 0]["final"]["nll"] < np.log(10)
    assert records["cross-entropy", "none", 0]["final"]["memorised"] is None
    assert 0 <= records["cross-entropy", "40 %", 0]["final"]["memorised"] < 0.5
    page = (out / "report.html").read_text()
    ET.fromstring(page.removeprefix("<!DOCTYPE html>"))
    assert len(re.findall("<figure>", page)) == 2 + 3
    ET.fromstring((out / "label_noise.svg").read_text())
    text = document.read_text()
    for section in re.findall(r"<!-- ([\w ]+): written by make study -->", text):
        body = re.search(f"<!-- {section}: written by make study -->(.*?)<!-- end of {section} -->", text, re.S)
        assert body and len(body[1].strip()) > 100
    assert (tmp_path / "images" / "label_noise.svg").exists()


def test_an_interrupted_study_goes_on(folder, tmp_path):
    """The last record was cut; two processes make what is missing, and the numbers of one process."""
    settings = train.Settings(images=200, epochs=2)
    wanted = study.jobs(["cross-entropy", "NLLR, epsilon"], ["40 %"], 2)
    store = study.Store(tmp_path / "runs.jsonl")

    def run(workers):
        return study.study(wanted, settings, folder, store, workers, lambda share, images: None)

    whole = run(1)
    text = store.path.read_text()
    kept = text.splitlines()[:2]
    store.path.write_text("\n".join(kept) + "\n" + text.splitlines()[2][:40])
    again = run(2)
    assert list(again) == list(whole) == wanted
    for job in wanted:
        for when in ("final", "best"):
            one, other = ({k: v for k, v in run[job][when].items() if v is not None} for run in (again, whole))
            assert one == pytest.approx(other, rel=1e-4)
    assert [again[job]["seconds"] for job in wanted[:2]] == [json.loads(line)["seconds"] for line in kept]
    assert run(1) == again  # nothing left to do
    assert not store.find(wanted, train.Settings(images=201, epochs=2))


@pytest.mark.parametrize("noise", data.NOISES, ids=lambda noise: noise.name)
def test_labels_are_wrong_as_often_as_they_are_said_to_be(noise):
    true = torch.arange(10).repeat(5000)
    observed = data.observe(true, noise, torch.Generator().manual_seed(0))
    counts = np.zeros((10, 10))
    np.add.at(counts, (true.numpy(), observed.numpy()), 1)
    expected = noise.transition.numpy()
    assert expected.sum(1) == pytest.approx(np.ones(10))
    assert np.diag(expected) == pytest.approx(np.full(10, 1 - noise.rate))
    assert not counts[expected == 0].any()
    assert abs(counts / 5000 - expected).max() < 5 * 0.5 / np.sqrt(5000)  # five standard deviations
    if not noise.pairs:
        c = noise.replaced
        assert expected == pytest.approx((1 - c) * np.eye(10) + c / 10)


def test_a_repetition_is_the_same_for_every_noise_but_for_its_labels():
    generator = torch.Generator().manual_seed(0)
    part = Part(torch.rand(100, 4, generator=generator), torch.randint(0, 10, (100,), generator=generator))
    none, half, other = (
        data.draw(part, part, NOISES[noise], 80, seed) for noise, seed in (("none", 1), ("60 %", 1), ("60 %", 2))
    )
    assert torch.equal(none.train.x, half.train.x) and torch.equal(none.train.true, half.train.true)
    assert torch.equal(none.train.true, none.train.observed) and not torch.equal(half.train.true, half.train.observed)
    assert not torch.equal(half.train.x, other.train.x)
    assert len(half.train.true) == 80 and len(half.validation.true) == 20
    rows = torch.cat([half.train.x, half.validation.x])
    assert torch.equal(rows.sort(0)[0], part.x.sort(0)[0])  # no image twice
    with pytest.raises(ValueError, match="there are 100"):
        data.draw(part, part, NOISES["none"], 90, 1)


@pytest.mark.parametrize("noise", ["20 %", "40 % pairs"])
@pytest.mark.parametrize("loss", [loss for loss in losses.LOSSES if loss.posterior != "unknown"], ids=lambda x: x.name)
def test_what_a_loss_says_of_the_labels_makes_its_expectation_stationary(loss, noise):
    """For any logits: with labels from ``observed``, the gradients of the classes cancel."""
    z = torch.tensor([[0.4, -0.3, 0.1, -1.0, 0.2, 0.0, -0.2, 0.5, -0.6, 0.3]], dtype=torch.float64)
    log_eta = loss.observed(z.numpy(), NOISES[noise])[0]
    assert np.exp(log_eta).sum() == pytest.approx(1.0)
    criterion = loss.criterion(NOISES[noise], share=1.0)
    slopes = []
    for k in range(10):
        logits = z.clone().requires_grad_()
        criterion(logits, torch.tensor([k])).backward()
        slopes.append(logits.grad[0].numpy())
    assert np.exp(log_eta) @ np.array(slopes) == pytest.approx(np.zeros(10), abs=1e-9)


def test_the_first_half_of_the_truncated_loss_is_not_truncated():
    loss, noise = LOSSES["truncated GCE"], NOISES["40 %"]
    z = torch.tensor([[0.0, 3.0]])  # below the truncation
    early, late = (loss.criterion(noise, share)(z, torch.tensor([0])).item() for share in (0.4, 0.5))
    p = 1 / (1 + np.exp(3.0))
    assert early == pytest.approx((1 - p**0.7) / 0.7, rel=1e-6)
    assert late == pytest.approx((1 - 0.5**0.7) / 0.7, rel=1e-6)


def test_intervals_are_those_of_the_t_test():
    values = np.array([1.0, 2.5, -0.5, 4.0, 0.0])
    found = summary.estimate(values)
    low, high = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    assert (found.mean, found.stderr) == pytest.approx((values.mean(), stats.sem(values)))
    assert (found.low, found.high) == pytest.approx((low, high))
    assert f"{found:.2f}" == "1.40 ± 0.83"
    assert f"{summary.estimate(np.array([-0.25])):.2f}" == "−0.25"
    assert f"{summary.estimate(np.array([np.nan, np.nan])):.2f}" == "–"
    assert f"{summary.estimate(np.array([np.inf, 1.0])):.2f}" == "inf"


@pytest.mark.parametrize(
    ("interval", "expected"),
    [((0.1, 0.5), "yes"), ((-0.5, -0.1), "the opposite"), ((-0.1, 0.5), "not decided"), ((np.nan, np.nan), "–")],
)
def test_verdicts(interval, expected):
    assert claims.verdict(summary.Estimate(0.0, 0.1, *interval)) == expected


@pytest.mark.parametrize("claim", claims.CLAIMS, ids=lambda claim: f"{claim.words}, {claim.noise}")
def test_every_claim_is_about_runs_of_the_study(claim):
    assert {claim.loss, claim.other} <= set(LOSSES) and claim.noise in NOISES


def test_a_claim_says_better_for_what_is_better():
    """Accuracy is better when larger, NLL when smaller."""
    records = {}
    for seed in range(2):
        for loss, accuracy, nll in (("cross-entropy", 0.7 + seed / 100, 0.9), ("focal", 0.8 + seed / 100, 0.6 + seed)):
            scores = {"accuracy": accuracy, "nll": nll}
            records[study.Job(seed, "none", loss)] = {"final": scores, "best": scores}
    results = summary.Results(records, ["cross-entropy", "focal"], ["none"], 2)
    assert claims.Claim("", "none", "focal").measure(results) == pytest.approx((10.0, 0.0, 10.0, 10.0))
    assert claims.Claim("", "none", "focal", score="nll").measure(results).mean == pytest.approx(-0.2)
    assert claims.Claim("", "20 %", "focal").measure(results) is None


def test_a_marker_that_names_nothing_is_an_error():
    text = "<!-- nonsense: written by make study -->\n<!-- end of nonsense -->"
    empty = summary.Results({}, [], ["none"], 0)
    with pytest.raises(ValueError, match=r"nonsense.* names nothing"):
        report.fill(text, empty, train.Settings(1, 1))


def test_errors_of_the_command(monkeypatch, tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["--losses", "focal"])
    assert "compared with cross-entropy" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["--epochs", "0"])
    assert "allowed: 1 and more" in capsys.readouterr().err
    from examples.fashion_mnist import data as fashion_mnist

    monkeypatch.setattr(fashion_mnist, "FOLDERS", (tmp_path,))
    assert main(["--out", str(tmp_path / "out")]) == 3
    assert "make study" in capsys.readouterr().err
