"""Complete autograd citizens: every derivative that torch knows how to ask for, over the matrix of options."""

import copy
from functools import partial

import pytest
import torch
from tests.torch.calls import CALLS, IDS, Y, f64, leaves, positive
from torch.autograd import forward_ad, gradcheck, gradgradcheck

import neglog.torch as nlt

EVERY = pytest.mark.parametrize("call", CALLS, ids=IDS)


@EVERY
def test_gradcheck(way, call):
    # against finite differences, and in batches; forward mode and batches of tangents against them too
    assert gradcheck(
        call.function,
        leaves(call),
        check_batched_grad=True,
        check_forward_ad=True,
        check_batched_forward_grad=True,
        check_undefined_grad=True,
        fast_mode=len(call.tensors) > 2,
    )


@EVERY
def test_gradgradcheck(way, call):
    assert gradgradcheck(call.function, leaves(call), check_batched_grad=True, check_fwd_over_rev=True, fast_mode=True)


@EVERY
def test_functional_transforms(way, call):
    tensors = [t.detach() for t in call.tensors]
    places = tuple(range(len(tensors)))
    upstream = torch.randn_like(call.function(*tensors))

    def scalar(*args):
        return (call.function(*args) * upstream).sum()

    expected = torch.autograd.grad(scalar(*(live := leaves(call))), live, allow_unused=True, materialize_grads=True)
    for transform in (torch.func.grad, torch.func.jacrev, torch.func.jacfwd):
        torch.testing.assert_close(transform(scalar, places)(*tensors), expected, rtol=1e-10, atol=1e-12)
    tangents = tuple(torch.randn_like(t) for t in tensors)
    _, tangent = torch.func.jvp(scalar, tuple(tensors), tangents)
    inner = sum((g * t).sum() for g, t in zip(expected, tangents, strict=True))
    torch.testing.assert_close(tangent, inner, rtol=1e-10, atol=1e-12)
    value, pull = torch.func.vjp(call.function, *tensors)
    torch.testing.assert_close(value, call.function(*tensors))
    torch.testing.assert_close(pull(upstream), expected, rtol=1e-10, atol=1e-12)
    hessian = torch.func.hessian(scalar)(*tensors)
    (slope,) = torch.autograd.grad(scalar(*(live := leaves(call))), live[:1], create_graph=True)
    if slope.requires_grad:
        (row,) = torch.autograd.grad(slope.flatten()[0], live[:1], allow_unused=True, materialize_grads=True)
        torch.testing.assert_close(hessian.reshape(slope.numel(), *row.shape)[0], row, rtol=1e-9, atol=1e-12)
    stacked = [torch.stack([t, t * 0.9]) for t in tensors]
    torch.testing.assert_close(
        torch.func.vmap(call.function)(*stacked),
        torch.stack([call.function(*[t[i] for t in stacked]) for i in range(2)]),
        rtol=1e-12,
        atol=1e-13,
    )


@EVERY
def test_no_tangent_is_silently_zero(way, call):
    """One tensor at a time, forward and backward, against a difference quotient that is not zero."""
    for i, tensor in enumerate(call.tensors):
        direction = torch.randn_like(tensor)

        def along(t, i=i):
            args = list(call.tensors)
            args[i] = t
            return call.function(*args).sum()

        step = 1e-6
        quotient = (along(tensor + step * direction) - along(tensor - step * direction)) / (2 * step)
        if call.name == "all ignored":
            assert quotient == 0
        else:
            assert quotient.abs() > 1e-6, f"tensor {i}: this direction says nothing"
        leaf = tensor.detach().clone().requires_grad_()
        (gradient,) = torch.autograd.grad(along(leaf), leaf)
        torch.testing.assert_close((gradient * direction).sum(), quotient, rtol=1e-5, atol=1e-8)
        with forward_ad.dual_level():
            tangent = forward_ad.unpack_dual(along(forward_ad.make_dual(tensor, direction))).tangent
            assert tangent is not None
            torch.testing.assert_close(tangent, quotient, rtol=1e-5, atol=1e-8)
        torch.testing.assert_close(torch.func.jvp(along, (tensor,), (direction,))[1], quotient, rtol=1e-5, atol=1e-8)


@EVERY
def test_same_value_with_and_without_a_graph(way, call):
    live = call.function(*leaves(call))
    plain = call.function(*[t.detach() for t in call.tensors])
    assert live.requires_grad and not plain.requires_grad
    torch.testing.assert_close(live.detach(), plain, rtol=1e-14, atol=1e-15)


@EVERY
def test_meta_tensors(call):
    value = call.function(*call.tensors)
    on_meta = _to_meta(call)
    assert on_meta.device.type == "meta"
    assert on_meta.shape == value.shape and on_meta.dtype == value.dtype


