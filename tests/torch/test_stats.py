"""logit_stats against definitions in float64, in 60 digits where a row is confident; on every way to a value."""

from __future__ import annotations

import math

import pytest
import torch
from tests.torch.ways import F64, INF, WAYS, every_way, f64
from torch.autograd import forward_ad

import neglog as nl
import neglog.torch as nlt
from neglog.torch.stats import RowStats

TINY = 4.248354255291589e-18  # log(1 + e^-40)


def logits(*shape):
    return torch.randn(shape, dtype=F64, generator=torch.Generator().manual_seed(3)) * 2


def defined(z, y, dim):
    """The definitions, as they read."""
    log_p = torch.log_softmax(z, dim)
    at = log_p.gather(dim, y.unsqueeze(dim)).squeeze(dim)
    entropy = -(log_p.exp() * log_p).nan_to_num(0.0).sum(dim)
    rank = (z > z.gather(dim, y.unsqueeze(dim))).sum(dim)
    argmax = z.argmax(dim)
    return nlt.LogitStats(at, torch.logsumexp(z, dim), entropy, argmax, argmax == y, rank)


def close(got, want, rtol=1e-12):
    for name, a, b in zip(nlt.LogitStats._fields, got, want, strict=True):
        assert a.dtype == b.dtype, name
        torch.testing.assert_close(a, b, rtol=rtol if a.is_floating_point() else 0, atol=1e-13, msg=name)


@every_way
@pytest.mark.parametrize(
    ("z", "dim"),
    [
        (logits(7), 0),
        (logits(6, 5), 1),
        (logits(6, 1), 1),
        (logits(3, 1500), -1),
        (logits(5, 6).t(), 1),
        (logits(2, 3, 4, 5), 1),
        (logits(2, 4, 5, 3).permute(0, 3, 1, 2), 1),
        (logits(2, 3, 4, 5).permute(3, 1, 0, 2), 2),
        (logits(4, 5, 6)[:, :-1], -1),
    ],
    ids=lambda value: str(tuple(value.shape)) if isinstance(value, torch.Tensor) else str(value),
)
def test_definitions(way, z, dim):
    dim %= z.dim()
    shape = z.shape[:dim] + z.shape[dim + 1 :]
    y = torch.arange(math.prod(shape)).view(shape) % z.shape[dim]
    leaf, twin = z.clone().requires_grad_(), z.clone().requires_grad_()
    with WAYS[way]():
        got = nlt.logit_stats(leaf, y, dim=dim if z.dim() > 1 else None)
        (gradient,) = torch.autograd.grad((got.log_prob + 2 * got.logsumexp - 3 * got.entropy).sum(), leaf)
    want = defined(twin, y, dim)
    close(got, want)
    (expected,) = torch.autograd.grad((want.log_prob + 2 * want.logsumexp - 3 * want.entropy).sum(), twin)
    torch.testing.assert_close(gradient, expected, rtol=1e-11, atol=1e-12)
    for target in (y.to(torch.int32), y.to(torch.uint8), y.to(torch.int16)):
        with WAYS[way]():
            assert nlt.logit_stats(z, target, dim=dim).log_prob.equal(got.log_prob)


@every_way
def test_a_confident_row_keeps_its_digits(way):
    z = f64([40, 0], [0, 40]).requires_grad_()
    with WAYS[way]():
        stats = nlt.logit_stats(z, torch.tensor([0, 0]))
        (to_entropy,) = torch.autograd.grad(stats.entropy.sum(), z, retain_graph=True)
        (to_log_prob,) = torch.autograd.grad(stats.log_prob.sum(), z)
    entropy = 41 * TINY  # p = e^-40: p (1 + 40) + O(p^2)
    torch.testing.assert_close(stats.log_prob, f64(-TINY, -40), rtol=1e-14, atol=0)
    torch.testing.assert_close(stats.entropy, f64(entropy, entropy), rtol=1e-14, atol=0)
    torch.testing.assert_close(to_log_prob, f64([TINY, -TINY], [1, -1]), rtol=1e-14, atol=0)
    slope = 40 * TINY  # -p_k (log p_k + H) at the smaller
    torch.testing.assert_close(to_entropy, f64([-slope, slope], [slope, -slope]), rtol=1e-13, atol=0)


