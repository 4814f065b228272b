"""Reliability of the top label: the table, its bands, and the expected calibration error."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from statistics import NormalDist

from neglog.core.accumulate import Exact, mean_variance, rounded, rounded_ratio, rounded_sqrt
from neglog.evaluation.result import Bin

_EMPTY = (math.nan,) * 7


def reliability(counts: Sequence[int], exact: Mapping[str, Sequence[Exact]], level: float) -> tuple[Bin, ...]:
    """The reliability table from the counts and exact sums of its bins."""
    rows: list[Bin] = []
    for i, count in enumerate(counts):
        low, high = i / len(counts), (i + 1) / len(counts)
        weight, weight2, hits = (exact[name][i] for name in ("bin_weight", "bin_weight2", "bin_hits"))
        if count == 0:
            rows.append(Bin(low, high, 0, 0.0, *_EMPTY))
            continue
        hits2 = exact["bin_hits_w2"][i]
        confidence, accuracy = rounded_ratio(exact["bin_confidence"][i], weight), rounded_ratio(hits, weight)
        stderr = rounded_sqrt(mean_variance(count, weight, hits, weight2, hits2, hits2))
        effective = rounded_ratio(_square(weight), weight2)
        interval, band = wilson(accuracy, effective, level), consistency_band(confidence, effective, level)
        rows.append(Bin(low, high, count, rounded(weight), confidence, accuracy, stderr, *interval, *band))
    return tuple(rows)


def _square(x: Exact) -> Exact:
    return x * x


def expected_calibration_error(exact: Mapping[str, Sequence[Exact]]) -> tuple[float, float]:
    """ECE, and what it would come to on average if the predictions were calibrated.

    ``ECE = sum_b |sum_{i in b} w_i (hit_i - c_i)| / sum_i w_i``. Of calibrated predictions each inner sum
    has mean 0 and variance ``v_b = sum w_i^2 c_i (1 - c_i)``; the mean of its size is ``sqrt(2 v_b / pi)``
    in the normal approximation. An ECE near that number is no sign of miscalibration.
    """
    total = sum(exact["bin_weight"], Fraction(0))
    gaps = [hits - confidence for hits, confidence in zip(exact["bin_hits"], exact["bin_confidence"], strict=True)]
    variances = [a - b for a, b in zip(exact["bin_confidence_w2"], exact["bin_confidence2_w2"], strict=True)]
    ece = rounded_ratio(sum((abs(gap) for gap in gaps), Fraction(0)), total)
    chance = math.fsum(rounded_sqrt(variance) for variance in variances) * math.sqrt(2 / math.pi)
    return ece, chance / rounded(total) if total else math.nan


def wilson(share: float, n: float, level: float) -> tuple[float, float]:
    """Wilson's score interval for a probability, from the share seen in ``n`` trials.

    Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927) 209-212.

    >>> low, high = wilson(0.9, 10, 0.95)
    >>> round(low, 4), round(high, 4)
    (0.5958, 0.9821)
    """
    z = NormalDist().inv_cdf(0.5 + level / 2)
    centre = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def consistency_band(probability: float, n: float, level: float) -> tuple[float, float]:
    """Where the share of hits among ``n`` trials of a given probability falls: binomial quantiles, divided
    by n.

    Below the band with probability at most ``(1 - level) / 2``, and above it likewise. Broecker & Smith,
    "Increasing the reliability of reliability diagrams", Weather and Forecasting 22 (2007) 651-661, draw
    the same band by resampling.

    >>> consistency_band(0.5, 100, 0.95)
    (0.4, 0.6)
    """
    trials, tail = max(1, round(n)), (1 - level) / 2
    return (
        _binomial_quantile(tail, trials, probability) / trials,
        _binomial_quantile(1 - tail, trials, probability) / trials,
    )


def _binomial_quantile(q: float, n: int, p: float) -> int:
    """Smallest k with P(X <= k) >= q."""
    from scipy.special import bdtr

    if p <= 0 or p >= 1:
        return 0 if p <= 0 else n
    low, high = -1, n  # P(X <= low) < q <= P(X <= high)
    while high - low > 1:
        middle = (low + high) // 2
        if bdtr(middle, n, p) >= q:
            high = middle
        else:
            low = middle
    return high
