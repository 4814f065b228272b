"""The options beyond torch's, against the definition row by row: values, and gradients in every tensor argument."""

import warnings

import numpy as np
import pytest
import torch
from tests.torch import definition
from tests.torch.draws import batch_of, chance, in_torch_layout, indices, strided, values

import neglog as nl
import neglog.torch as nlt

DRAWS, SEEDS = 20, 5


def reduction_of(rng):
    return str(rng.choice(["mean", "mean", "sum", "none"]))


def denominator_of(rng, options):
    if options["reduction"] != "mean":
        return
    choice = rng.integers(0, 5)
    if choice:
        options["denominator"] = [None, "count", "weights", 7.25, torch.tensor(3.5, dtype=torch.float64)][choice]


def entry_options(rng, batch, options):
    """sample_weight and mask: positive, with zeros and NaN where nothing is read."""
    if chance(rng, 0.6):
        s = rng.uniform(0.2, 2, batch)
        options["sample_weight"] = torch.from_numpy(np.asarray(np.where(rng.random(batch) < 0.2, 0.0, s)))
    if chance(rng, 0.5):
        options["mask"] = torch.from_numpy(np.asarray(rng.random(batch) < 0.7))


def differentiable(rng, options, names):
    """Some of the tensor options require grad; they come first in what is compared."""
    chosen = []
    for name in names:
        if isinstance(options.get(name), torch.Tensor) and chance(rng, 0.3):
            options[name] = options[name].detach().clone().requires_grad_()
            chosen.append(options[name])
    return chosen


def compare(actual, expected, tensors, context):
    torch.testing.assert_close(
        actual, expected, rtol=1e-11, atol=1e-13, equal_nan=True, msg=lambda m: f"{context}: value: {m}"
    )
    if not tensors:
        return
    upstream = torch.randn_like(expected)
    if not expected.requires_grad:  # nothing took part
        (gradient,) = torch.autograd.grad(actual, tensors[0], upstream)
        assert gradient.eq(0).all(), context
        return
    got = torch.autograd.grad(actual, tensors, upstream, allow_unused=True, materialize_grads=True)
    want = torch.autograd.grad(expected, tensors, upstream, allow_unused=True, materialize_grads=True)
    for g, w in zip(got, want, strict=True):
        torch.testing.assert_close(g, w, rtol=1e-10, atol=1e-12, msg=lambda m: f"{context}: gradient: {m}")


@pytest.mark.parametrize("seed", range(SEEDS))
def test_cross_entropy(way, seed):
    rng = np.random.default_rng(seed)
    for _ in range(DRAWS):
        batch, classes = batch_of(rng)[:2], int(rng.choice([2, 3, 5, 9, 17]))
        dim = None
        shape = in_torch_layout(batch, classes)
        if chance(rng, 0.3):
            dim, shape = -1, (*batch, classes)
        m_shape, view = strided(rng, shape)
        z = values(rng, m_shape, lambda size: rng.normal(0, 3, size))
        if chance(rng, 0.3) and view(z).numel() == z.numel():
            with torch.no_grad():
                z[torch.from_numpy(np.asarray(rng.random(m_shape) < 0.15))] = -torch.inf
        options = {"reduction": reduction_of(rng), "dim": dim}
        entry_options(rng, batch, options)
        if chance(rng, 0.4):
            options["weight"] = torch.from_numpy(rng.uniform(0.1, 2, classes))
        if chance(rng, 0.4):
            options["label_smoothing"] = float(rng.choice([0.1, 0.7]))
        if chance(rng, 0.4):
            options["temperature"] = float(rng.uniform(0.5, 3)) if chance(rng, 0.5) else torch.tensor(1.7).double()
        if chance(rng, 0.3):
            options["softcap"] = float(rng.uniform(1, 10))
        if chance(rng, 0.4):
            options["z_loss"] = 0.01 if chance(rng, 0.5) else torch.tensor(0.02, dtype=torch.float64)
        if chance(rng, 0.4):
            keep = rng.random(classes) < 0.7
            keep[0] = True
            options["class_mask"] = torch.from_numpy(keep)
        denominator_of(rng, options)
        if chance(rng, 0.4):
            target = torch.from_numpy(rng.dirichlet(np.ones(classes), batch))
            target = target.movedim(-1, 1) if dim is None and batch else target
            if chance(rng, 0.3):
                target.requires_grad_()
        else:
            options["ignore_index"] = 1
            target = indices(rng, batch, classes, 1)
        tensors = [
            z,
            *differentiable(rng, options, ("weight", "sample_weight", "temperature", "z_loss", "denominator")),
        ]
        if target.requires_grad:
            tensors.append(target)
        expected = definition.cross_entropy(view(z), target, **options)
        if not expected.isfinite().all():
            tensors = []  # inf and nan: where, not how steep
        context = f"{tuple(view(z).shape)} {target.dtype} {sorted(options.items(), key=str)}"
        actual = nlt.cross_entropy(view(z), target, **options)
        compare(actual, expected, tensors, context)


