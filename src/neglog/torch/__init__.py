"""Losses for PyTorch, in torch's names and signatures: ``import neglog.torch as nlt`` for ``torch.nn.functional``.

Exact where torch rounds, clamps or returns NaN (docs/differences.md), fused on the CPU, plain torch ops on any other
device, and differentiable, traceable and transformable like torch's own (:mod:`neglog.torch.routing`).
"""

from neglog._optional import require

require("torch", feature="neglog.torch", extra="torch")

from neglog.torch.binary import (  # noqa: E402
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    multilabel_soft_margin_loss,
)
from neglog.torch.classification import cross_entropy, cross_entropy_parts  # noqa: E402
from neglog.torch.counts import poisson_nll_loss  # noqa: E402
from neglog.torch.deformed import (  # noqa: E402
    AlphaLoss,
    CompetingRatioLoss,
    ExponentialLoss,
    FocalLoss,
    GammaDivergenceLoss,
    GeneralizedCrossEntropyLoss,
    MadaBoostLoss,
    MislabelLoss,
    NLLRLoss,
    Poly1Loss,
    SymmetricCrossEntropyLoss,
    TaylorCrossEntropyLoss,
    alpha_loss,
    competing_ratio,
    exponential_loss,
    focal,
    gamma_divergence,
    generalized_cross_entropy,
    madaboost,
    mislabel,
    nllr,
    poly1,
    symmetric_cross_entropy,
    taylor_cross_entropy,
)
from neglog.torch.directions import cosine_loss, von_mises_fisher_nll_loss  # noqa: E402
from neglog.torch.discretized import discretized_logistic_mixture_nll_loss  # noqa: E402
from neglog.torch.divergence import kl_div  # noqa: E402
from neglog.torch.gaussian import (  # noqa: E402
    beta_nll_loss,
    faithful_gaussian_nll_loss,
    gaussian_nll_loss,
    natural_gaussian_nll_loss,
)
from neglog.torch.gaussian_robust import gaussian_density_power  # noqa: E402
from neglog.torch.heads import GaussianHead, NaturalGaussianHead  # noqa: E402
from neglog.torch.likelihood import Censored, interval, nll, right_censored  # noqa: E402
from neglog.torch.log_probabilities import nll_loss  # noqa: E402
from neglog.torch.mixture_head import MixtureDensityHead  # noqa: E402
from neglog.torch.mixtures import GaussianMixture, mixture_density_nll_loss  # noqa: E402
from neglog.torch.modules import (  # noqa: E402
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    KLDivLoss,
    LogSoftmax,
    MultiLabelSoftMarginLoss,
    NLLLoss,
)
from neglog.torch.own import softmax_loss  # noqa: E402
from neglog.torch.parallel import total_weight  # noqa: E402
from neglog.torch.primitives import log_softmax, logsumexp  # noqa: E402
from neglog.torch.regression_modules import (  # noqa: E402
    BetaNLLLoss,
    FaithfulGaussianNLLLoss,
    GaussianNLLLoss,
    NaturalGaussianNLLLoss,
    PoissonNLLLoss,
)
from neglog.torch.stats import LogitStats, logit_stats  # noqa: E402
from neglog.torch.tempered import (  # noqa: E402
    BiTemperedLoss,
    DensityPowerLoss,
    ForwardCorrectionLoss,
    bi_tempered,
    density_power,
    forward_correction,
)
from neglog.torch.variational import (  # noqa: E402
    elbo_loss,
    gaussian_draws,
    gaussian_kl,
    iwae_loss,
    pixel_nll_loss,
)

__all__ = [
    "AlphaLoss",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BetaNLLLoss",
    "BiTemperedLoss",
    "Censored",
    "CompetingRatioLoss",
    "CrossEntropyLoss",
    "DensityPowerLoss",
    "ExponentialLoss",
    "FaithfulGaussianNLLLoss",
    "FocalLoss",
    "ForwardCorrectionLoss",
    "GammaDivergenceLoss",
    "GaussianHead",
    "GaussianMixture",
    "GaussianNLLLoss",
    "GeneralizedCrossEntropyLoss",
    "KLDivLoss",
    "LogSoftmax",
    "LogitStats",
    "MadaBoostLoss",
    "MislabelLoss",
    "MixtureDensityHead",
    "MultiLabelSoftMarginLoss",
    "NLLLoss",
    "NLLRLoss",
    "NaturalGaussianHead",
    "NaturalGaussianNLLLoss",
    "PoissonNLLLoss",
    "Poly1Loss",
    "SymmetricCrossEntropyLoss",
    "TaylorCrossEntropyLoss",
    "alpha_loss",
    "beta_nll_loss",
    "bi_tempered",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "competing_ratio",
    "cosine_loss",
    "cross_entropy",
    "cross_entropy_parts",
    "density_power",
    "discretized_logistic_mixture_nll_loss",
    "elbo_loss",
    "exponential_loss",
    "faithful_gaussian_nll_loss",
    "focal",
    "forward_correction",
    "gamma_divergence",
    "gaussian_density_power",
    "gaussian_draws",
    "gaussian_kl",
    "gaussian_nll_loss",
    "generalized_cross_entropy",
    "interval",
    "iwae_loss",
    "kl_div",
    "log_softmax",
    "logit_stats",
    "logsumexp",
    "madaboost",
    "mislabel",
    "mixture_density_nll_loss",
    "multilabel_soft_margin_loss",
    "natural_gaussian_nll_loss",
    "nll",
    "nll_loss",
    "nllr",
    "pixel_nll_loss",
    "poisson_nll_loss",
    "poly1",
    "right_censored",
    "softmax_loss",
    "symmetric_cross_entropy",
    "taylor_cross_entropy",
    "total_weight",
    "von_mises_fisher_nll_loss",
]
