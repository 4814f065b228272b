"""Cross-entropy of logits and NLL of log-probabilities, for class indices or class probabilities."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, NoReturn

import numpy as np

from neglog import _native
from neglog.core.arrays import Array, Layout, deliver, finest, floating, gradient_like, result_dtype, rows
from neglog.core.deformation import IDENTITY, Native
from neglog.core.reduce import (
    Denominator,
    Empty,
    Entries,
    Kind,
    Reduction,
    class_weight,
    entry_weights,
    losses_buffer,
    plan,
)
from neglog.errors import InputKindError, ParameterError, ShapeError
from neglog.losses.targets import (
    check_ignore_index,
    index_target,
    is_index,
    place,
    probability_target,
    raise_bad_class,
    raise_not_log_probability,
    raise_not_probability,
)


def cross_entropy(
    logits: Any,
    target: Any,
    *,
    axis: int = -1,
    weight: Any = None,
    sample_weight: Any = None,
    mask: Any = None,
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    reduction: Kind = "mean",
    denominator: Denominator = None,
    empty: Empty = "zero",
    check: bool = False,
) -> Any:
    r"""Negative log-likelihood of classes under a softmax.

    .. math:: -w_y \log p_y \quad\text{or}\quad -\sum_k w_k q_k \log p_k, \qquad p = \operatorname{softmax}(z)

    Parameters
    ----------
    logits : (..., C, ...) array
        ``z``: float16, bfloat16 (ml_dtypes), float32 or float64.
    target : array
        Integers of the shape without ``axis`` are class indices ``y``; floats of the shape of ``logits`` are
        probabilities ``q``. The dtype decides, never the shape.
    axis : int
        The class axis: -1 here, 1 in torch's layout ``(N, C, d1, ...)``.
    weight : (C,) array, optional
        Class weights ``w``.
    sample_weight : array of one value per target, optional
        Multiplies each target's loss.
    mask : bool array of one value per target, optional
        True takes part.
    ignore_index : int, optional
        Class index that takes no part; inside or outside ``[0, C)``.
    label_smoothing : float in [0, 1]
        ``eps``: the target becomes ``(1 - eps) q + eps / C'``, where ``C'`` counts the classes whose logit is
        not ``-inf``.
    reduction : "mean", "sum" or "none"
        ``"none"`` has the shape of the target with entries that take no part exactly 0.
    denominator : None, "count", "weights" or number
        What the mean divides by. None: as torch does, the sum of ``weight[target]`` for indices and the
        number of targets for probabilities, each target counting its ``sample_weight``. ``"count"``: the
        number of targets that take part. ``"weights"``: the sum of ``weight * sample_weight``. A number:
        itself, so that the losses and gradients of the parts of a split batch add up to those of the whole.
    empty : "zero", "nan" or "raise"
        The mean when nothing takes part.
    check : bool
        Also require that probabilities sum to one per target.

    Returns
    -------
    The loss in nats: float64 for float64 logits, float32 for narrower ones.

    Raises
    ------
    TargetError
        A class index outside ``[0, C)`` that is not ignored.
    ShapeError
        Shapes that do not match; the target is never broadcast.
    InputKindError
        A probability outside [0, 1], or a dtype that is neither indices nor probabilities.
    ParameterError
        An option outside what is allowed.

    Notes
    -----
    Entries that take no part are never read, whatever they hold. A logit of ``-inf`` is a masked class:
    probability and gradient exactly 0, and ``0 * log 0 = 0``. The target's logit ``-inf`` gives ``+inf``,
    all ``-inf`` or a ``+inf`` gives NaN. A confident correct prediction keeps its loss: a margin of 40 gives
    4.2e-18, not 0. Where torch differs: docs/differences.md.

    Source: Bishop, "Pattern Recognition and Machine Learning" (2006), eq. 4.108; label smoothing: Szegedy et
    al. (2016), arXiv:1512.00567, section 7.

    Examples
    --------
    >>> import neglog as nl
    >>> logits = [[2.0, 1.0, 0.1], [0.5, -1.0, 0.3]]
    >>> print(nl.losses.cross_entropy(logits, [0, 2]).round(6))
    0.665446
    >>> print(nl.losses.cross_entropy(logits, [0, -100], ignore_index=-100, reduction="none").round(6))
    [0.41703 0.     ]
    >>> print(nl.losses.cross_entropy(logits, [[1.0, 0.0, 0.0], [0.5, 0.0, 0.5]]).round(6))
    0.615446
    """
    options = Options(
        axis, weight, sample_weight, mask, ignore_index, label_smoothing, reduction, denominator, empty, check
    )
    return evaluate("cross_entropy", logits, target, options, None, False)[0]


def cross_entropy_grad(
    logits: Any,
    target: Any,
    *,
    axis: int = -1,
    weight: Any = None,
    sample_weight: Any = None,
    mask: Any = None,
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    reduction: Kind = "mean",
    denominator: Denominator = None,
    empty: Empty = "zero",
    check: bool = False,
    out: Array | None = None,
) -> tuple[Any, Array]:
    r"""Cross-entropy and its gradient in the logits, in one fused pass.

    .. math:: \partial L / \partial z = p - e_y \quad\text{or}\quad (\textstyle\sum_k q_k)\, p - q

    times the weights and, for the mean, over the divisor. The entry of the target is minus the sum of the
    other probabilities, never ``p_y - 1``.

    Parameters
    ----------
    logits, target, axis, weight, sample_weight, mask, ignore_index, label_smoothing, reduction, denominator,
    empty, check
        As in :func:`cross_entropy`. With ``reduction="none"`` each row of the gradient is that of its own
        loss.
    out : array of the shape and dtype of ``logits``, optional
        Receives the gradient and saves the page faults of fresh memory. ``out=logits`` works in place: the
        logits are overwritten. Any other overlap with an input is refused.

    Returns
    -------
    (loss, gradient); the gradient has the shape and dtype of ``logits``.

    Examples
    --------
    >>> import neglog as nl
    >>> loss, gradient = nl.losses.cross_entropy_grad([[2.0, 1.0, 0.1]], [0])
    >>> print(loss.round(6), gradient.round(6))
    0.41703 [[-0.340999  0.242433  0.098566]]
    """
    options = Options(
        axis, weight, sample_weight, mask, ignore_index, label_smoothing, reduction, denominator, empty, check
    )
    return evaluate("cross_entropy_grad", logits, target, options, out, True)


def nll_loss(
    log_probs: Any,
    target: Any,
    *,
    axis: int = -1,
    weight: Any = None,
    sample_weight: Any = None,
    mask: Any = None,
    ignore_index: int | None = None,
    reduction: Kind = "mean",
    denominator: Denominator = None,
    empty: Empty = "zero",
    check: bool = False,
) -> Any:
    r"""Negative log-likelihood of classes whose log-probabilities are given.

    .. math:: -w_y x_y, \qquad x = \log p

    Parameters
    ----------
    log_probs : (..., C, ...) array
        ``x``, for instance from :func:`log_softmax`. Only the value of the true class is read, and no
        logarithm is taken.
    target : integer array
        Class indices of the shape without ``axis``.
    check : bool
        Also require that the probabilities of each row sum to one; reads everything.
    axis, weight, sample_weight, mask, ignore_index, reduction, denominator, empty
        As in :func:`cross_entropy`.

    Returns
    -------
    The loss in nats: float64 for float64 input, float32 for narrower ones; a log-probability of ``-inf``
    gives ``+inf``.

    Raises
    ------
    InputKindError
        A value that is read lies above 0 by more than rounding (1e-8 in float64, 3e-4 in float32, 0.03 in
        half precision): probabilities or logits, passed by mistake.
    TargetError, ShapeError, ParameterError
        As :func:`cross_entropy`.

    Examples
    --------
    >>> import neglog as nl
    >>> import numpy as np
    >>> print(nl.losses.nll_loss(np.log([0.1, 0.3, 0.5, 0.1]), 3).round(6))
    2.302585
    """
    options = Options(axis, weight, sample_weight, mask, ignore_index, 0.0, reduction, denominator, empty, check)
    return _nll("nll_loss", log_probs, target, options, None, False)[0]


def nll_loss_grad(
    log_probs: Any,
    target: Any,
    *,
    axis: int = -1,
    weight: Any = None,
    sample_weight: Any = None,
    mask: Any = None,
    ignore_index: int | None = None,
    reduction: Kind = "mean",
    denominator: Denominator = None,
    empty: Empty = "zero",
    check: bool = False,
    out: Array | None = None,
) -> tuple[Any, Array]:
    r"""NLL and its gradient in the log-probabilities: ``-w_y`` at the true class, 0 elsewhere.

    Parameters
    ----------
    log_probs, target, axis, weight, sample_weight, mask, ignore_index, reduction, denominator, empty, check
        As in :func:`nll_loss`.
    out : array like ``log_probs``, optional
        Receives the gradient; separate memory.

    Examples
    --------
    >>> import neglog as nl
    >>> loss, gradient = nl.losses.nll_loss_grad([[-0.5, -1.0], [-2.0, -0.25]], [0, 1])
    >>> print(loss, gradient.tolist())
    0.375 [[-0.5, 0.0], [0.0, -0.5]]
    """
    options = Options(axis, weight, sample_weight, mask, ignore_index, 0.0, reduction, denominator, empty, check)
    return _nll("nll_loss_grad", log_probs, target, options, out, True)


class Options(NamedTuple):
    """What the classification losses have in common, as the caller gave it."""

    axis: int
    weight: Any
    sample_weight: Any
    mask: Any
    ignore_index: int | None
    label_smoothing: float
    reduction: Kind
    denominator: Denominator
    empty: Empty
    check: bool


class Problem(NamedTuple):
    """Checked input: values and target in one memory order, what takes part, and how it is reduced."""

    x: Array
    axis: int  # >= 0
    layout: Layout
    target: Array  # as the caller has it
    memory_target: Array  # (outer, inner) class indices or (outer, C, inner) probabilities
    by_index: bool  # else by probabilities
    entries: Entries
    reduction: Reduction


def problem_of(function: str, name: str, x: Array, target: Array, options: Options, index: bool) -> Problem:
    """The caller's arguments, checked."""
    layout = rows(function, name, x, options.axis)
    axis = options.axis % x.ndim
    classes = layout.memory.shape[1]
    if classes == 0:
        raise ShapeError(f"{function}: {name} has shape {x.shape}; allowed: at least one class along axis {axis}")
    if index:
        memory_target = index_target(function, target, layout, x.shape, axis)
    else:
        memory_target = probability_target(function, target, layout, x.shape)
    ignore_index = check_ignore_index(function, options.ignore_index, index)
    sample_weight, mask = entry_weights(function, layout, options.sample_weight, options.mask)
    weight = class_weight(function, options.weight, classes)
    entries = Entries(layout, sample_weight, mask, weight, memory_target if index else None, ignore_index)
    row_weights = None
    if not index and weight is not None:
        row_weights = partial(_weight_of_rows, layout, target, weight)
    reduction = plan(
        function,
        entries,
        options.reduction,
        options.denominator,
        options.empty,
        row_weights=row_weights,
    )
    return Problem(x, axis, layout, target, memory_target, index, entries, reduction)


