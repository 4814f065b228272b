"""Checks of one score or probability per yes-or-no target."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from neglog.diagnosis.arrays import SURE, Floats, gain, span
from neglog.diagnosis.finding import Finding
from neglog.families import Bernoulli

KINDS = ("logits", "probs", "logprobs")

_NLL = Bernoulli().nll


def check_targets(t: Floats) -> Iterator[Finding]:
    """The findings of targets that should lie in [0, 1]."""
    values = np.unique(t[np.isfinite(t)])
    if not len(values):
        yield Finding("empty", "no rows", "the target has no finite entries.", "look at what selected the rows.")
    elif values.tolist() == [-1.0, 1.0]:
        yield Finding(
            "signed_labels",
            "labels -1 and +1 where binary losses take 0 and 1",
            f"the target holds -1 ({int((t == -1).sum()):,} times) and 1 ({int((t == 1).sum()):,} times). At -1 the "
            "loss softplus(x) - t x has no lower bound.",
            "(target + 1) / 2.",
            {"lowest": -1.0, "highest": 1.0},
        )
    elif values.tolist() == [1.0, 2.0]:
        yield Finding(
            "one_based",
            "labels that count from one",
            "the target holds 1 and 2; binary losses take 0 and 1.",
            "subtract 1 from the target.",
            {"lowest": 1.0, "highest": 2.0, "classes": 2.0},
        )
    elif values[0] < 0 or values[-1] > 1:
        bad = (t < 0) | (t > 1)
        yield Finding(
            "target_outside",
            "targets that are no probability",
            f"{int(bad.sum()):,} of {t.size:,} targets lie outside [0, 1] (range {span(values)}).",
            "0 and 1 for no and yes, or a share between them; a real target needs a regression loss.",
            {"rows": float(bad.sum()), "lowest": float(values[0]), "highest": float(values[-1])},
        )


def check_scores(x: Floats, t: Floats, kind: str, declared: bool) -> Iterator[Finding]:
    """The findings of finite scores ``x`` of targets in [0, 1], both ``(n,)``."""
    inside = bool((x >= 0).all() and (x <= 1).all())
    finite = bool(np.isfinite(x).all())
    if len(x) >= 8 and float(np.ptp(t)) > 0 and finite and float(np.ptp(x)) <= 1e-6 * float(abs(x).max()):
        yield Finding(
            "constant",
            "the same prediction everywhere",
            f"all {len(x):,} outputs are {x[0]:.6g}, the targets vary with mean {t.mean():.4g}.",
            "look for dead units, an input that is zero or not connected, a learning rate that killed the network.",
            {"output": float(x[0]), "target_mean": float(t.mean())},
        )
    elif kind == "probs" and not inside:
        outside = int(((x < 0) | (x > 1)).sum())
        below = bool((x <= 0).all())
        yield Finding(
            "logprobs_as_probs" if below else "logits_as_probs",
            f"{'log-probabilities' if below else 'values outside [0, 1]'} where probabilities are expected",
            f"{outside:,} of {x.size:,} values lie outside [0, 1] (range {span(x)}).",
            "take the exponential."
            if below
            else "binary_cross_entropy_with_logits takes them as they are; or a sigmoid.",
            {"outside": float(outside)},
        )
    elif kind == "probs":
        yield from _impossible((x == 0) & (t > 0) | (x == 1) & (t < 1))
    else:
        yield from _impossible(np.isneginf(x) & (t > 0) | np.isposinf(x) & (t < 1))
        if inside:
            yield from _double_sigmoid(x, t, declared)


def _impossible(wrong: NDArray[np.bool_]) -> Iterator[Finding]:
    count = int(wrong.sum())
    if count:
        yield Finding(
            "impossible",
            "events that happened with probability 0",
            f"{count:,} of {wrong.size:,} outcomes were given probability 0: the loss is inf (PyTorch caps it at 100).",
            "keep the model in logits, where nothing rounds to 0 or 1.",
            {"rows": float(count)},
        )


def _double_sigmoid(p: Floats, t: Floats, declared: bool) -> Iterator[Finding]:
    """Whether values in [0, 1] explain the targets better as probabilities than as logits."""
    with np.errstate(divide="ignore"):
        better = _soft(np.log(p) - np.log1p(-p), t)
    worse = _soft(p, t)
    mean, errors = gain(worse, better)
    if errors < SURE:
        return
    low = float(t.mean()) * math.log1p(math.exp(-1)) + float(1 - t.mean()) * math.log(2)
    yield Finding(
        "double_sigmoid",
        "probabilities where binary_cross_entropy_with_logits takes logits",
        f"all values lie in {span(p)}. A sigmoid of them lies between 0.5 and 0.731: the loss cannot fall below "
        f"{low:.4f} on these targets. It is {worse.mean():.4f}; the NLL of these values as probabilities is "
        f"{worse.mean() - mean:.4f}, {errors:.0f} standard errors lower.",
        "take the sigmoid out of the model and pass its logits; or use binary_cross_entropy, which takes probabilities"
        + ("." if declared else ', and declare them here with kind="probs".'),
        {"floor": low, "loss": float(worse.mean()), "nll": float(worse.mean()) - mean, "standard_errors": errors},
        certain=False,
    )


def _soft(x: Floats, t: Floats) -> Floats:
    """The cross-entropy of shares ``t`` with logits ``x``."""
    one, zero = _NLL(np.ones_like(t), x, check=False), _NLL(np.zeros_like(t), x, check=False)
    return np.where(t > 0, t * np.where(t > 0, one, 0), 0) + np.where(t < 1, (1 - t) * np.where(t < 1, zero, 0), 0)
