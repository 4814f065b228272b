"""Which of the three ways a loss takes: the kernel, the kernel behind an operator, or the reference.

=======================================  ============================================================
where the call comes from                way
=======================================  ============================================================
eager, CPU                               kernel, inside an ``autograd.Function``
``torch.compile``, ``torch.export``,     operator ``torch.ops.neglog.*``: opaque to the compiler, with
a dispatch mode (fake tensors), CPU      a fake kernel and an autograd formula
``torch.func``, forward mode, other      reference in torch ops: every transform and every device, and
devices, tensor subclasses, a second     fused by the compiler where there is one
tensor that requires grad
=======================================  ============================================================
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

import torch
from torch import Tensor
from torch.autograd import forward_ad

Way = Enum("Way", ["KERNEL", "OPERATOR", "REFERENCE"])
_KERNEL, _OPERATOR, _REFERENCE = Way.KERNEL, Way.OPERATOR, Way.REFERENCE

# looked up once: every microsecond here is a fifth of torch's own time for a tiny input
_is_compiling = torch.compiler.is_compiling
_transforms_active = torch._C._are_functorch_transforms_active  # pyright: ignore[reportPrivateUsage]
_dispatch_modes = torch._C._len_torch_dispatch_stack  # pyright: ignore[reportPrivateUsage]
_strided = torch.strided

_PLAIN = (Tensor, torch.nn.Parameter)
_KERNEL_DTYPES = frozenset([torch.float16, torch.bfloat16, torch.float32, torch.float64])


def way_for(input: Tensor, others: Iterable[Tensor | None]) -> Way:
    """``input`` is what kernels differentiate in."""
    if _is_compiling():
        return _way_when_compiling(input, others)
    if (
        type(input) not in _PLAIN
        or not input.is_cpu
        or input.layout is not _strided
        or input.dtype not in _KERNEL_DTYPES
        or input.is_neg()  # the imaginary part of a conjugate: its memory holds the negative
        or _transforms_active()
        or forward_mode()
    ):
        return _REFERENCE
    for other in others:
        if other is not None and (
            type(other) not in _PLAIN or other.requires_grad or not other.is_cpu or other.is_neg()
        ):
            return _REFERENCE
    return _OPERATOR if _dispatch_modes() else _KERNEL


def _way_when_compiling(input: Tensor, others: Iterable[Tensor | None]) -> Way:
    if (
        input.device.type != "cpu"
        or input.dtype not in _KERNEL_DTYPES
        or transforming()
        or any(other is not None and other.requires_grad for other in others)
    ):
        return Way.REFERENCE
    return Way.OPERATOR


def transforming() -> bool:
    """Whether torch.func is at work."""
    return _transforms_active()


def dispatched() -> bool:
    """Whether a dispatch mode, such as that of fake tensors, is to see every operator."""
    return bool(_dispatch_modes())


def forward_mode() -> bool:
    """Whether tensors may carry tangents, which do not show in ``requires_grad``."""
    return forward_ad._current_level >= 0  # pyright: ignore[reportPrivateUsage]


def is_differentiated(upstream: Tensor) -> bool:
    """Whether a backward pass is differentiated in turn (``create_graph``, an upstream with a tangent) or is run for
    many upstreams at a time (``is_grads_batched``, torch.func): by the reference then."""
    return (
        torch.is_grad_enabled()
        or forward_mode()
        or transforming()
        or torch._C._functorch.is_legacy_batchedtensor(upstream)  # pyright: ignore
    )


def may_look_at(*tensors: Tensor) -> bool:
    """Whether values are at hand: on the CPU, eager, and not behind a transform or a fake."""
    return (
        not torch.compiler.is_compiling()
        and not transforming()
        and not _dispatch_modes()
        and all(type(tensor) in _PLAIN and tensor.is_cpu for tensor in tensors)
    )
