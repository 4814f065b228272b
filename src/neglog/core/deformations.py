"""The table of losses ``l(p_y)``: each with its definition, its facts and its source."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar

from neglog.core.deformation import (
    COMPETING,
    EXPONENTIAL,
    INF,
    MADA,
    MISLABEL,
    POLYNOMIAL,
    RATIO,
    TAYLOR,
    Deformation,
    Native,
    Polynomial,
    Power,
    fact,
    kernel,
    log_add,
    softplus,
)
from neglog.core.domain import NON_NEGATIVE, Interval


@dataclass(frozen=True)
class NLLR(Deformation):
    """Negative log-likelihood ratio: the true class against its competitors."""

    name: ClassVar[str] = "nllr"
    module: ClassVar[str] = "NLLRLoss"
    plain: ClassVar[str] = "log(epsilon + (1 - p) / p)"
    formula: ClassVar[str] = (
        r"-\log \frac{p}{1 - p} \quad (\epsilon = 0), \qquad \log\Bigl(\epsilon + \frac{1-p}{p}\Bigr)"
    )
    notes: ClassVar[str] = """\
    With ``epsilon = 0`` the loss is the margin itself: the gradient of every sample has 1-norm 2, those that are
    right keep pulling, and the loss has no lower bound: cap the logits (``softcap`` in torch) or take an
    ``epsilon``; weight decay bounds linear models only. It has no minimiser where a class has probability above 1/2
    given the input; ``softmax(z)`` is then no posterior, though its largest class is the right one. ``epsilon = 1``
    is cross-entropy, between them the loss is bounded below by ``log(epsilon)``. Where no other class exists the
    loss is ``log(epsilon)`` with gradient 0."""
    source: ClassVar[str] = (
        'Zhu, Yao, Jiang, Yu, "Negative Log Likelihood Ratio Loss for Deep Neural Network Classification" (2018), '
        "arXiv:1804.10690; ``epsilon`` is neglog's."
    )
    example: ClassVar[tuple[str, str]] = ("", "-0.658846")

    epsilon: float = field(default=0.0, metadata=fact(NON_NEGATIVE, "what the odds against the class are added to."))

    def _level(self) -> float:
        return math.log(self.epsilon) if self.epsilon else -INF

    def native(self, classes: int) -> Native:
        return kernel(RATIO, self._level())

    def phi(self, xp: Any, a: Any, classes: int) -> Any:
        return log_add(xp, a, self._level())


@dataclass(frozen=True)
class GeneralizedCrossEntropy(Power):
    """Generalised cross-entropy, between cross-entropy and the probability of an error."""

    name: ClassVar[str] = "generalized_cross_entropy"
    module: ClassVar[str] = "GeneralizedCrossEntropyLoss"
    plain: ClassVar[str] = "(1 - p**q) / q"
    formula: ClassVar[str] = r"\frac{1 - p^q}{q}"
    notes: ClassVar[str] = """\
    Robust against wrong labels: a sample counts ``p ** q`` times what it counts in cross-entropy, bounded by 1 / q,
    so an outlier pulls ever less. ``q = 0`` is cross-entropy, ``q = 1`` the probability of an error, whose training
    is slow: while all classes are unlikely, no sample pulls. ``truncation`` gives samples of probability up to it a
    constant loss and gradient 0; with it from the first step on nothing is learnt, prune after a warm-up.
    ``softmax(z)`` is no posterior for ``q > 0``."""
    source: ClassVar[str] = (
        'Zhang and Sabuncu, "Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy Labels" '
        "(2018), arXiv:1805.07836."
    )
    example: ClassVar[tuple[str, str]] = ("", "0.361675")

    q: float = field(
        default=0.7, metadata=fact(Interval(0.0, 1.0, True, True), "0 cross-entropy, 1 error probability.")
    )
    truncation: float | None = field(
        default=None, metadata=fact(Interval(0.0, 1.0), "probability up to which the loss is constant; None: nowhere.")
    )

    def _parts(self) -> tuple[float, float, float]:
        return self.q, math.nan if self.truncation is None else -math.log(self.truncation), 1.0


@dataclass(frozen=True)
class Focal(Polynomial):
    """Focal loss: cross-entropy in which well-classified samples count less."""

    name: ClassVar[str] = "focal"
    module: ClassVar[str] = "FocalLoss"
    plain: ClassVar[str] = "-(1 - p)**gamma log(p)"
    formula: ClassVar[str] = r"-(1 - p)^\gamma \log p"
    notes: ClassVar[str] = """\
    For many easy samples beside few hard ones. ``gamma = 0`` is cross-entropy. The paper's ``alpha`` of each class
    is ``weight``. Not proper for ``gamma > 0``: ``softmax(z)`` is less confident than the posterior where one class
    is likely, and may be more confident where each of many is unlikely."""
    source: ClassVar[str] = (
        'Lin, Goyal, Girshick, He, Dollar, "Focal Loss for Dense Object Detection" (2017), arXiv:1708.02002, equation '
        "4."
    )
    example: ClassVar[tuple[str, str]] = ("", "0.048492")

    gamma: float = field(default=2.0, metadata=fact(NON_NEGATIVE, "power of the probability of an error."))

    def _parts(self) -> tuple[float, float, float]:
        return self.gamma, 1.0, 0.0


@dataclass(frozen=True)
class CompetingRatio(Deformation):
    """Competing ratio loss: cross-entropy and the logarithm of the competitors' probability."""

    name: ClassVar[str] = "competing_ratio"
    module: ClassVar[str] = "CompetingRatioLoss"
    plain: ClassVar[str] = "-log(p) + beta log(alpha + 1 - p)"
    formula: ClassVar[str] = r"-\log p + \beta \log(\alpha + 1 - p)"
    notes: ClassVar[str] = """\
    Made to cure :func:`nllr` of its sign: positive for every input if ``alpha >= 1`` (0 at ``p = 1`` for ``alpha =
    1``), and bounded below by ``beta log(alpha)`` for ``alpha > 0``. ``alpha = 0, beta = 1`` is :func:`nllr`,
    ``beta = 0`` cross-entropy. A sample that is wrong pulls as in cross-entropy, one that is right up to ``1 + beta
    / alpha`` times as much."""
    source: ClassVar[str] = (
        'Zhang et al., "Competing Ratio Loss for Discriminative Multi-class Image Classification" (2019), '
        "arXiv:1912.11642 and arXiv:1907.13349."
    )
    example: ClassVar[tuple[str, str]] = ("", "1.027338")

    alpha: float = field(default=1.5, metadata=fact(NON_NEGATIVE, "what the competitors' probability is added to."))
    beta: float = field(default=1.0, metadata=fact(NON_NEGATIVE, "weight of the competitors' term."))

    def _level(self) -> float:
        return math.log(self.alpha) if self.alpha else -INF

    def native(self, classes: int) -> Native:
        return kernel(COMPETING, self.alpha, self.beta, self._level())

    def phi(self, xp: Any, a: Any, classes: int) -> Any:
        nll, other_nll = softplus(xp, a), softplus(xp, -a)
        if not self.beta:
            return nll
        if self.alpha < 0.5:
            return nll + self.beta * log_add(xp, -other_nll, self._level())
        return nll + self.beta * xp.log1p((self.alpha - 1.0) + xp.exp(-other_nll))


