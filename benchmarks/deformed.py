"""Losses l(p_y): forward and backward beside our cross_entropy and beside plain torch, and how exact each is."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from operator import truediv
from typing import Any

import torch
from torch import Tensor

import neglog as nl
import neglog.torch as nlt
from benchmarks.timing import timed
from neglog.losses import DEFORMATIONS

SHAPES = ((1_000_000, 10), (65_536, 1_000))
OWN = {"mislabel": {"rate": 0.1}, "alpha_loss": {"alpha": 2.0}, "gamma_divergence": {"gamma": 0.5}}
Loss = Callable[[Tensor, Tensor], Tensor]


def probability(z: Tensor, y: Tensor) -> Tensor:
    return torch.softmax(z, 1).gather(1, y[:, None]).squeeze(1)


def log_probability(z: Tensor, y: Tensor) -> Tensor:
    return torch.log_softmax(z, 1).gather(1, y[:, None]).squeeze(1)


def nllr(z: Tensor, y: Tensor) -> Tensor:
    others = z.scatter(1, y[:, None], -torch.inf)
    return torch.logsumexp(others, 1) - z.gather(1, y[:, None]).squeeze(1)


def focal(z: Tensor, y: Tensor) -> Tensor:
    log_p = log_probability(z, y)
    return -((1 - log_p.exp()) ** 2) * log_p


def competing_ratio(z: Tensor, y: Tensor) -> Tensor:
    log_p = log_probability(z, y)
    return -log_p + torch.log(2.5 - log_p.exp())


def poly1(z: Tensor, y: Tensor) -> Tensor:
    log_p = log_probability(z, y)
    return -log_p + 1 - log_p.exp()


def symmetric(z: Tensor, y: Tensor) -> Tensor:
    log_p = log_probability(z, y)
    return -0.1 * log_p + 4 * (1 - log_p.exp())


def taylor(z: Tensor, y: Tensor) -> Tensor:
    q = 1 - probability(z, y)
    return q + q**2 / 2


PLAIN: dict[str, Loss] = {  # as their authors and libraries write them
    "nllr": nllr,
    "competing_ratio": competing_ratio,
    "exponential_loss": lambda z, y: nllr(z, y).exp(),
    "madaboost": lambda z, y: torch.where(nllr(z, y) > 0, nllr(z, y) + 1, nllr(z, y).clamp(max=0).exp()),
    "mislabel": lambda z, y: -torch.log(0.9 * probability(z, y) + 0.1 / z.shape[1]),
    "generalized_cross_entropy": lambda z, y: (1 - probability(z, y) ** 0.7) / 0.7,
    "alpha_loss": lambda z, y: 2 * (1 - probability(z, y) ** 0.5),
    "focal": focal,
    "poly1": poly1,
    "taylor_cross_entropy": taylor,
    "symmetric_cross_entropy": symmetric,
    "gamma_divergence": lambda z, y: 2 * (1 - probability(1.5 * z, y) ** (1 / 3)),
}


def cases() -> Iterator[tuple[str, tuple[int, int]]]:
    return ((name, shape) for shape in SHAPES for name in DEFORMATIONS)


def step(loss: Loss, z: Tensor, y: Tensor) -> Callable[[], tuple[Tensor, Tensor]]:
    """Forward and backward; the gradient's memory is fresh each time, as in training."""

    def run() -> tuple[Tensor, Tensor]:
        value = loss(z, y)
        return value, torch.autograd.grad(value, z)[0]

    return run


def measure(name: str, shape: tuple[int, int], rounds: int) -> dict[str, Any]:
    """Medians of the three in turn, in ms, and of their ratios; relative errors of our gradient and torch's."""
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(shape, generator=generator).requires_grad_()
    y = torch.randint(0, shape[1], shape[:1], generator=generator)
    loss, own, plain = getattr(nlt, name), OWN.get(name, {}), PLAIN[name]
    calls = {
        "ours": step(lambda z, y: loss(z, y, **own), z, y),
        "cross_entropy": step(nlt.cross_entropy, z, y),
        "torch": step(lambda z, y: plain(z, y).mean(), z, y),
    }
    head = slice(0, 256)
    exact = step(lambda z, y: loss(z, y, **own), z[head].detach().double().requires_grad_(), y[head])()[1]
    scale = exact.abs().max() * head.stop / shape[0]

    def error(call: Callable[[], tuple[Tensor, Tensor]]) -> float:
        return float((call()[1][head].double() - exact * head.stop / shape[0]).abs().max() / scale)

    errors = {f"{key}_error": error(calls[key]) for key in ("ours", "torch")}
    times: dict[str, list[float]] = {key: [] for key in calls}
    for _ in range(rounds):
        for key, call in calls.items():
            times[key].append(timed(call, 1))
    medians = {key: statistics.median(values) for key, values in times.items()}
    ratios = {  # of what was measured one after the other
        "of_cross_entropy": statistics.median(map(truediv, times["ours"], times["cross_entropy"])),
        "torch_ratio": statistics.median(map(truediv, times["torch"], times["ours"])),
    }
    return {"loss": name, "shape": shape, **medians, **ratios, **errors}


def measure_all(only: str, rounds: int) -> list[dict[str, Any]]:
    torch.set_num_threads(nl.get_num_threads())
    rows: list[dict[str, Any]] = []
    for name, shape in cases():
        if only in f"{name} {shape}":
            rows.append(measure(name, shape, rounds))
            print(line(rows[-1]), flush=True)
    return rows


def line(row: dict[str, Any]) -> str:
    rows, classes = row["shape"]
    return (
        f"| `{row['loss']}`, {rows:,} × {classes:,} | {row['ours']:.1f} ms, {row['ours_error']:.0e} "
        f"| {row['of_cross_entropy']:.2f}× of {row['cross_entropy']:.1f} ms "
        f"| {row['torch_ratio']:.1f}×, {row['torch']:.1f} ms, {row['torch_error']:.0e} |"
    )


HEAD = "| forward + backward, float32 | neglog.torch | of our cross_entropy | plain torch |\n|---|---:|---:|---:|"
