"""Random calls in torch's own vocabulary: one draw is a function of torch.nn.functional with its arguments.

Drawn where the two agree by design; docs/differences.md has the rest. Sizes are small, for thousands of draws, but
cross the widths of a vector register (4, 8, 16) and of a batch axis that is a single row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor


class Draw(NamedTuple):
    name: str  # of the function, here and there
    memory: Tensor  # leaf; ``view`` of it is the input
    view: Callable[[Tensor], Tensor]
    args: tuple[Any, ...]  # torch's arguments after the input, positional
    options: dict[str, Any]

    def __repr__(self) -> str:
        x = self.view(self.memory)
        given = ", ".join(_short(v) for v in self.args) + "".join(f", {k}={_short(v)}" for k, v in self.options.items())
        return f"{self.name}(input {tuple(x.shape)} strides {x.stride()}, {given})"


def _short(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"{value.dtype}{list(value.shape)}" if value.numel() > 8 else repr(value.tolist())
    return repr(value)


CLASSES = (1, 2, 3, 5, 8, 9, 17, 33, 70)
REDUCTIONS = ("mean", "sum", "none")


def chance(rng: np.random.Generator, probability: float) -> bool:
    return bool(rng.random() < probability)


def strided(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[tuple[int, ...], Callable[[Tensor], Tensor]]:
    """Shape of a leaf and a view of it that has ``shape``: transposed, with gaps, or repeated."""
    kind = int(rng.integers(0, 6)) if shape else 0
    axis = int(rng.integers(0, len(shape))) if shape else 0
    if kind == 1:
        order = tuple(int(i) for i in rng.permutation(len(shape)))
        inverse = tuple(int(i) for i in np.argsort(order))
        return tuple(shape[i] for i in order), lambda leaf: leaf.permute(inverse)
    if kind == 2:  # every other element
        wide = (*shape[:axis], 2 * shape[axis], *shape[axis + 1 :])
        return wide, lambda leaf: leaf[(slice(None),) * axis + (slice(None, None, 2),)]
    if kind == 3:  # all but the ends, as in logits[:, :-1]
        wide = (*shape[:axis], shape[axis] + 2, *shape[axis + 1 :])
        return wide, lambda leaf: leaf.narrow(axis, 1, shape[axis])
    if kind == 4:
        one = (*shape[:axis], 1, *shape[axis + 1 :])
        return one, lambda leaf: leaf.expand(shape)
    return shape, lambda leaf: leaf


def batch_of(rng: np.random.Generator, empty: bool = True) -> tuple[int, ...]:
    """No batch axis at all up to four; now and then an empty one."""
    batch = tuple(int(n) for n in rng.integers(1, 6, rng.integers(0, 5)))
    if empty and batch and chance(rng, 0.05):
        return (0, *batch[1:])
    return batch


def in_torch_layout(batch: tuple[int, ...], classes: int) -> tuple[int, ...]:
    return (batch[0], classes, *batch[1:]) if batch else (classes,)


def values(rng: np.random.Generator, shape: tuple[int, ...], draw: Callable[..., Any]) -> Tensor:
    return torch.from_numpy(np.asarray(draw(size=shape), np.float64)).requires_grad_()


def class_weight(rng: np.random.Generator, classes: int) -> Tensor | None:
    if chance(rng, 0.5):
        return None
    weight = rng.uniform(0.1, 2.0, classes)
    if classes > 2 and chance(rng, 0.3):
        weight[rng.integers(classes)] = 0.0
    wide = torch.from_numpy(np.repeat(weight, 2))
    return wide[::2] if chance(rng, 0.3) else wide[::2].contiguous()


def indices(rng: np.random.Generator, batch: tuple[int, ...], classes: int, ignore_index: int) -> Tensor:
    y = rng.integers(0, classes, batch)
    if chance(rng, 0.5):
        y = np.where(rng.random(batch) < rng.choice([0.3, 1.0]), ignore_index, y)
    dtype = rng.choice([np.int64, np.int32, np.int16, np.uint8]) if np.min(y, initial=0) >= 0 else np.int64
    target = torch.from_numpy(np.asarray(y, dtype))
    if target.ndim > 1 and chance(rng, 0.3):
        target = target.mT.contiguous().mT
    return target


def legacy(rng: np.random.Generator) -> dict[str, Any]:
    """``reduction`` or, now and then, the two booleans that it replaced."""
    if chance(rng, 0.9):
        return {"reduction": str(rng.choice(REDUCTIONS))}
    return {"size_average": [None, True, False][rng.integers(3)], "reduce": [True, False][rng.integers(2)]}


def cross_entropy(rng: np.random.Generator) -> Draw:
    batch, classes = batch_of(rng), int(rng.choice(CLASSES))
    shape, view = strided(rng, in_torch_layout(batch, classes))
    memory = values(rng, shape, lambda size: rng.normal(0, 3, size))
    weight = class_weight(rng, classes)
    options = {"weight": weight, "label_smoothing": float(rng.choice([0.0, 0.0, 0.1, 1.0])), **legacy(rng)}
    if chance(rng, 0.4):
        t_shape, t_view = strided(rng, in_torch_layout(batch, classes))
        target = t_view(torch.from_numpy(rng.random(t_shape)))  # torch does not normalise; nor do we
    else:
        options["ignore_index"] = int(rng.choice([-100, 0, classes - 1, classes + 3, -1]))
        target = indices(rng, batch, classes, options["ignore_index"])
        if (
            weight is not None
            and options["label_smoothing"]
            and not weight.index_select(0, _kept(target, options)).sum()
        ):
            options["weight"] = None  # a sum of smoothed losses over a divisor of 0: torch's inf, an error here
    return Draw("cross_entropy", memory, view, (target,), options)


def _kept(target: Tensor, options: dict[str, Any]) -> Tensor:
    return target[target != options["ignore_index"]].long()


def nll_loss(rng: np.random.Generator) -> Draw:
    batch, classes = batch_of(rng), int(rng.choice(CLASSES))
    shape, view = strided(rng, in_torch_layout(batch, classes))
    memory = values(rng, shape, lambda size: -rng.exponential(3, size))
    ignore_index = int(rng.choice([-100, 0, classes - 1, classes + 3, -1]))
    options = {"weight": class_weight(rng, classes), "ignore_index": ignore_index, **legacy(rng)}
    return Draw("nll_loss", memory, view, (indices(rng, batch, classes, ignore_index),), options)


def _elementwise(rng: np.random.Generator, draw: Callable[..., Any]) -> tuple[tuple[int, ...], Tensor, Any, Tensor]:
    shape = batch_of(rng)
    m_shape, view = strided(rng, shape)
    memory = values(rng, m_shape, draw)
    t_shape, t_view = strided(rng, shape)
    hard = chance(rng, 0.5)
    target = t_view(torch.from_numpy(np.asarray(rng.random(t_shape).round() if hard else rng.random(t_shape))))
    return shape, memory, view, target


def _element_weight(rng: np.random.Generator, shape: tuple[int, ...]) -> Tensor | None:
    if chance(rng, 0.5):
        return None
    kind = int(rng.integers(0, 3))
    if kind == 0:
        return torch.from_numpy(rng.uniform(0, 2, shape))
    if kind == 1:
        return torch.from_numpy(np.asarray(rng.uniform(0, 2, shape[1:])))
    return torch.from_numpy(np.asarray(rng.uniform(0, 2, [*shape[:1], *(1 for _ in shape[1:])])))


def binary_cross_entropy(rng: np.random.Generator) -> Draw:
    shape, memory, view, target = _elementwise(rng, lambda size: rng.uniform(0.001, 0.999, size))
    options = {"weight": _element_weight(rng, shape), **legacy(rng)}
    return Draw("binary_cross_entropy", memory, view, (target,), options)


def binary_cross_entropy_with_logits(rng: np.random.Generator) -> Draw:
    shape, memory, view, target = _elementwise(rng, lambda size: rng.normal(0, 6, size))
    options = {"weight": _element_weight(rng, shape), **legacy(rng)}
    if chance(rng, 0.5):
        p_shape = [(), shape[-1:], shape][rng.integers(3)]
        options["pos_weight"] = torch.from_numpy(np.asarray(rng.uniform(0.5, 3, p_shape)))
    return Draw("binary_cross_entropy_with_logits", memory, view, (target,), options)


def multilabel_soft_margin_loss(rng: np.random.Generator) -> Draw:
    shape, memory, view, target = _elementwise(rng, lambda size: rng.normal(0, 6, size))
    if not shape or shape[-1] == 0:  # no classes
        return multilabel_soft_margin_loss(rng)
    weight = torch.from_numpy(rng.uniform(0.1, 2, shape[-1:])) if chance(rng, 0.5) else None
    return Draw("multilabel_soft_margin_loss", memory, view, (target,), {"weight": weight, **legacy(rng)})


def kl_div(rng: np.random.Generator) -> Draw:
    shape, memory, view, target = _elementwise(rng, lambda size: -rng.exponential(3, size))
    log_target = chance(rng, 0.5)
    options = {"log_target": log_target, **legacy(rng)}
    if shape and chance(rng, 0.3):
        options = {"log_target": log_target, "reduction": "batchmean"}
    return Draw("kl_div", memory, view, (torch.log(target + 1e-3 * (target == 0)) if log_target else target,), options)


def log_softmax(rng: np.random.Generator) -> Draw:
    shape = batch_of(rng) or (3,)
    m_shape, view = strided(rng, shape)
    memory = values(rng, m_shape, lambda size: rng.normal(0, 6, size))
    return Draw("log_softmax", memory, view, (int(rng.integers(-len(shape), len(shape))),), {})


LOSSES = (
    cross_entropy,
    nll_loss,
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    multilabel_soft_margin_loss,
    kl_div,
    log_softmax,
)
