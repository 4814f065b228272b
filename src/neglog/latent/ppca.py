"""Probabilistic principal components: the linear Gaussian model whose likelihood, maximum and posterior are exact."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neglog.core.accumulate import exact_sum
from neglog.errors import DataError, ParameterError, ShapeError
from neglog.latent.covariances import EPS
from neglog.latent.rows import as_rows, as_weights, finite

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PPCA:
    r"""Rows :math:`x = \mu + Wz + \varepsilon`, :math:`z \sim N(0, I_q)`, :math:`\varepsilon \sim N(0, \sigma^2 I_D)`.

    So :math:`x \sim N(\mu, C)` with :math:`C = WW' + \sigma^2 I`, and the mean nll of rows with covariance :math:`S`
    about :math:`\mu` is :math:`\frac12[D\log 2\pi + \log|C| + \operatorname{tr}(C^{-1}S)]`.

    Parameters
    ----------
    mean : (D,)
        :math:`\mu`.
    loadings : (D, q), 0 <= q < D
        :math:`W`, in the units of the data.
    noise : positive
        :math:`\sigma^2`, a variance.

    Notes
    -----
    A variational autoencoder with a linear decoder is this model, so it tells how far a bound is from the likelihood:
    :meth:`bound`, ``neglog.torch.elbo_loss`` and ``iwae_loss``.

    Source: Tipping and Bishop, "Probabilistic principal component analysis", JRSS B 61 (1999) 611-622.

    Examples
    --------
    >>> import neglog as nl, numpy as np
    >>> model = nl.latent.PPCA([0.0, 0.0], [[1.0], [1.0]], 0.5)
    >>> model.covariance
    array([[1.5, 1. ],
           [1. , 1.5]])
    >>> model.nll([[1.0, 1.0]])
    array([2.34944884])
    """

    mean: Array
    loadings: Array
    noise: float

    def __post_init__(self) -> None:
        mean = np.ascontiguousarray(self.mean, dtype=np.float64)
        loadings = np.ascontiguousarray(self.loadings, dtype=np.float64)
        if mean.ndim != 1 or loadings.ndim != 2 or len(loadings) != len(mean) or loadings.shape[1] >= len(mean):
            raise ShapeError(
                f"PPCA: mean has shape {mean.shape} and loadings {loadings.shape}; allowed: (D,) and (D, q), q < D"
            )
        if not (np.isfinite(mean).all() and np.isfinite(loadings).all()):
            raise ParameterError("PPCA: mean and loadings must be finite")
        if not 0 < self.noise < math.inf:
            raise ParameterError(f"PPCA: noise = {self.noise}; allowed: finite and positive")
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "loadings", loadings)
        object.__setattr__(self, "noise", float(self.noise))

    @property
    def parameters(self) -> int:
        """Free numbers: D of the mean, D q - q (q - 1) / 2 of the loadings up to rotations, 1 of the noise."""
        d, q = self.loadings.shape
        return d + d * q - q * (q - 1) // 2 + 1

    @property
    def covariance(self) -> Array:
        """:math:`C`, ``(D, D)``."""
        return self.loadings @ self.loadings.T + self.noise * np.eye(len(self.mean))

    @cached_property
    def _axes(self) -> tuple[Array, Array, Array]:
        """Directions ``(D, q)``, the variances along them, and the rotation of ``z``, ``(q, q)``."""
        directions, length, rotation = np.linalg.svd(self.loadings, full_matrices=False)
        return directions, length**2 + self.noise, rotation

    def nll(self, x: ArrayLike) -> Array:
        """Negative log-likelihood of each row ``(n, D)``, in nats: ``inf`` for an infinite row, NaN for a NaN."""
        rows = as_rows("PPCA.nll", x, len(self.mean)).astype(np.float64, copy=False)
        directions, variances, _ = self._axes
        with np.errstate(invalid="ignore", over="ignore"):
            apart = rows - self.mean
            along = apart @ directions
            beside = apart - along @ directions.T
            square = (along * along / variances).sum(axis=1) + (beside * beside).sum(axis=1) / self.noise
        d, q = self.loadings.shape
        constant = d * math.log(2 * math.pi) + np.log(variances).sum() + (d - q) * math.log(self.noise)
        value = 0.5 * (constant + square)
        bad = ~np.isfinite(value)
        value[bad] = np.where(np.isnan(rows[bad]).any(axis=1), np.nan, np.inf)
        return value

    def mean_nll(self, x: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """The (weighted) mean of :meth:`nll`, whose sum is exact."""
        values = self.nll(x)
        weight = as_weights("PPCA.mean_nll", sample_weight, len(values))
        if weight is not None:
            values, weight = values[weight > 0], weight[weight > 0]
        if not len(values):
            return math.nan
        return exact_sum(values, weight) / (len(values) if weight is None else exact_sum(weight))

    def posterior(self, x: ArrayLike) -> tuple[Array, Array]:
        r"""Mean ``(n, q)`` and covariance ``(q, q)`` of ``z`` given each row.

        :math:`M^{-1}W'(x - \mu)` and :math:`\sigma^2 M^{-1}` with :math:`M = W'W + \sigma^2 I`.
        """
        rows = as_rows("PPCA.posterior", x, len(self.mean)).astype(np.float64, copy=False)
        directions, variances, rotation = self._axes
        shrink = np.sqrt(variances - self.noise) / variances
        return (rows - self.mean) @ directions * shrink @ rotation, rotation.T * (self.noise / variances) @ rotation

    def bound(self, x: ArrayLike, mean: ArrayLike, covariance: ArrayLike) -> Array:
        """The negative evidence lower bound of each row for normal ``q(z | x)``, in nats: at least :meth:`nll`.

        Parameters
        ----------
        x : (n, D)
        mean : (n, q)
        covariance : (q, q)
            Positive definite. With :meth:`posterior`'s the bound is the nll.

        Examples
        --------
        >>> import neglog as nl, numpy as np
        >>> model = nl.latent.PPCA([0.0, 0.0], [[1.0], [1.0]], 0.5)
        >>> model.bound([[1.0, 1.0]], *model.posterior([[1.0, 1.0]]))
        array([2.34944884])
        >>> model.bound([[1.0, 1.0]], [[0.0]], [[1.0]])
        array([5.14472989])
        """
        rows = as_rows("PPCA.bound", x, len(self.mean)).astype(np.float64, copy=False)
        d, q = self.loadings.shape
        z, spread = np.asarray(mean, dtype=np.float64), np.asarray(covariance, dtype=np.float64)
        if z.shape != (len(rows), q) or spread.shape != (q, q):
            raise ShapeError(
                f"PPCA.bound: mean has shape {z.shape} and covariance {spread.shape}; "
                f"allowed: ({len(rows)}, {q}) and ({q}, {q})"
            )
        apart = rows - self.mean - z @ self.loadings.T
        blur = float(np.sum((self.loadings.T @ self.loadings) * spread))
        expected = 0.5 * (d * math.log(2 * math.pi * self.noise) + ((apart * apart).sum(axis=1) + blur) / self.noise)
        if not np.allclose(spread, spread.T, rtol=1e-8, atol=0):
            raise ParameterError("PPCA.bound: covariance is not symmetric and finite")
        try:
            log_determinant = 2 * float(np.log(np.diagonal(np.linalg.cholesky(spread))).sum())
        except np.linalg.LinAlgError:
            raise ParameterError("PPCA.bound: covariance is not positive definite") from None
        return expected + 0.5 * (np.trace(spread) - q - log_determinant + (z * z).sum(axis=1))

    def sample(self, size: int, rng: np.random.Generator | int | None = None) -> Array:
        """``size`` draws, ``(size, D)``."""
        rng = np.random.default_rng(rng)
        d, q = self.loadings.shape
        noise = math.sqrt(self.noise) * rng.normal(size=(size, d))
        return self.mean + rng.normal(size=(size, q)) @ self.loadings.T + noise


def fit_ppca(x: ArrayLike, components: int, *, sample_weight: ArrayLike | None = None) -> PPCA:
    r"""The maximum of the likelihood, in closed form.

    With the eigenvalues :math:`\lambda_1 \ge \dots \ge \lambda_D` of the covariance (divisor n) and its eigenvectors
    :math:`u_j`: :math:`\sigma^2` is the mean of the last D - q, and column j of W is
    :math:`\sqrt{\lambda_j - \sigma^2}\,u_j`, the sign so that its largest entry is positive.

    Parameters
    ----------
    x : (n, D), finite
    components : int
        q, from 0 (independent, equal variances) to D - 1.
    sample_weight : (n,), optional
        At least 0; a row of weight 2 counts as two rows.

    Raises
    ------
    DataError
        Numbers that are not finite; or rows that lie in a plane of q dimensions, where the likelihood has no maximum.
    ParameterError, ShapeError

    References
    ----------
    Tipping and Bishop (1999), equations 7 and 8.

    Examples
    --------
    >>> import neglog as nl, numpy as np
    >>> truth = nl.latent.PPCA([1.0, 0.0, 0.0], [[2.0], [0.0], [-1.0]], 0.25)
    >>> nl.latent.fit_ppca(truth.sample(10_000, rng=0), 1).loadings[:, 0].round(1)
    array([ 2., ..., -1.])
    """
    call = "fit_ppca"
    rows = as_rows(call, x).astype(np.float64, copy=False)
    weight = as_weights(call, sample_weight, len(rows))
    if weight is not None:
        rows, weight = rows[weight > 0], weight[weight > 0]
    finite(call, rows)
    d = rows.shape[1]
    whole = isinstance(components, int | np.integer) and not isinstance(components, bool)  # pyright: ignore
    if not whole or not 0 <= components < d:
        raise ParameterError(f"{call}: components={components!r}; allowed: an integer from 0 to {d - 1}")
    share = np.full(len(rows), 1 / len(rows)) if weight is None else weight / weight.sum()
    mean = share @ rows
    centred = (rows - mean) * np.sqrt(share)[:, None]
    # the covariance's eigenvalues as squares of singular values: forming it would lose half the digits
    _, lengths, directions = np.linalg.svd(centred, full_matrices=False)
    values = np.zeros(d)
    with np.errstate(over="ignore"):
        values[: len(lengths)] = lengths**2
    if not np.isfinite(values).all():
        raise DataError(f"{call}: x holds numbers too large to be squared: {np.abs(rows).max():g}")
    noise = float(values[components:].mean())
    rounding = EPS * max(float(np.abs(rows).max()), lengths[0]) * math.sqrt(d)
    if not math.sqrt(noise) > 4 * rounding:
        raise DataError(
            f"{call}: the rows lie in a plane of {components} dimensions: the likelihood has no maximum; "
            "allowed: fewer components, or rows that vary in more directions"
        )
    axes = directions[:components].T
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=0)[None], axis=0)
    return PPCA(mean, axes * np.sqrt(np.maximum(values[:components] - noise, 0)) * np.sign(largest), noise)
