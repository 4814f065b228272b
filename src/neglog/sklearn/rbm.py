"""``sklearn.neural_network.BernoulliRBM`` with neglog's training, and its sibling with real visible units."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Literal, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from neglog import energy
from neglog.energy.model import checked
from neglog.energy.training import Schedule
from neglog.errors import ParameterError

Array = NDArray[Any]
_GIBBS = 1000  # steps of ``sample`` where a machine is too large for exact draws
_AIS = 1000  # temperatures of ``likelihood="ais"``


class _Estimator(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator, ABC):
    """What both estimators do; the parameters are theirs."""

    _machine: ClassVar[type[energy.RBM]]
    n_components: int
    learning_rate: Schedule
    batch_size: int
    n_iter: int
    verbose: int
    random_state: Any
    method: Literal["pcd", "cd"]
    steps: int
    momentum: Schedule
    weight_decay: float
    sparsity: energy.Sparsity | None
    likelihood: str
    callback: Callable[[energy.Progress], object] | None

    components_: Array
    intercept_hidden_: Array
    intercept_visible_: Array
    n_features_in_: int

    # ---------------------------------------------------------------------------------------------------- learning

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Train from a random start.

        Parameters
        ----------
        X : (n_samples, n_features) array or sparse matrix
            float32 is computed in float32, anything else in float64.
        y : ignored

        Returns
        -------
        The estimator.
        """
        self._kind()
        x, seeds = self._rows(X, reset=True), self._seeds(fresh=True)
        start = self._machine.start(x, self.n_components, rng=_seed(seeds))
        self._base = start.visible_bias.astype(np.float64)
        trainer: list[energy.Trainer] = []
        model = energy.train(
            start,
            x,
            method=self.method,
            steps=self.steps,
            epochs=self.n_iter,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            sparsity=self.sparsity,
            rng=_seed(seeds),
            callback=self._report(x) if self.verbose or self.callback else None,
            trainer=trainer.append,
        )
        self._trainer = trainer[0]
        return self._keep(model)

    def partial_fit(self, X: ArrayLike, y: Any = None) -> Self:
        """One update from all rows of ``X``, after those before; epochs are not counted: schedules stand at 0.

        Parameters
        ----------
        X : (n_samples, n_features) array or sparse matrix
        y : ignored

        Returns
        -------
        The estimator.
        """
        first = not hasattr(self, "components_")
        x = self._rows(X, reset=first)
        if first:
            seeds = self._seeds(fresh=True)
            start = self._machine.start(x, self.n_components, rng=_seed(seeds))
            self._base = start.visible_bias.astype(np.float64)
            options = energy.Options(
                method=self.method,
                steps=self.steps,
                learning_rate=self.learning_rate,
                momentum=self.momentum,
                weight_decay=self.weight_decay,
                sparsity=self.sparsity,
                chains=self.batch_size,
            )
            self._trainer = energy.Trainer(start, options, rng=_seed(seeds))
        self._trainer.step(x)
        self._trainer.check()
        return self._keep(self._trainer.model)

    def _keep(self, model: energy.RBM) -> Self:
        self.components_ = np.ascontiguousarray(model.weights.T)
        self.intercept_hidden_, self.intercept_visible_ = model.hidden_bias, model.visible_bias
        if self._trainer.chains is not None:
            self.h_samples_ = self._trainer.chains
        return self

    def _report(self, x: Array) -> Callable[[energy.Progress], object]:
        def after_epoch(progress: energy.Progress) -> object:
            if self.verbose:
                print(
                    f"[{type(self).__name__}] Iteration {progress.epoch}, {self._measure(progress.model, x)}time = "
                    f"{progress.seconds:.2f}s"
                )
            return self.callback(progress) if self.callback else None

        return after_epoch

    @abstractmethod
    def _measure(self, model: energy.RBM, x: Array) -> str:
        """What a line of progress says of the model."""

    # ------------------------------------------------------------------------------------------------------- using

    @property
    def model_(self) -> Any:
        """The machine, with everything that :mod:`neglog.energy` does with it."""
        check_is_fitted(self, "components_")
        return self._machine(self.components_.T, self.intercept_visible_, self.intercept_hidden_)

    @property
    def _n_features_out(self) -> int:
        return len(self.components_)

    def transform(self, X: ArrayLike) -> Array:
        """Probabilities of the hidden units, ``P(h = 1 | v = X)``.

        Parameters
        ----------
        X : (n_samples, n_features) array or sparse matrix

        Returns
        -------
        (n_samples, n_components) array of the dtype of ``X`` if that is float32, else float64
        """
        check_is_fitted(self, "components_")
        x = self._rows(X)
        return self.model_.hidden_mean(x).astype(x.dtype, copy=False)

    def gibbs(self, v: ArrayLike) -> Array:
        """One step of block Gibbs sampling; each call draws anew.

        Parameters
        ----------
        v : (n_samples, n_features) array

        Returns
        -------
        (n_samples, n_features) array of the dtype of ``v`` if that is float32, else float64
        """
        check_is_fitted(self, "components_")
        x = self._rows(v)
        return self.model_.gibbs(x, rng=_seed(self._seeds())).astype(x.dtype, copy=False)

    def sample(self, n_samples: int = 1) -> Array:
        """New rows: exact draws where the machine can be enumerated, else after 1000 steps of Gibbs sampling.

        Parameters
        ----------
        n_samples : int

        Returns
        -------
        (n_samples, n_features) float64 array
        """
        model = self.model_
        return model.sample(n_samples, steps=None if model.exact else _GIBBS, rng=_seed(self._seeds()))

    def score_samples(self, X: ArrayLike) -> Array:
        """Log-likelihood of each row in nats, of the kind that ``likelihood`` names.

        Parameters
        ----------
        X : (n_samples, n_features) array or sparse matrix

        Returns
        -------
        (n_samples,) float64 array
        """
        check_is_fitted(self, "components_")
        x, model = self._rows(X), self.model_
        kind = self._kind()
        if kind == "exact" or (kind == "auto" and model.exact):
            return -model.nll(x)
        if kind in ("ais", "auto"):
            estimate = energy.ais(model, base=self._base, temperatures=_AIS, rng=_seed(self._seeds(fresh=True)))
            return -model.free_energy(x) - estimate.log_partition
        rng = _seed(self._seeds()) if kind == "stochastic" else None
        return -energy.pseudo_nll(model, x, stochastic=kind == "stochastic", rng=rng)

    def score(self, X: ArrayLike, y: Any = None) -> float:
        """Mean of ``score_samples``, so that models can be selected by it.

        Parameters
        ----------
        X : (n_samples, n_features) array or sparse matrix
        y : ignored

        Returns
        -------
        float
        """
        return float(self.score_samples(X).mean())

    # ---------------------------------------------------------------------------------------------------- arguments

    def _rows(self, X: ArrayLike, reset: bool = False) -> Array:
        kinds = (np.float64, np.float32)
        x: Any = validate_data(cast(Any, self), cast(Any, X), accept_sparse="csr", dtype=kinds, reset=reset)
        x = self._states(x.toarray() if sparse.issparse(x) else x)
        return checked(type(self).__name__, x, None, self._machine.binary, "X")

    def _states(self, x: Array) -> Array:
        """What visible units take for ``x``."""
        return x

    def _kind(self) -> str:
        """``likelihood``, if there is such a one."""
        allowed = ("exact", "ais", "pseudo", "stochastic") if self._machine.binary else ("exact", "ais", "auto")
        if self.likelihood not in allowed:
            raise ParameterError(
                f"{type(self).__name__}: likelihood = {self.likelihood!r}; allowed: {', '.join(map(repr, allowed))}"
            )
        return self.likelihood

    def _seeds(self, fresh: bool = False) -> np.random.RandomState:
        """The source of seeds: from its beginning, or where it stands."""
        if fresh:
            return check_random_state(self.random_state)
        if not hasattr(self, "random_state_"):
            self.random_state_ = check_random_state(self.random_state)
        return self.random_state_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _seed(state: np.random.RandomState) -> int:
    return int(state.randint(2**63 - 1, dtype=np.int64))


