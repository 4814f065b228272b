"""Ordered(loc, thresholds)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from neglog.core.observations import Observations
from neglog.errors import DataError, InputError, ShapeError
from neglog.families import kernel
from neglog.families.base import Array, Family, Rng
from neglog.families.facts import LINKS, REAL, Interval, Parameter
from neglog.families.registry import register
from neglog.families.special import log1pexp, log_ndtr

_LINKS = ("logit", "probit", "cloglog")


@register
@dataclass(frozen=True)
class Ordered(Family):
    r"""One of K + 1 ordered classes, the cumulative link model: :math:`P(Y \le j) = F(\theta_j - \mu)`.

    Parameters
    ----------
    loc : real
        Place :math:`\mu` on the latent scale; a larger one makes higher classes likelier. It takes the covariates.
    thresholds : (..., K), real, increasing
        :math:`\theta_0 < \dots < \theta_{K-1}`, the cuts between neighbouring classes; the other axes broadcast
        against ``y`` and ``loc``.
    link : "logit", "probit" or "cloglog"
        Of the family itself, ``Ordered("probit")``: :math:`F` is logistic (proportional odds, McCullagh 1980),
        normal, or :math:`1 - e^{-e^x}` (proportional hazards in discrete time).

    Notes
    -----
    :math:`-\log f(j) = -\log(F(\theta_j - \mu) - F(\theta_{j-1} - \mu))` with :math:`\theta_{-1} = -\infty` and
    :math:`\theta_K = \infty`, without a difference of probabilities, so that it is exact for classes of any
    width anywhere. The sign of ``loc`` is that of R's ``MASS::polr`` and ``ordinal::clm``.

    Gradients are ``(*batch, 1 + K)`` and Hessians ``(*batch, 1 + K, 1 + K)``: first ``loc``, then the thresholds.
    Classes have an order but no distance: ``mean`` and ``var`` are those of the K + 1 indicators. ``y`` may be
    an interval of classes, ``nl.interval(lower, upper)`` with ``lower < y <= upper``.

    References
    ----------
    McCullagh, "Regression models for ordinal data", JRSS B 42 (1980) 109-142.

    Examples
    --------
    >>> import neglog as nl
    >>> nl.Ordered().nll([0, 1, 2, 3], 0.3, [-1.0, 0.5, 2.0])
    array([1.54100845, 1.09162978, 1.21840736, 1.86778603])
    >>> float(nl.Ordered("probit").nll(0, 40.0, [0.0]))
    804.608442013...
    """

    link: str = "logit"

    name: ClassVar[str] = "ordered"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("loc", REAL, LINKS["identity"]),
        Parameter("thresholds", REAL, LINKS["identity"], event_ndim=1, form="increasing"),
    )
    support: ClassVar[Interval] = Interval(0.0, math.inf, low_closed=True, integer=True)
    discrete: ClassVar[bool] = True
    classes: ClassVar[str] = "ordered"
    location: ClassVar[str] = "loc"

    def __post_init__(self) -> None:
        if self.link not in _LINKS:
            raise InputError(f"Ordered: link={self.link!r}; allowed: {', '.join(_LINKS)}")

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        loc, thresholds = params
        count = thresholds.shape[-1]
        place = xp.arange(count)
        inside = (y >= 0) & (y <= count) & (y == xp.floor(y))
        first, last = (y <= 0) | ~inside, (y >= count) | ~inside
        # an end that is not there stands a unit from the other, and is not read
        lower = xp.where(place == y[..., None] - 1, thresholds, 0.0).sum(-1)
        upper = xp.where(place == y[..., None], thresholds, 0.0).sum(-1)
        lower, upper = xp.where(first, upper - 1.0, lower), xp.where(last, xp.where(first, upper, lower + 1.0), upper)
        value = _REFERENCE[self.link](xp, lower - loc, upper - loc, upper - lower, first, last)
        return xp.where(inside, value, xp.where(y != y, y, math.inf))

    def nll(self, y: ArrayLike | Observations, *params: ArrayLike, check: bool = True, **named: ArrayLike) -> Any:
        """Negative log-likelihood of each class, in nats.

        Parameters
        ----------
        y : array of class indices, or Observations
            Broadcast against ``loc`` and the leading axes of the thresholds. What is no index in ``[0, K]`` is
            outside the support: ``inf``. A censored row is an interval of classes.
        loc : real
        thresholds : (..., K)
        check : bool
            Raise where a parameter is not finite or thresholds do not increase; otherwise such rows are ``inf``.

        Returns
        -------
        array of the broadcast shape

        Raises
        ------
        ParameterError, ShapeError
        """
        return self._rows("nll", 0, y, params, named, check)[0]

    def nll_grad(
        self, y: ArrayLike | Observations, *params: ArrayLike, check: bool = True, **named: ArrayLike
    ) -> tuple[Any, Array]:
        """``nll`` and its gradient in ``loc`` and the thresholds, ``(*batch, 1 + K)``.

        >>> import neglog as nl
        >>> nl.Ordered().nll_grad(1, 0.0, [-1.0, 1.0])[1]
        array([ 0.        ,  0.42545906, -0.42545906])
        """
        value, grad = self._rows("nll_grad", 1, y, params, named, check)
        return value, grad

    def nll_grad_hess(
        self, y: ArrayLike | Observations, *params: ArrayLike, check: bool = True, **named: ArrayLike
    ) -> tuple[Any, Array, Array]:
        """``nll``, gradient ``(*batch, 1 + K)`` and Hessian ``(*batch, 1 + K, 1 + K)``; it is convex in all links."""
        value, grad, hess = self._rows("nll_grad_hess", 2, y, params, named, check)
        return value, grad, hess

    def log_cdf(self, y: ArrayLike, *params: ArrayLike, check: bool = True, **named: ArrayLike) -> Any:
        """``log P(Y <= y)``, accurate in both tails."""
        return self._window("log_cdf", -np.inf, y, params, named, check)

    def log_sf(self, y: ArrayLike, *params: ArrayLike, check: bool = True, **named: ArrayLike) -> Any:
        """``log P(Y > y)``, accurate in both tails.

        >>> import neglog as nl
        >>> float(nl.Ordered().log_sf(0, -100.0, [0.0]))
        -100.0
        """
        return self._window("log_sf", y, np.inf, params, named, check)

    def log_interval(
        self, lower: ArrayLike, upper: ArrayLike, *params: ArrayLike, check: bool = True, **named: ArrayLike
    ) -> Any:
        """``log P(lower < Y <= upper)``; ``-inf`` for intervals that hold no class."""
        return self._window("log_interval", lower, upper, params, named, check)

    def fisher(self, *params: ArrayLike, **named: ArrayLike) -> Array:
        """Variance of the score = expected Hessian, ``(*batch, 1 + K, 1 + K)``."""
        loc, thresholds, _ = self._values("fisher", params, named, True)
        value, grad = self._rows("fisher", 1, *self._every_class(loc, thresholds), {}, False)
        return np.einsum("...j,...jp,...jq->...pq", np.exp(-value), grad, grad)

    def mean(self, *params: ArrayLike, **named: ArrayLike) -> Any:
        """Probabilities ``(*batch, K + 1)``: the mean of the class indicators.

        >>> import neglog as nl
        >>> nl.Ordered().mean(0.0, [0.0, 1.0])
        array([0.5       , 0.23105858, 0.26894142])
        """
        loc, thresholds, dtype = self._values("mean", params, named, True)
        return np.exp(-self._rows("mean", 0, *self._every_class(loc, thresholds), {}, False)[0]).astype(dtype)

    def var(self, *params: ArrayLike, **named: ArrayLike) -> Any:
        """Variances ``p (1 - p)`` of the class indicators, ``(*batch, K + 1)``."""
        loc, thresholds, dtype = self._values("var", params, named, True)
        y, given = self._every_class(loc, thresholds)
        inside = -self._rows("var", 0, y, given, {}, False)[0]
        outside = np.logaddexp(self.log_cdf(y - 1.0, *given), self.log_sf(y, *given))
        return np.exp(inside + outside).astype(dtype)

    def sample(
        self,
        *params: ArrayLike,
        size: int | tuple[int, ...] | None = None,
        rng: Rng = None,
        **named: ArrayLike,
    ) -> Any:
        """Class indices, int64; ``size`` is the shape of the result, default the broadcast shape of the parameters."""
        loc, thresholds, _ = self._values("sample", params, named, True)
        shape = kernel.draw_shape("Ordered.sample", size, np.broadcast_shapes(loc.shape, thresholds.shape[:-1]))
        generator = np.random.default_rng(rng)
        if self.link == "logit":
            noise = generator.logistic(size=shape)
        elif self.link == "probit":
            noise = generator.normal(size=shape)
        else:
            noise = np.log(generator.exponential(size=shape))
        return (np.asarray(loc + noise)[..., None] > thresholds).sum(-1)

    def start(self, y: ArrayLike | Observations, weights: ArrayLike | None = None) -> tuple[Any, ...]:
        """``loc`` 0 and the thresholds that give the classes 0 ... max(y) their frequencies, half a row added to each.

        A censored row counts for the highest class that it allows, or the lowest where there is no highest.
        """
        if isinstance(y, Observations):
            y = np.where(np.isfinite(y.upper), y.upper, np.floor(y.lower) + 1)
        index = np.ravel(np.asarray(y))
        weight = np.ones(index.shape) if weights is None else np.broadcast_to(np.asarray(weights, float), index.shape)
        use = self.support.contains(index) & (weight > 0)
        if not use.any():
            raise DataError("Ordered.start: there is no row to start from")
        count = np.bincount(index[use].astype(np.int64), weight[use], minlength=2) + 0.5
        return 0.0, self._quantile(np.cumsum(count)[:-1] / count.sum())

    def _quantile(self, q: Array) -> Array:
        from scipy.special import logit, ndtri

        if self.link == "cloglog":
            return np.log(-np.log1p(-q))
        return np.asarray(logit(q) if self.link == "logit" else ndtri(q))

    def _values(
        self, function: str, params: tuple[ArrayLike, ...], named: dict[str, ArrayLike], check: bool
    ) -> tuple[Array, Array, np.dtype[Any]]:
        """``loc``, thresholds, and the dtype that the caller expects back."""
        given = self._bind(function, params, named)
        values = [kernel.as_real(f"Ordered.{function}", p.name, v) for p, v in zip(self.parameters, given, strict=True)]
        if values[1].ndim == 0:
            raise ShapeError(f"Ordered.{function}: thresholds of shape (); allowed: (..., K)")
        if check:
            self._check_domain(function, values)
        shapes = {"loc": values[0].shape, "thresholds without the last axis": values[1].shape[:-1]}
        kernel.broadcast_shape(f"Ordered.{function}", shapes)
        return values[0], values[1], kernel.result_dtype(given)

    def _every_class(self, loc: Array, thresholds: Array) -> tuple[Array, tuple[Array, Array]]:
        """All K + 1 classes along a new last axis, and parameters that broadcast against them."""
        return np.arange(thresholds.shape[-1] + 1), (loc[..., None], thresholds[..., None, :])

    def _rows(
        self,
        function: str,
        order: int,
        y: ArrayLike | Observations,
        params: tuple[ArrayLike, ...],
        named: dict[str, ArrayLike],
        check: bool,
    ) -> tuple[Any, ...]:
        if isinstance(y, Observations):
            lower = np.where(y.exact, y.lower - 1.0, y.lower)
            return self._between(function, order, lower, y.upper, y.exact, params, named, check)
        index = kernel.as_real(f"Ordered.{function}", "y", y)
        return self._between(function, order, index - 1.0, index, True, params, named, check)

    def _window(
        self,
        function: str,
        lower: ArrayLike,
        upper: ArrayLike,
        params: tuple[ArrayLike, ...],
        named: dict[str, ArrayLike],
        check: bool,
    ) -> Any:
        low, high = (kernel.as_real(f"Ordered.{function}", "y", end) for end in (lower, upper))
        return 0.0 - self._between(function, 0, low, high, False, params, named, check)[0]

    def _between(
        self,
        function: str,
        order: int,
        lower: Array,
        upper: Array,
        exact: Array | bool,
        params: tuple[ArrayLike, ...],
        named: dict[str, ArrayLike],
        check: bool,
    ) -> tuple[Any, ...]:
        """Value, gradient and Hessian of ``-log P(lower < Y <= upper)``; exact rows must name a class."""
        loc, thresholds, _ = self._values(function, params, named, check)
        count = thresholds.shape[-1]
        shape = kernel.broadcast_shape(
            f"Ordered.{function}",
            {"y": np.broadcast_shapes(lower.shape, upper.shape), "loc": loc.shape, "thresholds": thresholds.shape[:-1]},
        )
        missing = np.isnan(lower) | np.isnan(upper)
        with np.errstate(invalid="ignore"):
            named_class = (upper == np.floor(upper)) & (upper >= 0) & (upper <= count)
            # places among the thresholds with -inf before and inf behind them
            first, last = (np.clip(np.floor(end) + 1, 0, count + 1) for end in (lower, upper))
            possible = np.where(exact, named_class, first < last) & ~missing
        first, last = (
            np.broadcast_to(np.where(possible, place, other), shape).astype(np.intp)
            for place, other in ((first, 0), (last, count + 1))
        )
        dtype = kernel.widest([*params, *named.values()])
        ends = [_take(_padded(thresholds), place, shape) for place in (first, last)]
        out = kernel.evaluate(f"ordered_{self.link}", kernel.EXACT, order, [np.zeros(1)], [loc, *ends], shape, dtype)
        value = np.asarray(out[0])
        if not possible.all():
            bad, gone = np.broadcast_to(~possible, shape), np.broadcast_to(missing, shape)
            value = np.where(bad, np.where(gone, np.nan, np.inf), value).astype(value.dtype)
            out = (value, *(np.where(bad, np.nan, part).astype(part.dtype) for part in out[1:]))
        return value[()], *(_scatter(part, first, last, count) for part in out[1:])


def _padded(thresholds: Array) -> Array:
    ends = np.full((*thresholds.shape[:-1], 1), np.inf, thresholds.dtype)
    return np.concatenate([-ends, thresholds, ends], axis=-1)


def _take(table: Array, place: Array, shape: tuple[int, ...]) -> Array:
    if table.ndim == 1:
        return table[place]
    wide = np.broadcast_to(table, (*shape, table.shape[-1]))
    return np.take_along_axis(wide, place[..., None], -1)[..., 0]


def _scatter(part: Array, first: Array, last: Array, count: int) -> Array:
    """From ``(3,) * d + batch`` in loc and the two ends to ``batch + (1 + count,) * d`` in loc and the thresholds."""
    shape, depth = first.shape, part.ndim - first.ndim
    rows = np.arange(first.size)
    places = (np.zeros(first.size, np.intp), first.reshape(-1) + 1, last.reshape(-1) + 1)
    wide = np.zeros((first.size, *(count + 3,) * depth), part.dtype)  # with places for the infinite ends
    for entry in np.ndindex(*(3,) * depth):
        wide[(rows, *(places[i] for i in entry))] = part[entry].reshape(-1)
    keep = np.delete(np.arange(count + 3), (1, count + 2))
    for axis in range(1, depth + 1):
        wide = wide.take(keep, axis=axis)
    return wide.reshape(*shape, *(count + 1,) * depth)


def _logit_reference(xp: Any, lower: Any, upper: Any, width: Any, first: Any, last: Any) -> Any:
    value = -xp.log(-xp.expm1(-xp.where(first | last, 1.0, width)))
    value = xp.where(first | last, 0.0, value) + xp.where(first, 0.0, log1pexp(xp, lower))
    return value + xp.where(last, 0.0, log1pexp(xp, -upper))


def _cloglog_reference(xp: Any, lower: Any, upper: Any, width: Any, first: Any, last: Any) -> Any:
    start = xp.where(first, 0.0, xp.exp(lower))
    length = xp.where(last, 1.0, xp.where(first, xp.exp(upper), xp.exp(lower) * xp.expm1(width)))
    return start - xp.where(last, 0.0, xp.log(-xp.expm1(-length)))


def _probit_reference(xp: Any, lower: Any, upper: Any, width: Any, first: Any, last: Any) -> Any:
    one = first | last
    # mirrored to the lower tail: log(Phi(b) - Phi(a)) with a + b <= 0
    flip = xp.where(one, first == first, lower + upper > 0)
    a, b = xp.where(flip, -upper, lower), xp.where(flip, -lower, upper)
    single = log_ndtr(xp, xp.where(first, upper, -lower))
    big, small = log_ndtr(xp, b), log_ndtr(xp, a)
    value = big + xp.log(-xp.expm1(small - big))
    return -xp.where(first & last, 0.0, xp.where(one, single, value))


_REFERENCE = {"logit": _logit_reference, "probit": _probit_reference, "cloglog": _cloglog_reference}