def _weight_of_rows(layout: Layout, target: Array, weight: Array) -> Array:
    """Class weight that each row of probabilities carries: sum_k w_k q_k."""
    return np.einsum("oci,c->oi", layout.full(target.astype(np.float64)), weight)


def evaluate(
    function: str,
    logits: Any,
    target: Any,
    options: Options,
    out: Array | None,
    want_gradient: bool,
    native: Native | Callable[[int], Native] = IDENTITY,  # of the number of classes
    *,
    sharpness: float = 1.0,
    transition: Callable[[int], Array] | None = None,
    probabilities: bool = True,  # whether a target may consist of them
) -> tuple[Any, Any]:
    """(loss, gradient or None) of cross-entropy, or what ``native`` makes of it, of the logits times ``sharpness``."""
    smoothing = options.label_smoothing
    try:
        allowed = 0.0 <= smoothing <= 1.0
    except TypeError:
        allowed = False
    if not allowed:
        raise ParameterError(f"{function}: label_smoothing={smoothing!r}; allowed: 0 <= label_smoothing <= 1")
    x = floating(function, "logits", logits)
    target = target if type(target) is np.ndarray else np.asarray(target)
    index = is_index(function, target, probabilities=probabilities)
    if not index:
        target = floating(function, "target", target)
        common = finest(x.dtype, target.dtype)
        if common != x.dtype:  # the target is finer: its digits count
            loss, wide = evaluate(
                function, x.astype(common), target, options, None, want_gradient, native, sharpness=sharpness
            )
            return _narrowed(function, x, target, options, out, loss, wide)
        target = target.astype(common, copy=False)
    problem = problem_of(function, "logits", x, target, options, index)
    layout, entries, reduction = problem.layout, problem.entries, problem.reduction
    classes = layout.memory.shape[1]
    kernel = native if isinstance(native, Native) else native(classes)
    table = None if transition is None else transition(classes)
    if options.check and not index:
        _check_rows(function, problem)
    dtype = result_dtype(x)
    losses = losses_buffer(reduction.kind, layout, dtype)
    gradient = written = None
    if want_gradient:
        gradient, written = gradient_like(function, x, layout, out, reads(target, options))
    total, bad_row = _native.softmax_nll(
        layout.memory, problem.memory_target, entries.weight, entries.sample_weight, entries.mask,
        entries.ignore_index, smoothing, losses, written, reduction.scale,
        1.0 / sharpness, kernel.kind, kernel.parameters, table,
    )  # fmt: skip
    if bad_row >= 0:
        raise_bad(function, problem, bad_row)
    if gradient is not None and written is not None:
        deliver(gradient, written, layout)
    return reduction.finish(total, losses, layout, dtype), gradient


