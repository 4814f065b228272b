"""ZeroInflated(family)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from neglog.compose.composition import Composition, hull, scalar, state
from neglog.compose.jets import Floats, Jets, add, constant, embed, log_sum
from neglog.compose.window import log_sum as log_sum_of
from neglog.core.observations import Observations
from neglog.families import LINKS, Interval, Parameter, ScalarFamily, composition, kernel, spelled
from neglog.families.base import Array

ZERO = Parameter("zero", Interval(0.0, 1.0, low_closed=True, high_closed=True), LINKS["logit"])


@composition("zero_inflated")
@dataclass(frozen=True)
class ZeroInflated(Composition):
    r"""A family with additional zeros: :math:`P(Y = 0) = \pi + (1-\pi) f(0)`, elsewhere :math:`(1-\pi) f(y)`.

    Parameters
    ----------
    family : family or name
        A continuous one without an atom at 0 gives no zeros of its own: all exact zeros are additional, and other rows
        have density :math:`(1-\pi) f(y)`.
    zero : in [0, 1], the last parameter
        :math:`\pi`, the probability of an additional zero.

    Notes
    -----
    If there are fewer zeros than the family expects, the likelihood rises towards ``zero = 0``, and a fit says so.

    References
    ----------
    Lambert, Zero-inflated Poisson regression, Technometrics 34 (1992).

    Examples
    --------
    >>> import neglog as nl
    >>> f = nl.ZeroInflated("poisson")
    >>> [p.name for p in f.parameters]
    ['rate', 'zero']
    >>> f.nll([0, 3], rate=2.5, zero=0.4).round(6)
    array([0.800174, 2.053713])
    """

    family: ScalarFamily

    def __post_init__(self) -> None:
        object.__setattr__(self, "family", scalar("ZeroInflated", self.family))
        self._describe(f"zero_inflated({spelled(self.family)})", self.family)

    def _describe(self, name: str, family: ScalarFamily) -> None:
        names = [p.name for p in family.parameters]
        zero = ZERO if "zero" not in names else Parameter(f"zero_{names.count('zero')}", ZERO.domain, ZERO.link)
        state(
            self,
            [family],
            name=name,
            parameters=(*family.parameters, zero),
            support=hull([family.support, Interval(0.0, 0.0, True, True, family.discrete)]),
            discrete=family.discrete,
            location=family.location,
            atom=None if family.discrete else 0.0,
            regular=family.regular,
            smooth=family.smooth,
        )

    @property
    def rest(self) -> ScalarFamily:
        """What values that are no additional zeros follow."""
        return self.family

    @property
    def _has_zeros(self) -> bool:
        """Whether zero has a probability under what is no additional zero."""
        return self.discrete or self.rest.atom == 0

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        *inner, zero = params
        if self._has_zeros:
            other = -self.rest.reference(xp, y, *inner)
        else:  # at the atom the density does not count, and its derivatives must not either
            other = xp.where(y == 0, -math.inf, -self.rest.reference(xp, xp.where(y == 0, 1.0, y), *inner))
        added = xp.where((y == 0) & (zero > 0), xp.log(xp.where(zero > 0, zero, 1.0)), -math.inf)
        kept = xp.where(zero < 1, xp.log1p(-xp.where(zero < 1, zero, 0.0)) + other, -math.inf)
        return xp.where(y != y, y, -log_sum_of(xp, [added, kept]))

    def _log_density(self, order: int, y: Floats, values: list[Floats]) -> Jets:
        jets = self._inner(self.rest, kernel.EXACT, order, [y], values[:-1])
        at_zero = y == 0
        if not self._has_zeros:
            jets.fill(at_zero, -np.inf, np.nan)
        return self._mix(order, jets, at_zero, values)

    def _log_mass(self, order: int, lower: Floats, upper: Floats, values: list[Floats]) -> Jets:
        jets = self._inner(self.rest, kernel.WINDOW, order, [lower, upper], values[:-1])
        return self._mix(order, jets, (lower < 0) & (upper >= 0), values)

    def _mix(self, order: int, other: Jets, has_zero: Any, values: list[Floats]) -> Jets:
        """``log(zero [has_zero] + (1 - zero) exp(other))``."""
        count, size = len(values), len(other.value)
        zero = np.broadcast_to(values[-1], size)
        jets = add(embed(other, range(count - 1), count), _weight(1 - zero, np.log1p(-zero), -1.0, count, order))
        if not has_zero.any():
            return jets
        both = log_sum([jets, _weight(zero, np.log(zero), 1.0, count, order)])
        self._exact_in_zero(both, other, zero, order)
        jets.put(has_zero, Jets(both.value[has_zero], both.grad[:, has_zero], both.hess[:, :, has_zero]))
        return jets

    def _exact_in_zero(self, both: Jets, other: Jets, zero: Floats, order: int) -> None:
        """Derivatives that involve ``zero`` as ratios to the probability: they exist at 0 and 1 too."""
        share = np.exp(other.value - both.value)  # of the family, before its weight
        excess = -np.expm1(other.value) * np.exp(-both.value)  # (1 - f) / P
        if order >= 1:
            both.grad[-1] = excess
        if order >= 2:
            both.hess[-1, -1] = -(excess**2)
            # d/d theta of (1 - f) / P = -f s / P - (1 - f) / P * (1 - zero) f s / P
            cross = -share * (1 + (1 - zero) * excess) * np.where(share > 0, other.grad, 0.0)
            both.hess[-1, :-1] = both.hess[:-1, -1] = cross

    def _mean(self, *params: Array) -> Array:
        return (1 - params[-1]) * self.rest._mean(*params[:-1])

    def _var(self, *params: Array) -> Array:
        *inner, zero = params
        return (1 - zero) * (self.rest._var(*inner) + zero * self.rest._mean(*inner) ** 2)

    def _fisher(self, *params: Array) -> dict[tuple[int, int], Array]:
        """The family's information without its zeros, plus that of a zero."""
        *inner, zero = np.broadcast_arrays(*params)
        count, shape = len(params), zero.shape
        out = np.zeros((count, count, *shape))
        out[:-1, :-1] = (1 - zero) * self.rest.fisher(*inner)
        none = np.zeros(shape)  # probability of the family's own zeros
        if self._has_zeros:
            nll, grad = self.rest.nll_grad(none, *inner, check=False)
            none = np.exp(-nll)
            grad = np.where(none > 0, grad, 0.0)
            out[:-1, :-1] -= (1 - zero) * none * (grad[:, None] * grad)
            out[-1, :-1] = out[:-1, -1] = -none * grad
        out[-1, -1] = (1 - none) / (1 - zero)
        nll, grad = self.nll_grad(np.zeros(shape), *params, check=False)
        seen = np.exp(-nll)
        out += seen * np.where(seen > 0, grad[:, None] * grad, 0.0)
        return {(i, j): out[i, j] for i in range(count) for j in range(i, count)}

    def _ppf(self, q: Array, *params: Array) -> Array:
        q, *inner, zero = np.broadcast_arrays(q, *params)
        low, _ = self.rest._ends(*inner)
        below = (1 - zero) * np.where(low < 0, self.rest.cdf(-1.0 if self.discrete else 0.0, *inner, check=False), 0.0)
        at_zero = below + zero + (1 - zero) * np.exp(self._own_zeros(inner))
        share = np.where(q > at_zero, (q - zero) / (1 - zero), q / (1 - zero))
        y = self.rest._ppf(np.clip(share, 0.0, 1.0), *inner)
        y = np.where((q > below) & (q <= at_zero), 0.0, y)
        y = np.where((q == 0) & (below == 0) & (zero > 0), np.minimum(low, 0.0), y)
        return np.where(np.isnan(q), np.nan, y)

    def _own_zeros(self, inner: list[Array]) -> Array:
        """``log f(0)``, of a probability."""
        if not self._has_zeros:
            return np.full(inner[0].shape, -np.inf)
        return -np.asarray(self.rest.nll(np.zeros(inner[0].shape), *inner, check=False))

    def _ends(self, *params: Array) -> tuple[Array | float, Array | float]:
        low, high = self.rest._ends(*params[:-1])
        zero = params[-1]
        return np.where(zero > 0, np.minimum(low, 0.0), low), np.where(zero > 0, np.maximum(high, 0.0), high)

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        other = self.rest._draw(rng, shape, *params[:-1])
        return np.where(rng.random(shape) < params[-1], np.zeros((), other.dtype), other)

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        zeros = (rows.lower == 0) & rows.exact
        inner = self.rest.start(rows, np.where(zeros, 0.0, weight) if not zeros.all() else weight)
        own = float(np.exp(self._own_zeros([np.asarray(value) for value in inner])))
        total = float(weight.sum())
        seen = float(weight[zeros].sum()) / total
        share = (seen - own) / (1 - own) if own < 1 else 0.0
        least = 0.5 / (total + 1)  # half a row: inside the domain whatever was seen
        return (*inner, min(max(share, least), 1 - least))


def _weight(probability: Floats, log: Floats, sign: float, count: int, order: int) -> Jets:
    """The logarithm of ``zero`` (sign 1) or of ``1 - zero`` (sign -1), in all parameters."""
    jets = constant(len(log), count, order)
    jets.value[...] = log
    if order >= 1:
        jets.grad[-1] = sign / probability
    if order >= 2:
        jets.hess[-1, -1] = -1 / probability**2
    return jets
