"""Checks of rows of scores, probabilities or log-probabilities over classes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment, minimize_scalar

from neglog.diagnosis.arrays import SURE, Floats, Integers, gain, span
from neglog.diagnosis.finding import Finding
from neglog.families import Categorical

KINDS = ("logits", "probs", "logprobs")

_HIDDEN = float(np.finfo(np.float32).eps)
"""A probability that a second softmax leaves no trace of in float32; with one of 0 a single row would decide."""


@dataclass(frozen=True)
class Rows:
    """Finite rows with their classes; ``tolerance`` is what arithmetic in the input's dtype does to a sum."""

    z: Floats  # (n, C)
    y: Integers  # (n,)
    tolerance: float
    shares: Floats | None = None  # (n, C) where the target is a distribution; y is then its largest class

    def nll(self, logits: Floats) -> Floats:
        """The loss of other logits on the same targets."""
        family = Categorical()
        if self.shares is None:
            return family.nll(self.y, logits, check=False)
        total = np.zeros(len(logits))
        for k in np.flatnonzero(self.shares.any(0)):
            share = self.shares[:, k]
            total += np.where(share > 0, share * family.nll(np.full(len(logits), k), logits, check=False), 0.0)
        return total

    @cached_property
    def sums(self) -> Floats:
        """Of a row."""
        return self.z.sum(1)

    @cached_property
    def exp_sums(self) -> Floats:
        """Of the exponentials of a row."""
        with np.errstate(over="ignore"):
            return np.exp(self.z).sum(1)

    @cached_property
    def are_probs(self) -> bool:
        """Whether the rows are distributions."""
        return self.inside and bool((abs(self.sums - 1) <= self.tolerance).all())

    @cached_property
    def are_logprobs(self) -> bool:
        """Whether the rows are logarithms of distributions."""
        return bool((self.z <= self.tolerance).all() and (abs(self.exp_sums - 1) <= self.tolerance).all())

    @cached_property
    def inside(self) -> bool:
        """Whether every value lies in [0, 1]."""
        return bool((self.z >= 0).all() and (self.z <= 1 + self.tolerance).all())

    @cached_property
    def logits(self) -> Floats:
        """Rows whose softmax is the prediction."""
        if not self.are_probs:
            return self.z
        with np.errstate(divide="ignore"):
            return np.log(self.z)

    @cached_property
    def losses(self) -> Floats:
        """The NLL of each row, of whatever kind the rows are."""
        return self.nll(self.logits)

    @cached_property
    def accuracy(self) -> float:
        """The share of rows whose largest value stands at their class."""
        return float((self.z.argmax(1) == self.y).mean())


def guess(rows: Rows) -> str:
    """The kind that the values are, as far as they show it."""
    return "probs" if rows.are_probs else "logprobs" if rows.are_logprobs else "logits"


def check_rows(rows: Rows, kind: str, declared: bool) -> Iterator[Finding]:
    """The findings of finite rows whose targets are classes."""
    if not len(rows.y):
        return
    if _is_constant(rows):
        yield _constant(rows)
        return
    kinds = list(_wrong_kind(rows, kind, declared))
    yield from kinds
    if any(finding.certain for finding in kinds):
        return  # how good the predictions are is a question about what they should have been
    yield from _impossible(rows)
    order = _class_order(rows)
    if order:
        yield order
        return
    if rows.are_probs:
        yield from _softmax_twice(rows)
    yield from _scale(rows)


def _wrong_kind(rows: Rows, kind: str, declared: bool) -> Iterator[Finding]:
    if rows.are_probs and (kind == "logits" or not declared):
        yield _double_softmax(rows, declared)
    elif kind == "logprobs" and not rows.are_logprobs:
        yield _not_logprobs(rows)
    elif kind == "probs" and not rows.are_probs:
        yield _not_probs(rows)


def floor(spread: float, classes: int) -> float:
    """The lowest cross-entropy of logits that differ by at most ``spread``.

    >>> round(floor(1.0, 10), 6), round(floor(1.0, 2), 6)  # of probabilities taken for logits
    (1.46115, 0.313262)
    """
    return math.log1p((classes - 1) * math.exp(-spread))


def _double_softmax(rows: Rows, declared: bool) -> Finding:
    classes = rows.z.shape[1]
    lowest = floor(1.0, classes)
    as_logits = float(rows.nll(rows.z).mean())
    loss = float(rows.losses.mean())
    return Finding(
        "double_softmax",
        "probabilities where cross_entropy takes logits" if declared else "probabilities: no input for cross_entropy",
        f"all values lie in [0, 1] and the rows sum to {span(rows.sums)}. A softmax of them gives no class more than "
        f"{math.exp(-lowest):.3f}: cross_entropy cannot fall below log(1 + {classes - 1}/e) = {lowest:.4f}. It is "
        f"{as_logits:.4f}; the NLL of these probabilities is {loss:.4f}.",
        "take the softmax out of the model and pass its logits; if there are only probabilities, nll_loss of their "
        "logarithm, or log_loss" + ("." if declared else ', and declare them here with kind="probs".'),
        {"floor": lowest, "cross_entropy": as_logits, "nll": loss},
        certain=declared,
    )


