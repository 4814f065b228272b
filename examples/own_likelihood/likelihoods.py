"""Three likelihoods as a user writes them. ``neglog fit --family likelihoods.py:decay`` reads them from this file."""

from __future__ import annotations

import math

import torch
from torch import Tensor

import neglog as nl

HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


def gaussian(y: Tensor, b0: Tensor, b1: Tensor, b2: Tensor, sigma: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
    """A line with normal errors: ``1/2 ((y - mu) / sigma)**2 + log sigma + 1/2 log 2 pi``."""
    mu = b0 + b1 * x1 + b2 * x2
    return 0.5 * ((y - mu) / sigma) ** 2 + torch.log(sigma) + HALF_LOG_2PI


def cost(y: Tensor, p: Tensor) -> Tensor:
    """A coin: ``-log p`` for heads, ``-log (1 - p)`` for tails."""
    return -torch.xlogy(y, p) - torch.special.xlog1py(1 - y, -p)


def curve(y: Tensor, start: Tensor, rate: Tensor, sigma: Tensor, hours: Tensor) -> Tensor:
    """Exponential decay with normal errors."""
    return 0.5 * ((y - start * torch.exp(-rate * hours)) / sigma) ** 2 + torch.log(sigma) + HALF_LOG_2PI


def mean(start: Tensor, rate: Tensor, sigma: Tensor, hours: Tensor) -> Tensor:
    """What the curve predicts."""
    del sigma
    return start * torch.exp(-rate * hours)


REALS = {"b0": nl.real, "b1": nl.real, "b2": nl.real}

line = nl.Custom(gaussian, {**REALS, "sigma": nl.positive}, name="line")
coin = nl.Custom(cost, {"p": nl.unit}, name="coin", discrete=True)
decay = nl.Custom(curve, {"start": nl.positive, "rate": nl.positive, "sigma": nl.positive}, name="decay", mean=mean)
