"""``--fail-if 'nll > 0.35'``: a condition on a score that makes the command exit with 1."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from neglog.cli.exits import UsageError
from neglog.evaluation.sources import did_you_mean

METRICS = (
    "nll", "stderr", "perplexity", "bits", "skill", "base_nll", "accuracy", "brier", "ece", "nobs", "weight",
    "zero_probability", "bad",
)  # fmt: skip
_TESTS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_PATTERN = re.compile(r"\s*([A-Za-z_]\w*)\s*(>=|<=|>|<)\s*([-+0-9.eE]+)\s*(%?)\s*")


@dataclass(frozen=True)
class Gate:
    """``metric``, a comparison, a number; ``text`` as it was given."""

    text: str
    metric: str
    test: str
    bound: float

    def fails(self, result: Any) -> bool:
        """Whether the condition holds, or cannot be judged: a metric that is NaN passes no gate."""
        value = self.value(result)
        return math.isnan(value) or _TESTS[self.test](value, self.bound)

    def value(self, result: Any) -> float:
        """The metric of ``result``."""
        found = getattr(result, self.metric)
        return float(sum(found.values()) if isinstance(found, dict) else found)


def parse(text: str) -> Gate:
    """Read one condition.

    >>> parse("nll>0.35")
    Gate(text='nll>0.35', metric='nll', test='>', bound=0.35)
    >>> parse("accuracy < 95%").bound
    0.95
    >>> parse("acuracy<0.9")
    Traceback (most recent call last):
    ...
    neglog.cli.exits.UsageError: --fail-if 'acuracy<0.9': no metric 'acuracy'; did you mean 'accuracy'?
    """
    match = _PATTERN.fullmatch(text)
    try:
        bound = float(match[3]) if match else math.nan
    except ValueError:
        bound = math.nan
    if match is None or math.isnan(bound):
        raise UsageError(f"--fail-if {text!r} must read METRIC > NUMBER, also with <, >= or <=")
    if match[1] not in METRICS:
        hint = did_you_mean(match[1], METRICS) or f"; there are {', '.join(METRICS)}"
        raise UsageError(f"--fail-if {text!r}: no metric '{match[1]}'{hint}")
    return Gate(text, match[1], match[2], bound / 100 if match[4] else bound)
