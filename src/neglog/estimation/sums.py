"""Sums that do not depend on the order of the rows."""

from __future__ import annotations

from neglog import _native
from neglog.estimation.tables import Floats


def exact_sum(values: Floats, weight: Floats | None = None) -> float:
    """``sum(weight * values)``, correctly rounded, with both halves of every product.

    A row of weight 3 is exactly three rows. Infinities and NaN come out as mathematics says.
    """
    total = _native.ExactSum()
    if weight is None:
        total.add(values)
    else:
        total.add_product(values, weight)
    return float(total.value())