class BernoulliRBM(_Estimator):
    """A restricted Boltzmann machine of binary units: :func:`neglog.energy.train` as an estimator.

    The first six parameters, the attributes and the methods are those of ``sklearn.neural_network.BernoulliRBM``. What
    is different on purpose:

    * Rows come in a new order in each epoch, and visible biases start at the data's base rates, not at 0.
    * Values outside [0, 1] are an error unless ``binarize`` says what is meant.
    * ``score_samples`` sums over all units, so it is no random number; ``likelihood`` chooses the exact one.
    * ``partial_fit`` returns the estimator.

    Parameters
    ----------
    n_components : int
        Hidden units.
    learning_rate : float or function of the epoch (from 0)
    batch_size : int
        Rows of an update, and number of persistent chains.
    n_iter : int
        Epochs.
    verbose : int
        Above 0: a line after each epoch, with the stochastic pseudo-likelihood.
    random_state : int, RandomState or None
    method : {"pcd", "cd"}
    steps : int
        Of Gibbs sampling for an update.
    momentum : float or function of the epoch
    weight_decay : float
    sparsity : neglog.energy.Sparsity, optional
    likelihood : {"pseudo", "stochastic", "exact", "ais"}
        What ``score_samples`` gives: the pseudo-likelihood, in full or estimated from one unit a row as in
        scikit-learn; the exact likelihood, of at most 20 units in the smaller layer; an estimate, on average too high.
    binarize : float, optional
        Values above it are 1, others 0. Without, values are states or probabilities in [0, 1].
    callback : function of neglog.energy.Progress, optional
        Called after each epoch; training stops early when it returns True.

    Attributes
    ----------
    components_ : (n_components, n_features) array
        The weights.
    intercept_hidden_, intercept_visible_ : (n_components,) and (n_features,) arrays
    h_samples_ : (batch_size, n_components) array
        The persistent chains.
    model_ : neglog.energy.BernoulliBernoulli
    n_features_in_ : int
    feature_names_in_ : (n_features,) array

    Examples
    --------
    >>> import numpy as np
    >>> from neglog.sklearn import BernoulliRBM
    >>> X = np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 1]])
    >>> rbm = BernoulliRBM(2, likelihood="exact", random_state=0).fit(X)
    >>> rbm.transform(X).shape, rbm.score(X) > -3
    ((4, 2), True)
    """

    _machine = energy.BernoulliBernoulli

    def __init__(
        self,
        n_components: int = 256,
        *,
        learning_rate: Schedule = 0.1,
        batch_size: int = 10,
        n_iter: int = 10,
        verbose: int = 0,
        random_state: Any = None,
        method: Literal["pcd", "cd"] = "pcd",
        steps: int = 1,
        momentum: Schedule = 0.0,
        weight_decay: float = 0.0,
        sparsity: energy.Sparsity | None = None,
        likelihood: Literal["pseudo", "stochastic", "exact", "ais"] = "pseudo",
        binarize: float | None = None,
        callback: Callable[[energy.Progress], object] | None = None,
    ) -> None:
        self.n_components = n_components
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.n_iter = n_iter
        self.verbose = verbose
        self.random_state = random_state
        self.method = method
        self.steps = steps
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.sparsity = sparsity
        self.likelihood = likelihood
        self.binarize = binarize
        self.callback = callback

    def _states(self, x: Array) -> Array:
        return x if self.binarize is None else (x > self.binarize).astype(x.dtype)

    def _measure(self, model: energy.RBM, x: Array) -> str:
        value = -energy.pseudo_nll(model, x, stochastic=True, rng=0).mean()
        return f"pseudo-likelihood = {value:.2f}, "


