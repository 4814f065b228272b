"""What a result says, against exact rational arithmetic, and scikit-learn where it is right."""

from __future__ import annotations

import math
import warnings
from fractions import Fraction
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, brier_score_loss, log_loss
from tests.evaluation import oracle

import neglog as nl


def result(y, p, level=0.95, input="probs", classes=None, **more):
    options = {k: more.pop(k) for k in ("on_bad", "bins", "worst", "sum_tolerance") if k in more}
    return nl.Score.classification(input=input, classes=classes, **options).update(y, p, **more).result(level)


def logprobs_of(losses):
    """Two-class log-probabilities whose losses at label 0 are the ones given, where -log p allows."""
    p = np.array([[-loss, math.log(-math.expm1(-loss)) if loss > 0 else -math.inf] for loss in losses])
    return np.zeros(len(losses), int), p


@pytest.mark.parametrize("weighted", (False, True))
@pytest.mark.parametrize("clustered", (False, True))
def test_standard_errors_are_those_of_exact_arithmetic(weighted, clustered):
    rng = np.random.default_rng(0)
    y, p = logprobs_of(rng.exponential(1, 200))
    w = rng.uniform(0.1, 3, 200) if weighted else np.ones(200)
    cluster = rng.integers(0, 20, 200) if clustered else None
    r = result(y, p, input="logprobs", sample_weight=w if weighted else None, cluster=cluster)
    loss = -p[:, 0]
    assert r.nll == float(oracle.weighted_mean(loss, w)) == r.finite_nll
    assert r.stderr == oracle.stderr(loss, w, cluster)
    hit = p[:, 0] >= p[:, 1]
    assert r.accuracy == float(oracle.weighted_mean(hit.astype(float), w))
    assert r.accuracy_stderr == oracle.stderr(hit.astype(float), w)
    assert r.clusters == (20 if clustered else None) and r.reason == ""
    z = NormalDist().inv_cdf(0.975)
    assert r.ci == (r.nll - z * r.stderr, r.nll + z * r.stderr)
    assert r.perplexity == math.exp(r.nll) and r.bits == r.nll / math.log(2)


@pytest.mark.parametrize("weighted", (False, True))
@pytest.mark.parametrize("big", (1e3, 1e7, 1e15))
def test_no_cancellation(big, weighted):
    # as NIST's NumAcc sets: a spread of 0.1 on a large mean, which one-pass sums in floating point lose
    losses = np.array([big + 0.2, *[big + 0.1, big + 0.3] * 500])
    logits = np.stack([np.zeros_like(losses), losses], axis=1)  # the loss of label 0 is the margin, to the last bit
    w = np.tile([1.0, 3.0, 0.1], 334)[:1001] if weighted else None
    r = result(np.zeros(1001, int), logits, input="logits", sample_weight=w)
    assert r.stderr == oracle.stderr(losses, np.ones(1001) if w is None else w)


def test_unweighted_standard_error_is_the_textbook_one():
    rng = np.random.default_rng(1)
    p = oracle.softmax(rng.standard_normal((500, 5)))
    y = rng.integers(0, 5, 500)
    loss = -np.log(p[np.arange(500), y])
    assert result(y, p).stderr == pytest.approx(loss.std(ddof=1) / math.sqrt(500), rel=1e-13)


def test_weights_have_no_unit_and_equal_weights_are_none():
    rng = np.random.default_rng(2)
    p, y, w = oracle.softmax(rng.standard_normal((100, 3))), rng.integers(0, 3, 100), rng.uniform(0, 1, 100)
    a, b = result(y, p, sample_weight=w), result(y, p, sample_weight=w * 2.0**70)
    for name in (
        "nll",
        "stderr",
        "accuracy",
        "accuracy_stderr",
        "brier",
        "brier_stderr",
        "ece",
        "ece_expected",
        "skill",
    ):
        assert getattr(a, name) == getattr(b, name)
    plain, ones = result(y, p), result(y, p, sample_weight=np.ones(100))
    assert plain == ones  # also mean probabilities: their quantum of 2^-73 is far below an ulp here


