"""The one implementation for families whose observations and parameters are numbers."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike

from neglog.core.observations import Observations
from neglog.errors import DataError, InputKindError
from neglog.families import expectation, kernel, quantile
from neglog.families.base import Array, Family, Rng


class ScalarFamily(Family):
    """A family whose parameters and observations are numbers; everything broadcasts.

    The public methods are final. A family adds facts, the hooks below, and its struct in ``native/families``.
    """

    @final
    def nll(self, y: ArrayLike | Observations, *params: ArrayLike, check: bool = True, **named: ArrayLike) -> Any:
        """Negative log-likelihood of each observation, in nats, all constants included.

        ``-log f(y)`` for an exact row, ``-log P(lower < Y <= upper)`` for a censored one.

        Parameters
        ----------
        y : array or Observations
            Data; broadcast against the parameters.
        *params, **named : arrays
            The family's parameters in order, or by name.
        check : bool
            Raise where a parameter lies outside its domain. With ``False`` such rows are ``+inf``.

        Returns
        -------
        array of the broadcast shape
            float32 if every floating input is at most that wide, otherwise float64; a scalar for scalars.
            Gradients of float16 inputs are float16.
            ``+inf`` outside the support and for impossible intervals; NaN only where an input is NaN.

        Raises
        ------
        ParameterError, ShapeError

        Examples
        --------
        >>> import neglog as nl
        >>> float(nl.Weibull().nll(1.7, shape=1.5, scale=2.0))
        1.15260281607...
        >>> nl.Weibull().nll(nl.right_censored([1.7, 1.7], [1, 0]), 1.5, 2.0)
        array([1.15260282, 0.78366128])
        """
        return self._rows("nll", 0, y, params, named, check)[0]

    @final
    def nll_grad(
        self, y: ArrayLike | Observations, *params: ArrayLike, check: bool = True, **named: ArrayLike
    ) -> tuple[Any, Array]:
        """``nll`` and its gradient in the parameters, of shape ``(P, *batch)``; arguments as for ``nll``.

        Where the nll is ``+inf`` the gradient is its limit if there is one and NaN otherwise.

        Examples
        --------
        >>> import neglog as nl
        >>> value, grad = nl.Normal().nll_grad([0.0, 3.0], loc=1.0, scale=2.0)
        >>> grad
        array([[ 0.25 , -0.5  ],
               [ 0.375,  0.   ]])
        """
        value, grad = self._rows("nll_grad", 1, y, params, named, check)
        return value, grad

    @final
    def nll_grad_hess(
        self, y: ArrayLike | Observations, *params: ArrayLike, check: bool = True, **named: ArrayLike
    ) -> tuple[Any, Array, Array]:
        """``nll``, gradient ``(P, *batch)`` and exact Hessian ``(P, P, *batch)``; arguments as for ``nll``.

        Examples
        --------
        >>> import neglog as nl
        >>> value, grad, hess = nl.Poisson().nll_grad_hess(3, rate=2.0)
        >>> float(grad[0]), float(hess[0, 0])
        (-0.5, 0.75)
        """
        value, grad, hess = self._rows("nll_grad_hess", 2, y, params, named, check)
        return value, grad, hess

    @final
    def log_interval(
        self, lower: ArrayLike, upper: ArrayLike, *params: ArrayLike, check: bool = True, **named: ArrayLike
    ) -> Any:
        """``log P(lower < Y <= upper)``, accurate in both tails and for intervals of any width.

        ``-inf`` for an empty interval (``lower == upper`` included) and outside the support.

        Raises
        ------
        DataError
            If a lower end lies above its upper end, unless ``check=False`` (then the interval is empty).

        Examples
        --------
        >>> import neglog as nl
        >>> float(nl.Normal().log_interval(40.0, 41.0, 0.0, 1.0))
        -804.608442013...
        """
        return self._window("log_interval", 0, lower, upper, params, named, check)[0]

    @final
    def log_interval_grad_hess(
        self, lower: ArrayLike, upper: ArrayLike, *params: ArrayLike, check: bool = True, **named: ArrayLike
    ) -> tuple[Any, Array, Array]:
        """``log_interval``, its gradient ``(P, *batch)`` and Hessian ``(P, P, *batch)`` in the parameters."""
        value, grad, hess = self._window("log_interval_grad_hess", 2, lower, upper, params, named, check)
        return value, grad, hess

    @final
    def log_cdf(self, y: ArrayLike, *params: ArrayLike, check: bool = True, **named: ArrayLike) -> Any:
        """``log P(Y <= y)``, accurate in both tails.

        Examples
        --------
        >>> import neglog as nl
        >>> nl.Normal().log_cdf([-40.0, 10.0], 0.0, 1.0)
        array([-8.04608442e+02, -7.61985302e-24])
        """
        return self._window("log_cdf", 0, -np.inf, y, params, named, check)[0]

    @final
    def log_cdf_grad_hess(
        self, y: ArrayLike, *params: ArrayLike, check: bool = True, **named: ArrayLike
    ) -> tuple[Any, Array, Array]:
        """``log_cdf``, its gradient ``(P, *batch)`` and Hessian ``(P, P, *batch)`` in the parameters."""
        value, grad, hess = self._window("log_cdf_grad_hess", 2, -np.inf, y, params, named, check)
        return value, grad, hess

    @final
    def log_sf(self, y: ArrayLike, *params: ArrayLike, check: bool = True, **named: ArrayLike) -> Any:
        """``log P(Y > y)``, accurate in both tails.

        Examples
        --------
        >>> import neglog as nl
        >>> float(nl.Normal().log_sf(40.0, 0.0, 1.0))
        -804.608442013...
        """
        return self._window("log_sf", 0, y, np.inf, params, named, check)[0]

    @final
    def log_sf_grad_hess(
        self, y: ArrayLike, *params: ArrayLike, check: bool = True, **named: ArrayLike
    ) -> tuple[Any, Array, Array]:
        """``log_sf``, its gradient ``(P, *batch)`` and Hessian ``(P, P, *batch)`` in the parameters."""
        value, grad, hess = self._window("log_sf_grad_hess", 2, y, np.inf, params, named, check)
        return value, grad, hess

    @final
    def cdf(self, y: ArrayLike, *params: ArrayLike, check: bool = True, **named: ArrayLike) -> Any:
        """``P(Y <= y)``; take ``log_cdf`` or ``sf`` where it is near 0 or 1."""
        return np.exp(self._window("cdf", 0, -np.inf, y, params, named, check)[0])

    @final
    def sf(self, y: ArrayLike, *params: ArrayLike, check: bool = True, **named: ArrayLike) -> Any:
        """``P(Y > y)``; take ``log_sf`` or ``cdf`` where it is near 0 or 1."""
        return np.exp(self._window("sf", 0, y, np.inf, params, named, check)[0])

    @final
    def ppf(self, q: ArrayLike, *params: ArrayLike, check: bool = True, **named: ArrayLike) -> Any:
        """The smallest ``y`` of the support with ``P(Y <= y) >= q``.

        Raises
        ------
        InputKindError
            If a ``q`` lies outside [0, 1]. NaN stays NaN.

        Examples
        --------
        >>> import neglog as nl
        >>> float(nl.Weibull().ppf(0.5, shape=1.0, scale=2.0))
        1.38629436111...
        """
        values, _ = self._float64("ppf", params, named, check)
        call = f"{type(self).__name__}.ppf"
        probability = kernel.as_real(call, "q", q).astype(np.float64)
        self._shape("ppf", {"q": probability}, values)
        if (bad := (probability < 0) | (probability > 1)).any():
            raise InputKindError(f"{call}: q = {probability[bad][0]:g} is no probability; allowed: [0, 1]")
        with np.errstate(all="ignore"):
            quantile = np.asarray(self._ppf(probability, *values))
        return quantile.astype(kernel.result_dtype([q, *self._bind("ppf", params, named)]), copy=False)[()]

    @final
    def mean(self, *params: ArrayLike, **named: ArrayLike) -> Any:
        """Expected value, of the parameters' broadcast shape.

        >>> import neglog as nl
        >>> float(nl.Weibull().mean(shape=1.0, scale=2.0))
        2.0
        """
        values, dtype = self._float64("mean", params, named)
        with np.errstate(all="ignore"):
            return np.asarray(self._mean(*np.broadcast_arrays(*values))).astype(dtype, copy=False)[()]

    @final
    def var(self, *params: ArrayLike, **named: ArrayLike) -> Any:
        """Variance, of the parameters' broadcast shape.

        >>> import neglog as nl
        >>> float(nl.Poisson().var(2.5))
        2.5
        """
        values, dtype = self._float64("var", params, named)
        with np.errstate(all="ignore"):
            return np.asarray(self._var(*np.broadcast_arrays(*values))).astype(dtype, copy=False)[()]

    @final
    def fisher(self, *params: ArrayLike, **named: ArrayLike) -> Array:
        """Variance of the score of one exact observation = expected Hessian of its nll, ``(P, P, *batch)``.

        >>> import neglog as nl
        >>> nl.Normal().fisher(loc=0.0, scale=2.0)
        array([[0.25, 0. ],
               [0. , 0.5 ]])
        """
        values, dtype = self._float64("fisher", params, named)
        shape = self._shape("fisher", {}, values)
        out = np.zeros((len(values), len(values), *shape))
        with np.errstate(all="ignore"):
            for (i, j), entry in self._fisher(*values).items():
                out[i, j] = out[j, i] = entry
        return out.astype(dtype, copy=False)

    @final
    def sample(
        self,
        *params: ArrayLike,
        size: int | tuple[int, ...] | None = None,
        rng: Rng = None,
        **named: ArrayLike,
    ) -> Any:
        """Independent draws: float64 for continuous families, int64 for discrete ones.

        Parameters
        ----------
        *params, **named : arrays
            Parameters, broadcast against each other and against ``size``.
        size : int or tuple, optional
            Shape of the result; default: the parameters' broadcast shape.
        rng : numpy.random.Generator or int, optional
            Generator, or the seed of a new one.

        Examples
        --------
        >>> import neglog as nl
        >>> nl.Poisson().sample(4.0, size=3, rng=0).shape
        (3,)
        """
        values, _ = self._float64("sample", params, named)
        call = f"{type(self).__name__}.sample"
        shape = kernel.draw_shape(call, size, self._shape("sample", {}, values))
        return self._draw(np.random.default_rng(rng), shape, *values)

    @final
    def start(self, y: ArrayLike | Observations, weights: ArrayLike | None = None) -> tuple[float, ...]:
        """Finite parameters inside their domains from which a fit of independent rows can start.

        Parameters
        ----------
        y : 1-d array or Observations
            Data, censored or not; rows with NaN or zero weight are not read.
        weights : array of the same length, optional

        Raises
        ------
        DataError
            If no row is left.

        Examples
        --------
        >>> import neglog as nl
        >>> nl.Poisson().start([1, 2, 6])
        (3.0,)
        """
        rows = y if isinstance(y, Observations) else Observations(np.ravel(y), np.ravel(y))
        weight = np.ones(rows.shape) if weights is None else np.broadcast_to(np.asarray(weights, float), rows.shape)
        use = (rows.kind >= 0) & (weight > 0)
        if not use.any():
            raise DataError(f"{type(self).__name__}.start: there is no row to start from")
        return tuple(float(value) for value in self._start(rows[use], weight[use]))

    def _evaluate(
        self,
        function: str,
        order: int,
        rows: int,  # kernel.EXACT, OBSERVED or WINDOW
        data: dict[str, ArrayLike],  # y, or lower and upper
        params: tuple[ArrayLike, ...],
        named: dict[str, ArrayLike],
        check: bool,
    ) -> tuple[Any, ...]:
        """Everything that reaches the native loops passes here."""
        call = f"{type(self).__name__}.{function}"
        given = self._bind(function, params, named)
        values = self._real(function, given, check)
        arrays = {name: kernel.as_real(call, name, value) for name, value in data.items()}
        shape = self._shape(function, arrays, values)
        if check and rows == kernel.WINDOW:
            _check_order(call, **arrays)
        dtype = kernel.widest([*data.values(), *given])
        return self._jets(rows, order, list(arrays.values()), values, shape, dtype)

    def _jets(
        self,
        rows: int,  # kernel.EXACT, OBSERVED or WINDOW
        order: int,  # 0 value, 1 and gradient, 2 and Hessian
        data: list[Array],  # y, or lower and upper
        values: list[Array],  # of the parameters
        shape: tuple[int, ...],  # that all of them broadcast to
        dtype: np.dtype[Any],  # of the gradient; value and Hessian are at least float32
    ) -> tuple[Any, ...]:
        """Value ``shape``, gradient ``(P, *shape)``, Hessian ``(P, P, *shape)``: the native loop over the rows.

        A family made of other families overrides this.
        """
        return kernel.evaluate(self.name, rows, order, data, values, shape, dtype)

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
            ends: dict[str, ArrayLike] = {"lower": y.lower, "upper": y.upper}
            return self._evaluate(function, order, kernel.OBSERVED, ends, params, named, check)
        return self._evaluate(function, order, kernel.EXACT, {"y": y}, params, named, check)

    def _window(
        self,
        function: str,
        order: int,
        lower: ArrayLike,
        upper: ArrayLike,
        params: tuple[ArrayLike, ...],
        named: dict[str, ArrayLike],
        check: bool,
    ) -> tuple[Any, ...]:
        ends = {"lower": lower, "upper": upper}
        return self._evaluate(function, order, kernel.WINDOW, ends, params, named, check)

    def _real(self, function: str, given: list[ArrayLike], check: bool) -> list[Array]:
        call = f"{type(self).__name__}.{function}"
        values = [kernel.as_real(call, p.name, value) for p, value in zip(self.parameters, given, strict=True)]
        if check:
            self._check_domain(function, values)
        return values

    def _shape(self, function: str, data: dict[str, Array], values: list[Array]) -> tuple[int, ...]:
        arrays = data | {p.name: value for p, value in zip(self.parameters, values, strict=True)}
        return kernel.broadcast_shape(
            f"{type(self).__name__}.{function}", {name: array.shape for name, array in arrays.items()}
        )

    def _float64(
        self, function: str, params: tuple[ArrayLike, ...], named: dict[str, ArrayLike], check: bool = True
    ) -> tuple[list[Array], np.dtype[Any]]:
        """Checked parameters as float64 for the hooks, and the dtype that the caller expects back."""
        given = self._bind(function, params, named)
        values = [value.astype(np.float64, copy=False) for value in self._real(function, given, check)]
        return values, kernel.result_dtype(given)

    @final
    def quantile_of_log(self, log_p: Array, upper: bool, values: list[Array]) -> Array:
        """The ``y`` with ``log P(Y <= y)``, or with ``upper`` ``log P(Y > y)``, equal to ``log_p``: any probability.

        ``values`` are float64 parameters inside their domains, of the shape of ``log_p``. NaN stays NaN.
        """
        shape = log_p.shape
        flat = [np.broadcast_to(value, shape).reshape(-1) for value in values]
        low, high = (np.broadcast_to(end, shape).reshape(-1).astype(np.float64) for end in self._ends(*values))
        target = log_p.reshape(-1)
        tail = self.log_sf if upper else self.log_cdf

        def log_tail(y: Array, at: Array) -> Array:
            return tail(y, *[value[at] for value in flat], check=False)

        if self.discrete:
            y = quantile.invert_counts(log_tail, target, upper, low, high)
        else:

            def log_density(y: Array, at: Array) -> Array:
                return -self.nll(y, *[value[at] for value in flat], check=False)

            y = quantile.invert(log_tail, log_density, target, upper, low, high)
        return np.where(np.isnan(target), np.nan, y).reshape(shape)

    # The hooks of a family. Parameters arrive as checked float64 arrays that broadcast together.

    @abstractmethod
    def _mean(self, *params: Array) -> Array:
        """Expected value."""

    @abstractmethod
    def _var(self, *params: Array) -> Array:
        """Variance."""

    def _fisher(self, *params: Array) -> dict[tuple[int, int], Array]:
        """Variance of the score: the entries that are not zero, one triangle. Here by quadrature."""
        return expectation.fisher(self, list(params))

    def _ppf(self, q: Array, *params: Array) -> Array:
        """Quantiles for ``q`` in [0, 1] or NaN. Here by inverting the smaller tail."""
        q, *values = np.broadcast_arrays(q, *params)
        low = q <= 0.5
        below = self.quantile_of_log(np.log(np.where(low, q, np.nan)), False, values)
        above = self.quantile_of_log(np.log1p(-np.where(low, np.nan, q)), True, values)
        return np.where(low, below, above)

    def _ends(self, *params: Array) -> tuple[Array | float, Array | float]:
        """Ends of the support at these parameters."""
        return self.support.low, self.support.high

    @abstractmethod
    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        """Draws of that shape."""

    @abstractmethod
    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        """Start values from rows without NaN and with positive weights."""


def _check_order(call: str, lower: Array, upper: Array) -> None:
    if (bad := lower > upper).any():
        at = tuple(int(i) for i in np.argwhere(bad)[0])
        low, high = (np.broadcast_to(end, bad.shape)[at] for end in (lower, upper))
        position = f" at position {at}" if at else ""
        raise DataError(f"{call}: lower = {low:g} is above upper = {high:g}{position}; intervals are (lower, upper]")
