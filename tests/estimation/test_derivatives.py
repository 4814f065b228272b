"""Gradient and Hessian of the objective against differences, for every family, with all switched on."""

from __future__ import annotations

import numpy as np
import pytest
from tests.estimation.families import FAMILIES, parameters

import neglog as nl
from neglog.estimation import problem as problems

N = 40


def sample(name: str, rng: np.random.Generator):
    """Rows of all four kinds, a window around each, and the parameters they came from."""
    family = nl.family(name)
    theta = parameters(name, 0.7, 1.6)
    y = np.asarray(family.sample(*theta, size=N, rng=rng), dtype=float)
    step = 1.0 if family.discrete else 0.4
    lower, upper = y.copy(), y.copy()
    upper[:10] = np.inf
    lower[:10] -= step
    lower[10:20] = -np.inf
    upper[10:20] += step
    lower[20:30] -= step
    window = (lower - 1.5, np.where(np.isinf(upper), np.inf, upper + 2.5))
    return nl.interval(lower, upper), window


def settings(name: str, rng: np.random.Generator) -> dict:
    y, window = sample(name, rng)
    family = nl.family(name)
    matrices = {p.name: rng.normal(size=(N, 2)) * [1.0, 3.0] + [2.0, 0.0] for p in family.parameters}
    offset = {p.name: 0.1 * rng.normal(size=N) for p in family.parameters}
    weights = rng.integers(1, 4, N).astype(float)
    return {"y": y, "X": matrices, "truncation": window, "offset": offset, "weights": weights}


def check(problem, x: np.ndarray) -> None:
    """Central differences of the value give the gradient, of the gradient the Hessian."""
    value, gradient, hessian = problem.evaluate(x)
    assert np.isfinite(value)
    step = 1e-5
    for i in range(len(x)):
        at = np.zeros_like(x)
        at[i] = step
        up, down = problem.evaluate(x + at), problem.evaluate(x - at)
        # rounding of the value / step, and step^2 times the third derivative
        scale = 1.0 + abs(value)
        assert gradient[i] == pytest.approx((up[0] - down[0]) / (2 * step), abs=1e-9 * scale / step * 1e-2)
        column = hessian(at / step) if callable(hessian) else hessian[:, i]
        expected = (up[1] - down[1]) / (2 * step)
        np.testing.assert_allclose(column, expected, rtol=1e-6, atol=1e-7 * np.abs(expected).max() + 1e-7)


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("large", [False, True], ids=["matrix", "operator"])
def test_scalar_families(name, large, monkeypatch):
    rng = np.random.default_rng(7)
    call = settings(name, rng)
    r = nl.fit(name, call.pop("y"), call.pop("X"), intercept=True, l2=0.3, max_iter=1, **call)
    if large:
        monkeypatch.setattr(problems, "DENSE", 0)
    monkeypatch.setattr(problems, "_BLOCK", 1)  # blocks of 256 rows at least; here one
    problem = r.training.model.problem
    check(problem, r.training.model.start + 0.1 * rng.normal(size=problem.size))


@pytest.mark.parametrize("name", FAMILIES)
def test_blocks_add_up(name, monkeypatch):
    """Cutting the rows into blocks changes nothing but rounding."""
    rng = np.random.default_rng(8)
    family = nl.family(name)
    theta = parameters(name, 0.7, 1.6)
    y = family.sample(*theta, size=2000, rng=rng)
    whole = nl.fit(name, y, rng.normal(size=(2000, 2)), intercept=True, weights=rng.integers(1, 3, 2000))
    problem, x = whole.training.model.problem, whole.training.x
    before = problem.evaluate(x)
    monkeypatch.setattr(problems, "_BLOCK", 1)
    assert len(list(problem.parts(1))) == 8
    after = problem.evaluate(x)
    assert after[0] == pytest.approx(before[0], rel=1e-13)
    np.testing.assert_allclose(after[1], before[1], atol=1e-9)
    np.testing.assert_allclose(after[2], before[2], rtol=1e-11, atol=1e-9)
    assert problem.nll(x) == whole.nll  # the exact sum does not even round differently


@pytest.mark.parametrize("l2", [0.0, 0.7])
@pytest.mark.parametrize("large", [False, True], ids=["matrix", "operator"])
def test_softmax(l2, large, monkeypatch):
    rng = np.random.default_rng(9)
    x, y = rng.normal(size=(50, 3)), rng.integers(0, 4, 50)
    offset, weights = rng.normal(size=(50, 4)), rng.random(50)
    r = nl.fit("categorical", y, x, intercept=True, l2=l2, offset=offset, weights=weights, max_iter=1)
    if large:
        monkeypatch.setattr(problems, "DENSE", 0)
    problem = r.training.model.problem
    check(problem, rng.normal(size=problem.size))


@pytest.mark.parametrize("name", FAMILIES)
def test_large_problems_end_at_the_same_place(name, monkeypatch):
    """Newton by conjugate gradients finds what Newton by factorisation finds."""
    rng = np.random.default_rng(10)
    family = nl.family(name)
    theta = parameters(name, 0.7, 1.6)
    y, x = family.sample(*theta, size=300, rng=rng), rng.normal(size=(300, 3)) * [1, 10, 0.1]
    dense = nl.fit(name, y, x, intercept=True)
    monkeypatch.setattr(problems, "DENSE", 0)
    large = nl.fit(name, y, x, intercept=True)
    assert large.ok, large.message
    np.testing.assert_allclose(large.values, dense.values, rtol=1e-7, atol=1e-9)
    assert large.nll == pytest.approx(dense.nll, rel=1e-14)
    assert np.isnan(list(large.stderr.values())).all()
    assert "standard errors are left out" in large.message
