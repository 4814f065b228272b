"""What a classification score remembers of its rows: exact sums, counts, and a few rows by name."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neglog._native import ExactSums
from neglog.core.accumulate import ClusterSums, Smallest, from_text, to_text

# Per-row NLL falls into four bins per factor of two: the bin is the exponent and the first two bits of the
# mantissa, so it needs no logarithm and no rounding. Below 2^-20 and from 2^11 there is one bin each;
# infinity is counted apart.
_LOW, _HIGH = -20, 11
HISTOGRAM_EDGES: tuple[float, ...] = (
    0.0,
    *(2.0**e * (1 + quarter / 4) for e in range(_LOW, _HIGH) for quarter in range(4)),
    2.0**_HIGH,
    float("inf"),
)
_FIRST_BIN = (_LOW + 1023) << 2

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


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one block that have a score."""

    label: NDArray[np.int64]  # (n,) position of the true class
    top: NDArray[np.int64]  # (n,) position of the predicted class
    nll: NDArray[np.float64]
    brier: NDArray[np.float64]
    confidence: NDArray[np.float64]
    weight: NDArray[np.float64] | None
    key: NDArray[Any] | None
    cluster: NDArray[Any] | None

    def where(self, chosen: NDArray[np.bool_]) -> Rows:
        """The rows chosen."""
        return Rows(
            self.label[chosen],
            self.top[chosen],
            self.nll[chosen],
            self.brier[chosen],
            self.confidence[chosen],
            None if self.weight is None else self.weight[chosen],
            None if self.key is None else self.key[chosen],
            None if self.cluster is None else self.cluster[chosen],
        )


