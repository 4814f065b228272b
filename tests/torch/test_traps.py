"""What goes wrong elsewhere: each test is a defect or a complaint about a loss that is in use."""

import math

import pytest
import torch
import torch.nn.functional as F

import neglog as nl
import neglog.torch as nlt

INF = math.inf


def leaf(*rows, dtype=torch.float64):
    return torch.tensor(rows, dtype=dtype, requires_grad=True)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_means_of_70000_rows(way, dtype):
    # torch counts the rows in the dtype of the logits: 70,000 overflows float16 (loss nan, gradient 0), and
    # bfloat16 holds 69,632
    torch.manual_seed(0)
    z = torch.randn(70_000, 8).to(dtype).requires_grad_()
    y = torch.randint(0, 8, (70_000,))
    loss = nlt.cross_entropy(z, y)
    loss.backward(torch.tensor(65536.0))  # the scale of an AMP step, so that half precision holds the gradient
    wide = z.detach().double().requires_grad_()
    expected = F.cross_entropy(wide, y)
    expected.backward(torch.tensor(65536.0, dtype=torch.float64))
    assert loss.dtype == torch.float32
    assert abs(loss.item() / expected.item() - 1) <= 1e-6
    assert z.grad.dtype == dtype
    torch.testing.assert_close(z.grad.double(), wide.grad, rtol=torch.finfo(dtype).eps / 2, atol=1e-7)


def test_bfloat16_normaliser(way):
    # 1003 rows: torch's bfloat16 divides by 1000 and scales all gradients by 1.0026
    torch.manual_seed(1)
    z = torch.randn(1003, 20).bfloat16().requires_grad_()
    y = torch.randint(0, 20, (1003,))
    nlt.cross_entropy(z, y, reduction="mean").backward()
    wide = z.detach().double().requires_grad_()
    F.cross_entropy(wide, y).backward()
    ratio = (z.grad.double() * wide.grad).sum() / (wide.grad**2).sum()
    assert abs(ratio - 1) < 1e-4


NOTHING = {
    "all ignored": (lambda z: nlt.cross_entropy(z, torch.tensor([-100, -100])), 2),
    "empty batch": (lambda z: nlt.cross_entropy(z, torch.empty(0, dtype=torch.long)), 0),
    "no weight": (lambda z: nlt.cross_entropy(z, torch.tensor([0, 0]), weight=torch.tensor([0.0, 1, 1])), 2),
    "all masked": (lambda z: nlt.cross_entropy(z, torch.tensor([0, 7]), mask=torch.tensor([False, False])), 2),
    "no sample weight": (lambda z: nlt.cross_entropy(z, torch.tensor([0, 7]), sample_weight=torch.zeros(2)), 2),
    "nll ignored": (lambda z: nlt.nll_loss(z.log_softmax(1), torch.tensor([-100, -100])), 2),
    "nll empty": (lambda z: nlt.nll_loss(z.log_softmax(1), torch.empty(0, dtype=torch.long)), 0),
    "probabilities": (lambda z: nlt.cross_entropy(z, torch.empty(0, 3)), 0),
    "binary": (lambda z: nlt.binary_cross_entropy_with_logits(z, torch.empty(0, 3)), 0),
    "binary masked": (
        lambda z: nlt.binary_cross_entropy_with_logits(
            z, torch.full((2, 3), 7.0), mask=torch.zeros(2, 3, dtype=torch.bool)
        ),
        2,
    ),
    "multilabel": (lambda z: nlt.multilabel_soft_margin_loss(z, torch.empty(0, 3)), 0),
    "kl": (lambda z: nlt.kl_div(z.log_softmax(1), torch.empty(0, 3), reduction="batchmean"), 0),
}


@pytest.mark.parametrize("name", NOTHING)
def test_the_mean_of_nothing_is_zero_with_a_live_graph(way, name):
    loss, rows = NOTHING[name]
    z = torch.randn(rows, 3, requires_grad=True)
    value = loss(z)
    assert value.item() == 0 and value.requires_grad
    value.backward()
    assert z.grad.eq(0).all()


