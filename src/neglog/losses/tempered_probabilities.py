"""The softmax with another exponential: heavier tails, or tails that end."""

from __future__ import annotations

from typing import Any

import numpy as np

from neglog.core.arrays import Array, axis_index, floating, result_dtype
from neglog.core.domain import AT_LEAST_ONE, POSITIVE, check_number
from neglog.errors import ShapeError


def tempered_softmax(logits: Any, t: float, *, axis: int = -1, num_iters: int | None = None) -> Any:
    r"""Probabilities :math:`\exp_t(z_k - \lambda)` with :math:`\lambda` such that they sum to one.

    Parameters
    ----------
    logits : (..., C, ...) array
        ``z``.
    t : float > 0
        1 is the softmax; above it the tails are those of a power, below it they are cut off.
    axis : int
        The class axis.
    num_iters : int >= 1, optional
        Stop as the paper's code does, after so many fixed-point steps (``t > 1``) or bisections (``t < 1``); the result
        then need not sum to one. Default: solved to rounding.

    Returns
    -------
    Probabilities of the shape of ``logits``; float64 for float64 logits, else float32. A logit of ``-inf`` is a masked
    class; all ``-inf``, or one ``+inf`` or NaN, gives NaN.

    Raises
    ------
    ParameterError
        ``t`` or ``num_iters`` outside its domain.
    ShapeError
        An axis that ``logits`` does not have, or no class along it.

    Examples
    --------
    >>> import neglog as nl
    >>> print(nl.losses.tempered_softmax([4.0, -3.0, -6.0], 4.0).round(8))
    [0.41235244 0.30495036 0.2826972 ]
    >>> print(nl.losses.tempered_softmax([4.0, -3.0, -6.0], 4.0, num_iters=5).round(8))
    [0.4136935  0.30534994 0.28299214]
    """
    function = "tempered_softmax"
    check_number(function, "t", t, POSITIVE)
    if num_iters is not None:
        check_number(function, "num_iters", num_iters, AT_LEAST_ONE)
    x = floating(function, "logits", logits)
    axis = axis_index(function, "logits", x, axis)
    if not x.shape[axis]:
        raise ShapeError(f"{function}: logits has shape {x.shape}; allowed: at least one class along axis {axis}")
    z = np.moveaxis(x.astype(np.float64), axis, -1)
    with np.errstate(over="ignore", under="ignore", divide="ignore", invalid="ignore"):
        top = z.max(-1, keepdims=True)
        below = z - top
        shift = _newton(below, t) if num_iters is None or t == 1.0 else _steps(below, t, num_iters)
        p = np.where(np.isfinite(top), _exp_t(below - shift, t), np.nan)
    return np.moveaxis(p, -1, axis).astype(result_dtype(x))


def tempered_sigmoid(x: Any, t: float, *, num_iters: int | None = None) -> Any:
    """The first of two tempered probabilities, of logits ``(x, 0)``.

    Parameters
    ----------
    x : array
    t, num_iters
        As in :func:`tempered_softmax`.

    Returns
    -------
    Probabilities of the shape of ``x``.

    Examples
    --------
    >>> import neglog as nl
    >>> print(nl.losses.tempered_sigmoid([0.0, 3.0, 6.0], 4.0).round(6))
    [0.5      0.58503  0.641922]
    """
    values = floating("tempered_sigmoid", "x", x)
    pairs = np.stack([values, np.zeros_like(values)], -1)
    return tempered_softmax(pairs, t, num_iters=num_iters)[..., 0]


def _exp_t(x: Array, t: float) -> Array:
    if t == 1.0:
        return np.exp(x)
    scaled = (1.0 - t) * x
    inside = scaled > -1.0
    return np.where(inside, np.exp(np.log1p(np.where(inside, scaled, 0.0)) / (1.0 - t)), 0.0)


def _newton(below: Array, t: float) -> Array:
    """As native/rows_tempered.hpp, which has the argument why it rises to the root and never passes it."""
    shift = np.zeros((*below.shape[:-1], 1))
    for _ in range(60):
        x = below - shift
        e = _exp_t(x, t)
        total = e.sum(-1, keepdims=True)
        slope = np.where(e > 0, e / (1.0 + (1.0 - t) * np.where(e > 0, x, 0.0)), 0.0).sum(-1, keepdims=True)
        log_total = np.log(total)
        shift = shift + total * (log_total if t == 1.0 else np.expm1((t - 1.0) * log_total) / (t - 1.0)) / slope
        if not (total > 1.0 + 1e-13).any():
            break
    return shift


def _steps(below: Array, t: float, count: int) -> Array:
    """The iterations of the paper's code."""
    if t > 1.0:
        scaled = below
        for _ in range(count):
            scaled = below * _exp_t(scaled, t).sum(-1, keepdims=True) ** (1.0 - t)
        total = _exp_t(scaled, t).sum(-1, keepdims=True)
        return -(total ** (t - 1.0) - 1.0) / (1.0 - t)  # - log_t(1 / total)
    effective = (below > -1.0 / (1.0 - t)).sum(-1, keepdims=True)
    low = np.zeros((*below.shape[:-1], 1))
    high = -(effective ** (t - 1.0) - 1.0) / (1.0 - t)  # - log_t(1 / effective)
    for _ in range(count):
        middle = (low + high) / 2.0
        small = _exp_t(below - middle, t).sum(-1, keepdims=True) < 1.0
        low, high = np.where(small, low, middle), np.where(small, middle, high)
    return (low + high) / 2.0
