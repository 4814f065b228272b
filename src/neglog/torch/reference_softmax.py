"""log_softmax, logsumexp and entropy in torch ops: a confident row keeps its distance from 0, in every derivative."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from neglog.torch.reference import split


def log_softmax(z: Tensor, dim: int) -> Tensor:
    """Log-probabilities along ``dim``; ``-inf`` stays ``-inf``; a row of nothing else, or with ``+inf``, is NaN."""
    if not z.shape[dim]:
        return z.clone()
    row = split(z, dim)
    return row.below - row.log_total


def logsumexp(z: Tensor, dim: int) -> Tensor:
    """``log sum e^z`` along ``dim``, which is kept with length 1."""
    if not z.shape[dim]:
        return z.sum(dim, keepdim=True) - math.inf
    row = split(z, dim)
    return torch.where(row.top.isinf(), row.top, row.top + row.log_total)


def entropy(log_p: Tensor, dim: int) -> Tensor:
    """``-sum p log p`` along ``dim``, with ``0 log 0 = 0``."""
    gone = log_p == -math.inf
    log_p = torch.where(gone, 0.0, log_p)
    return -torch.where(gone, 0.0, torch.exp(log_p) * log_p).sum(dim)
