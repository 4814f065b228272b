"""The machines: four ways to train the same small one, scikit-learn's beside them, and a large one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.neural_network import BernoulliRBM

from examples.rbm.data import Data
from neglog import energy

BATCH = 20
CONSTANT = 0.05
POINTS = 20  # of a learning curve
TEMPERATURES = 60_000  # from the base rates to the large machine; with the usual 14,501 few of 100 runs count

Told = Callable[[energy.Progress], object]


@dataclass(frozen=True)
class Run:
    """One machine after training, with its exact negative log-likelihoods in nats per picture."""

    model: energy.RBM
    train: float
    test: float
    pseudo: float  # negative log pseudo-likelihood of the test pictures
    seconds: float
    curve: list[tuple[int, float]]  # (epoch, test)


def neglog(constant: bool = False, **options: Any) -> Callable[[Data, int, int, int, Told], Run]:
    """Our training with ``options``."""

    def run(data: Data, hidden: int, epochs: int, seed: int, told: Told) -> Run:
        curve: list[tuple[int, float]] = []
        pauses = 0.0

        def after_epoch(progress: energy.Progress) -> None:
            nonlocal pauses
            told(progress)
            if progress.epoch % max(1, epochs // POINTS) == 0:
                began = time.perf_counter()
                curve.append((progress.epoch, float(progress.model.nll(data.test).mean())))
                pauses += time.perf_counter() - began

        start = energy.BernoulliBernoulli.start(data.train, hidden, rng=seed)
        began = time.perf_counter()
        model = energy.train(
            start,
            data.train,
            epochs=epochs,
            batch_size=BATCH,
            learning_rate=CONSTANT if constant else lambda epoch: data.rate * (1 - epoch / epochs),
            rng=seed,
            callback=after_epoch,
            **options,
        )
        return judged(model, data, time.perf_counter() - began - pauses, curve)

    return run


def scikit_learn(data: Data, hidden: int, epochs: int, seed: int, told: Told) -> Run:
    """scikit-learn's, which is PCD with one step and a constant rate."""
    rbm = BernoulliRBM(hidden, learning_rate=CONSTANT, batch_size=BATCH, n_iter=epochs, random_state=seed)
    began = time.perf_counter()
    rbm.fit(data.train)
    seconds = time.perf_counter() - began
    model = energy.BernoulliBernoulli(rbm.components_.T, rbm.intercept_visible_, rbm.intercept_hidden_)
    told(energy.Progress(epochs, epochs, seconds, model))
    return judged(model, data, seconds, [])


def judged(model: energy.RBM, data: Data, seconds: float, curve: list[tuple[int, float]]) -> Run:
    """What is exactly true of the machine."""
    train, test = (float(model.nll(rows).mean()) for rows in (data.train, data.test))
    return Run(model, train, test, float(energy.pseudo_nll(model, data.test).mean()), seconds, curve)


METHODS: dict[str, Callable[[Data, int, int, int, Told], Run]] = {
    "CD-1": neglog(method="cd", steps=1),
    "CD-10": neglog(method="cd", steps=10),
    "PCD": neglog(method="pcd"),
    "PCD, constant rate": neglog(method="pcd", constant=True),
    "scikit-learn": scikit_learn,
}
FALLING = ("CD-1", "CD-10", "PCD")


@dataclass(frozen=True)
class Large:
    """A machine whose likelihood can only be estimated."""

    data: Data
    model: energy.RBM
    estimate: energy.AnnealedEstimate
    train: float  # nats per picture with the estimated log Z, on as many training pictures as there are test pictures
    test: float
    spread: float  # standard error of ``test`` over the pictures
    pseudo: float
    seconds: float
    annealing: float  # seconds
    samples: np.ndarray
    epochs: int


def train_large(data: Data, hidden: int, epochs: int, temperatures: int | None, told: Told) -> Large:
    """PCD with a falling rate and momentum, then annealed importance sampling."""
    start = energy.BernoulliBernoulli.start(data.train, hidden, rng=0)
    began = time.perf_counter()
    model = energy.train(
        start,
        data.train,
        epochs=epochs,
        batch_size=BATCH,
        learning_rate=lambda epoch: data.rate / 2 * (1 - epoch / epochs),
        momentum=0.5,
        chains=100,
        rng=0,
        callback=told,
    )
    trained = time.perf_counter()
    estimate = energy.ais(model, data.train, temperatures=temperatures or TEMPERATURES, rng=1)
    annealed = time.perf_counter()
    some = data.train[: len(data.test)]
    test = model.free_energy(data.test) + estimate.log_partition
    return Large(
        data=data,
        model=model,
        estimate=estimate,
        train=float(model.free_energy(some).mean()) + estimate.log_partition,
        test=float(test.mean()),
        spread=float(test.std(ddof=1) / np.sqrt(len(test))),
        pseudo=float(energy.pseudo_nll(model, data.test[:500]).mean()),
        seconds=trained - began,
        annealing=annealed - trained,
        samples=model.gibbs(data.test[:32], 1000, rng=2),
        epochs=epochs,
    )
