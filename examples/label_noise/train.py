"""One network, trained with one loss on one repetition of one noise."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from examples.fashion_mnist.data import CLASSES
from examples.label_noise.data import Data, Noise
from examples.label_noise.losses import Array, Loss

HIDDEN = 128
BATCH = 128
RATE = 2e-3  # of Adam


@dataclass(frozen=True)
class Settings:
    """What all runs have in common."""

    images: int  # to train with
    epochs: int


def network(seed: int) -> nn.Module:
    """784 - 128 - 128 - 10, 118,282 weights: enough to learn some thousand wrong labels by heart."""
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(784, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, len(CLASSES))
    )


@torch.no_grad()
def right(model: nn.Module, x: Tensor, labels: Tensor) -> float:
    """Share of ``labels`` that the network names; NaN of none."""
    return (model(x).argmax(1) == labels).double().mean().item()


def train(loss: Loss, noise: Noise, data: Data, settings: Settings, seed: int) -> dict[str, Any]:
    """The record of a run: what the last network is worth, and the one that fitted the validation labels best.

    Images, labels, initial weights and batches depend on ``seed`` alone, not on the loss.
    """
    started = time.process_time()
    model = network(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=loss.weight_decay, fused=True)
    shuffle = torch.Generator().manual_seed(seed)
    x, y = data.train.x, data.train.observed
    best, best_epoch, best_state = -1.0, 0, {}
    for epoch in range(settings.epochs):
        criterion = loss.criterion(noise, epoch / settings.epochs)
        for rows in torch.randperm(len(y), generator=shuffle).split(BATCH):
            optimizer.zero_grad()
            criterion(model(x[rows]), y[rows]).backward()
            optimizer.step()
        accuracy = right(model, data.validation.x, data.validation.observed)
        if accuracy > best:
            best, best_epoch, best_state = accuracy, epoch + 1, copy.deepcopy(model.state_dict())
    record: dict[str, Any] = {"final": judge(loss, noise, model, data)}
    model.load_state_dict(best_state)
    record["best"] = judge(loss, noise, model, data)
    return {**record, "epoch": best_epoch, "seconds": time.process_time() - started}


@torch.no_grad()
def judge(loss: Loss, noise: Noise, model: nn.Module, data: Data) -> dict[str, float | None]:
    """Scores on the test images by their true and by their observed labels, and what was learned by heart."""
    test = data.test
    logits = model(test.x).double().numpy()
    predicted, observed = loss.predict(logits), loss.observed(logits, noise)
    recovered = observed if loss.posterior == "recovered" else None
    wrong = data.train.true != data.train.observed
    return {
        "accuracy": float((predicted.argmax(1) == test.true.numpy()).mean()),
        "nll": nll(predicted, test.true),
        "nll_recovered": None if recovered is None else nll(recovered, test.true),
        "nll_observed": nll(predicted, test.observed),
        "nll_observed_recovered": None if observed is None else nll(observed, test.observed),
        "memorised": right(model, data.train.x[wrong], data.train.observed[wrong]) if wrong.any() else None,
    }


def nll(log_probabilities: Array, labels: Tensor) -> float:
    """Mean in nats; inf where a label has probability 0."""
    return float(-log_probabilities[np.arange(len(labels)), labels.numpy()].mean())
