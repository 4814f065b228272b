"""The figures of the explanations, computed by the library that they explain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from neglog import demo, families, losses
from neglog.report.model import Curve, Curves


def figure(topic: str) -> Curves:
    """The figure of a topic."""
    return _FIGURES[topic]()


def names() -> tuple[str, ...]:
    """The topics that have one."""
    return tuple(_FIGURES)


def _points(x: Any, y: Any) -> tuple[tuple[float, float], ...]:
    pairs = zip(np.asarray(x, float).tolist(), np.asarray(y, float).tolist(), strict=True)
    return tuple(pair for pair in pairs if np.isfinite(pair).all())


def _logarithm() -> Curves:
    rows = np.arange(0, 1501, 10)

    def of_product(dtype: Any) -> Any:
        with np.errstate(divide="ignore", under="ignore"):
            return -np.log(np.power(dtype(0.5), rows.astype(dtype))).astype(float)

    curves = (
        Curve("sum of −log p", _points(rows, rows * np.log(2))),
        Curve("−log of the product, float64", _points(rows, of_product(np.float64)), dots=True, second=True),
        Curve("float32", _points(rows, of_product(np.float32)), dots=True),
    )
    caption = "The sum goes on; the product is 0 beyond 1074 factors of a half in float64 and beyond 149 in float32."
    return Curves("n observations of probability ½", caption, curves, "n", "NLL in nats")


def _minus_log_p() -> Curves:
    p = np.concatenate([np.geomspace(0.002, 0.05, 40), np.linspace(0.05, 1, 160)])
    nll = losses.binary_cross_entropy(p, np.ones_like(p), reduction="none")
    curve = Curve("−log p", _points(p, nll))
    return Curves("−log p", "From infinity at p = 0 to 0 at p = 1.", (curve,), "p of what happened", "−log p")


def _softmax() -> Curves:
    z = np.linspace(-4, 7, 221)
    logits = np.column_stack([z, np.full_like(z, 1.0), np.full_like(z, 0.1)])
    labels = np.zeros(len(z), int)
    loss, gradient = losses.cross_entropy_grad(logits, labels, reduction="none")
    curves = (
        Curve("loss −log p", _points(z, loss)),
        Curve("its slope p − 1", _points(z, gradient[:, 0]), second=True),
    )
    caption = "A straight line where the class is unlikely, an exponential decay to 0 where it is likely."
    return Curves("The loss over the logit of the true class", caption, curves, "z of the true class (others: 1, 0.1)")


def _cross_entropy() -> Curves:
    p = np.linspace(0.01, 0.99, 197)
    pairs, shares = np.log(np.column_stack([p, 1 - p])), np.array([0.7, 0.3])
    cross = losses.cross_entropy(pairs, np.tile(shares, (len(p), 1)), reduction="none")
    entropy = float(losses.cross_entropy(np.log(shares), shares))
    curves = (
        Curve("cross-entropy", _points(p, cross)),
        Curve("KL divergence", _points(p, cross - entropy), second=True),
        Curve("entropy of q", ((p[0], entropy), (p[-1], entropy)), dashed=True),
    )
    caption = "For q = 0.7: the cross-entropy lies above the entropy, and touches it at p = q."
    return Curves("What the model p pays where q = 0.7 is true", caption, curves, "p", "nats")


def _labels() -> Curves:
    x = np.linspace(-6, 6, 121)
    yes, no = (losses.binary_cross_entropy_with_logits(x, np.full_like(x, t), reduction="none") for t in (1.0, 0.0))
    curves = (Curve("it was a yes", _points(x, yes)), Curve("it was a no", _points(x, no), second=True))
    caption = "One the mirror image of the other; both are 0.693 at logit 0."
    return Curves("The binary loss over the logit", caption, curves, "logit x", "loss")


def _negative() -> Curves:
    y = np.linspace(-1.5, 1.5, 241)
    styles: tuple[dict[str, bool], ...] = ({}, {"second": True}, {"dashed": True})
    curves = tuple(
        Curve(f"σ = {scale:g}", _points(y, np.where(nll < 5, nll, np.nan)), **style)
        for scale, style in zip((0.15, 0.4, 1.0), styles, strict=True)
        for nll in (families.Normal().nll(y, 0.0, scale),)
    )
    caption = "Below 0 where the density exceeds 1: for every σ below 0.399 at the centre."
    return Curves("−log of a normal density", caption, curves, "y − μ", "−log f")


def _perfect_accuracy() -> Curves:
    margin = np.linspace(0, 8, 161)
    styles: tuple[dict[str, bool], ...] = ({}, {"second": True}, {"dashed": True})
    curves: list[Curve] = []
    for classes, style in zip((2, 10, 1000), styles, strict=True):
        logits = np.zeros((len(margin), classes))
        logits[:, 0] = margin
        loss = losses.cross_entropy(logits, np.zeros(len(margin), int), reduction="none")
        curves.append(Curve(f"{classes:,} classes", _points(margin, loss), **style))
    caption = "Everywhere right of 0 the accuracy is 100 %; the loss falls from log C and never reaches 0."
    return Curves("The loss of a class that is ahead", caption, tuple(curves), "margin before the others", "loss")


_SEPARATED = np.array([-2.0, -1.0, 1.0, 2.0]), np.array([0, 0, 1, 1])


def _no_maximum() -> Curves:
    slope = np.linspace(-1, 6, 141)
    x, y = _SEPARATED
    curves = tuple(
        Curve(label, _points(slope, [losses.binary_cross_entropy_with_logits(b * x, t) for b in slope]), second=second)
        for label, t, second in (("separated", y, False), ("labels 0, 1, 0, 1", np.array([0, 1, 0, 1]), True))
    )
    curves = (curves[0], Curve(curves[1].label, tuple(p for p in curves[1].points if p[1] < 2.2), second=True))
    caption = "The separated data have no best slope; overlapping data have one, at 0.42."
    return Curves("Mean NLL of a logistic regression", caption, curves, "slope", "mean NLL")


def _map() -> Curves:
    slope = np.linspace(-1, 4, 101)
    x, y = _SEPARATED
    nll = np.array([losses.binary_cross_entropy_with_logits(b * x, y, reduction="sum") for b in slope])
    curves = (
        Curve("NLL + penalty", _points(slope, nll + slope**2 / 2)),
        Curve("NLL", _points(slope, nll), second=True),
        Curve("penalty θ²/2", _points(slope, slope**2 / 2), dashed=True),
    )
    return Curves("Separated data with a prior", "The sum has a minimum, at 1.007.", curves, "slope θ", "nats")


def _log_odds() -> Curves:
    x = np.linspace(-6, 6, 121)
    curve = Curve("p", _points(x, losses.logodds_to_prob(x)))
    return Curves("Probability over log-odds", "Straight near 0, flat at both ends.", (curve,), "log-odds", "p")


def _likelihood() -> Curves:
    p = np.linspace(0, 1, 201)
    styles: tuple[dict[str, bool], ...] = ({}, {"second": True})
    curves = tuple(
        Curve(f"{heads} of {n}", _points(p, np.exp(family.nll(heads, n, heads / n) - family.nll(heads, n, p))), **style)
        for (heads, n), style in zip(((7, 10), (70, 100)), styles, strict=True)
        for family in (families.Binomial(),)
    )
    caption = "Both are highest at 0.7; ten times the data make the peak narrower by √10."
    return Curves("Likelihood of p, relative to its maximum", caption, curves, "p", "likelihood ratio")


def _mse() -> Curves:
    r = np.linspace(-5, 5, 201)
    normal, laplace = families.Normal().nll(r, 0.0, 1.0), families.Laplace().nll(r, 0.0, 1.0)
    student = families.StudentT().nll(r, 3.0, 0.0, 1.0)
    curves = (
        Curve("normal: a square", _points(r, normal - normal.min())),
        Curve("Laplace: |r|", _points(r, laplace - laplace.min()), second=True),
        Curve("Student t, 3 degrees of freedom", _points(r, student - student.min()), dashed=True),
    )
    curves = tuple(Curve(c.label, tuple(q for q in c.points if q[1] <= 6), c.dots, c.second, c.dashed) for c in curves)
    return Curves(
        "−log of three densities, from its minimum", "What an outlier costs.", curves, "residual r", "penalty"
    )


def _boosting() -> Curves:
    """Is a digit an 8? Trees of one split, on every second digit, each the Newton step of the logistic loss."""
    digits = demo.load("digits")
    pixels, eight = digits.matrix("pixel_*"), (digits["digit"] == 8).astype(float)
    splits = np.concatenate([pixels >= cut for cut in (2, 5, 8, 11, 14)], axis=1).astype(float)
    train, test = slice(0, None, 2), slice(1, None, 2)
    scores, history = np.zeros(len(eight)), []
    for trees in range(101):
        nll, gradient = losses.binary_cross_entropy_with_logits_grad(scores, eight, reduction="none")
        history.append((trees, nll[train].mean(), nll[test].mean()))
        p = losses.logodds_to_prob(scores[train])
        g, h, sides = gradient[train], p * (1 - p), np.stack([splits[train], 1 - splits[train]])
        slope, curve = g @ sides, h @ sides  # of each side of each split, (2, splits)
        step = -np.divide(slope, curve, out=np.zeros_like(slope), where=curve > 0)  # 0 where a side has no rows
        best = int(np.argmin((slope * step).sum(0)))
        steps = step[:, best]
        scores += 0.2 * np.where(splits[:, best] > 0, *steps)
    x, on_train, on_test = np.array(history).T
    curves = (Curve("training rows", _points(x, on_train)), Curve("held out", _points(x, on_test), second=True))
    caption = "One split a step; the loss falls fast, then slowly, and less on the rows that were held out."
    return Curves("Mean NLL of boosted trees: is it an 8?", caption, curves, "trees", "mean NLL")


def _mistakes() -> Curves:
    margin = np.linspace(0, 12, 121)
    logits = np.zeros((len(margin), 10))
    logits[:, 0] = margin
    labels = np.zeros(len(margin), int)
    right = losses.cross_entropy(logits, labels, reduction="none")
    wrong = losses.cross_entropy(losses.softmax(logits), labels, reduction="none")
    curves = (
        Curve("cross_entropy of probabilities", _points(margin, wrong)),
        Curve("cross_entropy of logits", _points(margin, right), second=True),
    )
    caption = "Ten classes: with a second softmax the loss stops at 1.461, however right the prediction."
    return Curves("The loss while the prediction gets better", caption, curves, "margin of the true class", "loss")


_FIGURES: dict[str, Callable[[], Curves]] = {
    "logarithm": _logarithm,
    "minus-log-p": _minus_log_p,
    "softmax": _softmax,
    "cross-entropy": _cross_entropy,
    "labels": _labels,
    "log-odds": _log_odds,
    "likelihood": _likelihood,
    "mse": _mse,
    "negative": _negative,
    "perfect-accuracy": _perfect_accuracy,
    "no-maximum": _no_maximum,
    "map": _map,
    "boosting": _boosting,
    "mistakes": _mistakes,
}
