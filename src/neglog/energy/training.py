"""Contrastive divergence (CD-k) and persistent contrastive divergence (PCD-k) with mini-batches."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from neglog import _native
from neglog.core.arrays import Array
from neglog.core.domain import NON_NEGATIVE, Interval, check_number
from neglog.energy.model import RBM, checked, whole
from neglog.energy.sparsity import Sparsity
from neglog.energy.units import Draws, Rng, aligned, product
from neglog.errors import DataError, ParameterError

Schedule = float | Callable[[int], float]
"""A number, or a function of the epoch, counted from 0."""

_BELOW_ONE = Interval(0.0, 1.0, low_closed=True)


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
        check_number("train", "weight_decay", self.weight_decay, NON_NEGATIVE)
        if not isinstance(self.sparsity, Sparsity | None):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ParameterError(f"train: sparsity = {self.sparsity!r}; allowed: neglog.energy.Sparsity(...)")

    def at(self, epoch: int) -> tuple[float, float]:
        """Learning rate and momentum of an epoch."""
        rate, momentum = (s(epoch) if callable(s) else s for s in (self.learning_rate, self.momentum))
        check_number(f"train, epoch {epoch}", "learning_rate", rate, NON_NEGATIVE)
        check_number(f"train, epoch {epoch}", "momentum", momentum, _BELOW_ONE)
        return float(rate), float(momentum)


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
        self.chains: Array | None = None  # hidden states of the persistent chains
        self._kind = type(model)
        self._weights = aligned(model.n_visible, model.n_hidden, model.weights.dtype)
        self._weights[:] = model.weights
        self._visible, self._hidden = model.visible_bias.copy(), model.hidden_bias.copy()
        self._parameters = self._weights, self._visible, self._hidden
        self._speed = tuple(np.zeros(a.shape, a.dtype) for a in self._parameters)
        self._product = np.empty_like(self._weights)
        self._running = np.full(model.n_hidden, np.nan)
        self._draws = Draws(rng)
        self.begin_epoch(0)

    def begin_epoch(self, epoch: int) -> None:
        """Learning rate and momentum of ``epoch`` from now on."""
        self.epoch = epoch
        self._rate, self._momentum = self.options.at(epoch)
        self._rooms: dict[int, _Room] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_rooms": {}}  # views of one another, which copies would not be

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
        room = self._room(len(batch))
        room.v_data[:] = batch
        self._step(room)

    def step_rows(self, data: Array, rows: Array) -> None:
        """One update from ``data[rows]``, without a copy on the way; both are taken as they are."""
        room = self._room(len(rows))
        data.take(rows, 0, room.v_data, "clip")  # "raise" would buffer, and np.take costs a microsecond more
        self._step(room)

    def _step(self, room: _Room) -> None:
        if self.chains is not None:
            self._persist(room, self.chains)
        else:
            self._contrast(room)
        self._update(room)

    def check(self) -> None:
        """Parameters that have run away make no model."""
        most = float(np.finfo(self.dtype).max) ** 0.5  # squares of larger ones overflow
        if not all((np.abs(a) <= most).all() for a in (self._weights, self._visible, self._hidden)):
            raise ParameterError(
                f"train: parameters have run away in epoch {self.epoch}: learning_rate = {self._rate} is too large for "
                "these data"
            )

    def _room(self, count: int) -> _Room:
        if count in self._rooms:
            return self._rooms[count]
        if self.options.method == "pcd" and self.chains is None:
            self.chains = np.zeros((self.options.chains or count, len(self._hidden)), self.dtype)
            self._draws.binary(self.chains, np.zeros_like(self._hidden), sample=self.chains)
        fantasies = count if self.chains is None else len(self.chains)
        v, h = (aligned(count + fantasies, units, self.dtype) for units in self._weights.shape)
        share = np.repeat([self._rate / count, -self._rate / fantasies], [count, fantasies]).astype(self.dtype)
        self._rooms[count] = _Room(v, h, v[:count], v[count:], h[:count], h[count:], share)
        return self._rooms[count]

    def _persist(self, room: _Room, states: Array) -> None:
        """The chains go on from hidden ``states``. The last product with the weights serves data and chains."""
        for _ in range(self.options.steps - 1):
            self._dream(states, room.v_fantasy)
            self._draws.layer(room.v_fantasy, self._weights, self._hidden, sample=states)
        self._dream(states, room.v_fantasy)
        self._draws.layer(room.v, self._weights, self._hidden, sample=states, probability=room.h)

    def _contrast(self, room: _Room) -> None:
        """The chains begin at the data."""
        self._draws.layer(room.v_data, self._weights, self._hidden, sample=room.h_fantasy, probability=room.h_data)
        for _ in range(self.options.steps - 1):
            self._dream(room.h_fantasy, room.v_fantasy)
            self._draws.layer(room.v_fantasy, self._weights, self._hidden, sample=room.h_fantasy)
        self._dream(room.h_fantasy, room.v_fantasy)
        self._draws.layer(room.v_fantasy, self._weights, self._hidden, probability=room.h_fantasy)

    def _dream(self, states: Array, out: Array) -> None:
        """Visible units given hidden ``states``."""
        if self._kind.binary:
            self._draws.layer(states, self._weights.T, self._visible, sample=out)
        else:
            product(states, self._weights.T, out)
            out += self._visible
            self._draws.add_normal(out)

    def _update(self, room: _Room) -> None:
        sparsity, decay = self.options.sparsity, self._rate * self.options.weight_decay
        penalty = sparsity.descent(room.v_data, room.h_data, self._running) if sparsity else None
        moved = self._speed if self._momentum else self._parameters
        if self._momentum:
            for speed in moved:
                speed *= self._momentum
        if decay:
            moved[0][:] -= decay * self._weights
        if not _native.update(room.v, room.h, room.share, *moved):
            moved[0][:] += product(room.v.T, room.h, self._product)
        if self._momentum:
            for parameter, speed in zip(self._parameters, moved, strict=True):
                parameter += speed
        if penalty is not None:
            self._hidden -= self._rate * penalty[0]
            if penalty[1] is not None:
                self._weights -= self._rate * penalty[1]


class _Room(NamedTuple):
    """The rows of an update, those of the data first, in memory that is used again and again."""

    v: Array
    h: Array
    v_data: Array
    v_fantasy: Array
    h_data: Array
    h_fantasy: Array
    share: Array  # (rows,) learning rate / rows of the data, - learning rate / fantasies


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
    trainer: Callable[[Trainer], object] | None = None,
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
    trainer : function of :class:`Trainer`, optional
        Called once with the trainer, for who wants to go on where training ends.

    Returns
    -------
    The trained machine.

    Raises
    ------
    ShapeError, DataError
        Data of another width; no rows; NaN, infinite, or, for binary units, outside [0, 1].
    ParameterError
        An option outside its domain; a learning rate so large that parameters run away.

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
    >>> def rate(epoch):
    ...     return 0.5 / (1 + epoch / 50)
    >>> machine = nl.energy.train(start, data, method="cd", steps=5, epochs=200, learning_rate=rate, rng=0)
    >>> print(f"{start.nll(data).mean():.2f} -> {machine.nll(data).mean():.1f}")
    2.08 -> 0.7
    """
    x = checked("train", data, model.n_visible, model.binary, "data")
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
        chains=min(batch_size, len(x)) if chains is None else chains,
    )
    order = np.random.default_rng(rng)
    typed = type(model)(*(np.asarray(a, x.dtype) for a in (model.weights, model.visible_bias, model.hidden_bias)))
    state = Trainer(typed, options, rng=order)
    if trainer is not None:
        trainer(state)
    began = time.perf_counter()
    for epoch in range(epochs):
        state.begin_epoch(epoch)
        _run_epoch(state, x, batch_size, order)
        if callback is None:
            continue
        if callback(Progress(epoch + 1, epochs, time.perf_counter() - began, state.model)) is True:
            break
    return state.model


def _run_epoch(trainer: Trainer, data: Array, batch_size: int, order: np.random.Generator) -> None:
    """All rows once, in an order of their own."""
    shuffled = order.permutation(len(data))
    with np.errstate(over="ignore", invalid="ignore"):  # check() says it
        for at in range(0, len(data), batch_size):
            trainer.step_rows(data, shuffled[at : at + batch_size])
    trainer.check()
