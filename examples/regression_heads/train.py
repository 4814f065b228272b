"""Small networks with one hidden layer, one for each split, trained side by side."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

import neglog.torch as nlt
from examples.regression_heads.data import Part, Splits

HIDDEN = 50
EVERY = 10  # steps between two looks at the validation rows

State = dict[str, Tensor]  # parameters of all networks, (S, ...) each
Loss = Callable[[Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Head:
    """A network's last layer, and the loss by which it learns.

    ``loss`` takes what the layer returns and the targets, (S, N) each, and sums. ``constant``: the predicted variance
    is the training rows' mean squared error, for every row.
    """

    name: str
    layer: Callable[[], nn.Module]
    loss: Loss
    constant: bool = False


def least_squares(mean: Tensor, var: Tensor, y: Tensor) -> Tensor:
    return F.mse_loss(mean, y, reduction="sum") / 2


def gaussian(mean: Tensor, var: Tensor, y: Tensor) -> Tensor:
    return nlt.gaussian_nll_loss(mean, y, var, reduction="sum")


def beta(mean: Tensor, var: Tensor, y: Tensor) -> Tensor:
    return nlt.beta_nll_loss(mean, y, var, beta=0.5, reduction="sum")


def faithful(mean: Tensor, var: Tensor, y: Tensor) -> Tensor:
    return nlt.faithful_gaussian_nll_loss(mean, y, var, reduction="sum")


def natural(eta_1: Tensor, eta_2: Tensor, y: Tensor) -> Tensor:
    return nlt.natural_gaussian_nll_loss(eta_1, y, eta_2, reduction="sum")


HEADS = (
    Head("least squares", lambda: nlt.GaussianHead(HIDDEN), least_squares, constant=True),
    Head("Gaussian NLL", lambda: nlt.GaussianHead(HIDDEN), gaussian),
    Head("beta-NLL, 0.5", lambda: nlt.GaussianHead(HIDDEN), beta),
    Head("faithful", lambda: nlt.GaussianHead(HIDDEN, faithful=True), faithful),
    Head("natural", lambda: nlt.NaturalGaussianHead(HIDDEN), natural),
)


class Network(nn.Module):
    """D - 50 - head."""

    def __init__(self, inputs: int, head: nn.Module) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Linear(inputs, HIDDEN), nn.Tanh())
        self.head = head

    def forward(self, x: Tensor, moments: bool) -> tuple[Tensor, Tensor]:
        """The head's two outputs (N,) for ``x`` (N, D), or mean and variance."""
        last = self.head.moments if moments and hasattr(self.head, "moments") else self.head
        first, second = last(self.features(x))
        return first[:, 0], second[:, 0]


class Networks:
    """As many networks as there are splits, evaluated at once."""

    def __init__(self, head: Head, splits: int, inputs: int) -> None:
        made = [Network(inputs, head.layer()) for _ in range(splits)]
        self.head = head
        self.state: State = stack_module_state(made)[0]
        self._shape = copy.deepcopy(made[0]).to("meta")

    def __call__(self, x: Tensor, moments: bool = False) -> tuple[Tensor, Tensor]:
        """Two outputs (S, N) for ``x`` (S, N, D)."""

        def one(state: State, rows: Tensor) -> tuple[Tensor, Tensor]:
            return functional_call(self._shape, state, (rows, moments))

        return vmap(one)(self.state, x)

    @torch.no_grad()
    def predict(self, part: Part, train: Part) -> tuple[Tensor, Tensor]:
        """Mean and variance (S, N)."""
        mean, var = self(part.x, moments=True)
        if not self.head.constant:
            return mean, var
        fitted, _ = self(train.x, moments=True)
        return mean, (train.y - fitted).square().mean(1, keepdim=True).expand_as(mean)

    def nll(self, part: Part, train: Part) -> Tensor:
        """Mean of each split (S,), in the scaled unit."""
        mean, var = (value.double() for value in self.predict(part, train))
        return nlt.gaussian_nll_loss(mean, part.y.double(), var, full=True, reduction="none").mean(1)


@dataclass
class Run:
    """One head on one table: what its networks are worth on the test rows, in the table's own unit."""

    head: Head
    nll: Tensor  # (S,)
    rmse: Tensor  # (S,)
    steps: Tensor  # (S,) after which the validation NLL was lowest


def train(head: Head, splits: Splits, steps: int, seed: int) -> tuple[Run, Networks]:
    """Adam on all training rows at once; each network is kept as it was when its validation NLL was lowest."""
    torch.manual_seed(seed)
    count, rows, inputs = splits.train.x.shape
    networks = Networks(head, count, inputs)
    optimizer = torch.optim.Adam(networks.state.values(), lr=5e-3)
    lowest, when = torch.full((count,), math.inf, dtype=torch.float64), torch.zeros(count, dtype=torch.int64)
    best = {name: parameter.detach().clone() for name, parameter in networks.state.items()}
    for step in range(1, steps + 1):
        loss = head.loss(*networks(splits.train.x), splits.train.y) / rows  # networks that do not know of one another
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % EVERY == 0 or step == steps:
            now = networks.nll(splits.validation, splits.train)
            better = now < lowest
            lowest, when = torch.where(better, now, lowest), torch.where(better, step, when)
            for name, parameter in networks.state.items():
                best[name][better] = parameter.detach()[better]
    networks.state = best
    return judge(networks, splits, when), networks


def judge(networks: Networks, splits: Splits, when: Tensor) -> Run:
    """A unit of the scaled target is ``unit`` of the table's: densities shrink by it, errors grow."""
    mean, _ = networks.predict(splits.test, splits.train)
    rmse = (splits.test.y - mean).double().square().mean(1).sqrt() * splits.unit
    return Run(networks.head, networks.nll(splits.test, splits.train) + splits.unit.log(), rmse, when)
