"""Logarithms of probabilities of many rows, with gradient and Hessian in the parameters: sums, products, complements.

A jet of order 0 has ``grad`` of shape ``(0, n)``, one of order below 2 ``hess`` of shape ``(0, 0, n)``, so that no rule
below asks for the order. ``-inf`` is probability 0 and has NaN for derivatives, which nothing reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

LOG_HALF = -0.6931471805599453


class Jets(NamedTuple):
    """A value per row, its gradient and its Hessian."""

    value: Floats  # (n,)
    grad: Floats  # (P, n), or (0, n)
    hess: Floats  # (P, P, n), or (0, 0, n)

    @property
    def order(self) -> int:
        """How many derivatives there are."""
        return bool(len(self.grad)) + bool(len(self.hess))

    def put(self, rows: Mask, other: Jets) -> None:
        """Overwrite those rows."""
        self.value[rows], self.grad[:, rows], self.hess[:, :, rows] = other.value, other.grad, other.hess

    def fill(self, rows: Mask, value: float, derivatives: float) -> None:
        """Overwrite those rows by a constant."""
        self.value[rows], self.grad[:, rows], self.hess[:, :, rows] = value, derivatives, derivatives


def constant(rows: int, count: int, order: int, value: float = 0.0, derivatives: float = 0.0) -> Jets:
    """Jets of ``order`` in ``count`` parameters that are all the same."""
    first, second = count * (order >= 1), count * (order >= 2)
    return Jets(np.full(rows, value), np.full((first, rows), derivatives), np.full((second, second, rows), derivatives))


def embed(jets: Jets, at: Sequence[int], count: int) -> Jets:
    """Jets in some of the parameters as jets in all ``count``: parameter i is number ``at[i]``."""
    out = constant(len(jets.value), count, jets.order)
    out.value[...] = jets.value
    if jets.order >= 1:
        out.grad[list(at)] = jets.grad
    if jets.order >= 2:
        out.hess[np.ix_(at, at)] = jets.hess
    return out


def negative(a: Jets) -> Jets:
    """``-a``; 0 stays 0, without a sign."""
    return Jets(0.0 - a.value, -a.grad, -a.hess)


def add(a: Jets, b: Jets) -> Jets:
    """``a + b``; the rows of one of them may be a single one that stands for all."""
    return Jets(a.value + b.value, a.grad + b.grad, a.hess + b.hess)


def log_sum(terms: Sequence[Jets]) -> Jets:
    r"""``log(sum_k exp(terms[k]))``.

    With shares :math:`w_k`, the gradient is :math:`g = \sum_k w_k g_k` and the Hessian
    :math:`\sum_k w_k (H_k + (g_k - g)(g_k - g)')`.
    """
    values = np.stack([term.value for term in terms])
    top = values.argmax(axis=0)[None]
    largest = np.take_along_axis(values, top, 0)
    weight = np.where(values == largest, 1.0, np.exp(values - largest))  # equal infinities too
    np.put_along_axis(weight, top, 0.0, 0)
    rest = weight.sum(axis=0)
    np.put_along_axis(weight, top, 1.0, 0)
    value = largest[0] + np.log1p(rest)
    share = weight / (1 + rest)
    grad = sum((_share(w, term.grad) for w, term in zip(share, terms, strict=True)), np.zeros_like(terms[0].grad))
    hess = np.zeros_like(terms[0].hess)
    if len(hess):
        for w, term in zip(share, terms, strict=True):
            apart = term.grad - grad
            hess += _share(w, term.hess + apart[:, None] * apart)
    return Jets(value, grad, hess)


def log_complement(small: Jets) -> Jets:
    """``log(1 - exp(small))``, exact for every ``small`` below 0."""
    value = small.value
    never = value == -np.inf
    excess = 1 / np.expm1(-value)  # exp(small) / (1 - exp(small))
    out = Jets(
        np.where(value > LOG_HALF, np.log(-np.expm1(value)), np.log1p(-np.exp(value))),
        -excess * small.grad,
        -excess * small.hess,
    )
    if len(out.hess):
        out.hess[...] -= excess * (1 + excess) * (small.grad[:, None] * small.grad)
    out.fill(never, 0.0, 0.0)
    out.fill(value >= 0, -np.inf, np.nan)
    return out


def _share(weight: Floats, derivative: Floats) -> Floats:
    """Nothing of what has no weight, whose derivatives may be anything."""
    return np.where(weight > 0, weight * derivative, 0.0)