class ClassificationSums:
    """Accumulators of a score over ``classes`` classes with ``bins`` reliability bins."""

    def __init__(self, classes: int, bins: int, worst: int) -> None:
        self.classes, self.bins = classes, bins
        size = {"class": classes, "bin": bins, "once": 1}
        self.exact = {name: ExactSums(size[per]) for name, per in _SUMS.items()}
        self.counts = {
            "class": np.zeros(classes, np.int64),
            "class_zero": np.zeros(classes, np.int64),  # of them with infinite l
            "bin": np.zeros(bins, np.int64),
            "histogram": np.zeros(len(HISTOGRAM_EDGES) - 1, np.int64),
        }
        self.largest_sum_off = 0.0
        self.worst = Smallest(worst)  # (-l, key, label, predicted, confidence, weight)
        self.clusters = ClusterSums()

    def copy(self) -> ClassificationSums:
        """An independent copy."""
        other = copy.copy(self)
        other.exact = {name: sums.copy() for name, sums in self.exact.items()}
        other.counts = {name: counts.copy() for name, counts in self.counts.items()}
        other.worst = self.worst.copy()
        other.clusters = self.clusters.copy()
        return other

    def merge(self, other: ClassificationSums) -> None:
        """Add what ``other`` has seen."""
        for name, sums in other.exact.items():
            self.exact[name].merge(sums)
        for name, counts in other.counts.items():
            self.counts[name] += counts
        self.largest_sum_off = max(self.largest_sum_off, other.largest_sum_off)
        self.worst.extend(other.worst.items)
        self.clusters.merge(other.clusters)

    def add(self, rows: Rows) -> None:
        """Add scored rows. ``class_probability`` and ``largest_sum_off`` are the row kernel's to add."""
        w, hits = rows.weight, rows.where(rows.label == rows.top)
        bin_, hit_bin = _reliability_bin(rows, self.bins), _reliability_bin(hits, self.bins)
        self.counts["class"] += np.bincount(rows.label, minlength=self.classes)
        self.counts["bin"] += np.bincount(bin_, minlength=self.bins)
        self._add("class_weight", rows.label, w)
        self._add("class_predicted", rows.top, w)
        self._add("class_hits", hits.label, hits.weight)
        self._add("bin_weight", bin_, w)
        self._add("bin_weight2", bin_, w, w)
        self._add("bin_hits", hit_bin, hits.weight)
        self._add("bin_hits_w2", hit_bin, hits.weight, hits.weight)
        in_bins = ("bin_confidence", "bin_confidence_w2", "bin_confidence2_w2")
        self._add_moments(in_bins, bin_, rows.confidence, w)
        self._add_moments(("brier", "brier_w2", "brier2_w2"), None, rows.brier, w)

        zero = rows.nll == np.inf
        if zero.any():
            lost = rows.where(zero)
            self.counts["class_zero"] += np.bincount(lost.label, minlength=self.classes)
            self._add("zero_weight", np.zeros(len(lost.label), np.int64), lost.weight)
            finite = rows.where(~zero)
        else:
            finite = rows
        w = finite.weight
        self.counts["histogram"] += _histogram(finite.nll)
        self._add_moments(("class_nll", "nll_w2", "nll2_w2"), finite.label, finite.nll, w)
        if finite.cluster is not None:
            self.clusters.add(finite.cluster, np.ones_like(finite.nll) if w is None else w, finite.nll)
        self._add_worst(rows)

    def _add(self, name: str, index: NDArray[np.int64] | None, *factors: NDArray[np.float64] | None) -> None:
        """Add the products of the factors (None: 1 everywhere) to the sums ``name`` at ``index``."""
        real = [factor for factor in factors if factor is not None]
        if real or index is None:
            self.exact[name].add(index, *real)
        else:
            counts = np.bincount(index, minlength=len(self.exact[name]))
            self.exact[name].add(np.arange(len(counts)), counts.astype(np.float64))

    def _add_moments(
        self,
        names: tuple[str, str, str],
        index: NDArray[np.int64] | None,
        x: NDArray[np.float64],
        w: NDArray[np.float64] | None,
    ) -> None:
        """Add w x, w^2 x and w^2 x^2 to the three sums named, where they are many at ``index``."""
        first, second, third = (self.exact[name] for name in names)
        of_squares = index if len(third) == len(first) else None
        if w is None:
            once = ExactSums(len(first))
            once.add(index, x)
            first.merge(once)
            second.merge(once if len(second) == len(first) else once.total())
            third.add(of_squares, x, x)
        else:
            first.add(index, w, x)
            second.add(of_squares, w, w, x)
            third.add(of_squares, w, w, x, x)

    def _add_worst(self, rows: Rows) -> None:
        size, items = self.worst.size, self.worst.items
        if size == 0:
            return
        threshold = -items[-1][0] if len(items) == size else -np.inf
        if len(rows.nll) > size:
            threshold = max(threshold, np.partition(rows.nll, -size)[-size])
        rows = rows.where(rows.nll >= threshold)
        weight = np.ones_like(rows.nll) if rows.weight is None else rows.weight
        columns = [-rows.nll, rows.label, rows.top, rows.confidence, weight]
        if rows.key is not None:
            columns.insert(1, rows.key)
        chosen = np.lexsort(columns[::-1])[:size]  # many rows may be level with the last one kept
        nll, *rest = (column[chosen].tolist() for column in columns)
        keys = rest.pop(0) if rows.key is not None else [None] * len(chosen)
        self.worst.extend(zip(nll, [() if key is None else (key,) for key in keys], *rest, strict=True))

    def to_payload(self) -> dict[str, Any]:
        """JSON values; equal sums give equal payloads."""
        return {
            "exact": {name: to_text(sums) for name, sums in self.exact.items()},
            "counts": {name: counts.tolist() for name, counts in self.counts.items()},
            "largest_sum_off": self.largest_sum_off.hex(),
            "worst": [
                [nll.hex(), list(key), label, top, confidence.hex(), weight.hex()]
                for nll, key, label, top, confidence, weight in self.worst.items
            ],
            "clusters": self.clusters.to_payload(),
        }

    @staticmethod
    def from_payload(payload: dict[str, Any], classes: int, bins: int, worst: int) -> ClassificationSums:
        """The sums that gave the payload.  Raises KeyError, TypeError or ValueError where it is none."""
        sums = ClassificationSums(classes, bins, worst)
        for name, blank in sums.exact.items():
            sums.exact[name] = read = from_text(payload["exact"][name])
            _check(len(read) == len(blank), name)
        for name, blank in sums.counts.items():
            sums.counts[name] = read = np.array(payload["counts"][name], dtype=np.int64)
            _check(read.shape == blank.shape and bool((read >= 0).all()), name)
        sums.largest_sum_off = float.fromhex(payload["largest_sum_off"])
        for nll, key, label, top, confidence, weight in payload["worst"]:
            _check(0 <= label < classes and 0 <= top < classes, "worst")
            item = (
                float.fromhex(nll),
                tuple(key),
                label,
                top,
                float.fromhex(confidence),
                float.fromhex(weight),
            )
            sums.worst.extend([item])
        sums.clusters = ClusterSums.from_payload(payload["clusters"])
        return sums


def _check(good: bool, name: str) -> None:
    if not good:
        raise ValueError(f"{name} does not fit the specification")


def _reliability_bin(rows: Rows, bins: int) -> NDArray[np.int64]:
    # floor(c * bins) in float64: intervals are [low, high), and c = 1 belongs to the last one
    return np.minimum((rows.confidence * bins).astype(np.int64), bins - 1)


def _histogram(nll: NDArray[np.float64]) -> NDArray[np.int64]:
    at = (nll.view(np.int64) >> 50) - (_FIRST_BIN - 1)
    bins = len(HISTOGRAM_EDGES) - 1
    return np.bincount(np.clip(at, 0, bins - 1), minlength=bins)
