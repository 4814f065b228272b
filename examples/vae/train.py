"""The network of Louis Tiao's Keras tutorial (2017), trained by either likelihood from the same start."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

import neglog.torch as nlt

BATCH = 100
HIDDEN, LATENT = 256, 2
LIKELIHOODS = {"Bernoulli": False, "continuous Bernoulli": True}  # what the tutorial has, and what grey levels need


class Autoencoder(nn.Module):
    """784 - 256 - 2 - 256 - 784; Keras's initial weights (Glorot and Bengio 2010, uniform; biases 0)."""

    def __init__(self, pixels: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(pixels, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2 * LATENT))
        self.decoder = nn.Sequential(nn.Linear(LATENT, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, pixels))
        for layer in (self.encoder[0], self.decoder[0], self.decoder[2]):
            nn.init.xavier_uniform_(layer.weight)
        for half in self.encoder[2].weight.split(LATENT):  # two layers side by side: mean, logarithm of the variance
            nn.init.xavier_uniform_(half)
        for layer in (self.encoder[0], self.encoder[2], self.decoder[0], self.decoder[2]):
            nn.init.zeros_(layer.bias)

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and logarithm of the variance of q(z | x), (N, 2) each."""
        mu, log_var = self.encoder(x).split(LATENT, dim=-1)
        return mu, log_var


@dataclass
class Run:
    """A network on its way through the epochs."""

    name: str
    continuous: bool
    model: Autoencoder
    optimizer: torch.optim.Optimizer
    train: list[float] = field(default_factory=list[float])  # mean loss of each epoch's batches
    test: list[float] = field(default_factory=list[float])  # loss of the test images after it
    seconds: list[float] = field(default_factory=list[float])


def bound(model: Autoencoder, x: Tensor, continuous: bool, generator: torch.Generator) -> Tensor:
    """The loss: negative evidence lower bound with one draw an image."""
    mu, log_var = model.posterior(x)
    z = nlt.gaussian_draws(mu, log_var, generator=generator)
    nll = nlt.pixel_nll_loss(model.decoder(z), x, continuous=continuous, reduction="none")
    return nlt.elbo_loss(nll, mu, log_var)


@torch.no_grad()
def importance_bound(
    model: Autoencoder, x: Tensor, continuous: bool, samples: int, generator: torch.Generator
) -> Tensor:
    """The importance-weighted bound of each image, (N,)."""
    found: list[Tensor] = []
    for rows in x.split(max(1, 20_000 // samples)):
        mu, log_var = model.posterior(rows)
        z = nlt.gaussian_draws(mu, log_var, samples, generator)
        nll = nlt.pixel_nll_loss(model.decoder(z), rows, continuous=continuous, reduction="none")
        found.append(nlt.iwae_loss(nll, z, mu, log_var, reduction="none"))
    return torch.cat(found)


def start(pixels: int, seed: int) -> list[Run]:
    """One run per likelihood; RMSprop as Keras has it."""
    torch.manual_seed(seed)
    model = Autoencoder(pixels)
    runs: list[Run] = []
    for name, continuous in LIKELIHOODS.items():
        own = copy.deepcopy(model)
        optimizer = torch.optim.RMSprop(own.parameters(), lr=1e-3, alpha=0.9, eps=1e-7)
        runs.append(Run(name, continuous, own, optimizer))
    return runs


def train_epoch(run: Run, x: Tensor, order: Tensor, generator: torch.Generator) -> None:
    """Every image once, in batches of 100."""
    losses: list[Tensor] = []
    started = time.perf_counter()
    for rows in order.split(BATCH):
        loss = bound(run.model, x[rows], run.continuous, generator)
        run.optimizer.zero_grad()
        loss.backward()
        run.optimizer.step()
        losses.append(loss.detach())
    run.seconds.append(time.perf_counter() - started)
    run.train.append(torch.stack(losses).double().mean().item())


def train(x: Tensor, test: Tensor, epochs: int, seed: int, progress: Callable[[float, int], None]) -> list[Run]:
    """Both runs, epochs in turn, the same batches; ``progress`` hears the share done and the images seen."""
    runs = start(x.shape[1], seed)
    shuffle = torch.Generator().manual_seed(seed)
    draws = {run.name: torch.Generator().manual_seed(seed) for run in runs}
    for epoch in range(epochs):
        order = torch.randperm(len(x), generator=shuffle)
        for index, run in enumerate(runs):
            train_epoch(run, x, order, draws[run.name])
            with torch.no_grad():
                run.test.append(bound(run.model, test, run.continuous, draws[run.name]).item())
            progress((epoch + (index + 1) / len(runs)) / epochs, (epoch * len(runs) + index + 1) * len(x))
    return runs
