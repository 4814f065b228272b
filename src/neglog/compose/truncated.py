"""Truncated(family, lower, upper)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neglog.compose.composition import Composition, number, scalar, state
from neglog.compose.jets import Floats, Jets, add, negative
from neglog.compose.window import log_window
from neglog.core.observations import Observations
from neglog.errors import InputError
from neglog.families import ScalarFamily, composition, kernel, spelled
from neglog.families.base import Array
from neglog.families.facts import Interval

_ROUNDS = 8  # of drawing from the family and keeping what falls into the window; then the quantile function


@composition("truncated")
@dataclass(frozen=True)
class Truncated(Composition):
    r"""A family given that its value falls in a window: :math:`-\log f(y) + \log P(l < Y \le u)`.

    Parameters
    ----------
    family : family or name
        With the same parameters as the result.
    lower, upper : float
        Ends of the window :math:`(l, u]`, in the unit of ``y``; infinite where there is none. Zero-truncated
        counts have ``lower = 0``. For windows that differ from row to row see ``truncation`` of
        :func:`neglog.fit`.

    Raises
    ------
    InputError
        If the window is empty, or holds nothing of the family's support.

    Notes
    -----
    The probability of the window is computed from the tail that is nearer, so that windows far out keep their
    digits; what is left is the rounding of its logarithm. Parameters under which the window has no probability at
    all give ``inf``. Mean, variance and Fisher information are integrals over the window.

    Examples
    --------
    >>> import neglog as nl
    >>> f = nl.Truncated("normal", 40.0)
    >>> float(f.nll(40.1, loc=0.0, scale=1.0))
    0.31549651945...
    >>> float(nl.Truncated("poisson", lower=0).mean(2.0))
    2.313035...
    """

    family: ScalarFamily
    lower: float = -math.inf
    upper: float = math.inf

    def __post_init__(self) -> None:
        inner = scalar("Truncated", self.family)
        ends = [float(self.lower), float(self.upper)]
        if inner.discrete:
            ends = [float(np.floor(end)) for end in ends]
        for key, value in zip(("family", "lower", "upper"), (inner, *ends), strict=True):
            object.__setattr__(self, key, value)
        state(
            self,
            [inner],
            name=f"truncated({spelled(inner)}, {number(ends[0])}, {number(ends[1])})",
            parameters=inner.parameters,
            support=_support(inner.support, *ends),
            discrete=inner.discrete,
            atom=inner.atom if inner.atom is not None and ends[0] < inner.atom <= ends[1] else None,
            location=inner.location,
            dispersion=inner.dispersion,
            regular=inner.regular,
            smooth=inner.smooth,
        )

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        inside = (y > self.lower) & (y <= self.upper)
        value = self.family.reference(xp, y, *params) + log_window(xp, self.family, self.lower, self.upper, params)
        return xp.where(inside | (y != y), value, math.inf)

    def _log_density(self, order: int, y: Floats, values: list[Floats]) -> Jets:
        return self._given(self._inner(self.family, kernel.EXACT, order, [y], values), order, values)

    def _log_mass(self, order: int, lower: Floats, upper: Floats, values: list[Floats]) -> Jets:
        ends = [np.maximum(lower, self.lower), np.minimum(upper, self.upper)]
        return self._given(self._inner(self.family, kernel.WINDOW, order, ends, values), order, values)

    def _given(self, jets: Jets, order: int, values: list[Floats]) -> Jets:
        """Divided by the probability of the window, once if the parameters are the same in all rows."""
        rows = max(len(value) for value in values)
        ends = [np.full(rows, self.lower), np.full(rows, self.upper)]
        whole = self._inner(self.family, kernel.WINDOW, order, ends, values)
        out = add(jets, negative(whole))
        out.fill(np.broadcast_to(whole.value == -np.inf, out.value.shape), -np.inf, np.nan)
        return out

    def _ends(self, *params: Array) -> tuple[Array | float, Array | float]:
        low, high = self.family._ends(*params)
        return np.maximum(low, self.support.low), np.minimum(high, self.support.high)

    def _cuts(self, params: Sequence[Array]) -> list[Floats]:
        inner = self.family._cuts(params) if isinstance(self.family, Composition) else []
        return super()._cuts(params) + [np.clip(cut, *self._ends(*params)) for cut in inner]

    def _mean(self, *params: Array) -> Array:
        below, above = self._heavy(self.family.mean(*params), params)
        mean = self._expect(lambda y, values: y, params)
        mean = np.where(above, np.inf, np.where(below, -np.inf, mean))
        return np.where(below & above, np.nan, mean)

    def _var(self, *params: Array) -> Array:
        mean = self._mean(*params)
        below, above = self._heavy(self.family.var(*params), params)
        # the mean goes along as one more parameter of what is averaged
        var = self._expect(lambda y, values: (y - values[-1]) ** 2, params, mean)
        return np.where(np.isfinite(mean), np.where(below | above, np.inf, var), np.nan)

    def _heavy(self, moment: Array, params: tuple[Array, ...]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Whether the lower and the upper tail, as far as the window leaves them, make this moment infinite."""
        missing = ~np.isfinite(moment)
        low, high = self.family._ends(*params)
        below = missing & (self.lower == -np.inf) & (low == -np.inf) & ~np.isposinf(moment)
        above = missing & (self.upper == np.inf) & (high == np.inf) & ~np.isneginf(moment)
        return below, above

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        params = tuple(np.broadcast_to(p, shape).reshape(-1) for p in params)
        out = np.empty(int(np.prod(shape)), np.int64 if self.discrete else np.float64)
        left = np.arange(len(out))
        for _ in range(_ROUNDS):
            drawn = self.family._draw(rng, left.shape, *(p[left] for p in params))
            found = (drawn > self.lower) & (drawn <= self.upper)
            out[left[found]] = drawn[found]
            left = left[~found]
        out[left] = self._ppf(1 - rng.random(left.shape), *(p[left] for p in params))
        return out.reshape(shape)

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        return self.family.start(rows, weight)


def _support(support: Interval, lower: float, upper: float) -> Interval:
    """What the window ``(lower, upper]`` leaves of it."""
    if support.integer:
        low, high = max(support.low, lower + 1), min(support.high, upper)
        out = Interval(low, high, math.isfinite(low), math.isfinite(high), integer=True)
    else:
        low, high = max(support.low, lower), min(support.high, upper)
        closed = support.high_closed if support.high <= upper else math.isfinite(upper)
        out = Interval(low, high, support.low_closed and lower < support.low, closed)
    if not (lower < upper and (low < high or (low == high and out.integer))):
        raise InputError(
            f"Truncated: the window ({number(lower)}, {number(upper)}] holds nothing of the support {support}"
        )
    return out
