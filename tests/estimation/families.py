"""Families for tests of the machinery of fits, which ask for more than a likelihood: that 200 rows, half of them
censored, determine every parameter from any start. What is asked of all families is in test_every_family.py."""

from __future__ import annotations

import neglog as nl

FAMILIES = [
    "bernoulli",
    "beta",
    "exponential",
    "gumbel",
    "gumbel_min",
    "log_normal",
    "logistic",
    "normal",
    "poisson",
    "weibull",
    "hurdle(poisson)",
]


def parameters(name: str, real: float, positive: float) -> list[float]:
    """Values for parameters on the identity and on the log link; probabilities between."""
    special = {"identity": real, "log": positive}
    return [special.get(p.link.name, float(p.link.inverse(real))) for p in nl.family(name).parameters]