def _to_meta(call):
    """The call with every tensor that it closes over on the meta device too."""

    def meta(value):
        if isinstance(value, torch.Tensor):
            return value.to("meta")
        if isinstance(value, dict):
            return {k: meta(v) for k, v in value.items()}
        return value

    function = call.function
    cells = tuple(type(c)(meta(c.cell_contents)) for c in function.__closure__ or ())
    names = {**function.__globals__, "Y": Y.to("meta")}
    copied = type(function)(function.__code__, names, function.__name__, function.__defaults__, cells)
    return copied(*[t.to("meta") for t in call.tensors])


@EVERY
def test_fake_tensors(call):
    from torch._subclasses.fake_tensor import FakeTensorMode

    value = call.function(*call.tensors)
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        fakes = [mode.from_tensor(t.detach()).requires_grad_() for t in call.tensors]
        fake = call.function(*fakes)
        gradients = torch.autograd.grad(fake.sum(), fakes, allow_unused=True)
    assert fake.shape == value.shape and fake.dtype == value.dtype and fake.device.type == "cpu"
    for gradient, tensor in zip(gradients, call.tensors, strict=True):
        assert gradient is not None and gradient.shape == tensor.shape and gradient.dtype == tensor.dtype


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_dtypes_of_values_and_gradients(way, dtype, reduction):
    z = torch.randn(4, 3).to(dtype).requires_grad_()
    loss = nlt.cross_entropy(z, Y, reduction=reduction)
    assert loss.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    (gradient,) = torch.autograd.grad(loss, z, torch.ones_like(loss))
    assert gradient.dtype == dtype and gradient.shape == z.shape
    on_meta = nlt.cross_entropy(torch.empty(4, 3, dtype=dtype, device="meta"), Y.to("meta"), reduction=reduction)
    assert on_meta.dtype == loss.dtype and on_meta.shape == loss.shape


def test_only_the_gradients_that_are_needed(way):
    z, w = f64(4, 3).requires_grad_(), positive(3)
    (gradient,) = torch.autograd.grad(nlt.cross_entropy(z, Y, w), z)
    frozen, w = f64(4, 3), positive(3).requires_grad_()
    (of_weight,) = torch.autograd.grad(nlt.cross_entropy(frozen, Y, w), w)
    z, w = f64(4, 3).requires_grad_(), positive(3).requires_grad_()
    both = torch.autograd.grad(nlt.cross_entropy(z, Y, w), (z, w))
    torch.testing.assert_close(both, (gradient, of_weight))


def test_changing_the_logits_after_forward(way):
    """Either the gradient of the value that was computed, or an error; never another one."""
    for reduction in ("mean", "none"):
        z = f64(4, 3).requires_grad_()
        logits = z * 1.0
        expected = torch.autograd.grad(nlt.cross_entropy(logits, Y, reduction=reduction).sum(), z)
        logits = z * 1.0
        loss = nlt.cross_entropy(logits, Y, reduction=reduction).sum()
        with torch.no_grad():
            logits.add_(1.0).mul_(2.0)
        try:
            gradient = torch.autograd.grad(loss, z)
        except RuntimeError as error:
            assert "modified by an inplace operation" in str(error)
        else:
            torch.testing.assert_close(gradient, expected)


def test_changing_the_target_after_forward(way):
    for target in (Y.clone(), torch.rand(4, 3, dtype=torch.float64)):
        z = f64(4, 3).requires_grad_()
        (expected,) = torch.autograd.grad(nlt.cross_entropy(z, target, reduction="none").sum(), z)
        loss = nlt.cross_entropy(z, target, reduction="none").sum()
        target.zero_()
        try:
            (gradient,) = torch.autograd.grad(loss, z)
        except RuntimeError as error:
            assert "modified by an inplace operation" in str(error)
        else:
            torch.testing.assert_close(gradient, expected)


def test_double_backward_of_a_penalty(way):
    """A gradient penalty, as people write it, in the weights of a layer."""
    layer = torch.nn.Linear(5, 3).double()
    x = f64(4, 5).requires_grad_()

    def penalty(loss):
        (g,) = torch.autograd.grad(loss, x, create_graph=True)
        layer.zero_grad()
        (loss + g.pow(2).sum()).backward()
        return [p.grad.clone() for p in layer.parameters()]

    expected = penalty(torch.nn.functional.cross_entropy(layer(x), Y))
    torch.testing.assert_close(penalty(nlt.cross_entropy(layer(x), Y)), expected, rtol=1e-11, atol=1e-14)


