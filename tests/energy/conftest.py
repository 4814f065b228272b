"""Machines and what is true of them by definition: every state of both layers in a table."""

import itertools

import numpy as np
import pytest

import neglog as nl


def states(units):
    return np.array(list(itertools.product([0.0, 1.0], repeat=units)))


class Oracle:
    """A Bernoulli machine as the joint distribution of its units, from the energy alone."""

    def __init__(self, model):
        w, b, c = (a.astype(float) for a in (model.weights, model.visible_bias, model.hidden_bias))
        self.v, self.h = states(len(b)), states(len(c))
        minus_energy = (self.v @ b)[:, None] + (self.h @ c)[None] + self.v @ w @ self.h.T
        self.log_z = np.logaddexp.reduce(minus_energy.ravel())
        self.p = np.exp(minus_energy - self.log_z)  # (visible states, hidden states)
        self.p_v, self.p_h = self.p.sum(1), self.p.sum(0)


def machine(visible, hidden, seed=0, kind=nl.energy.BernoulliBernoulli, scale=1.0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    draw = [rng.normal(scale=scale, size=shape).astype(dtype) for shape in ((visible, hidden), visible, hidden)]
    return kind(*draw)


@pytest.fixture
def spec():
    """The machine of the test vectors."""
    return nl.energy.BernoulliBernoulli([[0.5, -0.3], [0.2, 0.8], [-0.6, 0.1]], [0.1, -0.2, 0.3], [-0.1, 0.4])


DATA = np.array([[1, 0, 1], [0, 1, 1]])
