"""Reliability of the top label: bins, bands, and the calibration error."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom, binomtest
from tests.evaluation import oracle

import neglog as nl
from neglog.evaluation.calibration import consistency_band, wilson


def result(y, p, bins=15, level=0.95, **more):
    return nl.Score.classification(input="probs", bins=bins).update(y, p, **more).result(level)


def binary(confidence, right):
    """Two-class rows with the given top probability; label 0 has it, and is right or not."""
    confidence = np.asarray(confidence, dtype=float)
    return np.where(right, 0, 1), np.stack([confidence, 1 - confidence], axis=1)


def test_bins_and_error_by_definition():
    rng = np.random.default_rng(0)
    p, y, w = (
        oracle.softmax(rng.standard_normal((2000, 5)) * 2),
        rng.integers(0, 5, 2000),
        rng.uniform(0, 2, 2000),
    )
    r = result(y, p, sample_weight=w)
    confidence, right = p.max(1), p.argmax(1) == y
    at = np.minimum((confidence * 15).astype(int), 14)
    ece = 0.0
    for i, row in enumerate(r.calibration):
        here = at == i
        assert row.count == here.sum() and (row.low, row.high) == (i / 15, (i + 1) / 15)
        if not row.count:
            assert row.weight == 0 and math.isnan(row.accuracy) and math.isnan(row.band_low)
            continue
        assert row.weight == pytest.approx(w[here].sum(), rel=1e-14)
        assert row.confidence == pytest.approx(np.average(confidence[here], weights=w[here]), rel=1e-13)
        assert row.accuracy == pytest.approx(np.average(right[here], weights=w[here]), rel=1e-13, abs=1e-15)
        if row.count > 1:
            assert row.stderr == oracle.stderr(right[here].astype(float), w[here])
        ece += w[here].sum() / w.sum() * abs(row.accuracy - row.confidence)
    assert r.ece == pytest.approx(ece, rel=1e-13)
    assert sum(row.count for row in r.calibration) == 2000


def test_edges_belong_to_the_bin_above_and_one_to_the_last():
    y, p = binary([0.5, 0.75, 1.0, math.nextafter(0.75, 0)], [True] * 4)
    counts = [row.count for row in result(y, p, bins=4).calibration]
    assert counts == [0, 0, 2, 2]  # torchmetrics puts 1.0 in a bin of its own


def test_one_bin():
    y, p = binary([0.6, 0.9], [True, False])
    r = result(y, p, bins=1)
    assert r.ece == pytest.approx(0.25, rel=1e-15) and r.calibration[0].accuracy == 0.5


def test_error_of_calibrated_predictions_is_what_chance_leaves():
    rng = np.random.default_rng(1)
    seen, expected = [], []
    for _ in range(200):
        confidence = rng.uniform(0.5, 1, 500)
        r = result(*binary(confidence, rng.uniform(size=500) < confidence))
        seen.append(r.ece)
        expected.append(r.ece_expected)
    # 200 repetitions: the mean is known to 2 %
    assert np.mean(seen) == pytest.approx(np.mean(expected), rel=0.06)


@pytest.mark.parametrize("n", (1, 7, 100, 12345))
@pytest.mark.parametrize("probability", (0.0, 0.001, 0.5, 0.97, 1.0))
def test_the_band_is_binomial(n, probability):
    low, high = consistency_band(probability, n, 0.9)
    assert (round(low * n), round(high * n)) == (
        binom.ppf(0.05, n, probability),
        binom.ppf(0.95, n, probability),
    )


def test_the_band_holds_calibrated_predictions():
    rng = np.random.default_rng(2)
    inside = total = 0
    for _ in range(100):
        confidence = rng.uniform(0.5, 1, 400)
        for row in result(*binary(confidence, rng.uniform(size=400) < confidence), level=0.9).calibration:
            if row.count:
                total += 1
                inside += row.band_low <= row.accuracy <= row.band_high
    assert 0.88 < inside / total <= 0.98  # discrete: at least 90 % but for the spread of confidence within a bin


@pytest.mark.parametrize("hits, n", ((0, 10), (3, 10), (10, 10), (871, 1000)))
def test_the_interval_is_wilsons(hits, n):
    want = binomtest(hits, n).proportion_ci(0.95, method="wilson")
    assert wilson(hits / n, n, 0.95) == pytest.approx((want.low, want.high), rel=1e-12, abs=1e-15)


def test_weights_count_as_kishs_effective_number():
    rng = np.random.default_rng(3)
    right = rng.uniform(size=100) < 0.8
    y, p = binary(np.full(100, 0.8), right)
    plain = result(y, p).calibration[12]
    scaled = result(y, p, sample_weight=np.full(100, 2.0**-30)).calibration[12]
    names = ("confidence", "accuracy", "stderr", "interval_low", "interval_high", "band_low", "band_high")
    assert [getattr(plain, n) for n in names] == [getattr(scaled, n) for n in names]
    w = rng.uniform(0, 1, 100)
    uneven = result(y, p, sample_weight=w).calibration[12]
    effective = w.sum() ** 2 / (w**2).sum()
    assert (uneven.band_low, uneven.band_high) == consistency_band(0.8, effective, 0.95)
    assert uneven.interval_high - uneven.interval_low > plain.interval_high - plain.interval_low
