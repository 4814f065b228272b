"""Categorical(logits)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from neglog import _native
from neglog.core.observations import Observations
from neglog.errors import DataError, InputKindError, ShapeError
from neglog.families import kernel
from neglog.families.base import Array, Family, Rng
from neglog.families.facts import LINKS, Interval, Parameter
from neglog.families.registry import register


@register
@dataclass(frozen=True)
class Categorical(Family):
    r"""One of C classes: :math:`-\log f(y) = \log\sum_k e^{z_k} - z_y`.

    Parameters
    ----------
    logits : (..., C), real or ``-inf``
        Unnormalised log-probabilities :math:`z`; the class axis is last, the others broadcast against ``y``.
        ``-inf`` masks a class: its probability and gradient are exactly 0.

    Notes
    -----
    Gradients are ``(*batch, C)`` and Hessians ``(*batch, C, C)``: the class axis stays last. There is no
    order among classes, so there is no cdf, and ``mean`` and ``var`` are those of the C indicators.

    Examples
    --------
    >>> import neglog as nl
    >>> nl.Categorical().nll([0, 2], [[2.0, 1.0, 0.1], [0.5, -1.0, 0.3]])
    array([0.41703002, 0.9138616 ])
    """

    name: ClassVar[str] = "categorical"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("logits", Interval(-math.inf, math.inf, low_closed=True), LINKS["identity"], event_ndim=1),
    )
    support: ClassVar[Interval] = Interval(0.0, math.inf, low_closed=True, integer=True)
    discrete: ClassVar[bool] = True
    classes: ClassVar[str] = "unordered"
    location: ClassVar[str] = "logits"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        (logits,) = params
        classes = xp.arange(logits.shape[-1])
        own = xp.where(classes == y[..., None], logits, 0.0).sum(-1)
        inside = (y >= 0) & (y < logits.shape[-1]) & (y == xp.floor(y))
        value = xp.logaddexp.reduce(logits, axis=-1) if xp is np else xp.logsumexp(logits, -1)
        return xp.where(inside, value - own, xp.where(y != y, y, math.inf))

    def nll(self, y: ArrayLike | Observations, *params: ArrayLike, check: bool = True, **named: ArrayLike) -> Any:
        """Negative log-likelihood of each class index, in nats.

        Parameters
        ----------
        y : array of class indices
            Broadcast against the logits' leading axes. What is no index in ``[0, C)`` is outside the
            support: ``inf``.
        logits : (..., C)
        check : bool
            Raise where a logit is NaN or ``inf``.

        Returns
        -------
        array of the broadcast shape of ``y`` and ``logits[..., 0]``

        Raises
        ------
        ParameterError, ShapeError
        InputKindError
            If ``y`` is censored: an interval of classes has no meaning.
        """
        return self._rows("nll", 0, y, params, named, check)[0]

    def nll_grad(
        self, y: ArrayLike | Observations, *params: ArrayLike, check: bool = True, **named: ArrayLike
    ) -> tuple[Any, Array]:
        """``nll`` and its gradient ``softmax(logits) - onehot(y)``, of shape ``(*batch, C)``.

        The entry of the observed class is minus the sum of the other probabilities, so it keeps its digits
        when the prediction is confident and right.

        >>> import neglog as nl
        >>> nl.Categorical().nll_grad(0, [40.0, 0.0])[1]
        array([-4.24835426e-18,  4.24835426e-18])
        """
        value, grad, _ = self._rows("nll_grad", 1, y, params, named, check)
        return value, grad

    def nll_grad_hess(
        self, y: ArrayLike | Observations, *params: ArrayLike, check: bool = True, **named: ArrayLike
    ) -> tuple[Any, Array, Array]:
        """``nll``, gradient ``(*batch, C)`` and Hessian ``diag(p) - p p'`` of shape ``(*batch, C, C)``."""
        value, grad, logits = self._rows("nll_grad_hess", 2, y, params, named, check)
        return value, grad, _covariance(logits.astype(value.dtype, copy=False))

    def hess_matvec(self, y: ArrayLike, *params: ArrayLike, check: bool = True, **named: ArrayLike) -> Array:
        """The Hessian times a vector, ``p * (v - p . v)``, without the C x C matrix.

        Parameters
        ----------
        y : array of class indices
            Only its shape matters: the Hessian does not depend on the class.
        logits, v : (..., C)

        Returns
        -------
        (*batch, C) array

        Examples
        --------
        >>> import neglog as nl
        >>> nl.Categorical().hess_matvec(0, [0.0, 0.0], [1.0, 0.0])
        array([ 0.25, -0.25])
        """
        if "v" in named:
            vector = named.pop("v")
        else:
            *params, vector = params  # type: ignore[assignment]
        logits, _ = self._logits("hess_matvec", tuple(params), named, check)
        direction = kernel.as_real("Categorical.hess_matvec", "v", vector)
        shape = kernel.broadcast_shape(
            "Categorical.hess_matvec",
            {"y": (*np.shape(y), 1), "logits": logits.shape, "v": direction.shape},
        )
        p, _ = _softmax(np.broadcast_to(logits, shape))
        # relative to the likeliest class: v_i - p . v then has no cancellation where p_i is near 1
        top = np.take_along_axis(np.broadcast_to(direction, shape), p.argmax(-1)[..., None], -1)
        relative = direction - top
        return p * (relative - (p * relative).sum(-1, keepdims=True))

    def fisher(self, *params: ArrayLike, **named: ArrayLike) -> Array:
        """Variance of the score, ``diag(p) - p p'``, of shape ``(*batch, C, C)``; equal to the Hessian."""
        return _covariance(self._logits("fisher", params, named, True)[0])

    def mean(self, *params: ArrayLike, **named: ArrayLike) -> Any:
        """Probabilities ``(*batch, C)``: the mean of the class indicators.

        >>> import neglog as nl
        >>> nl.Categorical().mean([0.0, 0.0])
        array([0.5, 0.5])
        """
        return _softmax(self._logits("mean", params, named, True)[0])[0]

    def var(self, *params: ArrayLike, **named: ArrayLike) -> Any:
        """Variances ``p (1 - p)`` of the class indicators, ``(*batch, C)``."""
        p, rest = _softmax(self._logits("var", params, named, True)[0])
        return p * rest

    def sample(
        self,
        *params: ArrayLike,
        size: int | tuple[int, ...] | None = None,
        rng: Rng = None,
        **named: ArrayLike,
    ) -> Any:
        """Class indices, int64; ``size`` is the shape of the result, default the logits' leading axes."""
        logits, _ = self._logits("sample", params, named, True)
        shape = kernel.draw_shape("Categorical.sample", size, logits.shape[:-1])
        noise = np.random.default_rng(rng).gumbel(size=(*shape, logits.shape[-1]))  # Gumbel-max: no normalisation
        return np.argmax(logits + noise, axis=-1)

    def start(self, y: ArrayLike | Observations, weights: ArrayLike | None = None) -> tuple[Any, ...]:
        """Log frequencies of the classes 0 ... max(y), each count half a row higher: none is ``-inf``."""
        if isinstance(y, Observations):
            y = self._exact("start", y)
        index = np.ravel(np.asarray(y))
        weight = np.ones(index.shape) if weights is None else np.broadcast_to(np.asarray(weights, float), index.shape)
        use = self.support.contains(index) & (weight > 0)
        if not use.any():
            raise DataError("Categorical.start: there is no row to start from")
        count = np.bincount(index[use].astype(np.int64), weight[use]) + 0.5
        return (np.log(count / count.sum()),)

    def _exact(self, function: str, y: Observations) -> Array:
        if not y.exact.all():
            raise InputKindError(f"Categorical.{function}: y is censored; an interval of classes has no meaning")
        return y.lower

    def _logits(
        self, function: str, params: tuple[ArrayLike, ...], named: dict[str, ArrayLike], check: bool
    ) -> tuple[Array, np.dtype[Any]]:
        (given,) = self._bind(function, params, named)
        logits = kernel.as_real(f"Categorical.{function}", "logits", given)
        if logits.ndim == 0 or logits.shape[-1] == 0:
            raise ShapeError(f"Categorical.{function}: logits of shape {logits.shape}; allowed: (..., C) with C >= 1")
        if check:
            self._check_domain(function, [logits])
        return logits, kernel.widest([given])

    def _rows(
        self,
        function: str,
        order: int,
        y: ArrayLike | Observations,
        params: tuple[ArrayLike, ...],
        named: dict[str, ArrayLike],
        check: bool,
    ) -> tuple[Any, ...]:
        """Value, gradient, and the logits as broadcast."""
        logits, dtype = self._logits(function, params, named, check)
        logits = logits.astype(dtype, copy=False)
        classes = logits.shape[-1]
        index = np.asarray(self._exact(function, y) if isinstance(y, Observations) else y)
        shape = kernel.broadcast_shape(f"Categorical.{function}", {"y": index.shape, "logits": logits.shape[:-1]})
        index = np.broadcast_to(index, shape)
        logits = np.ascontiguousarray(np.broadcast_to(logits, (*shape, classes)))
        inside = self.support.contains(index) & (index < classes)
        target = np.ascontiguousarray(np.where(inside, index, 0).astype(np.int64)).reshape(-1, 1)
        value = np.empty(shape, np.promote_types(dtype, np.float32))
        grad = np.empty_like(logits) if order else None
        memory = (-1, classes, 1)  # softmax runs over the middle axis
        _native.softmax_nll(
            logits.reshape(memory),
            target,
            None,
            None,
            None,
            None,
            0.0,
            value.reshape(-1, 1),
            None if grad is None else grad.reshape(memory),
            1.0,
        )
        if not inside.all():
            value[~inside] = np.where(index != index, np.nan, np.inf)[~inside]
            if grad is not None:
                grad[~inside] = np.nan
        return value[()], grad, logits


def _softmax(logits: Array) -> tuple[Array, Array]:
    """Probabilities, and one minus them: the sum of the others where subtraction would cancel."""
    with np.errstate(invalid="ignore"):  # all logits -inf: NaN, as it should be
        weight = np.exp(logits - logits.max(-1, keepdims=True))
    total = weight.sum(-1, keepdims=True)
    p = weight / total
    rest = 1 - p
    top = logits.argmax(-1)[..., None]
    others = weight.copy()
    np.put_along_axis(others, top, 0, -1)
    np.put_along_axis(rest, top, others.sum(-1, keepdims=True) / total, -1)
    return p, rest


def _covariance(logits: Array) -> Array:
    p, rest = _softmax(logits)
    out = -p[..., :, None] * p[..., None, :]
    diagonal = np.arange(p.shape[-1])
    out[..., diagonal, diagonal] = p * rest
    return out
