"""Class probabilities from a network that was trained with a loss that is not proper."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from neglog import _native
from neglog.core.arrays import Array, axis_index, floating, result_dtype
from neglog.core.deformation import Deformation
from neglog.core.deformations import DEFORMATIONS
from neglog.errors import InputKindError, ParameterError
from neglog.losses.primitives import logsumexp, softmax


def recover_posterior(
    loss: str | Deformation,
    prediction: Any,
    *,
    input: Literal["probs", "logits"] = "probs",
    axis: int = -1,
    **parameters: Any,
) -> Any:
    r"""The class probabilities :math:`\eta` whose expected loss the prediction :math:`q` minimises.

    .. math:: \eta_k = \frac{-1 / \ell'(q_k)}{\sum_j -1 / \ell'(q_j)}

    A loss :math:`\ell(p_y)` of softmax probabilities that is not proper (focal, generalised cross-entropy, NLLR, ...)
    leaves a trained network with outputs that are no probabilities of classes, but at an interior minimum of
    :math:`\sum_k \eta_k \ell(q_k)` they are an invertible function of them.

    Parameters
    ----------
    loss : str or Deformation
        Name of the loss as in :mod:`neglog.losses` (``"focal"``, ``"nllr"``, ...), or ``"cross_entropy"``, for which
        the prediction itself is returned.
    prediction : (..., C, ...) array
        Softmax probabilities ``q``, or logits.
    input : "probs" or "logits"
        Logits keep the digits of probabilities near 0 and 1.
    axis : int
        The class axis.
    **parameters
        Those that the loss was trained with: ``gamma=2.0``.

    Returns
    -------
    Probabilities of the shape of ``prediction`` that sum to one; float64 for float64 input, else float32.

    Raises
    ------
    ParameterError
        An unknown loss; or one with a truncation, or linear in the probability (generalised cross-entropy at ``q = 1``,
        Taylor cross-entropy of order 1): nothing can be told there.
    InputKindError
        A probability outside [0, 1]; a row that does not sum to 1 within 0.001 (half precision: 0.008).

    Notes
    -----
    For :func:`~neglog.losses.mislabel` the result is the distribution of the labels as observed; its softmax is that
    of the true ones. The minimum has to be interior: it is not for Taylor cross-entropy of low order with rare classes,
    nor for NLLR where one class has probability above 1/2.
    A class of probability 0 stays at 0.

    Source: stationarity of the expected loss; for focal loss: Charoenphakdee et al. (2021), arXiv:2011.09172,
    theorem 11.

    Examples
    --------
    >>> import neglog as nl
    >>> q = [0.39161, 0.33011, 0.18708, 0.09120]  # where the expected focal loss of (.45, .33, .15, .07) is smallest
    >>> print(nl.losses.recover_posterior("focal", q, gamma=2.0).round(4))
    [0.45 0.33 0.15 0.07]
    """
    function = "recover_posterior"
    x = floating(function, "prediction", prediction)
    if input not in ("probs", "logits"):
        raise ParameterError(f"{function}: input={input!r}; allowed: 'probs', 'logits'")
    axis = axis_index(function, "prediction", x, axis)
    logits = np.moveaxis(x.astype(np.float64), axis, -1)
    if input == "probs":
        if (bad := (logits < 0) | (logits > 1)).any():
            raise InputKindError(
                f"{function}: prediction holds {logits[bad][0]:g}, which is no probability; logits need input='logits'"
            )
        sums = logits.sum(-1)
        if (bad := np.abs(sums - 1) > (2.0**-7 if x.dtype.itemsize == 2 else 1e-3)).any():
            raise InputKindError(f"{function}: probabilities of a row sum to {sums[bad][0]:g}; allowed: 1")
        with np.errstate(divide="ignore"):
            logits = np.log(logits)
    kind, log_weight = _deformation(function, loss, parameters), logits
    if kind is not None:
        if reason := why_not(kind):
            raise ParameterError(f"{function}: {reason}: nothing can be told there")
        log_weight = _log_weight(kind, logits * kind.sharpness)
    with np.errstate(invalid="ignore"):
        posterior = softmax(log_weight)
    return np.moveaxis(posterior, -1, axis).astype(result_dtype(x))


def _deformation(function: str, loss: str | Deformation, parameters: dict[str, Any]) -> Deformation | None:
    """None: cross-entropy."""
    if isinstance(loss, Deformation) or loss == "cross_entropy":
        if parameters:
            raise TypeError(f"{function}() got an unexpected keyword argument {min(parameters)!r}")
        return None if isinstance(loss, str) else loss
    if loss not in DEFORMATIONS:
        raise ParameterError(
            f"{function}: loss={loss!r}; allowed: {', '.join(['cross_entropy', *DEFORMATIONS])}{_ITSELF.get(loss, '')}"
        )
    return DEFORMATIONS[loss].of(function, parameters)


_ITSELF = {  # losses of all probabilities of a row, which need no recovery
    "bi_tempered": "; its probabilities are tempered_softmax(logits, t2)",
    "density_power": "; it is proper: softmax(logits) are its probabilities",
    "forward_correction": "; softmax(logits) are its probabilities of the true classes",
}


def why_not(loss: Deformation) -> str:
    """Why nothing can be recovered, or nothing."""
    if getattr(loss, "truncation", None) is not None:
        return f"{loss.name} is constant up to its truncation"
    weight = _of_margin(loss, 2, np.array([-2.0, 0.0, 1.0]))
    linear = not np.ptp(weight) > 1e-12
    return f"{loss.name} is linear in the probability with these parameters" if linear else ""


def _log_weight(kind: Deformation, logits: Array) -> Array:
    """``log(-1 / l'(q_k))`` for every class: ``q (1 - q)`` over the slope of the loss in the margin."""
    classes = logits.shape[-1]
    with np.errstate(invalid="ignore", divide="ignore"):  # all classes gone: NaN
        margin = _margins(logits)
        weight = _of_margin(kind, classes, np.clip(margin, -_FAR, _FAR))
        # beyond, both terms are straight lines in the margin, and either may underflow
        ends = np.array([-_FAR, 1 - _FAR, _FAR - 1, _FAR])
        first, second, third, last = _of_margin(kind, classes, ends)
        weight += (second - first) * np.minimum(margin + _FAR, 0.0) + (last - third) * np.maximum(margin - _FAR, 0.0)
    alone = (margin == -np.inf) & (logits > -np.inf)
    return np.where(alone, 0.0, np.where(logits == -np.inf, -np.inf, weight))


_FAR = 100.0


def _margins(logits: Array) -> Array:
    """``log sum_(j != k) exp(z_j) - z_k`` for every class; only the leader can be most of the sum."""
    top = logits.max(-1, keepdims=True)
    leads = np.arange(logits.shape[-1]) == logits.argmax(-1)[..., None]
    e = np.exp(logits - top)
    rest = logsumexp(np.where(leads, -np.inf, logits), axis=-1, keepdims=True)
    return np.where(leads, rest, top + np.log(np.where(leads, 1.0, e.sum(-1, keepdims=True) - e))) - logits


def _of_margin(kind: Deformation, classes: int, margin: Array) -> Array:
    # two classes whose logits are 0 and the margin have that margin, and the slope as the second one's gradient
    pairs = np.stack([np.zeros(margin.size), margin.ravel()])[None]
    slope = np.empty_like(pairs)
    native = kind.native(classes)
    _native.softmax_nll(
        pairs, np.zeros((1, margin.size), np.int64), None, None, None, None, 0.0, None, slope, 1.0,
        deformation=native.kind, parameters=native.parameters,
    )  # fmt: skip
    with np.errstate(divide="ignore"):
        log_slope = np.log(slope[0, 1].reshape(margin.shape))
    return -np.logaddexp(0.0, margin) - np.logaddexp(0.0, -margin) - log_slope
