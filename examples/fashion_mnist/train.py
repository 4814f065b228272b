"""One network, several losses: same initial weights, same batches, same order, epochs in turn."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import neglog as nl
import neglog.torch as nlt
from examples.fashion_mnist.data import CLASSES, Data, Part

Loss = Callable[[Tensor, Tensor], Tensor]  # logits (N, C), classes (N,) -> mean NLL
BATCH = 128


def in_float64(logits: Tensor, target: Tensor) -> Tensor:
    """torch's loss of the same logits in float64: the exact one, and a yardstick for how far rounding carries."""
    return F.cross_entropy(logits.double(), target)


LOSSES: dict[str, Loss] = {"neglog": nlt.cross_entropy, "torch": F.cross_entropy, "torch, float64 loss": in_float64}


@dataclass
class Run:
    """A network on its way through the epochs."""

    name: str
    loss: Loss
    model: nn.Module
    optimizer: torch.optim.Optimizer
    steps: list[float] = field(default_factory=list[float])  # training loss of every batch
    train: list[float] = field(default_factory=list[float])  # and its mean over each epoch
    validation: list[float] = field(default_factory=list[float])  # NLL after each epoch
    seconds: list[float] = field(default_factory=list[float])  # of training, per epoch
    loss_seconds: float = 0.0  # of an epoch's losses and their gradients in the logits alone


def network(seed: int) -> nn.Module:
    """784 - 256 - 128 - 10, 235,146 weights."""
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, len(CLASSES))
    )  # fmt: skip


def start(seed: int) -> list[Run]:
    """One run per loss."""
    model = network(seed)
    runs: list[Run] = []
    for name, loss in LOSSES.items():
        own = copy.deepcopy(model)
        runs.append(Run(name, loss, own, torch.optim.Adam(own.parameters(), lr=1e-3)))
    return runs


def batches(part: Part, order: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Images and classes in the given order; the last batch may be smaller."""
    for rows in order.split(BATCH):
        yield part.x[rows], part.y[rows]


def train_epoch(run: Run, part: Part, order: Tensor) -> None:
    """The loop that everybody writes; the loss is one name in it."""
    losses: list[Tensor] = []
    started = time.perf_counter()
    for x, y in batches(part, order):
        loss = run.loss(run.model(x), y)
        run.optimizer.zero_grad()
        loss.backward()
        run.optimizer.step()
        losses.append(loss.detach())
    run.seconds.append(time.perf_counter() - started)
    steps = torch.stack(losses).double()
    run.steps += steps.tolist()
    run.train.append(steps.mean().item())


@torch.no_grad()
def predict(model: nn.Module, part: Part) -> Tensor:
    """Logits (N, 10)."""
    return model(part.x)


def judge(logits: Tensor, part: Part) -> nl.evaluation.result.ClassificationResult:
    """NLL, accuracy and calibration, with standard errors."""
    score = nl.Score.classification(input="logits", classes=len(CLASSES))
    return score.update(part.y.numpy(), logits.numpy()).result()


def time_loss(runs: list[Run], part: Part, repeats: int = 5) -> None:
    """The loss and its gradient in the logits alone, over the batches of an epoch: the best of several turns."""
    everything = list(batches(part, torch.arange(len(part.y))))
    with torch.no_grad():
        logits = [runs[0].model(x) for x, _ in everything]
    seconds: dict[str, list[float]] = {run.name: [] for run in runs}
    for _ in range(repeats):
        for run in runs:
            started = time.perf_counter()
            for z, (_, y) in zip(logits, everything, strict=True):
                run.loss(z.detach().requires_grad_(), y).backward()
            seconds[run.name].append(time.perf_counter() - started)
    for run in runs:
        run.loss_seconds = min(seconds[run.name])


def train(data: Data, epochs: int, seed: int, progress: Callable[[float, int], None]) -> list[Run]:
    """All runs; ``progress`` hears the share done and the images seen."""
    runs = start(seed)
    shuffle = torch.Generator().manual_seed(seed)
    for epoch in range(epochs):
        order = torch.randperm(len(data.train.y), generator=shuffle)
        turn = epoch % len(runs)  # nobody is always first
        for index, run in enumerate(runs[turn:] + runs[:turn]):
            train_epoch(run, data.train, order)
            run.validation.append(judge(predict(run.model, data.validation), data.validation).nll)
            progress((epoch + (index + 1) / len(runs)) / epochs, (epoch * len(runs) + index + 1) * len(order))
    time_loss(runs, data.train)
    return runs
