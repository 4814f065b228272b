"""Losses of all probabilities of a row, by name: what ``native/rows_tempered.hpp`` makes of their parameters."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neglog.core.arrays import floating
from neglog.core.deformation import MIXED, TEMPERED, Native, kernel
from neglog.core.domain import NON_NEGATIVE, POSITIVE, Interval, check_number
from neglog.errors import ParameterError, ShapeError

ROW_LOSSES = ("bi_tempered", "density_power", "forward_correction")
_AT_MOST_ONE = Interval(-math.inf, 1.0, high_closed=True)


def row_loss(name: str, numbers: list[float]) -> Native:
    """The kernel of one of :data:`ROW_LOSSES`: (t1, t2, factor) of the tempered kind, nothing of the mixed one."""
    if name == "bi_tempered":
        return bi_tempered(name, *numbers)
    if name == "density_power":
        return density_power(name, *numbers)
    return kernel(MIXED, 0.0, 0.0, 1.0)


def bi_tempered(function: str, t1: float, t2: float) -> Native:
    """Checked temperatures."""
    check_number(function, "t1", t1, _AT_MOST_ONE)
    check_number(function, "t2", t2, POSITIVE)
    return kernel(TEMPERED, t1, t2, 1.0)


def density_power(function: str, beta: float) -> Native:
    """``1 + beta`` times the divergence at ``t1 = 1 - beta, t2 = 1``."""
    check_number(function, "beta", beta, NON_NEGATIVE)
    return kernel(TEMPERED, 1.0 - beta, 1.0, 1.0 + beta)


def transition_table(function: str, transition: Any, classes: int) -> NDArray[np.float64]:
    """A checked transition for the kernel."""
    given = floating(function, "transition", transition)
    if given.shape != (classes, classes):
        raise ShapeError(f"{function}: transition has shape {given.shape}; allowed: ({classes}, {classes})")
    table = np.ascontiguousarray(given, np.float64)
    check_transition(function, table, half=given.dtype.itemsize == 2)
    return table


def check_transition(function: str, table: NDArray[Any], half: bool) -> None:
    """Rows of probabilities that sum to one, as nearly as their dtype, ``half`` precision or better, can say."""
    if (bad := ~((table >= 0) & (table <= 1))).any():
        at = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ParameterError(
            f"{function}: transition{list(at)} = {table[at]:g} is no probability; allowed: 0 <= transition <= 1"
        )
    near = 2.0**-7 if half else 1e-6
    if (bad := np.abs(table.sum(1) - 1) > near).any():
        row = int(bad.argmax())
        turned = (
            "" if (np.abs(table.sum(0) - 1) > near).any() else " (the columns do: rows are true classes, transpose)"
        )
        raise ParameterError(f"{function}: row {row} of transition sums to {table[row].sum():g}; allowed: 1{turned}")
