"""What a classification score remembers of the rows it has seen: exact sums, counts, and a few rows by name."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neglog._native import ExactSums
from neglog.core.accumulate import ClusterSums, Smallest, from_text, to_text

# Per-row NLL falls into four bins per factor of two: the bin is the exponent and the first two bits of the mantissa, so
# it needs no logarithm and no rounding. Below 2^-20 and from 2^11 there is one bin each; infinity is counted apart.
_LOW, _HIGH = -20, 11
HISTOGRAM_EDGES: tuple[float, ...] = (
    0.0,
    *(2.0**e * (1 + q / 4) for e in range(_LOW, _HIGH) for q in range(4)),
    2.0**_HIGH,
    float("inf"),
)
_FIRST_BIN = (_LOW + 1023) << 2

BAD_REASONS = {  # by status of the row kernel
    2: "weight",
    3: "label",
    4: "nan",
    5: "outside",
    6: "sum",
    7: "undefined",
}

# name -> (per class, per bin or once; what is summed over the rows scored, w the weight)
_SUMS = {
    "class_weight": "class",  # w
    "class_nll": "class",  # w l, rows with finite l
    "class_probability": "class",  # w p_k, over rows of all classes
    "class_predicted": "class",  # w, by predicted class
    "class_hits": "class",  # w of rows predicted right
    "bin_weight": "bin",  # w
    "bin_weight2": "bin",  # w^2
    "bin_confidence": "bin",  # w c
    "bin_confidence_w2": "bin",  # w^2 c
    "bin_confidence2_w2": "bin",  # w^2 c^2
    "bin_hits": "bin",  # w of rows predicted right
    "bin_hits_w2": "bin",  # w^2 of rows predicted right
    "zero_weight": "once",  # w of rows with infinite l
    "nll_w2": "once",  # w^2 l
    "nll2_w2": "once",  # w^2 l^2
    "brier": "once",  # w b
    "brier_w2": "once",  # w^2 b
    "brier2_w2": "once",  # w^2 b^2
}


class Rows:
    """The rows of one block that have a score, one array per quantity."""

    __slots__ = ("brier", "confidence", "key", "label", "nll", "top", "weight")

    def __init__(
        self,
        label: NDArray[np.int32],
        top: NDArray[np.int32],
        nll: NDArray[np.float64],
        brier: NDArray[np.float64],
        confidence: NDArray[np.float64],
        weight: NDArray[np.float64] | None,
        key: NDArray[Any] | None,
    ) -> None:
        self.label, self.top, self.nll, self.brier = label, top, nll, brier
        self.confidence, self.weight, self.key = confidence, weight, key


class ClassificationSums:
    """Accumulators of a score over ``classes`` classes with ``bins`` reliability bins."""

    def __init__(self, classes: int, bins: int, worst: int) -> None:
        self.classes, self.bins = classes, bins
        size = {"class": classes, "bin": bins, "once": 1}
        self.exact = {name: ExactSums(size[per]) for name, per in _SUMS.items()}
        self.counts = {
            "class": np.zeros(classes, np.int64),
            "class_zero": np.zeros(classes, np.int64),
            "bin": np.zeros(bins, np.int64),
            "histogram": np.zeros(len(HISTOGRAM_EDGES) - 1, np.int64),
        }
        self.largest_sum_off = 0.0
        self.worst = Smallest(worst)

    def copy(self) -> ClassificationSums:
        """An independent copy."""
        other = object.__new__(ClassificationSums)
        other.classes, other.bins = self.classes, self.bins
        other.exact = {name: sums.copy() for name, sums in self.exact.items()}
        other.counts = {name: counts.copy() for name, counts in self.counts.items()}
        other.largest_sum_off = self.largest_sum_off
        other.worst = self.worst.copy()
        return other

    def merge(self, other: ClassificationSums) -> None:
        """Add what ``other`` has seen."""
        for name, sums in other.exact.items():
            self.exact[name].merge(sums)
        for name, counts in other.counts.items():
            self.counts[name] += counts
        self.largest_sum_off = max(self.largest_sum_off, other.largest_sum_off)
        self.worst.extend(other.worst.items)

    def add(self, rows: Rows) -> None:
        """Add scored rows. ``class_probability`` and ``largest_sum_off`` are the row kernel's to add."""
        label, w = rows.label.astype(np.int64), rows.weight
        hit = rows.label == rows.top
        finite = rows.nll < np.inf
        if finite.all():
            nll, nll_label, nll_w = rows.nll, label, w
        else:
            nll, nll_label = rows.nll[finite], label[finite]
            nll_w = None if w is None else w[finite]
            self.counts["class_zero"] += np.bincount(label[~finite], minlength=self.classes)
            self._add_counted("zero_weight", None, None if w is None else w[~finite], int((~finite).sum()))
        # floor(c * bins) in float64: [low, high), and 1 belongs to the last bin
        bin_ = np.minimum((rows.confidence * self.bins).astype(np.int64), self.bins - 1)
        self.counts["class"] += np.bincount(label, minlength=self.classes)
        self.counts["bin"] += np.bincount(bin_, minlength=self.bins)
        self.counts["histogram"] += _histogram(nll)
        self._add_weights("class_weight", label, w)
        self._add_weights("class_predicted", rows.top.astype(np.int64), w)
        self._add_weights("class_hits", label[hit], None if w is None else w[hit])
        self._add_weights("bin_weight", bin_, w)
        self._add_weights("bin_hits", bin_[hit], None if w is None else w[hit])
        self._add_weights("bin_weight2", bin_, w, squared=True)
        self._add_weights("bin_hits_w2", bin_[hit], None if w is None else w[hit], squared=True)
        self._add_moments(("class_nll", "nll_w2", "nll2_w2"), nll_label, None, nll, nll_w)
        self._add_moments(("brier", "brier_w2", "brier2_w2"), None, None, rows.brier, w)
        self._add_moments(
            ("bin_confidence", "bin_confidence_w2", "bin_confidence2_w2"), bin_, bin_, rows.confidence, w
        )

    def _add_weights(
        self, name: str, index: NDArray[np.int64], w: NDArray[np.float64] | None, squared: bool = False
    ) -> None:
        if w is None:
            counts = np.bincount(index, minlength=len(self.exact[name]))
            self.exact[name].add(np.arange(len(counts)), counts.astype(np.float64))
        else:
            self.exact[name].add(index, *([w, w] if squared else [w]))