ELEMENTWISE = {
    "binary_cross_entropy": lambda options, shape: definition.bce,
    "binary_cross_entropy_with_logits": lambda options, shape: definition.bce_with_logits(
        options.pop("pos_weight", None), shape
    ),
    "kl_div": lambda options, shape: (
        definition.kl_div_log_target if options.pop("log_target", False) else definition.kl_div
    ),
}


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")
@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize("seed", range(SEEDS))
def test_elementwise(way, name, seed):
    rng = np.random.default_rng(seed)
    for _ in range(DRAWS):
        shape = batch_of(rng)[:3]
        m_shape, view = strided(rng, shape)
        draw = {
            "binary_cross_entropy": lambda size: rng.uniform(0.01, 0.99, size),
            "binary_cross_entropy_with_logits": lambda size: rng.normal(0, 4, size),
            "kl_div": lambda size: -rng.exponential(2, size),
        }[name]
        x = values(rng, m_shape, draw)
        target = torch.from_numpy(np.asarray(rng.uniform(0.05, 0.95, shape)))
        options = {"reduction": reduction_of(rng)}
        entry_options(rng, shape, options)
        denominator_of(rng, options)
        if name != "kl_div" and chance(rng, 0.4):
            options["weight"] = torch.from_numpy(np.asarray(rng.uniform(0.1, 2, shape[rng.integers(0, 2) :])))
        if name == "binary_cross_entropy_with_logits" and chance(rng, 0.5):
            options["pos_weight"] = torch.from_numpy(np.asarray(rng.uniform(0.5, 3, shape[-1:])))
        if name == "kl_div":
            if chance(rng, 0.5):
                options["log_target"], target = True, target.log()
            if shape and options["reduction"] == "sum":
                options["reduction"] = "batchmean"
        if chance(rng, 0.3):
            target.requires_grad_()
        tensors = [x, *differentiable(rng, options, ("weight", "pos_weight", "sample_weight", "denominator"))]
        if target.requires_grad:
            tensors.append(target)
        context = f"{tuple(shape)} {sorted(options.items(), key=str)}"
        actual = getattr(nlt, name)(view(x), target, **options)
        plain = dict(options)
        formula = ELEMENTWISE[name](plain, shape)
        compare(actual, definition.elementwise(formula, view(x), target, **plain), tensors, context)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_rows_of_many_labels_are_entries(way, reduction):
    x = torch.randn(5, 4, dtype=torch.float64, requires_grad=True)
    t = torch.randint(0, 2, (5, 4)).double()
    s = torch.tensor([1.0, 2, 0, 0.5, 3], dtype=torch.float64)
    m = torch.tensor([True, True, True, False, True])
    rows = torch.nn.functional.multilabel_soft_margin_loss(x, t, reduction="none")
    took = s * m * rows
    expected = {"mean": took.sum() / (s * m).sum(), "sum": took.sum(), "none": took}[reduction]
    actual = nlt.multilabel_soft_margin_loss(x, t, sample_weight=s, mask=m, reduction=reduction)
    compare(actual, expected, [x], reduction)


