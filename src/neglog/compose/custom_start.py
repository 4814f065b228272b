"""Where a fit of a user's likelihood begins: what was given, and a coarse search for the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neglog.core.observations import Observations
from neglog.families.base import Array

if TYPE_CHECKING:
    from neglog.compose.custom import Custom

_ROWS = 2000  # of more, every so-manieth: the start need not be the maximum
_SWEEPS = 3
_STEPS = np.concatenate([-(2.0 ** np.arange(6, -3, -1)), [0.0], 2.0 ** np.arange(-2, 7)])  # on the link scale


def coarse_start(
    family: Custom, y: Any, weight: Array | None, known: dict[int, Array], given: dict[str, float]
) -> tuple[float, ...]:
    """A value for every parameter; those that are not ``given`` go, one after the other, where the rows like it best.

    ``known``: columns of data by position. Without some of them nothing can be evaluated, and defaults stand.
    """
    rows = y if isinstance(y, Observations) else Observations(np.asarray(y), np.asarray(y))
    middle, spread = _centre(rows)
    theta: list[Any] = []
    for p, parameter in enumerate(family.parameters):
        if parameter.column:
            theta.append(known.get(p, np.zeros(1)))
        else:
            theta.append(given.get(parameter.name, float(parameter.link.inverse(0.0))))
    free = [p for p, parameter in enumerate(family.parameters) if not parameter.column and parameter.name not in given]
    free = [p for p in free if p not in known]
    needed = [p for p, parameter in enumerate(family.parameters) if parameter.column]
    if free and all(p in known for p in needed):
        _search(family, rows, weight, theta, free, middle, spread)
    return tuple(float(np.ravel(value)[0]) for value in theta)


def _search(
    family: Custom,
    rows: Observations,
    weight: Array | None,
    theta: list[Any],
    free: list[int],
    middle: float,
    spread: float,
) -> None:
    n = len(rows)
    some = np.arange(n) if n <= _ROWS else np.linspace(0, n - 1, _ROWS).astype(int)
    part = rows[some]
    y: Any = part.lower if part.exact.all() else part
    share = None if weight is None else np.broadcast_to(weight, n)[some]

    def cost(values: list[Any]) -> float:
        each = [value[some] if np.size(value) == n > 1 else value for value in values]
        with np.errstate(all="ignore"):
            nll = np.broadcast_to(family.nll(y, *each, check=False), len(some))
        total = float(nll.sum() if share is None else share @ nll)
        # many impossible rows are worse than few, so that a search from outside finds its way in
        return total if np.isfinite(total) else 1e300 * (1 + float((~np.isfinite(nll)).mean()))

    def digits(values: list[Any], p: int, found: float) -> float:
        """The worst of costs that should be equal: far out a formula may be nothing but rounding errors, some low."""
        near = [[*values[:p], values[p] * (1 + k * np.finfo(float).eps), *values[p + 1 :]] for k in (-9, -5, 3, 7)]
        return max(found, *map(cost, near))

    best = cost(theta)
    for _ in range(_SWEEPS):
        before = best
        for p in free:
            for value in _candidates(family.parameters[p], float(theta[p]), middle, spread):
                trial = [*theta[:p], value, *theta[p + 1 :]]
                if (found := cost(trial)) < best and digits(trial, p, found) < best:
                    best, theta[p] = found, value
        if best >= before:
            break


def _centre(rows: Observations) -> tuple[float, float]:
    ends = np.concatenate([rows.lower, rows.upper])
    ends = ends[np.isfinite(ends)]
    if not len(ends):
        return 0.0, 1.0
    spread = float(ends.std())
    return float(np.median(ends)), spread if spread > 0 else max(abs(float(ends[0])), 1.0)


def _candidates(parameter: Any, here: float, middle: float, spread: float) -> list[float]:
    link = parameter.link
    if link.name == "identity":
        places = {0.0, 1.0, -1.0, middle, *(middle + k * spread for k in (-2, -1, -0.5, 0.5, 1, 2))}
        return sorted({*places, *(here + spread * _STEPS[3:-3]).tolist(), *(here * 2.0 ** _STEPS[6:-6]).tolist()})
    if link.name == "log":
        found = [spread, abs(middle) or spread, *(here * np.exp(_STEPS[2:-2])).tolist()]
    else:  # from the middle of the domain, never to where its end is lost in rounding
        found = link.inverse(_STEPS[4:-4]).tolist()
    return [value for value in found if parameter.domain.contains(value)]
