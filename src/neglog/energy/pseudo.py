"""Pseudo-likelihood: each binary unit given all the others (Besag 1975), which needs no log Z."""

from __future__ import annotations

from typing import Any

import numpy as np

from neglog.core.arrays import Array
from neglog.energy.model import RBM, checked
from neglog.energy.units import Rng, softplus_sum
from neglog.errors import ParameterError

_BLOCK = 2**20  # hidden units at a time


def pseudo_nll(model: RBM, v: Any, *, stochastic: bool = False, rng: Rng = None) -> Array:
    r"""Negative log pseudo-likelihood of each row, in nats.

    .. math:: -\sum_i \log P(v_i \mid v_{-i}) = \sum_i \log\big(1 + e^{F(v) - F(v^{(i)})}\big)

    where :math:`v^{(i)}` is ``v`` with unit ``i`` flipped. No likelihood: it compares models of the same data, and is
    below their NLL where units explain one another.

    Parameters
    ----------
    model : BernoulliBernoulli
    v : (n, visible units) array of 0 and 1
    stochastic : bool
        One unit of each row, drawn at random, times the number of units: unbiased, and as many times cheaper.
    rng : numpy.random.Generator or int, optional
        Source of randomness, or its seed.

    Returns
    -------
    (n,) float64 array

    Raises
    ------
    ParameterError
        A machine with real visible units: given the others a unit has no closed form.
    DataError, ShapeError
        Values outside [0, 1]; another number of columns.

    Examples
    --------
    >>> import neglog as nl
    >>> machine = nl.energy.BernoulliBernoulli([[0.0], [0.0]], [0.0, 0.0], [0.0])
    >>> nl.energy.pseudo_nll(machine, [[0, 1]])
    array([1.38629436])
    """
    if not model.binary:
        raise ParameterError(f"pseudo_nll: the visible units of {type(model).__name__} are real; allowed: binary ones")
    x = checked("pseudo_nll", v, model.n_visible, True).astype(np.float64)
    m = model.wide()
    change = 1 - 2 * x  # what a flip adds
    result = np.empty(len(x))
    units = np.random.default_rng(rng).integers(model.n_visible, size=len(x)) if stochastic else None
    step = max(1, _BLOCK // model.n_hidden)
    for at in range(0, len(x), step):
        here = slice(at, at + step)
        inflow = x[here] @ m.weights
        before = softplus_sum(inflow, m.hidden_bias)
        if units is None:
            result[here] = sum(
                _one(m, inflow, before, change[here, i], m.weights[i], m.visible_bias[i]) for i in range(m.n_visible)
            )
        else:
            unit = units[here]
            flip = change[here][np.arange(len(unit)), unit]
            one = _one(m, inflow, before, flip, m.weights[unit], m.visible_bias[unit])
            result[here] = model.n_visible * one
    return result


def _one(model: RBM, inflow: Array, before: Array, change: Array, weights: Array, bias: Any) -> Array:
    """``log(1 + exp(F(v) - F(v flipped)))`` of one unit of each row."""
    after = softplus_sum(inflow + change[:, None] * weights, model.hidden_bias)
    return np.logaddexp(0.0, after - before + change * bias)