def _narrowed(
    function: str, x: Array, target: Array, options: Options, out: Array | None, loss: Any, wide: Array | None
) -> tuple[Any, Any]:
    """What was computed in the finer dtype of the target, in the dtypes that the logits ask for."""
    loss = loss.astype(result_dtype(x))
    if wide is None:
        return loss, None
    layout = rows(function, "logits", x, options.axis)
    gradient, _ = gradient_like(function, x, layout, out, {"target": target})
    gradient[...] = wide.astype(x.dtype)
    return loss, gradient


def _nll(
    function: str, log_probs: Any, target: Any, options: Options, out: Array | None, want_gradient: bool
) -> tuple[Any, Any]:
    x = floating(function, "log_probs", log_probs)
    target = np.asarray(target)
    is_index(function, target, probabilities=False)
    problem = problem_of(function, "log_probs", x, target, options, index=True)
    layout, entries, reduction = problem.layout, problem.entries, problem.reduction
    if options.check:
        _check_log_rows(function, problem)
    dtype = result_dtype(x)
    losses = losses_buffer(reduction.kind, layout, dtype)
    gradient = written = None
    if want_gradient:
        others = reads(target, options) | {"log_probs": x}
        gradient, written = gradient_like(function, x, layout, out, others)
    total, bad_row, bad_value = _native.nll_gather(
        layout.memory, problem.memory_target, False, entries.weight, entries.sample_weight, entries.mask,
        entries.ignore_index, losses, written, reduction.scale,
    )  # fmt: skip
    if bad_row >= 0:
        raise_bad(function, problem, bad_row)
    if bad_value >= 0:
        at = layout.position(bad_value)
        at = (*at[: problem.axis], int(target[at]), *at[problem.axis :])
        hint = " (log_softmax gives them; cross_entropy takes logits, log_loss probabilities)"
        raise_not_log_probability(function, "log_probs", x, at, hint)
    if gradient is not None and written is not None:
        deliver(gradient, written, layout)
    return reduction.finish(total, losses, layout, dtype), gradient


