"""One hidden layer, three ends: least squares, a Gaussian whose spread is learned too, a mixture of Gaussians."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

import neglog.torch as nlt
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
    def forward(self, t: Tensor) -> nlt.GaussianMixture:
        """The density of x for each t: weights, means and standard deviations of normal components."""

    def loss(self, t: Tensor, x: Tensor) -> Tensor:
        """What training lowers."""
        return nlt.mixture_density_nll_loss(self(t), x)

    @torch.no_grad()
    def nll(self, t: Tensor, x: Tensor) -> Tensor:
        """Of each row (N,)."""
        return nlt.mixture_density_nll_loss(self(t), x, reduction="none")

    @torch.no_grad()
    def likeliest(self, t: Tensor) -> Tensor:
        """The mean of the component of the largest weight, (N, 1): the one answer to give."""
        logits, loc, _ = self(t)
        return loc[torch.arange(len(t)), logits.argmax(1)]


class LeastSquares(Network):
    """The mean alone. For a density the residuals' variance is added: one for all ``t``."""

    name = "least squares"

    def __init__(self, pairs: Part) -> None:
        super().__init__()
        self.head = nn.Linear(HIDDEN, 1)
        self.pairs = pairs

    def forward(self, t: Tensor) -> nlt.GaussianMixture:
        loc = self.head(self.features(t))
        scale = nn.functional.mse_loss(self.head(self.features(self.pairs.t)), self.pairs.x).sqrt()
        return nlt.GaussianMixture(torch.zeros_like(loc), loc[:, None], scale.expand(loc.shape)[:, None])

    def loss(self, t: Tensor, x: Tensor) -> Tensor:
        return nn.functional.mse_loss(self.head(self.features(t)), x)


class Mixture(Network):
    """A mixture density network; with one component the Gaussian network whose spread learns too."""

    def __init__(self, count: int, pairs: Part) -> None:
        super().__init__()
        self.name = "one Gaussian" if count == 1 else f"mixture of {count}"
        self.head = nlt.MixtureDensityHead(HIDDEN, count, targets=pairs.x)

    def forward(self, t: Tensor) -> nlt.GaussianMixture:
        return self.head(self.features(t))


Make = Callable[[Part], Network]
NETWORKS: tuple[Make, ...] = (LeastSquares, lambda pairs: Mixture(1, pairs), lambda pairs: Mixture(3, pairs))


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


def train(make: Make, parts: tuple[Part, Part], steps: int, seed: int) -> Run:
    """Adam on all training pairs at once."""
    pairs, test = parts
    torch.manual_seed(seed)
    run = Run(make(pairs))
    optimizer = torch.optim.Adam(run.network.parameters(), lr=1e-2)
    for step in range(1, steps + 1):
        loss = run.network.loss(pairs.t, pairs.x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % EVERY == 0 or step == steps:
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