def test_the_mean_of_nothing_on_request(way):
    z, y = torch.randn(2, 3, requires_grad=True), torch.tensor([-100, -100])
    assert nlt.cross_entropy(z, y, empty="nan").isnan()
    with pytest.raises(nl.DataError, match="cross_entropy: the mean of nothing"):
        nlt.cross_entropy(z, y, empty="raise")
    with pytest.raises(nl.ParameterError, match="empty"):
        nlt.cross_entropy(z, y, empty="none")
    assert nlt.cross_entropy(z, y, reduction="sum", empty="raise") == 0  # a sum of nothing is 0


@pytest.mark.parametrize("kind", ["index", "probabilities"])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_masked_classes(way, kind, smoothing):
    # torch: inf with label smoothing, nan with probabilities
    masked = leaf([2.0, -INF, 0.1, -INF], [-INF, 0.5, 1.5, -INF])
    small = leaf([2.0, 0.1], [0.5, 1.5])  # the classes that remain
    y, y_small = torch.tensor([0, 2]), torch.tensor([0, 1])
    if kind == "probabilities":
        y, y_small = F.one_hot(y, 4).double(), F.one_hot(y_small, 2).double()
    loss = nlt.cross_entropy(masked, y, label_smoothing=smoothing)
    expected = F.cross_entropy(small, y_small, label_smoothing=smoothing)
    torch.testing.assert_close(loss, expected, rtol=1e-14, atol=0)
    loss.backward()
    expected.backward()
    assert masked.grad[masked.isneginf()].eq(0).all()
    torch.testing.assert_close(masked.grad[~masked.isneginf()], small.grad.flatten(), rtol=1e-14, atol=1e-16)


def test_impossible_targets(way):
    z = leaf([-INF, 1.0, 2.0])
    for y in (torch.tensor([0]), torch.tensor([[1.0, 0, 0]], dtype=torch.float64)):
        z.grad = None
        loss = nlt.cross_entropy(z, y)
        assert loss == INF
        loss.backward()
        expected = torch.tensor([[-1.0, 1 / (1 + math.e), 1 / (1 + 1 / math.e)]], dtype=torch.float64)
        torch.testing.assert_close(z.grad, expected)  # p - e_y
    assert nlt.cross_entropy(leaf([-INF, -INF]), torch.tensor([0])).isnan()
    assert nlt.cross_entropy(leaf([INF, 0.0]), torch.tensor([0])).isnan()
    assert nlt.nll_loss(leaf([-INF, 0.0]), torch.tensor([0])) == INF
    assert nlt.binary_cross_entropy(leaf(0.0), torch.ones(1, dtype=torch.float64)) == INF  # torch: 100
    assert nlt.kl_div(leaf([-INF, 0.0]), leaf([0.0, 1.0]), reduction="sum") == 0  # torch: nan


@pytest.mark.parametrize("target", ["index", "probabilities"])
def test_a_batch_of_sequences_needs_its_dimension(way, target):
    # (N, T, C) in torch's (N, C, T) is a silent wrong number if T == C
    z = torch.randn(2, 5, 5, dtype=torch.float64)
    y = torch.randint(0, 5, (2, 5))
    if target == "probabilities":
        y = torch.rand(2, 5, 5, dtype=torch.float64)
    as_torch = y if target == "index" else y.movedim(-1, 1)
    expected = F.cross_entropy(z.movedim(-1, 1), as_torch)
    torch.testing.assert_close(nlt.cross_entropy(z, y, dim=-1), expected)
    assert not torch.isclose(nlt.cross_entropy(z, y), expected)
    with pytest.raises(nl.ShapeError, match="cross_entropy"):
        nlt.cross_entropy(torch.randn(2, 6, 5), torch.zeros(2, 6, dtype=torch.long))


