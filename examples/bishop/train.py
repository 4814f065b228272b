"""One hidden layer, three ends: least squares, a Gaussian whose spread is learned too, a mixture of Gaussians."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from examples.bishop.data import Part, curve, true_nll

HIDDEN = 20
EVERY = 25  # steps between two points of a learning curve


class Network(nn.Module, ABC):
    """``features`` of t, and on them a density of x."""

    name: str

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Linear(1, HIDDEN), nn.Tanh())

    @abstractmethod
    def components(self, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Weights, locations and scales of the normals that make the density, each (N, K)."""

    @abstractmethod
    def loss(self, t: Tensor, x: Tensor) -> Tensor:
        """What training lowers."""

    def finish(self, part: Part) -> None:
        """After training."""

    @torch.no_grad()
    def nll(self, t: Tensor, x: Tensor) -> Tensor:
        """Of each row (N,)."""
        weight, loc, scale = self.components(t)
        z = (x - loc) / scale
        return -torch.logsumexp(weight.log() - z * z / 2 - scale.log() - math.log(2 * math.pi) / 2, 1)

    @torch.no_grad()
    def likeliest(self, t: Tensor) -> Tensor:
        """The location of the component of the largest weight, (N, 1): the one answer to give."""
        weight, loc, _ = self.components(t)
        return loc.gather(1, weight.argmax(1, keepdim=True))


class LeastSquares(Network):
    """The mean alone. For a density the residuals' variance is added: one for all ``t``."""

    name = "least squares"

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(HIDDEN, 1)
        self.scale = 1.0

    def components(self, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        loc = self.head(self.features(t))
        return torch.ones_like(loc), loc, torch.full_like(loc, self.scale)

    def loss(self, t: Tensor, x: Tensor) -> Tensor:
        return nn.functional.mse_loss(self.head(self.features(t)), x)

    def finish(self, part: Part) -> None:
        with torch.no_grad():
            self.scale = self.loss(part.t, part.x).sqrt().item()


class Mixture(Network):
    """A mixture density network; with one component the heteroscedastic Gaussian network."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.name = "one Gaussian" if count == 1 else f"mixture of {count}"
        self.count = count
        self.head = nn.Linear(HIDDEN, 3 * count)
        with torch.no_grad():
            self.head.bias[count : 2 * count] = torch.linspace(0, 1, count + 2)[1:-1]
            self.head.bias[2 * count :] = math.log(0.3)

    def components(self, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        logits, loc, log_scale = self.head(self.features(t)).split(self.count, 1)
        return logits.softmax(1), loc, log_scale.clamp(-7, 15).exp()

    def loss(self, t: Tensor, x: Tensor) -> Tensor:
        logits, loc, log_scale = self.head(self.features(t)).split(self.count, 1)
        log_scale = log_scale.clamp(-7, 15)
        z = (x - loc) * (-log_scale).exp()
        log_density = -z * z / 2 - log_scale - math.log(2 * math.pi) / 2
        return -torch.logsumexp(logits.log_softmax(1) + log_density, 1).mean()


NETWORKS: tuple[Callable[[], Network], ...] = (LeastSquares, lambda: Mixture(1), lambda: Mixture(3))


@dataclass
class Run:
    """One trained network and what it is worth on the test pairs."""

    network: Network
    steps: list[tuple[int, float]] = field(default_factory=list[tuple[int, float]])  # test NLL on the way
    nll: float = math.nan
    stderr: float = math.nan
    apart: float = math.nan  # root mean square of t - curve(answer): how wrong the one answer is, put to the test

    def judge(self, test: Part) -> None:
        rows = self.network.nll(test.t, test.x).double()
        self.nll, self.stderr = rows.mean().item(), (rows.std() / math.sqrt(len(rows))).item()
        self.apart = (test.t - curve(self.network.likeliest(test.t))).square().mean().sqrt().item()


def train(make: Callable[[], Network], parts: tuple[Part, Part], steps: int, seed: int) -> Run:
    """Adam on all training pairs at once."""
    pairs, test = parts
    torch.manual_seed(seed)
    run = Run(make())
    optimizer = torch.optim.Adam(run.network.parameters(), lr=1e-2)
    for step in range(1, steps + 1):
        loss = run.network.loss(pairs.t, pairs.x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % EVERY == 0 or step == steps:
            run.network.finish(pairs)
            run.steps.append((step, run.network.nll(test.t, test.x).mean().item()))
    run.judge(test)
    return run


def floor(test: Part) -> tuple[float, float]:
    """NLL of the law that made the data, and its standard error."""
    rows = true_nll(test.t)
    return rows.mean().item(), (rows.std() / math.sqrt(len(rows))).item()


def summary(runs: list[Run]) -> dict[str, Any]:
    """The numbers of one network over its seeds."""
    return {
        "nll": [run.nll for run in runs],
        "stderr": [run.stderr for run in runs],
        "apart": [run.apart for run in runs],
    }
