"""Which ways of searching are tried until a maximum is verified."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from neglog.estimation import optimise, verify
from neglog.estimation.assemble import Model
from neglog.estimation.data import Sample
from neglog.estimation.optimise import Point, Search
from neglog.estimation.problem import Hessian, Problem
from neglog.estimation.tables import Floats
from neglog.estimation.verify import Verdict

_VERIFIED = ("ok", "rank_deficient")
_FOUND = (*_VERIFIED, "edge")
_TURNS = 8  # of the curve and its errors: each shrinks them to what the last curve left
_FALLEN = 45.0  # logarithms of a scale: nothing is left of the errors, as where a curve goes through all points


def search(family: Any, model: Model, sample: Sample, max_iter: int) -> tuple[Search, Verdict]:
    """The search that was verified, or else the one that came lowest.

    A family knows where to begin and in which units. A likelihood that the user wrote does not, and may have curved
    valleys: where one way leads nowhere, others are tried.
    """
    problem = model.problem
    if not family.written:
        found = optimise.minimise(problem.evaluate, model.start, problem.travel, problem.rounding, max_iter)
        return found, verify.judge(family, problem, model.layout, found, sample)
    rows = float(problem.rows.rows if problem.weight is None else problem.weight.sum())
    tried: list[tuple[Search, Verdict]] = []
    ways = [(0, "start"), (_TURNS, "start"), (_TURNS, "largest"), (_TURNS, "here")]
    for turns, measure in ways if problem.scales else [ways[0], *ways[2:]]:
        found = _in_turn_and_together(problem, model.start, max_iter, turns, {"measure": measure, "rows": rows})
        tried.append((found, verify.judge(family, problem, model.layout, found, sample)))
        if tried[-1][1].status not in _FOUND:
            tried += _from_corners(family, model, sample, found, max_iter)
        if tried[-1][1].status in _FOUND:
            return tried[-1]
    return min(tried, key=lambda pair: pair[0].end.value)


def restarted(
    first: tuple[Search, Verdict], family: Any, model: Model, sample: Sample, max_iter: int, count: int
) -> tuple[Search, Verdict]:
    """The best of ``first`` and ``count`` searches from around its start, with a word on how many agree."""
    rng = np.random.default_rng(0)
    found = [first]
    for _ in range(count):
        moved = dataclasses.replace(model, start=model.start + rng.normal(size=len(model.start)))
        if np.isfinite(model.problem.nll_rows(moved.start)).all():
            found.append(search(family, moved, sample, max_iter))
    verified = [pair for pair in found if pair[1].status in _VERIFIED] or found
    best = min(verified, key=lambda pair: pair[0].end.value)
    low = best[0].end.value
    same = sum(pair[0].end.value - low < 1e-6 * (1 + abs(low)) for pair in verified)
    word = f"; {same} of {len(found)} searches from different places came here"
    return best[0], dataclasses.replace(best[1], message=best[1].message + word)


def _in_turn_and_together(problem: Problem, x: Floats, max_iter: int, turns: int, way: dict[str, Any]) -> Search:
    """First all but the scales while these are held, and the scales, in turn; then everything.

    The errors of a curve fall by orders of magnitude on the way to its best fit. Together with their scale the curve
    is fitted by the logarithm of its sum of squares, which is not even convex where that sum is quadratic; while the
    scale is held, by the sum itself.
    """
    first, spent = Point(x, *problem.evaluate(x)), 0
    others = np.setdiff1d(np.arange(len(x)), problem.scales)
    if problem.scales and len(others) and problem.dense:
        for _ in range(turns):
            found = _held(problem, x, others, max_iter - spent, way)
            spent += found.iterations
            there = _placed(x, others, found.end.x)
            x = optimise.following(problem.evaluate, Point(there, *problem.evaluate(there)), problem.scales, 20).x
            if np.abs(x - there).max() < 0.1 or spent >= max_iter or problem.travel(x - first.x)[1] > _FALLEN:
                break
    last = optimise.minimise(
        problem.evaluate, x, problem.travel, problem.rounding, max_iter, scales=problem.scales, **way
    )
    return dataclasses.replace(last, start=first, iterations=spent + last.iterations)


def _from_corners(
    family: Any, model: Model, sample: Sample, first: Search, max_iter: int
) -> list[tuple[Search, Verdict]]:
    """Where a search hangs at a corner, the coordinates without one may not have arrived: they go on alone."""
    problem, here = model.problem, first.end
    others = np.setdiff1d(np.arange(len(here.x)), verify.corners(problem, here))
    if not problem.dense or not 0 < len(others) < len(here.x):
        return []
    found = _held(problem, here.x, others, max_iter, {})
    x = _placed(here.x, others, found.end.x)
    step = _placed(np.zeros_like(x), others, found.step)
    spent = first.iterations + found.iterations
    last = dataclasses.replace(
        found, start=first.start, end=Point(x, *problem.evaluate(x)), step=step, iterations=spent, decrement=np.inf
    )
    return [(last, verify.judge(family, problem, model.layout, last, sample))]


def _held(problem: Problem, x: Floats, others: Any, max_iter: int, way: dict[str, Any]) -> Search:
    """Minimise in the coordinates ``others`` alone."""

    def function(part: Floats) -> tuple[float, Floats, Hessian]:
        value, gradient, hessian = problem.evaluate(_placed(x, others, part))
        assert not callable(hessian)
        return value, gradient[others], hessian[np.ix_(others, others)]

    def travel(step: Floats) -> tuple[float, float]:
        return problem.travel(_placed(np.zeros_like(x), others, step))

    def rounding(part: Floats) -> float:
        return problem.rounding(_placed(x, others, part))

    return optimise.minimise(function, x[others], travel, rounding, max_iter, **way)


def _placed(x: Floats, others: Any, part: Floats) -> Floats:
    whole = x.copy()
    whole[others] = part
    return whole
