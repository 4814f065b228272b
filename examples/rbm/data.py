"""Pictures as rows of 0 and 1."""

from __future__ import annotations

from dataclasses import dataclass

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


def large(images: int | None = None) -> Data:
    """Fashion-MNIST, grey values 128 ... 255 as 1; the digits where it is not installed."""
    path = folder()
    if path is None:
        return digits(0, images)
    train, test = (
        (read_idx(path / f"{part}-images-idx3-ubyte.gz")[:images] >= 128).astype(np.float32)
        for part in ("train", "t10k")
    )
    return Data("Fashion-MNIST", train.reshape(len(train), -1), test.reshape(len(test), -1))
