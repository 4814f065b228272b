"""Fixed(family, parameter=value)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neglog.compose.composition import number, scalar, state
from neglog.core.observations import Observations
from neglog.errors import ParameterError
from neglog.families import ScalarFamily, composition, spelled
from neglog.families.base import Array


@composition("fixed")
@dataclass(frozen=True, init=False)
class Fixed(ScalarFamily):
    """A family some of whose parameters are known numbers.

    Parameters
    ----------
    family : family or name
    **values : float
        Parameters by name, with their values; the others remain, in their order.

    Raises
    ------
    ParameterError
        If there is no such parameter, a value lies outside its domain, or none is left.

    Examples
    --------
    >>> import neglog as nl
    >>> f = nl.Fixed("weibull", shape=1.0)
    >>> [p.name for p in f.parameters], float(f.nll(2.0, scale=4.0))
    (['scale'], 1.88629436...)
    """

    family: ScalarFamily
    values: tuple[tuple[str, float], ...]

    def __init__(self, family: Any, /, **values: float) -> None:
        inner = scalar("Fixed", family)
        known = {p.name: p for p in inner.parameters}
        for name, value in values.items():
            if name not in known:
                raise ParameterError(f"Fixed: {inner.name} has no parameter {name!r}; it has {', '.join(known)}")
            if not known[name].domain.contains(value):
                raise ParameterError(f"Fixed: {name} = {value:g} is outside its domain {known[name].domain}")
        free = tuple(p for p in inner.parameters if p.name not in values)
        if not free:
            raise ParameterError(f"Fixed: no parameter of {inner.name} is left")
        object.__setattr__(self, "family", inner)
        object.__setattr__(self, "values", tuple((p, float(values[p])) for p in known if p in values))
        left = {p.name for p in free}
        state(
            self,
            [inner],
            name=f"fixed({spelled(inner)}, {', '.join(f'{name}={number(value)}' for name, value in self.values)})",
            parameters=free,
            support=inner.support,
            discrete=inner.discrete,
            atom=inner.atom,
            location=inner.location if inner.location in left else free[0].name,
            dispersion=inner.dispersion if inner.dispersion in left else None,
            translation=inner.translation if inner.translation in left else None,
            regular=inner.regular,
            smooth=inner.smooth,
        )

    @property
    def _at(self) -> list[int]:
        """Where the free parameters stand among those of the family."""
        known = dict(self.values)
        return [i for i, p in enumerate(self.family.parameters) if p.name not in known]

    def _all(self, free: Iterable[Any]) -> list[Any]:
        """The family's parameters."""
        known, rest = dict(self.values), iter(free)
        return [known[p.name] if p.name in known else next(rest) for p in self.family.parameters]

    def _arrays(self, params: Sequence[Array]) -> list[Array]:
        return [np.asarray(p, dtype=np.float64) for p in self._all(params)]

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        return self.family.reference(xp, y, *(xp.zeros_like(params[0]) + p for p in self._all(params)))

    def _jets(
        self,
        rows: int,
        order: int,
        data: list[Array],
        values: list[Array],
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
    ) -> tuple[Any, ...]:
        value, *derivatives = self.family._jets(rows, order, data, self._arrays(values), shape, dtype)
        at = self._at
        return value, *(part[np.ix_(*[at] * i)] for i, part in enumerate(derivatives, 1))

    def _ends(self, *params: Array) -> tuple[Array | float, Array | float]:
        return self.family._ends(*self._arrays(params))

    def _mean(self, *params: Array) -> Array:
        return self.family._mean(*np.broadcast_arrays(*self._arrays(params)))

    def _var(self, *params: Array) -> Array:
        return self.family._var(*np.broadcast_arrays(*self._arrays(params)))

    def _fisher(self, *params: Array) -> dict[tuple[int, int], Array]:
        place = {full: own for own, full in enumerate(self._at)}
        entries = self.family._fisher(*self._arrays(params))
        return {(place[i], place[j]): entry for (i, j), entry in entries.items() if i in place and j in place}

    def _ppf(self, q: Array, *params: Array) -> Array:
        return self.family._ppf(q, *self._arrays(params))

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        return self.family._draw(rng, shape, *self._arrays(params))

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        start = self.family.start(rows, weight)
        return tuple(start[i] for i in self._at)
