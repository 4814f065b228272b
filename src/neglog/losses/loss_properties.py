"""What holds for a class loss, found by numerical checks: proper, convex, bounded, robust."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neglog.core.domain import check_number
from neglog.losses.named import AT_LEAST_TWO, class_loss

Floats = NDArray[np.float64]


class Properties(NamedTuple):
    """What holds for a loss, as :func:`properties` finds it.

    Attributes
    ----------
    proper, convex : bool
    lower, upper : float
        Infimum and supremum, as far as float64 tells.
    influence : str
        Of a sample whose label is impossible: "vanishes", "bounded" or "unbounded".
    pull : float
        Of a sample whose label has softmax probability 1/100, over that of one with 1/2; NaN if that is 0.

    Examples
    --------
    >>> import neglog as nl
    >>> nl.losses.properties("nllr").lower
    -inf
    """

    proper: bool
    convex: bool
    lower: float
    upper: float
    influence: str
    pull: float


def properties(loss: str, *, classes: int = 4, **parameters: Any) -> Properties:
    r"""Numerical answers about a loss of logits with class indices.

    Parameters
    ----------
    loss : str
        Its name in :mod:`neglog.losses`: ``"cross_entropy"``, ``"focal"``, ``"density_power"``, ...
    classes : int >= 2
        Number of classes.
    **parameters
        The loss's own.

    Returns
    -------
    Properties
        ``proper``: the expected loss under class probabilities :math:`\eta` has a stationary point at logits
        :math:`\log \eta`, and nothing lower around it, for a hundred random :math:`\eta`. ``convex``: in the logits,
        no chord of 20 000 random ones lies below the loss. ``lower``, ``upper``: the range over margins up to
        :math:`\pm 10^9`; a value that still moves at the end is infinite. ``influence``: what the gradient comes to
        at margin :math:`10^9`, where the sample's label is impossible. ``pull``: how much of its gradient a sample
        loses (or gains) on the way there, as labels that are merely wrong are seldom impossible: the 1-norm at
        :math:`p = 1/100` over that at 1/2, the other classes being equally likely.

    Raises
    ------
    ParameterError
        No such loss, or fewer than two classes.

    Examples
    --------
    >>> import neglog as nl
    >>> proper, convex, lower, upper, influence, pull = nl.losses.properties("cross_entropy")
    >>> print(proper, convex, lower, upper, influence, round(pull, 6))
    True True 0.0 inf bounded 1.98
    >>> robust = nl.losses.properties("generalized_cross_entropy", q=0.7)
    >>> print(robust.influence, round(robust.pull, 3))
    vanishes 0.128
    """
    gradient_of = class_loss("properties", loss)[1]
    check_number("properties", "classes", classes, AT_LEAST_TWO)

    def at(logits: Floats, target: Any) -> tuple[Floats, Floats]:
        return gradient_of(logits, target, reduction="none", **parameters)

    rng = np.random.default_rng(0)
    proper, convex = _proper(at, classes, rng), _convex(at, classes, rng)
    return Properties(proper, convex, *_range(at, classes), _influence(at, classes), _pull(at, classes))


def _proper(at: Any, classes: int, rng: np.random.Generator) -> bool:
    for eta in rng.dirichlet(np.ones(classes), 100):
        logits = np.vstack([np.log(eta), np.log(eta) + 0.1 * rng.standard_normal((20, classes))])
        expected, slope = np.zeros(21), np.zeros(classes)
        for k, probability in enumerate(eta):
            value, gradient = at(logits, np.full(21, k))
            expected += probability * value
            slope += probability * gradient[0]
        if np.abs(slope).max() > 1e-9 or (expected[1:] < expected[0] - 1e-12).any():
            return False
    return True


def _convex(at: Any, classes: int, rng: np.random.Generator) -> bool:
    spread = 10 ** rng.uniform(-1, 1.5, (20_000, 1))
    one, other = (spread * rng.standard_normal((20_000, classes)) for _ in range(2))
    target = np.zeros(20_000, np.int64)
    a, b, middle = (at(z, target)[0] for z in (one, other, (one + other) / 2))
    return bool(((a + b) / 2 >= middle - 1e-9 * (1 + np.abs(middle))).all())


def _range(at: Any, classes: int) -> tuple[float, float]:
    margins = np.concatenate([-np.logspace(9, -3, 200), np.logspace(-3, 9, 200)])
    low, high = np.inf, -np.inf
    for logits in (_with_margin(margins, classes), _with_margin(margins, classes, one=True)):
        value = at(logits, np.zeros(400, np.int64))[0]
        falls, rises = value[1] - value[0] > 1e-6, not value[-1] < value[-2] + 1e-6  # inf, too
        low = min(low, -np.inf if falls else float(value.min()))
        high = max(high, np.inf if rises else float(value.max()))
    return low, high


def _influence(at: Any, classes: int) -> str:
    near, far = np.abs(at(_with_margin(np.array([30.0, 1e9]), classes), np.zeros(2, np.int64))[1]).max(1)
    if far < 1e-3:
        return "vanishes"
    return "bounded" if far <= near * 1.01 else "unbounded"


def _pull(at: Any, classes: int) -> float:
    sure, unlikely = np.abs(at(_with_margin(np.array([0.0, np.log(99.0)]), classes), np.zeros(2, np.int64))[1]).sum(1)
    return float(unlikely / sure) if sure else np.nan


def _with_margin(margin: Floats, classes: int, one: bool = False) -> Floats:
    """Logits whose class 0 has that margin against it: by competitors of equal size, or by one of them."""
    logits = np.full((len(margin), classes), -np.inf if one else -np.log(classes - 1.0))
    logits[:, 0] = -margin
    if one:
        logits[:, 1] = 0.0
    return logits