def _not_logprobs(rows: Rows) -> Finding:
    positive = int((rows.z > rows.tolerance).sum())
    own = -rows.z[np.arange(len(rows.y)), rows.y].mean()
    numbers = {"positive": float(positive), "exp_sum": float(rows.exp_sums.mean()), "nll_loss": float(own)}
    if rows.are_probs:
        return Finding(
            "probs_as_logprobs",
            "probabilities where nll_loss takes their logarithms",
            f"{positive:,} of {rows.z.size:,} values are above 0, the exponentials of a row sum to "
            f"{span(rows.exp_sums)}, and the rows themselves sum to one. nll_loss would be {own:.4f}, a mean of -p "
            f"instead of -log p, which is {rows.losses.mean():.4f}.",
            "take the logarithm; best log_softmax(logits) in place of softmax, or cross_entropy of the logits.",
            numbers | {"nll": float(rows.losses.mean())},
        )
    return Finding(
        "logits_as_logprobs",
        "rows that are not normalised where nll_loss takes log-probabilities",
        f"the exponentials of a row sum to {span(rows.exp_sums)} instead of 1; {positive:,} of {rows.z.size:,} values "
        f"are above 0. nll_loss would be {own:.4f}, the NLL of the normalised rows is {rows.losses.mean():.4f}.",
        "pass the rows to cross_entropy, or through log_softmax.",
        numbers | {"nll": float(rows.losses.mean())},
    )


def _not_probs(rows: Rows) -> Finding:
    outside = int(((rows.z < 0) | (rows.z > 1 + rows.tolerance)).sum())
    numbers = {"outside": float(outside), "lowest_sum": float(rows.sums.min()), "highest_sum": float(rows.sums.max())}
    if rows.are_logprobs:
        return Finding(
            "logprobs_as_probs",
            "log-probabilities where probabilities are expected",
            f"no value is above 0 and the exponentials of every row sum to one; {outside:,} of {rows.z.size:,} values "
            "lie outside [0, 1].",
            'take the exponential, or declare kind="logprobs" (nll_loss, Score input="logprobs").',
            numbers,
        )
    if outside:
        return Finding(
            "logits_as_probs",
            "values outside [0, 1] where probabilities are expected",
            f"{outside:,} of {rows.z.size:,} values lie outside [0, 1] (range {span(rows.z)}).",
            'take the softmax, or declare kind="logits" (cross_entropy, Score input="logits").',
            numbers,
        )
    off = int((abs(rows.sums - 1) > rows.tolerance).sum())
    return Finding(
        "unnormalised",
        "rows that do not sum to one",
        f"{off:,} of {len(rows.y):,} rows sum to something else than 1 (range {span(rows.sums)}): their -log p is the "
        "NLL of no distribution, and rows with larger sums look better than they are.",
        "one class per row: a softmax in place of the sigmoids, or divide by the sums. Several labels per row: "
        "binary_cross_entropy with a 0/1 target for each of them.",
        numbers | {"rows": float(off)},
    )


def _is_constant(rows: Rows) -> bool:
    if len(rows.y) < 8 or len(np.unique(rows.y)) == 1:
        return False
    finite = np.isfinite(rows.z)
    z = np.where(finite, rows.z, 0.0)
    return bool((finite == finite[0]).all() and (np.ptp(z, axis=0) <= 1e-6 * abs(z).max()).all())


def _constant(rows: Rows) -> Finding:
    shares = np.bincount(rows.y, minlength=rows.z.shape[1]) / len(rows.y)
    entropy = float(-(shares[shares > 0] * np.log(shares[shares > 0])).sum())
    loss = float(rows.losses.mean())
    return Finding(
        "constant",
        "the same prediction for every row",
        f"no output varies over {len(rows.y):,} rows that hold {np.count_nonzero(shares)} classes. The loss is "
        f"{loss:.4f}; with the shares of the classes as the constant prediction it would be {entropy:.4f}.",
        "look for dead units (all ReLUs at 0), weights that start at 0 in more than the last layer, an input that is "
        "zero or not connected, a learning rate that killed the network.",
        {"nll": loss, "entropy": entropy},
    )


def _impossible(rows: Rows) -> Iterator[Finding]:
    count = int(np.isinf(rows.losses).sum())
    if count:
        first = int(np.argmax(np.isinf(rows.losses)))
        yield Finding(
            "impossible",
            "classes that happened with probability 0",
            f"{count:,} of {len(rows.y):,} rows give their class probability 0 (the first: row {first}, class "
            f"{rows.y[first]}): the loss is inf.",
            "keep the model in logits, where nothing rounds to 0; do not mask a class that can be a target.",
            {"rows": float(count)},
        )


