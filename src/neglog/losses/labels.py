"""log_loss: predictions judged against labels, in scikit-learn's terms but without its clip."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from neglog import _native
from neglog.core.arrays import Array, flat, floating, rows
from neglog.core.reduce import Entries, entry_weights, plan
from neglog.errors import InputError, ShapeError, TargetError
from neglog.losses.targets import raise_not_probability


def log_loss(
    y_true: Any,
    y_proba: Any,
    *,
    normalize: bool = True,
    sample_weight: Any = None,
    labels: Any = None,
) -> float:
    r"""Negative log-likelihood of labels under predicted probabilities.

    .. math:: -\sum_i w_i \log p_{i, y_i} \Big/ \sum_i w_i

    Parameters
    ----------
    y_true : (n,) array of labels
        Numbers, strings or booleans.
    y_proba : (n, C) array, or (n,) of the larger of two labels
        Columns in the order of the sorted labels. Only the probability of the true class is read: rows are
        neither renormalised nor required to sum to one.
    normalize : bool
        The weighted mean; otherwise the weighted sum.
    sample_weight : (n,) array, optional
        Rows of weight 0 are not read.
    labels : array, optional
        All labels; by default those in ``y_true``.

    Returns
    -------
    float, in nats. A probability of 0 for what happened gives ``inf``: nothing is clipped. No rows, or no
    weight, gives NaN.

    Raises
    ------
    InputKindError
        A value that is read lies outside [0, 1].
    TargetError
        A label that is not among ``labels``.
    ShapeError
        Shapes that do not match.

    See Also
    --------
    docs/differences.md : the numbers beside scikit-learn's.

    Examples
    --------
    >>> import neglog as nl
    >>> p = [[0.1, 0.9], [0.9, 0.1], [0.8, 0.2], [0.35, 0.65]]
    >>> nl.losses.log_loss(["spam", "ham", "ham", "spam"], p)
    0.21616187468057912
    >>> nl.losses.log_loss([0, 1], [[0.3, 0.7], [1.0, 0.0]])
    inf
    """
    y = np.asarray(y_true)
    p = floating("log_loss", "y_proba", y_proba)
    if p.ndim == 2 and p.shape[1] == 1:
        p = p[:, 0]
    if y.ndim != 1 or p.ndim not in (1, 2) or p.shape[0] != y.shape[0]:
        raise ShapeError(
            f"log_loss: y_true has shape {y.shape} and y_proba {np.shape(y_proba)}; allowed: (n,) with "
            "(n, C), or (n,) with (n,) for two labels"
        )
    known = _distinct(y if labels is None else np.asarray(labels).reshape(-1))
    classes = p.shape[1] if p.ndim == 2 else 2
    if len(known) != classes:
        raise _label_count(known, p, labels is not None)
    layout = rows("log_loss", "y_proba", p, 1) if p.ndim == 2 else flat(p)
    weights, _ = entry_weights("log_loss", layout, sample_weight, None)
    code = _encode(y, known)
    if p.ndim == 2:
        total, bad_label, bad_value = _native.nll_gather(
            layout.memory, layout.entries(code), True, None, weights, None, None, None, None, 1.0
        )
    else:
        unknown = (code != 0) & (code != 1)
        if weights is not None:
            unknown &= weights != 0
        bad_label = int(np.argmax(unknown)) if unknown.any() else -1
        total, bad_value, _ = _native.bce(
            layout.memory, (code == 1).astype(np.uint8), None, None, weights, None, None, None, 1.0
        )
    if bad_label >= 0:
        label = y[bad_label : bad_label + 1].tolist()[0]
        raise TargetError(f"log_loss: y_true[{bad_label}] = {label!r}; allowed: {_names(known)}")
    if bad_value >= 0:
        position = (bad_value,) if p.ndim == 1 else (bad_value, int(code[bad_value]))
        raise_not_probability("log_loss", "y_proba", p, position)
    if not normalize:
        return total
    divisor = plan("log_loss", Entries(layout, weights, None, None), "mean", None, "nan").divisor
    return total / divisor if divisor else math.nan


def _distinct(labels: Array) -> Array:
    """Sorted distinct labels; integers of a moderate range are counted instead of sorted."""
    if labels.dtype.kind == "b":
        labels = labels.view(np.uint8)
        return np.flatnonzero(np.bincount(labels, minlength=2)).astype(bool)
    if labels.dtype.kind in "iu" and labels.size:
        low, high = int(labels.min()), int(labels.max())
        if high - low <= max(65536, labels.size):
            return (np.flatnonzero(np.bincount(labels - labels.dtype.type(low))) + low).astype(labels.dtype)
    return np.unique(labels)


def _encode(y: Array, known: Array) -> Array:
    """Position of each label among the known ones, -1 if it is none of them."""
    if y.dtype.kind in "iu" and known.dtype.kind in "iu" and int(known[-1]) - int(known[0]) == len(known) - 1:
        first = int(known[0])
        if first == 0:
            return y if y.dtype.char in "Bilq" and y.dtype.isnative else y.astype(np.int64)
        return y.astype(np.int64) - first
    place = np.searchsorted(known, y)
    place[place == len(known)] = 0
    return np.where(known[place] == y, place, -1)


def _label_count(known: Array, p: Array, given: bool) -> InputError:
    source = "labels" if given else "y_true"
    need = f"{p.shape[1]} columns" if p.ndim == 2 else "one column, which stands for two labels"
    advice = "" if given else "; pass labels= with all of them"
    return ShapeError(
        f"log_loss: {source} has {len(known)} distinct labels ({_names(known)}) and y_proba {need}{advice}"
    )


def _names(known: Array) -> str:
    return ", ".join(repr(label) for label in known[:10].tolist()) + (", ..." if len(known) > 10 else "")
