"""Random but valid rows for any family, made from its own facts: a new family needs nothing here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import neglog as nl
from neglog.families import Family, Parameter, ScalarFamily

ALL = [nl.family(name) for name in nl.families.names()]
SCALAR = [f for f in ALL if isinstance(f, ScalarFamily)]
CLASSES = 4  # of a family with a vector parameter


@dataclass(frozen=True)
class Rows:
    """Parameters inside their domains and draws from the family at those parameters."""

    y: np.ndarray
    params: tuple[np.ndarray, ...]

    @property
    def args(self) -> tuple[Any, ...]:
        return (self.y, *self.params)


def draw_parameters(family: Family, shape: tuple[int, ...], rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    # one unit on the link scale: shapes and scales mostly between 0.2 and 5
    def draw(p: Parameter) -> np.ndarray:
        theta = p.link.inverse(0.8 * rng.normal(size=(*shape, *(CLASSES,) * p.event_ndim)))
        return np.ceil(6 * np.abs(theta)) if p.domain.integer else theta

    params = tuple(draw(p) for p in family.parameters)
    while (bad := family._disagree(*params)[0]).any():
        params = tuple(np.where(bad, draw(p), value) for p, value in zip(family.parameters, params, strict=True))
    return params


def draw_rows(family: Family, shape: tuple[int, ...], seed: int = 0) -> Rows:
    rng = np.random.default_rng(seed)
    params = draw_parameters(family, shape, rng)
    return Rows(np.asarray(family.sample(*params, rng=rng), dtype=np.float64), params)


@pytest.fixture(params=ALL, ids=lambda f: f.name)
def family(request: pytest.FixtureRequest) -> Family:
    return request.param


@pytest.fixture(params=SCALAR, ids=lambda f: f.name)
def scalar(request: pytest.FixtureRequest) -> ScalarFamily:
    return request.param


@pytest.fixture
def rows() -> Any:
    """rows(family, shape, seed=0) -> Rows"""
    return draw_rows


@pytest.fixture
def ends() -> Any:
    """ends(family, params, seed) -> (lower, upper): around the bulk, some narrow, none empty."""

    def make(family: ScalarFamily, params: tuple[np.ndarray, ...], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(seed)
        shape = np.broadcast_shapes(*(p.shape for p in params))
        q = rng.uniform(0.02, 0.9, size=shape)
        lower = family.ppf(q, *params) - family.discrete  # for counts: the interval holds at least the quantile
        upper = family.ppf(q + rng.choice([1e-6, 0.01, 0.09], size=shape), *params)
        return lower, upper

    return make