def _class_order(rows: Rows) -> Finding | None:
    """Whether the predictions are right for the classes in another order."""
    n, classes = rows.z.shape
    if not 3 <= classes <= 300 or n < 20 * classes:
        return None
    confusion = np.zeros((classes, classes), np.int64)
    np.add.at(confusion, (rows.y, rows.z.argmax(1)), 1)
    true, predicted = linear_sum_assignment(-confusion)
    right = confusion[true, predicted].sum() / n
    if right < 0.6 or rows.accuracy > 0.5 * right:
        return None
    renamed = Rows(rows.z, predicted[rows.y], rows.tolerance)
    if renamed.losses.mean() > 0.6 * math.log(classes):
        return None  # a network that knows nothing yet is right in some order of few classes
    moved = [(int(a), int(b)) for a, b in zip(true, predicted, strict=True) if a != b and confusion[a].any()]
    steps = {(a - b) % classes for a, b in moved}
    shift = len(steps) == 1 and steps <= {1, classes - 1}
    word = "labels start at one more than the outputs" if steps == {1} else "labels start at one less than the outputs"
    shown = ", ".join(f"class {a} is predicted as {b}" for a, b in moved[:5])
    return Finding(
        "class_order",
        word if shift else "outputs in another order than the classes",
        f"{100 * rows.accuracy:.1f}% of the rows are predicted right, and {100 * right:.1f}% with the classes in "
        f"another order: {shown}{', ...' if len(moved) > 5 else ''}.",
        "make labels and outputs count alike: classes sorted the same way in training and now, labels from 0.",
        {"accuracy": rows.accuracy, "accuracy_reordered": float(right), "shift": float(min(steps)) if shift else 0.0},
        certain=False,
    )


def _softmax_twice(rows: Rows) -> Iterator[Finding]:
    """Whether probabilities are the softmax of probabilities, which are better ones."""
    if not (rows.z > 0).all():
        return
    inner = rows.logits - rows.logits.mean(1, keepdims=True) + 1 / rows.z.shape[1]
    if inner.min() < -1e-3 or np.ptp(rows.logits, axis=1).max() < 0.9:
        return  # the last: probabilities that never come near the ends are cautious, no more
    mean, errors = gain(rows.losses, rows.nll(np.log(np.maximum(inner, _HIDDEN))))
    if errors < SURE or mean < 0.05:
        return
    classes = rows.z.shape[1]
    yield Finding(
        "softmax_twice",
        "probabilities that went through a softmax twice",
        f"no probability exceeds {rows.z.max():.4f}; a softmax of probabilities ends at e/(e + {classes - 1}) = "
        f"{math.exp(-floor(1.0, classes)):.4f}. With one softmax undone the NLL falls from {rows.losses.mean():.4f} to "
        f"{rows.losses.mean() - mean:.4f}.",
        "apply softmax once: not in the model and again for the prediction.",
        {"highest": float(rows.z.max()), "nll": float(rows.losses.mean()), "gain": mean, "standard_errors": errors},
        certain=False,
    )


def _scale(rows: Rows) -> Iterator[Finding]:
    """Whether the logits times a number would do much better."""
    z = rows.logits
    if not np.isfinite(z).all() or len(z) < 30:
        return

    def mean_nll(log_factor: float) -> float:
        return float(rows.nll(math.exp(log_factor) * z).mean())

    best: Any = minimize_scalar(mean_nll, bounds=(-9, 7), method="bounded", options={"xatol": 1e-3})
    factor = math.exp(best.x)
    mean, errors = gain(rows.losses, rows.nll(factor * z))
    loss, classes = float(rows.losses.mean()), z.shape[1]
    numbers = {"nll": loss, "temperature": 1 / factor, "nll_at_temperature": loss - mean, "standard_errors": errors}
    if errors < SURE or mean < 0.1 * loss:
        return
    spread = float(np.ptp(z, axis=1).mean())
    if factor < 1 / 3 and mean > 0.25:
        no_worse = f", that of equal probabilities {math.log(classes):.4f}" if loss > math.log(classes) else ""
        yield Finding(
            "overconfident",
            "logits of a scale that the labels do not support",
            f"the logits of a row span {spread:.4g} on average. The NLL is {loss:.4f}{no_worse}; divided by "
            f"{1 / factor:.3g} they give {loss - mean:.4f} with the same accuracy, {100 * rows.accuracy:.1f}%.",
            "on held-out rows: fit a temperature, train for a shorter time or with weight decay. On training rows: "
            "scale the inputs, lower the learning rate. Accuracy at chance: rows or labels out of order.",
            numbers,
            certain=False,
        )
    elif factor > 3 and mean > 0.1 and 0.9 < abs(rows.z).max() <= 1 + rows.tolerance and not rows.are_probs:
        low = floor(float(np.ptp(z)), classes)
        yield Finding(
            "bounded",
            "logits in so narrow a range that the loss cannot approach zero",
            f"all logits lie in {span(z)}: the lowest loss that such a range allows is log(1 + {classes - 1} "
            f"exp(-{np.ptp(z):.4g})) = {low:.4f}. It is {loss:.4f}; times {factor:.3g} the same logits give "
            f"{loss - mean:.4f}.",
            "take a sigmoid or tanh off the last layer; multiply cosines by a learned 1/temperature.",
            numbers | {"floor": low},
            certain=False,
        )