def reads(target: Array, options: Options) -> dict[str, Any]:
    """What ``out`` must not overlap."""
    return {
        "target": target,
        "weight": options.weight,
        "sample_weight": options.sample_weight,
        "mask": options.mask,
    }


def raise_bad(function: str, problem: Problem, row: int) -> NoReturn:
    """Row ``row`` in memory has a target that cannot be used."""
    layout, position = problem.layout, problem.layout.position(row)
    if problem.by_index:
        classes, ignore_index = layout.memory.shape[1], problem.entries.ignore_index
        raise_bad_class(function, problem.target, position, classes, ignore_index)
    q = problem.target[(*position[: problem.axis], slice(None), *position[problem.axis :])]
    k = int(np.flatnonzero((q < 0) | (q > 1))[0])
    place_of_k = (*position[: problem.axis], k, *position[problem.axis :])
    raise_not_probability(function, "target", problem.target, place_of_k, " (class indices: an integer dtype)")


def takes_part(problem: Problem) -> Array:
    """Entries that are read, in memory order."""
    entries = problem.entries
    took_part = np.ones(problem.layout.entry_shape, bool) if entries.mask is None else entries.mask.copy()
    if entries.sample_weight is not None:
        took_part &= entries.sample_weight != 0
    if entries.ignore_index is not None:
        took_part &= problem.memory_target != entries.ignore_index
    return took_part


def _check_rows(function: str, problem: Problem) -> None:
    """Probability targets sum to one, to the square root of their precision."""
    target = problem.target if problem.target.dtype.kind == "f" else problem.target.astype(np.float32)
    sums = problem.layout.entries(target.sum(axis=problem.axis, dtype=np.float64))
    wrong = takes_part(problem) & ~(np.abs(sums - 1.0) <= _tolerance(problem.x))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        where = place("target", problem.layout.position(row))
        raise InputKindError(
            f"{function}: {where} sums to {sums.flat[row]:.6g} over the classes; allowed with check=True: 1"
        )


def _check_log_rows(function: str, problem: Problem) -> None:
    """exp of the log-probabilities sums to one, to the square root of their precision."""
    log_sums = np.empty(problem.layout.entry_shape, result_dtype(problem.x))
    _native.logsumexp(problem.layout.memory, log_sums, None)
    wrong = takes_part(problem) & ~(np.abs(log_sums) <= _tolerance(problem.x))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        where = place("log_probs", problem.layout.position(row))
        raise InputKindError(
            f"{function}: exp({where}) sums to {np.exp(np.float64(log_sums.flat[row])):.6g} over the "
            "classes; allowed with check=True: 1 (log_softmax gives log-probabilities, cross_entropy takes "
            "logits)"
        )


def _tolerance(x: Array) -> float:
    return {2: 0.03, 4: 3e-4, 8: 1e-8}[x.dtype.itemsize]  # about the square root of the dtype's precision
