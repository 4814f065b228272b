"""Binary losses and the divergence: values and derivatives in 60 digits, edges, what is not read."""

from __future__ import annotations

import math

import mpmath
import pytest
import torch
from tests.torch.ways import F64, INF, LOSSES, WAYS, every_loss, every_way, f64, kl_div_log_target, on

import neglog.torch as nlt

# ---- numbers from elsewhere ----


@every_way
def test_binary_vectors(way):  # torch 2.13 in float64
    x, t = f64(800, -800, 0, 2), f64(0, 1, 0.3, 1)
    none = {"reduction": "none"}
    value, _ = on(way, nlt.binary_cross_entropy_with_logits, x, t, **none)
    torch.testing.assert_close(value, f64(800, 800, 0.6931471806, 0.1269280110), rtol=1e-9, atol=0)
    value, _ = on(way, nlt.binary_cross_entropy_with_logits, x, t, pos_weight=f64(3), **none)
    torch.testing.assert_close(value, f64(800, 2400, 1.1090354889, 0.38078403313), rtol=1e-9, atol=0)


@every_way
def test_divergence_vectors(way):
    q, p = f64(0.2, 0.5, 0.3), f64(0.1, 0.6, 0.3)  # entropy 1.0296530140645737, cross-entropy 1.0771216717795853
    for options, target in (({}, q), ({"log_target": True}, q.log())):
        value, _ = on(way, nlt.kl_div, p.log(), target, reduction="sum", **options)
        torch.testing.assert_close(value.item(), 0.047468657715011756, rtol=1e-14, atol=0)
        value, _ = on(way, nlt.kl_div, p.log(), target, **options)
        torch.testing.assert_close(value.item(), 0.015822885905003914, rtol=1e-14, atol=0)
        value, _ = on(way, nlt.kl_div, p.log()[None], target[None], reduction="batchmean", **options)
        torch.testing.assert_close(value.item(), 0.04746865771501174, rtol=1e-14, atol=0)


# ---- all derivatives, in 60 digits ----

mp = mpmath.mp.clone()
mp.dps = 60


def exact_bce(p, t):
    """Value, slope in p, curvature in p, slope in t."""
    slope, curvature = (p - t) / (p * (1 - p)), t / p**2 + (1 - t) / (1 - p) ** 2
    return -(t * mp.log(p) + (1 - t) * mp.log1p(-p)), slope, curvature, mp.log1p(-p) - mp.log(p)


def exact_with_logits(x, t):
    up, down = mp.exp(x), mp.exp(-x)
    value = (1 - t) * mp.log1p(up) + t * mp.log1p(down)
    return value, (1 - t) / (1 + down) - t / (1 + up), 1 / ((1 + up) * (1 + down)), -x


def exact_kl(x, q):
    return q * (mp.log(q) - x), -q, mp.mpf(0), mp.log(q) + 1 - x


def exact_kl_log(x, t):
    return mp.exp(t) * (t - x), -mp.exp(t), mp.mpf(0), mp.exp(t) * (t - x + 1)


EXACT = {
    "bce": (
        nlt.binary_cross_entropy,
        exact_bce,
        [1e-300, 1e-20, 1e-3, 0.25, 0.5, 0.75, 1 - 2.0**-24],
        [0.0, 0.125, 0.5, 0.7, 1.0],
    ),
    "bce_with_logits": (
        nlt.binary_cross_entropy_with_logits,
        exact_with_logits,
        [-700.0, -100.0, -40.0, -3.0, 0.0, 1e-8, 2.0, 40.0, 100.0, 700.0],
        [0.0, 0.25, 1.0],
    ),
    "kl_div": (nlt.kl_div, exact_kl, [-700.0, -40.0, -1.0, -1e-9, 0.0], [1e-30, 0.25, 1.0]),
    "kl_div_log_target": (kl_div_log_target, exact_kl_log, [-700.0, -40.0, -1.0, 0.0], [-50.0, -0.25, 0.0]),
}


def check_exact(got, want, parts=0):
    """To 1e-14 of the result, or of the largest of the ``parts`` that may cancel in it: the condition number."""
    if abs(want) > 1.79e308:
        assert abs(got) == INF
    else:
        error = abs(mp.mpf(got) - want)
        assert error <= 1e-14 * max(abs(want), parts), f"{got} is not {mp.nstr(want, 20)}"


@every_way
@pytest.mark.parametrize("name", EXACT)
def test_value_and_derivatives_against_mpmath(way, name):
    call, exact, inputs, targets = EXACT[name]
    x, t = (v.reshape(-1) for v in torch.meshgrid(f64(*inputs), f64(*targets), indexing="ij"))
    with WAYS[way]():
        leaf, target = x.clone().requires_grad_(), t.clone().requires_grad_()
        value = call(leaf, t, reduction="none")
        (slope,) = torch.autograd.grad(value.sum(), leaf, create_graph=True)
        curvature = torch.zeros_like(x)
        if slope.requires_grad:  # not where the loss is linear
            (curvature,) = torch.autograd.grad(slope.sum(), leaf, allow_unused=True, materialize_grads=True)
        (fused,) = torch.autograd.grad(call(leaf, t, reduction="none").sum(), leaf)
        (in_target,) = torch.autograd.grad(call(x, target, reduction="none").sum(), target)
    for i in range(len(x)):
        at, to = mp.mpf(x[i].item()), mp.mpf(t[i].item())
        wanted = exact(at, to)
        check_exact(value[i].item(), wanted[0], abs(to * at) if name == "kl_div" else 0)
        if name == "bce":
            terms, in_t = max(to / at, (1 - to) / (1 - at)), abs(mp.log1p(-at))
        elif name == "bce_with_logits":
            terms, in_t = min(to, 1 - to), mp.log(2)
        else:
            terms, in_t = 0, abs(at)
        check_exact(slope[i].item(), wanted[1], terms)
        check_exact(fused[i].item(), wanted[1], terms)
        check_exact(curvature[i].item(), wanted[2])
        check_exact(in_target[i].item(), wanted[3], in_t)


