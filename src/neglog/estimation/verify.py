"""What a search found is worth: verified, or in words which parameter went where and what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np

from neglog.core.observations import Observations
from neglog.estimation.data import Sample
from neglog.estimation.inference import inverse
from neglog.estimation.layout import Layout
from neglog.estimation.optimise import Point, Search
from neglog.estimation.problem import Hessian, Problem
from neglog.estimation.tables import Floats, listed
from neglog.estimation.terms import Constant

STATUS = {
    "ok": "verified: the gradient is zero up to rounding, the information matrix is positive definite, "
    "and all parameters are inside their domains",
    "unbounded": "the likelihood grows without limit",
    "boundary": "the likelihood has no maximum inside the domain; it rises towards the boundary",
    "separated": "the likelihood has no maximum; it rises for ever along a direction of the covariates",
    "edge": "the likelihood is largest at a corner or where it ends, so that neither slope nor curvature tell how far "
    "the estimates are from the truth",
    "flat": "the likelihood does not change along a direction, so the data cannot tell the estimates",
    "rank_deficient": "some columns are linear combinations of others",
    "max_iterations": "the search was stopped before it arrived",
    "stalled": "the search could not improve the likelihood, but where it stands is no verified maximum",
}

_OWN = "fn lacks its minus sign, or a term that holds a parameter, such as log(sigma)"

_DENSEST = 1e6  # nats that a row may gain; the logarithm of the largest number is 709
_FLAT = 1e-13  # smallest eigenvalue of the information matrix with unit diagonal that double precision can trust
_LOST = 100.0  # standard error, in units of log or logit, at which an estimate means nothing
_LOST_DATA = 1e6  # the same in units of the data's own spread
_SAMPLED = 30  # coordinates around which slopes are sampled; of more, too few samples would say too little
_NEAR = 1e-4  # distance to the optimum, in standard errors, that counts as having arrived


@dataclass(frozen=True)
class Verdict:
    """``status`` is a key of ``STATUS``; ``message`` says it in words for this fit."""

    status: str
    message: str


def judge(family: Any, problem: Problem, layout: Layout, search: Search, sample: Sample) -> Verdict:
    """Verify the end of a search, or find out why it is no maximum."""
    verdict = _judge(family, problem, layout, search, sample)
    fell = search.end.value < -_DENSEST * problem.rows.rows  # to where no density of data goes
    if family.written and (verdict.status in ("unbounded", "boundary") or fell):
        return Verdict(verdict.status, f"{verdict.message}. Or {_OWN}")
    return verdict


def _judge(family: Any, problem: Problem, layout: Layout, search: Search, sample: Sample) -> Verdict:
    if not problem.size:
        return Verdict("ok", "nothing was estimated: every parameter is fixed")
    if not np.isfinite(search.end.value):
        return Verdict("stalled", f"{STATUS['stalled']}: its derivatives are not finite. Pass start= with other values")
    arrived = search.stop == "converged" and search.decrement <= _NEAR**2
    weakest, direction = _weakest(search.end.hessian, problem.size)
    if arrived and weakest > _FLAT and _informed(family, problem, layout, search.end.hessian):
        bent = _bent_otherwise(problem, layout, search) if family.written else ""
        if bent:
            return Verdict("edge", f"{STATUS['edge']}: {bent}")
        if layout.mask("aliased").any():
            return Verdict("rank_deficient", _rank_message(layout))
        return Verdict("ok", STATUS["ok"])
    if not family.smooth:
        away = _runaway(family, problem, layout, search, sample)
        return away if away is not None and away.status == "unbounded" else _edge(problem, layout, search)
    flat = weakest <= _FLAT and _is_flat(problem, search, direction)
    fell = search.start.value - search.end.value > 1e-6 * (1.0 + abs(search.end.value))
    if flat and (search.stop == "converged" or not fell or (family.written and _was_flat(problem, search, direction))):
        return _flat(layout, direction, family, sample)
    if family.written and _is_corner(problem, search.end):
        return _edge(problem, layout, search)
    away = _runaway(family, problem, layout, search, sample)
    if away is not None:
        return away
    return _flat(layout, direction, family, sample) if flat else _unfinished(search, layout)


def _edge(problem: Problem, layout: Layout, search: Search) -> Verdict:
    """Whether the likelihood falls in every direction from a point where its slope is not zero."""
    here = search.end.value
    slope = search.end.gradient / max(float(np.abs(search.end.gradient).max(initial=0.0)), 1e-300)
    worst, steep = here, np.zeros(problem.size)
    for direction in [*np.eye(problem.size), slope]:
        for length in (-1e-2, -1e-3, -1e-4, 1e-4, 1e-3, 1e-2):
            value = problem.evaluate(search.end.x + length * direction)[0]
            worst = min(worst, value)
            if value == np.inf:
                steep = steep + np.sign(length) * direction
    if worst < here - 1e-9 * (1.0 + abs(here)):
        return _unfinished(search, layout)
    advice = "Resample the rows to see how far they vary"
    if steep.any():
        advice = (
            f"The support ends at the data as {_directed(layout, steep)}. Fix that parameter at its estimate "
            "(fixed=...) for standard errors of the others"
        )
    return Verdict("edge", f"{STATUS['edge']}. {advice}")


def corners(problem: Problem, end: Point) -> list[int]:
    """The coordinates along which the likelihood has a corner at its top."""
    return [i for i, axis in enumerate(np.eye(problem.size)) if _shape(problem, end, axis) == "corner"]


def _is_corner(problem: Problem, end: Point) -> bool:
    """Whether the likelihood is largest at a corner: slopes around it do not die out, and some mixture of them is 0.

    For a convex function that is where its subgradients hold 0 (Burke, Lewis and Overton, SIAM Journal on Optimization
    15 (2005) 751-779, sample them in the same way). Of a fall there may be no sign along the axes: it can run along a
    crease.
    """
    if not problem.dense or problem.size > _SAMPLED:
        return False
    rng = np.random.default_rng(0)
    axes, others = np.eye(problem.size), rng.normal(size=(2 * problem.size + 8, problem.size))
    ways = np.vstack([axes, -axes, others / np.linalg.norm(others, axis=1, keepdims=True)])
    slopes: list[Floats] = []
    for radius in (1e-5, 1e-4):
        there = [problem.evaluate(end.x + radius * way) for way in ways]
        if min(value for value, _, _ in there) < end.value - 1e-9 * (1.0 + abs(end.value)):
            return False
        slopes.append(np.stack([gradient for _, gradient, _ in there]))
    near, far = (float(np.linalg.norm(each, axis=1).max()) for each in slopes)
    if not near > 0.3 * far:
        return False  # of a smooth top, a tenth of the distance leaves a tenth of the slope
    return _least_mixture(slopes[1] / far) < 1e-2


def _least_mixture(slopes: Floats) -> float:
    """The length of the shortest mean of the rows with any weights."""
    from scipy.optimize import nnls

    table, target = np.vstack([slopes.T, np.ones(len(slopes))]), np.zeros(slopes.shape[1] + 1)
    target[-1] = 1.0
    weights = np.asarray(nnls(table, target)[0])
    return float(np.linalg.norm(weights @ slopes) / weights.sum())


def _shape(problem: Problem, end: Point, direction: Floats) -> Literal["slope", "top", "corner"]:
    """Of the likelihood along ``direction``; automatic differentiation sees no corner.

    Ten times the distance from a smooth top costs a hundred times as much, from a corner ten times.
    """
    visible = 1e-9 * (1.0 + abs(end.value))
    near, far = (
        [problem.value(end.x + sign * length * direction) - end.value for sign in (-1.0, 1.0)]
        for length in (1e-4, 1e-3)
    )
    if min(*near, *far) < -visible:
        return "slope"
    return "corner" if sum(near) > max(visible, sum(far) / 30) else "top"


def _bent_otherwise(problem: Problem, layout: Layout, search: Search) -> str:
    """In words, where the likelihood is not what its second derivatives say; empty if it is everywhere.

    They come from automatic differentiation, which sees no jump, and nothing of what was detached.
    """
    hessian, here = search.end.hessian, search.end.value
    if callable(hessian):
        return ""
    noise = 1e-9 * (1.0 + abs(here))
    for i, curve in enumerate(np.diag(hessian)):
        step = np.zeros(problem.size)
        step[i] = min(0.1 * curve**-0.5, 1e-2)  # within a tenth of a standard error every smooth top is a parabola
        expected = 0.5 * curve * step[i] ** 2
        for sign in (-1.0, 1.0):
            found = problem.value(search.end.x + sign * step) - here
            if not 0.4 * expected - noise <= found <= 2.5 * expected + noise:
                return (
                    f"where {_directed(layout, sign * step)} by {step[i] * curve**0.5:.2g} standard errors, the NLL "
                    f"changes by {found:.3g}, and by {expected:.3g} according to the second derivatives. Either the "
                    "function jumps, or something in it is detached"
                )
    return ""


def _informed(family: Any, problem: Problem, layout: Layout, hessian: Hessian) -> bool:
    """Whether every row's predictors are known better than to 100 units.

    Where the likelihood died out, none is.
    """
    if callable(hessian) or problem.penalty.any():  # a prior may be as wide as it likes
        return True
    known = inverse(hessian)
    if known is None:
        return False
    if family.discrete:
        return bool((problem.spread(known) <= _LOST).all())
    if family.event_ndim:
        return bool((problem.spread(known) <= _LOST_DATA).all())
    limit = [_LOST_DATA if parameter.link.name == "identity" else _LOST for parameter in family.parameters]
    return bool((problem.spread(known) <= limit).all())


def _weakest(hessian: Hessian, size: int) -> tuple[float, Floats]:
    """Smallest eigenvalue of the Hessian with unit diagonal, and its direction."""
    if callable(hessian):
        return _weakest_of_operator(hessian, size)
    if not np.isfinite(hessian).all():
        return -np.inf, np.zeros(size)
    diagonal = np.abs(np.diag(hessian))
    scale = np.where(diagonal > 0, diagonal, 1.0) ** -0.5
    values, vectors = np.linalg.eigh(hessian * scale * scale[:, None])
    direction = vectors[:, 0] * scale
    smallest = float(values[0]) if (diagonal > 0).all() else min(float(values[0]), 0.0)
    return smallest, direction / max(float(np.abs(direction).max()), 1e-300)


def _weakest_of_operator(product: Callable[[Floats], Floats], size: int) -> tuple[float, Floats]:
    """As :func:`_weakest`, relative to the largest eigenvalue, as far as a hundred Lanczos restarts can tell.

    The internal columns have unit size, so the diagonal needs no scaling.
    """
    import scipy.sparse.linalg

    linalg = cast(Any, scipy.sparse.linalg)
    kind = {"shape": (size, size), "dtype": np.float64}
    top = float(linalg.eigsh(linalg.LinearOperator(matvec=product, **kind), 1, tol=1e-2, return_eigenvectors=False)[0])

    def flipped(v: Floats) -> Floats:
        return top * v - product(v)

    try:
        values, vectors = linalg.eigsh(linalg.LinearOperator(matvec=flipped, **kind), 1, tol=1e-6, maxiter=100)
    except linalg.ArpackNoConvergence:  # a cluster of small eigenvalues, none of which stands out
        return np.inf, np.zeros(size)
    return 1.0 - float(values[0]) / top, vectors[:, 0] / np.abs(vectors).max()


def _is_flat(problem: Problem, search: Search, direction: Floats) -> bool:
    """Whether a tenth of a unit along ``direction`` either way changes nothing that can be seen."""
    here = search.end.value
    change = [abs(problem.evaluate(search.end.x + sign * direction)[0] - here) for sign in (-0.1, 0.1)]
    return max(change) <= 1e-9 * (1.0 + abs(here))


def _was_flat(problem: Problem, search: Search, direction: Floats) -> bool:
    """Whether nothing would change if the search had not moved along ``direction``."""
    moved = search.end.x - search.start.x
    along = (moved @ direction) / (direction @ direction) * direction
    return abs(problem.value(search.end.x - along) - search.end.value) <= 1e-9 * (1.0 + abs(search.end.value))


def _flat(layout: Layout, direction: Floats, family: Any, sample: Sample) -> Verdict:
    message = f"{STATUS['flat']}: {_directed(layout, direction, signs=False)}. {_cause(family, sample)}"
    return Verdict("flat", f"{message}Fix one of them (fixed=...), add l2=, or add rows that tell them apart")


def _runaway(family: Any, problem: Problem, layout: Layout, search: Search, sample: Sample) -> Verdict | None:
    """Follow the path of the search further and see what the likelihood does there."""
    moved = search.end.x - search.start.x
    way = search.step if search.stop == "drifting" else moved
    length = float(np.abs(way).max(initial=0.0))
    if length == 0 or (search.stop == "max_iterations" and length < 15):
        return None
    way = way / length
    values = [search.end.value, *(problem.evaluate(search.end.x + t * way)[0] for t in (1.0, 2.0))]
    back = problem.evaluate(search.end.x - way)[0]
    falls = [back - values[0], values[0] - values[1], values[1] - values[2]]
    path = _directed(layout, way)
    total = float(problem.rows.rows if problem.weight is None else problem.weight.sum())
    rises = family.written and falls[1] < 0  # however far it came: curves have valleys, families slopes
    far = not np.isfinite(falls[1]) or (length > 20 and not rises)
    steady = falls[0] > 1e-6 * total and (falls[1] > 0.3 * falls[0] or far)
    dense = not family.discrete and (not isinstance(sample.y, Observations) or bool(sample.y.exact.any()))
    if dense and steady and search.stop != "drifting":  # a probability is at most 1; only a density is unbounded
        return Verdict(
            "unbounded",
            f"{STATUS['unbounded']} as {path}. {_cause(family, sample)}"
            "Use a family that suits the data, record the rounding of the values as intervals (nl.interval), "
            "or fix the parameter",
        )
    turned = family.written and -falls[1] > 1e-9 * (1.0 + abs(search.end.value))  # a way out goes on
    if not turned and (search.stop in ("drifting", "far") or (length > 10 and falls[0] >= 0)):
        if _has_covariates(layout, way):
            return Verdict(
                "separated",
                f"{STATUS['separated']}: {path}. {_cause(family, sample, separated=True)}"
                "Add l2= (a prior), drop or merge the columns, or fix the coefficients",
            )
        return Verdict(
            "boundary",
            f"{STATUS['boundary']}: {path}. {_cause(family, sample)}Add rows, or fix the parameter",
        )
    return None


def _unfinished(search: Search, layout: Layout) -> Verdict:
    status = "max_iterations" if search.stop == "max_iterations" else "stalled"
    worst = int(np.argmax(np.abs(search.end.gradient)))
    name = _names(layout)[worst]
    advice = "raise max_iter" if status == "max_iterations" else "try other start values or other units"
    return Verdict(
        status,
        f"{STATUS[status]} (after {search.iterations} iterations; the largest slope left is that of {name}): "
        f"{advice}, or simplify the model",
    )


def _names(layout: Layout) -> list[str]:
    """A name for every entry of the optimised vector; an entry of a contrast goes by its first slot."""
    names: list[str] = []
    for e, mask in enumerate(layout.estimated):
        slot = layout.slots[int(np.flatnonzero(layout.contrast[:, e])[0])]
        names += [slot.names[i] for i in np.flatnonzero(mask)]
    return names


def _directed(layout: Layout, direction: Floats, signs: bool = True) -> str:
    """``scale falls, shape grows`` for the leading entries of a direction, in the caller's coefficients.

    They are weighed by the sizes of their columns, and reported in the order of the model where they weigh
    the same.
    """
    moved = layout.jacobian @ direction * layout.sizes
    weight = np.round(np.abs(moved) / max(float(np.abs(moved).max()), 1e-300), 6)
    order = [i for i in np.argsort(-weight, kind="stable") if weight[i] >= 0.2][:4]
    if not signs:
        return listed([layout.names[i] for i in order])
    return listed([f"{layout.names[i]} {'grows' if moved[i] > 0 else 'falls'}" for i in order])


def _has_covariates(layout: Layout, direction: Floats) -> bool:
    """Whether a leading entry of the direction belongs to a column that is no intercept."""
    found = False
    for e, (mask, span) in enumerate(zip(layout.estimated, layout.spans, strict=True)):
        slot = layout.slots[int(np.flatnonzero(layout.contrast[:, e])[0])]
        if isinstance(slot.term, Constant):
            continue
        slopes = np.array([i != slot.term.intercept for i in np.flatnonzero(mask)])
        found |= bool((np.abs(direction[span][slopes]) >= 0.05).any())
    return found


def _cause(family: Any, sample: Sample, separated: bool = False) -> str:
    """A property of the data that explains it, as a sentence; empty if none is found."""
    y = sample.y
    if isinstance(y, Observations):
        low = family.support.low
        if (((y.lower < low) if family.discrete else (y.lower <= low)) & np.isposinf(y.upper)).all():
            return "No row carries information: each says only that there was a value. "
        if not y.exact.any():
            sides = {1: "right-censored", 2: "left-censored", 3: "interval-censored"}
            kinds = sorted({sides[int(kind)] for kind in np.unique(y.kind)})
            return f"No row is exact: all {len(y)} are {' or '.join(kinds)}. "
        y = y.lower[y.exact]
    if len(y) and not family.event_ndim and (y == y[0]).all():
        return f"All {len(y)} exact values are {y[0]:g}. " if len(y) > 1 else "There is only one exact value. "
    if separated and family.discrete:
        return "Some outcomes are predicted perfectly by these columns. "
    return ""


def _rank_message(layout: Layout) -> str:
    names = [name for name, gone in zip(layout.names, layout.mask("aliased"), strict=True) if gone]
    return (
        f"{STATUS['rank_deficient']}: {listed(names)} {'is' if len(names) == 1 else 'are'} held at 0, "
        "without standard errors; the likelihood is at its maximum and predictions hold. "
        "Drop the columns, or add l2="
    )
