"""Probability, odds and log-odds, each from the other, as exact as the digits of the input allow."""

from __future__ import annotations

from typing import Any

import numpy as np

from neglog.core.arrays import Array, floating
from neglog.errors import InputKindError
from neglog.losses.targets import place, raise_not_probability


def prob_to_logodds(p: Any) -> Any:
    r"""Log-odds of a probability.

    .. math:: \log \frac{p}{1 - p}

    ``p`` in [0, 1], else InputKindError; 0 gives ``-inf``, 1 gives ``inf``. A ``p`` near 1 carries few
    digits of ``1 - p``: below 0 the way back through :func:`logodds_to_prob` is exact to rounding, above 0
    only as far as those go.

    Examples
    --------
    >>> import neglog as nl
    >>> print(nl.losses.prob_to_logodds([0.0, 0.2, 0.5, 1.0]).round(6))
    [     -inf -1.386294  0.             inf]
    """
    from scipy.special import logit

    array = floating("prob_to_logodds", "p", p)
    _require("prob_to_logodds", "p", array, (array < 0) | (array > 1))
    return logit(array)


def logodds_to_prob(logodds: Any) -> Any:
    r"""Probability of log-odds, the logistic function.

    .. math:: 1 / (1 + e^{-x})

    Examples
    --------
    >>> import neglog as nl
    >>> print(nl.losses.logodds_to_prob([-float("inf"), -40.0, 0.0, float("inf")]))
    [0.00000000e+00 4.24835426e-18 5.00000000e-01 1.00000000e+00]
    """
    from scipy.special import expit

    return expit(floating("logodds_to_prob", "logodds", logodds))


def logodds_to_odds(logodds: Any) -> Any:
    r"""Odds of log-odds, ``exp(x)``; for a logistic regression's coefficient this is its odds ratio.

    Examples
    --------
    >>> import neglog as nl
    >>> print(nl.losses.logodds_to_odds(0.0))
    1.0
    """
    array = floating("logodds_to_odds", "logodds", logodds)
    with np.errstate(over="ignore"):  # odds beyond the largest number are inf
        return np.exp(array)


def odds_to_prob(odds: Any) -> Any:
    r"""Probability of odds.

    .. math:: o / (1 + o)

    ``odds >= 0``, else InputKindError; ``inf`` gives 1.

    Examples
    --------
    >>> import neglog as nl
    >>> print(nl.losses.odds_to_prob([0.0, 0.25, 1.0, float("inf")]))
    [0.  0.2 0.5 1. ]
    """
    array = floating("odds_to_prob", "odds", odds)
    _require("odds_to_prob", "odds", array, array < 0)
    small = np.minimum(array, 1)
    with np.errstate(divide="ignore"):
        return np.where(array > 1, 1 / (1 + 1 / array), small / (1 + small))[()]


def _require(function: str, name: str, array: Array, wrong: Array) -> None:
    if not np.any(wrong):
        return
    position = tuple(int(i[0]) for i in np.nonzero(np.atleast_1d(wrong)))[: array.ndim]
    if name == "p":
        raise_not_probability(function, name, array, position)
    raise InputKindError(f"{function}: {place(name, position)} = {array[position]}; allowed: {name} >= 0")
