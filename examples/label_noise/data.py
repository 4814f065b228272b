"""Subsets of Fashion-MNIST and labels that are wrong with known probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from examples.fashion_mnist.data import CLASSES, Part

VALIDATION = 1 / 4  # images to choose the epoch by, with wrong labels too, for each to train with


@dataclass(frozen=True)
class Noise:
    """Labels of which the share ``rate`` is wrong."""

    name: str
    rate: float
    pairs: bool = False  # every class is taken for the next one, instead of for all others equally often

    @property
    def transition(self) -> Tensor:
        """T (C, C) float64: ``T[j, k]`` is the probability that class j is labelled k."""
        classes = len(CLASSES)
        right = torch.eye(classes, dtype=torch.float64)
        wrong = right.roll(1, dims=1) if self.pairs else (1 - right) / (classes - 1)
        return (1 - self.rate) * right + self.rate * wrong

    @property
    def replaced(self) -> float:
        """The rate at which labels would have to be replaced by a class drawn from all to be wrong that often."""
        return self.rate * len(CLASSES) / (len(CLASSES) - 1)


NOISES = (
    Noise("none", 0.0),
    *(Noise(f"{rate} %", rate / 100) for rate in (20, 40, 60, 80)),
    Noise("40 % pairs", 0.4, pairs=True),
)


@dataclass(frozen=True)
class Labelled:
    """Images, what they show, and what somebody says they show."""

    x: Tensor  # (N, 784) float32
    true: Tensor  # (N,) int64
    observed: Tensor  # (N,) int64


@dataclass(frozen=True)
class Data:
    """One repetition: ``train`` and ``validation`` are known by their observed labels only."""

    train: Labelled
    validation: Labelled
    test: Labelled


def observe(true: Tensor, noise: Noise, generator: torch.Generator) -> Tensor:
    """Labels drawn from the row of each true class."""
    return torch.multinomial(noise.transition[true], 1, generator=generator)[:, 0]


def draw(train: Part, test: Part, noise: Noise, images: int, seed: int) -> Data:
    """A random subset of ``train`` in two parts and all of ``test``, with labels as ``noise`` leaves them."""
    held_out = max(1, round(VALIDATION * images))
    if images + held_out > len(train.y):
        raise ValueError(f"{images} images and {held_out} for validation; there are {len(train.y)}")
    rows = torch.from_numpy(np.random.default_rng(seed).permutation(len(train.y))[: images + held_out])
    generator = torch.Generator().manual_seed(seed)

    def part(x: Tensor, true: Tensor) -> Labelled:
        return Labelled(x, true, observe(true, noise, generator))

    first, second = rows[:images], rows[images:]
    return Data(part(train.x[first], train.y[first]), part(train.x[second], train.y[second]), part(test.x, test.y))
