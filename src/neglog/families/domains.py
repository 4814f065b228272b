"""Where a parameter of one's own likelihood may lie, and the scale on which it is estimated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neglog.errors import InputError
from neglog.families.facts import LINKS, POSITIVE, REAL, UNIT, Interval, Link, link_onto


@dataclass(frozen=True)
class Domain:
    """An open interval with the link that maps it onto the real line.

    >>> import neglog as nl
    >>> print(nl.positive, nl.between(-1.0, 1.0))
    (0, inf) by log (-1, 1) by onto(-1.0, 1.0)
    """

    interval: Interval
    link: Link

    def __str__(self) -> str:
        return f"{self.interval} by {self.link.name}"


real = Domain(REAL, LINKS["identity"])
positive = Domain(POSITIVE, LINKS["log"])
unit = Domain(UNIT, LINKS["logit"])


def between(low: float = -np.inf, high: float = np.inf) -> Domain:
    """The domain of a parameter between two ends, neither of which it reaches.

    Parameters
    ----------
    low, high : float
        An infinite end is open: ``between(low=2.0)`` is everything above 2.

    Raises
    ------
    InputError
        If ``low`` is not below ``high``.

    Examples
    --------
    >>> import neglog as nl
    >>> correlation = nl.between(-1.0, 1.0)
    >>> float(correlation.link.inverse(0.0))
    0.0
    """
    if not low < high:
        raise InputError(f"between: low = {low!r} is not below high = {high!r}")
    return Domain(Interval(float(low), float(high)), link_onto(float(low), float(high)))
