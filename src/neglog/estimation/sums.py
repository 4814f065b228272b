"""Sums that do not depend on the order of the rows."""

from __future__ import annotations

import numpy as np

from neglog._native import ExactSums
from neglog.core.accumulate import exact_values, rounded
from neglog.estimation.tables import Floats


def exact_sum(values: Floats, weight: Floats | None = None) -> float:
    """``sum(weight * values)``, correctly rounded, with both halves of every product.

    A row of weight 3 is exactly three rows. Infinities and NaN come out as mathematics says.
    """
    total = ExactSums(1)
    values = np.ascontiguousarray(values)
    total.add(None, *((values,) if weight is None else (values, weight)))
    return rounded(exact_values(total)[0])
