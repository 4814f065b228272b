"""logsumexp, log_softmax and softmax, and what they pass back."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from neglog import _native
from neglog.core.arrays import Array, Layout, axis_index, deliver, floating, gradient_like, result_dtype, rows
from neglog.errors import ShapeError


def logsumexp(logits: Any, *, axis: int | tuple[int, ...] | None = -1, keepdims: bool = False) -> Any:
    r"""Logarithm of the sum of exponentials.

    .. math:: \log \sum_k e^{z_k}

    Parameters
    ----------
    logits : (..., C, ...) float array
    axis : int, tuple of int, or None
        The axis or axes that are summed over; None: all of them.
    keepdims : bool
        Keep those axes with length 1.

    Returns
    -------
    array of the shape without ``axis``: float64 for float64, float32 for narrower input.

    Raises
    ------
    ShapeError
        An axis that ``logits`` does not have, or has been named twice.

    Notes
    -----
    All ``-inf`` (or no element at all) gives ``-inf``, a ``+inf`` gives ``+inf``, NaN only if a logit is NaN.

    Examples
    --------
    >>> import neglog as nl
    >>> print(nl.losses.logsumexp([1000.0, 0.0, -1000.0]))
    1000.0
    """
    x = floating("logsumexp", "logits", logits)
    axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = tuple(axis_index("logsumexp", "logits", x, one) for one in axes)
    if len(set(axes)) < len(axes):
        raise ShapeError(f"logsumexp: axis={axis} names an axis twice for logits of shape {x.shape}")
    kept = [i for i in range(x.ndim) if i not in axes]
    joined = x
    if len(axes) != 1:  # the axes become one
        shape = [x.shape[i] for i in kept]
        joined = x.transpose(*kept, *axes).reshape(*shape, prod(x.shape[i] for i in axes))
    layout = rows("logsumexp", "logits", joined, axes[0] if len(axes) == 1 else -1)
    value = np.empty(layout.entry_shape, result_dtype(x))
    _native.logsumexp(layout.memory, value, None)
    value = layout.restore_entries(value)
    return np.expand_dims(value, axes) if keepdims else value[()]


def logsumexp_grad(
    logits: Any, *, axis: int = -1, keepdims: bool = False, out: Array | None = None
) -> tuple[Any, Array]:
    r"""logsumexp and its gradient, the softmax.

    Parameters
    ----------
    logits, keepdims
        As in :func:`logsumexp`.
    axis : int
        The axis that is summed over.
    out : array like ``logits``, optional
        Receives the gradient; it may be ``logits`` itself, which is then overwritten.

    Returns
    -------
    (value, gradient) with the gradient in the shape and dtype of ``logits``.

    Examples
    --------
    >>> import neglog as nl
    >>> value, gradient = nl.losses.logsumexp_grad([0.0, 0.0])
    >>> print(value.round(6), gradient)
    0.693147 [0.5 0.5]
    """
    x = floating("logsumexp_grad", "logits", logits)
    layout = rows("logsumexp_grad", "logits", x, axis)
    value = np.empty(layout.entry_shape, result_dtype(x))
    gradient, written = gradient_like("logsumexp_grad", x, layout, out, {})
    _native.logsumexp(layout.memory, value, written, True)
    value = layout.restore_entries(value)
    return np.expand_dims(value, axis) if keepdims else value[()], deliver(gradient, written, layout)


def log_softmax(logits: Any, *, axis: int = -1, out: Array | None = None) -> Array:
    r"""Log-probabilities of a softmax.

    .. math:: z_k - \log \sum_j e^{z_j}

    Parameters
    ----------
    logits : (..., C, ...) float array
    axis : int
        The class axis.
    out : array like ``logits``, optional
        Receives the result; it may be ``logits`` itself.

    Returns
    -------
    array in the shape and dtype of ``logits``.

    Notes
    -----
    A logit of ``-inf`` is a masked class and stays ``-inf``; all ``-inf`` gives NaN. A confident prediction
    keeps its distance from 0, which ``z - logsumexp(z)`` would round away:

    Examples
    --------
    >>> import neglog as nl
    >>> print(nl.losses.log_softmax([40.0, 0.0]))
    [-4.24835426e-18 -4.00000000e+01]
    """
    return _normalised("log_softmax", logits, axis, out, probabilities=False)[0]


def softmax(logits: Any, *, axis: int = -1, out: Array | None = None) -> Array:
    r"""Probabilities of a softmax.

    .. math:: e^{z_k} / \sum_j e^{z_j}

    Parameters
    ----------
    logits, axis, out
        As in :func:`log_softmax`, whose edges apply; a masked class has probability exactly 0.

    Examples
    --------
    >>> import neglog as nl
    >>> print(nl.losses.softmax([1.0, 1.0, float("-inf")]))
    [0.5 0.5 0. ]
    """
    return _normalised("softmax", logits, axis, out, probabilities=True)[0]


def log_softmax_grad(logits: Any, upstream: Any, *, axis: int = -1, out: Array | None = None) -> tuple[Array, Array]:
    r"""log_softmax, and the gradient in the logits of whatever is computed from it.

    .. math:: g_k - p_k \sum_j g_j, \qquad g = \partial L / \partial \log p

    Parameters
    ----------
    logits, axis
        As in :func:`log_softmax`.
    upstream : array of the shape of ``logits``
        ``g``, the derivative of the result in the log-probabilities.
    out : array like ``logits``, optional
        Receives the gradient; separate memory.

    Returns
    -------
    (log-probabilities, gradient), both like ``logits``.

    Examples
    --------
    With :func:`nll_loss` behind it, this is the gradient of the cross-entropy:

    >>> import neglog as nl
    >>> logits, target = [[2.0, 1.0, 0.1]], [0]
    >>> _, upstream = nl.losses.nll_loss_grad(nl.losses.log_softmax(logits), target)
    >>> print(nl.losses.log_softmax_grad(logits, upstream)[1].round(6))
    [[-0.340999  0.242433  0.098566]]
    """
    log_probs, layout, x = _normalised("log_softmax_grad", logits, axis, None, probabilities=False)
    g = floating("log_softmax_grad", "upstream", upstream)
    if g.shape != x.shape:
        raise ShapeError(f"log_softmax_grad: upstream has shape {g.shape}; allowed: that of the logits, {x.shape}")
    reads = {"logits": x if out is not None else None, "upstream": g}
    gradient, written = gradient_like("log_softmax_grad", log_probs, layout, out, reads)
    memory = layout.full(g.astype(x.dtype, copy=False))
    _native.log_softmax_back(layout.memory, memory, written)
    return log_probs, deliver(gradient, written, layout)


def _normalised(
    function: str, logits: Any, axis: int, out: Array | None, *, probabilities: bool
) -> tuple[Array, Layout, Array]:
    x = floating(function, "logits", logits)
    layout = rows(function, "logits", x, axis)
    result, written = gradient_like(function, x, layout, out, {})
    _native.logsumexp(layout.memory, None, written, probabilities)
    return deliver(result, written, layout), layout, x