def test_per_sample_gradients(way):
    layer = torch.nn.Linear(5, 3).double()
    parameters = dict(layer.named_parameters())
    x, y = f64(4, 5), torch.tensor([0, 2, 1, 1])

    def loss(parameters, x, y):
        return nlt.cross_entropy(torch.func.functional_call(layer, parameters, (x,)), y)

    each = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0, 0))(parameters, x, y)
    for i in range(4):
        one = torch.autograd.grad(loss(parameters, x[i], y[i]), list(parameters.values()))
        torch.testing.assert_close([g[i] for g in each.values()], list(one))


ONE_ROW = {  # of losses that look something up by the class
    "cross_entropy": nlt.cross_entropy,
    "nll_loss": lambda z, y, **options: nlt.nll_loss(z.log_softmax(-1), y, **options),
    "focal": nlt.focal,
    "density_power": nlt.density_power,
    "forward_correction": partial(nlt.forward_correction, transition=0.7 * torch.eye(3).double() + 0.1),
    "softmax_loss": partial(nlt.softmax_loss, lambda log_p, log_q: -log_p),
}


@pytest.mark.parametrize("name", ONE_ROW)
def test_per_sample_gradients_with_class_weights(name):
    """A row alone has a 0-d target, whose value ``vmap`` does not let anybody read."""
    z, y, w = f64(4, 3), torch.tensor([0, 2, 1, 1]), torch.tensor([0.5, 2.0, 1.0]).double()
    call = partial(ONE_ROW[name], weight=w, reduction="sum")
    leaf = z.clone().requires_grad_()
    each = torch.func.vmap(torch.func.grad(lambda z, y: call(z, y)))(z, y)
    torch.testing.assert_close(each, torch.autograd.grad(call(leaf, y), leaf)[0])


def test_vmap_over_targets_weights_and_masks(way):
    z, y = f64(5, 4, 3), torch.randint(0, 3, (5, 4))
    w, s, m = positive(5, 3), positive(5, 4), torch.rand(5, 4) < 0.7
    m[:, 0] = True

    def one(z, y, w, s, m):
        return nlt.cross_entropy(z, y, w, sample_weight=s, mask=m)

    together = torch.func.vmap(one)(z, y, w, s, m)
    torch.testing.assert_close(together, torch.stack([one(*args) for args in zip(z, y, w, s, m, strict=True)]))


def test_hooks_and_anomaly_mode(way):
    z = f64(4, 3).requires_grad_()
    seen = []
    logits = z * 1.0
    logits.register_hook(lambda g: seen.append(g.clone()))
    with pytest.warns(UserWarning, match="Anomaly"), torch.autograd.detect_anomaly():
        nlt.cross_entropy(logits, Y).backward()
    torch.testing.assert_close(seen[0], z.grad)


def test_saved_tensor_hooks(way):
    # offloading to disk and back, as activation checkpointing does
    z = f64(4, 3).requires_grad_()
    expected = torch.autograd.grad(nlt.cross_entropy(z, Y), z)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t.clone(), lambda t: t):
        loss = nlt.cross_entropy(z, Y)
    torch.testing.assert_close(torch.autograd.grad(loss, z), expected)
    from torch.utils.checkpoint import checkpoint

    loss = checkpoint(lambda z: nlt.cross_entropy(z * 1.0, Y), z, use_reentrant=False)
    torch.testing.assert_close(torch.autograd.grad(loss, z), expected)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast(way, dtype):
    layer = torch.nn.Linear(16, 5)
    x, y = torch.randn(8, 16), torch.randint(0, 5, (8,))
    with torch.autocast("cpu", dtype):
        logits = layer(x)
        loss = nlt.cross_entropy(logits, y)
        binary = nlt.binary_cross_entropy_with_logits(logits, torch.rand(8, 5))
    assert logits.dtype == dtype and loss.dtype == binary.dtype == torch.float32
    torch.testing.assert_close(loss, torch.nn.functional.cross_entropy(logits.float(), y))
    (loss + binary).backward()
    assert layer.weight.grad.dtype == torch.float32 and layer.weight.grad.isfinite().all()


def test_complex_graphs_share_one_input(way):
    z = f64(4, 3).requires_grad_()
    losses = [nlt.cross_entropy(z, Y, temperature=t) for t in (0.5, 1.0, 2.0)]
    (together,) = torch.autograd.grad(sum(losses), z, retain_graph=True)
    apart = sum(torch.autograd.grad(loss, z)[0] for loss in losses)
    torch.testing.assert_close(together, apart)


def test_leaves_can_be_copied(way):
    z = torch.nn.Parameter(f64(4, 3))
    nlt.cross_entropy(z, Y).backward()
    other = copy.deepcopy(z)
    other.grad = None
    nlt.cross_entropy(other, Y).backward()
    torch.testing.assert_close(other.grad, z.grad)
