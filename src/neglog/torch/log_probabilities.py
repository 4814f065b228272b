"""NLL of classes whose log-probabilities are given, in torch's name and signature."""

from __future__ import annotations

from typing import Any, NamedTuple, NoReturn

import torch
from torch import Tensor

from neglog import _native
from neglog.errors import InputKindError
from neglog.torch import by_rows, reference
from neglog.torch.arguments import (
    CODES,
    DIVISORS,
    TARGET_CODES,
    Empty,
    Reduction,
    address,
    boolean,
    divisor_for,
    floating,
    integer,
    legacy,
    per_entry,
    place,
)
from neglog.torch.fused import evaluate, operator
from neglog.torch.layout import Rows
from neglog.torch.parallel import is_group, share, total_weight
from neglog.torch.reduction import divided, looked_up, reduced, weighted
from neglog.torch.routing import may_look_at
from neglog.torch.targets import (
    TOLERANCE,
    check_indices,
    class_axis,
    class_indices,
    class_weight,
    raise_bad_index,
    readable_indices,
)


@operator
class GatheredNLL(NamedTuple):
    """:func:`nll_loss` with its options made explicit."""

    target: Tensor
    weight: Tensor | None
    sample_weight: Tensor | None
    mask: Tensor | None
    dim: int
    ignore_index: int
    reduction: str  # a key of arguments.DIVISORS
    number: float  # the divisor of "given"
    empty: str

    name = "gathered_nll"
    tensors = 4

    def result(self, input: Tensor) -> Tensor:
        return by_rows.result(self, input)

    def forward(self, input: Tensor, with_gradient: bool) -> tuple[Tensor, Tensor | None]:
        return by_rows.forward(self, input, with_gradient, "nll_loss")

    def backward(self, input: Tensor, upstream: Tensor) -> Tensor:
        return by_rows.backward(self, input, upstream)

    def kernel(
        self,
        rows: Rows,
        sample_weight: Tensor | None,
        factor: float,
        losses: Tensor | None = None,
        gradient: Tensor | None = None,
        strides: tuple[int, int, int] = (0, 0, 0),
    ) -> tuple[float, float]:
        target = rows.entries(self.target)
        weight = None if self.weight is None else self.weight.to(torch.float64).contiguous()
        row_weight = None if sample_weight is None else rows.entries(sample_weight, torch.float64)
        mask = None if self.mask is None else rows.entries(self.mask)
        given = self.reduction == "given"
        scale = 1.0 if not given else 1.0 / self.number if self.number else 0.0
        value, divisor, bad_target, bad_input = _native.gather_nll_strided(
            CODES[rows.tensor.dtype], rows.outer, rows.classes, rows.inner, rows.tensor.data_ptr(), rows.strides,
            target.data_ptr(), TARGET_CODES[target.dtype], address(weight), address(row_weight), address(mask),
            True, self.ignore_index, address(losses), address(gradient), strides,
            DIVISORS[self.reduction], factor * scale, torch.get_num_threads(),
        )  # fmt: skip
        if bad_target >= 0:
            position = rows.position(bad_target)
            raise_bad_index("nll_loss", self.target, position, rows.classes, self.ignore_index)
        if bad_input >= 0:
            self._raise_positive(rows.tensor, rows.position(bad_input))
        return (value * scale if scale else value, self.number) if given else (value, divisor)

    def _check_values(self, input: Tensor, losses: Tensor, part: Tensor) -> None:
        wrong = part & (losses < -TOLERANCE[input.dtype.itemsize])
        if self.sample_weight is not None:
            wrong &= self.sample_weight != 0
        if bool(wrong.any()):
            self._raise_positive(input, tuple(int(i) for i in wrong.nonzero()[0]))

    def _raise_positive(self, input: Tensor, at: tuple[int, ...]) -> NoReturn:
        at = (*at[: self.dim], int(self.target[at]), *at[self.dim :])
        raise InputKindError(
            f"nll_loss: {place('input', at)} = {input[at].item()} is no log-probability; allowed: input <= 0 "
            "(log_softmax gives them; cross_entropy takes logits)"
        )

    def reference(self, input: Tensor) -> Tensor:
        x, dim, part = reference.widened(input), self.dim, self.part()
        target = readable_indices("nll_loss", self.target, input, dim, self.ignore_index, part, self.sample_weight)
        losses = -x.gather(dim, target.unsqueeze(dim)).squeeze(dim)
        if may_look_at(input, target):
            self._check_values(input, losses.detach(), part)
        by_class = None if self.weight is None else looked_up(self.weight, target)
        losses = weighted(weighted(losses, by_class), self.sample_weight)
        losses = torch.where(part, losses, 0.0)
        return reduced(losses, part, self.sample_weight, by_class, self.reduction, self.number, self.empty, "nll_loss")

    def part(self) -> Tensor:
        kept = self.target.long() != self.ignore_index
        return kept if self.mask is None else kept & self.mask


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: Reduction = "mean",
    *,
    dim: int | None = None,
    sample_weight: Tensor | None = None,
    mask: Tensor | None = None,
    denominator: Any = None,
    empty: Empty = "zero",
    check: bool = False,
) -> Tensor:
    r"""Negative log-likelihood of classes whose log-probabilities are given.

    .. math:: -w_y x_y, \qquad x = \log p

    Parameters
    ----------
    input : (C,), (N, C) or (N, C, d1, ...) tensor
        Log-probabilities ``x``, for instance from :func:`log_softmax`. Only the value of the true class is read, and no
        logarithm is taken.
    target : integer tensor
        Class indices of the shape without the class axis.
    check : bool
        Look at every target on any device, and require that the probabilities of what takes part sum to one.
    weight, size_average, ignore_index, reduce, reduction, dim, sample_weight, mask, denominator, empty
        As in :func:`cross_entropy`.

    Returns
    -------
    Tensor in nats: float64 for float64 input, float32 for narrower ones; a log-probability of ``-inf`` gives ``+inf``.

    Raises
    ------
    InputKindError
        On CPU: a value that is read lies above 0 by more than rounding (1e-8 in float64, 3e-4 in float32, 0.03 in half
        precision): probabilities or logits, passed by mistake.
    TargetError, ShapeError, ParameterError
        As :func:`cross_entropy`.

    Examples
    --------
    >>> import torch, neglog.torch as nlt
    >>> log_p = torch.tensor([[0.1, 0.3, 0.5, 0.1]]).log()
    >>> print(f"{nlt.nll_loss(log_p, torch.tensor([3])):.6f}")
    2.302585
    """
    if size_average is not None or reduce is not None:
        reduction = legacy(reduction, size_average, reduce)
    dim = class_axis("nll_loss", input, dim)
    floating("nll_loss", "input", input)
    target = class_indices("nll_loss", target, input, dim)
    integer("nll_loss", "ignore_index", ignore_index)
    if weight is not None:
        class_weight("nll_loss", weight, input.shape[dim])
    per_entry("nll_loss", "sample_weight", sample_weight, target.shape)
    per_entry("nll_loss", "mask", mask, target.shape)
    boolean("nll_loss", "mask", mask)
    if denominator is not None and is_group(denominator):
        own = total_weight(target, weight, sample_weight=sample_weight, mask=mask, ignore_index=ignore_index)
        denominator = share("nll_loss", own, denominator)
    default = "entries" if weight is None else "weights"
    divisor = divisor_for("nll_loss", reduction, denominator, empty, default)
    loss = GatheredNLL(
        target, weight, sample_weight, mask, dim, ignore_index, divisor.reduction, divisor.number, empty
    )  # fmt: skip
    if check:
        _check(loss, input)
    value = evaluate(loss, input)
    return value if divisor.tensor is None else divided(value, divisor.tensor, empty, "nll_loss")


def _check(loss: GatheredNLL, input: Tensor) -> None:
    """``check=True``: waits for the device."""
    part = loss.part()
    check_indices("nll_loss", loss.target.long(), input.shape[loss.dim], loss.ignore_index, part)
    log_sums = reference.widened(input.detach()).logsumexp(loss.dim)
    off = part & ~(log_sums.abs() <= TOLERANCE[input.dtype.itemsize])
    if bool(off.any()):
        row = tuple(int(i) for i in off.nonzero()[0])
        raise InputKindError(
            f"nll_loss: exp({place('input', row)}) sums to {log_sums[row].exp().item():.6g} over the classes; allowed "
            "with check=True: 1 (log_softmax gives log-probabilities, cross_entropy takes logits)"
        )