def test_clusters_of_one_row_are_independent_rows():
    rng = np.random.default_rng(3)
    p, y, w = oracle.softmax(rng.standard_normal((100, 3))), rng.integers(0, 3, 100), rng.uniform(0, 1, 100)
    single = result(y, p, sample_weight=w, cluster=np.arange(100))
    assert single.stderr == result(y, p, sample_weight=w).stderr and single.clusters == 100
    # every row twice, as one cluster: nothing has been learnt
    twice = result(np.tile(y, 2), np.tile(p, (2, 1)), cluster=np.tile(np.arange(100), 2))
    assert twice.stderr == result(y, p).stderr


@pytest.mark.parametrize("classes", (2, 7))
@pytest.mark.parametrize("weighted", (False, True))
@pytest.mark.parametrize("dtype", (np.float32, np.float64))
def test_scikit_learn_agrees_where_it_is_right(classes, weighted, dtype):
    rng = np.random.default_rng(4)
    p = oracle.softmax(rng.standard_normal((400, classes)) * 2).astype(dtype)
    y = rng.integers(0, classes, 400)
    w = rng.uniform(0, 2, 400) if weighted else None
    r = result(y, p, sample_weight=w)
    wide = p.astype(np.float64) / p.astype(np.float64).sum(1, keepdims=True)
    tolerance = 1e-12 if dtype == np.float64 else 1e-6
    assert r.nll == pytest.approx(log_loss(y, wide, sample_weight=w), rel=tolerance)
    assert r.accuracy == pytest.approx(accuracy_score(y, p.argmax(1), sample_weight=w), rel=1e-13)
    brier = brier_score_loss(y, wide if classes > 2 else wide[:, 1], sample_weight=w)
    assert r.brier == pytest.approx(brier * (2 if classes == 2 else 1), rel=tolerance)


def test_scikit_learns_documented_value():
    # sklearn.metrics.log_loss, user guide; spec/losses 2.4
    r = result(
        ["spam", "ham", "ham", "spam"],
        [[0.1, 0.9], [0.9, 0.1], [0.8, 0.2], [0.35, 0.65]],
        classes=["ham", "spam"],
    )
    assert r.nll == pytest.approx(0.21616187468057912, rel=1e-15)


def test_where_scikit_learn_is_not_right():
    # it clips at the epsilon of the dtype: 1e-30 in float32 costs it 15.9 nats instead of 69.1
    p = np.array([[1e-30, 1.0]], dtype=np.float32)
    assert result([0], p).nll == pytest.approx(float(-oracle.mpmath.log(oracle.mpmath.mpf(float(p[0, 0])))), rel=1e-15)
    # a perfect half-precision prediction costs nothing
    assert result([0], np.array([[1.0, 0.0]], dtype=np.float16)).nll == 0.0
    # columns in an order that is not sorted
    y, p = [2, 0, 1], np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]])
    want = -math.log(0.7 * 0.8 * 0.4) / 3
    assert result(y, p, classes=[2, 0, 1]).nll == pytest.approx(want, rel=1e-15)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert log_loss(y, p, labels=[2, 0, 1]) > 1.1 > want


def test_one_class_present():
    r = result([0, 0], np.array([[0.9, 0.1], [0.8, 0.2]]))  # scikit-learn: an exception
    assert r.nll == pytest.approx(-math.log(0.72) / 2) and r.base_nll == 0.0 and r.skill == -math.inf
    certain = result([0, 0], np.array([[1.0, 0.0]] * 2))
    assert certain.nll == 0.0 and math.isnan(certain.skill)


def test_skill_is_zero_at_the_base_rate():
    y = np.repeat([0, 1, 2], [50, 25, 25])
    r = result(y, np.tile([0.5, 0.25, 0.25], (100, 1)))
    assert r.base_nll == pytest.approx(1.5 * math.log(2), rel=1e-15) and abs(r.skill) < 1e-15
    assert [row.base_rate for row in r.classes] == [0.5, 0.25, 0.25]


