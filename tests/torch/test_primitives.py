"""log_softmax and logsumexp: 60 digits, torch's own shapes and rules, edges, layouts; on every way to a value."""

from __future__ import annotations

import mpmath
import pytest
import torch
from tests.torch.ways import F64, INF, WAYS, every_way, f64, on

import neglog as nl
import neglog.torch as nlt
from neglog.torch.primitives import LogProbabilities, LogSumExp

NAN = float("nan")

mp = mpmath.mp.clone()
mp.dps = 60

ROWS = [
    [0.0],
    [1.0, 1.0, 1.0],
    [40.0, 0.0],
    [0.0, 100.0, -3.0],
    [700.0, 0.0, -700.0, 699.0],
    [1e30, 0.0],
    [-1e-12, 1e-12],
    [float(k % 7) / 3 for k in range(75)],
]


def exact_log_softmax(row):
    z = [mp.mpf(v) for v in row]
    total = mp.fsum(mp.exp(v - max(z)) for v in z)
    # summing from the top keeps log(1 + tiny) alive in 60 digits
    others = mp.fsum(sorted(mp.exp(v - max(z)) for v in z)[:-1])
    log_total = mp.log1p(others) if others < 0.5 else mp.log(total)
    return [v - max(z) - log_total for v in z], max(z) + log_total


@every_way
@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row)[:20])
def test_against_mpmath(way, row):
    z, upstream = f64(*row), torch.linspace(-1, 2, len(row), dtype=F64)
    _, gradient = on(way, lambda z: nlt.log_softmax(z, 0) * upstream, z)
    want, want_lse = exact_log_softmax(row)
    log_p, _ = on(way, nlt.log_softmax, z, 0)
    for got, exact in zip(log_p.tolist(), want, strict=True):
        assert abs(mp.mpf(got) - exact) <= 1e-14 * abs(exact) + 1e-320
    lse, p = on(way, nlt.logsumexp, z, 0)
    assert abs(mp.mpf(lse.item()) - want_lse) <= 2e-16 * max(1, abs(want_lse))
    g = [mp.mpf(v) for v in upstream.tolist()]
    for k, exact in enumerate(want):
        allowed = 1e-14 * mp.exp(exact) * max(1, abs(exact)) + 1e-320  # the exponential's condition number
        assert abs(mp.mpf(p[k].item()) - mp.exp(exact)) <= allowed
        slope = g[k] * -mp.expm1(exact) - mp.exp(exact) * (mp.fsum(g) - g[k])
        assert (
            abs(mp.mpf(gradient[k].item()) - slope)
            <= 1e-13 * max(abs(slope), max(map(abs, g)) * mp.exp(exact)) + 1e-320
        )


@every_way
def test_a_confident_row_keeps_its_gradient(way):
    for z, tiny in ((f64(40, 0), 4.248354255291589e-18), (f64(0, 0, 100, 0), 3 * 3.720075976020836e-44)):
        best = int(z.argmax())
        value, gradient = on(way, lambda z, best=best: nlt.log_softmax(z, 0)[best], z)
        torch.testing.assert_close(value.item(), -tiny, rtol=1e-14, atol=0)
        torch.testing.assert_close(gradient[best].item(), tiny, rtol=1e-14, atol=0)


@every_way
def test_infinities(way):
    for row, lse, log_p in (
        ([2.0, -INF], 2.0, [0.0, -INF]),
        ([-INF, -INF], -INF, [NAN, NAN]),
        ([-INF], -INF, [NAN]),
        ([INF, 0.0], INF, [NAN, NAN]),
        ([NAN, 0.0], NAN, [NAN, NAN]),
    ):
        value, gradient = on(way, nlt.logsumexp, f64(*row), 0)
        torch.testing.assert_close(value.item(), lse, equal_nan=True)
        if row == [2.0, -INF]:
            assert gradient.tolist() == [1, 0]
        value, _ = on(way, nlt.log_softmax, f64(*row), 0)
        torch.testing.assert_close(value.tolist(), log_p, equal_nan=True)
    value, gradient = on(way, lambda z: nlt.log_softmax(z, 0)[0], f64(2, -INF, 2))
    torch.testing.assert_close(gradient, f64(0.5, 0, -0.5))  # a masked class has no gradient


