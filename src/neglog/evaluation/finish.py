"""From exact sums to the numbers of a result, each rounded once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from statistics import NormalDist
from typing import Any

from neglog.core.accumulate import Exact, exact_values, mean_variance, rounded, rounded_ratio, rounded_sqrt
from neglog.evaluation.calibration import expected_calibration_error, reliability
from neglog.evaluation.result import BadRow, ClassificationResult, ClassRow, Histogram, WorstRow
from neglog.evaluation.sums import HISTOGRAM_EDGES, ClassificationSums


def finish(
    sums: ClassificationSums, labels: Sequence[Any], input: str, account: dict[str, Any], level: float
) -> ClassificationResult:
    """The result of the sums; ``account`` says what became of the rows that have no score."""
    exact = {name: exact_values(values) for name, values in sums.exact.items()}
    once = {name: values[0] for name, values in exact.items() if len(values) == 1}
    nobs, zeros = int(sums.counts["class"].sum()), int(sums.counts["class_zero"].sum())
    weight, loss = _total(exact["class_weight"]), _total(exact["class_nll"])
    weight2, hits2 = _total(exact["bin_weight2"]), _total(exact["bin_hits_w2"])

    finite_nll = rounded_ratio(loss, weight - once["zero_weight"])
    nll = math.inf if zeros else finite_nll
    if sums.clusters:
        nll_variance = sums.clusters.mean_variance()
    else:
        nll_variance = mean_variance(nobs, weight, loss, weight2, once["nll_w2"], once["nll2_w2"])
    reason = _why_no_stderr(nobs, zeros, len(sums.clusters), nll_variance)
    stderr = math.nan if reason else rounded_sqrt(nll_variance)
    half = NormalDist().inv_cdf(0.5 + level / 2) * stderr

    accuracy_variance = mean_variance(nobs, weight, _total(exact["class_hits"]), weight2, hits2, hits2)
    brier_variance = mean_variance(nobs, weight, once["brier"], weight2, once["brier_w2"], once["brier2_w2"])
    base_nll = _entropy(exact["class_weight"], weight)
    ece, ece_expected = expected_calibration_error(exact)
    return ClassificationResult(
        nobs=nobs,
        weight=rounded(weight),
        nll=nll,
        stderr=stderr,
        ci=(nll - half, nll + half),
        level=level,
        reason=reason,
        clusters=len(sums.clusters) or None,
        perplexity=_exp(nll),
        bits=nll / math.log(2),
        base_nll=base_nll,
        skill=_skill(nll, base_nll),
        zero_probability=zeros,
        finite_nll=finite_nll,
        accuracy=rounded_ratio(_total(exact["class_hits"]), weight),
        accuracy_stderr=rounded_sqrt(accuracy_variance),
        brier=rounded_ratio(once["brier"], weight),
        brier_stderr=rounded_sqrt(brier_variance),
        ece=ece,
        ece_expected=ece_expected,
        calibration=reliability(sums.counts["bin"].tolist(), exact, level),
        classes=_class_table(sums, labels, exact, weight),
        histogram=Histogram(HISTOGRAM_EDGES, tuple(sums.counts["histogram"].tolist()), zeros),
        worst=_worst(sums, labels, loss),
        rows=account["rows"],
        ignored=account["ignored"],
        renormalised=account["renormalised"],
        bad=dict(sorted(account["bad"].items())),
        bad_rows=tuple(BadRow(row, reason) for row, reason in account["bad_rows"]),
        largest_sum_error=sums.largest_sum_off,
        input=input,
    )


def _total(values: Sequence[Exact]) -> Any:
    return sum(values, Fraction(0))


def _why_no_stderr(nobs: int, zeros: int, clusters: int, variance: Exact) -> str:
    if nobs == 0:
        return "no rows were scored"
    if zeros:
        return f"the NLL is infinite: {zeros} row{'s' * (zeros > 1)} gave the label probability 0"
    if nobs == 1:
        return "a single row has no spread"
    if clusters == 1:
        return "a single cluster has no spread"
    if isinstance(variance, float):
        return "the squares of the losses exceed the range of float64"
    return ""


def _entropy(weights: Sequence[Exact], total: Exact) -> float:
    """NLL of predicting every class with its share of the weight; NaN without weight."""
    if not total:
        return math.nan
    shares = [rounded_ratio(weight, total) for weight in weights]
    return math.fsum(-share * math.log(share) for share in shares if share > 0) + 0.0


def _skill(nll: float, base_nll: float) -> float:
    if base_nll == 0:  # one class only: nothing can be better than certainty
        return math.nan if nll == 0 else -math.inf
    return 1 - nll / base_nll


def _exp(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def _class_table(
    sums: ClassificationSums, labels: Sequence[Any], exact: dict[str, list[Exact]], total: Exact
) -> tuple[ClassRow, ...]:
    rows: list[ClassRow] = []
    for k, label in enumerate(labels):
        weight, hits = exact["class_weight"][k], exact["class_hits"][k]
        zeros = int(sums.counts["class_zero"][k])
        rows.append(
            ClassRow(
                label=label,
                count=int(sums.counts["class"][k]),
                weight=rounded(weight),
                base_rate=rounded_ratio(weight, total),
                mean_probability=rounded_ratio(exact["class_probability"][k], total),
                nll=math.inf if zeros else rounded_ratio(exact["class_nll"][k], weight),
                recall=rounded_ratio(hits, weight),
                precision=rounded_ratio(hits, exact["class_predicted"][k]),
                zero_probability=zeros,
            )
        )
    return tuple(rows)


def _worst(sums: ClassificationSums, labels: Sequence[Any], loss: Exact) -> tuple[WorstRow, ...]:
    rows: list[WorstRow] = []
    for negated, key, label, top, confidence, weight in sums.worst.items:
        nll = -negated + 0.0
        share = math.nan
        if math.isfinite(nll) and not isinstance(loss, float):
            share = rounded_ratio(Fraction(nll) * Fraction(weight), loss)
        rows.append(WorstRow(key[0] if key else None, labels[label], labels[top], nll, confidence, weight, share))
    return tuple(rows)