def test_zero_probability_is_reported_not_hidden():
    p = np.array([[0.0, 1.0], [0.5, 0.5], [0.25, 0.75]])
    r = result([0, 0, 1], p)
    assert r.nll == r.perplexity == math.inf and r.zero_probability == 1 and r.histogram.infinite == 1
    assert r.finite_nll == pytest.approx((math.log(2) - math.log(0.75)) / 2)
    assert math.isnan(r.stderr) and all(map(math.isnan, r.ci)) and "1 row gave the label probability 0" in r.reason
    assert r.skill == -math.inf and r.worst[0].nll == math.inf and math.isnan(r.worst[0].share)
    assert r.classes[0].nll == math.inf and r.classes[0].zero_probability == 1 and r.classes[1].nll < 1
    assert math.isfinite(r.brier) and math.isfinite(r.brier_stderr) and r.accuracy == pytest.approx(2 / 3)
    assert "at the label of 1 rows; without them NLL 0.4904" in r.summary()


@pytest.mark.parametrize("classes", (None, 3))
def test_an_empty_score_is_nan_with_nobs_0(classes):
    for s in (
        nl.Score.classification(input="probs", classes=classes),
        nl.Score.classification(input="probs", classes=classes).update([], np.empty((0, 3))),
        nl.Score.classification(input="probs", classes=classes).update([9], np.full((1, 3), np.nan), sample_weight=[0]),
    ):
        r = s.result()
        assert r.nobs == 0 and r.weight == 0 and r.reason == "no rows were scored"
        for name in (
            "nll",
            "stderr",
            "perplexity",
            "bits",
            "base_nll",
            "skill",
            "accuracy",
            "brier",
            "ece",
            "ece_expected",
        ):
            assert math.isnan(getattr(r, name)), name
        assert r.summary() and r.to_json()


def test_reasons_for_no_standard_error():
    p = np.array([[0.5, 0.5], [0.25, 0.75]])
    assert result([0], p[:1]).reason == "a single row has no spread"
    assert result([0, 0], p, cluster=[7, 7]).reason == "a single cluster has no spread"
    huge = result([0, 0], np.array([[-1e200, 0.0]] * 2), input="logits")
    assert huge.nll == 1e200 and math.isnan(huge.stderr) and "exceed the range of float64" in huge.reason


def test_zero_weight_rows_are_never_read():
    p = np.array([[0.5, 0.5], [np.nan, 7.0], [0.25, 0.75]])
    s = nl.Score.classification(input="probs", classes=["a", "b"])
    r = s.update(["a", "no such label", "b"], p, sample_weight=[1, 0, 2]).result()
    without = result(["a", "b"], p[[0, 2]], classes=["a", "b"], sample_weight=[1, 2])
    assert (r.rows, r.nobs, r.ignored, r.bad) == (3, 2, 1, {})
    assert r.nll == without.nll and r.stderr == without.stderr and r.classes == without.classes


def test_float32_probabilities_lose_nothing_more():
    p = np.array([[0.1, 0.9], [0.7, 0.3]], dtype=np.float32)
    want = -(math.log(float(p[0, 1])) + math.log(float(p[1, 0]))) / 2
    assert result([1, 0], p).nll == pytest.approx(want, rel=1e-15)


def test_per_class_table():
    p = np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.5, 0.4, 0.1], [0.1, 0.1, 0.8]])
    r = result(["a", "b", "b", "c"], p, classes=["a", "b", "c"])
    a, b, c = r.classes
    assert [row.count for row in r.classes] == [1, 2, 1] and [row.label for row in r.classes] == [
        "a",
        "b",
        "c",
    ]
    assert b.nll == pytest.approx(-(math.log(0.5) + math.log(0.4)) / 2, rel=1e-15) and b.recall == 0.5
    assert (a.precision, b.precision, c.precision) == (0.5, 1.0, 1.0)
    assert [row.mean_probability for row in r.classes] == pytest.approx([0.35, 0.325, 0.325], rel=1e-15)
    absent = result(["a"], p[:1], classes=["a", "b", "c"]).classes[2]
    assert absent.count == 0 and absent.base_rate == 0 and math.isnan(absent.nll) and math.isnan(absent.recall)