def laid_out():
    x = torch.randn(120, dtype=F64, generator=torch.Generator().manual_seed(0)) * 3
    yield "row", x[:7]
    yield "table", x.view(8, 15)
    yield "transposed", x.view(8, 15).t()
    yield "every other", x.view(8, 15)[:, ::2]
    yield "images", x.view(2, 3, 4, 5)
    yield "channels last", x.view(2, 4, 5, 3).permute(0, 3, 1, 2)
    yield "no stride walks the batch", x.view(2, 3, 4, 5).permute(3, 1, 0, 2)
    yield "expanded", x[:12].view(3, 4).expand(5, 3, 4)
    yield "one class", x[:5].view(5, 1)


LAYOUTS = list(laid_out())


@every_way
@pytest.mark.parametrize("x", [x for _, x in LAYOUTS], ids=[name for name, _ in LAYOUTS])
def test_layouts_and_axes(way, x):
    for dim in range(-x.dim(), x.dim()):
        for ours, theirs in ((nlt.log_softmax, torch.log_softmax), (nlt.logsumexp, torch.logsumexp)):
            got, gradient = on(way, lambda x: ours(x, dim) ** 2, x)  # noqa: B023
            leaf = x.clone().requires_grad_()
            (want := theirs(leaf, dim) ** 2).sum().backward()
            torch.testing.assert_close(got, want.detach(), rtol=1e-12, atol=1e-13)
            torch.testing.assert_close(gradient, leaf.grad, rtol=1e-11, atol=1e-12)


@every_way
@pytest.mark.parametrize("dim", [(0,), (0, 1), (0, 2), (2, 1), [0, 1, 2], (-1, 0)])
@pytest.mark.parametrize("keepdim", [False, True])
def test_logsumexp_over_several_axes(way, dim, keepdim):
    x = torch.randn(2, 3, 5, dtype=F64)
    value, gradient = on(way, nlt.logsumexp, x, dim, keepdim)
    leaf = x.clone().requires_grad_()
    (want := torch.logsumexp(leaf, dim, keepdim)).sum().backward()
    torch.testing.assert_close(value, want.detach(), rtol=1e-13, atol=1e-13)
    torch.testing.assert_close(gradient, leaf.grad, rtol=1e-12, atol=1e-14)


@every_way
def test_nothing_and_scalars(way):
    assert on(way, nlt.logsumexp, torch.zeros(2, 0), 1)[0].tolist() == [-INF, -INF]
    assert on(way, nlt.log_softmax, torch.zeros(2, 0), 1)[0].shape == (2, 0)
    assert on(way, nlt.log_softmax, torch.zeros(0, 3), 1)[1].shape == (0, 3)
    assert on(way, nlt.logsumexp, torch.zeros(0, 3), 1)[0].shape == (0,)
    x = torch.randn(2, 3)
    assert nlt.logsumexp(x, ()).equal(nlt.logsumexp(x, (0, 1)))
    assert nlt.logsumexp(x, (), keepdim=True).shape == (1, 1)
    for dim in (0, -1):
        assert on(way, nlt.log_softmax, torch.tensor(3.0), dim)[0].item() == 0
        assert on(way, nlt.logsumexp, torch.tensor(3.0), dim)[0].item() == 3
        assert on(way, nlt.logsumexp, torch.tensor(3.0), dim, True)[0].shape == ()


@every_way
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_half_precision_is_storage(way, dtype):
    torch.manual_seed(0)
    z = (torch.randn(50, 300) * 4).to(dtype)
    exact, slope = on("kernel", lambda z: nlt.log_softmax(z, 1)[:, 3], z.double())
    value, gradient = on(way, lambda z: nlt.log_softmax(z, 1)[:, 3], z)
    assert value.dtype == gradient.dtype == dtype
    ulp, rounding = torch.finfo(dtype).eps, 2e-7 if dtype == torch.float32 else 2 * torch.finfo(dtype).tiny
    torch.testing.assert_close(value.double(), exact, rtol=ulp, atol=0)
    torch.testing.assert_close(gradient.double(), slope, rtol=2 * ulp, atol=rounding)
    value, gradient = on(way, nlt.logsumexp, z, 1)
    assert value.dtype == torch.float32  # where there is room for it
    torch.testing.assert_close(value.double(), torch.logsumexp(z.double(), 1), rtol=3e-7, atol=0)
    torch.testing.assert_close(gradient.double(), z.double().softmax(1), rtol=2 * ulp, atol=rounding)