def test_shapes_are_never_broadcast(way):
    z, y = torch.randn(4, 3), torch.zeros(4, dtype=torch.long)
    for call in (
        lambda: nlt.cross_entropy(z, y[:, None]),
        lambda: nlt.cross_entropy(z, y[:1]),
        lambda: nlt.cross_entropy(z, torch.rand(4)),
        lambda: nlt.cross_entropy(z, torch.rand(1, 3)),
        lambda: nlt.cross_entropy(z, y, weight=torch.ones(4)),
        lambda: nlt.cross_entropy(z, y, sample_weight=torch.ones(4, 1)),
        lambda: nlt.cross_entropy(z, y, mask=torch.ones(1, dtype=torch.bool)),
        lambda: nlt.nll_loss(z.log_softmax(1), y[:, None]),
        lambda: nlt.binary_cross_entropy_with_logits(torch.randn(4, 1), torch.rand(4)),
        lambda: nlt.binary_cross_entropy(torch.rand(4), torch.rand(4, 1)),
        lambda: nlt.multilabel_soft_margin_loss(z, torch.rand(4, 1)),
        lambda: nlt.kl_div(z.log_softmax(1), torch.rand(3), reduction="sum"),
        lambda: nlt.total_weight(y, sample_weight=torch.ones(4, 1)),
    ):
        with pytest.raises(nl.ShapeError):
            call()


def test_rows_need_classes(way):
    y = torch.empty(2, dtype=torch.long)
    for call in (
        lambda: nlt.cross_entropy(torch.empty(2, 0), y),
        lambda: nlt.nll_loss(torch.empty(2, 0), y),
        lambda: nlt.multilabel_soft_margin_loss(torch.empty(2, 0), torch.empty(2, 0)),
        lambda: nlt.multilabel_soft_margin_loss(torch.empty(0), torch.empty(0), reduction="none"),
    ):
        with pytest.raises(nl.ShapeError):
            call()


def test_weighted_means_have_the_divisor_that_is_asked_for(way):
    # torch: 1.735 for indices and 1.129 for the same targets one-hot
    z = torch.randn(6, 3, dtype=torch.float64)
    y = torch.tensor([0, 1, 2, 0, 1, 2])
    w = torch.tensor([0.2, 1.0, 3.0], dtype=torch.float64)
    q = F.one_hot(y, 3).double()
    total = F.cross_entropy(z, y, w, reduction="sum")
    for target, denominator, divisor in (
        (y, None, w[y].sum()),
        (q, None, 6),
        (y, "weights", w[y].sum()),
        (q, "weights", w[y].sum()),
        (y, "count", 6),
        (q, "count", 6),
        (y, 2.5, 2.5),
        (q, torch.tensor(2.5), 2.5),
    ):
        value = nlt.cross_entropy(z, target, w, denominator=denominator)
        torch.testing.assert_close(value, total / divisor, rtol=1e-13, atol=0)


BAD_TARGETS = [(3, torch.int64), (-1, torch.int64), (2**40, torch.int64), (-100, torch.int32), (255, torch.uint8)]


@pytest.mark.parametrize(("bad", "dtype"), BAD_TARGETS)
@pytest.mark.parametrize("loss", ["cross_entropy", "nll_loss"])
@pytest.mark.parametrize("weighted", [False, True])
def test_targets_out_of_range_raise_at_the_call(way, loss, bad, dtype, weighted):
    z = torch.randn(2, 3, 4).log_softmax(1).requires_grad_()
    y = torch.zeros(2, 4, dtype=dtype)
    y[1, 2] = bad
    options = {"weight": torch.ones(3)} if weighted else {}
    with pytest.raises(nl.TargetError, match=rf"{loss}: target\[1, 2\] = {bad}.*0 <= target < 3") as caught:
        getattr(nlt, loss)(z, y, ignore_index=-7, **options)
    assert isinstance(caught.value, IndexError) and isinstance(caught.value, ValueError)
    y[1, 2] = 0
    assert getattr(nlt, loss)(z, y, ignore_index=-7, **options) > 0