class GaussianRBM(_Estimator):
    """A restricted Boltzmann machine of real visible units of unit variance: scale the data before.

    Parameters
    ----------
    n_components, batch_size, n_iter, random_state, method, steps, momentum, weight_decay, sparsity, callback
        As in :class:`BernoulliRBM`.
    learning_rate : float or function of the epoch (from 0)
        A tenth of what binary units bear (Hinton 2010, section 13.2).
    verbose : int
        Above 0: a line after each epoch, with the exact log-likelihood of small machines.
    likelihood : {"auto", "exact", "ais"}
        What ``score_samples`` gives: exact, of at most 20 hidden units; estimated, on average too high; or exact where
        that can be done.

    Attributes
    ----------
    components_, intercept_hidden_, intercept_visible_, h_samples_, n_features_in_, feature_names_in_
        As in :class:`BernoulliRBM`.
    model_ : neglog.energy.GaussianBernoulli

    Examples
    --------
    >>> import numpy as np
    >>> from neglog.sklearn import GaussianRBM
    >>> X = np.random.default_rng(0).normal(size=(500, 3))
    >>> print(round(GaussianRBM(2, random_state=0).fit(X).score(X), 1))  # near 3 (1 + log 2 pi) / 2 = 4.26
    -4.2
    """

    _machine = energy.GaussianBernoulli

    def __init__(
        self,
        n_components: int = 256,
        *,
        learning_rate: Schedule = 0.01,
        batch_size: int = 10,
        n_iter: int = 10,
        verbose: int = 0,
        random_state: Any = None,
        method: Literal["pcd", "cd"] = "pcd",
        steps: int = 1,
        momentum: Schedule = 0.0,
        weight_decay: float = 0.0,
        sparsity: energy.Sparsity | None = None,
        likelihood: Literal["auto", "exact", "ais"] = "auto",
        callback: Callable[[energy.Progress], object] | None = None,
    ) -> None:
        self.n_components = n_components
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.n_iter = n_iter
        self.verbose = verbose
        self.random_state = random_state
        self.method = method
        self.steps = steps
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.sparsity = sparsity
        self.likelihood = likelihood
        self.callback = callback

    def _measure(self, model: energy.RBM, x: Array) -> str:
        return f"log-likelihood = {-model.nll(x).mean():.2f}, " if model.exact else ""