@every_way
def test_what_is_ignored_and_what_is_masked(way):
    z = f64([1, 3, 2], [0, 0, 5], [math.nan, INF, 0], [2, 1, 0]).requires_grad_()
    y, mask = torch.tensor([1, -100, 7, 1]), torch.tensor([True, True, False, True])
    with WAYS[way]():
        stats = nlt.logit_stats(z, y, mask=mask)
        (gradient,) = torch.autograd.grad(stats.log_prob.sum() + stats.entropy.sum() + stats.logsumexp.sum(), z)
    full = nlt.logit_stats(z[[0, 1, 3]].detach(), torch.tensor([1, 0, 1]))
    kept = [0, 1, 3]
    assert stats.log_prob.tolist() == [full.log_prob[0].item(), 0, 0, full.log_prob[2].item()] or way == "reference"
    torch.testing.assert_close(stats.logsumexp[kept], full.logsumexp)  # what needs no target is there all the same
    torch.testing.assert_close(stats.entropy[kept], full.entropy)
    assert stats.log_prob[[1, 2]].tolist() == [0, 0]
    assert stats.logsumexp[2] == stats.entropy[2] == 0
    assert stats.argmax.tolist() == [1, 2, 0, 0]
    assert stats.correct.tolist() == [True, False, False, False]
    assert stats.rank.tolist() == [0, -1, -1, 1]
    assert gradient[2].tolist() == [0, 0, 0]
    without = nlt.logit_stats(z, mask=mask)
    assert without.log_prob is without.correct is without.rank is None
    assert without.argmax.equal(stats.argmax)


@every_way
def test_ties_and_masked_classes(way):
    z = f64([1, 5, 5], [-INF, -INF, 0], [2, -INF, 1])
    with WAYS[way]():
        stats = nlt.logit_stats(z, torch.tensor([2, 2, 1]))
    assert stats.argmax.tolist() == [1, 2, 0]
    assert stats.correct.tolist() == [False, True, False]
    assert stats.rank.tolist() == [0, 0, 2]
    assert stats.log_prob[1:].tolist() == [0, -INF]
    assert stats.entropy[1] == 0
    with WAYS[way]():
        undefined = nlt.logit_stats(f64([-INF, -INF], [INF, 0]), torch.tensor([0, 1]))
    assert undefined.logsumexp.tolist() == [-INF, INF]
    assert undefined.log_prob.isnan().all()
    assert undefined.entropy.isnan().all()


@every_way
def test_transformed_logits(way):
    z, y = logits(5, 4), torch.tensor([0, 1, 2, 3, 0])
    keep = torch.tensor([True, True, False, True])
    y[2] = 1
    leaf, twin = z.clone().requires_grad_(), z.clone().requires_grad_()
    for class_mask in (keep, keep.expand(5, 4)):
        with WAYS[way]():
            got = nlt.logit_stats(leaf, y, class_mask=class_mask, temperature=2.0, softcap=3.0)
            (gradient,) = torch.autograd.grad((got.log_prob * got.entropy).sum(), leaf)
        want = defined((3 * torch.tanh(twin / 3) / 2).masked_fill(~keep, -1e300), y, 1)
        close(got, want)
        (expected,) = torch.autograd.grad((want.log_prob * want.entropy).sum(), twin)
        torch.testing.assert_close(gradient, expected, rtol=1e-11, atol=1e-13)
    temperature = torch.tensor(2.0, dtype=F64, requires_grad=True)
    with WAYS[way]():
        loss = -nlt.logit_stats(z, y, temperature=temperature).log_prob.mean()
        (slope,) = torch.autograd.grad(loss, temperature)
    torch.testing.assert_close(loss, torch.nn.functional.cross_entropy(z / 2, y))
    with WAYS[way]():
        for options in ({"temperature": temperature}, {"temperature": 2.0}, {"softcap": 3.0}, {"class_mask": keep}):
            narrow = nlt.logit_stats(z.bfloat16(), y, **options)
            assert {out.dtype for out in narrow[:3]} == {torch.float32}
    p = torch.softmax(z / 2, 1)  # d NLL / dT = (z_y - sum_k p_k z_k) / T^2: Guo et al. (2017)
    torch.testing.assert_close(slope, ((z.gather(1, y[:, None]).squeeze(1) - (p * z).sum(1)) / 4).mean())


@every_way
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_half_precision_is_storage(way, dtype):
    z, y = logits(40, 30).to(dtype), torch.arange(40) % 30
    want = nlt.logit_stats(z.double(), y)
    leaf, twin = z.clone().requires_grad_(), z.double().requires_grad_()
    with WAYS[way]():
        got = nlt.logit_stats(leaf, y)
        (gradient,) = torch.autograd.grad(got.entropy.sum() + got.log_prob.sum(), leaf)
    for a, b in zip(got[:3], want[:3], strict=True):
        assert a.dtype == torch.float32
        torch.testing.assert_close(a.double(), b, rtol=1e-6, atol=1e-6)
    assert got.argmax.equal(want.argmax)
    assert got.rank.equal(want.rank)
    exact = nlt.logit_stats(twin, y)
    (expected,) = torch.autograd.grad(exact.entropy.sum() + exact.log_prob.sum(), twin)
    assert gradient.dtype == dtype
    torch.testing.assert_close(gradient.double(), expected, rtol=torch.finfo(dtype).eps, atol=1e-6)


