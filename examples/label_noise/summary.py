"""Means over repetitions, and differences that are paired by repetition."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.special import stdtrit

from examples.label_noise.losses import REFERENCE, Array
from examples.label_noise.study import Job, Record


class Estimate(NamedTuple):
    """A mean over repetitions with its standard error and its 95% interval (Student's t)."""

    mean: float
    stderr: float
    low: float
    high: float

    def __format__(self, spec: str) -> str:
        """``f"{estimate:.1f}"`` is "83.1 ± 0.3"; what is large has few digits, what is missing is a dash."""
        if math.isnan(self.mean):
            return "–"
        if not abs(self.mean) < 1e3:
            return f"{self.mean:.2g}"
        spread = f" ± {self.stderr:{spec}}" if math.isfinite(self.stderr) else ""
        return f"{self.mean:{spec}}{spread}".replace("-", "−")


def estimate(values: Array) -> Estimate:
    """Of independent repetitions; one alone has no standard error."""
    mean = float(values.mean()) if len(values) else math.nan
    if len(values) < 2 or not np.isfinite(values).all():
        return Estimate(mean, math.nan, math.nan, math.nan)
    stderr = float(values.std(ddof=1)) / math.sqrt(len(values))
    half = float(stdtrit(len(values) - 1, 0.975)) * stderr
    return Estimate(mean, stderr, mean - half, mean + half)


@dataclass(frozen=True)
class Results:
    """All records of a study."""

    records: Mapping[Job, Record]
    losses: Sequence[str]
    noises: Sequence[str]
    seeds: int

    def values(self, loss: str, noise: str, when: str, score: str) -> Array:
        """One value a repetition; ``when`` is ``"final"`` or ``"best"``. NaN where there is none."""
        found: list[Any] = [self.records[Job(seed, noise, loss)][when][score] for seed in range(self.seeds)]
        return np.array([math.nan if value is None else value for value in found])

    def mean(self, loss: str, noise: str, when: str, score: str, scale: float = 1.0) -> Estimate:
        """Over repetitions."""
        return estimate(scale * self.values(loss, noise, when, score))

    def above(
        self, loss: str, noise: str, when: str, score: str, scale: float = 1.0, other: str = REFERENCE
    ) -> Estimate:
        """Of ``loss`` over ``other`` on the same images, labels and initial weights."""
        with np.errstate(invalid="ignore"):
            one, two = (self.values(name, noise, when, score) for name in (loss, other))
            return estimate(scale * (one - two))
