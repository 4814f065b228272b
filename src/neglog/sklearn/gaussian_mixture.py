"""``sklearn.mixture.GaussianMixture`` with neglog's EM: same names, same path from the same start, sooner there."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from neglog import latent
from neglog.errors import InputError, ParameterError
from neglog.latent.mixture_start import start
from neglog.latent.rows import as_weights

Array = NDArray[np.float64]
_KINDS = {"full": "full", "tied": "tied", "diag": "diagonal", "spherical": "spherical"}


class GaussianMixture(DensityMixin, BaseEstimator):
    """Maximum likelihood of a Gaussian mixture: :func:`neglog.latent.fit_gaussian_mixture` as an estimator.

    Parameters and attributes are scikit-learn's; what is different on purpose:

    * ``tol`` bounds what all further steps would gain per row, not the last step alone, so slow progress is not taken
      for convergence (use ``max_iter`` and ``tol=0`` for scikit-learn's very path).
    * ``reg_covar`` is a floor of the covariances' eigenvalues, not added to every variance: estimates that do not need
      it are exact maximum likelihood, and ``degenerate_`` names the components that do.
    * ``lower_bound_`` is the mean log-likelihood of the returned parameters, not of those one step before.
    * ``fit`` takes ``sample_weight``.

    Parameters
    ----------
    n_components : int
    covariance_type : {"full", "tied", "diag", "spherical"}
    tol : float
        In nats per row.
    reg_covar : float
        In squared units of the data.
    max_iter, n_init : int
    weights_init : (K,), means_init : (K, D), precisions_init : inverse covariances, optional
        The start. Precisions need means; weights are equal unless given.
    random_state : int, RandomState or None
    warm_start : bool
        Start from the previous fit.

    Attributes
    ----------
    weights_, means_, covariances_, precisions_, precisions_cholesky_ : arrays
        Shapes as in scikit-learn; ``precisions_ = precisions_cholesky_ @ precisions_cholesky_.T``.
    converged_ : bool
    n_iter_ : int
    lower_bound_ : float
        Nats per row.
    lower_bounds_ : list of float
        After each step.
    degenerate_ : tuple of int
        Components on a point, or held by ``reg_covar``.
    fit_ : MixtureFit
        The whole account.

    Examples
    --------
    >>> import numpy as np
    >>> from neglog.sklearn import GaussianMixture
    >>> x = np.array([[1, 2], [1, 4], [1.5, 0], [10, 2], [10, 4], [10.5, 0]])
    >>> gm = GaussianMixture(2, covariance_type="spherical", random_state=0).fit(x)
    >>> sorted(gm.means_.round(2).tolist())
    [[1.17, 2.0], [10.17, 2.0]]
    """

    def __init__(
        self,
        n_components: int = 1,
        *,
        covariance_type: str = "full",
        tol: float = 1e-3,
        reg_covar: float = 1e-6,
        max_iter: int = 100,
        n_init: int = 1,
        weights_init: ArrayLike | None = None,
        means_init: ArrayLike | None = None,
        precisions_init: ArrayLike | None = None,
        random_state: Any = None,
        warm_start: bool = False,
    ) -> None:
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.tol = tol
        self.reg_covar = reg_covar
        self.max_iter = max_iter
        self.n_init = n_init
        self.weights_init = weights_init
        self.means_init = means_init
        self.precisions_init = precisions_init
        self.random_state = random_state
        self.warm_start = warm_start

    def fit(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> Self:
        """Estimate from rows ``(n, D)``.

        Warns
        -----
        ConvergenceWarning
            Not converged, or a component is degenerate: the message says which.
        """
        if self.covariance_type not in _KINDS:
            raise ParameterError(
                f"GaussianMixture: covariance_type={self.covariance_type!r}; allowed: {', '.join(_KINDS)}"
            )
        rows = self._read(X, ensure_min_samples=2)
        if len(rows) < self.n_components:
            raise InputError(f"GaussianMixture.fit: n_samples={len(rows)} for n_components={self.n_components}")
        rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31))
        found = latent.fit_gaussian_mixture(
            rows,
            self.n_components,
            covariance=_KINDS[self.covariance_type],  # pyright: ignore[reportArgumentType]
            sample_weight=sample_weight,
            start=self._start(rows, sample_weight, rng),
            n_init=self.n_init,
            tol=self.tol,
            max_iter=self.max_iter,
            reg_covar=self.reg_covar,
            rng=rng,
        )
        if not found.ok:
            warnings.warn(f"GaussianMixture.fit: {found.message}", ConvergenceWarning, stacklevel=2)
        self.fit_ = found
        self.weights_, self.means_ = found.model.weights, found.model.means
        self.covariances_ = found.model.covariances
        self.precisions_cholesky_ = self._cholesky()
        root = self.precisions_cholesky_
        self.precisions_ = root @ root.swapaxes(-1, -2) if self.covariance_type in ("full", "tied") else root * root
        self.converged_ = found.status != "max_iterations"
        self.n_iter_, self.degenerate_ = found.iterations, found.degenerate
        self.lower_bound_ = -found.mean_nll
        self.lower_bounds_ = [-value for value in found.history[1:]]
        return self

    def _start(
        self, rows: Array, sample_weight: ArrayLike | None, rng: np.random.Generator
    ) -> latent.GaussianMixture | Array | None:
        if self.warm_start and hasattr(self, "fit_"):
            return self.fit_.model
        if self.means_init is None:
            if self.weights_init is not None or self.precisions_init is not None:
                raise ParameterError("GaussianMixture: weights_init and precisions_init need means_init")
            return None
        means = np.ascontiguousarray(self.means_init, dtype=np.float64)
        kind, k = _KINDS[self.covariance_type], self.n_components
        if self.precisions_init is None:
            if self.weights_init is None or means.shape != (k, rows.shape[1]):
                return means  # of another shape: the fit says so
            weight = as_weights("GaussianMixture.fit", sample_weight, len(rows))
            return replace(start(rows, weight, k, cast(Any, kind), rng, means), weights=self.weights_init)
        weights = np.full(k, 1 / k) if self.weights_init is None else np.asarray(self.weights_init, np.float64)
        precisions = np.asarray(self.precisions_init, np.float64)
        matrices = self.covariance_type in ("full", "tied")
        covariances = np.linalg.inv(precisions) if matrices else 1 / precisions
        if matrices:
            covariances = (covariances + covariances.swapaxes(-1, -2)) / 2
        return latent.GaussianMixture(weights, means, covariances, kind)  # pyright: ignore

    def _cholesky(self) -> Array:
        factors = self.fit_.model.precision_factors
        match self.covariance_type:
            case "full":
                return factors.swapaxes(1, 2)
            case "tied":
                return factors[0].T
            case "diag":
                return factors
            case _:
                return factors[:, 0]

    def _rows(self, X: ArrayLike) -> Array:
        check_is_fitted(self)
        return self._read(X, reset=False)

    def _read(self, X: Any, **options: Any) -> Array:
        return cast(Array, validate_data(self, X, dtype=[np.float64, np.float32], **options))

    def fit_predict(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> NDArray[np.intp]:
        """:meth:`fit`, then the most probable component of each row."""
        return self.fit(X, y, sample_weight).predict(X)

    def score_samples(self, X: ArrayLike) -> Array:
        """Log-likelihood of each row, in nats."""
        return -self._model().nll(self._rows(X))

    def score(self, X: ArrayLike, y: object = None) -> float:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The mean log-likelihood of the rows."""
        return -self._model().mean_nll(self._rows(X))

    def predict_proba(self, X: ArrayLike) -> Array:
        """Posterior probabilities of the components."""
        return self._model().predict_proba(self._rows(X))

    def predict(self, X: ArrayLike) -> NDArray[np.intp]:
        """The most probable component."""
        return self._model().predict(self._rows(X))

    def sample(self, n_samples: int = 1) -> tuple[Array, NDArray[np.intp]]:
        """Rows and their components."""
        model = self._model()
        return model.sample(n_samples, np.random.default_rng(check_random_state(self.random_state).randint(2**31)))

    def aic(self, X: ArrayLike) -> float:
        """``2 k + 2 NLL`` on these rows."""
        return self._model().aic(self._rows(X))

    def bic(self, X: ArrayLike) -> float:
        """``k log n + 2 NLL`` on these rows."""
        return self._model().bic(self._rows(X))

    def _model(self) -> latent.GaussianMixture:
        check_is_fitted(self)
        return self.fit_.model