@dataclass(frozen=True)
class ExponentialLoss(Deformation):
    """Multiclass exponential loss, the one that AdaBoost.M2 bounds."""

    name: ClassVar[str] = "exponential_loss"
    module: ClassVar[str] = "ExponentialLoss"
    plain: ClassVar[str] = "(1 - p) / p"
    formula: ClassVar[str] = r"\frac{1 - p}{p} = \sum_{k \ne y} e^{z_k - z_y}"
    notes: ClassVar[str] = """\
    For boosting and comparison, not for noisy labels: a sample counts ``1 / p`` times what it counts in
    cross-entropy, so one outlier outweighs all others, and a margin above 709 (88 in float32) overflows to inf,
    where the gradient is the largest finite number. ``softmax(2 z)`` is the posterior."""
    source: ClassVar[str] = (
        'Freund and Schapire, "A Decision-Theoretic Generalization of On-Line Learning and an Application to '
        'Boosting" (1997); a member of the family of Kanamori, "Deformation of log-likelihood loss function for '
        'multiclass boosting" (2010), doi:10.1016/j.neunet.2010.05.009.'
    )
    example: ClassVar[tuple[str, str]] = ("", "0.517448")

    def native(self, classes: int) -> Native:
        return kernel(EXPONENTIAL)

    def phi(self, xp: Any, a: Any, classes: int) -> Any:
        return xp.exp(a)


