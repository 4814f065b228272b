"""Maximum likelihood of a Gaussian mixture by EM, with an account of what was found."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neglog.errors import DataError, ParameterError, ShapeError
from neglog.latent.covariances import EPS, Kind, as_kind
from neglog.latent.gaussian_mixture import GaussianMixture, MixtureStatistics, maximise
from neglog.latent.mixture_start import start as find_start
from neglog.latent.rows import as_rows, as_weights, finite

Array = NDArray[np.float64]
Rng = np.random.Generator | int | None
Status = Literal["ok", "max_iterations", "degenerate"]
Chunks = Callable[[], Iterable[Any]]  # each an (n, D) array, or a pair of that and its weights
_CALL = "fit_gaussian_mixture"


@dataclass(frozen=True, eq=False)
class MixtureFit:
    """What :func:`fit_gaussian_mixture` found.

    ``nll`` is that of ``model`` over all rows (weights counted), ``history`` the mean before the first step and after
    each. ``degenerate`` names the components that sit on a point or in a flat subspace, ``runs`` has the status and the
    nll of every start.
    """

    model: GaussianMixture
    status: Status
    message: str
    nll: float
    nobs: float
    iterations: int
    history: tuple[float, ...] = field(repr=False)
    degenerate: tuple[int, ...]
    reg_covar: float
    runs: tuple[tuple[Status, float], ...] = field(default=(), repr=False)

    @property
    def ok(self) -> bool:
        """Converged, and no component is degenerate."""
        return self.status == "ok"

    @property
    def mean_nll(self) -> float:
        """Per row, in nats."""
        return self.nll / self.nobs

    @property
    def loglik(self) -> float:
        """``-nll``."""
        return -self.nll

    @property
    def aic(self) -> float:
        """``2 k + 2 NLL``."""
        return 2 * self.model.parameters + 2 * self.nll

    @property
    def bic(self) -> float:
        """``k log n + 2 NLL``."""
        return self.model.parameters * math.log(self.nobs) + 2 * self.nll


def fit_gaussian_mixture(
    x: ArrayLike | Chunks,
    components: int,
    *,
    covariance: Kind = "full",
    sample_weight: ArrayLike | None = None,
    start: GaussianMixture | ArrayLike | None = None,
    n_init: int = 1,
    tol: float = 1e-6,
    max_iter: int = 1000,
    reg_covar: float = 0.0,
    rng: Rng = None,
) -> MixtureFit:
    r"""Maximum likelihood of a mixture of K multivariate normals by expectation-maximisation.

    Each step takes the posterior probabilities of the components under the current model as weights:
    :math:`r_{nk} = \pi_k N(x_n; \mu_k, \Sigma_k) / \sum_j \pi_j N(x_n; \mu_j, \Sigma_j)`, and the nll never rises.

    Parameters
    ----------
    x : (n, D), or a function
        Finite numbers. A function is called for every step and gives the data in chunks, each an ``(n, D)`` array or a
        pair of that and weights: memory then holds one chunk, and the sums of the chunks add up.
    components : int
        K.
    covariance : {"full", "tied", "diagonal", "spherical"}
    sample_weight : (n,), optional
        At least 0; a row of weight 2 counts as two rows, one of weight 0 is not read.
    start : GaussianMixture or (K, D) array of means, optional
        Otherwise rows far apart (k-means++) moved to the middle of their neighbourhoods; of chunks, those of the first.
    n_init : int
        Starts. The best that is not degenerate is returned.
    tol : float
        In nats per row: stop when a step lowers the mean nll by less, and the steps to come, by the ratio of the last
        two, by less in all. So slow progress is not taken for the end.
    max_iter : int
        Steps of EM.
    reg_covar : float
        Floor of the covariances' eigenvalues, in squared units of the data. The likelihood of a mixture has no maximum:
        a component on one row makes it infinite. With 0 such a run ends there; with a floor the maximum exists, and the
        components that are held by it are named. Either way the status is ``degenerate``.
    rng : numpy Generator or seed

    Returns
    -------
    MixtureFit
        ``status``: ``ok``; ``max_iterations``; ``degenerate``, and ``message`` says what to do.

    Raises
    ------
    DataError
        Numbers that are not finite, or fewer distinct rows than components.
    ParameterError, ShapeError

    References
    ----------
    Dempster, Laird and Rubin, JRSS B 39 (1977) 1-38; Hathaway, Annals of Statistics 13 (1985) 795-800, on the floor;
    Boehning et al., AISM 46 (1994) 373-388, on the end.

    Examples
    --------
    >>> import neglog as nl, numpy as np
    >>> rng = np.random.default_rng(1)
    >>> x = np.concatenate([rng.normal(-2, 1, (300, 2)), rng.normal(2, 0.5, (700, 2))])
    >>> r = nl.latent.fit_gaussian_mixture(x, 2, rng=0)
    >>> r.status, r.model.weights.round(2).tolist()
    ('ok', [0.7, 0.3])
    """
    kind = as_kind(_CALL, covariance)
    if isinstance(start, GaussianMixture) and start.covariance != kind:
        raise ParameterError(f"{_CALL}: start has {start.covariance} covariances and covariance={kind!r}")
    for name, value, least in (("components", components, 1), ("n_init", n_init, 1), ("max_iter", max_iter, 1)):
        if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:  # pyright: ignore
            raise ParameterError(f"{_CALL}: {name}={value!r}; allowed: an integer of at least {least}")
    for name, value in (("tol", tol), ("reg_covar", reg_covar)):
        if not (math.isfinite(value) and value >= 0):
            raise ParameterError(f"{_CALL}: {name}={value!r}; allowed: finite and at least 0")
    data = _Data(x, sample_weight)
    rng = np.random.default_rng(rng)
    runs: list[MixtureFit] = []
    for _ in range(n_init):
        first = _begin(data, components, kind, start, rng)
        runs.append(_em(data, first, tol, max_iter, reg_covar))
        if isinstance(start, GaussianMixture):
            break
    best = min(runs, key=lambda run: (run.status == "degenerate", run.nll))
    return replace(best, runs=tuple((run.status, run.nll) for run in runs))


class _Data:
    """The rows of every step: an array that is checked once, or what a function gives."""

    def __init__(self, x: ArrayLike | Chunks, sample_weight: ArrayLike | None) -> None:
        self.read: Chunks | None = None
        if callable(x):
            if sample_weight is not None:
                raise ParameterError(f"{_CALL}: sample_weight beside a function; allowed: pairs (x, weight) from it")
            self.read = x
            self.head = max(self._first_chunks(), key=lambda chunk: len(chunk[0]))
            return
        self.head = _chunk((x, sample_weight))
        finite(_CALL, self.head[0])

    def chunks(self) -> Iterator[tuple[Array, Array | None]]:
        if self.read is None:
            yield self.head
            return
        any_rows = False
        for given in self.read():
            any_rows = True
            yield _chunk(given if isinstance(given, tuple) else (given, None), some=False)  # pyright: ignore
        if not any_rows:
            raise DataError(f"{_CALL}: x gives no chunks")

    def _first_chunks(self) -> Iterator[tuple[Array, Array | None]]:
        """Up to the first that has rows."""
        for chunk in self.chunks():
            yield chunk
            if len(chunk[0]):
                return

    def statistics(self, model: GaussianMixture) -> MixtureStatistics:
        total: MixtureStatistics | None = None
        for rows, weight in self.chunks():
            part = model._statistics(rows, weight)  # pyright: ignore[reportPrivateUsage]
            if not math.isfinite(part.nll):
                finite(_CALL, rows)
            total = part if total is None else total + part
        assert total is not None
        return total


def _chunk(given: tuple[Any, Any], some: bool = True) -> tuple[Array, Array | None]:
    """Rows whose weight is not 0; ``some``: there must be one."""
    rows = as_rows(_CALL, given[0])
    weight = as_weights(_CALL, given[1], len(rows), some=some)
    if weight is None or weight.all():
        return rows, weight
    return rows[weight > 0], weight[weight > 0]


def _begin(data: _Data, k: int, kind: Kind, start: Any, rng: np.random.Generator) -> GaussianMixture:
    rows, weight = data.head
    columns = rows.shape[1]
    if isinstance(start, GaussianMixture):
        if start.means.shape != (k, columns):
            raise ShapeError(f"{_CALL}: start has means of shape {start.means.shape}; allowed: ({k}, {columns})")
        return start
    means = None
    if start is not None:
        means = np.ascontiguousarray(start, dtype=np.float64)
        if means.shape != (k, columns):
            raise ShapeError(f"{_CALL}: start has shape {means.shape}; allowed: ({k}, {columns})")
        if len(np.unique(means, axis=0)) < k:
            raise ParameterError(f"{_CALL}: start has equal means, which stay equal; allowed: distinct rows")
    return find_start(finite(_CALL, rows), weight, k, kind, rng, means)


def _em(data: _Data, model: GaussianMixture, tol: float, max_iter: int, reg_covar: float) -> MixtureFit:
    history: list[float] = []
    held: tuple[int, ...] = ()
    while True:
        sums = data.statistics(model)
        if not math.isfinite(sums.nll):
            raise DataError(f"{_CALL}: the nll of the data is {sums.nll}: numbers too large to be squared")
        history.append(sums.mean_nll)
        done = _settled(history, tol)
        step = None if done or len(history) > max_iter else maximise(sums, reg_covar)
        if step is None or step.model is None:
            break
        model, held = step.model, step.floored
    if step is not None:
        status, message, which = "degenerate", step.message, step.degenerate
    elif held:
        status, message, which = "degenerate", _held(held, reg_covar), held
    elif done:
        status, message, which = "ok", f"the mean nll settled within {tol:g} nats", ()
    else:
        message = f"the mean nll still moved after max_iter={max_iter} steps; raise max_iter or tol"
        status, which = "max_iterations", ()
    return MixtureFit(
        model, status, message, sums.nll, sums.weight, len(history) - 1, tuple(history), which, reg_covar
    )  # fmt: skip


def _held(which: tuple[int, ...], reg_covar: float) -> str:
    names = ", ".join(map(str, which))
    plural = "components" if len(which) > 1 else "component"
    return f"{plural} {names}: a direction of the covariance is held at reg_covar={reg_covar:g}; the nll depends on it"


def _settled(history: list[float], tol: float) -> bool:
    """Whether the last step and, if they shrink as the last two did, all that would follow lower the mean by less."""
    if len(history) < 3:
        return len(history) == 2 and _still(history)
    before, last = history[-3] - history[-2], history[-2] - history[-1]
    if _still(history):
        return True
    return last <= tol and last < before and last * last / (before - last) <= tol


def _still(history: list[float]) -> bool:
    """Whether the last step was within rounding."""
    return abs(history[-2] - history[-1]) <= 8 * EPS * max(1.0, abs(history[-1]))
