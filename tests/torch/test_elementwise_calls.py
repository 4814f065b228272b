"""Binary losses and the divergence: autograd, memory, dtypes, reductions, messages, compilers."""

from __future__ import annotations

import math

import pytest
import torch
from tests.torch.ways import F64, LOSSES, WAYS, every_loss, every_way, f64, kl_div_log_target, on
from torch.autograd import forward_ad

import neglog as nl
import neglog.torch as nlt
from neglog.torch.elementwise import Pointwise

FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]

# ---- autograd ----


def calls_with_options():
    torch.manual_seed(0)
    t, w, mask = torch.rand(3, 4, dtype=F64), torch.rand(4, dtype=F64) + 0.1, torch.rand(3, 4) > 0.3
    for reduction in ("none", "sum", "mean"):
        for some in (False, True):
            for denominator in (None, "count", "weights", 3.0) if reduction == "mean" else (None,):
                options = {"reduction": reduction, "denominator": denominator}
                options |= {"mask": mask, "sample_weight": t + 0.5} if some else {}
                by_row = options | ({"mask": mask[:, 0], "sample_weight": t[:, 0]} if some else {})
                label = f"{reduction}-{denominator}-{some}"
                yield pytest.param(nlt.binary_cross_entropy, t, {"weight": w, **options}, id=f"bce-{label}")
                both = {"weight": w, "pos_weight": w + 1, **options}
                yield pytest.param(nlt.binary_cross_entropy_with_logits, t, both, id=f"bce_with_logits-{label}")
                yield pytest.param(
                    nlt.multilabel_soft_margin_loss, t, {"weight": w, **by_row}, id=f"multilabel-{label}"
                )
                yield pytest.param(nlt.kl_div, t, options, id=f"kl_div-{label}")
                yield pytest.param(kl_div_log_target, -t, options, id=f"kl_div_log_target-{label}")


@pytest.mark.parametrize(("call", "t", "options"), list(calls_with_options()))
def test_gradcheck(call, t, options):
    torch.manual_seed(3)
    x = torch.rand(3, 4, dtype=F64) * 0.8 + 0.1
    x = (-x if call in (nlt.kl_div, kl_div_log_target) else x).requires_grad_()
    every_mode = {"check_forward_ad": True, "check_batched_grad": True, "check_batched_forward_grad": True}
    assert torch.autograd.gradcheck(lambda x: call(x, t, **options), x, **every_mode)
    assert torch.autograd.gradgradcheck(lambda x: call(x, t, **options), x, check_batched_grad=True)
    kernel, operator, reference = (on(way, call, x.detach(), t, **options) for way in WAYS)
    for i in (0, 1):
        assert kernel[i].equal(operator[i])
        torch.testing.assert_close(kernel[i], reference[i], rtol=1e-13, atol=1e-16)


@every_loss
def test_torch_func(name):
    call, input, target = LOSSES[name]
    torch.manual_seed(5)
    x = torch.full((2, 3), input, dtype=F64) + 0.1 * torch.rand(2, 3, dtype=F64)
    t = torch.full((2, 3), target, dtype=F64)
    leaf = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(call(leaf, t), leaf)
    torch.testing.assert_close(torch.func.grad(call)(x, t), slope)
    _, tangent = torch.func.jvp(lambda x: call(x, t), (x,), (torch.ones_like(x),))
    torch.testing.assert_close(tangent, slope.sum())
    per_sample = torch.func.vmap(torch.func.grad(call))(x, t)
    torch.testing.assert_close(per_sample, 2 * slope)
    hessian = torch.func.hessian(call)(x, t).reshape(6, 6)
    expected = torch.autograd.functional.hessian(lambda x: call(x, t), x).reshape(6, 6)
    torch.testing.assert_close(hessian, expected)
    assert (hessian != 0).any() != name.startswith("kl")  # linear in the log-probabilities


@every_loss
def test_an_upstream_with_a_tangent(name):
    call, input, target = LOSSES[name]
    x = torch.full((2, 3), input, dtype=F64, requires_grad=True)
    loss = call(x, torch.full((2, 3), target, dtype=F64))
    with forward_ad.dual_level():
        upstream = forward_ad.make_dual(torch.tensor(1.0, dtype=F64), torch.tensor(2.0, dtype=F64))
        (gradient,) = torch.autograd.grad(loss, x, upstream)
        value, tangent = forward_ad.unpack_dual(gradient)
    torch.testing.assert_close(tangent, 2 * value)


