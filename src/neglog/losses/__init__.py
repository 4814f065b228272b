"""Losses on NumPy arrays: value, or value and gradient in one pass.

Every loss takes ``sample_weight``, ``mask``, ``reduction``, ``denominator`` and ``empty`` with one meaning
(:mod:`neglog.core.reduce`), returns nats, and has a ``_grad`` sibling that returns ``(loss, gradient)``.
Half precision is widened in registers; the sums are float64 in blocks of fixed size, so that no result
depends on the number of threads.
"""

from neglog.core.deformations import DEFORMATIONS
from neglog.losses.classification import cross_entropy, cross_entropy_grad, nll_loss, nll_loss_grad
from neglog.losses.deformed import (
    alpha_loss,
    alpha_loss_grad,
    competing_ratio,
    competing_ratio_grad,
    exponential_loss,
    exponential_loss_grad,
    focal,
    focal_grad,
    gamma_divergence,
    gamma_divergence_grad,
    generalized_cross_entropy,
    generalized_cross_entropy_grad,
    madaboost,
    madaboost_grad,
    mislabel,
    mislabel_grad,
    nllr,
    nllr_grad,
    poly1,
    poly1_grad,
    symmetric_cross_entropy,
    symmetric_cross_entropy_grad,
    taylor_cross_entropy,
    taylor_cross_entropy_grad,
)
from neglog.losses.elementwise import (
    binary_cross_entropy,
    binary_cross_entropy_grad,
    binary_cross_entropy_with_logits,
    binary_cross_entropy_with_logits_grad,
    kl_div,
    kl_div_grad,
)
from neglog.losses.labels import log_loss
from neglog.losses.loss_properties import Properties, properties
from neglog.losses.odds import logodds_to_odds, logodds_to_prob, odds_to_prob, prob_to_logodds
from neglog.losses.own import softmax_loss, softmax_loss_grad, softmax_loss_hessian_product
from neglog.losses.posterior import recover_posterior
from neglog.losses.primitives import log_softmax, log_softmax_grad, logsumexp, logsumexp_grad, softmax
from neglog.losses.tempered import (
    bi_tempered,
    bi_tempered_grad,
    density_power,
    density_power_grad,
    forward_correction,
    forward_correction_grad,
)
from neglog.losses.tempered_probabilities import tempered_sigmoid, tempered_softmax

__all__ = [
    "DEFORMATIONS",
    "Properties",
    "alpha_loss",
    "alpha_loss_grad",
    "bi_tempered",
    "bi_tempered_grad",
    "binary_cross_entropy",
    "binary_cross_entropy_grad",
    "binary_cross_entropy_with_logits",
    "binary_cross_entropy_with_logits_grad",
    "competing_ratio",
    "competing_ratio_grad",
    "cross_entropy",
    "cross_entropy_grad",
    "density_power",
    "density_power_grad",
    "exponential_loss",
    "exponential_loss_grad",
    "focal",
    "focal_grad",
    "forward_correction",
    "forward_correction_grad",
    "gamma_divergence",
    "gamma_divergence_grad",
    "generalized_cross_entropy",
    "generalized_cross_entropy_grad",
    "kl_div",
    "kl_div_grad",
    "log_loss",
    "log_softmax",
    "log_softmax_grad",
    "logodds_to_odds",
    "logodds_to_prob",
    "logsumexp",
    "logsumexp_grad",
    "madaboost",
    "madaboost_grad",
    "mislabel",
    "mislabel_grad",
    "nll_loss",
    "nll_loss_grad",
    "nllr",
    "nllr_grad",
    "odds_to_prob",
    "poly1",
    "poly1_grad",
    "prob_to_logodds",
    "properties",
    "recover_posterior",
    "softmax",
    "softmax_loss",
    "softmax_loss_grad",
    "softmax_loss_hessian_product",
    "symmetric_cross_entropy",
    "symmetric_cross_entropy_grad",
    "taylor_cross_entropy",
    "taylor_cross_entropy_grad",
    "tempered_sigmoid",
    "tempered_softmax",
]
