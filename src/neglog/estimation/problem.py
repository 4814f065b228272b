"""The objective of a fit: negative log-likelihood plus penalty, in internal coefficients, with derivatives.

Rows are visited in blocks, so that per-row derivatives never need more memory than a block. A Hessian of up
to ``DENSE`` coefficients is assembled by BLAS; a larger one is an operator that multiplies.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from neglog.core.accumulate import exact_sum
from neglog.estimation.design import Design, curvature
from neglog.estimation.rows import RowModel, SoftmaxRows
from neglog.estimation.tables import Floats

DENSE = 2000  # coefficients; a Hessian of 2000 x 2000 takes 32 MB and a third of a second to factor on one core
_BLOCK = 1 << 22  # per-row second derivatives in flight: 32 MB

Hessian = Floats | Callable[[Floats], Floats]


@dataclass(frozen=True, eq=False)
class Problem:
    """``sum(weight * nll(rows)) + 1/2 sum(penalty * x**2)``, where ``x`` stacks all coefficients."""

    rows: RowModel
    designs: tuple[Design, ...]  # one per linear predictor
    weight: Floats | None  # (n,) multiplies the rows; None: ones
    penalty: Floats  # (K,) in internal units

    @cached_property
    def spans(self) -> tuple[slice, ...]:
        """Where the coefficients of each predictor stand in ``x``."""
        ends = np.cumsum([0, *(design.size for design in self.designs)])
        return tuple(slice(int(a), int(b)) for a, b in itertools.pairwise(ends))

    @property
    def size(self) -> int:
        """Number of coefficients."""
        return len(self.penalty)

    @cached_property
    def shared(self) -> Floats | None:
        """The columns that all classes share; their Hessian is one product of matrices."""
        first = self.designs[0]
        several = isinstance(self.rows, SoftmaxRows) and all(design is first for design in self.designs)
        return first.columns if several else None

    @property
    def dense(self) -> bool:
        """Whether the Hessian is a matrix."""
        return self.size <= DENSE

    @property
    def scales(self) -> tuple[int, ...]:
        """Where the logarithms of parameters without covariates stand in ``x``."""
        alone = [p for p in self.rows.logarithms if self.designs[p].columns is None and self.designs[p].size]
        return tuple(self.spans[p].start for p in alone)

    def parts(self, per_row: int) -> Iterator[tuple[slice, Floats | None]]:
        """Blocks of rows with their weights; a row costs ``per_row`` numbers."""
        step = max(_BLOCK // per_row, 256)
        for first in range(0, self.rows.rows, step):
            part = slice(first, min(first + step, self.rows.rows))
            yield part, None if self.weight is None else self.weight[part]

    def eta(self, part: slice, x: Floats) -> Floats:
        """Linear predictors ``(E, m)``, or ``(E, 1)`` if none varies."""
        if self.shared is not None:
            return (self.shared[part] @ x.reshape(len(self.designs), -1).T).T
        each = [design.predict(part, x[span]) for design, span in zip(self.designs, self.spans, strict=True)]
        return np.stack(np.broadcast_arrays(*each))

    def evaluate(self, x: Floats) -> tuple[float, Floats, Hessian]:
        """Objective, gradient and Hessian. Value ``inf`` where the point is outside the domain."""
        count = self.rows.predictors
        value, gradient = 0.0, np.zeros(self.size)
        if not self.dense:
            return self._evaluate_large(x)
        hessian = np.zeros((self.size, self.size))
        with np.errstate(all="ignore"):  # a trial point may be absurd; the value says so
            for part, weight in self.parts(count * count):
                eta = self.eta(part, x)
                if self.shared is None:
                    v, g, h = self.rows.derivatives(part, eta)
                    self._add_curvature(hessian, part, h, weight)
                else:
                    assert isinstance(self.rows, SoftmaxRows)
                    v, g = self.rows.gradient(part, eta)
                    hessian += self.rows.curvature(part, eta, self.shared[part], weight)
                value += float(v.sum() if weight is None else weight @ v)
                if not np.isfinite(value):
                    return np.inf, gradient, hessian
                gradient += self._gather(part, g, weight)
        if not (np.isfinite(gradient).all() and np.isfinite(hessian).all()):
            return np.inf, np.zeros(self.size), np.zeros_like(hessian)
        lower = np.tril(hessian)
        hessian = lower + np.tril(hessian, -1).T
        hessian[np.diag_indices(self.size)] += self.penalty
        return value + self.ridge(x), gradient + self.penalty * x, hessian

    def _add_curvature(self, hessian: Floats, part: slice, h: Floats, weight: Floats | None) -> None:
        """Add the lower blocks of a part's Hessian."""
        for e, (left, at) in enumerate(zip(self.designs, self.spans, strict=True)):
            for f in range(e + 1):
                hessian[at, self.spans[f]] += curvature(left, self.designs[f], part, h[e, f], weight)

    def _evaluate_large(self, x: Floats) -> tuple[float, Floats, Hessian]:
        value, gradient, etas = 0.0, np.zeros(self.size), list[Floats]()
        with np.errstate(all="ignore"):
            for part, weight in self.parts(self.rows.predictors + 1):
                etas.append(self.eta(part, x))
                v, g = self.rows.gradient(part, etas[-1])
                value += float(v.sum() if weight is None else weight @ v)
                gradient += self._gather(part, g, weight)

        def product(direction: Floats) -> Floats:
            out = self.penalty * direction
            for (part, weight), eta in zip(self.parts(self.rows.predictors + 1), etas, strict=True):
                moved = np.broadcast_to(self.eta(part, direction), (len(self.designs), part.stop - part.start))
                out += self._gather(part, self.rows.product(part, eta, moved), weight)
            return out

        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            return np.inf, np.zeros(self.size), product
        return value + self.ridge(x), gradient + self.penalty * x, product

    def _gather(self, part: slice, g: Floats, weight: Floats | None) -> Floats:
        if self.shared is not None:
            return ((g if weight is None else g * weight) @ self.shared[part]).reshape(-1)
        return np.concatenate([d.gather(part, g[e], weight) for e, d in enumerate(self.designs)])

    def ridge(self, x: Floats) -> float:
        """The penalty at ``x``."""
        return 0.5 * float(self.penalty @ (x * x))

    def travel(self, direction: Floats) -> tuple[float, float]:
        """How far ``direction`` moves the predictor of some row, in units of its parameter.

        Any, and a logarithm's.
        """
        unit = np.array([design.unit for design in self.designs])
        parts = (np.abs(self.eta(part, direction)).max(axis=1) for part, _ in self.parts(self.rows.predictors))
        moved = np.max(list(parts), axis=0) / unit
        logs = moved[list(self.rows.logarithms)]
        return float(moved.max(initial=0.0)), float(logs.max(initial=0.0))

    def spread(self, covariance: Floats) -> Floats:
        """For each predictor its largest standard error over rows, in units of its parameter."""
        found = np.zeros(len(self.designs))
        for e, (design, at) in enumerate(zip(self.designs, self.spans, strict=True)):
            if design.columns is None:
                found[e] = np.sqrt(np.trace(covariance[at, at]))
                continue
            for part, _ in self.parts(design.size + 1):
                z = design.columns[part]
                square = float(((z @ covariance[at, at]) * z).sum(axis=1).max(initial=0.0))
                found[e] = max(found[e], np.sqrt(max(square, 0.0)) / design.unit)
        return found

    def rounding(self, x: Floats) -> float:
        """Error of the value because linear predictors are rounded.

        Large where they are, as in years or in 1e9 + noise.
        """
        error = 0.0
        for part, weight in self.parts(self.rows.predictors + 1):
            eta = self.eta(part, x)
            noise = np.abs(self.rows.gradient(part, eta)[1] * eta).sum(axis=0)
            error += float(noise.sum() if weight is None else weight @ noise)
        return float(np.finfo(np.float64).eps) * error

    def nll_rows(self, x: Floats) -> Floats:
        """Negative log-likelihood of every row, unweighted, shape ``(n,)``."""
        with np.errstate(all="ignore"):
            return np.concatenate([self.rows.values(part, self.eta(part, x)) for part, _ in self.parts(8)])

    def nll(self, x: Floats) -> float:
        """Weighted negative log-likelihood without the penalty, summed exactly."""
        return exact_sum(self.nll_rows(x), self.weight)

    def value(self, x: Floats) -> float:
        """The objective alone, at a fraction of the price; ``inf`` as in :meth:`evaluate`."""
        found = self.nll(x) + self.ridge(x)
        return found if np.isfinite(found) else np.inf

    def expected(self, x: Floats) -> Floats:
        """Expected information plus penalty, ``(K, K)``."""
        information = np.diag(self.penalty).astype(float)
        for part, weight in self.parts(self.rows.predictors**2):
            h = self.rows.expected(part, self.eta(part, x))
            for e, (left, at) in enumerate(zip(self.designs, self.spans, strict=True)):
                for f, (right, to) in enumerate(zip(self.designs, self.spans, strict=True)):
                    information[at, to] += curvature(left, right, part, h[e, f], weight)
        return information

    def scores(self, x: Floats) -> Iterator[tuple[slice, Floats]]:
        """Blocks of unweighted per-row gradients, ``(m, K)``."""
        for part, _ in self.parts(self.size + self.rows.predictors):
            g = self.rows.gradient(part, self.eta(part, x))[1]
            yield part, np.hstack([_spread(d, part, g[e]) for e, d in enumerate(self.designs)])


def _spread(design: Design, part: slice, g: Floats) -> Floats:
    if not design.size:
        return np.empty((len(g), 0))
    if design.columns is None:
        return design.unit * g[:, None]
    return design.columns[part] * g[:, None]
