"""Contrastive divergence (CD-k) and persistent contrastive divergence (PCD-k) with mini-batches."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from neglog.core.arrays import Array
from neglog.energy.model import RBM, checked, whole
from neglog.energy.sparsity import Sparsity
from neglog.energy.units import Draws, Rng, sigmoid
from neglog.errors import DataError, ParameterError

Schedule = float | Callable[[int], float]
"""A number, or a function of the epoch, counted from 0."""


class Progress(NamedTuple):
    """What a callback is told after each epoch."""

    epoch: int  # the first is 1
    epochs: int
    seconds: float  # since training began
    model: RBM


@dataclass(frozen=True)
class Options:
    """How a :class:`Trainer` steps; see :func:`train`."""

    method: Literal["pcd", "cd"] = "pcd"
    steps: int = 1
    learning_rate: Schedule = 0.1
    momentum: Schedule = 0.0
    weight_decay: float = 0.0
    sparsity: Sparsity | None = None
    chains: int | None = None

    def __post_init__(self) -> None:
        if self.method not in ("pcd", "cd"):
            raise ParameterError(f"train: method = {self.method!r}; allowed: 'pcd', 'cd'")
        whole("train", "steps", self.steps, 1)
        if self.chains is not None:
            whole("train", "chains", self.chains, 1)
        if not 0 <= self.weight_decay < np.inf:
            raise ParameterError(f"train: weight_decay = {self.weight_decay}; allowed: at least 0")

    def at(self, epoch: int) -> tuple[float, float]:
        """Learning rate and momentum of an epoch."""
        rate, momentum = (float(s(epoch) if callable(s) else s) for s in (self.learning_rate, self.momentum))
        if not 0 <= rate < np.inf:
            raise ParameterError(f"train: learning_rate = {rate} in epoch {epoch}; allowed: at least 0")
        if not 0 <= momentum < 1:
            raise ParameterError(f"train: momentum = {momentum} in epoch {epoch}; allowed: at least 0, below 1")
        return rate, momentum


class Trainer:
    """Training as it goes on: parameters, momentum, chains. :func:`train` runs one to the end.

    Parameters
    ----------
    model : BernoulliBernoulli or GaussianBernoulli
        Where to start; it is not changed.
    options : Options
    rng : numpy.random.Generator or int, optional
        Source of randomness, or its seed.

    Examples
    --------
    >>> import numpy as np
    >>> import neglog as nl
    >>> data = np.array([[1.0, 1.0], [0.0, 0.0]])
    >>> trainer = nl.energy.Trainer(
    ...     nl.energy.BernoulliBernoulli.start(data, 1, rng=0), nl.energy.Options(method="cd", steps=3), rng=0
    ... )
    >>> for _ in range(2000):
    ...     trainer.step(data)
    >>> bool(trainer.model.nll(data).mean() < 1.0)  # it began at log 4 = 1.39; log 2 = 0.69 is the entropy
    True
    """

    def __init__(self, model: RBM, options: Options | None = None, *, rng: Rng = None) -> None:
        self.options = Options() if options is None else options
        self.epoch = 0  # the schedules' argument
        self.chains: Array | None = None  # hidden states of the persistent chains
        self._kind = type(model)
        self._weights, self._visible, self._hidden = (
            a.copy() for a in (model.weights, model.visible_bias, model.hidden_bias)
        )
        self._speed: tuple[Array, ...] | None = None
        self._running = np.full(model.n_hidden, np.nan)
        self._draws = Draws(rng)
        self._room: tuple[Array, Array] | None = None

    @property
    def model(self) -> RBM:
        """The machine as it is now, a copy."""
        return self._kind(self._weights, self._visible, self._hidden)

    @property
    def dtype(self) -> np.dtype[Any]:
        """In which all arithmetic is done."""
        return self._weights.dtype

    def step(self, batch: Array) -> None:
        """One update from the rows of ``batch``, which are taken as they are: :func:`train` checks them before."""
        count = len(batch)
        persistent = self.options.method == "pcd"
        fantasies = self._start_chains(count) if persistent else count
        v, h = self._rows(count + fantasies)
        v[:count] = batch
        if persistent:
            assert self.chains is not None
            self._walk(self.chains, v, h, count)
        else:
            np.matmul(v[:count], self._weights, out=h[:count])
            states = self._draws.binary(h[:count], self._hidden, sample=h[count:], probability=h[:count])
            self._walk(states, v, h, count)
        self._update(v, h, count)

    def check(self) -> None:
        """Parameters that have run away make no model."""
        if not all(np.isfinite(a).all() for a in (self._weights, self._visible, self._hidden)):
            raise ParameterError(
                f"train: parameters are no longer finite in epoch {self.epoch}: learning_rate = "
                f"{self.options.at(self.epoch)[0]} is too large for these data"
            )

    def _start_chains(self, count: int) -> int:
        if self.chains is None:
            self.chains = np.zeros((self.options.chains or count, len(self._hidden)), self.dtype)
            self._draws.binary(self.chains, np.zeros_like(self._hidden), sample=self.chains)
        return len(self.chains)

    def _rows(self, count: int) -> tuple[Array, Array]:
        """Room for visible and hidden rows that is used again and again."""
        if self._room is None or len(self._room[0]) < count:
            self._room = tuple(np.empty((count, len(b)), self.dtype) for b in (self._visible, self._hidden))  # type: ignore[assignment]
        v, h = self._room  # type: ignore[misc]
        return v[:count], h[:count]

    def _walk(self, states: Array, v: Array, h: Array, count: int) -> None:
        """Gibbs steps from hidden ``states``: fantasies into ``v[count:]``, probabilities of hidden units into ``h``.

        The last product serves the data too, where it has not been made before; persistent chains go on from here.
        """
        fantasy, inflow = v[count:], h[count:]
        persistent = states is self.chains
        for step in range(self.options.steps):
            np.matmul(states, self._weights.T, out=fantasy)
            if self._kind.binary:
                self._draws.binary(fantasy, self._visible, sample=fantasy)
            else:
                self._draws.add_normal(np.add(fantasy, self._visible, out=fantasy))
            last = step == self.options.steps - 1
            if last and persistent:
                np.matmul(v, self._weights, out=h)
                sigmoid(h[:count], self._hidden, out=h[:count])
            else:
                np.matmul(fantasy, self._weights, out=inflow)
            if persistent:
                self._draws.binary(inflow, self._hidden, sample=states, probability=inflow if last else None)
            elif last:
                sigmoid(inflow, self._hidden, out=inflow)
            else:
                states = self._draws.binary(inflow, self._hidden, sample=inflow)

    def _update(self, v: Array, h: Array, count: int) -> None:
        rate, momentum = self.options.at(self.epoch)
        sparsity = self.options.sparsity
        penalty = sparsity.descent(v[:count], h[:count], self._running) if sparsity else None
        h[:count] *= rate / count
        h[count:] *= -rate / (len(h) - count)
        visible = v[:count].sum(0) * (rate / count) - v[count:].sum(0) * (rate / (len(v) - count))
        shrink = rate * self.options.weight_decay
        if momentum == 0:
            _add_product(self._weights, 1 - shrink, v, h)
            self._visible += visible
            self._hidden += h.sum(0)
        else:
            if self._speed is None:
                self._speed = tuple(np.zeros_like(a) for a in (self._weights, self._visible, self._hidden))
            weights, visible_speed, hidden_speed = self._speed
            _add_product(weights, momentum, v, h)
            if shrink:
                weights -= shrink * self._weights
            for speed, push in ((visible_speed, visible), (hidden_speed, h.sum(0))):
                speed *= momentum
                speed += push
            self._weights += weights
            self._visible += visible_speed
            self._hidden += hidden_speed
        if penalty is not None:
            self._hidden -= rate * penalty[0]
            if penalty[1] is not None:
                self._weights -= rate * penalty[1]


def _add_product(total: Array, factor: float, a: Array, b: Array) -> None:
    """``total = factor * total + a^T b`` in place, by one call of BLAS, which sees the transposes."""
    from scipy.linalg import blas

    gemm: Any = getattr(blas, "sgemm" if total.dtype == np.float32 else "dgemm")
    gemm(1.0, b.T, a.T, factor, total.T, trans_b=1, overwrite_c=1)


def train(
    model: RBM,
    data: Any,
    *,
    method: Literal["pcd", "cd"] = "pcd",
    steps: int = 1,
    epochs: int = 10,
    batch_size: int = 10,
    learning_rate: Schedule = 0.1,
    momentum: Schedule = 0.0,
    weight_decay: float = 0.0,
    sparsity: Sparsity | None = None,
    chains: int | None = None,
    rng: Rng = None,
    callback: Callable[[Progress], object] | None = None,
) -> RBM:
    r"""Lower the mean negative log-likelihood by stochastic gradients.

    .. math:: \Delta W = \epsilon \big(\langle v h \rangle_{data} - \langle v h \rangle_{chains}\big)

    and likewise for the biases. The chains begin at the data and take ``steps`` steps of Gibbs sampling (CD), or go on
    from update to update (PCD). Of hidden units the last step contributes probabilities, all earlier ones states.

    Parameters
    ----------
    model : BernoulliBernoulli or GaussianBernoulli
        Where to start, for instance ``BernoulliBernoulli.start(data, 64)``; it is not changed.
    data : (n, visible units) array
        float32 data are computed in float32, others in float64.
    method : {"pcd", "cd"}
    steps : int
        k.
    epochs : int
        Times that all rows are seen, in a new order each.
    batch_size : int
        Rows of an update; the last of an epoch may have fewer.
    learning_rate, momentum : float or function of the epoch (from 0)
        PCD converges only with a rate that falls.
    weight_decay : float
        ``lambda`` of ``lambda / 2 * sum(W^2)``.
    sparsity : Sparsity, optional
        A penalty on the mean of the hidden units.
    chains : int, optional
        Persistent chains; ``batch_size`` of them without.
    rng : numpy.random.Generator or int, optional
        Source of randomness, or its seed: of the order of rows and of all draws, for any number of threads.
    callback : function of :class:`Progress`, optional
        Called after each epoch; training stops early when it returns True.

    Returns
    -------
    The trained machine.

    Raises
    ------
    ShapeError, DataError
        Data of another width; no rows; NaN, infinite, or, for binary units, outside [0, 1].
    ParameterError
        An option outside its domain; a learning rate so large that parameters overflow.

    Notes
    -----
    Reconstruction error is not what is minimised: watch ``model.nll`` of held-out rows where the machine is small,
    :func:`neglog.energy.ais` or :func:`neglog.energy.pseudo_nll` elsewhere.

    References
    ----------
    Hinton, "Training products of experts by minimizing contrastive divergence" (Neural Computation 2002).
    Tieleman, "Training restricted Boltzmann machines using approximations to the likelihood gradient" (ICML 2008).
    Hinton, "A practical guide to training restricted Boltzmann machines" (2010).

    Examples
    --------
    >>> import numpy as np
    >>> import neglog as nl
    >>> data = np.repeat([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]], 50, axis=0)  # entropy log 2 = 0.69
    >>> start = nl.energy.BernoulliBernoulli.start(data, 2, rng=0)
    >>> machine = nl.energy.train(start, data, method="cd", steps=5, epochs=200, rng=0)
    >>> print(f"{start.nll(data).mean():.2f} -> {machine.nll(data).mean():.1f}")
    2.08 -> 0.7
    """
    x = checked("train", data, model.n_visible, model.binary)
    if not len(x):
        raise DataError("train: data has no rows; at least one is needed")
    epochs, batch_size = whole("train", "epochs", epochs, 0), whole("train", "batch_size", batch_size, 1)
    options = Options(
        method=method,
        steps=steps,
        learning_rate=learning_rate,
        momentum=momentum,
        weight_decay=weight_decay,
        sparsity=sparsity,
        chains=chains or min(batch_size, len(x)),
    )
    order = np.random.default_rng(rng)
    typed = type(model)(*(np.asarray(a, x.dtype) for a in (model.weights, model.visible_bias, model.hidden_bias)))
    trainer = Trainer(typed, options, rng=order)
    began = time.perf_counter()
    for epoch in range(epochs):
        trainer.epoch = epoch
        run_epoch(trainer, x, batch_size, order)
        told = callback and callback(Progress(epoch + 1, epochs, time.perf_counter() - began, trainer.model))
        if told is True:
            break
    return trainer.model


def run_epoch(trainer: Trainer, data: Array, batch_size: int, order: np.random.Generator) -> None:
    """All rows once, in an order of their own."""
    shuffled = order.permutation(len(data))
    for at in range(0, len(data), batch_size):
        trainer.step(data[shuffled[at : at + batch_size]])
    trainer.check()