@every_way
@every_loss
def test_two_backward_passes(way, name):
    call, input, target = LOSSES[name]
    x = torch.full((4, 3), input, dtype=torch.float32, requires_grad=True)
    before = x.detach().clone()
    with WAYS[way]():
        loss = call(x, torch.full((4, 3), target)) * 3
        loss.backward(retain_graph=True)
        once = x.grad.clone()
        loss.backward()
    assert x.grad.equal(2 * once)
    assert x.detach().equal(before)


# ---- memory and dtypes ----


def laid_out():
    x = torch.linspace(0.05, 0.95, 120, dtype=F64)
    yield pytest.param(x.view(2, 3, 4, 5), id="contiguous")
    yield pytest.param(x.view(2, 3, 4, 5).permute(0, 3, 1, 2), id="channels last")
    yield pytest.param(x.view(10, 12).t(), id="transposed")
    yield pytest.param(x.view(10, 12)[:, ::2], id="every other")
    yield pytest.param(x.view(10, 12)[2:], id="a slice")
    yield pytest.param(x[:12].expand(3, 12), id="expanded")
    yield pytest.param(x[:4].view(1, 4, 1), id="ones")
    yield pytest.param(x[0], id="scalar")
    yield pytest.param(x[:0].view(0, 3), id="empty")


LAID_OUT = list(laid_out())


@every_way
@pytest.mark.parametrize("x", LAID_OUT)
@pytest.mark.parametrize("same", [True, False])
def test_layouts(way, x, same):
    t = (1 - x) if same else (1 - x).contiguous()
    plain = x.clone(memory_format=torch.contiguous_format)
    weight = torch.rand(x.shape[-1:], dtype=F64)
    outer = torch.rand((*x.shape[:1], *(1 for _ in x.shape[1:])), dtype=F64)
    mask = t > 0.3
    for options in (
        {},
        {"weight": weight},
        {"weight": outer, "pos_weight": weight},
        {"sample_weight": t, "mask": mask},
    ):
        for reduction in ("none", "mean"):
            given = options | {"reduction": reduction}
            loss, gradient = on(way, nlt.binary_cross_entropy_with_logits, x, t, **given)
            given = {k: v.contiguous() if isinstance(v, torch.Tensor) else v for k, v in given.items()}
            want, slope = on("kernel", nlt.binary_cross_entropy_with_logits, plain, t.contiguous(), **given)
            torch.testing.assert_close(loss, want, rtol=1e-14, atol=0)
            torch.testing.assert_close(gradient, slope, rtol=1e-14, atol=1e-16)
            assert loss.shape == (x.shape if reduction == "none" else ())


@pytest.mark.parametrize("x", LAID_OUT[:3])
def test_dense_memory_is_walked_as_it_lies(x):
    loss = Pointwise(x, None, None, None, None, "bce_with_logits", False, "none", 0.0, "zero", "test")
    assert loss._walkable(x) is x
    value, _ = loss.forward(x, False)
    assert value.stride() == loss.backward(x, value).stride() == x.stride()


@pytest.mark.parametrize("dtype", FLOATS)
@every_loss
def test_half_precision_is_storage(name, dtype):
    call, input, target = LOSSES[name]
    torch.manual_seed(0)
    rounded = (input + 0.2 * torch.rand(300, 7)).to(dtype)
    t = (target - 0.4 * torch.rand(300, 7)).to(dtype)
    exact, slope = on("kernel", call, rounded.double(), t.double(), factor=65536)
    for way in WAYS:
        loss, gradient = on(way, call, rounded, t, factor=65536)
        assert loss.dtype == (F64 if dtype is F64 else torch.float32)
        assert gradient.dtype == dtype
        torch.testing.assert_close(loss.double(), exact, rtol=2e-7, atol=0)  # the factor comes before rounding
        once = slope.to(dtype)
        same = gradient.equal(once) if way != "reference" and dtype.itemsize == 2 else None
        assert same is not False
        ulp = torch.finfo(dtype).eps
        torch.testing.assert_close(
            gradient.double(), once.double(), rtol=4 * ulp, atol=4 * ulp * slope.abs().max().item()
        )


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int8, torch.int32, torch.int64, *FLOATS])
@every_way
def test_targets_of_any_real_dtype(way, dtype):
    x, t = f64(-2, 0.5, 3), torch.tensor([1, 0, 1])
    want = on(way, nlt.binary_cross_entropy_with_logits, x, t.double())
    got = on(way, nlt.binary_cross_entropy_with_logits, x, t.to(dtype))
    assert got[0].equal(want[0])
    assert got[1].equal(want[1])


# ---- reductions ----


