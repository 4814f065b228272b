"""What is measured: a task on a shape."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

# forward: the mean loss.  gradient: mean loss and its gradient into a fresh array.
# gradient_out: the same into an array the caller keeps.  log_loss: mean NLL of given probabilities.
TASKS = ("forward", "gradient", "gradient_out", "log_loss")


@dataclass(frozen=True)
class Case:
    """``task`` on ``rows`` x ``classes`` float32 numbers with int64 targets."""

    task: str
    rows: int
    classes: int

    @property
    def name(self) -> str:
        return f"{self.task} ({self.rows}, {self.classes})"

    @property
    def bytes(self) -> int:
        """What must move at least: logits and targets in, the gradient out; of probabilities one element a row."""
        logits, targets = self.rows * self.classes * 4, self.rows * 8
        if self.task == "log_loss":
            return self.rows * 4 + targets
        return targets + (logits if self.task == "forward" else 2 * logits)


class Data:
    """The arrays of one shape, made once and shared by all rivals."""

    def __init__(self, rows: int, classes: int) -> None:
        rng = np.random.default_rng(20260)
        self.logits: npt.NDArray[np.float32] = rng.standard_normal((rows, classes), dtype=np.float32)
        self.logits *= 3  # spread as of a trained model: the right class rarely has probability 1/C
        self.target: npt.NDArray[np.int64] = rng.integers(0, classes, rows)

    @cached_property
    def probabilities(self) -> npt.NDArray[np.float32]:
        p = np.exp(self.logits - self.logits.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        return p

    def exact(self, task: str) -> tuple[float, npt.NDArray[np.float64]]:
        """Mean loss in float64, and the gradient (times rows) of the first rows."""
        rows = len(self.target)
        if task == "log_loss":
            chosen = self.probabilities[np.arange(rows), self.target].astype(np.float64)
            return float(-np.log(chosen).mean()), np.empty((0, 0))
        total, head = 0.0, np.empty((0, 0))
        step = max(1, 4_000_000 // self.logits.shape[1])
        for start in range(0, rows, step):
            z = self.logits[start : start + step].astype(np.float64)
            y = self.target[start : start + step]
            z -= z.max(axis=1, keepdims=True)
            e = np.exp(z)
            s = e.sum(axis=1)
            total += float((np.log(s) - z[np.arange(len(y)), y]).sum())
            if start == 0:
                head = e[:256] / s[:256, None]
                head[np.arange(len(head)), y[:256]] -= 1
        return total / rows, head


def cases() -> list[Case]:
    wide = [(2048, 32000), (65536, 1000)]
    narrow = [(1_000_000, 10), (4_000_000, 2)]
    loss = [Case(task, *shape) for shape in wide + narrow for task in ("forward", "gradient", "gradient_out")]
    return [*loss, Case("log_loss", 1_000_000, 10), Case("log_loss", 20_000, 1000)]
