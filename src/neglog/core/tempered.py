"""Losses of all probabilities of a row, by name: what ``native/rows_tempered.hpp`` makes of their parameters."""

from __future__ import annotations

import math

from neglog.core.deformation import MIXED, TEMPERED, Native, kernel
from neglog.errors import ParameterError

ROW_LOSSES = ("bi_tempered", "density_power", "forward_correction")


def row_loss(name: str, numbers: list[float]) -> Native:
    """The kernel of one of :data:`ROW_LOSSES`: (t1, t2, factor) of the tempered kind, nothing of the mixed one."""
    if name == "bi_tempered":
        return bi_tempered(name, *numbers)
    if name == "density_power":
        return density_power(name, *numbers)
    return kernel(MIXED, 0.0, 0.0, 1.0)


def bi_tempered(function: str, t1: float, t2: float) -> Native:
    """Checked temperatures."""
    if not -math.inf < t1 <= 1.0:
        raise ParameterError(f"{function}: t1={t1!r}; allowed: t1 <= 1")
    if not 0.0 < t2 < math.inf:
        raise ParameterError(f"{function}: t2={t2!r}; allowed: t2 in (0, inf)")
    return kernel(TEMPERED, t1, t2, 1.0)


def density_power(function: str, beta: float) -> Native:
    """``1 + beta`` times the divergence at ``t1 = 1 - beta, t2 = 1``."""
    if not 0.0 <= beta < math.inf:
        raise ParameterError(f"{function}: beta={beta!r}; allowed: beta in [0, inf)")
    return kernel(TEMPERED, 1.0 - beta, 1.0, 1.0 + beta)
