"""Any split of a batch gives the value and gradient of the whole."""

import numpy as np
import pytest
import torch

import neglog as nl
import neglog.torch as nlt

ROWS, CLASSES = 24, 5


def batch(seed):
    g = torch.Generator().manual_seed(seed)
    z = torch.randn(ROWS, CLASSES, generator=g, dtype=torch.float64)
    y = torch.randint(0, CLASSES, (ROWS,), generator=g)
    y[torch.rand(ROWS, generator=g) < 0.3] = -100
    y[:5] = -100  # one whole part with nothing in it
    return {
        "z": z,
        "y": y,
        "q": torch.rand(ROWS, CLASSES, generator=g, dtype=torch.float64),
        "s": torch.rand(ROWS, generator=g, dtype=torch.float64),
        "m": torch.rand(ROWS, generator=g) < 0.8,
        "w": torch.rand(CLASSES, generator=g, dtype=torch.float64),
    }


def splits(rng):
    """Borders of one to six parts, some of them empty."""
    borders = sorted(int(b) for b in rng.integers(0, ROWS + 1, rng.integers(0, 6)))
    return [slice(a, b) for a, b in zip([0, *borders], [*borders, ROWS], strict=True)]


LOSSES = {
    "index": ("cross_entropy", "y", ("s", "m", "w"), {"z_loss": 1e-3, "label_smoothing": 0.1}),
    "index plain": ("cross_entropy", "y", (), {}),
    "index weights": ("cross_entropy", "y", ("w",), {"temperature": 2.0}),
    "probabilities": ("cross_entropy", "q", ("s", "m", "w"), {}),
    "nll": ("nll_loss", "y", ("s", "w"), {}),
    "multilabel": ("multilabel_soft_margin_loss", "q", ("s", "m"), {}),
}
NAMES = {"s": "sample_weight", "m": "mask", "w": "weight"}


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("seed", range(3))
def test_parts_add_up(way, name, seed):
    function, target, used, options = LOSSES[name]

    def loss(z, y, **given):
        return getattr(nlt, function)(z.log_softmax(1) if function == "nll_loss" else z, y, **given)

    data, rng = batch(seed), np.random.default_rng(seed)
    z = data["z"].requires_grad_()

    def arguments(part):
        return {NAMES[k]: data[k] if k == "w" else data[k][part] for k in used}

    whole = loss(z, data[target], **arguments(slice(None)), **options)
    (expected,) = torch.autograd.grad(whole, z)
    for _ in range(4):
        parts = splits(rng)
        total = sum(nlt.total_weight(data[target][part], **arguments(part)) for part in parts)
        for denominator in (total, total.item()):
            values = [
                loss(z[part], data[target][part], denominator=denominator, **arguments(part), **options)
                for part in parts
            ]
            torch.testing.assert_close(sum(values), whole, rtol=1e-13, atol=1e-15)
            (gradient,) = torch.autograd.grad(sum(values), z)
            torch.testing.assert_close(gradient, expected, rtol=1e-13, atol=1e-17)


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")
@pytest.mark.parametrize("name", ["binary_cross_entropy_with_logits", "binary_cross_entropy", "kl_div"])
def test_parts_of_elementwise_losses_add_up(way, name):
    data = batch(0)
    z, q = data["z"].requires_grad_(), data["q"]
    s, m = torch.rand(ROWS, CLASSES, dtype=torch.float64), torch.rand(ROWS, CLASSES) < 0.5
    x = {"kl_div": lambda z: z.log_softmax(1), "binary_cross_entropy": torch.sigmoid}.get(name, lambda z: z)
    whole = getattr(nlt, name)(x(z), q, sample_weight=s, mask=m)
    (expected,) = torch.autograd.grad(whole, z)
    for parts in (splits(np.random.default_rng(seed)) for seed in range(4)):
        total = sum(nlt.total_weight(q[p], sample_weight=s[p], mask=m[p], dim=()) for p in parts)
        value = sum(getattr(nlt, name)(x(z[p]), q[p], sample_weight=s[p], mask=m[p], denominator=total) for p in parts)
        torch.testing.assert_close(value, whole, rtol=1e-13, atol=1e-15)
        (gradient,) = torch.autograd.grad(value, z)
        torch.testing.assert_close(gradient, expected, rtol=1e-13, atol=1e-17)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int32, torch.int64])
