"""Estimators with scikit-learn's interface: they hold no mathematics."""

from neglog._optional import require

require("sklearn", feature="neglog.sklearn", extra="sklearn")

from neglog.sklearn.boosting import PseudoLossBoostingClassifier  # noqa: E402
from neglog.sklearn.gaussian_mixture import GaussianMixture  # noqa: E402
from neglog.sklearn.rbm import BernoulliRBM, GaussianRBM  # noqa: E402

__all__ = ["BernoulliRBM", "GaussianMixture", "GaussianRBM", "PseudoLossBoostingClassifier"]
