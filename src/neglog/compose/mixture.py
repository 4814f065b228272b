"""Mixture(family, k) and Mixture(family, another, ...)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neglog.compose.composition import Composition, hull, renamed, scalar, state
from neglog.compose.jets import Floats, Jets, add, constant, embed, log_sum
from neglog.compose.mixture_start import start
from neglog.compose.pieces import quantiles
from neglog.compose.window import log_sum as log_sum_of
from neglog.core.observations import Observations
from neglog.errors import InputError
from neglog.families import LINKS, Parameter, ScalarFamily, composition, kernel, spelled
from neglog.families.base import Array
from neglog.families.facts import REAL


@composition("mixture")
@dataclass(frozen=True, init=False)
class Mixture(Composition):
    r"""Each value comes from one of several families: :math:`-\log \sum_j w_j f_j(y)`.

    ``Mixture("normal", k=3)`` has three components of one kind, ``Mixture("normal", "laplace")`` two of different
    kinds.

    Parameters
    ----------
    *families : families or names
        The components; all continuous or all discrete. A last number is ``k``.
    k : int, optional
        How often a single family is repeated.
    logit_1, logit_2, ... : real
        :math:`\log(w_j / w_0)`, the log-odds of component j against component 0.
    loc_0, scale_0, loc_1, ... :
        The parameters of each component, with its number.

    Raises
    ------
    InputError
        If there are fewer than two components, or some are discrete and others are not.

    Notes
    -----
    Evaluated in log space, also in the tails. The likelihood does not change when components swap places, so
    parameters of two fits must not be compared one by one. It grows without limit as one component shrinks onto a
    value (Day, Biometrika 1969); a fit reports a maximum that is a local one.

    Examples
    --------
    >>> import neglog as nl
    >>> f = nl.Mixture("normal", k=2)
    >>> [p.name for p in f.parameters]
    ['logit_1', 'loc_0', 'scale_0', 'loc_1', 'scale_1']
    >>> float(f.nll(0.5, 0.0, -1.0, 1.0, 1.0, 1.0))
    1.42382402624...
    >>> float(f.nll(100.0, 0.0, -1.0, 1.0, 1.0, 1.0))  # its density is 1e-2129
    4902.11208571...
    """

    families: tuple[ScalarFamily, ...]

    def __init__(self, *families: Any, k: int | None = None) -> None:
        if families and isinstance(families[-1], (int, np.integer)):
            if k is not None:
                raise InputError("Mixture: k was given twice")
            families, k = families[:-1], int(families[-1])
        known = tuple(scalar("Mixture", f) for f in families)
        if k is not None:
            if len(known) != 1:
                raise InputError(f"Mixture: k = {k} repeats one family; {len(known)} were given")
            known *= k
        if len(known) < 2:
            raise InputError(f"Mixture: there are {len(known)} components; allowed: two or more")
        if len({f.discrete for f in known}) > 1:
            raise InputError("Mixture: some components are discrete and others continuous")
        if len({f.atom for f in known}) > 1:
            raise InputError("Mixture: some components have a probability at zero where others have a density")
        object.__setattr__(self, "families", known)
        same = len(set(known)) == 1
        state(
            self,
            known,
            name=f"mixture({spelled(known[0])}, {len(known)})"
            if same
            else f"mixture({', '.join(map(spelled, known))})",
            parameters=(
                *(Parameter(f"logit_{j}", REAL, LINKS["identity"]) for j in range(1, len(known))),
                *(renamed(p, f"{p.name}_{j}") for j, f in enumerate(known) for p in f.parameters),
            ),
            support=hull([f.support for f in known]),
            discrete=known[0].discrete,
            atom=known[0].atom,
            location=f"{known[0].location}_0",
            regular=all(f.regular for f in known),
            smooth=all(f.smooth for f in known),
        )

    @property
    def spans(self) -> list[slice]:
        """Where the parameters of each component stand."""
        ends = itertools.accumulate([len(f.parameters) for f in self.families], initial=len(self.families) - 1)
        return list(itertools.starmap(slice, itertools.pairwise(ends)))

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        logits = [0.0 * params[0], *params[: len(self.families) - 1]]
        total = log_sum_of(xp, logits)
        parts = zip(logits, self.families, self.spans, strict=True)
        terms = [logit - total - f.reference(xp, y, *params[span]) for logit, f, span in parts]
        value = -log_sum_of(xp, terms)
        return xp.where(y != y, y, value)

    def _log_density(self, order: int, y: Floats, values: list[Floats]) -> Jets:
        return self._sum(order, kernel.EXACT, [y], values)

    def _log_mass(self, order: int, lower: Floats, upper: Floats, values: list[Floats]) -> Jets:
        return self._sum(order, kernel.WINDOW, [lower, upper], values)

    def _sum(self, order: int, rows: int, data: list[Floats], values: list[Floats]) -> Jets:
        count = len(values)
        terms: list[Jets] = []
        for weight, f, span in zip(self._log_weights(order, values), self.families, self.spans, strict=True):
            inner = self._inner(f, rows, order, data, values[span])
            terms.append(add(embed(inner, range(count)[span], count), weight))
        return log_sum(terms)

    def _log_weights(self, order: int, values: list[Floats]) -> list[Jets]:
        r"""``log w_j``: gradient :math:`\delta_{ij} - w_i` in the logits, Hessian :math:`w_i w_j - \delta_{ij} w_i`."""
        k, count = len(self.families), len(values)
        logits = np.stack(np.broadcast_arrays(np.zeros(1), *values[: k - 1]))
        raised = np.exp(logits - logits.max(axis=0))
        share = raised / raised.sum(axis=0)
        # 1 - w_i as a sum: exact where w_i is nearly 1
        others = np.stack([np.delete(raised, i, axis=0).sum(axis=0) for i in range(k)]) / raised.sum(axis=0)
        out: list[Jets] = []
        for j in range(k):
            jets = constant(logits.shape[1], count, order)
            ahead = np.delete(logits, j, axis=0) - logits[j]
            top = np.maximum(ahead.max(axis=0), 0.0)
            rest = np.exp(ahead - top).sum(axis=0)
            jets.value[...] = np.where(top > 0, -top - np.log(rest + np.exp(-top)), -np.log1p(rest))
            for i in range(1, k):
                if order >= 1:
                    jets.grad[i - 1] = others[i] if i == j else -share[i]
                for m in range(1, k):
                    if order >= 2:
                        jets.hess[i - 1, m - 1] = -share[i] * (others[i] if i == m else -share[m])
            out.append(jets)
        return out

    def _weights(self, params: tuple[Array, ...]) -> list[Array]:
        values = [np.ravel(p) for p in np.broadcast_arrays(*params)]
        shape = np.broadcast_shapes(*(p.shape for p in params))
        return [np.exp(jets.value).reshape(shape) for jets in self._log_weights(0, values)]

    def _ends(self, *params: Array) -> tuple[Array | float, Array | float]:
        ends = [f._ends(*params[span]) for f, span in zip(self.families, self.spans, strict=True)]
        low, high = (np.stack(np.broadcast_arrays(*some, np.zeros_like(params[0]))) for some in zip(*ends, strict=True))
        return low[:-1].min(axis=0), high[:-1].max(axis=0)

    def _mean(self, *params: Array) -> Array:
        parts = zip(self._weights(params), self.families, self.spans, strict=True)
        return sum((w * f._mean(*params[span]) for w, f, span in parts), np.zeros(()))

    def _var(self, *params: Array) -> Array:
        weights, mean = self._weights(params), self._mean(*params)
        total = np.zeros(())
        for w, f, span in zip(weights, self.families, self.spans, strict=True):
            total = total + w * (f._var(*params[span]) + (f._mean(*params[span]) - mean) ** 2)
        return total

    def _cuts(self, params: Sequence[Array]) -> list[Floats]:
        parts = zip(self.families, self.spans, strict=True)
        each = [f._cuts(params[at]) if isinstance(f, Composition) else quantiles(f, params[at]) for f, at in parts]
        return list(np.broadcast_arrays(*itertools.chain(*each), *params))[: -len(params)]

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        weights = np.cumsum(np.stack([np.broadcast_to(w, shape) for w in self._weights(params)]), axis=0)
        chosen = (rng.random(shape) * weights[-1] >= weights[:-1]).sum(axis=0)
        each = [f._draw(rng, shape, *params[span]) for f, span in zip(self.families, self.spans, strict=True)]
        return np.choose(chosen, each) if len(each) < 32 else np.take_along_axis(np.stack(each), chosen[None], 0)[0]

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        shares, values = start(self.families, rows, weight)
        return (*(math.log(share / shares[0]) for share in shares[1:]), *itertools.chain(*values))
