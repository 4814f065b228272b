"""The same numbers as torch.nn.functional in float64 for torch's own options, drawn at random.

Options are drawn where the two agree by design; docs/differences.md has the rest.
"""

import numpy as np
import pytest

from neglog import losses

torch = pytest.importorskip("torch")
F = torch.nn.functional

CASES = 120


def close(actual, expected):
    np.testing.assert_allclose(actual, expected.detach().numpy(), rtol=1e-11, atol=1e-13)


def draw_shape(rng):
    """Batch shape and class count, from no batch axis at all to two extra axes."""
    batch = tuple(int(n) for n in rng.integers(1, 5, rng.integers(0, 4)))
    return batch, int(rng.choice([1, 2, 3, 7, 40, 70]))


def in_torch_layout(batch, classes):
    return (classes,) if not batch else (batch[0], classes, *batch[1:])


def leaf(array):
    return torch.tensor(array, requires_grad=True)


@pytest.mark.parametrize("seed", range(CASES))
def test_cross_entropy_of_indices(seed):
    rng = np.random.default_rng(seed)
    batch, classes = draw_shape(rng)
    z = rng.normal(0, 3, in_torch_layout(batch, classes))
    y = rng.integers(0, classes, batch)
    y = np.where(rng.random(batch) < 0.2, -100, y) if rng.random() < 0.5 and batch else y
    if (y == -100).all():
        y = np.zeros(batch, np.int64)
    options = {
        "weight": rng.uniform(0.1, 2, classes) if rng.random() < 0.5 else None,
        "label_smoothing": float(rng.choice([0.0, 0.1, 1.0])),
        "reduction": str(rng.choice(["mean", "sum", "none"])),
    }
    z_torch = leaf(z)
    given = options | {"weight": None if options["weight"] is None else torch.tensor(options["weight"])}
    expected = F.cross_entropy(z_torch, torch.tensor(y), **given)
    expected.sum().backward()
    dtype = rng.choice([np.int64, np.int32, np.int16])
    loss, gradient = losses.cross_entropy_grad(z, y.astype(dtype), axis=1 if batch else 0, ignore_index=-100, **options)
    close(loss, expected)
    close(gradient, z_torch.grad)
    close(losses.cross_entropy(z, y, axis=1 if batch else 0, ignore_index=-100, **options), expected)

    moved = np.moveaxis(z, 1, -1) if batch else z  # the same memory with the classes last
    loss, gradient = losses.cross_entropy_grad(moved, y, ignore_index=-100, **options)
    close(loss, expected)
    close(np.moveaxis(gradient, -1, 1) if batch else gradient, z_torch.grad)


@pytest.mark.parametrize("seed", range(CASES))
def test_cross_entropy_of_probabilities(seed):
    rng = np.random.default_rng(seed)
    batch, classes = draw_shape(rng)
    shape = in_torch_layout(batch, classes)
    z, q = rng.normal(0, 3, shape), rng.random(shape)  # torch does not normalise q, nor do we
    options = {
        "weight": rng.uniform(0.1, 2, classes) if rng.random() < 0.5 else None,
        "label_smoothing": float(rng.choice([0.0, 0.1, 1.0])),
        "reduction": str(rng.choice(["mean", "sum", "none"])),
    }
    z_torch = leaf(z)
    given = options | {"weight": None if options["weight"] is None else torch.tensor(options["weight"])}
    expected = F.cross_entropy(z_torch, torch.tensor(q), **given)
    expected.sum().backward()
    loss, gradient = losses.cross_entropy_grad(z, q, axis=1 if batch else 0, **options)
    close(loss, expected)
    close(gradient, z_torch.grad)


