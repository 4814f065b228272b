"""Precision: against mpmath and float64 on the same rounded inputs (CONTRACT 4 and 5)."""

import math

import mpmath
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tests.losses import oracle

import neglog.torch as nlt

ULP32 = 2.0**-23
TINY = 1e-37  # below it float32 has fewer digits


def rows_of(dtype, classes, spread, seed=0, rows=None):
    rows = rows or (8 if classes < 100 else 2)  # mpmath takes 0.1 s for 1,000 classes
    generator = torch.Generator().manual_seed(seed * 1000 + classes)
    z = (torch.randn(rows, classes, generator=generator) * spread).to(dtype)
    y = torch.randint(0, classes, (rows,), generator=generator)
    y[: rows // 2] = z[: rows // 2].float().argmax(1)  # confident and correct: tiny losses keep their digits
    return z, y


@pytest.mark.parametrize("classes", [2, 10, 37, 1000])
@pytest.mark.parametrize("spread", [1.0, 10.0, 30.0])
@pytest.mark.parametrize("options", [{}, {"label_smoothing": 0.1}, {"weight": True}, {"temperature": 1.7}])
def test_float32_loss_and_gradient(way, classes, spread, options):
    z, y = rows_of(torch.float32, classes, spread)
    temperature = options.get("temperature", 1.0)
    options = dict(options)
    if "weight" in options:
        options["weight"] = torch.rand(classes) + 0.1
    z.requires_grad_()
    loss = nlt.cross_entropy(z, y, reduction="none", **options)
    (gradient,) = torch.autograd.grad(loss.sum(), z)
    for row in range(len(y)):
        exact_row = [mpmath.mpf(float(v)) / mpmath.mpf(temperature) for v in z[row].tolist()]
        weight = options["weight"].double().tolist() if "weight" in options else None
        want, want_gradient, condition = _exact_row(exact_row, int(y[row]), weight, options.get("label_smoothing", 0.0))
        if want > TINY:
            error = abs(mpmath.mpf(float(loss[row].detach())) / want - 1)
            assert error <= 8 * ULP32 * max(1, condition), (row, float(want), float(error / ULP32), condition)
        exact = torch.tensor([float(g / temperature) for g in want_gradient], dtype=torch.float64)
        worst = float((gradient[row].double() - exact).abs().max())
        assert worst <= 2e-7 * max(1.0, float(exact.abs().max()))


@pytest.mark.parametrize("classes", [2, 10, 100, 1000, 5000])
@pytest.mark.parametrize("options", [{}, {"label_smoothing": 0.1}, {"temperature": 1.7}], ids=str)
def test_float32_gradients_of_many_rows(way, classes, options):
    # a competitor as large as the lead, in front of many small terms, shows what is lost in long float32 sums
    torch.manual_seed(classes)
    for spread in (1.0, 10.0, 30.0):
        z = (torch.randn(400, classes) * spread).requires_grad_()
        y = torch.where(torch.rand(400) < 0.5, z.argmax(1), torch.randint(0, classes, (400,)))
        (gradient,) = torch.autograd.grad(nlt.cross_entropy(z, y, reduction="sum", **options), z)
        wide = z.detach().double().requires_grad_()
        temperature, smoothing = options.get("temperature", 1.0), options.get("label_smoothing", 0.0)
        exact = F.cross_entropy(wide / temperature, y, reduction="sum", label_smoothing=smoothing)
        (expected,) = torch.autograd.grad(exact, wide)
        worst = (gradient.double() - expected).abs().max().item()
        assert worst <= 2e-7, spread


def _exact_row(z, y, weight, smoothing):
    """oracle.cross_entropy_row for logits that are mpf already."""
    target = np.eye(len(z))[y]
    saved, oracle.exact = oracle.exact, lambda x: x if isinstance(x, mpmath.mpf) else mpmath.mpf(float(x))
    try:
        return oracle.cross_entropy_row(z, target, weight, smoothing)
    finally:
        oracle.exact = saved


@pytest.mark.parametrize("classes", [2, 37, 1000])
def test_float64_against_mpmath(way, classes):
    z, y = rows_of(torch.float64, classes, 12.0)
    z.requires_grad_()
    loss = nlt.cross_entropy(z, y, reduction="none")
    (gradient,) = torch.autograd.grad(loss.sum(), z)
    for row in range(len(y)):
        want, want_gradient, condition = oracle.cross_entropy_row(z[row].tolist(), np.eye(classes)[int(y[row])])
        error = abs(mpmath.mpf(float(loss[row].detach())) / want - 1)
        assert error <= 1e-14 * max(1, condition)
        at_target = int(y[row])
        error = abs(mpmath.mpf(float(gradient[row, at_target])) / want_gradient[at_target] - 1)
        assert error <= 1e-13 * (1 + float(z[row].detach().abs().max()))  # minus the sum of the others, with its digits


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("classes", [2, 50, 4096])
@pytest.mark.parametrize("kind", ["index", "smoothed", "probabilities", "weighted"])
def test_half_precision_in(way, dtype, classes, kind):
    # float64 on the same rounded inputs
    z, y = rows_of(dtype, classes, 3.0, rows=64)
    options = {}
    target = y
    if kind == "smoothed":
        options["label_smoothing"] = 0.1
    if kind == "weighted":
        options["weight"] = torch.rand(classes, generator=torch.Generator().manual_seed(1)).to(dtype)
    if kind == "probabilities":
        target = torch.rand(64, classes, generator=torch.Generator().manual_seed(2)).to(dtype)
    z.requires_grad_()
    loss = nlt.cross_entropy(z, target, **options)
    assert loss.dtype == torch.float32
    (gradient,) = torch.autograd.grad(loss, z, torch.tensor(1024.0))
    assert gradient.dtype == dtype
    wide = z.detach().double().requires_grad_()
    wide_options = {k: v.double() if isinstance(v, torch.Tensor) else v for k, v in options.items()}
    expected = F.cross_entropy(wide, target.double() if target.is_floating_point() else target, **wide_options)
    (exact,) = torch.autograd.grad(expected, wide, torch.tensor(1024.0, dtype=torch.float64))
    assert abs(loss.item() / expected.item() - 1) <= 1e-6
    # rounded once: within half a unit in the last place of the exact gradient, and a float32 rounding on the way
    # (of A p - a, whose terms may cancel)
    scale = 1024 * (1 if kind == "weighted" else 1 / 64)
    a = target.double() if kind == "probabilities" else F.one_hot(y, classes).double()
    a = a * (1 - options.get("label_smoothing", 0.0)) + options.get("label_smoothing", 0.0) / classes
    terms = exact.abs() + 2 * scale * a
    unit = torch.finfo(dtype).eps * exact.abs().clamp(min=torch.finfo(dtype).smallest_normal)
    error = (gradient.double() - exact).abs() - (0.5 * unit + 4e-7 * terms)
    assert error.max().item() <= 0
    not_nearest = (gradient != exact.to(dtype)).double().mean().item()
    assert not_nearest < 0.01


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
@pytest.mark.parametrize(
    "loss",
    ["binary_cross_entropy", "binary_cross_entropy_with_logits", "multilabel_soft_margin_loss", "kl_div", "nll_loss"],
)
def test_other_losses_in_low_precision(way, dtype, loss):
    torch.manual_seed(0)
    shape = (64, 33)
    x = torch.randn(shape) * 4
    target = torch.rand(shape).to(dtype)
    options = {}
    if loss == "binary_cross_entropy":
        x = x.sigmoid().clamp(0.01, 0.99)  # not rounded to 1
    elif loss == "kl_div":
        x, options = x.log_softmax(1), {"reduction": "batchmean"}
    elif loss == "nll_loss":
        x, target = x.log_softmax(1), torch.randint(0, 33, (64,))
    x = x.to(dtype).requires_grad_()
    value = getattr(nlt, loss)(x, target, **options)
    wide = x.detach().double().requires_grad_()
    expected = getattr(F, loss)(wide, target.double() if target.is_floating_point() else target, **options)
    assert value.dtype == torch.float32
    assert abs(value.item() / expected.item() - 1) <= (1e-6 if dtype != torch.float32 else 8 * ULP32)
    (gradient,) = torch.autograd.grad(value, x, torch.tensor(4096.0))
    (exact,) = torch.autograd.grad(expected, wide, torch.tensor(4096.0, dtype=torch.float64))
    scale = 4096 / (64 * 33 if loss.startswith("binary") else 64)  # of one entry's gradient
    torch.testing.assert_close(gradient.double(), exact, rtol=torch.finfo(dtype).eps * 0.51 + 1e-6, atol=2e-7 * scale)


@pytest.mark.parametrize("margin", [40.0, 100.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_a_confident_row_keeps_its_loss_and_its_gradient(way, margin, dtype):
    if dtype == torch.float32 and margin == 100.0:
        return  # e^-100 = 3.7e-44 is subnormal in float32: below
    z = torch.tensor([[margin, 0.0, 0.0]], dtype=dtype, requires_grad=True)
    small = math.log1p(2 * math.exp(-margin)) if margin < 30 else 2 * math.exp(-margin)
    for target in (torch.tensor([0]), torch.tensor([[1.0, 0.0, 0.0]], dtype=dtype)):
        loss = nlt.cross_entropy(z, target)
        (gradient,) = torch.autograd.grad(loss, z)
        if dtype == torch.bfloat16 and margin == 100.0:
            continue
        assert loss.item() == pytest.approx(small, rel=2e-6)
        digits = {torch.bfloat16: 4e-3, torch.float32: 2e-6, torch.float64: 1e-14}[dtype]
        assert gradient[0].tolist() == pytest.approx([-small, small / 2, small / 2], rel=digits)


def test_subnormal_losses_are_not_lost(way):
    z = torch.tensor([[100.0, 0.0]], requires_grad=True)
    loss = nlt.cross_entropy(z, torch.tensor([0]), reduction="sum")
    assert loss.item() == pytest.approx(math.exp(-100), abs=3e-45)  # two steps of the subnormals


def test_binary_margins(way):
    x = torch.tensor([40.0, -40.0, 100.0, -100.0], dtype=torch.float64, requires_grad=True)
    t = torch.tensor([1.0, 0.0, 1.0, 0.0], dtype=torch.float64)
    loss = nlt.binary_cross_entropy_with_logits(x, t, reduction="none")
    small = [math.exp(-40), math.exp(-40), math.exp(-100), math.exp(-100)]
    assert loss.tolist() == pytest.approx(small, rel=1e-14)
    (gradient,) = torch.autograd.grad(loss.sum(), x)
    assert gradient.tolist() == pytest.approx([-small[0], small[1], -small[2], small[3]], rel=1e-14)


def test_long_sums_keep_their_digits(way):
    # 300,000 float32 losses: a float32 accumulator is off by 1e-5
    torch.manual_seed(0)
    z, y = torch.randn(300_000, 4), torch.randint(0, 4, (300_000,))
    exact = F.cross_entropy(z.double(), y, reduction="sum")
    assert abs(nlt.cross_entropy(z, y, reduction="sum").item() / exact.item() - 1) <= ULP32
    assert abs(nlt.cross_entropy(z, y).item() / (exact.item() / 300_000) - 1) <= ULP32


def test_an_upstream_factor_enters_before_rounding(way):
    # an AMP loss scale exists so that half precision can hold the gradient: 1e-8 is 0 in float16, times 65536 it is not
    z = torch.zeros(2, 3, dtype=torch.float16, requires_grad=True)
    y = torch.tensor([0, 1])
    loss = nlt.cross_entropy(z, y, denominator=1e8)
    (gradient,) = torch.autograd.grad(loss, z, torch.tensor(65536.0), retain_graph=True)
    exact = 65536e-8 * (1 / 3 - F.one_hot(y, 3).double())
    torch.testing.assert_close(gradient.double(), exact, rtol=1e-3, atol=0)
    (scaled,) = torch.autograd.grad(loss * 65536, z)
    assert scaled.equal(gradient)
