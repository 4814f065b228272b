"""The numbers of torch.nn.functional in float64, values and gradients, for torch's own options drawn at random."""

import math
import warnings
import zlib

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tests.torch import draws

import neglog.torch as nlt

DRAWS = 30  # per seed; 8 seeds, 7 losses, two ways: 3,400 calls in all
SEEDS = 8


def value_and_gradient(function, draw, upstream_seed, as_torch=False):
    """The value, and the gradient in the draw's memory for an upstream that differs from entry to entry."""
    memory = draw.memory.detach().clone().requires_grad_()
    x, args = draw.view(memory), draw.args
    if as_torch:  # torch's nll_loss wants int64 targets and dense images
        x = x.contiguous()
        if isinstance(args[0], torch.Tensor) and not args[0].is_floating_point():
            args = (args[0].long(), *args[1:])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the legacy arguments, and of kl_div's 'mean'
        value = function(x, *args, **draw.options)
    generator = torch.Generator().manual_seed(upstream_seed)
    upstream = torch.randn(value.shape, generator=generator, dtype=value.dtype)
    (gradient,) = torch.autograd.grad(value, memory, upstream)
    return value.detach(), gradient


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("loss", draws.LOSSES, ids=lambda loss: loss.__name__)
def test_same_numbers(way, loss, seed):
    rng = np.random.default_rng([seed, zlib.crc32(loss.__name__.encode())])
    for i in range(DRAWS):
        draw = loss(rng)
        value, gradient = value_and_gradient(getattr(nlt, draw.name), draw, i)
        expected, expected_gradient = value_and_gradient(getattr(F, draw.name), draw, i, as_torch=True)
        if expected.ndim == 0 and math.isnan(expected):  # the mean of nothing: 0 with a zero gradient
            expected, expected_gradient = torch.zeros_like(expected), torch.zeros_like(expected_gradient)
        assert value.shape == expected.shape and value.dtype == expected.dtype, draw
        torch.testing.assert_close(value, expected, rtol=1e-11, atol=1e-13, msg=lambda m, d=draw: f"{d}: value: {m}")
        torch.testing.assert_close(
            gradient, expected_gradient, rtol=1e-11, atol=1e-13, msg=lambda m, d=draw: f"{d}: gradient: {m}"
        )


@pytest.mark.parametrize("dim", [0, 1, -1, (0, 1), None, [0, 2]])
@pytest.mark.parametrize("keepdim", [False, True])
def test_logsumexp(way, dim, keepdim):
    x = torch.randn(3, 4, 5, dtype=torch.float64, requires_grad=True)
    if dim is None:
        dim = tuple(range(3))
    value, expected = nlt.logsumexp(x, dim, keepdim), torch.logsumexp(x, dim, keepdim)
    torch.testing.assert_close(value, expected)
    upstream = torch.randn_like(value)
    torch.testing.assert_close(
        torch.autograd.grad(value, x, upstream), torch.autograd.grad(expected, x, upstream), rtol=1e-11, atol=1e-13
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_log_softmax_dtype(way, dtype):
    x = torch.randn(30, 4)
    value = nlt.log_softmax(x, 1, dtype=dtype)
    assert value.dtype == F.log_softmax(x, 1, dtype=dtype).dtype
    exact = F.log_softmax(x.to(dtype).double(), 1)  # of the input in that dtype, as torch has it
    torch.testing.assert_close(value.double(), exact, rtol=max(torch.finfo(dtype).eps / 2, 1e-6), atol=0)


@pytest.mark.parametrize("loss", [loss for loss in draws.LOSSES if loss is not draws.log_softmax])
def test_legacy_arguments_warn(loss):
    draw = loss(np.random.default_rng(0))
    options = {k: v for k, v in draw.options.items() if k != "reduction"}
    for legacy in ({"size_average": False}, {"reduce": False}):
        with pytest.warns(UserWarning, match="size_average and reduce"):
            getattr(nlt, draw.name)(draw.view(draw.memory), *draw.args, **options, **legacy)