def test_targets_out_of_range_raise_in_every_layout(way):
    for z in (
        torch.randn(4, 5, 3).movedim(-1, 1),
        torch.randn(3, 4, 5).movedim(0, 1),
        torch.randn(4, 9, 10)[:, :6:2, ::2],
    ):
        y = torch.zeros(4, 5, dtype=torch.long)
        y[3, 1] = 3
        with pytest.raises(nl.TargetError, match=r"target\[3, 1\] = 3"):
            nlt.cross_entropy(z, y)


def test_targets_of_another_kind(way):
    z = torch.randn(2, 3)
    for target in (torch.zeros(2, dtype=torch.bool), torch.zeros(2, dtype=torch.complex64)):
        with pytest.raises(nl.InputKindError, match="target"):
            nlt.cross_entropy(z, target)
    with pytest.raises(nl.InputKindError, match="target"):
        nlt.nll_loss(z.log_softmax(1), torch.rand(2))
    with pytest.raises(nl.InputKindError, match="input"):
        nlt.cross_entropy(torch.zeros(2, 3, dtype=torch.long), torch.tensor([0, 1]))
    with pytest.raises(nl.ParameterError, match="ignore_index"):
        nlt.cross_entropy(z, torch.rand(2, 3), ignore_index=1)
    nlt.cross_entropy(z, torch.rand(2, 3), ignore_index=-1)  # torch's default and any other negative: no effect


def test_probabilities_passed_by_mistake(way):
    p = torch.tensor([[0.7, 0.2, 0.1]])
    with pytest.raises(nl.InputKindError, match=r"nll_loss: input\[0, 1\] = 0\.2"):  # torch: -0.2
        nlt.nll_loss(p, torch.tensor([1]))
    with pytest.raises(nl.InputKindError, match=r"binary_cross_entropy: input\[0, 2\] = 1\.5"):
        nlt.binary_cross_entropy(torch.tensor([[0.2, 0.3, 1.5]]), torch.zeros(1, 3))
    with pytest.raises(nl.InputKindError, match=r"binary_cross_entropy_with_logits: target\[0, 1\] = 2"):
        nlt.binary_cross_entropy_with_logits(torch.zeros(1, 2), torch.tensor([[0.0, 2.0]]))
    with pytest.raises(nl.InputKindError, match=r"cross_entropy: target\[0, 2\] = -0\.1"):
        nlt.cross_entropy(torch.zeros(1, 3), torch.tensor([[0.6, 0.5, -0.1]]))
    with pytest.raises(nl.InputKindError, match="kl_div: target"):
        nlt.kl_div(p.log(), p.log(), reduction="sum")
    with pytest.raises(nl.InputKindError, match="sums to"):  # torch: 9.73, silently
        nlt.cross_entropy(torch.zeros(1, 3), torch.ones(1, 3), check=True)


def test_the_mean_of_means_is_not_the_mean(way):
    torch.manual_seed(0)
    z = torch.randn(12, 5, dtype=torch.float64, requires_grad=True)
    y = torch.randint(0, 5, (12,))
    y[1:7] = -100
    nlt.cross_entropy(z, y).backward()
    whole, z.grad = z.grad, None
    total = sum(nlt.total_weight(part) for part in y.split(4))
    for part, target in zip(z.split(4), y.split(4), strict=True):
        nlt.cross_entropy(part, target, denominator=total).backward()
    torch.testing.assert_close(z.grad, whole, rtol=1e-14, atol=1e-18)


def test_backward_twice(way):
    z = torch.randn(4, 3, requires_grad=True)
    for reduction in ("mean", "sum", "none"):
        z.grad = None
        loss = nlt.cross_entropy(z, torch.tensor([0, 1, 2, -100]), reduction=reduction)
        upstream = torch.tensor(3.0) if reduction != "none" else torch.randn(4)
        loss.backward(upstream, retain_graph=True)
        once = z.grad.clone()
        loss.backward(upstream)
        torch.testing.assert_close(z.grad, 2 * once, rtol=2**-22, atol=0)


