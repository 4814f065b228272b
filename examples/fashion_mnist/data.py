"""Fashion-MNIST (Xiao, Rasul & Vollgraf 2017, arXiv 1708.07747) from its four idx files."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

CLASSES = ("T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
FOLDERS = (  # where data.sh puts the files
    Path("/usr/share/datasets/fashion-mnist"),
    Path(__file__).parents[2] / "build/fashion-mnist/usr/share/datasets/fashion-mnist",
)
VALIDATION = 1 / 12  # of the training images: 5,000 of 60,000, for the temperature


@dataclass(frozen=True)
class Part:
    """Images with their classes."""

    x: Tensor  # (N, 784) float32 in [0, 1]
    y: Tensor  # (N,) int64


@dataclass(frozen=True)
class Data:
    """What the network sees, what the temperature is fitted to, what judges both."""

    train: Part
    validation: Part
    test: Part


def folder() -> Path | None:
    """Where the files are; None before data.sh has run."""
    return next((path for path in FOLDERS if len(list(path.glob("*-ubyte.gz"))) == 4), None)


def read_idx(path: Path) -> np.ndarray:
    """An idx file of bytes: 0, 0, type 8, number of axes; their lengths as big-endian uint32; the bytes."""
    content = gzip.decompress(path.read_bytes())
    zeros, kind, axes = content[:2], content[2], content[3]
    if zeros != b"\0\0" or kind != 8:
        raise ValueError(f"{path} is no idx file of bytes")
    shape = tuple(np.frombuffer(content, ">u4", axes, 4).tolist())
    if len(content) != 4 + 4 * axes + prod(shape):
        raise ValueError(f"{path} has {len(content)} bytes, which do not make the shape {shape}")
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)


def read_part(path: Path, name: str, images: int | None) -> Part:
    """The first ``images`` of ``name``, which is train or t10k."""
    x, y = read_idx(path / f"{name}-images-idx3-ubyte.gz"), read_idx(path / f"{name}-labels-idx1-ubyte.gz")
    if len(x) != len(y):
        raise ValueError(f"{path}: {len(x)} images of {name} have {len(y)} labels")
    x, y = x[:images].reshape(len(x[:images]), -1), y[:images]
    return Part(torch.from_numpy(x.astype(np.float32) / 255), torch.from_numpy(y.astype(np.int64)))


def load(path: Path, images: int | None = None) -> Data:
    """All three parts, each cut to ``images``; the images are in random order, so the last make the validation."""
    train, test = read_part(path, "train", images), read_part(path, "t10k", images)
    held_out = max(1, round(VALIDATION * len(train.y)))
    return Data(
        train=Part(train.x[:-held_out], train.y[:-held_out]),
        validation=Part(train.x[-held_out:], train.y[-held_out:]),
        test=test,
    )
