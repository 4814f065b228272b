"""Annealed importance sampling: log Z of machines that are too large to enumerate."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neglog.core.arrays import Array, floating
from neglog.energy.model import RBM, base_rates, checked, whole
from neglog.energy.units import Draws, Rng, product, softplus_sum
from neglog.errors import ParameterError, ShapeError


@dataclass(frozen=True, eq=False)
class AnnealedEstimate:
    """An estimate of ``log Z``.

    ``exp(log_partition)`` is unbiased for ``Z``. Its logarithm is too small on average (Jensen), by about half of
    ``stderr`` squared: **a likelihood made with it is on average too good**, and much too good where ``low`` is
    ``-inf`` or the effective sample size is a few runs.
    """

    log_partition: float
    stderr: float
    """Standard error of ``log_partition``: that of the estimated ``Z``, relative to it."""
    low: float
    high: float
    """Logarithms of the estimated ``Z`` less and plus three of its standard errors; ``-inf`` if that reaches 0."""
    effective_sample_size: float
    """``(sum w)^2 / sum w^2``: as many equally weighted runs say as much."""
    log_weights: Array = field(repr=False)
    """One a run, of Z itself: their mean in linear space is the estimate."""


def salakhutdinov_murray() -> Array:
    """The 14,501 inverse temperatures of Salakhutdinov & Murray (2008), section 5.1: finer towards the end.

    Steps of 0.001 up to 0.5, of 0.0001 up to 0.9, of 0.00001 up to 1.

    Examples
    --------
    >>> import neglog as nl
    >>> nl.energy.salakhutdinov_murray()[[0, 1, 501, 4501, -1]]
    array([0.     , 0.001  , 0.5001 , 0.90001, 1.     ])
    """
    return np.concatenate([np.arange(500) / 1e3, np.arange(5000, 9000) / 1e4, np.arange(90_000, 100_001) / 1e5])


def ais(
    model: RBM,
    data: Any = None,
    *,
    base: Any = None,
    temperatures: Any = None,
    runs: int = 100,
    rng: Rng = None,
    callback: Callable[[float], object] | None = None,
) -> AnnealedEstimate:
    r"""Estimate ``log Z`` by annealed importance sampling (Salakhutdinov & Murray, ICML 2008).

    Each run goes from a model without weights, whose ``Z`` is known, through

    .. math:: p^*_\beta(v) = e^{(1-\beta) b_A^T v + \beta b^T v} \prod_j \big(1 + e^{\beta (c_j + (v W)_j)}\big)

    to the machine itself, :math:`\beta` from 0 to 1, and weighs the path.

    Parameters
    ----------
    model : BernoulliBernoulli or GaussianBernoulli
    data : (n, visible units) array, optional
        The first model has the mean of these rows, which is closer than that of zero biases.
    base : (visible units,) array, optional
        Its biases ``b_A``, instead of ``data``.
    temperatures : int or increasing array from 0 to 1, optional
        How many equal steps of beta, or the betas; those of :func:`salakhutdinov_murray` without.
    runs : int
        Independent ones.
    rng : numpy.random.Generator or int, optional
        Source of randomness, or its seed.
    callback : function of a number, optional
        Told now and then which share of the work is done.

    Returns
    -------
    AnnealedEstimate

    Raises
    ------
    ParameterError
        Temperatures that do not rise from 0 to 1; fewer than 2 runs.

    Examples
    --------
    >>> import neglog as nl
    >>> machine = nl.energy.BernoulliBernoulli([[0.5, -0.3], [0.2, 0.8], [-0.6, 0.1]], [0.1, -0.2, 0.3], [-0.1, 0.4])
    >>> estimate = nl.energy.ais(machine, temperatures=200, runs=2000, rng=0)
    >>> bool(estimate.low < machine.log_partition() < estimate.high), round(estimate.log_partition, 2)
    (True, 4.02)
    """
    betas, m, draws = _betas(temperatures), model.wide(), Draws(rng)
    runs = whole("ais", "runs", runs, 2)
    path = _Path(m, _base(m, data, base))
    v = path.layer(np.zeros((runs, m.n_hidden)), 0.0, draws)
    logs = np.full(runs, path.log_partition_of_base())
    for step in range(1, len(betas)):
        before, beta = float(betas[step - 1]), float(betas[step])
        logs += (beta - before) * path.visible_slope(v)
        inflow = product(v, m.weights)
        logs -= softplus_sum(inflow, before * m.hidden_bias, scale=before)
        softplus, h = np.empty(runs), np.empty_like(inflow)
        draws.binary(inflow, beta * m.hidden_bias, scale=beta, sample=h, softplus=softplus)
        logs += softplus
        v = path.layer(h, beta, draws)
        if callback is not None and step % 100 == 0:
            callback(step / len(betas))
    return _estimate(logs)


@dataclass(frozen=True)
class _Path:
    """The models between the first one and the machine."""

    model: RBM
    base: Array  # b_A

    def log_partition_of_base(self) -> float:
        hidden = self.model.n_hidden * math.log(2.0)
        if self.model.binary:
            return float(np.logaddexp(0.0, self.base).sum()) + hidden
        return 0.5 * self.model.n_visible * math.log(2 * math.pi) + hidden

    def visible_slope(self, v: Array) -> Array:
        """d/d beta of the part of ``log p*_beta(v)`` that has no hidden units, (n,)."""
        b, a = self.model.visible_bias, self.base
        if self.model.binary:
            return v @ (b - a)
        return 0.5 * (((v - a) ** 2).sum(1) - ((v - b) ** 2).sum(1))

    def layer(self, h: Array, beta: float, draws: Draws) -> Array:
        """Visible units given hidden ones at ``beta``."""
        bias, inflow = (1 - beta) * self.base + beta * self.model.visible_bias, product(h, self.model.weights.T)
        if self.model.binary:
            return draws.binary(inflow, bias, scale=beta, sample=inflow)
        return draws.add_normal(beta * inflow + bias)


def _base(model: RBM, data: Any, base: Any) -> Array:
    if data is not None and base is not None:
        raise ParameterError("ais: data and base; allowed: one of them")
    if data is not None:
        return base_rates(checked("ais", data, model.n_visible, model.binary, "data"), model.binary)
    biases = np.zeros(model.n_visible) if base is None else floating("ais", "base", base).astype(np.float64)
    if biases.shape != (model.n_visible,):
        raise ShapeError(f"ais: base has shape {biases.shape}; allowed: ({model.n_visible},)")
    if not np.isfinite(biases).all():
        raise ParameterError("ais: base; allowed: finite numbers")
    return biases


def _betas(temperatures: Any) -> Array:
    if temperatures is None:
        return salakhutdinov_murray()
    if isinstance(temperatures, int | np.integer):
        return np.linspace(0.0, 1.0, whole("ais", "temperatures", temperatures, 1) + 1)
    betas = np.asarray(temperatures, np.float64)
    if betas.ndim != 1 or len(betas) < 2 or betas[0] != 0 or betas[-1] != 1 or not (np.diff(betas) > 0).all():
        raise ParameterError("ais: temperatures; allowed: a number of steps, or values that rise from 0 to 1")
    return betas


def _estimate(logs: Array) -> AnnealedEstimate:
    top = logs.max()
    weights = np.exp(logs - top)
    mean = weights.mean()
    relative = float(weights.std(ddof=1) / math.sqrt(len(weights)) / mean)
    log_z = float(top + math.log(mean))
    return AnnealedEstimate(
        log_partition=log_z,
        stderr=relative,
        low=log_z + math.log1p(-3 * relative) if 3 * relative < 1 else -math.inf,
        high=log_z + math.log1p(3 * relative),
        effective_sample_size=float(weights.sum() ** 2 / (weights**2).sum()),
        log_weights=logs,
    )