@dataclass(frozen=True)
class MadaBoost(Deformation):
    """Multiclass MadaBoost: the exponential loss with a tangent for samples that are wrong."""

    name: ClassVar[str] = "madaboost"
    module: ClassVar[str] = "MadaBoostLoss"
    plain: ClassVar[str] = "s if s <= 1 else 1 + log(s), s = (1 - p) / p"
    formula: ClassVar[str] = r"s \text{ if } s \le 1, \quad 1 + \log s \text{ otherwise}, \qquad s = \frac{1 - p}{p}"
    notes: ClassVar[str] = """\
    Robust where the exponential loss is not: an outlier pulls as in :func:`nllr`, with 1-norm 2. Convex in the
    logits, with a continuous gradient; the second derivative jumps at ``p = 1/2``."""
    source: ClassVar[str] = (
        'Domingo and Watanabe, "MadaBoost: A Modification of AdaBoost" (2000), with the odds against the class in '
        'place of the binary margin, as in the family of Kanamori, "Deformation of log-likelihood loss function for '
        'multiclass boosting" (2010), doi:10.1016/j.neunet.2010.05.009.'
    )
    example: ClassVar[tuple[str, str]] = ("", "0.517448")

    def native(self, classes: int) -> Native:
        return kernel(MADA)

    def phi(self, xp: Any, a: Any, classes: int) -> Any:
        return xp.where(a > 0, a + 1.0, xp.exp(xp.where(a > 0, 0.0, a)))


@dataclass(frozen=True)
class Mislabel(Deformation):
    """NLL of labels that are replaced, with probability ``rate``, by a class drawn from all with equal probability."""

    name: ClassVar[str] = "mislabel"
    module: ClassVar[str] = "MislabelLoss"
    plain: ClassVar[str] = "-log((1 - rate) p + rate / C)"
    formula: ClassVar[str] = r"-\log\bigl((1 - c)\, p + c / C\bigr)"
    notes: ClassVar[str] = """\
    ``c`` is ``rate``, ``C`` the number of logits in a row. A likelihood: at its minimum ``softmax(z)`` are the
    probabilities of the true labels, if ``rate`` is right. Bounded by ``-log(c / C)``; the pull of an outlier goes
    to 0. ``rate = 0`` is cross-entropy."""
    source: ClassVar[str] = (
        'Patrini et al., "Making Deep Neural Networks Robust to Label Noise: a Loss Correction Approach" (2017), '
        'arXiv:1609.03683 (forward correction, symmetric noise); the model of mislabels of Kanamori, "Deformation of '
        'log-likelihood loss function for multiclass boosting" (2010), doi:10.1016/j.neunet.2010.05.009.'
    )
    example: ClassVar[tuple[str, str]] = ("rate=0.05", "0.44205")

    rate: float = field(
        metadata=fact(Interval(0.0, 1.0, low_closed=True), "probability that a label is replaced (by itself, too).")
    )

    def _parts(self, classes: int) -> tuple[float, float, float]:
        """log(1 - c), c / C, log(c / C)"""
        each = self.rate / classes
        return math.log1p(-self.rate), each, math.log(each)

    def native(self, classes: int) -> Native:
        if not self.rate:
            return kernel(POLYNOMIAL, 0.0, 1.0)
        kept, each, level = self._parts(classes)
        return kernel(MISLABEL, self.rate, each, kept, level)

    def phi(self, xp: Any, a: Any, classes: int) -> Any:
        nll = softplus(xp, a)
        if not self.rate:
            return nll
        kept, each, level = self._parts(classes)
        near = xp.where(a > 0, 0.0, a)  # elsewhere the logarithm that is not used might be that of 0
        missing = (1.0 - self.rate) * xp.exp(-softplus(xp, -near)) + (self.rate - each)  # of 1
        return xp.where(a > 0, -log_add(xp, kept - nll, level), -xp.log1p(-missing))


