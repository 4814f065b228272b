"""neglog: the negative log-likelihood, done once and done right.

Three verbs: train with it (:mod:`neglog.losses`, :mod:`neglog.torch`), estimate with it (:func:`neglog.fit`), judge
predictions with it (:class:`neglog.Score`). Importing this package imports numpy and nothing else; the rest loads when
used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# public name -> module that defines it; a name equal to its module's last part is that module
_HOME = {
    "losses": "neglog.losses",
    "torch": "neglog.torch",
    "families": "neglog.families",
    "latent": "neglog.latent",
    "like": "neglog.like",
    "energy": "neglog.energy",
    "errors": "neglog.errors",
    "objectives": "neglog.objectives",
    "Objective": "neglog.objectives",
    "Bernoulli": "neglog.families",
    "BetaBinomial": "neglog.families",
    "Beta": "neglog.families",
    "BetaMean": "neglog.families",
    "Binomial": "neglog.families",
    "BirnbaumSaunders": "neglog.families",
    "BurrXII": "neglog.families",
    "Categorical": "neglog.families",
    "Cauchy": "neglog.families",
    "Chi2": "neglog.families",
    "ContinuousBernoulli": "neglog.families",
    "DiscretizedLogistic": "neglog.families",
    "Exponential": "neglog.families",
    "GEV": "neglog.families",
    "Gamma": "neglog.families",
    "GammaMean": "neglog.families",
    "GeneralizedGamma": "neglog.families",
    "GeneralizedPareto": "neglog.families",
    "GeneralizedPoisson": "neglog.families",
    "Geometric": "neglog.families",
    "Gompertz": "neglog.families",
    "Gumbel": "neglog.families",
    "GumbelMin": "neglog.families",
    "HalfNormal": "neglog.families",
    "InverseGamma": "neglog.families",
    "InverseGaussian": "neglog.families",
    "Laplace": "neglog.families",
    "LogLogistic": "neglog.families",
    "LogNormal": "neglog.families",
    "Logistic": "neglog.families",
    "MultivariateNormal": "neglog.families",
    "NB1": "neglog.families",
    "NB2": "neglog.families",
    "Nakagami": "neglog.families",
    "NegativeBinomial": "neglog.families",
    "Normal": "neglog.families",
    "Ordered": "neglog.families",
    "NormalInverseGaussian": "neglog.families",
    "Pareto": "neglog.families",
    "Poisson": "neglog.families",
    "Rayleigh": "neglog.families",
    "Rice": "neglog.families",
    "SkewNormal": "neglog.families",
    "StudentT": "neglog.families",
    "Tweedie": "neglog.families",
    "Uniform": "neglog.families",
    "VonMises": "neglog.families",
    "Weibull": "neglog.families",
    "family": "neglog.compose",
    "Truncated": "neglog.compose",
    "Mixture": "neglog.compose",
    "ZeroInflated": "neglog.compose",
    "Hurdle": "neglog.compose",
    "Fixed": "neglog.compose",
    "Custom": "neglog.compose",
    "between": "neglog.compose",
    "positive": "neglog.compose",
    "real": "neglog.compose",
    "unit": "neglog.compose",
    "right_censored": "neglog.core.observations",
    "interval": "neglog.core.observations",
    "fit": "neglog.estimation",
    "load": "neglog.estimation",
    "Score": "neglog.evaluation",
    "diagnose": "neglog.diagnosis",
    "set_num_threads": "neglog.core.threads",
    "get_num_threads": "neglog.core.threads",
    "NeglogError": "neglog.errors",
    "InputError": "neglog.errors",
    "ShapeError": "neglog.errors",
    "TargetError": "neglog.errors",
    "InputKindError": "neglog.errors",
    "ParameterError": "neglog.errors",
    "DataError": "neglog.errors",
    "MissingDependencyError": "neglog.errors",
}
__all__ = sorted([*_HOME, "__version__"])  # pyright: ignore[reportUnsupportedDunderAll]

if TYPE_CHECKING:  # what type checkers and editors see; tests/test_public_api.py compares it with _HOME
    from neglog import energy as energy
    from neglog import errors as errors
    from neglog import families as families
    from neglog import latent as latent
    from neglog import like as like
    from neglog import losses as losses
    from neglog import objectives as objectives
    from neglog import torch as torch
    from neglog.compose import Custom as Custom
    from neglog.compose import Fixed as Fixed
    from neglog.compose import Hurdle as Hurdle
    from neglog.compose import Mixture as Mixture
    from neglog.compose import Truncated as Truncated
    from neglog.compose import ZeroInflated as ZeroInflated
    from neglog.compose import between as between
    from neglog.compose import family as family
    from neglog.compose import positive as positive
    from neglog.compose import real as real
    from neglog.compose import unit as unit
    from neglog.core.observations import interval as interval
    from neglog.core.observations import right_censored as right_censored
    from neglog.core.threads import get_num_threads as get_num_threads
    from neglog.core.threads import set_num_threads as set_num_threads
    from neglog.diagnosis import diagnose as diagnose
    from neglog.errors import DataError as DataError
    from neglog.errors import InputError as InputError
    from neglog.errors import InputKindError as InputKindError
    from neglog.errors import MissingDependencyError as MissingDependencyError
    from neglog.errors import NeglogError as NeglogError
    from neglog.errors import ParameterError as ParameterError
    from neglog.errors import ShapeError as ShapeError
    from neglog.errors import TargetError as TargetError
    from neglog.estimation import fit as fit
    from neglog.estimation import load as load
    from neglog.evaluation import Score as Score
    from neglog.families import GEV as GEV
    from neglog.families import NB1 as NB1
    from neglog.families import NB2 as NB2
    from neglog.families import Bernoulli as Bernoulli
    from neglog.families import Beta as Beta
    from neglog.families import BetaBinomial as BetaBinomial
    from neglog.families import BetaMean as BetaMean
    from neglog.families import Binomial as Binomial
    from neglog.families import BirnbaumSaunders as BirnbaumSaunders
    from neglog.families import BurrXII as BurrXII
    from neglog.families import Categorical as Categorical
    from neglog.families import Cauchy as Cauchy
    from neglog.families import Chi2 as Chi2
    from neglog.families import ContinuousBernoulli as ContinuousBernoulli
    from neglog.families import DiscretizedLogistic as DiscretizedLogistic
    from neglog.families import Exponential as Exponential
    from neglog.families import Gamma as Gamma
    from neglog.families import GammaMean as GammaMean
    from neglog.families import GeneralizedGamma as GeneralizedGamma
    from neglog.families import GeneralizedPareto as GeneralizedPareto
    from neglog.families import GeneralizedPoisson as GeneralizedPoisson
    from neglog.families import Geometric as Geometric
    from neglog.families import Gompertz as Gompertz
    from neglog.families import Gumbel as Gumbel
    from neglog.families import GumbelMin as GumbelMin
    from neglog.families import HalfNormal as HalfNormal
    from neglog.families import InverseGamma as InverseGamma
    from neglog.families import InverseGaussian as InverseGaussian
    from neglog.families import Laplace as Laplace
    from neglog.families import Logistic as Logistic
    from neglog.families import LogLogistic as LogLogistic
    from neglog.families import LogNormal as LogNormal
    from neglog.families import MultivariateNormal as MultivariateNormal
    from neglog.families import Nakagami as Nakagami
    from neglog.families import NegativeBinomial as NegativeBinomial
    from neglog.families import Normal as Normal
    from neglog.families import NormalInverseGaussian as NormalInverseGaussian
    from neglog.families import Ordered as Ordered
    from neglog.families import Pareto as Pareto
    from neglog.families import Poisson as Poisson
    from neglog.families import Rayleigh as Rayleigh
    from neglog.families import Rice as Rice
    from neglog.families import SkewNormal as SkewNormal
    from neglog.families import StudentT as StudentT
    from neglog.families import Tweedie as Tweedie
    from neglog.families import Uniform as Uniform
    from neglog.families import VonMises as VonMises
    from neglog.families import Weibull as Weibull
    from neglog.objectives import Objective as Objective


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'neglog' has no attribute {name!r}")
    module = importlib.import_module(home)
    value = module if home == f"neglog.{name}" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
