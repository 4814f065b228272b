"""The row kernel: values against mpmath, every input kind, dtype, layout and both shapes of the loop."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.evaluation import oracle

from neglog import _native

KINDS = ("probs", "logits", "logprobs")
# lanes run across rows up to 48 classes and along the classes beyond; 2048 classes are in cache at a time
CLASSES = (1, 2, 3, 8, 10, 48, 49, 64, 100, 2048, 2049, 5000)
SCORED, IGNORED, BAD_WEIGHT, BAD_LABEL, NAN, OUTSIDE, SUM_OFF, UNDEFINED = range(8)


def native(kind, p, label, weight=None, status=None, tolerance=1e-3):
    n = len(label)
    status = np.zeros(n, np.int8) if status is None else status
    out = {"nll": np.full(n, -1.0), "brier": np.full(n, -1.0), "confidence": np.full(n, -1.0)}
    top, columns = np.full(n, -1, np.int32), _native.ExactSums(p.shape[1])
    label = np.asarray(label, np.int32)
    out["sum_off"] = _native.score_rows(
        p,
        KINDS.index(kind),
        label,
        weight,
        tolerance,
        status,
        out["nll"],
        out["brier"],
        out["confidence"],
        top,
        columns,
    )
    return {
        **out,
        "top": top,
        "status": status,
        "columns": np.array([n / 2**e for n, e in columns.fractions()]),
    }


def sample(kind, rows, classes, seed=0, spread=3.0):
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((rows, classes)) * spread
    if kind == "logits":
        return z
    p = oracle.softmax(z)
    return (
        p
        if kind == "probs"
        else z - z.max(1, keepdims=True) - np.log(np.exp(z - z.max(1, keepdims=True)).sum(1))[:, None]
    )


@pytest.mark.parametrize("classes", CLASSES)
@pytest.mark.parametrize("kind", KINDS)
def test_values_are_those_of_mpmath(kind, classes):
    rows = 1 if classes > 1000 else 19  # no multiple of any number of lanes
    p = sample(kind, rows, classes)
    label = np.random.default_rng(1).integers(0, classes, rows)
    got = native(kind, p, label)
    for i in range(rows):
        want = oracle.row(kind, p[i], label[i])
        assert got["top"][i] == want["top"]
        assert oracle.relative(got["nll"][i], want["nll"]) <= 1e-14
        assert oracle.relative(got["brier"][i], want["brier"]) <= 2e-14
        assert oracle.relative(got["confidence"][i], want["confidence"]) <= 1e-14
    assert not got["status"].any()


@pytest.mark.parametrize("classes", (3, 60))
@pytest.mark.parametrize("dtype", (np.float16, np.float32, np.float64))
@pytest.mark.parametrize("kind", KINDS)
def test_narrow_dtypes_are_widened_exactly(kind, dtype, classes):
    p = sample(kind, 21, classes).astype(dtype)
    label = np.arange(21) % classes
    narrow, wide = (
        native(kind, p, label, tolerance=0.1),
        native(kind, p.astype(np.float64), label, tolerance=0.1),
    )
    for name in ("nll", "brier", "confidence", "top", "columns"):
        np.testing.assert_array_equal(narrow[name], wide[name])


@pytest.mark.parametrize("classes", (5, 70))
@pytest.mark.parametrize("kind", KINDS)
def test_any_strides(kind, classes):
    p = sample(kind, 33, classes)
    label = np.arange(33) % classes
    want = native(kind, p, label)
    padded = np.full((66, classes * 3), np.nan)
    padded[::2, ::3] = p
    for same in (np.asfortranarray(p), padded[::2, ::3], p[::-1].copy()[::-1], p[:, ::-1].copy()[:, ::-1]):
        got = native(kind, same, label)
        for name in ("nll", "brier", "confidence", "top", "columns"):
            np.testing.assert_array_equal(got[name], want[name])


@pytest.mark.parametrize("classes", (5, 70, 3000))
@pytest.mark.parametrize("kind", KINDS)
def test_a_rows_numbers_do_not_depend_on_its_place(kind, classes):
    p = np.repeat(sample(kind, 1, classes), 23, axis=0)
    got = native(kind, p, np.full(23, 2))
    for name in ("nll", "brier", "confidence"):
        assert len(set(got[name].tolist())) == 1


@pytest.mark.parametrize("classes", (2, 10, 49, 3000))
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weighted", (False, True))
def test_column_sums(kind, classes, weighted):
    rows = 40
    p = sample(kind, rows, classes, spread=8.0)
    weight = np.random.default_rng(4).uniform(0, 3, rows) if weighted else None
    got = native(kind, p, np.zeros(rows), weight)["columns"]
    probabilities = {"probs": lambda: p, "logits": lambda: oracle.softmax(p), "logprobs": lambda: np.exp(p)}[kind]()
    want = (probabilities * (1 if weight is None else weight[:, None])).sum(0)
    np.testing.assert_allclose(got, want, rtol=1e-13, atol=1e-18)


@pytest.mark.parametrize("classes", (3, 60))
def test_confident_correct_rows_keep_their_loss(classes):
    # -log p at a margin of 40, from mpmath: (classes - 1) exp(-40) to first order
    z = np.zeros((1, classes))
    z[0, 1] = 40.0
    got = native("logits", z, [1])
    want = oracle.row("logits", z[0], 1)
    assert 0 < want["nll"] < 1e-15 and oracle.relative(got["nll"][0], want["nll"]) < 1e-14
    assert oracle.relative(got["brier"][0], (classes - 1) * np.exp(-80.0) * (1 + (classes - 1))) < 1e-13


@pytest.mark.parametrize("classes", (2, 60))
@pytest.mark.parametrize("kind", KINDS)
def test_impossible_labels_cost_infinity(kind, classes):
    lowest = 0.0 if kind == "probs" else -np.inf
    p = np.full((1, classes), lowest)
    p[0, 0] = 1.0 if kind == "probs" else 0.0
    got = native(kind, p, [1])
    assert got["nll"][0] == np.inf and got["brier"][0] == 2.0 and got["status"][0] == SCORED
    certain = native(kind, p, [0])
    assert certain["nll"][0] == 0.0 and not np.signbit(certain["nll"][0]) and certain["brier"][0] == 0.0


@pytest.mark.parametrize("classes", (4, 60))
@pytest.mark.parametrize("scale", (1e30, 1e300, 1.7e308))
def test_huge_logits(classes, scale):
    z = np.zeros((2, classes))
    z[:, 2] = -scale
    got = native("logits", z, [2, 0])
    assert oracle.relative(got["nll"][0], scale) < 1e-15
    assert oracle.relative(got["nll"][1], np.log(classes - 1)) < 1e-15


@pytest.mark.parametrize("classes", (3, 60, 2500))
def test_ties_go_to_the_first_maximum(classes):
    p = np.full((3, classes), 1 / classes)
    got = native("probs", p, [0, 1, classes - 1])
    assert got["top"].tolist() == [0, 0, 0]
    z = np.zeros((2, classes))
    z[:, 1] = z[:, classes - 1] = 1.0
    assert native("logits", z, [classes - 1, 1])["top"].tolist() == [1, 1]


@pytest.mark.parametrize("classes", (3, 60, 2500))
@pytest.mark.parametrize("at", (0, 1, -1))
@pytest.mark.parametrize(
    "kind, value, reason",
    [
        ("probs", np.nan, NAN),
        ("logits", np.nan, NAN),
        ("logprobs", np.nan, NAN),
        ("probs", 1.5, OUTSIDE),
        ("probs", -1e-9, OUTSIDE),
        ("probs", np.inf, OUTSIDE),
        ("probs", -np.inf, OUTSIDE),
        ("logprobs", 1e-9, OUTSIDE),
        ("logprobs", np.inf, OUTSIDE),
        ("logits", np.inf, UNDEFINED),
        ("probs", 0.9, SUM_OFF),
        ("logprobs", -0.1, SUM_OFF),
    ],
)
def test_bad_values_anywhere_in_the_row(kind, value, reason, at, classes):
    p = np.repeat(sample(kind, 1, classes, spread=0.1), 3, axis=0)
    p[1, at] = value
    for label in (0, 1, classes - 1):
        got = native(kind, p, [label] * 3)
        assert got["status"].tolist() == [SCORED, reason, SCORED]
        good = native(kind, p[[0, 2]], [label] * 2)
        np.testing.assert_array_equal(got["columns"], good["columns"])


@pytest.mark.parametrize("classes", (3, 60))
def test_rows_without_any_mass(classes):
    assert native("logits", np.full((1, classes), -np.inf), [0])["status"].tolist() == [UNDEFINED]
    assert native("logprobs", np.full((1, classes), -np.inf), [0])["status"].tolist() == [SUM_OFF]
    assert native("probs", np.zeros((1, classes)), [0])["status"].tolist() == [SUM_OFF]


def test_the_first_reason_wins():
    assert native("probs", np.array([[1.5, np.nan, 0.0]]), [0])["status"].tolist() == [NAN]
    assert native("probs", np.array([[1.5, 0.0, 0.0]]), [1])["status"].tolist() == [OUTSIDE]


@pytest.mark.parametrize("classes", (3, 60))
def test_rows_with_a_status_are_not_read(classes):
    p = sample("probs", 5, classes)
    p[1] = np.nan
    label = np.array([0, 2**31 - 1, 1, 2, 0])
    status = np.array([0, 1, 0, 3, 0], np.int8)
    got = native("probs", p, label, status=status)
    assert got["status"].tolist() == [0, 1, 0, 3, 0]
    assert got["nll"][1] == got["nll"][3] == -1.0
    np.testing.assert_allclose(got["columns"].sum(), 3.0)


def test_sum_tolerance_and_largest_deviation():
    p = np.array([[0.5, 0.5], [0.5, 0.5009], [0.6, 0.4]])
    got = native("probs", p, [0, 0, 0])
    assert got["status"].tolist() == [0, 0, 0] and abs(got["sum_off"] - 0.0009) < 1e-15
    assert native("probs", p, [0, 0, 0], tolerance=0.0005)["status"].tolist() == [0, SUM_OFF, 0]


@pytest.mark.parametrize("isa", [isa for isa in _native.available_isas() if isa != _native.isa()])
def test_the_other_instruction_sets(isa, on_isa):
    here = Path(__file__)
    files = [str(here), str(here.with_name("test_accumulate.py"))]
    on_isa(isa, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "not instruction_sets and not 5000", *files)
