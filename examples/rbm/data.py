"""Pictures as rows of 0 and 1."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from examples.fashion_mnist.data import folder, read_idx

Rows = NDArray[np.float32]


@dataclass(frozen=True)
class Data:
    """Rows to train with, rows to judge with."""

    name: str
    train: Rows  # (N, side * side)
    test: Rows
    rate: float = 0.1  # of learning on it, at first

    @property
    def side(self) -> int:
        """Of the square pictures."""
        return round(self.train.shape[1] ** 0.5)


def digits(seed: int, images: int | None = None) -> Data:
    """8 x 8 digits (Alpaydin & Kaynak 1998; scikit-learn's copy), grey values 8 ... 16 as 1; two thirds to train with.

    Another split for every seed, so that errors over seeds hold what the choice of the test rows adds.
    """
    rows = (load_digits().data >= 8).astype(np.float32)
    order = np.random.default_rng(seed).permutation(len(rows))[:images]
    cut = round(len(order) * 2 / 3)
    return Data("8 × 8 digits", rows[order[:cut]], rows[order[cut:]])


def clothes(seed: int, images: int | None = None) -> Data | None:
    """Fashion-MNIST at half the resolution, means of four grey values as 1 from 128 on; three quarters to train with.

    8,000 pictures, others for every seed.
    """
    pictures = fashion()
    if pictures is None:
        return None
    half = pictures[0].reshape(-1, 14, 2, 14, 2).mean((2, 4)) >= 128
    rows = half.reshape(len(half), -1)[np.random.default_rng(seed).permutation(len(half))[: images or 8000]].astype(
        np.float32
    )
    cut = round(len(rows) * 3 / 4)
    return Data("14 × 14 Fashion-MNIST", rows[:cut], rows[cut:], rate=0.05)


def large(images: int | None = None) -> Data:
    """Fashion-MNIST, grey values 128 ... 255 as 1; the digits where it is not installed."""
    pictures = fashion()
    if pictures is None:
        return digits(0, images)
    train, test = ((part[:images] >= 128).astype(np.float32) for part in pictures)
    return Data("Fashion-MNIST", train.reshape(len(train), -1), test.reshape(len(test), -1))


@lru_cache(maxsize=1)
def fashion() -> tuple[NDArray[np.uint8], NDArray[np.uint8]] | None:
    """Grey values to train with and to judge with, (N, 28, 28); none where the files are not installed."""
    path = folder()
    if path is None:
        return None
    train, test = (read_idx(path / f"{part}-images-idx3-ubyte.gz") for part in ("train", "t10k"))
    return train, test
