"""Small networks with one hidden layer, one for each split, trained side by side."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from examples.regression_heads.data import Part, Splits

HIDDEN = 50
EVERY = 10  # steps between two looks at the validation rows
SMALLEST = 1e-6  # variance, of targets with variance 1: a target that repeats would otherwise send the NLL to -inf


def mean_and_variance(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """The usual parameters, from a network's two outputs."""
    return first, F.softplus(second) + SMALLEST


def natural(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """The parameters in which the NLL is convex: mean / variance and -1 / (2 variance)."""
    precision = F.softplus(second)
    return first / precision, 1 / precision


def nll(loc: Tensor, var: Tensor, y: Tensor) -> Tensor:
    return (var.log() + (y - loc) ** 2 / var + math.log(2 * math.pi)) / 2


@dataclass(frozen=True)
class Head:
    """How two outputs of a network become a normal distribution, and what they learn by.

    ``loss`` is that of each row, in mean, variance and target. ``frozen``: the second output reads the features without
    training them. ``constant``: the variance is the training rows' mean squared error, for every row.
    """

    name: str
    loss: Callable[[Tensor, Tensor, Tensor], Tensor]
    predict: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]] = mean_and_variance
    frozen: bool = False
    constant: bool = False


HEADS = (
    Head("least squares", lambda loc, var, y: (y - loc) ** 2 / 2, constant=True),
    Head("Gaussian NLL", nll),
    Head("beta-NLL, 0.5", lambda loc, var, y: var.detach() ** 0.5 * nll(loc, var, y)),
    Head("faithful", lambda loc, var, y: (y - loc) ** 2 / 2 + nll(loc.detach(), var, y), frozen=True),
    Head("natural", nll, natural),
)


class Networks(nn.Module):
    """D - 50 - 2, as many as there are splits."""

    def __init__(self, splits: int, inputs: int) -> None:
        super().__init__()

        def layer(fan_in: int, fan_out: int) -> tuple[nn.Parameter, nn.Parameter]:
            bound = 1 / math.sqrt(fan_in)  # as nn.Linear
            weight = torch.empty(splits, fan_in, fan_out).uniform_(-bound, bound)
            return nn.Parameter(weight), nn.Parameter(torch.empty(splits, 1, fan_out).uniform_(-bound, bound))

        self.weight1, self.bias1 = layer(inputs, HIDDEN)
        self.weight2, self.bias2 = layer(HIDDEN, 2)

    def forward(self, x: Tensor, frozen: bool) -> tuple[Tensor, Tensor]:
        """Both outputs (S, N) for ``x`` (S, N, D)."""
        features = torch.tanh(torch.baddbmm(self.bias1, x, self.weight1))
        if not frozen:
            first, second = torch.baddbmm(self.bias2, features, self.weight2).unbind(-1)
            return first, second
        first = torch.baddbmm(self.bias2[..., :1], features, self.weight2[..., :1])
        second = torch.baddbmm(self.bias2[..., 1:], features.detach(), self.weight2[..., 1:])
        return first[..., 0], second[..., 0]


@dataclass
class Run:
    """One head on one table: what its networks are worth on the test rows, in the table's own unit."""

    head: Head
    nll: Tensor  # (S,)
    rmse: Tensor  # (S,)
    steps: Tensor  # (S,) after which the validation NLL was lowest


@torch.no_grad()
def predict(networks: Networks, head: Head, part: Part, train: Part) -> tuple[Tensor, Tensor]:
    """Mean and variance (S, N)."""
    loc, var = head.predict(*networks(part.x, head.frozen))
    if not head.constant:
        return loc, var
    fitted = networks(train.x, head.frozen)[0]
    return loc, (train.y - fitted).square().mean(1, keepdim=True).expand_as(loc)


def train(head: Head, splits: Splits, steps: int, seed: int) -> tuple[Run, Networks]:
    """Adam on all training rows at once; each network is kept as it was when its validation NLL was lowest."""
    torch.manual_seed(seed)
    count, _, inputs = splits.train.x.shape
    networks = Networks(count, inputs)
    optimizer = torch.optim.Adam(networks.parameters(), lr=5e-3)
    lowest, when = torch.full((count,), math.inf), torch.zeros(count, dtype=torch.int64)
    best = {name: parameter.detach().clone() for name, parameter in networks.named_parameters()}
    for step in range(1, steps + 1):
        loc, var = head.predict(*networks(splits.train.x, head.frozen))
        loss = head.loss(loc, var, splits.train.y).mean(1).sum()  # of networks that do not know of one another
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % EVERY == 0 or step == steps:
            now = nll(*predict(networks, head, splits.validation, splits.train), splits.validation.y).mean(1)
            better = now < lowest
            lowest, when = torch.where(better, now, lowest), torch.where(better, step, when)
            for name, parameter in networks.named_parameters():
                best[name][better] = parameter.detach()[better]
    networks.load_state_dict(best)
    return judge(networks, head, splits, when), networks


def judge(networks: Networks, head: Head, splits: Splits, when: Tensor) -> Run:
    """A unit of the scaled target is ``unit`` of the table's: densities shrink by it, errors grow."""
    loc, var = predict(networks, head, splits.test, splits.train)
    rows = nll(loc.double(), var.double(), splits.test.y.double())
    rmse = (splits.test.y - loc).double().square().mean(1).sqrt()
    return Run(head, rows.mean(1) + splits.unit.log(), rmse * splits.unit, when)
