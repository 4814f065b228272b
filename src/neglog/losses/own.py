"""A loss of one's own, ``l(p_y)`` given as a function of ``log p_y`` and ``log(1 - p_y)``, with two derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from neglog import _native
from neglog.core.arrays import Array, deliver, floating, gradient_like, result_dtype
from neglog.core.deformation import RATIO, Deformation, check_own, softplus
from neglog.core.reduce import Denominator, Empty, Kind
from neglog.errors import InputKindError, ShapeError
from neglog.losses.classification import Options, Problem, problem_of, raise_bad, reads, takes_part
from neglog.losses.jet import Jet
from neglog.losses.targets import is_index

Own = Callable[[Any, Any], Any] | Deformation


def softmax_loss(
    fn: Own,
    logits: Any,
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
    r"""A loss of your own that depends on the softmax probability of the true class.

    .. math:: l = f(\log p, \log(1 - p)), \qquad p = \operatorname{softmax}(z)_y

    Parameters
    ----------
    fn : callable or Deformation
        ``fn(log_p, log_q)`` in NumPy's arithmetic, ufuncs and ``np.where``: called with the two logarithms of the n
        targets that take part, float64 ``(n,)``, and returns their n losses. Neither logarithm has lost digits, for any
        p. An entry of ``nl.losses.DEFORMATIONS``, such as ``DEFORMATIONS["focal"](gamma=1.0)``, will do too.
    logits : (..., C, ...) array
        ``z``: float16, bfloat16 (ml_dtypes), float32 or float64.
    target : integer array
        Class indices ``y`` of the shape without ``axis``.
    axis, weight, sample_weight, mask, ignore_index, reduction, denominator, empty, check
        As in :func:`cross_entropy`.

    Returns
    -------
    The loss: float64 for float64 logits, float32 for narrower ones.

    Raises
    ------
    ShapeError
        ``fn`` does not return one loss per target.
    TargetError, InputKindError, ParameterError
        As :func:`cross_entropy`.

    Notes
    -----
    Where nothing competes ``log_p`` is 0, ``log_q`` -inf and the gradient 0; where the target's logit is ``-inf`` it is
    the reverse, and the gradient NaN if ``fn`` has no derivative there.

    Examples
    --------
    Focal loss with a floor under the weight:

    >>> import neglog as nl, numpy as np
    >>> def mine(log_p, log_q):
    ...     return -np.maximum(np.exp(2 * log_q), 0.1) * log_p
    >>> loss = nl.losses.softmax_loss(mine, [[2.0, 1.0, 0.1], [5.0, 4.0, 2.0]], [0, 0], reduction="none")
    >>> print(loss.round(6))
    [0.048492 0.034901]
    """
    options = Options(axis, weight, sample_weight, mask, ignore_index, 0.0, reduction, denominator, empty, check)
    return _Evaluated.at("softmax_loss", fn, logits, target, options).loss()


def softmax_loss_grad(
    fn: Own,
    logits: Any,
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
    r"""A loss of your own and its gradient in the logits; ``fn`` is differentiated for you.

    Parameters
    ----------
    fn, logits, target, axis, weight, sample_weight, mask, ignore_index, reduction, denominator, empty, check
        As in :func:`softmax_loss`. Here ``fn`` is called with objects that behave like arrays and carry derivatives:
        arithmetic, comparisons, ``np.where``, ``np.maximum``, ``np.minimum``, ``np.logaddexp`` and the elementary
        functions ``exp log sqrt tanh ...``; another raises TypeError and says what there is.
    out : array of the shape and dtype of ``logits``, optional
        Receives the gradient; ``out=logits`` works in place, any other overlap is refused.

    Returns
    -------
    (loss, gradient); the gradient has the shape and dtype of ``logits``, and its rows sum to 0.

    Examples
    --------
    >>> import neglog as nl, numpy as np
    >>> loss, gradient = nl.losses.softmax_loss_grad(lambda log_p, log_q: -np.exp(log_p), [[2.0, 1.0, 0.1]], [0])
    >>> print(loss.round(6), gradient.round(6))
    -0.659001 [[-0.224719  0.159764  0.064955]]
    """
    options = Options(axis, weight, sample_weight, mask, ignore_index, 0.0, reduction, denominator, empty, check)
    evaluated = _Evaluated.at("softmax_loss_grad", fn, logits, target, options, jets=True)
    return evaluated.loss(), evaluated.gradient(out, reads(np.asarray(target), options))


def softmax_loss_hessian_product(
    fn: Own,
    logits: Any,
    target: Any,
    vector: Any,
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
) -> Array:
    r"""The Hessian of a loss in the logits, times ``vector``, without the Hessian.

    With the margin :math:`a = \log \sum_{k \ne y} e^{z_k} - z_y`, :math:`\phi(a) = l`, its gradient :math:`v = c - e_y`
    and :math:`c` the softmax over the other classes,

    .. math:: H x = \phi'' v (v \cdot x) + \phi' \, c \circ (x - c \cdot x)

    Parameters
    ----------
    fn, logits, target, axis, weight, sample_weight, mask, ignore_index, reduction, denominator, empty, check
        As in :func:`softmax_loss_grad`. With ``reduction="none"`` each row is that of its own loss's Hessian.
    vector : array of the shape of ``logits``
        ``x``.

    Returns
    -------
    Array of the shape and dtype of ``logits``; its rows sum to 0.

    Examples
    --------
    >>> import neglog as nl
    >>> focal = nl.losses.DEFORMATIONS["focal"](gamma=2.0)
    >>> product = nl.losses.softmax_loss_hessian_product(focal, [[2.0, 1.0, 0.1]], [0], [[1.0, 0.0, 0.0]])
    >>> print(product.round(6))
    [[ 0.193095 -0.137281 -0.055814]]
    """
    function = "softmax_loss_hessian_product"
    options = Options(axis, weight, sample_weight, mask, ignore_index, 0.0, reduction, denominator, empty, check)
    evaluated = _Evaluated.at(function, fn, logits, target, options, jets=True)
    vector = np.asarray(vector)
    if vector.shape != evaluated.problem.x.shape:
        raise ShapeError(f"{function}: vector has shape {vector.shape}; allowed: {evaluated.problem.x.shape}")
    return evaluated.hessian_product(vector)


class _Evaluated(NamedTuple):
    """A loss at the margins of what takes part."""

    function: str
    problem: Problem
    sharpness: float
    part: Array  # entry_shape, bool
    factor: Array  # (n,) what each loss is multiplied by
    losses: Any  # (n,), or a Jet of them in the margin

    @classmethod
    def at(cls, function: str, fn: Own, logits: Any, target: Any, options: Options, jets: bool = False) -> _Evaluated:
        check_own(function, fn)
        x, target = floating(function, "logits", logits), np.asarray(target)
        is_index(function, target, probabilities=False)
        problem = problem_of(function, "logits", x, target, options, index=True)
        entries, part = problem.entries, takes_part(problem)
        sharpness = fn.sharpness if isinstance(fn, Deformation) else 1.0
        margins = np.empty(problem.layout.entry_shape, result_dtype(x))
        _pass(function, problem, part, sharpness, losses=margins)
        factor = np.ones(part.shape) if entries.sample_weight is None else entries.sample_weight.copy()
        if entries.weight is not None:
            factor[part] *= entries.weight[problem.memory_target[part]]
            part = part & (factor != 0)
        a = margins[part].astype(np.float64)
        with np.errstate(all="ignore"):
            losses = _call(function, fn, Jet(a, 1.0) if jets else a, x.shape[problem.axis])
        return cls(function, problem, sharpness, part, factor[part], losses)

    def loss(self) -> Any:
        value = self.losses.value if isinstance(self.losses, Jet) else self.losses
        weighted, layout, dtype = self.factor * value, self.problem.layout, result_dtype(self.problem.x)
        each = None
        if self.problem.reduction.kind == "none":
            each = np.zeros(layout.entry_shape, dtype)
            each[self.part] = weighted
        with np.errstate(invalid="ignore"):  # inf beside -inf
            total = float(weighted.sum())
        return self.problem.reduction.finish(total, each, layout, dtype)

    def gradient(self, out: Array | None, others: dict[str, Any]) -> Array:
        problem = self.problem
        gradient, written = gradient_like(self.function, problem.x, problem.layout, out, others)
        slope = np.zeros(self.part.shape)
        slope[self.part] = self.factor * self.losses.first * problem.reduction.scale
        _pass(self.function, problem, self.part, self.sharpness, weight=slope, gradient=written)
        return deliver(gradient, written, problem.layout)

    def hessian_product(self, vector: Array) -> Array:
        problem, axis = self.problem, 1
        wide = problem.layout.full(problem.x.astype(np.float64, copy=False))
        x = problem.layout.full(np.asarray(vector, np.float64))
        towards = np.zeros_like(wide)
        _pass(self.function, problem._replace(layout=problem.layout._replace(memory=wide)), self.part, self.sharpness,
              weight=np.ones(self.part.shape), gradient=towards)  # fmt: skip
        target = np.where(self.part, problem.memory_target, 0)[:, None, :]
        share = towards / self.sharpness
        np.put_along_axis(share, target, 0.0, axis)
        first, second = np.zeros(self.part.shape), np.zeros(self.part.shape)
        first[self.part], second[self.part] = (
            self.factor * problem.reduction.scale * d for d in (self.losses.first, self.losses.second)
        )
        inner = share * x
        spread = inner - share * inner.sum(axis, keepdims=True)
        product = second[:, None] * towards * (towards * x).sum(axis, keepdims=True)
        product += first[:, None] * self.sharpness**2 * spread
        gradient, written = gradient_like(self.function, problem.x, problem.layout, None, {})
        memory = written.view(problem.x.dtype)
        memory[...] = np.where(self.part[:, None], product, 0.0)
        return deliver(gradient, written, problem.layout)


def _pass(
    function: str,
    problem: Problem,
    part: Array,
    sharpness: float,
    weight: Array | None = None,
    losses: Array | None = None,
    gradient: Array | None = None,
) -> None:
    """Margins, or ``weight`` times their gradients, of the entries that take part."""
    _, bad_row = _native.softmax_nll(
        problem.layout.memory, problem.memory_target, None, weight, part, None, 0.0, losses, gradient, 1.0,
        1.0 / sharpness, RATIO, (-np.inf, 0.0, 0.0, 0.0),
    )  # fmt: skip
    if bad_row >= 0:
        raise_bad(function, problem, bad_row)


def _call(function: str, fn: Own, margin: Any, classes: int) -> Any:
    if isinstance(fn, Deformation):
        return fn.phi(np, margin, classes)
    losses = fn(-softplus(np, margin), -softplus(np, -margin))
    losses = losses if isinstance(losses, Jet) else np.asarray(losses)
    if isinstance(losses, np.ndarray) and losses.dtype.kind not in "fiu":
        raise InputKindError(f"{function}: fn returns dtype {losses.dtype}; allowed: real numbers")
    if losses.shape != margin.shape:
        raise ShapeError(
            f"{function}: fn returns shape {losses.shape} for {margin.shape[0]} targets; allowed: one each"
        )
    if not isinstance(margin, Jet):
        return losses
    losses = losses if isinstance(losses, Jet) else Jet(losses)
    varies = margin.value > -np.inf  # else nothing competes
    return Jet(losses.value, np.where(varies, losses.first, 0.0), np.where(varies, losses.second, 0.0))