def test_every_derivative():
    z, y = logits(4, 3).requires_grad_(), torch.tensor([0, 2, -100, 1])
    options = {"mask": torch.tensor([True, True, True, False]), "temperature": 1.5, "softcap": 4.0}
    every_mode = {"check_forward_ad": True, "check_batched_grad": True, "check_batched_forward_grad": True}

    def differentiable(z):
        return nlt.logit_stats(z, y, **options)[:3]

    assert torch.autograd.gradcheck(differentiable, z, **every_mode)
    assert torch.autograd.gradgradcheck(differentiable, z, check_batched_grad=True)
    jacobian = torch.func.jacrev(lambda z: nlt.logit_stats(z, y, **options).entropy)(z.detach())
    forward = torch.func.jacfwd(lambda z: nlt.logit_stats(z, y, **options).entropy)(z.detach())
    torch.testing.assert_close(jacobian, forward)
    assert (jacobian != 0).any()
    rows = torch.func.vmap(lambda z, y: nlt.logit_stats(z, y).entropy)(z.detach(), y.clamp(min=0))
    torch.testing.assert_close(rows, nlt.logit_stats(z.detach(), y.clamp(min=0)).entropy)


def test_an_upstream_with_a_tangent():
    z = logits(4, 3).requires_grad_()
    entropy = nlt.logit_stats(z).entropy
    with forward_ad.dual_level():
        upstream = forward_ad.make_dual(torch.ones_like(entropy), torch.full_like(entropy, 2.0))
        value, tangent = forward_ad.unpack_dual(torch.autograd.grad(entropy, z, upstream)[0])
    torch.testing.assert_close(tangent, 2 * value)


@every_way
def test_two_backward_passes(way):
    z, y = logits(4, 3).requires_grad_(), torch.tensor([0, 2, 0, 1])
    with WAYS[way]():
        stats = nlt.logit_stats(z, y)
        total = (stats.entropy + stats.log_prob).sum()
        total.backward(retain_graph=True)
        once = z.grad.clone()
        total.backward()
    assert z.grad.equal(2 * once)
    assert not stats.argmax.requires_grad
    assert not stats.rank.requires_grad


@pytest.mark.parametrize("with_target", [True, False])
@pytest.mark.parametrize("x", [logits(4, 3), logits(2, 3, 4, 5).permute(3, 1, 0, 2), logits(4, 6)[:, ::2]])
def test_opcheck(x, with_target):
    shape = (x.shape[0], *x.shape[2:])
    y = torch.zeros(shape, dtype=torch.int64) if with_target else None
    rows = RowStats(y, torch.ones(shape, dtype=torch.bool), None, 1, -100, 1.0, 0.0)
    torch.library.opcheck(torch.ops.neglog.logit_stats.default, (x.detach().requires_grad_(), *rows))


def test_meta_and_export():
    class Model(torch.nn.Module):
        def forward(self, z, y):
            return tuple(nlt.logit_stats(z, y))

    z, y = torch.randn(4, 3), torch.tensor([0, 1, 2, 0])
    for got, want in zip(torch.export.export(Model(), (z, y)).module()(z, y), Model()(z, y), strict=True):
        assert got.equal(want)
    for got, want in zip(nlt.logit_stats(z.to("meta"), y.to("meta")), Model()(z, y), strict=True):
        assert got.is_meta
        assert (got.shape, got.dtype) == (want.shape, want.dtype)


@every_way
def test_bad_input(way):
    z = torch.zeros(2, 3)
    for error, message, call in (
        (nl.TargetError, r"logit_stats: target\[1\] = 3", lambda: nlt.logit_stats(z, torch.tensor([0, 3]))),
        (nl.ShapeError, r"logit_stats: target has shape \(3,\)", lambda: nlt.logit_stats(z, torch.tensor([0, 1, 2]))),
        (nl.ShapeError, r"logit_stats: mask has shape", lambda: nlt.logit_stats(z, mask=torch.ones(3) > 0)),
        (nl.InputKindError, r"logit_stats: target has dtype torch.float32", lambda: nlt.logit_stats(z, torch.zeros(2))),
        (nl.ParameterError, r"logit_stats: temperature=0", lambda: nlt.logit_stats(z, temperature=0.0)),
        (nl.ParameterError, r"logit_stats: softcap=-1", lambda: nlt.logit_stats(z, softcap=-1.0)),
    ):
        with WAYS[way](), pytest.raises(error, match=message):
            call()
