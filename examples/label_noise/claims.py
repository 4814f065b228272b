"""What papers say about these losses, and what the same comparison gives here."""

from __future__ import annotations

import math
from dataclasses import dataclass

from examples.label_noise.losses import REFERENCE
from examples.label_noise.summary import Estimate, Results, estimate

POINTS = 100.0  # accuracies in per cent


@dataclass(frozen=True)
class Claim:
    """``loss`` is better than ``other`` in ``score``, at ``noise``.

    ``when`` and ``other_when``: with the weights of the last epoch, or of that which fitted the validation labels best.
    """

    source: str
    noise: str
    loss: str
    other: str = REFERENCE
    score: str = "accuracy"
    other_score: str | None = None
    when: str = "final"
    other_when: str | None = None

    @property
    def words(self) -> str:
        """What is claimed; ``>`` is "better than"."""
        if self.other_score is not None:
            return f"{self.loss}: recovered > predicted"
        if self.other == self.loss:
            return f"{self.loss}: best epoch > last"
        return f"{self.loss} > {self.other}" + (", best epochs" if self.when == "best" else "")

    @property
    def unit(self) -> str:
        """Of the difference."""
        return "% points" if self.score == "accuracy" else "nats"

    def measure(self, results: Results) -> Estimate | None:
        """How much better, paired by repetition; None where a run is not part of the study."""
        if self.noise not in results.noises or not {self.loss, self.other} <= set(results.losses):
            return None
        one = results.values(self.loss, self.noise, self.when, self.score)
        two = results.values(self.other, self.noise, self.other_when or self.when, self.other_score or self.score)
        return estimate(POINTS * (one - two) if self.score == "accuracy" else two - one)


def verdict(found: Estimate) -> str:
    """By the 95% interval of the difference."""
    if math.isnan(found.low):
        return "–"
    if found.low > 0:
        return "yes"
    return "the opposite" if found.high < 0 else "not decided"


def _recovery(loss: str, noise: str) -> Claim:
    return Claim("section on posteriors", noise, loss, loss, "nll_observed_recovered", "nll_observed", when="best")


_ASKED = "no paper; asked here"
_ZHU = "Zhu et al. 2018, abstract"
_ZHANG_CRL = "Zhang et al. 2019, abstract"
_GCE = "Zhang and Sabuncu 2018, table 1"

CLAIMS = (
    Claim(_ZHU, "none", "NLLR, weight decay"),
    Claim(_ZHU, "none", "NLLR, capped"),
    Claim(_ZHU, "none", "NLLR, capped", "cross-entropy, capped"),
    Claim(_ASKED, "40 %", "NLLR, capped", "cross-entropy, capped"),
    Claim(_ZHANG_CRL, "none", "competing ratio"),
    Claim(_ZHANG_CRL, "none", "competing ratio", "NLLR, capped"),
    Claim("Leng et al. 2022", "none", "Poly-1"),
    *(Claim(_GCE, noise, "generalised CE") for noise in ("20 %", "40 %", "60 %", "80 %")),
    *(Claim(_GCE, noise, "truncated GCE", "generalised CE") for noise in ("60 %", "80 %")),
    Claim("Wang et al. 2019", "40 %", "symmetric CE"),
    Claim("Feng et al. 2020", "40 %", "Taylor CE"),
    Claim("Amid et al. 2019", "40 %", "bi-tempered"),
    Claim(_ASKED, "40 %", "MadaBoost"),
    Claim("Basu et al. 1998", "40 %", "density power"),
    Claim("Fujisawa and Eguchi 2008", "40 %", "gamma divergence"),
    Claim("Patrini et al. 2017", "40 %", "forward correction"),
    Claim("Patrini et al. 2017", "40 % pairs", "forward correction"),
    Claim("the likelihood", "40 %", "mislabel, true rate", "mislabel, wrong rate", "nll"),
    Claim("the likelihood", "40 % pairs", "forward correction", "mislabel, true rate"),
    Claim("Li et al. 2020", "40 %", REFERENCE, REFERENCE, when="best", other_when="final"),
    Claim("what is left of it", "40 %", "generalised CE", when="best"),
    *(_recovery(loss, noise) for noise in ("none", "40 %") for loss in ("focal", "generalised CE", "NLLR, epsilon")),
)