def test_worst_rows():
    p = np.array([[0.6, 0.4], [0.1, 0.9], [0.9, 0.1], [0.1, 0.9], [0.5, 0.5]])
    s = nl.Score.classification(input="probs", classes=["a", "b"], worst=3)
    r = s.update(["a"] * 5, p, key=["r0", "r9", "r2", "r1", "r4"]).result()
    assert [(row.key, row.label, row.predicted) for row in r.worst] == [
        ("r1", "a", "b"),
        ("r9", "a", "b"),
        ("r4", "a", "a"),
    ]
    total = -sum(math.log(x) for x in (0.6, 0.1, 0.9, 0.1, 0.5))
    assert r.worst[0].nll == -math.log(0.1) and r.worst[0].share == pytest.approx(-math.log(0.1) / total)
    assert r.worst[0].confidence == 0.9
    nameless = result(["a"] * 5, p, classes=["a", "b"], worst=2).worst
    assert [row.key for row in nameless] == [None, None] and len(nameless) == 2
    assert result(["a"] * 5, p, classes=["a", "b"], worst=0).worst == ()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 3000), min_size=1, max_size=200), st.integers(1, 6), st.integers(0, 2**32))
def test_worst_rows_are_the_worst_of_all(losses, size, seed):
    logits = np.stack([np.zeros(len(losses)), np.array(losses) - 1], axis=1)
    key = np.random.default_rng(seed).permutation(len(losses))
    s = nl.Score.classification(input="logits", classes=2, worst=size)
    for i in range(0, len(losses), 37):
        s.update(np.zeros(len(logits[i : i + 37]), int), logits[i : i + 37], key=key[i : i + 37])
    got = [(row.nll, row.key) for row in s.result().worst]
    loss = np.logaddexp(0, logits[:, 1])
    assert [k for _, k in got] == [k for _, k in sorted(zip(-loss, key, strict=True))[:size]]


def test_histogram_counts_every_row_once():
    rng = np.random.default_rng(5)
    loss = np.concatenate([10.0 ** rng.uniform(-9, 5, 5000), [0.0, 0.5, 1.0, 2.0**-20, 2048.0, 5e-324]])
    y, p = logprobs_of(loss)
    h = result(y, p, input="logprobs", sum_tolerance=1.0).histogram
    want, _ = np.histogram(loss, bins=[*h.edges[:-1], 1e300])  # numpy: the last bin is closed
    assert list(h.counts) == want.tolist() and sum(h.counts) == len(loss) and h.infinite == 0
    assert len(h.edges) == len(h.counts) + 1 and h.edges[0] == 0 and h.edges[-1] == math.inf


def test_json_is_strict_and_complete(tmp_path):
    import json

    r = result([0, 0], np.array([[0.0, 1.0], [0.5, 0.5]]))
    path = tmp_path / "score.json"
    text = r.to_json(path)
    assert path.read_text() == text + "\n"
    read = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert read["nll"] == "inf" and read["stderr"] is None and read["schema_version"] == 1
    assert read["calibration"][7]["count"] == 1 and read["classes"][0]["label"] == 0 and read["bad"] == {}


@pytest.mark.parametrize("level", (0, 1, -1, 2, math.nan))
def test_levels(level):
    with pytest.raises(nl.InputError, match="level"):
        result([0], np.array([[1.0]]), level=level)


def test_levels_widen_the_interval():
    p, y = np.array([[0.5, 0.5], [0.25, 0.75]]), [0, 0]
    narrow, wide = result(y, p, 0.5), result(y, p, 0.99)
    assert wide.ci[0] < narrow.ci[0] < narrow.nll < narrow.ci[1] < wide.ci[1] and wide.level == 0.99


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 30),
    st.integers(1, 60),
    st.sampled_from(("probs", "logits", "logprobs")),
    st.integers(0, 2**32),
)
def test_input_kinds_agree(rows, classes, input, seed):
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((rows, classes)) * 5
    y = rng.integers(0, classes, rows)
    p = oracle.softmax(z)
    want = result(y, z, input="logits", classes=classes)
    got = result(y, {"probs": p, "logits": z, "logprobs": np.log(p)}[input], input=input, classes=classes)
    for name in ("nll", "brier", "accuracy", "base_nll", "finite_nll"):
        assert getattr(got, name) == pytest.approx(getattr(want, name), rel=1e-11, abs=1e-13), name


def test_mean_probabilities_are_exact_rationals():
    rng = np.random.default_rng(6)
    p = oracle.softmax(rng.standard_normal((300, 3)))
    r = result(np.zeros(300, int), p)
    for k in range(3):
        want = sum(map(Fraction, p[:, k].tolist())) / 300
        assert r.classes[k].mean_probability == float(want)
