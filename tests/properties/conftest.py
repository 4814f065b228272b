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
        if p.form == "increasing":
            return np.sort(theta, axis=-1)
        if p.form == "cholesky":
            diagonal = np.eye(CLASSES, dtype=bool)
            return np.where(diagonal, np.exp(theta), np.tril(theta))
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
        if family.atom is not None:
            lower = np.where(upper == family.atom, family.atom - 1, lower)
        return lower, upper

    return make


@pytest.fixture
def clear_of_moving_ends() -> Any:
    """clear_of_moving_ends(family, y, params, step) -> mask: no parameter moves an end of the support near to y.

    Near means 200 times as far as it moves when the parameters change by ``step`` of themselves: there the density is
    a power of the distance, and differences of it have errors like the fourth power of 1/200.
    """

    def mask(family: ScalarFamily, y: np.ndarray, params: tuple[np.ndarray, ...], step: float) -> np.ndarray:
        clear = np.ones(np.shape(y), dtype=bool)
        for i, p in enumerate(params):
            moved = [*params[:i], p + step * np.maximum(np.abs(p), step), *params[i + 1 :]]
            for end, other in zip(family._ends(*params), family._ends(*moved), strict=True):
                fixed = np.isinf(end) & (end == other)
                shift = np.where(fixed, 0.0, np.abs(np.where(fixed, 0.0, end) - np.where(fixed, 0.0, other)))
                clear &= ~(np.abs(y - end) < 200 * shift)
            # nor do a hundred steps of it leave the domain, where the density is singular too
            for far in (p * (1 - 100 * step), p * (1 + 100 * step)):
                clear &= ~family._disagree(*params[:i], far, *params[i + 1 :])[0]
        return clear

    return mask