def test_backward_twice_does_not_change_what_was_handed_out(way):
    z = torch.randn(4, 3, requires_grad=True)
    loss = nlt.cross_entropy(z, torch.tensor([0, 1, 2, 0]))
    (first,) = torch.autograd.grad(loss, z, torch.tensor(2.0), retain_graph=True)
    kept = first.clone()
    (second,) = torch.autograd.grad(loss, z, torch.tensor(3.0), retain_graph=True)
    assert first.equal(kept)
    torch.testing.assert_close(second, 1.5 * first)
    assert first.data_ptr() != second.data_ptr()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_inputs_are_never_modified(way, dtype):
    def check(call, *inputs):
        before = [(x.detach().clone(), x._version) for x in inputs]
        value = call(*inputs)
        value.backward(torch.full_like(value, 2.0), retain_graph=True)
        value.backward(torch.full_like(value, 2.0))
        for x, (kept, version) in zip(inputs, before, strict=True):
            assert x.detach().equal(kept) and x._version == version

    z = torch.randn(5, 3, dtype=dtype, requires_grad=True)
    y, q = torch.tensor([0, 1, 2, -100, 0]), torch.rand(5, 3).to(dtype)
    w, s, m = torch.rand(3), torch.rand(5), torch.tensor([True, True, False, True, True])
    for reduction in ("mean", "sum", "none"):
        check(
            lambda z, y, w, s, m, r=reduction: nlt.cross_entropy(z, y, w, reduction=r, sample_weight=s, mask=m),
            z,
            y,
            w,
            s,
            m,
        )
        check(lambda z, q, w, r=reduction: nlt.cross_entropy(z, q, w, reduction=r, label_smoothing=0.1), z, q, w)
        check(
            lambda z, q, w, r=reduction: nlt.binary_cross_entropy_with_logits(z, q, w, reduction=r, pos_weight=w),
            z,
            q,
            w,
        )
        check(lambda z, q, r=reduction: nlt.multilabel_soft_margin_loss(z, q, reduction=r), z, q)
    p = torch.rand(5, 3).to(dtype).requires_grad_()
    check(lambda p, q: nlt.binary_cross_entropy(p, q), p, q)
    log_p = torch.randn(5, 3).log_softmax(1).to(dtype).requires_grad_()
    check(lambda x, y: nlt.nll_loss(x, y), log_p, y)
    check(lambda x, q: nlt.kl_div(x, q, reduction="batchmean"), log_p, q)


def test_unreduced_losses_take_any_upstream(way):
    # Liger's 'none' had right gradients for an upstream of ones only
    z = torch.randn(6, 3, dtype=torch.float64, requires_grad=True)
    y = torch.tensor([0, 1, 2, -100, 1, 0])
    upstream = torch.tensor([1.0, -2.0, 0.0, 5.0, 1e3, 1e-3], dtype=torch.float64)
    (gradient,) = torch.autograd.grad(nlt.cross_entropy(z, y, reduction="none"), z, upstream)
    (expected,) = torch.autograd.grad(F.cross_entropy(z, y, reduction="none"), z, upstream)
    torch.testing.assert_close(gradient, expected, rtol=1e-13, atol=1e-16)
    (expanded,) = torch.autograd.grad(nlt.cross_entropy(z, y, reduction="none").sum(), z)  # an upstream of stride 0
    (expected,) = torch.autograd.grad(F.cross_entropy(z, y, reduction="sum"), z)
    torch.testing.assert_close(expanded, expected, rtol=1e-13, atol=1e-16)


def test_an_upstream_of_nan_stays_with_what_takes_part(way):
    # 0 * nan: the logarithm of a loss of 0, say
    z = torch.randn(4, 3, requires_grad=True)
    y, s = torch.tensor([0, 1, -100, 0]), torch.tensor([0.0, 1.0, 1.0, 1.0])
    m = torch.tensor([True, True, True, False])
    upstream = torch.tensor([torch.nan, 1.0, torch.nan, torch.inf])
    for loss in (
        nlt.cross_entropy(z, y, sample_weight=s, mask=m, reduction="none"),
        nlt.nll_loss(z.log_softmax(1), y, sample_weight=s, mask=m, reduction="none"),
    ):
        (gradient,) = torch.autograd.grad(loss, z, upstream)
        assert gradient[[2, 3]].eq(0).all() and gradient[1].ne(0).all()
        if way == "kernel":  # autograd of a product: nan * 0
            assert gradient[0].eq(0).all()