def test_torchs_arguments():
    x = torch.randn(2, 3, 4)
    for n, axis in ((0, 0), (1, 0), (2, 1), (3, 0), (4, 1)):
        z = torch.randn([2] * n)
        with pytest.warns(UserWarning, match="log_softmax without dim"):
            assert nlt.log_softmax(z).equal(nlt.log_softmax(z, axis))
    assert nlt.log_softmax(x.half(), 1, torch.float32).dtype == torch.float32
    assert nlt.log_softmax(torch.ones(3, dtype=torch.int64), 0, dtype=F64).dtype == F64
    for call, message in (
        (lambda: nlt.log_softmax(x, 3), r"log_softmax: dim=3 for input of shape \(2, 3, 4\); allowed: -3 <= dim < 3"),
        (lambda: nlt.logsumexp(x, (0, 5)), r"logsumexp: dim=5 for input of shape"),
        (lambda: nlt.logsumexp(x, (0, -3)), r"logsumexp: dim=\(0, -3\) names an axis twice"),
    ):
        with pytest.raises(nl.ShapeError, match=message):
            call()
    with pytest.raises(nl.InputKindError, match=r"logsumexp: input has dtype torch.int64; allowed: float16"):
        nlt.logsumexp(torch.ones(3, dtype=torch.int64), 0)


@pytest.mark.parametrize("job", [LogProbabilities, LogSumExp])
@pytest.mark.parametrize("x", [x for _, x in LAYOUTS if x.dim() > 1], ids=[n for n, x in LAYOUTS if x.dim() > 1])
def test_opcheck(job, x):
    operator = getattr(torch.ops.neglog, job.name).default
    for dim in (0, x.dim() - 1):
        torch.library.opcheck(operator, (x.detach().requires_grad_(), dim))


@pytest.mark.parametrize("call", [nlt.log_softmax, nlt.logsumexp])
def test_every_derivative(call):
    z = f64([40, 0, 1], [0.5, 0.5, -1]).requires_grad_()
    every_mode = {"check_forward_ad": True, "check_batched_grad": True, "check_batched_forward_grad": True}
    assert torch.autograd.gradcheck(lambda z: call(z, 1), z, **every_mode)
    assert torch.autograd.gradgradcheck(lambda z: call(z, 1), z, check_batched_grad=True)
    hessian = torch.func.hessian(lambda z: call(z, 0).sum())(f64(40, 0))
    tiny = 4.248354255291589e-18
    sign = 1 if call is nlt.logsumexp else -2  # sum_k log p_k = sum z - 2 lse
    torch.testing.assert_close(hessian, sign * f64([tiny, -tiny], [-tiny, tiny]), rtol=1e-13, atol=0)
    for way in WAYS:
        with WAYS[way]():
            value = call(z, 1) * 2
            first = torch.autograd.grad(value.sum(), z, retain_graph=True)[0]
            assert first.equal(torch.autograd.grad(value.sum(), z)[0])


def test_an_upstream_that_is_a_negated_view():
    z, g = torch.randn(3, 4, requires_grad=True), torch.randn(3, 4)
    negated = torch.complex(torch.zeros_like(g), -g).conj().imag  # its memory holds -g
    assert negated.is_neg()
    for call, upstream in ((nlt.log_softmax, negated), (nlt.logsumexp, negated[:, 0])):
        for some in (upstream, upstream.contiguous()):
            (got,) = torch.autograd.grad(call(z, 1), z, some)
            (want,) = torch.autograd.grad(call(z, 1), z, some.resolve_neg())
            assert got.equal(want)