@dataclass(frozen=True)
class AlphaLoss(Power):
    """Alpha-loss: from the exponential loss over cross-entropy to the probability of an error."""

    name: ClassVar[str] = "alpha_loss"
    module: ClassVar[str] = "AlphaLoss"
    plain: ClassVar[str] = "alpha / (alpha - 1) (1 - p**((alpha - 1) / alpha))"
    formula: ClassVar[str] = r"\frac{\alpha}{\alpha - 1} \bigl(1 - p^{(\alpha - 1) / \alpha}\bigr)"
    notes: ClassVar[str] = """\
    ``alpha = 1/2`` is :func:`exponential_loss`, 1 cross-entropy, ``inf`` the probability of an error. Above 1 it is
    :func:`generalized_cross_entropy` with ``q = 1 - 1 / alpha``, robust against wrong labels; below 1 rare and
    difficult samples count more."""
    source: ClassVar[str] = (
        'Sypherd, Diaz, Cava, Dasarathy, Kairouz, Sankar, "A Tunable Loss Function for Robust Classification" (2022), '
        "arXiv:1902.04639."
    )
    example: ClassVar[tuple[str, str]] = ("alpha=2.0", "0.376422")

    alpha: float = field(metadata=fact(Interval(0.0, INF, high_closed=True), "1 is cross-entropy."))

    def _parts(self) -> tuple[float, float, float]:
        return 1.0 if self.alpha == INF else (self.alpha - 1.0) / self.alpha, math.nan, 1.0


@dataclass(frozen=True)
class Poly1(Polynomial):
    """Poly-1: cross-entropy, or focal loss, with another weight on the leading term of its expansion."""

    name: ClassVar[str] = "poly1"
    module: ClassVar[str] = "Poly1Loss"
    plain: ClassVar[str] = "(1 - p)**gamma (-log(p) + epsilon (1 - p))"
    formula: ClassVar[str] = r"(1 - p)^\gamma \bigl(-\log p + \epsilon (1 - p)\bigr)"
    notes: ClassVar[str] = """\
    ``epsilon`` is to be tuned: positive where a classifier is not confident enough, negative where it is too
    confident. ``epsilon = 0, gamma = 0`` is cross-entropy, ``epsilon = 0`` :func:`focal`. The loss falls with p for
    ``epsilon >= -1`` only."""
    source: ClassVar[str] = (
        'Leng et al., "PolyLoss: A Polynomial Expansion Perspective of Classification Loss Functions" (2022), '
        "arXiv:2204.12511."
    )
    example: ClassVar[tuple[str, str]] = ("", "0.758029")

    epsilon: float = field(
        default=1.0, metadata=fact(Interval(-1.0, INF, low_closed=True), "added to the weight 1 of ``1 - p``.")
    )
    gamma: float = field(default=0.0, metadata=fact(NON_NEGATIVE, "that of :func:`focal`."))

    def _parts(self) -> tuple[float, float, float]:
        return self.gamma, 1.0, self.epsilon


@dataclass(frozen=True)
class TaylorCrossEntropy(Deformation):
    """Taylor cross-entropy: the first terms of the expansion of cross-entropy at ``p = 1``."""

    name: ClassVar[str] = "taylor_cross_entropy"
    module: ClassVar[str] = "TaylorCrossEntropyLoss"
    plain: ClassVar[str] = "(1 - p) + (1 - p)**2 / 2 + ... + (1 - p)**order / order"
    formula: ClassVar[str] = r"\sum_{i=1}^{t} \frac{(1 - p)^i}{i}"
    notes: ClassVar[str] = """\
    Robust against wrong labels and bounded by the harmonic number of ``order``: 1 is the probability of an error,
    cross-entropy the limit. For small orders the minimiser gives rare classes probability exactly 0, so
    ``softmax(z)`` is no posterior and cannot be turned into one. Each term is one more multiplication per row."""
    source: ClassVar[str] = (
        'Feng, Shu, Lin, Lv, Li, An, "Can Cross Entropy Loss Be Robust to Label Noise?" (2020), IJCAI.'
    )
    example: ClassVar[tuple[str, str]] = ("", "0.399139")

    order: int = field(default=2, metadata=fact(Interval(1.0, INF, low_closed=True, integer=True), "number of terms."))

    def native(self, classes: int) -> Native:
        return kernel(TAYLOR, float(self.order))

    def phi(self, xp: Any, a: Any, classes: int) -> Any:
        q = xp.exp(-softplus(xp, -a))
        value = 0.0
        for i in range(int(self.order), 0, -1):
            value = (value + 1.0 / i) * q
        return value


