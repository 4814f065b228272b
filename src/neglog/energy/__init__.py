"""Energy-based models: restricted Boltzmann machines.

Two machines, :class:`BernoulliBernoulli` and :class:`GaussianBernoulli`, with their exact negative log-likelihood where
one layer is small; :func:`train` by CD-k or PCD, :class:`Sparsity`; :func:`ais` and :func:`pseudo_nll` for large ones.
``docs/energy.md`` tells how they go together; :mod:`neglog.sklearn` has them as estimators.
"""

from neglog.energy.annealed import AnnealedEstimate, ais, salakhutdinov_murray
from neglog.energy.model import RBM, BernoulliBernoulli, GaussianBernoulli, Gradient
from neglog.energy.pseudo import pseudo_nll
from neglog.energy.sparsity import Sparsity
from neglog.energy.training import Options, Progress, Trainer, train

__all__ = [
    "RBM",
    "AnnealedEstimate",
    "BernoulliBernoulli",
    "GaussianBernoulli",
    "Gradient",
    "Options",
    "Progress",
    "Sparsity",
    "Trainer",
    "ais",
    "pseudo_nll",
    "salakhutdinov_murray",
    "train",
]