def test_total_weight_of_indices(dtype):
    y = torch.tensor([[0, 2, 7], [1, 7, 2]], dtype=dtype)
    w, s = torch.tensor([1.0, 2.0, 0.5]), torch.tensor([[1.0, 3.0, torch.nan], [0.0, 1.0, 2.0]])
    m = torch.tensor([[True, True, True], [True, True, False]])
    for given, expected in (
        ({}, 4),
        ({"weight": w}, 4),
        ({"mask": m}, 3),
        ({"sample_weight": s}, 6),
        ({"sample_weight": s, "weight": w, "mask": m}, 2.5),
    ):
        total = nlt.total_weight(y, ignore_index=7, **given)
        assert total.dtype == torch.float64 and total.shape == () and not total.requires_grad
        assert total.item() == expected, given
    assert nlt.total_weight(y.mT, w, ignore_index=7) == 4
    assert nlt.total_weight(y[0, 1], w, ignore_index=7) == 0.5
    assert nlt.total_weight(y[:0], w) == 0


def test_total_weight_of_floats():
    q = torch.rand(4, 3, 2)
    assert nlt.total_weight(q) == 8
    assert nlt.total_weight(q[0, :, 0]) == 1
    assert nlt.total_weight(q, dim=-1) == 12
    assert nlt.total_weight(q, dim=()) == 24
    assert nlt.total_weight(torch.rand(()), dim=()) == 1
    assert nlt.total_weight(q, torch.rand(3), sample_weight=torch.full((4, 2), 0.5)) == 4
    assert nlt.total_weight(q, mask=torch.arange(8).reshape(4, 2) < 3) == 3
    for dim in (3, -4, "C"):
        with pytest.raises(nl.ShapeError, match="dim"):
            nlt.total_weight(q, dim=dim)


def test_total_weight_is_detached_and_exact():
    w = torch.rand(3, requires_grad=True)
    s = torch.rand(2, requires_grad=True)
    total = nlt.total_weight(torch.tensor([0, 1]), w, sample_weight=s)
    assert not total.requires_grad
    many = torch.full((20_000_001,), 1, dtype=torch.uint8)  # float32 counts to 16,777,216
    assert nlt.total_weight(many) == 20_000_001


def test_total_weight_refuses():
    y = torch.tensor([[0, 1], [2, 5]])
    with pytest.raises(nl.TargetError, match=r"target\[1, 1\] = 5; allowed: 0 <= target < 3, or ignore_index=-100"):
        nlt.total_weight(y, torch.ones(3))
    with pytest.raises(nl.TargetError, match=r"total_weight: target = -1; "):
        nlt.total_weight(torch.tensor(-1), torch.ones(3))
    with pytest.raises(nl.ShapeError, match="mask"):
        nlt.total_weight(y, mask=torch.ones(2, dtype=torch.bool))
    with pytest.raises(nl.InputKindError, match="mask"):
        nlt.total_weight(y, mask=torch.ones(2, 2))
    with pytest.raises(nl.ShapeError, match="weight"):
        nlt.total_weight(y, torch.ones(3, 1))


def test_total_weight_on_meta():
    y = torch.empty(4, dtype=torch.long, device="meta")
    total = nlt.total_weight(y, torch.empty(3, device="meta"))
    assert total.device.type == "meta" and total.shape == ()


def test_a_denominator_that_requires_grad_gets_one(way):
    z, y = torch.randn(4, 3, dtype=torch.float64), torch.tensor([0, 1, 2, 0])
    d = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    value = nlt.cross_entropy(z, y, denominator=d)
    (gradient,) = torch.autograd.grad(value, d)
    torch.testing.assert_close(gradient, -value.detach() / 3)


def test_a_denominator_of_zero_is_only_for_nothing(way):
    z = torch.randn(2, 3, requires_grad=True)
    zero = torch.zeros((), dtype=torch.float64)
    value = nlt.cross_entropy(z, torch.tensor([-100, -100]), denominator=zero)
    assert value == 0
    value.backward()
    assert z.grad.eq(0).all()
    with pytest.raises(nl.ParameterError, match="denominator"):
        nlt.cross_entropy(z, torch.tensor([0, -100]), denominator=zero)
