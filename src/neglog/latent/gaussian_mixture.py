"""A mixture of multivariate normals: its likelihood, and the sums from which EM takes a step."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neglog import _native
from neglog.core.accumulate import exact_sum
from neglog.errors import DataError, InputError, ParameterError, ShapeError
from neglog.latent import covariances as shapes
from neglog.latent.rows import as_rows, as_weights, finite

Array = NDArray[np.float64]
_LOG_2PI = math.log(2 * math.pi)


@dataclass(frozen=True, eq=False)
class GaussianMixture:
    r"""K multivariate normals: :math:`-\log f(x) = -\log\sum_k \pi_k N(x; \mu_k, \Sigma_k)`, in log space throughout.

    Parameters
    ----------
    weights : (K,), at least 0, sum 1
        :math:`\pi_k`, the probabilities of the components.
    means : (K, D), real
        In the units of the data.
    covariances : (K, D, D), (D, D), (K, D) or (K,)
        For ``covariance`` full, tied, diagonal (variances) and spherical (one variance).
    covariance : {"full", "tied", "diagonal", "spherical"}

    Raises
    ------
    ShapeError, ParameterError

    See Also
    --------
    fit_gaussian_mixture : the maximum of the likelihood by EM.
    neglog.Mixture : mixtures of any univariate family, with censoring and covariates.

    References
    ----------
    Bishop, *Pattern Recognition and Machine Learning* (2006), section 9.2.

    Examples
    --------
    >>> import neglog as nl
    >>> model = nl.latent.GaussianMixture([0.5, 0.5], [[-1.0], [1.0]], [1.0, 1.0], covariance="spherical")
    >>> model.nll([[0.0], [3.0]])
    array([1.41893853, 3.60961003])
    >>> model.predict_proba([[0.0], [3.0]])
    array([[0.5       , 0.5       ],
           [0.00247262, 0.99752738]])
    """

    weights: Array
    means: Array
    covariances: Array
    covariance: shapes.Kind = "full"

    def __post_init__(self) -> None:
        call = "GaussianMixture"
        means = np.ascontiguousarray(self.means, dtype=np.float64)
        weights = np.ascontiguousarray(self.weights, dtype=np.float64)
        if means.ndim != 2 or 0 in means.shape or weights.shape != means.shape[:1]:
            raise ShapeError(
                f"{call}: weights have shape {weights.shape} and means {means.shape}; allowed: (K,) and (K, D)"
            )
        if not np.isfinite(means).all():
            raise ParameterError(f"{call}: means must be finite")
        if not (weights >= 0).all() or abs(weights.sum() - 1) > 1e-8:
            raise ParameterError(f"{call}: weights {weights.tolist()}; allowed: at least 0, with sum 1")
        kind = shapes.as_kind(call, self.covariance)
        matrices = shapes.given(call, kind, self.covariances, *means.shape)
        for name, value in (("weights", weights), ("means", means), ("covariances", matrices)):
            object.__setattr__(self, name, value)
        _ = self._factors  # raises what is not positive definite

    @property
    def components(self) -> int:
        """K."""
        return len(self.means)

    @property
    def columns(self) -> int:
        """D."""
        return self.means.shape[1]

    @property
    def parameters(self) -> int:
        """Free numbers: K - 1 weights, K D means, and the covariances'.

        >>> import neglog as nl, numpy as np
        >>> nl.latent.GaussianMixture([1.0], np.zeros((1, 3)), np.eye(3)[None]).parameters
        9
        """
        k, d = self.means.shape
        return k - 1 + k * d + shapes.count(self.covariance, k, d)

    @cached_property
    def _factors(self) -> tuple[Array, Array]:
        return shapes.inverse_factors("GaussianMixture", self.covariance, self.covariances, *self.means.shape)

    @property
    def precision_factors(self) -> Array:
        """Lower triangular ``M`` with ``M' M`` the inverse covariance: ``(K, D, D)``, or ``(K, D)`` of a diagonal."""
        return self._factors[0]

    @property
    def _diagonal(self) -> bool:
        return self.covariance in ("diagonal", "spherical")

    def nll(self, x: ArrayLike) -> Array:
        """Negative log-likelihood of each row ``(n, D)``, in nats.

        Returns
        -------
        (n,) float64
            ``inf`` for a row with an infinite number, NaN for one with a NaN. Float32 rows are widened.

        Raises
        ------
        ShapeError
        """
        rows = as_rows("GaussianMixture.nll", x, self.columns)
        out = np.empty(len(rows))
        self._pass(rows, nll=out)
        bad = ~np.isfinite(out)
        if bad.any():  # infinity times an exact zero of a factor is no number
            out[bad] = np.where(np.isnan(rows[bad]).any(axis=1), np.nan, np.inf)
        return out

    def mean_nll(self, x: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """The (weighted) mean of :meth:`nll`, whose sum is exact: the same bits for any order of the rows."""
        values = self.nll(x)
        weight = as_weights("GaussianMixture.mean_nll", sample_weight, len(values))
        if weight is not None:
            values, weight = values[weight > 0], weight[weight > 0]
        if not len(values):
            return math.nan
        return exact_sum(values, weight) / (len(values) if weight is None else exact_sum(weight))

    def predict_proba(self, x: ArrayLike) -> Array:
        """Posterior probabilities ``(n, K)`` of the components. NaN where a row has infinite nll, or is NaN."""
        rows = as_rows("GaussianMixture.predict_proba", x, self.columns)
        out = np.empty((len(rows), self.components))
        self._pass(rows, posterior=out)
        return out

    def predict(self, x: ArrayLike) -> NDArray[np.intp]:
        """The most probable component of each row."""
        rows = finite("GaussianMixture.predict", as_rows("GaussianMixture.predict", x, self.columns))
        return self.predict_proba(rows).argmax(axis=1)

    def sample(self, size: int, rng: np.random.Generator | int | None = None) -> tuple[Array, NDArray[np.intp]]:
        """``size`` draws: rows ``(size, D)`` and the component of each.

        >>> import neglog as nl
        >>> model = nl.latent.GaussianMixture([0.3, 0.7], [[0.0], [9.0]], [1.0, 1.0], covariance="spherical")
        >>> rows, component = model.sample(1000, rng=0)
        >>> rows.shape, component.shape
        ((1000, 1), (1000,))
        """
        rng = np.random.default_rng(rng)
        component = rng.choice(self.components, size=size, p=self.weights / self.weights.sum())
        noise = rng.normal(size=(size, self.columns))
        k, d = self.means.shape
        if self._diagonal:
            deviation = np.sqrt(self.covariances).reshape(k, -1)
            return self.means[component] + noise * deviation[component], component
        factors = np.broadcast_to(np.linalg.cholesky(self.covariances.reshape(-1, d, d)), (k, d, d))
        rows = np.empty_like(noise)
        for i in range(k):
            rows[component == i] = self.means[i] + noise[component == i] @ factors[i].T
        return rows, component

    def aic(self, x: ArrayLike) -> float:
        """``2 k + 2 NLL`` with k :attr:`parameters`."""
        return 2 * self.parameters + 2 * len(np.asarray(x)) * self.mean_nll(x)

    def bic(self, x: ArrayLike) -> float:
        """``k log n + 2 NLL`` with k :attr:`parameters`."""
        n = len(np.asarray(x))
        return self.parameters * math.log(n) + 2 * n * self.mean_nll(x) if n else math.nan

    def statistics(self, x: ArrayLike, sample_weight: ArrayLike | None = None) -> MixtureStatistics:
        """What a step of EM needs of these rows, in one pass. Statistics of parts of the data add up.

        Raises
        ------
        DataError
            A number that is not finite, in a row whose weight is not 0.

        Examples
        --------
        >>> import neglog as nl, numpy as np
        >>> x = np.random.default_rng(0).normal(size=(1000, 2))
        >>> start = nl.latent.GaussianMixture([0.5, 0.5], [[-1, 0], [1, 0]], [1, 1], covariance="spherical")
        >>> whole = start.statistics(x)
        >>> parts = start.statistics(x[:300]) + start.statistics(x[300:])
        >>> bool(np.allclose(whole.maximise().means, parts.maximise().means, rtol=1e-12))
        True
        """
        call = "GaussianMixture.statistics"
        rows = as_rows(call, x, self.columns)
        weight = as_weights(call, sample_weight, len(rows))
        if weight is not None and not weight.all():
            rows, weight = rows[weight > 0], weight[weight > 0]
        found = self._statistics(rows, weight)
        if not math.isfinite(found.nll):
            finite(call, rows)
        return found

    def _statistics(self, rows: Array, weight: Array | None) -> MixtureStatistics:
        k, d = self.means.shape
        sums = np.empty(2 + k * (1 + d + (d if self._diagonal else d * d)))
        self._pass(rows, weight, sums=sums)
        each = sums[2:].reshape(k, -1)
        second = each[:, 1 + d :].copy()
        if not self._diagonal:
            lower = np.tril(second.reshape(k, d, d))
            second = lower + np.tril(lower, -1).swapaxes(1, 2)
        return MixtureStatistics(
            self, float(sums[0]), float(sums[1]), each[:, 0].copy(), each[:, 1 : 1 + d].copy(), second
        )

    def _pass(self, rows: Array, weight: Array | None = None, **wanted: Array) -> None:
        whiten, log_determinant = self._factors
        with np.errstate(divide="ignore"):
            offset = np.log(self.weights) + (log_determinant - 0.5 * self.columns * _LOG_2PI)
        outputs: dict[str, Any] = {"nll": None, "posterior": None, "sums": None, **wanted}
        _native.mixture_pass(
            x=rows, diagonal=self._diagonal, means=self.means, whiten=whiten, offset=offset, weight=weight, **outputs
        )


@dataclass(frozen=True, eq=False)
class MixtureStatistics:
    """Sums over rows under one model: add those of all parts, then take the step.

    Moments are about the model's own means: near the end of a fit, where these hardly move, nothing cancels.
    """

    model: GaussianMixture
    nll: float  # sum of weight * nll, in nats
    weight: float  # sum of the weights
    posterior: Array  # (K,) sums of weight * posterior probability
    first: Array  # (K, D) of that times (x - mean)
    second: Array  # (K, D, D) or (K, D) of that times products, or squares, of (x - mean)

    @property
    def mean_nll(self) -> float:
        """Of the model under which the sums were taken."""
        return self.nll / self.weight

    def __add__(self, other: MixtureStatistics) -> MixtureStatistics:
        if not isinstance(other, MixtureStatistics):  # pyright: ignore[reportUnnecessaryIsInstance]
            return NotImplemented
        if self.model is not other.model and not _same(self.model, other.model):
            raise InputError("MixtureStatistics: the parts belong to different models; allowed: sums under one model")
        names = ("nll", "weight", "posterior", "first", "second")
        return replace(self, **{name: getattr(self, name) + getattr(other, name) for name in names})

    def maximise(self, reg_covar: float = 0.0) -> GaussianMixture:
        """The model of the next step.

        Parameters
        ----------
        reg_covar : float
            No eigenvalue of a covariance gets below it; in squared units of the data.

        Raises
        ------
        DataError
            A component has no rows, or a direction in which they do not vary.
        """
        step = maximise(self, reg_covar)
        if step.model is None:
            raise DataError(f"MixtureStatistics.maximise: {step.message}")
        return step.model


@dataclass(frozen=True)
class Step:
    """The next model, or why there is none."""

    model: GaussianMixture | None
    floored: tuple[int, ...] = ()
    degenerate: tuple[int, ...] = ()
    message: str = ""


def maximise(sums: MixtureStatistics, reg_covar: float) -> Step:
    """The step of EM with its account."""
    old, total = sums.model, sums.posterior
    empty = tuple(np.flatnonzero(~(total > 0)).tolist())
    if empty:
        return Step(None, (), empty, f"component {empty[0]} has lost all rows: fewer components, or another start")
    shift = sums.first / total[:, None]
    means = old.means + shift
    outer = shift * shift if old.covariance in ("diagonal", "spherical") else shift[:, :, None] * shift[:, None, :]
    scatter = sums.second - total.reshape(-1, *(1,) * (outer.ndim - 1)) * outer
    found = shapes.estimate(old.covariance, scatter, total, means, reg_covar)
    if found.singular:
        what = _thin(found.singular, old, total, means)
        advice = "the likelihood has no maximum: fewer components, another start, or reg_covar > 0"
        return Step(None, found.floored, found.singular, f"{what}; {advice}")
    model = GaussianMixture(total / total.sum(), means, found.value, old.covariance)
    return Step(model, found.floored)


def _thin(which: tuple[int, ...], old: GaussianMixture, total: Array, means: Array) -> str:
    if old.covariance == "tied":
        return "the rows of all components lie in a flat subspace: the common covariance is singular"
    place = np.array2string(means[which[0]], precision=4, threshold=6, edgeitems=2)
    return (
        f"component {which[0]} (weight of its rows {total[which[0]]:.4g}, mean {place}) has a direction without spread"
    )


def _same(a: GaussianMixture, b: GaussianMixture) -> bool:
    pairs = ((a.weights, b.weights), (a.means, b.means), (a.covariances, b.covariances))
    return a.covariance == b.covariance and all(np.array_equal(*pair) for pair in pairs)