@dataclass(frozen=True)
class SymmetricCrossEntropy(Polynomial):
    """Symmetric cross-entropy: cross-entropy and its reverse, in which target and prediction change places."""

    name: ClassVar[str] = "symmetric_cross_entropy"
    module: ClassVar[str] = "SymmetricCrossEntropyLoss"
    plain: ClassVar[str] = "-alpha log(p) - beta log_zero (1 - p)"
    formula: ClassVar[str] = r"-\alpha \log p - \beta A (1 - p)"
    notes: ClassVar[str] = """\
    ``A`` is ``log_zero``, what ``log 0`` of the one-hot target is taken for. The reverse term is robust against
    wrong labels, cross-entropy is there to converge. The same as ``alpha`` times :func:`poly1` with ``epsilon = -A
    beta / alpha``."""
    source: ClassVar[str] = (
        'Wang, Ma, Chen, Luo, Yi, Bailey, "Symmetric Cross Entropy for Robust Learning with Noisy Labels" (2019), '
        "arXiv:1908.06112."
    )
    example: ClassVar[tuple[str, str]] = ("", "1.405698")

    alpha: float = field(default=0.1, metadata=fact(NON_NEGATIVE, "weight of cross-entropy."))
    beta: float = field(default=1.0, metadata=fact(NON_NEGATIVE, "weight of reverse cross-entropy."))
    log_zero: float = field(
        default=-4.0, metadata=fact(Interval(-INF, 0.0, high_closed=True), "stands for ``log 0`` of the target.")
    )

    def _parts(self) -> tuple[float, float, float]:
        return 0.0, self.alpha, -self.log_zero * self.beta


@dataclass(frozen=True)
class GammaDivergence(Power):
    """Gamma-divergence loss, per sample: generalised cross-entropy of sharpened probabilities."""

    name: ClassVar[str] = "gamma_divergence"
    module: ClassVar[str] = "GammaDivergenceLoss"
    plain: ClassVar[str] = "(1 - r**(gamma / (1 + gamma))) / gamma, r = softmax((1 + gamma) z)_y"
    formula: ClassVar[str] = (
        r"\frac{1 - r^{\gamma / (1 + \gamma)}}{\gamma}, \quad r = \operatorname{softmax}((1 + \gamma) z)_y"
    )
    notes: ClassVar[str] = """\
    Robust against outliers, and unlike :func:`generalized_cross_entropy` with ``softmax(z)`` as the posterior at
    its minimum. Bounded by ``1 / gamma``; the pull of an outlier goes to 0, for small ``gamma`` only far out.
    ``gamma = 0`` is cross-entropy. The divergence of the paper is ``-log(1 - gamma mean) / gamma`` of this mean,
    with the same minimum."""
    source: ClassVar[str] = (
        'Fujisawa and Eguchi, "Robust parameter estimation with a small bias against heavy contamination" (2008); '
        'Hung, Jou, Huang, "Robust mislabel logistic regression without modeling mislabel probabilities" (2018).'
    )
    example: ClassVar[tuple[str, str]] = ("gamma=0.5", "0.158451")

    gamma: float = field(metadata=fact(NON_NEGATIVE, "robustness; 0 is cross-entropy."))

    @property
    def sharpness(self) -> float:
        return 1.0 + self.gamma

    def _parts(self) -> tuple[float, float, float]:
        return self.gamma / (1.0 + self.gamma), math.nan, 1.0 / (1.0 + self.gamma)


DEFORMATIONS: dict[str, type[Deformation]] = {
    kind.name: kind
    for kind in (
        NLLR,
        GeneralizedCrossEntropy,
        Focal,
        CompetingRatio,
        ExponentialLoss,
        MadaBoost,
        Mislabel,
        AlphaLoss,
        Poly1,
        TaylorCrossEntropy,
        SymmetricCrossEntropy,
        GammaDivergence,
    )
}


def named(name: str, numbers: list[float]) -> Deformation:
    """The inverse of ``name`` and :attr:`Deformation.numbers`."""
    return DEFORMATIONS[name](*(None if value != value else value for value in numbers))
