"""Binary cross-entropy of probabilities or logits, and Kullback-Leibler divergence, element by element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from neglog import _native
from neglog.core.arrays import Array, deliver, flat, floating, gradient_like, numbers, result_dtype
from neglog.core.reduce import (
    Denominator,
    Empty,
    Entries,
    Kind,
    element_weight,
    entry_weights,
    losses_buffer,
    plan,
)
from neglog.errors import ShapeError
from neglog.losses.targets import raise_not_log_probability, raise_not_probability


def binary_cross_entropy(
    probs: Any,
    target: Any,
    *,
    weight: Any = None,
    sample_weight: Any = None,
    mask: Any = None,
    reduction: Kind = "mean",
    denominator: Denominator = None,
    empty: Empty = "zero",
) -> Any:
    r"""Negative log-likelihood of yes/no outcomes whose probabilities are given.

    .. math:: -w \left[ t \log p + (1 - t) \log(1 - p) \right]

    Parameters
    ----------
    probs : array
        ``p`` in [0, 1]. ``log(1 - p)`` is computed as ``log1p(-p)``, so small probabilities keep their
        digits.
    target : array of the same shape
        ``t`` in [0, 1]: bool, integer or float; soft targets are allowed.
    weight : array that broadcasts to the target's shape, optional
        Multiplies each loss. As in torch, the mean does not divide by it (``denominator="weights"`` does).
    sample_weight, mask : arrays of the target's shape, optional
        As in :func:`cross_entropy`; the mean divides by the sum of ``sample_weight``.
    reduction, denominator, empty
        As in :func:`cross_entropy`.

    Returns
    -------
    The loss in nats: float64 for float64 ``probs``, float32 for narrower ones.

    Raises
    ------
    InputKindError
        A probability or target outside [0, 1] that takes part.
    ShapeError
        Shapes that do not match.

    Notes
    -----
    Nothing is clamped: ``p = 0`` with ``t > 0`` gives ``+inf`` (torch: 100 t), and ``0 * log 0 = 0``.

    Examples
    --------
    >>> import neglog as nl
    >>> print(nl.losses.binary_cross_entropy([0.9, 0.2], [1, 0]).round(6))
    0.164252
    >>> print(nl.losses.binary_cross_entropy([0.0, 1.0], [1, 1], reduction="none"))
    [inf  0.]
    """
    options = Options(weight, None, sample_weight, mask, reduction, denominator, empty)
    return _elementwise("binary_cross_entropy", _BCE, probs, target, options, None, False)[0]


def binary_cross_entropy_grad(
    probs: Any,
    target: Any,
    *,
    weight: Any = None,
    sample_weight: Any = None,
    mask: Any = None,
    reduction: Kind = "mean",
    denominator: Denominator = None,
    empty: Empty = "zero",
    out: Array | None = None,
) -> tuple[Any, Array]:
    r"""Binary cross-entropy and its gradient in the probabilities.

    .. math:: w \frac{p - t}{p (1 - p)}

    Parameters
    ----------
    probs, target, weight, sample_weight, mask, reduction, denominator, empty
        As in :func:`binary_cross_entropy`.
    out : array like ``probs``, optional
        Receives the gradient; ``out=probs`` works in place.

    Examples
    --------
    >>> import neglog as nl
    >>> loss, gradient = nl.losses.binary_cross_entropy_grad([0.5, 0.25], [1, 0])
    >>> print(loss.round(6), gradient.round(6))
    0.490415 [-1.        0.666667]
    """
    options = Options(weight, None, sample_weight, mask, reduction, denominator, empty)
    return _elementwise("binary_cross_entropy_grad", _BCE, probs, target, options, out, True)


def binary_cross_entropy_with_logits(
    logits: Any,
    target: Any,
    *,
    weight: Any = None,
    pos_weight: Any = None,
    sample_weight: Any = None,
    mask: Any = None,
    reduction: Kind = "mean",
    denominator: Denominator = None,
    empty: Empty = "zero",
) -> Any:
    r"""Negative log-likelihood of yes/no outcomes whose log-odds are given.

    .. math:: w \left[ (1 - t) \log(1 + e^x) + w_+ t \log(1 + e^{-x}) \right]

    Parameters
    ----------
    logits : array
        ``x``, the log-odds of yes.
    target : array of the same shape
        ``t`` in [0, 1]: bool, integer or float; soft targets are allowed.
    pos_weight : array that broadcasts to the target's shape, optional
        ``w_+``, multiplies the term of the positives: (C,) for one weight per label.
    weight, sample_weight, mask, reduction, denominator, empty
        As in :func:`binary_cross_entropy`.

    Returns
    -------
    The loss in nats: float64 for float64 logits, float32 for narrower ones.

    Raises
    ------
    InputKindError
        A target outside [0, 1] that takes part.
    ShapeError
        Shapes that do not match.

    Notes
    -----
    Both terms have one sign, so nothing cancels: ``x = 40, t = 1`` gives 4.2e-18.

    Examples
    --------
    >>> import neglog as nl
    >>> x, t = [800.0, -800.0, 0.0, 2.0], [0, 1, 0.3, 1]
    >>> print(nl.losses.binary_cross_entropy_with_logits(x, t, reduction="none").round(6))
    [8.00000e+02 8.00000e+02 6.93147e-01 1.26928e-01]
    """
    options = Options(weight, pos_weight, sample_weight, mask, reduction, denominator, empty)
    return _elementwise("binary_cross_entropy_with_logits", _BCE_LOGITS, logits, target, options, None, False)[0]


def binary_cross_entropy_with_logits_grad(
    logits: Any,
    target: Any,
    *,
    weight: Any = None,
    pos_weight: Any = None,
    sample_weight: Any = None,
    mask: Any = None,
    reduction: Kind = "mean",
    denominator: Denominator = None,
    empty: Empty = "zero",
    out: Array | None = None,
) -> tuple[Any, Array]:
    r"""Binary cross-entropy of logits and its gradient, in one pass.

    .. math:: w \left[ (1 - t)\, \sigma(x) - w_+ t\, \sigma(-x) \right]

    Parameters
    ----------
    logits, target, weight, pos_weight, sample_weight, mask, reduction, denominator, empty
        As in :func:`binary_cross_entropy_with_logits`.
    out : array like ``logits``, optional
        Receives the gradient; ``out=logits`` works in place.

    Examples
    --------
    >>> import neglog as nl
    >>> loss, gradient = nl.losses.binary_cross_entropy_with_logits_grad([0.0, 0.0], [True, False])
    >>> print(loss.round(6), gradient)
    0.693147 [-0.25  0.25]
    """
    options = Options(weight, pos_weight, sample_weight, mask, reduction, denominator, empty)
    function = "binary_cross_entropy_with_logits_grad"
    return _elementwise(function, _BCE_LOGITS, logits, target, options, out, True)


def kl_div(
    log_probs: Any,
    target: Any,
    *,
    log_target: bool = False,
    sample_weight: Any = None,
    mask: Any = None,
    reduction: Kind | Literal["batchmean"] = "mean",
    denominator: Denominator = None,
    empty: Empty = "zero",
) -> Any:
    r"""Kullback-Leibler divergence of a model from a target distribution, element by element.

    .. math:: q \log q - q\, x \quad\text{or}\quad e^t (t - x), \qquad x = \log p,\ t = \log q

    Parameters
    ----------
    log_probs : array
        ``x``, log-probabilities of the model.
    target : array of the same shape
        Probabilities ``q``, or log-probabilities ``t`` with ``log_target``.
    log_target : bool
        Whether ``target`` holds logarithms.
    sample_weight, mask : arrays of the target's shape, optional
        One value per element, as in :func:`cross_entropy`.
    reduction : "mean", "batchmean", "sum" or "none"
        ``"mean"`` divides by the number of *elements*, as torch does; ``"batchmean"`` by the entries of the
        first axis in which something takes part, which is the divergence per distribution.
    denominator, empty
        As in :func:`cross_entropy`.

    Returns
    -------
    The divergence in nats: float64 for float64 ``log_probs``, float32 for narrower ones.

    Raises
    ------
    InputKindError
        A target outside [0, 1] that takes part, or a log-probability (of the model where ``q > 0``, or a
        target with ``log_target``) above 0 by more than rounding: 1e-8 in float64, 3e-4 in float32, 0.03 in
        half precision.
    ShapeError
        Shapes that do not match.

    Notes
    -----
    ``0 * log 0 = 0`` also where ``x`` is ``-inf``; ``q > 0`` there gives ``+inf``. Single elements may be
    negative, a sum over normalised distributions is not.

    Examples
    --------
    >>> import neglog as nl
    >>> import numpy as np
    >>> print(nl.losses.kl_div(np.log([[0.1, 0.6, 0.3]]), [[0.2, 0.5, 0.3]], reduction="batchmean").round(6))
    0.047469
    """
    options = Options(None, None, sample_weight, mask, reduction, denominator, empty)
    formula = _KL_LOG if log_target else _KL
    return _elementwise("kl_div", formula, log_probs, target, options, None, False)[0]


def kl_div_grad(
    log_probs: Any,
    target: Any,
    *,
    log_target: bool = False,
    sample_weight: Any = None,
    mask: Any = None,
    reduction: Kind | Literal["batchmean"] = "mean",
    denominator: Denominator = None,
    empty: Empty = "zero",
    out: Array | None = None,
) -> tuple[Any, Array]:
    r"""Kullback-Leibler divergence and its gradient in the model's log-probabilities, ``-q``.

    Parameters
    ----------
    log_probs, target, log_target, sample_weight, mask, reduction, denominator, empty
        As in :func:`kl_div`.
    out : array like ``log_probs``, optional
        Receives the gradient; ``out=log_probs`` works in place.

    Examples
    --------
    >>> import neglog as nl
    >>> import numpy as np
    >>> print(nl.losses.kl_div_grad(np.log([0.1, 0.9]), [0.5, 0.5], reduction="sum")[1])
    [-0.5 -0.5]
    """
    options = Options(None, None, sample_weight, mask, reduction, denominator, empty)
    return _elementwise("kl_div_grad", _KL_LOG if log_target else _KL, log_probs, target, options, out, True)


class Options(NamedTuple):
    """What the elementwise losses have in common, as the caller gave it."""

    weight: Any
    pos_weight: Any
    sample_weight: Any
    mask: Any
    reduction: str
    denominator: Denominator
    empty: Empty


class Formula(NamedTuple):
    kernel: Callable[..., tuple[float, int, int]]
    input: str  # the argument's name
    batch_mean: bool = False
    log_input: bool = False
    log_target: bool = False


_BCE = Formula(_native.bce, "probs")
_BCE_LOGITS = Formula(_native.bce_with_logits, "logits")
_KL = Formula(_native.kl_div, "log_probs", batch_mean=True, log_input=True)
_KL_LOG = Formula(_native.kl_div_log_target, "log_probs", batch_mean=True, log_input=True, log_target=True)


def _elementwise(
    function: str,
    formula: Formula,
    values: Any,
    target: Any,
    options: Options,
    out: Array | None,
    want_gradient: bool,
) -> tuple[Any, Any]:
    x = floating(function, formula.input, values)
    t = numbers(function, "target", target)
    if x.shape != t.shape:
        raise ShapeError(
            f"{function}: target has shape {t.shape}; allowed: that of {formula.input}, {x.shape} (nothing "
            "is broadcast)"
        )
    layout = flat(x)
    sample_weight, mask = entry_weights(function, layout, options.sample_weight, options.mask)
    weight = element_weight(function, "weight", options.weight, layout)
    pos_weight = element_weight(function, "pos_weight", options.pos_weight, layout)
    entries = Entries(layout, sample_weight, mask, weight)
    reduction = plan(
        function,
        entries,
        options.reduction,
        options.denominator,
        options.empty,
        batch_mean=formula.batch_mean,
    )
    dtype = result_dtype(x)
    losses = losses_buffer(reduction.kind, layout, dtype)
    gradient = written = None
    if want_gradient:
        reads = {"target": t, "sample_weight": options.sample_weight, "mask": options.mask}
        reads |= {"weight": options.weight, "pos_weight": options.pos_weight}
        gradient, written = gradient_like(function, x, layout, out, reads)
    total, bad_input, bad_target = formula.kernel(
        layout.memory,
        layout.full(t),
        weight,
        pos_weight,
        sample_weight,
        mask,
        losses,
        written,
        reduction.scale,
    )
    if bad_input >= 0 and formula.log_input:
        hint = " (log_softmax gives them)"
        raise_not_log_probability(function, formula.input, x, layout.position(bad_input), hint)
    if bad_input >= 0:
        hint = " (binary_cross_entropy_with_logits takes logits)"
        raise_not_probability(function, formula.input, x, layout.position(bad_input), hint)
    if bad_target >= 0 and formula.log_target:
        raise_not_log_probability(function, "target", t, layout.position(bad_target), " (with log_target)")
    if bad_target >= 0:
        raise_not_probability(function, "target", t, layout.position(bad_target))
    if gradient is not None and written is not None:
        deliver(gradient, written, layout)
    return reduction.finish(total, losses, layout, dtype), gradient
