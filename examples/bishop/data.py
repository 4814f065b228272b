"""The inverse problem of C. M. Bishop, "Mixture Density Networks" (1994, NCRG/94/004), section 5; also PRML 5.6.

``t = x + 0.3 sin(2 pi x) + U(-0.1, 0.1)`` with ``x`` uniform on (0, 1). Forwards that is one function of ``x``; the
network has to predict ``x`` from ``t``, and for ``t`` between 0.3 and 0.7 several answers are right.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

NOISE = 0.1
RANGE = (-0.1, 1.1)  # of t


@dataclass(frozen=True)
class Part:
    """What the network sees and what it predicts."""

    t: Tensor  # (N, 1) float32
    x: Tensor  # (N, 1) float32


def curve(x: Tensor) -> Tensor:
    """The forward function."""
    return x + 0.3 * torch.sin(2 * math.pi * x)


def draw(count: int, seed: int) -> Part:
    """Independent pairs."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(count, 1, generator=generator)
    noise = (2 * torch.rand(count, 1, generator=generator) - 1) * NOISE
    return Part(curve(x) + noise, x)


_GRID = 200_001


def true_nll(t: Tensor) -> Tensor:
    """The NLL of the law that made the data, which no network beats: ``log`` of the length of the possible ``x``.

    Given ``t`` every ``x`` in (0, 1) with ``|t - curve(x)| < 0.1`` is equally likely. The length is a share of a fine
    grid, known to about 1e-4 of itself.
    """
    heights = curve(torch.linspace(0, 1, _GRID, dtype=torch.float64)).sort().values
    t = t.double()
    inside = torch.searchsorted(heights, t + NOISE) - torch.searchsorted(heights, t - NOISE)
    return (inside / _GRID).log()