def test_frozen_inputs(way):
    z, y = torch.randn(4, 3), torch.tensor([0, 1, 2, 0])
    assert not nlt.cross_entropy(z, y).requires_grad
    w = torch.ones(3, requires_grad=True)
    nlt.cross_entropy(z, y, w).backward()  # the logits are frozen, the weights are not
    assert w.grad is not None and w.grad.ne(0).any()
    z.requires_grad_()
    with torch.no_grad():
        assert not nlt.cross_entropy(z, y).requires_grad
    with torch.inference_mode():
        assert nlt.cross_entropy(z, y) > 0
    frozen = torch.nn.Linear(5, 3).requires_grad_(False)
    x = torch.randn(4, 5, requires_grad=True)
    nlt.cross_entropy(frozen(x), y).backward()
    assert x.grad is not None and frozen.weight.grad is None


def test_what_takes_no_part_is_never_read(way):
    z = torch.full((3, 4), math.nan)
    z[0] = torch.tensor([1.0, 2, 3, 4])
    z.requires_grad_()
    y, m = torch.tensor([2, 99, -100]), torch.tensor([True, False, True])
    s = torch.tensor([1.0, math.nan, 1.0])
    for reduction in ("mean", "sum", "none"):
        z.grad = None
        loss = nlt.cross_entropy(z, y, mask=m, sample_weight=s, reduction=reduction)
        torch.testing.assert_close(loss.sum(), F.cross_entropy(z[:1], y[:1]))
        loss.sum().backward()
        assert z.grad[1:].eq(0).all() and z.grad[0].ne(0).all()
    q = torch.full((3, 4), math.nan)
    q[0] = torch.tensor([0.1, 0.2, 0.3, 0.4])
    m = torch.tensor([True, False, False])
    z.grad = None
    nlt.cross_entropy(z, q, mask=m, label_smoothing=0.1).backward()
    assert z.grad[1:].eq(0).all() and z.grad[0].isfinite().all()
    z.grad = None
    nlt.binary_cross_entropy_with_logits(z, q, mask=m[:, None].expand(3, 4)).backward()
    assert z.grad[1:].eq(0).all() and z.grad[0].isfinite().all()


def test_more_than_2_to_the_31_elements():
    # 46,400 x 46,400 logits, all rows the same memory: 2.15e9 elements without 8.6 GB; and the kernel only, since
    # torch's log_softmax would write them
    side = 46_400
    row = torch.randn(side)
    z = row.expand(side, side)
    assert z.numel() > 2**31
    y = torch.full((side,), -100)
    y[[0, 1, side - 1]] = torch.tensor([5, side - 1, 7])
    loss = nlt.cross_entropy(z, y)
    torch.testing.assert_close(loss, F.cross_entropy(row.expand(3, side), y[[0, 1, side - 1]]))


@pytest.mark.parametrize("far", ["rows", "classes"])
def test_strides_beyond_2_to_the_31(way, far):
    buffer = torch.empty(2**31 + 4096)  # address space: only the pages that are touched become memory
    strides = (2**31 + 5, 1) if far == "rows" else (1, 2**31 + 5)
    z = buffer.as_strided((2, 8) if far == "rows" else (8, 2), strides)
    z.copy_(torch.randn(z.shape))
    z = z.detach().requires_grad_()
    y = torch.randint(0, z.shape[1], z.shape[:1])
    loss = nlt.cross_entropy(z, y)
    loss.backward()
    dense = z.detach().clone(memory_format=torch.contiguous_format).requires_grad_()
    F.cross_entropy(dense, y).backward()
    torch.testing.assert_close(loss, F.cross_entropy(dense, y))
    torch.testing.assert_close(z.grad, dense.grad)
