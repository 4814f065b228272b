"""What a row of logits says beside its loss, in one pass over memory."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from neglog import _native
from neglog.torch import reference, reference_softmax
from neglog.torch.arguments import CODES, CPU, TARGET_CODES, address, boolean, floating, per_entry, positive
from neglog.torch.arguments import result_dtype as dtype_of_stats
from neglog.torch.fused import keep, laid_like, restored
from neglog.torch.layout import Rows, rows_along
from neglog.torch.routing import Way, is_differentiated, may_look_at, way_for
from neglog.torch.targets import check_class_mask, check_indices, class_axis, class_indices, raise_bad_index


class LogitStats(NamedTuple):
    """What :func:`logit_stats` returns: one value per row, in the shape of the target."""

    log_prob: Tensor | None  # log-probability of the target, differentiable; 0 where it is ignored
    logsumexp: Tensor  # differentiable
    entropy: Tensor  # in nats, differentiable
    argmax: Tensor  # int64: the first of the largest
    correct: Tensor | None  # bool: argmax == target
    rank: Tensor | None  # int64: how many classes are ahead of the target, 0 for the best; -1 where it is ignored


def logit_stats(
    input: Tensor,
    target: Tensor | None = None,
    *,
    dim: int | None = None,
    ignore_index: int = -100,
    mask: Tensor | None = None,
    class_mask: Tensor | None = None,
    temperature: float | Tensor = 1.0,
    softcap: float | Tensor | None = None,
) -> LogitStats:
    r"""Log-probability of the target, logsumexp, entropy, argmax, correctness and rank of rows of logits, in one pass.

    .. math:: \log p_y = z'_y - \operatorname{lse}, \qquad \operatorname{lse} = \log \sum_k e^{z'_k}, \qquad
        H = -\sum_k p_k \log p_k, \qquad z' = c \tanh(z / c) / T

    Parameters
    ----------
    input : (C,), (N, C) or (N, C, d1, ...) tensor
        Logits ``z``: float16, bfloat16, float32 or float64, in any memory layout; never modified.
    target : integer tensor of the shape without the class axis, optional
        Class indices. Without it ``log_prob``, ``correct`` and ``rank`` are None.
    dim : int, optional
        The class axis. Default: torch's, 1 (0 without a batch).
    ignore_index : int
        A target that is none: ``log_prob`` 0, ``correct`` False, ``rank`` -1, while what needs no target is given.
    mask : bool tensor of one value per row, optional
        False: the row is not read; all its values and gradients are 0, and ``rank`` -1.
    class_mask : bool tensor, (C,) or what broadcasts to ``input``, optional
        False removes a class from the softmax.
    temperature, softcap : float or 0-d tensor
        ``T`` and ``c``, as in :func:`cross_entropy`.

    Returns
    -------
    LogitStats
        ``log_prob``, ``logsumexp`` and ``entropy`` in nats are differentiable, float64 for float64 logits and float32
        for narrower ones; ``argmax`` and ``rank`` are int64, ``correct`` is bool.

    Raises
    ------
    TargetError
        A class index outside ``[0, C)`` that is not ignored: at the call on CPU, also compiled.
    ShapeError
        Shapes that do not match; nothing is broadcast.
    InputKindError
        A dtype that cannot be used.
    ParameterError
        A temperature or soft cap that is not positive.

    Notes
    -----
    Among equal logits the first is the argmax, and none is ahead of another: ``correct`` implies ``rank == 0``, and
    ``rank < k`` is top-k accuracy. A confident row keeps the digits of ``log_prob`` and entropy (a margin of 40 gives
    -4.2e-18 and 1.7e-16). A logit of ``-inf`` is a masked class; a row of nothing else, or with ``+inf``, has no
    softmax: ``log_prob`` and ``entropy`` are NaN.

    Source: Cover and Thomas, "Elements of Information Theory" (2006), section 2.1.

    Examples
    --------
    >>> import torch
    >>> import neglog.torch as nlt
    >>> logits = torch.tensor([[2.0, 1.0, 0.1], [0.5, -1.0, 0.3]])
    >>> stats = nlt.logit_stats(logits, torch.tensor([0, 2]))
    >>> stats.log_prob, stats.entropy
    (tensor([-0.4170, -0.9139]), tensor([0.8467, 0.9580]))
    >>> stats.argmax.tolist(), stats.correct.tolist(), stats.rank.tolist()
    ([0, 0], [True, False], [0, 1])
    """
    function = "logit_stats"
    dim = class_axis(function, input, dim)
    floating(function, "input", input)
    if target is not None:
        target = class_indices(function, target, input, dim)
    if mask is not None:
        per_entry(function, "mask", mask, input.shape[:dim] + input.shape[dim + 1 :])
        boolean(function, "mask", mask)
    if class_mask is not None:
        check_class_mask(function, class_mask, input, dim)
    cap = 0.0 if softcap is None else positive(function, "softcap", softcap)
    temperature = positive(function, "temperature", temperature)
    x = input
    if isinstance(temperature, Tensor) or isinstance(cap, Tensor) or (class_mask is not None and class_mask.dim() > 1):
        # what the kernel has no room for happens before it, in one more pass
        x = reference.transformed(reference.widened(input), temperature, cap, class_mask, dim)
        temperature, cap, class_mask = 1.0, 0.0, None
    rows = RowStats(target, mask, class_mask, dim, ignore_index, temperature, cap)
    log_prob, logsumexp, entropy, argmax, rank = _evaluate(rows, x)
    if x is not input:  # transformed in float64
        log_prob, logsumexp, entropy = (out.to(dtype_of_stats(input)) for out in (log_prob, logsumexp, entropy))
    if target is None:
        return LogitStats(None, logsumexp, entropy, argmax, None, None)
    return LogitStats(log_prob, logsumexp, entropy, argmax, (argmax == target) & (rank >= 0), rank)


Outputs = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]  # log_prob, logsumexp, entropy, argmax, rank
Upstreams = tuple[Tensor | None, Tensor | None, Tensor | None]  # of the first three


class RowStats(NamedTuple):
    """:func:`logit_stats` with its options made explicit; without a target log_prob and rank are empty."""

    target: Tensor | None
    mask: Tensor | None
    class_mask: Tensor | None  # (C,)
    dim: int
    ignore_index: int
    temperature: float
    softcap: float  # 0: none

    def results(self, input: Tensor) -> Outputs:
        """Empty outputs of the right shapes and dtypes."""
        shape = input.shape[: self.dim] + input.shape[self.dim + 1 :]
        of_target = shape if self.target is not None else (0,)
        dtype, device = dtype_of_stats(input), input.device
        return (
            torch.empty(of_target, dtype=dtype, device=device),
            torch.empty(shape, dtype=dtype, device=device),
            torch.empty(shape, dtype=dtype, device=device),
            torch.empty(shape, dtype=torch.int64, device=device),
            torch.empty(of_target, dtype=torch.int64, device=device),
        )

    def forward(self, input: Tensor) -> Outputs:
        rows = rows_along(input, self.dim)
        n, dtype = rows.outer * rows.inner, dtype_of_stats(input)
        log_prob, lse, entropy = (torch.empty(n, dtype=dtype, device=CPU) for _ in range(3))
        argmax, rank = (torch.empty(n, dtype=torch.int64, device=CPU) for _ in range(2))
        outputs = (log_prob, lse, entropy, argmax, rank)
        held, arguments = self._selection(rows)
        arguments += [*(out.data_ptr() for out in outputs), torch.get_num_threads()]
        bad_row = _native.logit_stats(*arguments)
        del held
        if bad_row >= 0 and self.target is not None:
            raise_bad_index("logit_stats", self.target, rows.position(bad_row), rows.classes, self.ignore_index)
        if self.target is None:
            return log_prob[:0], rows.restore(lse), rows.restore(entropy), rows.restore(argmax), rank[:0]
        return tuple(rows.restore(out) for out in outputs)  # pyright: ignore[reportReturnType]

    def backward(self, input: Tensor, upstreams: Upstreams) -> Tensor:
        rows = rows_along(input, self.dim)
        gradient, strides = rows.like()
        dtype = dtype_of_stats(input)
        laid = [None if g is None or not g.numel() else rows.entries(g.resolve_neg(), dtype) for g in upstreams]
        held, arguments = self._selection(rows)
        arguments += [*(address(g) for g in laid), gradient.data_ptr(), strides, torch.get_num_threads()]
        _native.logit_stats_back(*arguments)
        del held
        return gradient

    def _selection(self, rows: Rows) -> tuple[list[Tensor | None], list[Any]]:
        """What both kernels take first, and the tensors whose memory that is: to be held during the call."""
        target = None if self.target is None else rows.entries(self.target)
        mask = None if self.mask is None else rows.entries(self.mask)
        class_mask = None if self.class_mask is None else self.class_mask.contiguous()
        arguments: list[Any] = [
            CODES[rows.tensor.dtype], rows.outer, rows.classes, rows.inner, rows.tensor.data_ptr(), rows.strides,
            address(target), 0 if target is None else TARGET_CODES[target.dtype], True, self.ignore_index,
            address(mask), address(class_mask), self.temperature, self.softcap,
        ]  # fmt: skip
        return [target, mask, class_mask], arguments

    def reference(self, input: Tensor) -> Outputs:
        z, dim, target, mask = reference.widened(input), self.dim, self.target, self.mask
        if mask is not None:
            z = torch.where(mask.unsqueeze(dim), z, 0.0)
        z = reference.transformed(z, self.temperature, self.softcap, self.class_mask, dim)
        log_p = reference_softmax.log_softmax(z, dim)
        dtype = dtype_of_stats(input)  # transformed logits are float64
        lse = reference_softmax.logsumexp(z, dim).squeeze(dim).to(dtype)
        entropy, argmax = reference_softmax.entropy(log_p, dim).to(dtype), z.argmax(dim)
        if mask is not None:
            lse, entropy = torch.where(mask, lse, 0.0), torch.where(mask, entropy, 0.0)
            argmax = torch.where(mask, argmax, 0)
        if target is None:
            return lse[:0], lse, entropy, argmax, argmax[:0]
        target = target.long()
        part = target != self.ignore_index
        part = part if mask is None else part & mask
        if may_look_at(input, target):
            check_indices("logit_stats", target, z.shape[dim], self.ignore_index, part)
        y = torch.where(part, target, 0).unsqueeze(dim)
        log_prob = torch.where(part, log_p.gather(dim, y).squeeze(dim).to(dtype), 0.0)
        rank = torch.where(part, (z > z.gather(dim, y)).sum(dim), -1)
        return log_prob, lse, entropy, argmax, rank


def _evaluate(rows: RowStats, input: Tensor) -> Outputs:
    way = way_for(input, rows[:3])
    if way is Way.KERNEL:
        if input.requires_grad and torch.is_grad_enabled():
            return _Kernel.apply(input, rows)  # pyright: ignore[reportReturnType]
        return rows.forward(input)
    if way is Way.OPERATOR:
        return torch.ops.neglog.logit_stats(input, *rows)
    return rows.reference(input)


class _Kernel(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, input: Tensor, rows: RowStats) -> Outputs:  # pyright: ignore[reportIncompatibleMethodOverride]
        outputs = rows.forward(input)
        ctx.mark_non_differentiable(*outputs[3:])
        ctx.set_materialize_grads(False)  # what nobody differentiates costs nothing
        ctx.rows = rows
        ctx.save_for_backward(input, *rows[:3])
        return outputs

    @staticmethod
    def backward(ctx: Any, *upstreams: Tensor | None) -> tuple[Tensor | None, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        given = upstreams[:3]
        if all(g is None for g in given):
            return None, None
        if any(g is not None and is_differentiated(g) for g in given):
            return _differentiable_gradient(ctx.rows, ctx.saved_tensors[0], given), None
        return ctx.rows.backward(ctx.saved_tensors[0], given), None


def _differentiable_gradient(rows: RowStats, input: Tensor, upstreams: tuple[Tensor | None, ...]) -> Tensor:
    with torch.enable_grad():
        outputs = [out for out, g in zip(rows.reference(input), upstreams, strict=False) if g is not None]
        given = [g for g in upstreams if g is not None]
        (gradient,) = torch.autograd.grad(outputs, input, given, create_graph=True)
    return gradient


# ---- the same as operators, for torch.compile and torch.export ----

_FIELDS = (
    "Tensor? target, Tensor? mask, Tensor? class_mask, "
    "SymInt dim, SymInt ignore_index, float temperature, float softcap"
)
_UPSTREAMS = "Tensor? to_log_prob, Tensor? to_logsumexp, Tensor? to_entropy"


@torch.library.custom_op(
    "neglog::logit_stats",
    mutates_args=(),
    device_types="cpu",
    schema=f"(Tensor input, {_FIELDS}) -> (Tensor, Tensor, Tensor, Tensor, Tensor)",
)
def _stats_operator(input: Tensor, *fields: Any) -> Outputs:
    return tuple(out.contiguous() for out in RowStats(*fields).forward(input))  # pyright: ignore[reportReturnType]


@_stats_operator.register_fake
def _(input: Tensor, *fields: Any) -> Outputs:
    return RowStats(*fields).results(input)


@torch.library.custom_op(
    "neglog::logit_stats_backward",
    mutates_args=(),
    device_types="cpu",
    schema=f"({_UPSTREAMS}, Tensor input, {_FIELDS}) -> Tensor",
)
def _backward_operator(*arguments: Any) -> Tensor:
    upstreams, input, fields = arguments[:3], arguments[3], arguments[4:]
    return laid_like(torch.empty_like(input, device="meta"), RowStats(*fields).backward(input, upstreams))


@_backward_operator.register_fake
def _(*arguments: Any) -> Tensor:
    return torch.empty_like(arguments[3])


def _first_derivative(ctx: Any, *upstreams: Tensor | None) -> tuple[Tensor | None, ...]:
    input, *fields = restored(ctx)
    return (_backward_operator(*upstreams[:3], input, *fields), *(None for _ in fields))


def _second_derivative(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
    arguments = restored(ctx)
    with torch.enable_grad():
        leaves: list[Any] = [None if t is None else t.detach().requires_grad_() for t in arguments[:4]]
        *upstreams, input = leaves
        gradient = _differentiable_gradient(RowStats(*arguments[4:]), input, tuple(upstreams))
        given = [leaf for leaf in leaves if leaf is not None]
        derivatives = iter(torch.autograd.grad(gradient, given, upstream, allow_unused=True))
    return (*(None if leaf is None else next(derivatives) for leaf in leaves), *(None for _ in arguments[4:]))


_stats_operator.register_autograd(_first_derivative, setup_context=keep)
_backward_operator.register_autograd(_second_derivative, setup_context=keep)
