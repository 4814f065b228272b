"""What families made of families share: rows in blocks, domain and support, the smaller side of every window."""

from __future__ import annotations

import dataclasses
import functools
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from neglog.compose.jets import LOG_HALF, Floats, Jets, constant, log_complement, log_sum, negative
from neglog.compose.pieces import expect_in_pieces, quantiles
from neglog.errors import InputError
from neglog.families import Family, ScalarFamily, family, kernel
from neglog.families.base import Array
from neglog.families.facts import Interval, Parameter

_BLOCK = 1 << 17  # numbers per derivative array of a block of rows: temporaries of 1 MB stay in the cache
_ROWS = 128  # of an expected value at a time: each takes some thousand places


class Composition(ScalarFamily):
    """A family whose likelihood follows from those of other families. Nothing here or below knows which they are.

    A composition states its facts (:func:`state`) and gives two logarithms with derivatives: the density of exact
    rows, and the probability of ``(lower, upper]`` as a sum of positive terms. Where that is more than one half, it is
    replaced here by the complement of what lies outside, so that each tail is exact.
    """

    @abstractmethod
    def _log_density(self, order: int, y: Floats, values: list[Floats]) -> Jets:
        """``log f(y)``; ``values`` are ``(n,)`` or ``(1,)``, and not checked."""

    @abstractmethod
    def _log_mass(self, order: int, lower: Floats, upper: Floats, values: list[Floats]) -> Jets:
        """``log P(lower < Y <= upper)`` without a difference; ``-inf`` where ``lower >= upper``."""

    def _jets(
        self,
        rows: int,
        order: int,
        data: list[Array],
        values: list[Array],
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
    ) -> tuple[Any, ...]:
        size, count = int(np.prod(shape)), len(values)
        inputs = [_rows(array, shape) for array in [*data, *values]]
        outputs = [np.empty((count,) * i + (size,)) for i in range(order + 1)]
        with np.errstate(all="ignore"):
            step = max(_BLOCK // count**order, 2048)
            for first in range(0, size, step):
                part = slice(first, min(first + step, size))
                block = [array if len(array) == 1 else array[part] for array in inputs]
                jets = self._block(rows, order, block[: len(data)], block[len(data) :], part.stop - first)
                for out, result in zip(outputs, jets, strict=False):
                    out[..., part] = result
            half = dtype == np.float16  # rounded once, and only the gradient to half precision
            kinds = [np.float32, np.float16, np.float32] if half else [dtype] * 3
            shaped = zip(outputs, kinds, strict=False)
            return tuple(out.reshape(out.shape[:-1] + shape).astype(kind, copy=False)[()] for out, kind in shaped)

    def _block(self, rows: int, order: int, data: list[Floats], values: list[Floats], size: int) -> Jets:
        ends = [np.broadcast_to(end, size) for end in data]
        if rows == kernel.WINDOW:
            return self._checked(order, ends, values, np.nan)
        exact = np.ones(size, bool) if rows == kernel.EXACT else ends[0] == ends[-1]
        if exact.all():
            return negative(self._checked(order, ends[:1], values, -np.inf))
        out = constant(size, len(values), order)
        for some, count in ((exact, 1), (~exact, 2)):
            if some.any():
                mine = [value if len(value) == 1 else value[some] for value in values]
                out.put(some, self._checked(order, [end[some] for end in ends[:count]], mine, -np.inf))
        return negative(out)

    def _checked(self, order: int, ends: list[Floats], values: list[Floats], outside: float) -> Jets:
        """Log-density of ``[y]`` or log-probability of ``[lower, upper]``; ``outside`` where parameters are invalid."""
        if len(ends) == 1:
            jets = self._log_density(order, ends[0], values)
            large = jets.value > LOG_HALF
            # what all other values have instead: exact where that is little. A number of trials moves the formula
            # between whole numbers, where masses do not sum to one
            whole = any(parameter.domain.integer for parameter in self.parameters)
            if self.discrete and self.tails and not whole and large.any():
                mine = [value if len(value) == 1 else value[large] for value in values]
                jets.put(large, self._log_window(order, ends[0][large] - 1, ends[0][large], mine))
            jets.fill(~self.support.contains(ends[0]), -np.inf, np.nan)
        else:
            jets = self._log_window(order, ends[0], ends[1], values)
        pairs = zip(self.parameters, values, strict=True)
        valid = functools.reduce(np.logical_and, [parameter.domain.contains(value) for parameter, value in pairs])
        missing = functools.reduce(np.logical_or, [np.isnan(array) for array in [*ends, *values]])
        jets.fill(np.broadcast_to(~valid, ends[0].shape), outside, np.nan)
        jets.fill(missing, np.nan, np.nan)
        return jets

    def _log_window(self, order: int, lower: Floats, upper: Floats, values: list[Floats]) -> Jets:
        jets = self._log_mass(order, lower, upper, values)
        large = jets.value > LOG_HALF
        if large.any():
            mine = [value if len(value) == 1 else value[large] for value in values]
            infinite = np.full(int(large.sum()), np.inf)
            below = self._log_mass(order, -infinite, lower[large], mine)
            above = self._log_mass(order, upper[large], infinite, mine)
            jets.put(large, log_complement(log_sum([below, above])))
        return jets

    def _ppf(self, q: Array, *params: Array) -> Array:
        y = super()._ppf(q, *params)
        if self.atom is None:
            return y
        return np.where(np.abs(y - self.atom) < 1e-300, self.atom, y)  # halving floats stops beside the jump

    def _cuts(self, params: Sequence[Array]) -> list[Floats]:
        """Values between which the density of a continuous family is smooth and changes little."""
        return quantiles(self, params)

    def _expect(
        self, function: Callable[[Floats, list[Floats]], Floats], params: Sequence[Array], *others: Array
    ) -> Floats:
        """``E[function(Y, [*params, *others])]``, once for rows that are equal.

        ``function`` maps ``y`` of shape ``(K, n)`` and ``(n,)`` numbers to ``(..., K, n)``.
        """
        full = np.broadcast_arrays(*params, *others)
        rows, back = np.unique(np.stack([np.ravel(array) for array in full]), axis=1, return_inverse=True)
        parts: list[Floats] = []
        for first in range(0, rows.shape[1], _ROWS):
            values = list(rows[:, first : first + _ROWS])
            own = values[: len(params)]
            cuts = [] if self.discrete else self._cuts(own)
            part = expect_in_pieces(self, cuts, lambda y, values=values: function(y, values), own)
            if self.atom is not None:
                at = np.full((1, rows[:, first : first + _ROWS].shape[1]), self.atom)
                part = part + function(at, values)[..., 0, :] * np.exp(-self.nll(at[0], *own, check=False))
            parts.append(part)
        found = np.concatenate(parts, axis=-1) if parts else np.zeros(0)
        return found[..., np.ravel(back)].reshape(found.shape[:-1] + full[0].shape)

    def _fisher(self, *params: Array) -> dict[tuple[int, int], Array]:
        first, second = np.triu_indices(len(params))

        def products(y: Floats, values: list[Floats]) -> Floats:
            score = self.nll_grad(y, *values, check=False)[1]
            return score[first] * score[second]

        entries = self._expect(products, params)
        return {(int(i), int(j)): entry for i, j, entry in zip(first, second, entries, strict=True)}

    def _inner(
        self,
        inner: ScalarFamily,
        rows: int,  # kernel.EXACT or WINDOW
        order: int,
        data: list[Floats],
        values: list[Floats],
    ) -> Jets:
        """Logarithm of the density or of the probability of a window under a component, in its own parameters."""
        size = max(len(array) for array in [*data, *values])
        found = inner._jets(rows, order, list(data), list(values), (size,), np.dtype(np.float64))
        none = [np.empty((0, size)), np.empty((0, 0, size))]  # of the derivatives that are not wanted
        jets = Jets(*found, *none[order:])
        return negative(jets) if rows == kernel.EXACT else jets


def state(family: ScalarFamily, of: Sequence[ScalarFamily] = (), **facts: Any) -> None:
    """Set ``name``, ``parameters`` ... of this instance; those of other families belong to their class.

    ``of``: what it is made of.
    """
    if of:
        facts |= {"written": any(f.written for f in of), "tails": all(f.tails for f in of)}
    for key, value in facts.items():
        object.__setattr__(family, key, value)


def scalar(call: str, given: Any) -> ScalarFamily:
    """The family of that name; it must be one of single numbers."""
    found: Family = family(given)
    if not isinstance(found, ScalarFamily):
        raise InputError(f"{call}: {found.name} has a vector for a parameter; allowed: families of single numbers")
    return found


def number(x: float) -> str:
    """A number as it stands in the name of a composition: short, and read back exactly.

    >>> number(0.0), number(2.5), number(float("-inf"))
    ('0', '2.5', '-inf')
    """
    return repr(int(x)) if x == round(x, 0) and abs(x) < 1e16 else repr(float(x))


def renamed(parameter: Parameter, name: str) -> Parameter:
    """The same parameter under another name."""
    return dataclasses.replace(parameter, name=name)


def hull(supports: list[Interval]) -> Interval:
    """The smallest interval that contains all of them."""
    low, high = min(s.low for s in supports), max(s.high for s in supports)
    return Interval(
        low,
        high,
        any(s.low_closed for s in supports if s.low == low),
        any(s.high_closed for s in supports if s.high == high),
        all(s.integer for s in supports),
    )


def _rows(array: Array, shape: tuple[int, ...]) -> Floats:
    """One element that stands for every row, or one per row."""
    array = np.asarray(array, dtype=np.float64)
    return array.reshape(1) if array.size == 1 else np.ascontiguousarray(np.broadcast_to(array, shape)).reshape(-1)
