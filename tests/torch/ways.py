"""The elementwise losses on every way to a value: kernel, operator, reference."""

from __future__ import annotations

import contextlib
import warnings

import pytest
import torch
from torch.autograd import forward_ad
from torch.utils._python_dispatch import TorchDispatchMode

import neglog.torch as nlt

with warnings.catch_warnings():  # torch 2.13 loads its forward-mode formulas by a deprecated way, once
    warnings.simplefilter("ignore")
    import torch._decomp.decompositions_for_jvp

INF = float("inf")
F64 = torch.float64
FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]


class _Watched(TorchDispatchMode):
    def __torch_dispatch__(self, function, types, arguments=(), options=None):
        return function(*arguments, **(options or {}))


WAYS = {  # what makes neglog.torch.routing choose: nothing, a dispatch mode, forward mode
    "kernel": contextlib.nullcontext,
    "operator": _Watched,
    "reference": forward_ad.dual_level,
}
every_way = pytest.mark.parametrize("way", WAYS)


def f64(*values):
    return torch.tensor(values, dtype=F64)


def on(way, call, input, *others, factor=1.0, **options):
    """The value of ``call`` and its gradient in the input."""
    leaf = input.clone().requires_grad_()
    with WAYS[way]():
        value = call(leaf, *others, **options) * factor
        (gradient,) = torch.autograd.grad(value.sum(), leaf)
    return value.detach(), gradient


def kl_div_log_target(x, t, **options):
    return nlt.kl_div(x, t, log_target=True, **options)


LOSSES = {  # call, a harmless input, a harmless target
    "bce": (nlt.binary_cross_entropy, 0.25, 1.0),
    "bce_with_logits": (nlt.binary_cross_entropy_with_logits, 0.25, 1.0),
    "multilabel": (nlt.multilabel_soft_margin_loss, 0.25, 1.0),
    "kl_div": (nlt.kl_div, -0.25, 0.5),
    "kl_div_log_target": (kl_div_log_target, -0.25, -0.5),
}
every_loss = pytest.mark.parametrize("name", LOSSES)