@pytest.mark.parametrize("seed", range(4))
def test_nll_loss(way, seed):
    rng = np.random.default_rng(seed)
    for _ in range(DRAWS):
        batch, classes = batch_of(rng)[:2], int(rng.choice([2, 5, 9]))
        z = values(rng, in_torch_layout(batch, classes), lambda size: rng.normal(0, 2, size))
        options = {"reduction": reduction_of(rng), "ignore_index": 1}
        entry_options(rng, batch, options)
        if chance(rng, 0.4):
            options["weight"] = torch.from_numpy(rng.uniform(0.1, 2, classes))
        denominator_of(rng, options)
        target = indices(rng, batch, classes, 1)
        tensors = [z, *differentiable(rng, options, ("weight", "sample_weight", "denominator"))]
        actual = nlt.nll_loss(z.log_softmax(min(len(batch), 1)), target, **options)
        compare(actual, definition.cross_entropy(z, target, **options), tensors, str(sorted(options.items(), key=str)))


@pytest.mark.parametrize("mask_shape", ["classes", "rows", "all"])
def test_class_masks_broadcast(way, mask_shape):
    z = torch.randn(4, 5, 3, dtype=torch.float64, requires_grad=True)
    y = torch.zeros(4, 3, dtype=torch.long)
    keep = torch.rand(4, 5, 3) < 0.6
    keep[:, 0] = True
    mask = {"classes": keep[0, :, 0], "rows": keep[:, :, :1], "all": keep}[mask_shape]
    expected = definition.cross_entropy(z, y, class_mask=mask, label_smoothing=0.1)
    actual = nlt.cross_entropy(z, y, class_mask=mask, label_smoothing=0.1)
    compare(actual, expected, [z], mask_shape)
    (gradient,) = torch.autograd.grad(nlt.cross_entropy(z, y, class_mask=mask), z)
    off = ~(mask[:, None] if mask.ndim == 1 else mask).expand_as(z)
    assert gradient[off].eq(0).all()


def test_a_masked_class_is_never_read(way):
    z = torch.tensor([[1.0, torch.nan, 2.0], [0.0, torch.inf, 1.0]], requires_grad=True)
    keep = torch.tensor([True, False, True])
    loss = nlt.cross_entropy(z, torch.tensor([0, 2]), class_mask=keep, label_smoothing=0.1, temperature=2.0)
    loss.backward()
    assert loss.isfinite() and z.grad.isfinite().all() and z.grad[:, 1].eq(0).all()


def test_a_masked_class_stays_masked_when_logits_are_transformed(way):
    z = torch.tensor([[-torch.inf, 1.0, 2.0]], dtype=torch.float64, requires_grad=True)
    for options in (
        {"softcap": 3.0},
        {"temperature": 2.0},
        {"softcap": 3.0, "temperature": 0.5, "label_smoothing": 0.1},
    ):
        value = nlt.cross_entropy(z, torch.tensor([1]), **options)
        expected = nlt.cross_entropy(z[:, 1:], torch.tensor([0]), **options)
        torch.testing.assert_close(value, expected)
        assert torch.autograd.grad(value, z)[0][0, 0] == 0


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"temperature": 0.0}, "temperature"),
        ({"temperature": -1.0}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"softcap": 0.0}, "softcap"),
        ({"softcap": -3.0}, "softcap"),
        ({"label_smoothing": 1.5}, "label_smoothing"),
        ({"label_smoothing": -0.1}, "label_smoothing"),
        ({"denominator": -1.0}, "denominator"),
        ({"denominator": float("inf")}, "denominator"),
        ({"denominator": "rows"}, "denominator"),
        ({"denominator": 0.0}, "denominator"),
        ({"denominator": 2.0, "reduction": "sum"}, "denominator"),
        ({"reduction": "average"}, "reduction"),
        ({"ignore_index": 1.5}, "ignore_index"),
    ],
)
def test_options_outside_their_domain(way, options, match):
    with pytest.raises(nl.ParameterError, match=f"cross_entropy: .*{match}"):
        nlt.cross_entropy(torch.randn(2, 3), torch.tensor([0, 1]), **options)


