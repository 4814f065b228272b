"""MultivariateNormal(loc, cholesky)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from neglog.core.observations import Observations
from neglog.errors import DataError, InputKindError, ShapeError
from neglog.families import kernel
from neglog.families.base import Array, Family, Rng
from neglog.families.facts import LINKS, REAL, Interval, Parameter
from neglog.families.registry import register

_LOG_2PI = math.log(2 * math.pi)


@register
@dataclass(frozen=True)
class MultivariateNormal(Family):
    r"""D jointly normal numbers: :math:`-\log f(y) = \frac D2\log 2\pi + \sum_i\log L_{ii} + \frac12 z'z`.

    Here :math:`z` solves :math:`L z = y - \mu`, and :math:`L L'` is the covariance.

    Parameters
    ----------
    loc : (..., D), real
        Means :math:`\mu`, in the units of ``y``.
    cholesky : (..., D, D), lower triangular with a positive diagonal
        The Cholesky factor :math:`L` of the covariance: ``numpy.linalg.cholesky(cov)``. What stands above the
        diagonal must be zero, so that a covariance is not mistaken for its factor.

    Notes
    -----
    One observation is the last axis of ``y``, of length D; the other axes broadcast against those of the parameters.
    Gradients are ``(*batch, K)`` and Hessians ``(*batch, K, K)`` with K = D + D (D + 1) / 2: first ``loc``, then the
    lower triangle row by row, as ``numpy.tril_indices`` lists it. Triangular systems are solved, nothing is inverted
    for the value.

    The maximum of the likelihood has a closed form, the mean and the Cholesky factor of the covariance of the rows
    (with divisor n); ``start`` returns it.

    References
    ----------
    Petersen and Pedersen, *The Matrix Cookbook* (2012), section 8.1.

    Examples
    --------
    >>> import neglog as nl, numpy as np
    >>> factor = np.linalg.cholesky([[1.0, 0.3], [0.3, 0.5]])
    >>> float(nl.MultivariateNormal().nll([0.7, 0.4], [0.1, -0.2], factor))
    1.78719995798...
    """

    name: ClassVar[str] = "multivariate_normal"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("loc", REAL, LINKS["identity"], event_ndim=1),
        Parameter("cholesky", REAL, LINKS["identity"], event_ndim=2, form="cholesky"),
    )
    support: ClassVar[Interval] = REAL
    discrete: ClassVar[bool] = False
    event_ndim: ClassVar[int] = 1
    location: ClassVar[str] = "loc"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        loc, factor = params
        possible = ~xp.isinf(y)
        y = xp.where(possible, y, 0.0)
        # solved row by row: numpy and torch name their triangular solvers differently
        z: list[Any] = []
        for i in range(loc.shape[-1]):
            known = sum((factor[..., i, j] * z[j] for j in range(i)), 0.0)
            z.append((y[..., i] - loc[..., i] - known) / factor[..., i, i])
        square = sum(one * one for one in z)
        scale = sum(xp.log(factor[..., i, i]) for i in range(len(z)))
        value = 0.5 * len(z) * _LOG_2PI + scale + square / 2
        return xp.where(possible.all(-1), value, math.inf)

    def nll(self, y: ArrayLike | Observations, *params: ArrayLike, check: bool = True, **named: ArrayLike) -> Any:
        """Negative log-likelihood of each observation, in nats.

        Parameters
        ----------
        y : (..., D)
        loc : (..., D)
        cholesky : (..., D, D)
        check : bool
            Raise where a parameter lies outside its domain. With ``False`` such rows are ``inf``.

        Returns
        -------
        array of the broadcast shape of the leading axes
            ``inf`` where a ``y`` is infinite, NaN where one is NaN.

        Raises
        ------
        ParameterError, ShapeError
        InputKindError
            If ``y`` is censored: intervals of several numbers are not supported.
        """
        return self._rows("nll", 0, y, params, named, check)[0]

    def nll_grad(
        self, y: ArrayLike | Observations, *params: ArrayLike, check: bool = True, **named: ArrayLike
    ) -> tuple[Any, Array]:
        """``nll`` and its gradient ``(*batch, K)`` in ``loc`` and the lower triangle of the factor.

        >>> import neglog as nl
        >>> nl.MultivariateNormal().nll_grad([1.0, 0.0], [0.0, 0.0], [[1.0, 0.0], [0.0, 2.0]])[1]
        array([-1. , -0. ,  0. , -0. ,  0.5])
        """
        value, grad = self._rows("nll_grad", 1, y, params, named, check)
        return value, grad

    def nll_grad_hess(
        self, y: ArrayLike | Observations, *params: ArrayLike, check: bool = True, **named: ArrayLike
    ) -> tuple[Any, Array, Array]:
        """``nll``, gradient ``(*batch, K)`` and exact Hessian ``(*batch, K, K)``."""
        value, grad, hess = self._rows("nll_grad_hess", 2, y, params, named, check)
        return value, grad, hess

    def fisher(self, *params: ArrayLike, **named: ArrayLike) -> Array:
        """Variance of the score = expected Hessian, ``(*batch, K, K)``."""
        loc, factor, dtype = self._values("fisher", params, named, True)
        size = loc.shape[-1]
        rows, columns = np.tril_indices(size)
        inverse = _forward(factor, np.eye(size))
        precision = np.einsum("...ka,...kb->...ab", inverse, inverse)
        out = np.zeros((*np.broadcast_shapes(loc.shape[:-1], factor.shape[:-2]), *(size + len(rows),) * 2))
        out[..., :size, :size] = precision
        triangle = precision[..., rows[:, None], rows] * (columns[:, None] == columns)
        diagonal = np.flatnonzero(rows == columns)
        triangle[..., diagonal, diagonal] += np.diagonal(inverse, axis1=-2, axis2=-1) ** 2
        out[..., size:, size:] = triangle
        return out.astype(dtype, copy=False)

    def mean(self, *params: ArrayLike, **named: ArrayLike) -> Any:
        """``loc``, broadcast against the factor: ``(*batch, D)``."""
        loc, factor, dtype = self._values("mean", params, named, True)
        return np.broadcast_to(loc, np.broadcast_shapes(loc.shape, factor.shape[:-1])).astype(dtype)

    def var(self, *params: ArrayLike, **named: ArrayLike) -> Any:
        """The variance of each of the D numbers, ``(*batch, D)``; the whole matrix is :meth:`cov`."""
        loc, factor, dtype = self._values("var", params, named, True)
        shape = np.broadcast_shapes(loc.shape, factor.shape[:-1])
        return np.broadcast_to((factor * factor).sum(-1), shape).astype(dtype)

    def cov(self, *params: ArrayLike, **named: ArrayLike) -> Array:
        """The covariance matrix, ``(*batch, D, D)``.

        >>> import neglog as nl
        >>> nl.MultivariateNormal().cov([0.0, 0.0], [[1.0, 0.0], [0.5, 1.0]])
        array([[1.  , 0.5 ],
               [0.5 , 1.25]])
        """
        _, factor, dtype = self._values("cov", params, named, True)
        return (factor @ factor.swapaxes(-1, -2)).astype(dtype)

    def sample(
        self,
        *params: ArrayLike,
        size: int | tuple[int, ...] | None = None,
        rng: Rng = None,
        **named: ArrayLike,
    ) -> Any:
        """Draws ``(*size, D)``; ``size`` is the shape without the last axis, default that of the parameters."""
        loc, factor, _ = self._values("sample", params, named, True)
        batch = np.broadcast_shapes(loc.shape[:-1], factor.shape[:-2])
        shape = kernel.draw_shape("MultivariateNormal.sample", size, batch)
        noise = np.random.default_rng(rng).normal(size=(*shape, loc.shape[-1]))
        return loc + (factor @ noise[..., None])[..., 0]

    def start(self, y: ArrayLike | Observations, weights: ArrayLike | None = None) -> tuple[Any, ...]:
        """The maximum of the likelihood: mean and Cholesky factor of the covariance of the rows ``(n, D)``.

        Where the rows leave a direction without any spread, which has no maximum, it is given a thousandth of the
        others'.
        """
        values = kernel.as_real("MultivariateNormal.start", "y", self._exact("start", y)).astype(np.float64)
        if values.ndim < 2:
            raise ShapeError(f"MultivariateNormal.start: y has shape {values.shape}; allowed: (n, D)")
        values = values.reshape(-1, values.shape[-1])
        weight = np.ones(len(values)) if weights is None else np.broadcast_to(np.asarray(weights, float), len(values))
        use = np.isfinite(values).all(axis=1) & (weight > 0)
        if not use.any():
            raise DataError("MultivariateNormal.start: there is no row to start from")
        values, weight = values[use], weight[use] / weight[use].sum()
        loc = weight @ values
        # R of the centred rows is the factor's transpose; squares, which would lose half the digits, are not formed
        upper = np.asarray(np.linalg.qr((values - loc) * np.sqrt(weight)[:, None], mode="r"))
        square = np.zeros((len(loc), len(loc)))
        square[:, : len(upper)] = upper.T
        square *= np.where(np.diag(square) < 0, -1.0, 1.0)
        spread = np.sqrt((square * square).sum(axis=1))
        spread[spread <= 1e-15 * np.abs(loc)] = 0.0  # equal values, whose mean was rounded
        small = (np.diag(square) <= 1e-12 * spread) | (spread == 0)
        typical = float(spread.max()) or max(float(np.abs(loc).max()), 1.0)
        square[spread == 0] = 0.0
        square[small, small] = 1e-3 * np.where(spread > 0, spread, typical)[small]
        return loc, np.tril(square)

    def _exact(self, function: str, y: ArrayLike | Observations) -> ArrayLike:
        if not isinstance(y, Observations):
            return y
        if not y.exact.all():
            raise InputKindError(f"MultivariateNormal.{function}: y is censored, which is not supported")
        return y.lower

    def _inside(self, loc: Array, factor: Array) -> Array:
        place, matrix = self.parameters
        return np.asarray(place.contains(loc).all(-1) & matrix.contains(factor).all((-2, -1)))

    def _values(
        self, function: str, params: tuple[ArrayLike, ...], named: dict[str, ArrayLike], check: bool
    ) -> tuple[Array, Array, np.dtype[Any]]:
        """``loc`` and the factor as float64, and the dtype that the caller expects back."""
        call = f"MultivariateNormal.{function}"
        given = self._bind(function, params, named)
        loc, factor = (kernel.as_real(call, p.name, v) for p, v in zip(self.parameters, given, strict=True))
        if loc.ndim < 1 or factor.ndim < 2 or factor.shape[-2:] != loc.shape[-1:] * 2:
            raise ShapeError(
                f"{call}: loc has shape {loc.shape} and cholesky {factor.shape}; allowed: (..., D) and (..., D, D)"
            )
        if check:
            self._check_domain(function, [loc, factor])
        kernel.broadcast_shape(call, {"loc": loc.shape[:-1], "cholesky": factor.shape[:-2]})
        # in one layout: products of matrices round differently in another
        loc, factor = (np.ascontiguousarray(value, dtype=np.float64) for value in (loc, factor))
        return loc, factor, kernel.result_dtype(given)

    def _rows(
        self,
        function: str,
        order: int,
        y: ArrayLike | Observations,
        params: tuple[ArrayLike, ...],
        named: dict[str, ArrayLike],
        check: bool,
    ) -> tuple[Any, ...]:
        call = f"MultivariateNormal.{function}"
        loc, factor, _ = self._values(function, params, named, check)
        given = self._exact(function, y)
        values = kernel.as_real(call, "y", given)
        if values.ndim < 1 or values.shape[-1] != loc.shape[-1]:
            raise ShapeError(f"{call}: y has shape {values.shape} and loc {loc.shape}; their last axes must be equal")
        shapes = {"y": values.shape[:-1], "loc": loc.shape[:-1], "cholesky": factor.shape[:-2]}
        shape = kernel.broadcast_shape(call, shapes)
        dtype = kernel.widest([given, *params, *named.values()])
        finite = np.broadcast_to(np.isfinite(values).all(-1), shape)
        inside = np.broadcast_to(np.True_ if check else self._inside(loc, factor), shape)
        with np.errstate(all="ignore"):
            parts = _derivatives(order, np.ascontiguousarray(values, dtype=np.float64), loc, factor, shape)
        if not (finite & inside).all():
            missing = np.isnan(values).any(-1) | np.isnan(loc).any(-1) | np.isnan(factor).any((-2, -1))
            bad = ~(finite & inside)
            parts[0] = np.where(bad, np.where(missing, np.nan, np.inf), parts[0])
            for i in range(1, len(parts)):
                parts[i] = np.where(bad.reshape(*shape, *(1,) * i), np.nan, parts[i])
        wide = np.promote_types(dtype, np.float32)
        with np.errstate(over="ignore"):
            out = [part.astype(dtype if i == 1 else wide, copy=False) for i, part in enumerate(parts)]
        return out[0][()], *out[1:]


def _derivatives(order: int, y: Array, loc: Array, factor: Array, shape: tuple[int, ...]) -> list[Array]:
    """Value, gradient and Hessian in ``loc`` and the lower triangle, as far as ``order`` says.

    With ``M`` the inverse of the factor, ``w = M'z`` and ``A = M'M``, a change ``dL`` moves ``z`` by ``-M dL z`` and
    ``w`` by ``-M' dL' w - A dL z``.
    """
    size = loc.shape[-1]
    z = _forward(factor, np.broadcast_to(y - loc, (*shape, size))[..., None])[..., 0]
    diagonal = np.diagonal(factor, axis1=-2, axis2=-1)
    value = 0.5 * (z * z).sum(-1) + np.log(diagonal).sum(-1) + 0.5 * size * _LOG_2PI
    out = [np.broadcast_to(value, shape)]
    if order == 0:
        return out
    rows, columns = np.tril_indices(size)
    on_diagonal = rows == columns
    w = _backward(factor, z)
    slopes = -w[..., rows] * z[..., columns]
    slopes[..., on_diagonal] += 1 / diagonal
    out.append(np.concatenate([-w, slopes], axis=-1))
    if order == 1:
        return out
    inverse = _forward(factor, np.eye(size))
    precision = np.einsum("...ka,...kb->...ab", inverse, inverse)
    hess = np.empty((*shape, *(size + len(rows),) * 2))
    hess[..., :size, :size] = precision
    mixed = inverse[..., columns, :] * w[..., rows, None] + precision[..., rows, :] * z[..., columns, None]
    hess[..., size:, :size] = mixed
    hess[..., :size, size:] = mixed.swapaxes(-1, -2)
    # entry (i, j), (k, l): w_k M_li z_j + z_j A_ik z_l + w_i M_jk z_l
    zj, wi = z[..., columns], w[..., rows]
    crossed = inverse[..., columns[:, None], rows] * (wi[..., :, None] * zj[..., None, :])
    triangle = crossed + crossed.swapaxes(-1, -2)
    triangle += precision[..., rows[:, None], rows] * (zj[..., :, None] * zj[..., None, :])
    at = np.flatnonzero(on_diagonal)
    triangle[..., at, at] -= diagonal**-2.0
    hess[..., size:, size:] = triangle
    out.append(hess)
    return out


def _forward(factor: Array, right: Array) -> Array:
    """``x`` of ``factor @ x = right``, ``(..., D, m)``."""
    batch = np.broadcast_shapes(factor.shape[:-2], right.shape[:-2])
    x = np.broadcast_to(right, (*batch, *right.shape[-2:])).copy()
    for i in range(factor.shape[-1]):
        x[..., i, :] -= (factor[..., i, None, :i] @ x[..., :i, :])[..., 0, :]
        x[..., i, :] /= factor[..., i, i, None]
    return x


def _backward(factor: Array, right: Array) -> Array:
    """``x`` of ``factor' @ x = right``, ``(..., D)``."""
    x = right.copy()
    for i in reversed(range(factor.shape[-1])):
        x[..., i] -= (factor[..., i + 1 :, i] * x[..., i + 1 :]).sum(-1)
        x[..., i] /= factor[..., i, i]
    return x
