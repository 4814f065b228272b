"""Checks of predicted means, and of means with spreads, of real targets."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neglog.diagnosis.arrays import SURE, Floats, gain, span
from neglog.diagnosis.finding import Finding
from neglog.families import Normal

KINDS = ("mean", "mean_var", "mean_std")

_NLL = Normal().nll


def check_mean(mean: Floats, t: Floats, tolerance: float) -> Iterator[Finding]:
    """The findings of finite predictions ``(n,)`` or ``(n, D)`` of finite targets of the same shape."""
    if not t.size or float(np.ptp(t)) == 0:
        return
    softmax = _softmax(mean, t, tolerance)
    if softmax:
        yield softmax
    elif len(t) >= 8 and (np.ptp(mean, axis=0) <= 1e-6 * float(abs(mean).max())).all():
        yield Finding(
            "constant",
            "the same prediction for every row",
            f"the predictions are {span(mean)} in all {len(t):,} rows, the targets run over {span(t)} with mean "
            f"{t.mean():.4g} and standard deviation {t.std():.4g}.",
            "look for dead units, an input that is zero or not connected, a learning rate that killed the network.",
            {"output": float(mean.flat[0]), "target_mean": float(t.mean()), "target_sd": float(t.std())},
        )
    elif _squashed(mean, t):
        yield Finding(
            "bounded",
            "a sigmoid or tanh on the mean of an unbounded target",
            f"all predictions lie in {span(mean)}, {100 * _at_ends(mean):.0f}% of them at the ends of that range, "
            f"while {100 * _beyond(mean, t):.0f}% of the targets (range {span(t)}) lie outside.",
            "no activation on the last layer; or scale the target into the range that the activation has.",
            {"at_ends": _at_ends(mean), "beyond": _beyond(mean, t)},
        )
    else:
        yield from _units(mean, t)


def _softmax(mean: Floats, t: Floats, tolerance: float) -> Finding | None:
    """Whether the means are a softmax, and the targets are not."""
    alone = mean.ndim == 1 or mean.shape[-1] == 1
    if alone:
        is_softmax = bool((mean == 1).all()) and len(t) >= 2
    else:
        inside = (mean >= 0).all() and (mean <= 1 + tolerance).all()
        is_softmax = bool(inside and (abs(mean.sum(-1) - 1) <= tolerance).all())
        if is_softmax and (abs(t.sum(-1) - 1) <= tolerance).all():
            return None  # shares that sum to one are predicted well by shares that do
    if not is_softmax:
        return None
    beyond = float(((t < 0) | (t > 1)).mean())
    shown = "every prediction is exactly 1" if alone else "all predictions lie in [0, 1] and the rows sum to one"
    why = (
        "a softmax over an axis of length one is 1 whatever goes in, with gradient 0"
        if alone
        else f"the targets run over {span(t)}, {100 * beyond:.0f}% of them outside [0, 1], and their rows sum to no 1"
    )
    return Finding(
        "softmax_on_mean",
        "a softmax on the mean of a regression",
        f"{shown}; {why}.",
        "no activation on the last layer: a mean may be any number.",
        {"beyond": beyond, "target_mean": float(t.mean())},
    )


def _at_ends(mean: Floats) -> float:
    low, high = float(mean.min()), float(mean.max())
    close = 1e-3 * (high - low)
    return float(((mean <= low + close) | (mean >= high - close)).mean())


def _beyond(mean: Floats, t: Floats) -> float:
    return float(((t < mean.min()) | (t > mean.max())).mean())


def _squashed(mean: Floats, t: Floats) -> bool:
    """Whether the predictions crowd at the ends of [0, 1] or [-1, 1] and the targets go on."""
    low, high = float(mean.min()), float(mean.max())
    inside = low >= -1 and high <= 1 and (high > 0.99 or low < -0.99)
    return inside and len(t) >= 20 and _at_ends(mean) >= 0.2 and _beyond(mean, t) >= 0.1


def _units(mean: Floats, t: Floats) -> Iterator[Finding]:
    """Whether the predictions live on another scale than the targets."""
    if len(t) < 20:
        return
    off = abs(float(mean.mean()) - float(t.mean())) / float(t.std())
    wider = float(mean.std()) / float(t.std())
    if off < 3 and wider < 10:
        return
    yield Finding(
        "units",
        "predictions and targets in different units",
        f"the predictions have mean {mean.mean():.4g} and standard deviation {mean.std():.4g}, the targets "
        f"{t.mean():.4g} and {t.std():.4g}: the means are {off:.3g} standard deviations of the target apart.",
        "if the model was trained on (y - a)/s, its prediction is a + s * output, its NLL in the units of y is higher "
        "by log s. Right after initialisation: standardise the target, or start the last bias at its mean.",
        {"offset": off, "ratio": wider},
        certain=False,
    )


def check_spread(mean: Floats, spread: Floats, t: Floats, kind: str) -> Iterator[Finding]:
    """The findings of predicted variances (``"mean_var"``) or standard deviations (``"mean_std"``)."""
    name = "variance" if kind == "mean_var" else "standard deviation"
    if (spread < 0).any():
        yield _negative(mean, spread, t, name)
        return
    if (spread == 0).any():
        yield Finding(
            "zero_spread",
            f"a {name} of 0",
            f"{int((spread == 0).sum()):,} of {spread.size:,} are 0: the density there is infinite or 0.",
            "a floor with a gradient: softplus(raw) + floor.",
            {"rows": float((spread == 0).sum())},
        )
        return
    square = (t - mean) ** 2
    used, other = (spread, spread**2) if kind == "mean_var" else (spread**2, spread)
    standardised, swapped = float((square / used).mean()), float((square / other).mean())
    losses = _NLL(t, mean, np.sqrt(used), check=False).ravel()
    better, errors = gain(losses, _NLL(t, mean, np.sqrt(other), check=False).ravel())
    numbers = {
        "standardised": standardised,
        "standardised_swapped": swapped,
        "nll": float(losses.mean()),
        "gain": better,
        "standard_errors": errors,
    }
    if errors > SURE and 0.5 < swapped < 2 and not 2 / 3 < standardised < 1.5:
        yield _swapped(kind, numbers)
    elif t.size >= 30 and not 0.2 < standardised < 5:
        word = "too small" if standardised > 1 else "too large"
        yield Finding(
            "spread",
            f"{name}s that are {word}",
            f"the mean of (y - mean)²/variance over {t.size:,} entries is {standardised:.4g}; it is 1 where the "
            f"variance is right. The NLL is {losses.mean():.4f}.",
            "look at the units of target and prediction. On held-out rows a model that has learned its training rows "
            "by heart looks like this, too: multiply the variances by that mean.",
            numbers,
            certain=False,
        )


def _swapped(kind: str, numbers: dict[str, float]) -> Finding:
    passed, expected = ("standard deviations", "variances")[:: 1 if kind == "mean_var" else -1]
    formula = ("v", "v²") if kind == "mean_var" else ("s²", "s")
    change = "pass std**2" if kind == "mean_var" else "pass the square root of the variance"
    return Finding(
        "std_as_variance" if kind == "mean_var" else "variance_as_std",
        f"{passed} where {expected} are expected",
        f"squared residuals over the variance should average 1. With r²/{formula[0]}, as passed, they average "
        f"{numbers['standardised']:.4g}; with r²/{formula[1]} {numbers['standardised_swapped']:.4g}. Read that way "
        f"the NLL falls by {numbers['gain']:.4f} from {numbers['nll']:.4f} ({numbers['standard_errors']:.0f} standard "
        "errors).",
        f"{change}: gaussian_nll_loss takes a variance, nl.Normal() a standard deviation (scale).",
        numbers,
        certain=False,
    )


def _negative(mean: Floats, spread: Floats, t: Floats, name: str) -> Finding:
    count = int((spread < 0).sum())
    with np.errstate(over="ignore"):
        as_log = float(((t - mean) ** 2 / np.exp(spread)).mean())
    return Finding(
        "negative_spread",
        f"a negative {name}",
        f"{count:,} of {spread.size:,} are negative (range {span(spread)}). Read as log-variances, the mean of "
        f"(y - mean)²/variance is {as_log:.4g}; 1 would be right.",
        "exp(output) if the network gives log-variances; else softplus(output) + floor.",
        {"rows": float(count), "standardised_as_log": as_log},
    )