def test_options_of_another_kind(way):
    z, y = torch.randn(2, 3), torch.tensor([0, 1])
    with pytest.raises(nl.InputKindError, match="mask"):
        nlt.cross_entropy(z, y, mask=torch.ones(2))
    with pytest.raises(nl.InputKindError, match="class_mask"):
        nlt.cross_entropy(z, y, class_mask=torch.ones(3))
    with pytest.raises(nl.ShapeError, match="class_mask"):
        nlt.cross_entropy(z, y, class_mask=torch.ones(4, dtype=torch.bool))
    with pytest.raises(nl.ShapeError, match="dim"):
        nlt.cross_entropy(z, y, dim=2)
    with pytest.raises(nl.InputError, match="weights"):
        nlt.cross_entropy(z, y, weight=torch.tensor([-1.0, 0.5, 1.0]))  # sums to -0.5


@pytest.mark.parametrize("kind", ["index", "probabilities"])
@pytest.mark.parametrize("ignored", [False, True])
def test_parts(way, kind, ignored):
    z = torch.randn(6, 4, dtype=torch.float64, requires_grad=True)
    y = torch.tensor([0, 1, 2, 3, -100, 0]) if kind == "index" else torch.rand(6, 4, dtype=torch.float64)
    if ignored:
        y = torch.full((6,), -100) if kind == "index" else y
    options = {
        "weight": torch.rand(4, dtype=torch.float64),
        "sample_weight": torch.rand(6, dtype=torch.float64),
        "mask": torch.tensor([True, True, False, True, True, not ignored]),
        "label_smoothing": 0.1,
        "z_loss": 1e-3,
    }
    total, divisor = nlt.cross_entropy_parts(z, y, **options)
    assert total.shape == divisor.shape == () and total.requires_grad and not divisor.requires_grad
    expected = nlt.cross_entropy(z, y, **options)
    torch.testing.assert_close(total, nlt.cross_entropy(z, y, reduction="sum", **options))
    if divisor != 0:
        torch.testing.assert_close(total / divisor.to(total.dtype), expected)
        got, want = torch.autograd.grad(total / divisor, z), torch.autograd.grad(expected, z)
        torch.testing.assert_close(got, want, rtol=1e-12, atol=1e-16)
    else:
        assert expected == 0 and total == 0
    weights = {"weight": options["weight"], "sample_weight": options["sample_weight"], "mask": options["mask"]}
    torch.testing.assert_close(divisor.double(), nlt.total_weight(y, **weights))


def test_no_option_changes_the_type_of_the_result(way):
    z, y = torch.randn(2, 3), torch.tensor([0, 1])
    plain = nlt.cross_entropy(z, y)
    for options in (
        {"z_loss": 0.1},
        {"denominator": torch.tensor(2.0, dtype=torch.float64)},
        {"denominator": 2},
        {"sample_weight": torch.ones(2, dtype=torch.float64)},
        {"weight": torch.ones(3, dtype=torch.float64)},
        {"temperature": torch.tensor(1.0, dtype=torch.float64)},
        {"class_mask": torch.ones(3, dtype=torch.bool)},
        {"mask": torch.ones(2, dtype=torch.bool)},
        {"empty": "nan"},
        {"check": True},
    ):
        value = nlt.cross_entropy(z, y, **options)
        assert type(value) is torch.Tensor and value.dtype == plain.dtype and value.shape == (), options


def test_no_warning_without_a_reason(way):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        z = torch.randn(2, 3, requires_grad=True)
        nlt.cross_entropy(z, torch.tensor([0, 1])).backward()
        nlt.kl_div(z.log_softmax(1), torch.rand(2, 3), reduction="batchmean").backward()