@every_way
@every_loss
def test_parts_add_up_to_the_whole(way, name):
    call, input, target = LOSSES[name]
    torch.manual_seed(2)
    x, t = torch.full((7, 3), input, dtype=F64), torch.full((7, 3), target, dtype=F64)
    weight = torch.rand(7 if name == "multilabel" else (7, 3), dtype=F64)
    whole = on(way, call, x, t, sample_weight=weight)
    total = weight.sum()
    for denominator in (total, total.item()):
        parts = [
            on(way, call, x[i], t[i], sample_weight=weight[i], denominator=denominator)
            for i in (slice(0, 2), slice(2, 7))
        ]
        torch.testing.assert_close(parts[0][0] + parts[1][0], whole[0])
        torch.testing.assert_close(torch.cat([parts[0][1], parts[1][1]]), whole[1])


@every_way
@every_loss
def test_the_mean_of_nothing(way, name):
    call, input, _ = LOSSES[name]
    x = torch.full((2, 3), input)
    nothing = torch.zeros(2 if name == "multilabel" else (2, 3), dtype=torch.bool)
    for some, mask in ((x, nothing), (x[:0], None)):
        loss, gradient = on(way, call, some, some, mask=mask)
        assert loss == 0
        assert gradient.shape == some.shape
        assert not gradient.any()
        assert on(way, call, some, some, mask=mask, empty="nan")[0].isnan()
        with pytest.raises(nl.DataError, match="the mean of nothing"):
            on(way, call, some, some, mask=mask, empty="raise")


@every_way
def test_batchmean_counts_what_takes_part(way):
    x, q = f64([-1, -2], [-1, -3], [-2, -2]), f64([0.5, 0.5], [0.25, 0.75], [1, 0])
    mask = torch.tensor([[True, True], [False, False], [True, False]])
    each = nlt.kl_div(x, q, reduction="none")
    assert torch.equal(on(way, nlt.kl_div, x, q, reduction="batchmean")[0], each.sum() / 3)
    value, _ = on(way, nlt.kl_div, x, q, reduction="batchmean", mask=mask)
    torch.testing.assert_close(value, each[mask].sum() / 2)
    value, _ = on(way, nlt.kl_div, f64(-1).squeeze(), f64(0.5).squeeze(), reduction="batchmean")
    torch.testing.assert_close(value, f64(0.5 * math.log(0.5) + 0.5).squeeze())


# ---- bad input ----

X = torch.tensor([[0.25, 0.5, 0.75], [0.5, 0.5, 0.5]])
MESSAGES = [
    (
        nl.ShapeError,
        lambda: nlt.binary_cross_entropy(X, X[0]),
        "binary_cross_entropy: target has shape (3,); allowed: ",
    ),
    (
        nl.ShapeError,
        lambda: nlt.kl_div(-X[:, :1], X[0]),
        "kl_div: target has shape (3,); allowed: that of input, (2, 1)",
    ),
    (
        nl.ShapeError,
        lambda: nlt.binary_cross_entropy(X, X, weight=X[:, 0]),
        "binary_cross_entropy: weight has shape (2,); allowed: what broadcasts to the target's (2, 3)",
    ),
    (
        nl.ShapeError,
        lambda: nlt.binary_cross_entropy_with_logits(X, X, pos_weight=X[None].expand(2, 2, 3)),
        "binary_cross_entropy_with_logits: pos_weight has shape (2, 2, 3)",
    ),
    (
        nl.ShapeError,
        lambda: nlt.multilabel_soft_margin_loss(X, X, sample_weight=X),
        "multilabel_soft_margin_loss: sample_weight has shape (2, 3); allowed: one per target, (2,)",
    ),
    (
        nl.ShapeError,
        lambda: nlt.multilabel_soft_margin_loss(X[0, 0], X[0, 0]),
        "multilabel_soft_margin_loss: input has shape (); allowed: (C,)",
    ),
    (nl.InputKindError, lambda: nlt.kl_div(-X, X, mask=X), "kl_div: mask has dtype torch.float32; allowed: bool"),
    (nl.InputKindError, lambda: nlt.kl_div(X.long(), X), "kl_div: input has dtype torch.int64; allowed: float16"),
    (nl.InputKindError, lambda: nlt.kl_div(-X, X * 1j), "kl_div: target has dtype torch.complex64; allowed: floats"),
    (nl.ParameterError, lambda: nlt.kl_div(-X, X, reduction="average"), "kl_div: reduction='average'; allowed: 'mean'"),
    (nl.ParameterError, lambda: nlt.kl_div(-X, X, empty="skip"), "kl_div: empty='skip'; allowed: 'zero'"),
    (
        nl.ParameterError,
        lambda: nlt.binary_cross_entropy(X, X, reduction="batchmean"),
        "binary_cross_entropy: reduction=",
    ),
    (
        nl.ParameterError,
        lambda: nlt.binary_cross_entropy(X, X, denominator=-1.0),
        "binary_cross_entropy: denominator=-1",
    ),
    (
        nl.ParameterError,
        lambda: nlt.binary_cross_entropy(X, X, reduction="sum", denominator=2.0),
        "binary_cross_entropy: denominator=2.0 with reduction='sum'; allowed with reduction='mean' only",
    ),
]


