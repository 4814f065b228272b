"""Exact sums over the states of a layer.

The layer's units are cut into low ones, whose states are the rows of one table, and high ones, whose state shifts the
bias of the other layer. So nothing is multiplied twice, and one table of at most 1024 rows stays in the cache.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from neglog.core.arrays import Array
from neglog.energy.model import RBM
from neglog.energy.units import Draws, sigmoid, softplus_sum
from neglog.errors import ParameterError

LARGEST = 20  # units: 2^20 states
_LOW = 10  # units of the table


def enumerable(model: RBM) -> bool:
    """Whether a layer that can be enumerated is small enough. Real visible units cannot."""
    return min(model.n_hidden, model.n_visible if model.binary else model.n_hidden) <= LARGEST


def log_partition(model: RBM) -> float:
    """``log Z``."""
    return _Layer(model).log_total()


def moments(model: RBM) -> tuple[Array, Array, Array]:
    """``<v h>``, ``<v>`` and ``<h>`` under the model."""
    layer = _Layer(model)
    product, other, own = layer.moments()
    return (product, other, own) if layer.hidden else (product.T, own, other)


def sample_hidden(model: RBM, count: int, draws: Draws) -> Array:
    """Independent states of the hidden layer."""
    layer = _Layer(model)
    own = layer.sample(count, draws)
    if layer.hidden:
        return own
    inflow = own @ layer.weights.T
    return draws.binary(inflow, layer.other_bias, sample=inflow)


def states(bits: int) -> Array:
    """All ``2^bits`` of them, one a row, the first unit changing fastest."""
    return ((np.arange(2**bits)[:, None] >> np.arange(bits)) & 1).astype(np.float64)


class _Layer:
    """The layer that is enumerated ("own") and the one that is summed out ("other")."""

    def __init__(self, model: RBM) -> None:
        if not enumerable(model):
            raise ParameterError(
                f"{type(model).__name__}: {model.n_visible} visible and {model.n_hidden} hidden units are too many to "
                f"enumerate; allowed: {LARGEST} "
                + ("in the smaller layer" if model.binary else "hidden units")
                + "; neglog.energy.ais estimates log Z of larger machines"
            )
        m = model.wide()
        self.hidden = m.n_hidden <= m.n_visible or not m.binary  # whether it is the hidden layer that is enumerated
        self.weights = m.weights if self.hidden else m.weights.T  # (other, own)
        self.own_bias, self.other_bias = (
            (m.hidden_bias, m.visible_bias) if self.hidden else (m.visible_bias, m.hidden_bias)
        )
        self.binary = m.binary  # whether the other layer is
        units = len(self.own_bias)
        self.low = min(units, _LOW)
        self.high = units - self.low
        self.table = states(self.low)
        self.inflow = np.ascontiguousarray(self.table @ self.weights[:, : self.low].T)  # (2^low, other)
        self.constant = self.table @ self.own_bias[: self.low]

    def blocks(self) -> Iterator[tuple[Array, Array, float]]:
        """(state of the high units, bias of the other layer with it, their part of the own bias), in order."""
        for state in states(self.high):
            bias = self.other_bias + self.weights[:, self.low :] @ state
            yield state, bias, float(self.own_bias[self.low :] @ state)

    def log_weights(self, bias: Array, constant: float) -> Array:
        """Logarithms of the unnormalised probabilities of one block's states."""
        if self.binary:
            return constant + self.constant + softplus_sum(self.inflow, bias)
        # the integral of exp(-|v - b|^2 / 2 + v^T m) is (2 pi)^(n/2) exp(b^T m + |m|^2 / 2)
        mean = self.inflow + bias
        excess = 0.5 * ((mean**2).sum(1) - self.other_bias @ self.other_bias)
        return constant + self.constant + excess + 0.5 * len(bias) * math.log(2 * math.pi)

    def other_mean(self, bias: Array) -> Array:
        return sigmoid(self.inflow, bias) if self.binary else self.inflow + bias

    def all_log_weights(self) -> Array:
        """(2^high, 2^low)."""
        return np.array([self.log_weights(bias, constant) for _, bias, constant in self.blocks()])

    def log_total(self) -> float:
        return _log_sum_exp(self.all_log_weights())

    def moments(self) -> tuple[Array, Array, Array]:
        """(<other own>, <other>, <own>)."""
        logs = self.all_log_weights()
        probability = np.exp(logs - _log_sum_exp(logs))
        other, own = np.zeros(len(self.other_bias)), np.zeros(len(self.own_bias))
        product = np.zeros(self.weights.shape)
        for (state, bias, _), p in zip(self.blocks(), probability, strict=True):
            mean = self.other_mean(bias)
            here = p @ mean
            other += here
            own[: self.low] += p @ self.table
            own[self.low :] += p.sum() * state
            product[:, : self.low] += mean.T @ (p[:, None] * self.table)
            product[:, self.low :] += here[:, None] * state
        return product, other, own

    def sample(self, count: int, draws: Draws) -> Array:
        """States of the enumerated layer by inverting their distribution function."""
        logs = self.all_log_weights().ravel()
        up_to = np.cumsum(np.exp(logs - logs.max()))
        index = np.searchsorted(up_to, draws.uniform(count) * up_to[-1], side="right")
        return ((index[:, None] >> np.arange(self.low + self.high)) & 1).astype(np.float64)


def _log_sum_exp(logs: Array) -> float:
    top = logs.max()
    return float(top + np.log(np.exp(logs - top).sum()))
