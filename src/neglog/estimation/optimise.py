"""Trust-region Newton on a function that gives value, gradient and Hessian; dense, or by Hessian products.

The coordinates are dimensionless (see :mod:`neglog.estimation.design`), so step lengths and limits have a
meaning: a step of 1 is one unit of log scale, of logit, or one standard deviation. The search does not judge
its result; it says why it stopped and :mod:`neglog.estimation.verify` decides what that is worth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from neglog.estimation.problem import Hessian
from neglog.estimation.tables import Floats

_FAR = 60.0  # on a log scale: no data have a parameter that differs by e^60 from where it started
_EPS = float(np.finfo(np.float64).eps)

Function = Callable[[Floats], tuple[float, Floats, Hessian]]


@dataclass(frozen=True, eq=False)
class Point:
    """A place and what is known there."""

    x: Floats
    value: float
    gradient: Floats
    hessian: Hessian


@dataclass(frozen=True, eq=False)
class Search:
    """Where the search ended and why.

    ``stop``: ``converged`` the steps have died out; ``drifting`` the value has stopped falling while the
    steps have not; ``far`` a parameter left all bounds; ``stalled`` no step is accepted; ``max_iterations``.
    """

    start: Point
    end: Point
    step: Floats  # the last Newton step that was tried
    decrement: float  # g @ inv(H) @ g at the end: the squared distance to the optimum in standard errors
    iterations: int
    stop: str
    values: list[float] = field(default_factory=list[float])


def minimise(
    function: Function,
    x: Floats,
    travel: Callable[[Floats], tuple[float, float]],
    rounding: Callable[[Floats], float],
    max_iter: int,
    scales: Sequence[int] = (),
    measure: str = "start",
    rows: float = 1.0,
) -> Search:
    """Minimise from ``x``.

    ``travel(step)``: how far it moves the linear predictor of some row, and one that is a logarithm; columns
    may be dependent, so that coordinates do not tell. ``rounding(x)``: a bound on the error of the value
    there, asked for when a Newton step goes uphill. ``scales``: coordinates that follow every trial step on their own,
    see :func:`following`. ``measure``: the unit of a coordinate in the trust region is what one of ``rows`` tells at
    the start, at most anywhere on the way (``"largest"``), or where the search is (``"here"``).
    """
    here = start = Point(x, *function(x))
    radius, values, last, quiet = 2.0 * max(len(x), 1) ** 0.5, [start.value], np.zeros_like(x), 0
    decrement, stop, iteration, floor = np.inf, "max_iterations", 0, 0.0
    unit = np.ones(len(x))
    for iteration in range(1, max_iter + 1):
        unit = _unit(unit, here.hessian, measure, rows)
        step, newton = _scaled_step(here, radius, unit)
        length = _norm(step / unit)
        predicted = -float(here.gradient @ step + 0.5 * step @ apply(here.hessian, step))
        if newton:
            decrement, last = 2.0 * max(predicted, 0.0), step
        there_x = here.x + step
        if (there_x == here.x).all() or predicted <= 0.0:
            stop = "converged" if newton else "stalled"
            break
        there = following(function, Point(there_x, *function(there_x)), scales)
        noise = max(8 * _EPS * (abs(here.value) + 1.0), floor)
        gain = here.value - there.value if np.isfinite(there.value) else -np.inf
        if newton and not floor and predicted < 1e-2 and gain < 1e-4 * predicted - noise:
            floor = rounding(here.x)
            noise = max(noise, floor)
        if predicted <= noise:  # the value cannot tell any more; the gradient still can
            quiet += 1
            if gain < -4 * noise or not _norm(there.gradient) < _norm(here.gradient):
                stop, last = "converged" if newton else "drifting", step
                break
            here = there
            if quiet == 8:  # quadratic convergence needs two or three; beyond, rounding moves it or there is no end
                stop, last = "converged" if newton and travel(step)[0] < 1e-3 else "drifting", step
                break
            continue
        if gain >= 1e-4 * predicted - noise:
            here = there
            values.append(here.value)
            if gain > 0.75 * predicted and not newton:
                radius = max(radius, 2 * length)
        else:
            radius = 0.25 * length
        if travel(here.x - start.x)[1] > _FAR:
            stop = "far"
            break
        if iteration >= 8 and _still(values) and travel(step)[0] > 0.2:
            stop, last = "drifting", step
            break
    return Search(start, here, last, decrement, iteration, stop, values)


def following(function: Function, there: Point, scales: Sequence[int], most: int = 4) -> Point:
    """Move logarithms of scales, each by itself, to where the rows want them; ``most`` steps of at most one."""
    for _ in range(most * bool(scales)):
        if not np.isfinite(there.value) or callable(there.hessian):
            break
        x = there.x.copy()
        for i in scales:
            slope, curve = float(there.gradient[i]), float(there.hessian[i, i])
            x[i] -= float(np.clip(slope / curve if curve > 0 else np.sign(slope), -1.0, 1.0))
        if np.abs(x - there.x).max() < 1e-2:
            break
        moved = Point(x, *function(x))
        if not moved.value < there.value:
            break
        there = moved
    return there


def _unit(before: Floats, hessian: Hessian, measure: str, rows: float) -> Floats:
    """Per coordinate what counts as one step (Moré, The Levenberg-Marquardt algorithm, 1978, section 6)."""
    if measure == "start" or callable(hessian):
        return before
    curvature = np.abs(np.diag(hessian)) / rows
    here = np.where(curvature > 0, curvature, 1.0) ** -0.5
    return np.minimum(before, here) if measure == "largest" else here


def _scaled_step(here: Point, radius: float, unit: Floats) -> tuple[Floats, bool]:
    """:func:`trust_step` in the coordinates ``x / unit``."""
    if callable(here.hessian) or (unit == 1.0).all():
        return trust_step(here.hessian, here.gradient, radius)
    step, newton = trust_step(here.hessian * unit * unit[:, None], here.gradient * unit, radius)
    return step * unit, newton


def _still(values: list[float]) -> bool:
    """Three steps gained a millionth of a nat together. If rows' predictors move all the same, they drift.

    A row that tells anything would notice: along a direction without a maximum the gain dies out, the steps
    do not.
    """
    return len(values) >= 4 and values[-4] - values[-1] < 1e-6 + 1e-12 * abs(values[-1])


def apply(hessian: Hessian, v: Floats) -> Floats:
    """Hessian times vector, whichever form it has."""
    return hessian(v) if callable(hessian) else hessian @ v


def trust_step(hessian: Hessian, gradient: Floats, radius: float) -> tuple[Floats, bool]:
    """The minimiser of the quadratic model within ``radius``, and whether it is the full Newton step."""
    if callable(hessian):
        return _conjugate_gradients(hessian, gradient, radius)
    from scipy.linalg import LinAlgError, cho_factor, cho_solve

    try:
        step = -np.asarray(cho_solve(cho_factor(hessian, lower=True, check_finite=False), gradient, check_finite=False))
        if _norm(step) <= radius:
            return step, True
    except LinAlgError:
        pass
    return _eigen_step(hessian, gradient, radius), False


def _eigen_step(hessian: Floats, gradient: Floats, radius: float) -> Floats:
    """Exact solution on the boundary of the trust region (Nocedal & Wright, 2006, section 4.3)."""
    values, vectors = np.linalg.eigh(hessian)
    g = vectors.T @ gradient
    floor = max(0.0, -float(values[0])) + 1e-14 * max(1.0, float(np.abs(values).max()))

    def length(shift: float) -> float:
        return _norm(g / (values + shift))

    if length(floor) <= radius:  # hard case: the gradient is blind to the direction of least curvature; add it
        step = -(g / (values + floor))
        step[0] += np.copysign(np.sqrt(max(radius**2 - _norm(step) ** 2, 0.0)), -g[0] if g[0] else 1.0)
        return vectors @ step
    low, high = floor, floor + _norm(g) / radius
    for _ in range(100):  # bisection in the logarithm of the excess: robust, and cheap beside eigh
        middle = (
            floor + np.sqrt(max(low - floor, 1e-300 * high) * (high - floor)) if low > floor else 0.5 * (low + high)
        )
        low, high = (middle, high) if length(middle) > radius else (low, middle)
        if high - low <= 1e-6 * high:
            break
    return vectors @ -(g / (values + high))


def _conjugate_gradients(product: Callable[[Floats], Floats], gradient: Floats, radius: float) -> tuple[Floats, bool]:
    """Steihaug's truncated conjugate gradients.

    The tolerance shrinks with the gradient, so convergence is fast.
    """
    step, residual = np.zeros_like(gradient), -gradient
    direction, square = residual.copy(), float(residual @ residual)
    accuracy = min(0.1, square**0.25)  # of the linear system: rough at first, superlinear in the end
    target = max(accuracy, 1e-4) ** 2 * square
    for _ in range(10 * len(gradient)):
        if square <= target:
            break
        bent = product(direction)
        curve = float(direction @ bent)
        length = square / curve if curve > 0 else np.inf
        if curve <= 0 or _norm(step + length * direction) > radius:
            a, b, c = float(direction @ direction), float(step @ direction), float(step @ step) - radius**2
            return step + (-b + np.sqrt(b * b - a * c)) / a * direction, False
        step = step + length * direction
        residual = residual - length * bent
        square, before = float(residual @ residual), square
        direction = residual + square / before * direction
    return step, True


def _norm(v: Floats) -> float:
    return float(np.sqrt(v @ v))
