"""What is measured: a loss on logits of a shape, through NumPy or through torch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

HEAD = 256  # rows whose gradients are compared with float64


@dataclass(frozen=True)
class Case:
    """``task`` of one loss on logits of ``shape`` with the classes along ``dim``.

    forward: the mean loss.  gradient: mean loss and its gradient in a fresh array; in torch forward and backward.
    gradient_out: the same into an array the caller keeps.  log_loss: mean NLL of given probabilities.
    """

    group: str  # "numpy" or "torch": one table each
    task: str
    shape: tuple[int, ...]
    loss: str = "cross_entropy"
    dim: int = 1
    dtype: str = "float32"
    option: str = ""  # label smoothing, class weights, probability targets
    calls: int = 1  # per timing; where one is too short to be timed

    @property
    def name(self) -> str:
        return " ".join(map(str, filter(None, (self.group, self.loss, self.task, self.shape, self.dtype, self.option))))

    @property
    def data(self) -> Case:
        """What two cases have in common that are measured on the same numbers."""
        return replace(self, group="", task="", calls=1)

    @property
    def rows(self) -> int:
        """Losses that are averaged."""
        return prod(self.shape) // (1 if self.loss.startswith("binary") else self.shape[self.dim])

    @property
    def gradient_bytes(self) -> int:
        """As many as of the logits."""
        return prod(self.shape) * (2 if self.dtype == "bfloat16" else 4)

    @property
    def bytes(self) -> int:
        """What must move at least: logits and targets in, the gradient out; of probabilities one element a row."""
        logits = self.gradient_bytes
        targets = logits if self.loss.startswith("binary") or "probabilities" in self.option else 8 * self.rows
        if self.task == "log_loss":
            return 4 * self.rows + targets
        return targets + (logits if self.task == "forward" else 2 * logits)


class Data:
    """The numbers of one case, made once and shared by all rivals."""

    def __init__(self, case: Case) -> None:
        self.case = case
        generator = torch.Generator().manual_seed(20260)
        spread = 3  # as of a trained model: the right class rarely has probability 1/C
        self.logits = (torch.randn(case.shape, generator=generator) * spread).to(getattr(torch, case.dtype))
        self.options: dict[str, Any] = {}
        classes = case.shape[case.dim]
        if case.loss.startswith("binary"):
            self.target = torch.bernoulli(torch.full(case.shape, 0.3), generator=generator).to(self.logits.dtype)
        elif case.option == "probability targets":
            self.target = torch.randn(case.shape, generator=generator).softmax(case.dim)
        else:
            without = [length for axis, length in enumerate(case.shape) if axis != case.dim % len(case.shape)]
            self.target = torch.randint(classes, without, generator=generator)
        if case.option == "label smoothing":
            self.options["label_smoothing"] = 0.1
        if case.option == "class weights":
            self.options["weight"] = torch.rand(classes, generator=generator) + 0.5

    @cached_property
    def probabilities(self) -> np.ndarray:
        return self.logits.softmax(self.case.dim).numpy()

    def in_rows(self, x: Tensor) -> Tensor:
        """Something of the logits' shape with one row per loss."""
        return x.movedim(self.case.dim, -1).flatten(0, -2)

    @cached_property
    def divisor(self) -> float:
        """Of the mean."""
        weight = self.options.get("weight")
        return self.case.rows if weight is None else weight.double()[self.target].sum().item()

    def exact(self) -> tuple[float, Tensor]:
        """Mean loss in float64, and the gradient of the sum in the first rows."""
        if self.case.task != "log_loss":
            return self._exact
        chosen = self.probabilities[np.arange(self.case.rows), self.target].astype(np.float64)
        return float(-np.log(chosen).mean()), torch.empty(0)

    @cached_property
    def _exact(self) -> tuple[float, Tensor]:
        logits = self.in_rows(self.logits)
        target = self.in_rows(self.target) if self.target.shape == self.logits.shape else self.target.flatten()
        options = {name: x.double() if isinstance(x, Tensor) else x for name, x in self.options.items()}

        def total(z: Tensor, y: Tensor) -> Tensor:
            return getattr(F, self.case.loss)(z, y.double() if y.is_floating_point() else y, reduction="sum", **options)

        step = max(HEAD, 4_000_000 // logits.shape[-1])
        parts = [total(z.double(), y).item() for z, y in zip(logits.split(step), target.split(step), strict=True)]
        head = logits[:HEAD].double().requires_grad_()
        total(head, target[:HEAD]).backward()
        assert head.grad is not None
        return sum(parts) / self.divisor, head.grad


WIDE = [(2048, 32_000), (65_536, 1000)]
NARROW = [(1_000_000, 10), (4_000_000, 2)]
PIXELS = (8, 1000, 64, 64)
TOKENS = (2, 512, 50_257)


def cases() -> list[Case]:
    """In the order of the tables."""
    return [*numpy_cases(), *torch_cases()]


def numpy_cases() -> list[Case]:
    tasks = ("forward", "gradient", "gradient_out")
    losses = [Case("numpy", task, shape) for shape in WIDE + NARROW for task in tasks]
    return [*losses, *(Case("numpy", "log_loss", shape) for shape in ((1_000_000, 10), (20_000, 1000)))]


def torch_cases() -> list[Case]:
    def both(shape: tuple[int, ...], **facts: Any) -> list[Case]:
        return [Case("torch", task, shape, **facts) for task in ("forward", "gradient")]

    found: list[Case] = []
    for shape in [*WIDE, *NARROW, PIXELS, TOKENS]:
        for dtype in ("float32", "bfloat16"):
            found += both(shape, dim=-1 if shape == TOKENS else 1, dtype=dtype)
    for option in ("label smoothing", "class weights", "probability targets"):
        found += both(WIDE[1], option=option)
    for dtype in ("float32", "bfloat16"):
        found += both(WIDE[1], loss="binary_cross_entropy_with_logits", dtype=dtype)
    return found + both((8, 10), calls=2000)


def memory_cases() -> list[Case]:
    """Forward and backward; what each allocates at the peak."""
    shapes = [*WIDE, NARROW[0], PIXELS, TOKENS]
    found = [Case("memory", "gradient", shape, dim=-1 if shape == TOKENS else 1) for shape in shapes]
    return [*found, replace(found[1], dtype="bfloat16"), replace(found[1], option="label smoothing")]
