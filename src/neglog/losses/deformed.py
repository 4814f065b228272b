"""The losses ``l(p_y)`` of :mod:`neglog.core.deformations` on NumPy arrays: a function and its gradient for each.

``deformed.pyi`` beside this file says the same to type checkers.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from neglog.core.arrays import Array
from neglog.core.deformation import Deformation
from neglog.core.deformation_docs import documented, own_parameters
from neglog.core.deformations import DEFORMATIONS
from neglog.losses.classification import Options, cross_entropy, evaluate


def _evaluate(
    kind: type[Deformation],
    function: str,
    logits: Any,
    target: Any,
    given: dict[str, Any],
    out: Array | None,
    want_gradient: bool,
) -> tuple[Any, Any]:
    """(loss, gradient or None) of class indices; ``given`` are the loss's parameters and the common options."""
    deformation = kind.of(function, {name: value for name, value in given.items() if name not in _COMMON})
    options = Options(**(_DEFAULTS | {name: value for name, value in given.items() if name in _COMMON}))
    return evaluate(
        function, logits, target, options, out, want_gradient, deformation.native, sharpness=deformation.sharpness,
        probabilities=False,
    )  # fmt: skip


_COMMON = {  # what cross_entropy takes besides
    name: parameter
    for name, parameter in inspect.signature(cross_entropy).parameters.items()
    if parameter.kind is parameter.KEYWORD_ONLY and name != "label_smoothing"
}
_DEFAULTS: dict[str, Any] = {name: one.default for name, one in _COMMON.items()} | {"label_smoothing": 0.0}


def _functions(name: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The loss of the table's row ``name``, and the loss with its gradient."""
    kind = DEFORMATIONS[name]
    both = f"{name}_grad"

    def loss(logits: Any, target: Any, **options: Any) -> Any:
        return _evaluate(kind, name, logits, target, options, None, False)[0]

    def loss_grad(logits: Any, target: Any, *, out: Array | None = None, **options: Any) -> tuple[Any, Array]:
        return _evaluate(kind, both, logits, target, options, out, True)

    parameters = [*inspect.signature(loss).parameters.values()][:2] + own_parameters(kind) + [*_COMMON.values()]
    with_out = [*parameters, inspect.signature(loss_grad).parameters["out"]]
    for function, called, own, doc in ((loss, name, parameters, _VALUE), (loss_grad, both, with_out, _GRADIENT)):
        function.__name__ = function.__qualname__ = called
        function.__signature__ = inspect.signature(function).replace(parameters=own)  # pyright: ignore[reportFunctionMemberAccess]
        function.__doc__ = documented(kind, doc, function=called)
    return loss, loss_grad


_VALUE = r"""{summary}

    .. math:: {formula}, \qquad p = \operatorname{{softmax}}(z)_y

    Parameters
    ----------
    logits : (..., C, ...) array
        ``z``: float16, bfloat16 (ml_dtypes), float32 or float64.
    target : integer array
        Class indices ``y`` of the shape without ``axis``.
{own}    axis, weight, sample_weight, mask, ignore_index, reduction, denominator, empty, check
        As in :func:`cross_entropy`; class indices are always checked.

    Returns
    -------
    The loss in nats: float64 for float64 logits, float32 for narrower ones.

    Raises
    ------
    ParameterError
        A parameter outside its domain.
    TargetError, ShapeError, InputKindError
        As :func:`cross_entropy`.

    Notes
    -----
    {notes}

    Computed from the margin ``log sum_(k != y) exp(z_k) - z_y``, so that no digits are lost between logits far apart.
    Entries that take no part are never read. A logit of ``-inf`` is a masked class.

    {source}

    Examples
    --------
    >>> import neglog as nl
    >>> print(nl.losses.{function}([[2.0, 1.0, 0.1]], [0]{arguments}).round(6))
    {value}
    """

_GRADIENT = r"""``{name}`` and its gradient in the logits, in one fused pass.

    Parameters
    ----------
    logits, target, axis, weight, sample_weight, mask, ignore_index, reduction, denominator, empty, check
        As in :func:`cross_entropy`.
{own}    out : array of the shape and dtype of ``logits``, optional
        Receives the gradient; ``out=logits`` works in place, any other overlap is refused.

    Returns
    -------
    (loss, gradient); the gradient has the shape and dtype of ``logits``, and its rows sum to 0.

    Examples
    --------
    >>> import neglog as nl
    >>> loss, gradient = nl.losses.{function}([[2.0, 1.0, 0.1]], [0]{arguments})
    >>> print(loss.round(6), abs(gradient.sum()) < 1e-15)
    {value} True
    """

alpha_loss, alpha_loss_grad = _functions("alpha_loss")
competing_ratio, competing_ratio_grad = _functions("competing_ratio")
exponential_loss, exponential_loss_grad = _functions("exponential_loss")
focal, focal_grad = _functions("focal")
gamma_divergence, gamma_divergence_grad = _functions("gamma_divergence")
generalized_cross_entropy, generalized_cross_entropy_grad = _functions("generalized_cross_entropy")
madaboost, madaboost_grad = _functions("madaboost")
mislabel, mislabel_grad = _functions("mislabel")
nllr, nllr_grad = _functions("nllr")
poly1, poly1_grad = _functions("poly1")
symmetric_cross_entropy, symmetric_cross_entropy_grad = _functions("symmetric_cross_entropy")
taylor_cross_entropy, taylor_cross_entropy_grad = _functions("taylor_cross_entropy")