@pytest.mark.parametrize(("error", "call", "message"), MESSAGES, ids=[m[2][:70] for m in MESSAGES])
def test_messages(error, call, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value).startswith(message)


KINDS = [
    (
        nlt.binary_cross_entropy,
        f64([0.5, 1.5], [0.5, -1]),
        f64([0, 0], [0, 0]),
        "binary_cross_entropy: input[0, 1] = 1.5 is no probability; allowed: 0 <= input <= 1",
    ),
    (
        nlt.binary_cross_entropy_with_logits,
        f64([9, 9], [9, 9]),
        f64([0, 0], [0, 2]),
        "binary_cross_entropy_with_logits: target[1, 1] = 2.0 is no probability; allowed: 0 <= target <= 1",
    ),
    (
        nlt.multilabel_soft_margin_loss,
        f64([9, 9], [9, 9]),
        f64([0, 0], [-1, 2]),
        "multilabel_soft_margin_loss: target[1, 0] = -1.0 is no probability; allowed: 0 <= target <= 1",
    ),
    (
        nlt.kl_div,
        f64([5, -1], [0.25, -1]),
        f64([0, 1], [1, 0]),  # no mass: the first input is not read
        "kl_div: input[1, 0] = 0.25 is no log-probability; allowed: input <= 0 (log_softmax gives them)",
    ),
    (
        kl_div_log_target,
        f64([-1, -1], [-1, -1]),
        f64([-1, -1], [0.5, -1]),
        "kl_div: target[1, 0] = 0.5 is no log-probability; allowed: target <= 0 (with log_target)",
    ),
]


@every_way
@pytest.mark.parametrize(("call", "x", "t", "message"), KINDS, ids=[kind[3][:40] for kind in KINDS])
def test_values_that_prove_another_kind(way, call, x, t, message):
    for columns in (x, x.t().contiguous().t()):  # the position is the caller's, whatever the memory
        with WAYS[way]() as context, pytest.raises(nl.InputKindError) as caught:
            call(columns, t)
        del context
        assert str(caught.value).startswith(message)


def test_check_looks_also_behind_a_transform():
    with pytest.raises(nl.InputKindError, match=r"target\[1\] = 2.0"):
        nlt.binary_cross_entropy_with_logits(f64(1, 1).requires_grad_(), f64(0, 2).requires_grad_(), check=True)


# ---- compilers ----

FIELDS = {
    "entries": (torch.rand(3, 4), torch.rand(4), torch.rand(4), torch.rand(3, 4), torch.rand(3, 4) > 0.3, False),
    "rows": (torch.rand(3, 4), None, None, torch.rand(3), torch.rand(3) > 0.3, True),
    "plain": (torch.rand(3, 4), None, None, None, None, False),
}


@pytest.mark.parametrize("fields", FIELDS)
@pytest.mark.parametrize("reduction", ["none", "entries"])
@pytest.mark.parametrize("layout", ["contiguous", "transposed", "gaps"])
def test_opcheck(fields, reduction, layout):
    *tensors, by_row = FIELDS[fields]
    x = torch.rand(3, 8)
    x = {"contiguous": x[:, :4].clone(), "transposed": x[:, :4].t().contiguous().t(), "gaps": x[:, ::2]}[layout]
    loss = Pointwise(*tensors, "bce_with_logits", by_row, reduction, 0.0, "zero", "test")
    torch.library.opcheck(torch.ops.neglog.pointwise.default, (x.requires_grad_(), *loss))


def test_export_and_meta():
    class Model(torch.nn.Module):
        def forward(self, x, t):
            return nlt.binary_cross_entropy_with_logits(x, t)

    x, t = torch.randn(3, 4), torch.rand(3, 4)
    exported = torch.export.export(Model(), (x, t)).module()
    assert exported(x, t).equal(Model()(x, t))
    for reduction, shape in (("none", (3, 4)), ("mean", ())):
        for call, _, _ in LOSSES.values():
            loss = call(x.to("meta"), t.to("meta"), reduction=reduction)
            assert loss.is_meta
            assert loss.shape == (shape[:1] if call is nlt.multilabel_soft_margin_loss else shape)
