"""Families: the likelihood of one observation given its parameters, one file each.

>>> import neglog as nl
>>> f = nl.family("weibull")
>>> [f"{p.name} in {p.domain}" for p in f.parameters]
['shape in (0, inf)', 'scale in (0, inf)']
>>> float(f.nll(1.7, shape=1.5, scale=2.0))
1.15260281607...
"""

from neglog.families.base import Family
from neglog.families.bernoulli import Bernoulli
from neglog.families.beta import Beta
from neglog.families.beta_binomial import BetaBinomial
from neglog.families.beta_mean import BetaMean
from neglog.families.binomial import Binomial
from neglog.families.birnbaum_saunders import BirnbaumSaunders
from neglog.families.burr_xii import BurrXII
from neglog.families.categorical import Categorical
from neglog.families.cauchy import Cauchy
from neglog.families.chi2 import Chi2
from neglog.families.continuous_bernoulli import ContinuousBernoulli
from neglog.families.discretized_logistic import DiscretizedLogistic
from neglog.families.exponential import Exponential
from neglog.families.facts import LINKS, Interval, Link, Parameter
from neglog.families.gamma import Gamma
from neglog.families.gamma_mean import GammaMean
from neglog.families.generalized_gamma import GeneralizedGamma
from neglog.families.generalized_pareto import GeneralizedPareto
from neglog.families.generalized_poisson import GeneralizedPoisson
from neglog.families.geometric import Geometric
from neglog.families.gev import GEV
from neglog.families.gompertz import Gompertz
from neglog.families.gumbel import Gumbel
from neglog.families.gumbel_min import GumbelMin
from neglog.families.half_normal import HalfNormal
from neglog.families.inverse_gamma import InverseGamma
from neglog.families.inverse_gaussian import InverseGaussian
from neglog.families.laplace import Laplace
from neglog.families.log_logistic import LogLogistic
from neglog.families.log_normal import LogNormal
from neglog.families.logistic import Logistic
from neglog.families.multivariate_normal import MultivariateNormal
from neglog.families.nakagami import Nakagami
from neglog.families.nb1 import NB1
from neglog.families.nb2 import NB2
from neglog.families.negative_binomial import NegativeBinomial
from neglog.families.normal import Normal
from neglog.families.normal_inverse_gaussian import NormalInverseGaussian
from neglog.families.ordered import Ordered
from neglog.families.pareto import Pareto
from neglog.families.poisson import Poisson
from neglog.families.rayleigh import Rayleigh
from neglog.families.registry import composition, family, names, spelled
from neglog.families.rice import Rice
from neglog.families.scalar import ScalarFamily
from neglog.families.skew_normal import SkewNormal
from neglog.families.student_t import StudentT
from neglog.families.tweedie import Tweedie
from neglog.families.uniform import Uniform
from neglog.families.von_mises import VonMises
from neglog.families.weibull import Weibull

__all__ = [
    "GEV",
    "LINKS",
    "NB1",
    "NB2",
    "Bernoulli",
    "Beta",
    "BetaBinomial",
    "BetaMean",
    "Binomial",
    "BirnbaumSaunders",
    "BurrXII",
    "Categorical",
    "Cauchy",
    "Chi2",
    "ContinuousBernoulli",
    "DiscretizedLogistic",
    "Exponential",
    "Family",
    "Gamma",
    "GammaMean",
    "GeneralizedGamma",
    "GeneralizedPareto",
    "GeneralizedPoisson",
    "Geometric",
    "Gompertz",
    "Gumbel",
    "GumbelMin",
    "HalfNormal",
    "Interval",
    "InverseGamma",
    "InverseGaussian",
    "Laplace",
    "Link",
    "LogLogistic",
    "LogNormal",
    "Logistic",
    "MultivariateNormal",
    "Nakagami",
    "NegativeBinomial",
    "Normal",
    "NormalInverseGaussian",
    "Ordered",
    "Parameter",
    "Pareto",
    "Poisson",
    "Rayleigh",
    "Rice",
    "ScalarFamily",
    "SkewNormal",
    "StudentT",
    "Tweedie",
    "Uniform",
    "VonMises",
    "Weibull",
    "composition",
    "family",
    "names",
    "spelled",
]
