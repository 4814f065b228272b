"""Models with latent variables: what was not observed is summed or integrated out of the likelihood."""

from neglog.latent.gaussian_mixture import GaussianMixture, MixtureStatistics
from neglog.latent.mixture_fit import MixtureFit, fit_gaussian_mixture
from neglog.latent.ppca import PPCA, fit_ppca

__all__ = ["PPCA", "GaussianMixture", "MixtureFit", "MixtureStatistics", "fit_gaussian_mixture", "fit_ppca"]
