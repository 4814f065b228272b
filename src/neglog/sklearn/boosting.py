"""Boosting with a pseudo-loss over the deformed log-likelihoods, as a scikit-learn classifier."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, check_random_state, validate_data  # pyright: ignore

from neglog.core.domain import AT_LEAST_ONE, POSITIVE, check_number
from neglog.losses.named import class_loss, class_probabilities

Floats = NDArray[np.float64]

_LONGEST_STEP = 16.0  # where the loss falls for ever along a hypothesis, as on separable data
_LEARNT = 1e-6  # of the first round's pull: the trees of what is left would be those of rounding


class _Round(NamedTuple):
    tree: Any
    plausible: Floats  # (nodes, classes): 0 or 1
    step: float


class PseudoLossBoostingClassifier(ClassifierMixin, BaseEstimator):
    r"""AdaBoost.M2's algorithm for any loss of softmax probabilities: the deformed log-likelihoods.

    The decision functions :math:`f_k(x)` start at 0. In each round wrong classes get the mislabel distribution

    .. math:: D(i, k) \propto \partial L_i / \partial f_k(x_i), \quad k \ne y_i,

    a tree whose leaves call each class plausible (1) or not (0) makes the pseudo-loss

    .. math:: \varepsilon = \tfrac12 \sum_{i, k \ne y_i} D(i, k) \bigl(1 - h(x_i, y_i) + h(x_i, k)\bigr)

    small, and :math:`f \leftarrow f + \alpha h` with the step that minimises the loss. For the exponential loss that is
    AdaBoost.M2; with MadaBoost or the mislabel loss, samples whose labels may be wrong lose their weight.

    Parameters
    ----------
    loss : str
        Name in :mod:`neglog.losses`: ``"exponential_loss"``, ``"madaboost"``, ``"mislabel"``, ``"cross_entropy"``, ...
    loss_parameters : dict, optional
        The loss's own: ``{"rate": 0.1}``.
    n_estimators : int
        Rounds; fewer if no tree finds a pseudo-loss below 1/2, or nothing is left to learn.
    max_depth : int
        Of each tree.
    min_samples_leaf : int
        Of each tree.
    learning_rate : float
        Multiplies each step.
    random_state : int, RandomState or None
        Order in which trees look at features.

    Attributes
    ----------
    classes_ : array
        Labels in the order of the decision functions.
    train_loss_ : array
        Mean loss before the first and after each round; it never rises for ``learning_rate <= 1`` and convex losses.
    pseudo_loss_ : array
        Of each round's tree.
    steps_ : array
        :math:`\alpha` of each round.

    Notes
    -----
    ``predict_proba`` is :func:`neglog.losses.recover_posterior` of the decision functions: for the exponential loss
    ``softmax(2 f)``. For ``"mislabel"`` and ``"forward_correction"`` it is ``softmax(f)``, the probabilities of the
    true classes; for ``"bi_tempered"`` the tempered softmax.

    Deformed log-likelihood in the sense of Kanamori (2010), doi:10.1016/j.neunet.2010.05.009, whose abstract names the
    family, the pseudo-loss and the model of mislabels; the algorithm is that of Freund and Schapire (1997), "A
    Decision-Theoretic Generalization of On-Line Learning and an Application to Boosting", section 4.2.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from neglog.sklearn import PseudoLossBoostingClassifier
    >>> x, y = load_iris(return_X_y=True)
    >>> model = PseudoLossBoostingClassifier("mislabel", {"rate": 0.1}, n_estimators=20, max_depth=2).fit(x, y)
    >>> bool(model.score(x, y) > 0.95)
    True
    """

    def __init__(
        self,
        loss: str = "exponential_loss",
        loss_parameters: dict[str, Any] | None = None,
        *,
        n_estimators: int = 100,
        max_depth: int = 3,
        min_samples_leaf: int = 1,
        learning_rate: float = 1.0,
        random_state: Any = None,
    ) -> None:
        self.loss = loss
        self.loss_parameters = loss_parameters
        self.n_estimators = n_estimators
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.learning_rate = learning_rate
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Boost on rows ``X`` with labels ``y``."""
        name = type(self).__name__
        class_loss(name, self.loss)
        check_number(name, "n_estimators", self.n_estimators, AT_LEAST_ONE)
        check_number(name, "learning_rate", self.learning_rate, POSITIVE)
        x, labels = validate_data(self, X, y)
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"{name}: y has one class; at least 2 classes are needed")
        weight = _check_sample_weight(sample_weight, x, dtype=np.float64, ensure_non_negative=True)
        if not weight.any():
            raise ValueError(f"{name}: all sample weights are zero")
        random = check_random_state(self.random_state)
        scores = np.zeros((len(x), len(self.classes_)))
        value, gradient = self._loss(scores, codes, weight)
        self._rounds: list[_Round] = []
        train_loss, pseudo_loss = [value], list[float]()
        first = weight @ -gradient[np.arange(len(x)), codes]
        for _ in range(self.n_estimators):
            total = weight @ -gradient[np.arange(len(x)), codes]
            if not total > _LEARNT * first:
                break
            pull = -gradient / total
            tree, plausible, h = self._hypothesis(x, pull, weight, random)
            edge = float((pull * weight[:, None] * h).sum())  # of D: sum of h(x, y) - h(x, k)
            if edge <= 1e-12:
                break
            step = self.learning_rate * self._step(scores, h, codes, weight)
            scores += step * h
            value, gradient = self._loss(scores, codes, weight)
            self._rounds.append(_Round(tree, plausible, step))
            train_loss.append(value)
            pseudo_loss.append((1.0 - edge) / 2.0)
        self.train_loss_, self.pseudo_loss_ = np.array(train_loss), np.array(pseudo_loss)
        self.steps_ = np.array([one.step for one in self._rounds])
        return self

    def _hypothesis(self, x: Any, pull: Floats, weight: Floats, random: Any) -> tuple[Any, Floats, Floats]:
        """A tree, which classes its nodes call plausible, and those of each row."""
        tree = DecisionTreeRegressor(
            max_depth=self.max_depth, min_samples_leaf=self.min_samples_leaf, random_state=random
        ).fit(x, pull, sample_weight=weight)
        leaf = np.asarray(tree.apply(x))
        sums = np.zeros((tree.tree_.node_count, pull.shape[1]))
        np.add.at(sums, leaf, pull * weight[:, None])
        plausible = (sums > 0).astype(np.float64)
        return tree, plausible, plausible[leaf]

    def _loss(self, scores: Floats, codes: Any, weight: Floats) -> tuple[float, Floats]:
        """Mean loss, and the gradient of each row's."""
        loss = class_loss("PseudoLossBoostingClassifier", self.loss)[1]
        value, gradient = loss(scores, codes, reduction="none", **(self.loss_parameters or {}))
        return float(np.average(value, weights=weight)), gradient

    def _step(self, scores: Floats, h: Floats, codes: Any, weight: Floats) -> float:
        """Where the loss stops to fall along ``h``."""

        def slope(step: float) -> float:
            return float(weight @ (self._loss(scores + step * h, codes, weight)[1] * h).sum(axis=1))

        high = 1.0
        while slope(high) < 0.0:
            high *= 2.0
            if high > _LONGEST_STEP:
                return _LONGEST_STEP
        return float(brentq(slope, 0.0, high, xtol=1e-10))  # pyright: ignore[reportArgumentType]

    def decision_function(self, X: Any) -> Floats:
        """``f``, shape ``(n, classes)``; of two classes ``f_1 - f_0``, shape ``(n,)``."""
        scores = self._scores(X)
        return scores if len(self.classes_) > 2 else scores[:, 1] - scores[:, 0]

    def _scores(self, X: Any) -> Floats:
        check_is_fitted(self)
        x = validate_data(self, X, reset=False)
        scores = np.zeros((len(x), len(self.classes_)))
        for one in self._rounds:
            scores += one.step * one.plausible[one.tree.apply(x)]
        return scores

    def predict_proba(self, X: Any) -> Floats:
        """Probabilities of the classes, ``(n, classes)``."""
        return class_probabilities(self.loss, self._scores(X), self.loss_parameters or {})

    def predict(self, X: Any) -> Any:
        """The class with the largest decision function."""
        codes = self._scores(X).argmax(axis=1)
        return self.classes_[codes]