# ---- edges ----


@every_way
def test_what_is_impossible_and_what_costs_nothing(way):
    none = {"reduction": "none"}
    p, t = f64(0, 0, 1, 1, 0, 1), f64(0, 1, 0, 1, 0.5, 0.5)
    value, slope = on(way, nlt.binary_cross_entropy, p, t, **none)
    assert value.tolist() == [0, INF, INF, 0, INF, INF]
    assert slope.tolist() == [1, -INF, INF, -1, -INF, INF]

    x, t = f64(INF, INF, -INF, -INF, INF, -INF), f64(1, 0, 0, 1, 0.5, 0.5)
    value, slope = on(way, nlt.binary_cross_entropy_with_logits, x, t, **none)
    assert value.tolist() == [0, INF, 0, INF, INF, INF]
    assert slope.tolist() == [0, 1, 0, -1, 0.5, -0.5]

    x, q = f64(-INF, -INF, -1), f64(0, 0.5, 0)
    value, slope = on(way, nlt.kl_div, x, q, **none)
    assert value.tolist() == [0, INF, 0]
    assert slope.tolist() == [0, -0.5, 0]
    value, slope = on(way, kl_div_log_target, f64(-INF, -1), f64(-INF, -INF), **none)
    assert value.tolist() == slope.tolist() == [0, 0]


def test_slopes_in_a_target_of_0_or_1():
    t = f64(0, 1, 0, 1).requires_grad_()
    nlt.binary_cross_entropy(f64(0.25, 0.25, 0, 1), t, reduction="sum").backward()
    torch.testing.assert_close(t.grad, f64(math.log(3), math.log(3), INF, -INF))
    q = f64(0, 0).requires_grad_()
    nlt.kl_div(f64(-1, -INF), q, reduction="sum").backward()
    assert q.grad.tolist() == [-INF, 0]  # the second is a class that both sides mask


@every_way
@every_loss
@pytest.mark.parametrize("poison", [math.nan, INF, 7.0])
@pytest.mark.parametrize("how", ["mask", "sample_weight", "weight"])
def test_what_takes_no_part_is_not_read(way, name, poison, how):
    call, input, target = LOSSES[name]
    if how == "weight" and name.startswith("kl"):
        pytest.skip("kl_div has no weight")
    x, t = torch.full((2, 3), input, dtype=F64), torch.full((2, 3), target, dtype=F64)
    want, slope = on(way, call, x[:1], t[:1], reduction="none")
    x[1] = t[1] = poison
    out = torch.tensor([[1.0], [0.0]], dtype=F64).expand(2, 3)
    out = out[:, 0] if name == "multilabel" and how != "weight" else out
    options = {how: out.bool() if how == "mask" else out}
    other = torch.where(out == 0, math.nan, 1.0)  # a NaN weight behind a mask is not read either
    extra = {"sample_weight": other} if how == "mask" else {}
    loss, gradient = on(way, call, x, t, reduction="none", **options, **extra)
    assert loss[:1].equal(want)
    assert gradient[:1].equal(slope)
    assert (loss[1] == 0).all()
    assert (gradient[1] == 0).all()
    mean = on(way, call, x, t, **options, **extra)[0]
    torch.testing.assert_close(mean, want.mean() / (2 if how == "weight" else 1))


@every_loss
def test_every_argument_is_differentiated(name):
    call, input, target = LOSSES[name]
    torch.manual_seed(1)
    x = (torch.full((2, 3), input, dtype=F64) + 0.1 * torch.rand(2, 3, dtype=F64)).requires_grad_()
    t = (torch.full((2, 3), target, dtype=F64) - 0.4 * torch.rand(2, 3, dtype=F64)).requires_grad_()
    options = {"sample_weight": torch.rand(2 if name == "multilabel" else (2, 3), dtype=F64)}
    if not name.startswith("kl"):
        options["weight"] = torch.rand(3, dtype=F64)
    if name == "bce_with_logits":
        options["pos_weight"] = torch.rand(3, dtype=F64)
    for option in options.values():
        option.view(-1)[0] = 0.0  # a weight of 0 has a slope
        option.requires_grad_()
    options["denominator"] = torch.tensor(2.5, dtype=F64, requires_grad=True)

    def loss(x, t, *values):
        return call(x, t, **dict(zip(options, values, strict=True)))

    everything = (x, t, *options.values())
    torch.autograd.gradcheck(loss, everything, check_forward_ad=True)
    for slope in torch.autograd.grad(loss(*everything), everything):
        assert (slope != 0).any()
