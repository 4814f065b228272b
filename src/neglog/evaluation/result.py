"""What a classification score says: plain frozen data, and its text and JSON forms."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

BAD_REASONS: Mapping[str, str] = {
    "label": "label is not among the classes",
    "nan": "NaN among the predictions",
    "outside": "probability outside [0, 1]",
    "sum": "probabilities do not sum to one",
    "undefined": "logits without a softmax (+inf, or all -inf)",
    "weight": "weight is negative, NaN, infinite or beyond 2**±200",
}


@dataclass(frozen=True)
class Bin:
    """Rows whose confidence (largest probability) is in ``[low, high)``; the last bin includes 1.

    ``stderr``, ``interval_low`` and ``interval_high`` (Wilson) say how well ``accuracy`` is known.
    ``band_low`` and ``band_high`` say where it would fall if the predictions were calibrated: quantiles of
    the binomial distribution at the mean confidence. Both intervals use Kish's effective number of rows
    ``sum(w)^2 / sum(w^2)``.
    """

    low: float
    high: float
    count: int  # rows
    weight: float  # sum of their weights
    confidence: float  # weighted mean; NaN in an empty bin, like everything below
    accuracy: float
    stderr: float
    interval_low: float
    interval_high: float
    band_low: float
    band_high: float


@dataclass(frozen=True)
class ClassRow:
    """One class: how often it occurs, how often it is predicted, and what its rows cost."""

    label: Any
    count: int  # rows of this class
    weight: float
    base_rate: float  # share of the weight
    mean_probability: float  # of this class, over the rows of all classes; calibrated predictions: the base rate
    nll: float  # mean over the rows of this class
    recall: float
    precision: float
    zero_probability: int  # rows of this class whose label was given probability 0


@dataclass(frozen=True)
class WorstRow:
    """A row with one of the largest losses."""

    key: Any  # as given to update(key=...), otherwise None
    label: Any
    predicted: Any
    nll: float
    confidence: float  # of the predicted class
    weight: float
    share: float  # of the total finite NLL; NaN where nll is infinite


@dataclass(frozen=True)
class BadRow:
    """A row without a score: its key, or its number in the order of arrival, and a key of ``BAD_REASONS``."""

    row: Any
    reason: str


@dataclass(frozen=True)
class Histogram:
    """Rows by finite NLL: ``counts[i]`` in ``[edges[i], edges[i + 1])``, the same edges for all scores."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    infinite: int


@dataclass(frozen=True, repr=False)
class ClassificationResult:
    """What a classification score has found.

    ``nll`` is the mean of ``-log p(label)`` in nats, weighted. Its standard error is that of the mean
    (linearised for weights, cluster-robust where clusters were given), NaN with a ``reason`` where there is
    none; ``ci`` is normal.
    """

    nobs: int  # rows scored
    weight: float  # sum of their weights
    nll: float
    stderr: float
    ci: tuple[float, float]
    level: float  # of every interval here
    reason: str  # why stderr is NaN, else empty
    clusters: int | None  # None: rows are taken as independent
    perplexity: float  # exp(nll)
    bits: float  # nll / log(2)
    base_nll: float  # of predicting each class with its share in these rows
    skill: float  # 1 - nll / base_nll
    zero_probability: int  # rows whose label was given probability 0: their NLL is infinite
    finite_nll: float  # mean over the other rows
    accuracy: float
    accuracy_stderr: float
    brier: float  # mean of sum_k (p_k - [k = label])^2, in [0, 2]
    brier_stderr: float
    ece: float  # sum over bins of share * |accuracy - confidence|
    ece_expected: float  # what the ECE of calibrated predictions would come to on these rows, by chance alone
    calibration: tuple[Bin, ...]
    classes: tuple[ClassRow, ...]
    histogram: Histogram
    worst: tuple[WorstRow, ...]
    rows: int  # rows seen: scored, ignored and bad
    ignored: int  # rows of weight zero, never read
    bad: dict[str, int]  # reason -> rows; reasons that occurred
    bad_rows: tuple[BadRow, ...]  # the first few
    largest_sum_error: float  # largest |sum_k p_k - 1| among the rows scored, as given
    renormalised: int  # rows scored that row_sum="normalise" divided by a sum off by more than 1e-6
    input: str  # what p was declared to be

    def __repr__(self) -> str:
        return (
            f"<ClassificationResult: NLL {self.nll:.4g} ± {self.stderr:.4g}, accuracy {self.accuracy:.4g}, "
            f"skill {self.skill:.4g}\n {self.nobs} rows scored, {self.ignored} ignored, "
            f"{sum(self.bad.values())} bad, {len(self.classes)} classes; .summary() says more>"
        )

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values for JSON; NaN is None, infinities are ``"inf"`` and ``"-inf"``."""
        return {"kind": "classification", "schema_version": 1, **_plain(self)}

    def to_json(self, path: Any = None, *, indent: int | None = 2) -> str:
        """:meth:`to_dict` as JSON, also written to ``path`` if given."""
        text = json.dumps(self.to_dict(), indent=indent, allow_nan=False, ensure_ascii=False)
        if path is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text + "\n")
        return text

    def summary(self) -> str:
        """A page of text.

        >>> import neglog as nl
        >>> s = nl.Score.classification(input="probs", classes=["ham", "spam"])
        >>> print(s.update(["ham", "spam"], [[0.5, 0.5], [0.25, 0.75]]).result().summary())
        NLL                0.4904 ± 0.2027   (95 %: 0.09307 to 0.8878)
        perplexity         1.633             bits 0.7075
        skill              0.2925            against the base rate's NLL 0.6931
        accuracy           1 ± 0
        Brier              0.3125 ± 0.1875
        ECE                0.375             a calibrated forecast would show about 0.3722
        rows               2 scored, 0 ignored, 0 bad
        """
        percent = f"{100 * self.level:g} %"
        lines = [
            (
                "NLL",
                f"{self.nll:.4g} ± {self.stderr:.4g}",
                f"({percent}: {self.ci[0]:.4g} to {self.ci[1]:.4g})",
            ),
            ("perplexity", f"{self.perplexity:.4g}", f"bits {self.bits:.4g}"),
            ("skill", f"{self.skill:.4g}", f"against the base rate's NLL {self.base_nll:.4g}"),
            ("accuracy", f"{self.accuracy:.4g} ± {self.accuracy_stderr:.4g}", ""),
            ("Brier", f"{self.brier:.4g} ± {self.brier_stderr:.4g}", ""),
            ("ECE", f"{self.ece:.4g}", f"a calibrated forecast would show about {self.ece_expected:.4g}"),
        ]
        text = [f"{name:<18} {value:<17} {note}".rstrip() for name, value, note in lines]
        if self.reason:
            text.append(f"{'no standard error':<18} {self.reason}")
        if self.clusters is not None:
            text.append(f"{'standard error':<18} robust for {self.clusters} clusters")
        if self.zero_probability:
            text.append(
                f"{'probability 0':<18} at the label of {self.zero_probability} rows; without them NLL "
                f"{self.finite_nll:.4g}"
            )
        if self.renormalised:
            text.append(f"{'renormalised':<18} {self.renormalised} rows; sums up to {self.largest_sum_error:.2g} off")
        text.append(f"{'rows':<18} {self.nobs} scored, {self.ignored} ignored, {sum(self.bad.values())} bad")
        for reason, count in self.bad.items():
            first = ", ".join(str(bad.row) for bad in self.bad_rows if bad.reason == reason)
            text.append(f"{'':<18} {count} x {BAD_REASONS[reason]}" + (f": rows {first}" if first else ""))
        return "\n".join(text)


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value