@pytest.mark.parametrize("seed", range(60))
def test_nll_loss(seed):
    rng = np.random.default_rng(seed)
    batch, classes = draw_shape(rng)
    x = -rng.exponential(3, in_torch_layout(batch, classes))
    y = rng.integers(0, classes, batch)
    ignored = int(rng.integers(0, classes))
    if (y == ignored).all():
        ignored = -1
    weight = rng.uniform(0.1, 2, classes) if rng.random() < 0.5 else None
    reduction = str(rng.choice(["mean", "sum", "none"]))
    x_torch = leaf(x)
    weight_torch = None if weight is None else torch.tensor(weight)
    expected = F.nll_loss(x_torch, torch.tensor(y), weight_torch, ignore_index=ignored, reduction=reduction)
    expected.sum().backward()
    axis = 1 if batch else 0
    loss, gradient = losses.nll_loss_grad(x, y, axis=axis, weight=weight, ignore_index=ignored, reduction=reduction)
    close(loss, expected)
    close(gradient, x_torch.grad)


@pytest.mark.parametrize("seed", range(60))
def test_binary(seed):
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.integers(1, 6, rng.integers(0, 4)))
    t = rng.random(shape) if rng.random() < 0.5 else rng.integers(0, 2, shape)
    weight = rng.uniform(0, 2, shape[1:]) if rng.random() < 0.5 else None
    pos_weight = rng.uniform(0.5, 3, shape[-1:]) if rng.random() < 0.5 else None
    reduction = str(rng.choice(["mean", "sum", "none"]))
    as_torch = {
        "weight": None if weight is None else torch.tensor(weight).expand(shape),
        "reduction": reduction,
    }
    x = rng.normal(0, 5, shape)
    x_torch, t_torch = leaf(x), torch.tensor(t, dtype=torch.float64)
    expected = F.binary_cross_entropy_with_logits(
        x_torch, t_torch, pos_weight=None if pos_weight is None else torch.tensor(pos_weight), **as_torch
    )
    expected.sum().backward()
    loss, gradient = losses.binary_cross_entropy_with_logits_grad(
        x, t, weight=weight, pos_weight=pos_weight, reduction=reduction
    )
    close(loss, expected)
    close(gradient, x_torch.grad)

    p = rng.uniform(0.01, 0.99, shape)
    p_torch = leaf(p)
    expected = F.binary_cross_entropy(p_torch, t_torch, **as_torch)
    expected.sum().backward()
    loss, gradient = losses.binary_cross_entropy_grad(p, t, weight=weight, reduction=reduction)
    close(loss, expected)
    close(gradient, p_torch.grad)


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")  # torch announces a change that it has not made
@pytest.mark.parametrize("seed", range(40))
def test_kl_div(seed):
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.integers(1, 6, rng.integers(1, 4)))
    x, q = -rng.exponential(size=shape), rng.random(shape)
    log_target = bool(rng.integers(0, 2))
    target = np.log(q) if log_target else q
    reduction = str(rng.choice(["mean", "sum", "none", "batchmean"]))
    x_torch = leaf(x)
    expected = F.kl_div(x_torch, torch.tensor(target), reduction=reduction, log_target=log_target)
    expected.sum().backward()
    loss, gradient = losses.kl_div_grad(x, target, reduction=reduction, log_target=log_target)
    close(loss, expected)
    close(gradient, x_torch.grad)


@pytest.mark.parametrize("seed", range(40))
def test_log_softmax(seed):
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.integers(1, 9, rng.integers(1, 4)))
    axis = int(rng.integers(0, len(shape)))
    z, upstream = rng.normal(0, 3, shape), rng.normal(size=shape)
    z_torch = leaf(z)
    expected = F.log_softmax(z_torch, dim=axis)
    expected.backward(torch.tensor(upstream))
    value, gradient = losses.log_softmax_grad(z, upstream, axis=axis)
    close(value, expected)
    close(gradient, z_torch.grad)
    close(losses.softmax(z, axis=axis), F.softmax(z_torch, dim=axis))
    value, gradient = losses.logsumexp_grad(z, axis=axis)
    close(value, torch.logsumexp(z_torch, dim=axis))
    close(gradient, F.softmax(z_torch, dim=axis))
