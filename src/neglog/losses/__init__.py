"""Losses on NumPy arrays: value, or value and gradient in one pass.

Every loss takes ``sample_weight``, ``mask``, ``reduction``, ``denominator`` and ``empty`` with one meaning
(:mod:`neglog.core.reduce`), returns nats, and has a ``_grad`` sibling that returns ``(loss, gradient)``.
Half precision is widened in registers; the sums are float64 in blocks of fixed size, so that no result
depends on the number of threads.
"""

from neglog.losses.classification import cross_entropy, cross_entropy_grad, nll_loss, nll_loss_grad
from neglog.losses.elementwise import (
    binary_cross_entropy,
    binary_cross_entropy_grad,
    binary_cross_entropy_with_logits,
    binary_cross_entropy_with_logits_grad,
    kl_div,
    kl_div_grad,
)
from neglog.losses.labels import log_loss
from neglog.losses.odds import logodds_to_odds, logodds_to_prob, odds_to_prob, prob_to_logodds
from neglog.losses.primitives import log_softmax, log_softmax_grad, logsumexp, logsumexp_grad, softmax

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_grad",
    "binary_cross_entropy_with_logits",
    "binary_cross_entropy_with_logits_grad",
    "cross_entropy",
    "cross_entropy_grad",
    "kl_div",
    "kl_div_grad",
    "log_loss",
    "log_softmax",
    "log_softmax_grad",
    "logodds_to_odds",
    "logodds_to_prob",
    "logsumexp",
    "logsumexp_grad",
    "nll_loss",
    "nll_loss_grad",
    "odds_to_prob",
    "prob_to_logodds",
    "softmax",
]
