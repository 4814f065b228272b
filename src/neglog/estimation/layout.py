"""Names and places of coefficients: between the caller's coefficients and the vector that is optimised."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from neglog.estimation.design import Design
from neglog.estimation.tables import Floats, Mask
from neglog.estimation.terms import Constant, Term


@dataclass(frozen=True, eq=False)
class Slot:
    """The coefficients of one parameter, or of one class.

    ``held``: values of those coefficients that are not estimated; of the others, where zero inside stands: 0,
    or the shift of the data. ``aliased``: held at zero because the data cannot tell them from others.
    ``link`` is set where the one coefficient is shown on the parameter's own scale; ``shown`` is False for
    the class that everything is measured against, and for what is known per row. ``value`` is what is shown of a
    parameter that is known, whose coefficient may be rounded or infinite.
    """

    label: str
    term: Term
    free: Mask  # (k,)
    held: Floats  # (k,)
    aliased: Mask  # (k,)
    link: Any = None
    shown: bool = True
    value: float | None = None

    @property
    def names(self) -> list[str]:
        """Names of its coefficients, as the caller sees them."""
        if isinstance(self.term, Constant):
            return [self.label]
        return [f"{self.label}.{column}" for column in self.term.columns]


@dataclass(frozen=True, eq=False)
class Layout:
    """Slots, linear predictors, and the contrast between them.

    Slot coefficients = held + contrast @ predictors'. With a ``centre`` the columns of the first slot stand for
    what is left after subtracting it, and the constants of the other slots make up for that.
    """

    slots: tuple[Slot, ...]
    designs: tuple[Design, ...]  # (E,)
    estimated: tuple[Mask, ...]  # per predictor: which columns of its term are estimated
    contrast: Floats  # (S, E)
    centre: Floats | None = None  # (k,) of the columns of the first slot

    @cached_property
    def spans(self) -> tuple[slice, ...]:
        """Where the coefficients of each predictor stand in the vector that is optimised."""
        ends = np.cumsum([0, *(design.size for design in self.designs)])
        return tuple(slice(int(a), int(b)) for a, b in itertools.pairwise(ends))

    @property
    def names(self) -> list[str]:
        """All names, in order."""
        return [name for slot in self.slots if slot.shown for name in slot.names]

    @property
    def size(self) -> int:
        """Length of the vector that is optimised."""
        return sum(design.size for design in self.designs)

    def coefficients(self, x: Floats) -> list[Floats]:
        """The caller's coefficients of each slot, on the scale of the linear predictor."""
        each = np.zeros((len(self.designs), max(len(mask) for mask in self.estimated)))
        for e, (design, mask, span) in enumerate(zip(self.designs, self.estimated, self.spans, strict=True)):
            each[e, np.flatnonzero(mask)] = design.back @ x[span]
        moved = self.contrast @ each
        found = [slot.held + moved[s, : len(slot.held)] for s, slot in enumerate(self.slots)]
        return self._recentred(found, 1.0)

    def internal(self, coefficients: Sequence[Floats]) -> Floats:
        """The vector that gives these coefficients; what is held is ignored."""
        coefficients = self._recentred(coefficients, -1.0)
        width = max(len(mask) for mask in self.estimated)
        rows = np.zeros((len(self.slots), width))
        for s, (slot, values) in enumerate(zip(self.slots, coefficients, strict=True)):
            rows[s, : len(slot.held)] = np.where(slot.free, values - slot.held, 0.0)
        each = np.linalg.pinv(self.contrast) @ rows
        parts = [
            design.inside(each[e, np.flatnonzero(mask)]) if design.size else np.empty(0)
            for e, (design, mask) in enumerate(zip(self.designs, self.estimated, strict=True))
        ]
        return np.concatenate(parts)

    def _recentred(self, coefficients: Sequence[Floats], sign: float) -> list[Floats]:
        """The constants of all but the first slot, moved by what its columns were."""
        first, *others = coefficients
        shift = 0.0 if self.centre is None else sign * float(self.centre @ first)
        return [first, *(values + shift for values in others)]

    @cached_property
    def jacobian(self) -> Floats:
        """Derivative of all shown coefficients in the optimised vector, ``(R, K)``."""
        blocks: list[Floats] = []
        for s, slot in enumerate(self.slots):
            if not slot.shown:
                continue
            block = np.zeros((len(slot.held), self.size))
            for e, (design, mask, span) in enumerate(zip(self.designs, self.estimated, self.spans, strict=True)):
                if self.contrast[s, e]:
                    block[np.flatnonzero(mask), span] += self.contrast[s, e] * design.back
            if s and self.centre is not None:
                block[:, self.spans[0]] += self.centre[self.estimated[0]] @ self.designs[0].back
            blocks.append(block)
        return np.vstack(blocks)

    @cached_property
    def sizes(self) -> Floats:
        """Per shown name the size of its column: coefficients times sizes can be compared."""
        parts: list[Floats] = []
        for slot, weights in zip(self.slots, self.contrast, strict=True):
            if slot.shown:
                size, e = np.ones(len(slot.held)), int(np.flatnonzero(weights)[0])
                size[self.estimated[e]] = self.designs[e].sizes
                parts.append(size)
        return np.concatenate(parts)

    def report(self, x: Floats) -> tuple[Floats, Floats, Floats]:
        """Per shown name: the value shown, the coefficient behind it, and d shown / d coefficient."""
        coefficients = np.concatenate(
            [values for slot, values in zip(self.slots, self.coefficients(x), strict=True) if slot.shown]
        )
        shown, slope = coefficients.copy(), np.ones(len(coefficients))
        at = 0
        for slot in self.slots:
            if slot.shown and slot.link is not None:
                shown[at], slope[at], _ = slot.link.inverse_derivatives(coefficients[at])
            if slot.shown and slot.value is not None:
                shown[at], slope[at] = slot.value, 1.0
            at += len(slot.held) if slot.shown else 0
        return shown, coefficients, slope

    def mask(self, which: str) -> Mask:
        """``free`` or ``aliased`` for all shown names."""
        return np.concatenate([getattr(slot, which) for slot in self.slots if slot.shown])
