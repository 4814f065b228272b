"""The likelihood of rows as a function of linear predictors: families and links, nothing about tables.

A row model has ``predictors`` linear predictors eta. Per row it gives the negative log-likelihood and its
exact first and second derivatives in eta. The formulas live in :mod:`neglog.families`; here is the chain
rule.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from neglog.core.observations import Observations
from neglog.estimation.tables import Floats

Rows = slice


class RowModel(Protocol):
    """What :class:`neglog.estimation.problem.Problem` asks of a likelihood."""

    @property
    def predictors(self) -> int:
        """Number of linear predictors, E."""
        ...

    @property
    def rows(self) -> int:
        """Number of rows, n."""
        ...

    @property
    def logarithms(self) -> tuple[int, ...]:
        """Predictors that are the logarithm of a parameter."""
        ...

    def values(self, part: Rows, eta: Floats) -> Floats:
        """Negative log-likelihood of the rows, shape ``(m,)``.

        ``eta`` is ``(predictors, m)`` or ``(predictors, 1)``.
        """
        ...

    def derivatives(self, part: Rows, eta: Floats) -> tuple[Floats, Floats, Floats]:
        """Value ``(m,)``, gradient ``(E, m)`` and Hessian ``(E, E, m)`` in eta."""
        ...

    def gradient(self, part: Rows, eta: Floats) -> tuple[Floats, Floats]:
        """Value and gradient only, for models whose Hessian is too large to store."""
        ...

    def product(self, part: Rows, eta: Floats, direction: Floats) -> Floats:
        """Hessian in eta times ``direction``, both ``(E, m)``."""
        ...

    def expected(self, part: Rows, eta: Floats) -> Floats:
        """Expected information in eta, shape ``(E, E, m)``."""
        ...


@dataclass(frozen=True, eq=False)
class ScalarRows:
    """Families whose parameters are numbers: predictor p is parameter p on its link scale, plus its offset.

    ``window``: each row was seen only because it fell in ``(low, high]``; ``y`` lies inside. ``shift``: what
    was subtracted from ``y``, from the window and from the predictor that moves with them. ``known``: values of
    parameters that have no predictor, ``(1,)`` or one per row.
    """

    family: Any
    y: Observations | Floats
    window: tuple[Floats, Floats] | None
    offsets: dict[int, Floats]
    shift: float = 0.0
    known: dict[int, Floats] = field(default_factory=dict[int, Floats])

    @property
    def predictors(self) -> int:
        """One per parameter."""
        return len(self.family.parameters)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.y)

    @property
    def logarithms(self) -> tuple[int, ...]:
        """Parameters with a log link."""
        return tuple(p for p, parameter in enumerate(self.family.parameters) if parameter.link.name == "log")

    def theta(self, part: Rows, eta: Floats) -> list[tuple[Floats, Floats, Floats]]:
        """Per parameter: its values and their two derivatives in eta."""
        links = (parameter.link for parameter in self.family.parameters)
        return [
            self._constant(self.known[p], part)
            if p in self.known
            else link.inverse_derivatives(eta[p] + self.offsets[p][part] if p in self.offsets else eta[p])
            for p, link in enumerate(links)
        ]

    def _constant(self, values: Floats, part: Rows) -> tuple[Floats, Floats, Floats]:
        none = np.zeros(1)
        return (values if len(values) == 1 else values[part]), none, none

    def values(self, part: Rows, eta: Floats) -> Floats:
        theta = [t[0] for t in self.theta(part, eta)]
        value = self.family.nll(self._y(part), *theta, check=False)
        if self.window is not None:
            value = value + self.family.log_interval(*self._window(part), *theta, check=False)
        return value

    def derivatives(self, part: Rows, eta: Floats) -> tuple[Floats, Floats, Floats]:
        chain = self.theta(part, eta)
        theta = [t[0] for t in chain]
        value, gradient, hessian = self.family.nll_grad_hess(self._y(part), *theta, check=False)
        if self.window is not None:
            terms = self.family.log_interval_grad_hess(*self._window(part), *theta, check=False)
            value, gradient, hessian = value + terms[0], gradient + terms[1], hessian + terms[2]
        for p in self.known:  # at the end of its domain its derivatives may be infinite; nobody asks for them
            gradient[p] = hessian[p] = hessian[:, p] = 0.0
        return value, *_chain_rule(chain, gradient, hessian)

    def gradient(self, part: Rows, eta: Floats) -> tuple[Floats, Floats]:
        value, gradient, _ = self.derivatives(part, eta)
        return value, gradient

    def product(self, part: Rows, eta: Floats, direction: Floats) -> Floats:
        return np.einsum("efm,fm->em", self.derivatives(part, eta)[2], direction)

    def expected(self, part: Rows, eta: Floats) -> Floats:
        chain = self.theta(part, eta)
        information = self.family.fisher(*[t[0] for t in chain])
        count = len(self.y[part])
        scaled = [[information[p, q] * chain[p][1] * chain[q][1] for q in range(len(chain))] for p in range(len(chain))]
        return np.broadcast_to(np.array(scaled), (len(chain), len(chain), count))

    def _y(self, part: Rows) -> Observations | Floats:
        return self.y if part == slice(0, self.rows) else self.y[part]

    def _window(self, part: Rows) -> tuple[Floats, Floats]:
        assert self.window is not None
        low, high = self.window
        return low[part], high[part]


def _chain_rule(chain: list[tuple[Floats, Floats, Floats]], gradient: Floats, hessian: Floats) -> tuple[Floats, Floats]:
    """From derivatives in theta to derivatives in eta.

    ``gradient`` and ``hessian`` are fresh and are overwritten.
    """
    for p, (_, first, second) in enumerate(chain):
        hessian[p] *= first
        hessian[:, p] *= first
        hessian[p, p] += gradient[p] * second
        gradient[p] *= first
    return gradient, hessian


@dataclass(frozen=True, eq=False)
class OrderedRows:
    """Classes in an order: predictor 0 is the place of the row, the others are the thresholds."""

    family: Any
    codes: np.ndarray[Any, np.dtype[np.int64]]  # (n,)
    thresholds: int
    offsets: dict[int, Floats]

    @property
    def predictors(self) -> int:
        """One, and one per threshold."""
        return 1 + self.thresholds

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.codes)

    @property
    def logarithms(self) -> tuple[int, ...]:
        """None."""
        return ()

    def theta(self, part: Rows, eta: Floats) -> tuple[Floats, Floats]:
        """``loc`` ``(m,)`` and thresholds ``(m, K)``, or with one row for all."""
        own = [eta[p] + self.offsets[p][part] if p in self.offsets else eta[p] for p in range(len(eta))]
        loc, *cuts = np.broadcast_arrays(*own)
        return loc, np.stack(cuts, axis=-1)

    def values(self, part: Rows, eta: Floats) -> Floats:
        return self.family.nll(self.codes[part], *self.theta(part, eta), check=False)

    def gradient(self, part: Rows, eta: Floats) -> tuple[Floats, Floats]:
        value, gradient = self.family.nll_grad(self.codes[part], *self.theta(part, eta), check=False)
        return value, gradient.T

    def derivatives(self, part: Rows, eta: Floats) -> tuple[Floats, Floats, Floats]:
        value, gradient, hessian = self.family.nll_grad_hess(self.codes[part], *self.theta(part, eta), check=False)
        return value, gradient.T, np.moveaxis(hessian, 0, 2)

    def product(self, part: Rows, eta: Floats, direction: Floats) -> Floats:
        return np.einsum("efm,fm->em", self.derivatives(part, eta)[2], direction)

    def expected(self, part: Rows, eta: Floats) -> Floats:
        information = np.moveaxis(self.family.fisher(*self.theta(part, eta)), 0, 2)
        return np.broadcast_to(information, (*information.shape[:2], len(self.codes[part])))


@dataclass(frozen=True, eq=False)
class JointRows:
    """Several numbers per row, one distribution for all: the predictors are the entries of its parameters.

    Those on the diagonal of the Cholesky factor are on the log scale.
    """

    family: Any
    y: Floats  # (n, D)
    offsets: dict[int, Floats]  # of entries that are held

    @property
    def predictors(self) -> int:
        """Means, and the lower triangle of the Cholesky factor."""
        size = self.y.shape[1]
        return size + size * (size + 1) // 2

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.y)

    @property
    def logarithms(self) -> tuple[int, ...]:
        """The diagonal."""
        row, column = np.tril_indices(self.y.shape[1])
        return tuple(int(p) for p in self.y.shape[1] + np.flatnonzero(row == column))

    def theta(self, eta: Floats) -> tuple[Floats, Floats]:
        """``loc`` ``(D,)`` and the factor ``(D, D)``."""
        entries = np.array(eta[:, 0])
        for p, held in self.offsets.items():
            entries[p] += held[0]
        logs, size = list(self.logarithms), self.y.shape[1]
        entries[logs] = np.exp(entries[logs])
        factor = np.zeros((size, size))
        factor[np.tril_indices(size)] = entries[size:]
        return entries[:size], factor

    def values(self, part: Rows, eta: Floats) -> Floats:
        return self.family.nll(self.y[part], *self.theta(eta), check=False)

    def gradient(self, part: Rows, eta: Floats) -> tuple[Floats, Floats]:
        theta = self.theta(eta)
        value, gradient = self.family.nll_grad(self.y[part], *theta, check=False)
        return value, (gradient * self._slopes(theta)[0]).T

    def derivatives(self, part: Rows, eta: Floats) -> tuple[Floats, Floats, Floats]:
        theta = self.theta(eta)
        value, gradient, hessian = self.family.nll_grad_hess(self.y[part], *theta, check=False)
        first, second = self._slopes(theta)
        chain = [(first[p], first[p], second[p]) for p in range(len(first))]
        return value, *_chain_rule(chain, np.array(gradient.T), np.array(np.moveaxis(hessian, 0, 2)))

    def product(self, part: Rows, eta: Floats, direction: Floats) -> Floats:
        return np.einsum("efm,fm->em", self.derivatives(part, eta)[2], direction)

    def expected(self, part: Rows, eta: Floats) -> Floats:
        theta = self.theta(eta)
        first = self._slopes(theta)[0]
        information = (self.family.fisher(*theta) * first * first[:, None])[..., None]
        return np.broadcast_to(information, (*information.shape[:2], len(self.y[part])))

    def _slopes(self, theta: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
        """First and second derivatives of the entries in their predictors."""
        first, second, logs = np.ones(self.predictors), np.zeros(self.predictors), list(self.logarithms)
        first[logs] = second[logs] = np.diag(theta[1])
        return first, second


@dataclass(frozen=True, eq=False)
class SoftmaxRows:
    """One vector parameter: logits = ``contrast @ eta + offset``; the contrast removes what no data can tell.

    ``contrast`` is ``(C, E)`` with E = C - 1: either the first class stands at zero, or all sum to zero.
    """

    family: Any
    codes: np.ndarray[Any, np.dtype[np.int64]]  # (n,)
    contrast: Floats  # (C, E)
    offset: Floats | None  # (n, C)

    @property
    def predictors(self) -> int:
        """One less than the number of classes."""
        return self.contrast.shape[1]

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.codes)

    @property
    def logarithms(self) -> tuple[int, ...]:
        """None."""
        return ()

    def logits(self, part: Rows, eta: Floats) -> Floats:
        """Shape ``(m, C)``."""
        logits = eta.T @ self.contrast.T
        logits = logits if self.offset is None else logits + self.offset[part]
        return np.broadcast_to(logits, (len(self.codes[part]), logits.shape[1]))

    def values(self, part: Rows, eta: Floats) -> Floats:
        return self.family.nll(self.codes[part], self.logits(part, eta), check=False)

    def gradient(self, part: Rows, eta: Floats) -> tuple[Floats, Floats]:
        value, gradient = self.family.nll_grad(self.codes[part], self.logits(part, eta), check=False)
        return value, self.contrast.T @ gradient.T

    def derivatives(self, part: Rows, eta: Floats) -> tuple[Floats, Floats, Floats]:
        value, gradient, hessian = self.family.nll_grad_hess(self.codes[part], self.logits(part, eta), check=False)
        return value, self.contrast.T @ gradient.T, self._project(hessian)

    def product(self, part: Rows, eta: Floats, direction: Floats) -> Floats:
        logits = self.logits(part, eta)
        moved = np.ascontiguousarray(direction.T @ self.contrast.T)
        return self.contrast.T @ self.family.hess_matvec(self.codes[part], logits, moved).T

    def curvature(self, part: Rows, eta: Floats, columns: Floats, weight: Floats | None) -> Floats:
        """Hessian of the part in all coefficients of columns ``(m, k)`` that the predictors share, by BLAS.

        In the logits it is ``diag(p) - p p'`` per row: off the diagonal minus the products of the columns
        ``p_c x``, which one matrix product gives for all pairs of classes. Blocks of a row add up to zero, so
        that a diagonal one is the sum of products with the other classes: ``p (1 - p)`` without a difference.
        """
        classes, k = len(self.contrast), columns.shape[1]
        crossed = np.zeros((classes * k, classes * k))
        logits = self.logits(part, eta)
        step = max((1 << 18) // (classes * k), 64)  # 2 MB of ``p_c x`` stay in the cache
        for first in range(0, len(columns), step):
            some = slice(first, first + step)
            share = np.asarray(self.family.mean(logits[some]))
            if weight is not None:
                share = share * np.sqrt(weight[some])[:, None]
            wide = (share[:, :, None] * columns[some, None, :]).reshape(len(share), -1)
            crossed += wide.T @ wide
        hessian = -crossed.reshape(classes, k, classes, k)
        for c in range(classes):
            hessian[c, :, c] = 0.0
            hessian[c, :, c] = -hessian[c].sum(axis=1)
        half = np.tensordot(self.contrast, hessian, axes=(0, 0))  # (E, k, C, k)
        whole = np.tensordot(half, self.contrast, axes=(2, 0))  # (E, k, k, E)
        return whole.transpose(0, 1, 3, 2).reshape(self.predictors * k, -1)

    def expected(self, part: Rows, eta: Floats) -> Floats:
        return self._project(self.family.fisher(self.logits(part, eta)))

    def _project(self, hessian: Floats) -> Floats:
        """(m, C, C) in the logits -> (E, E, m) in eta."""
        if np.array_equal(self.contrast[1:], np.eye(self.predictors)):  # the first class is the reference
            return np.moveaxis(hessian[:, 1:, 1:], 0, 2)
        half = np.tensordot(hessian, self.contrast, axes=(2, 0))  # (m, C, E)
        return np.einsum("ce,mcf->efm", self.contrast, half, optimize=True)
