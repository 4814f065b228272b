"""Losses l(softmax(z)_y) for tensors: every way to a value, second derivatives, edges, modules, a loss of one's own."""

import ast
import copy
import inspect
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.torch.ways import WAYS, every_way, on

import neglog as nl
import neglog.torch as nlt
from neglog.losses import DEFORMATIONS
from neglog.torch import deformed

INF = float("inf")
F64 = torch.float64
OWN = {"mislabel": {"rate": 0.1}, "alpha_loss": {"alpha": 0.7}, "gamma_divergence": {"gamma": 0.5}}
EACH = pytest.mark.parametrize(("name", "own"), [(name, OWN.get(name, {})) for name in DEFORMATIONS])


def draw(rows=6, classes=4, dtype=F64, scale=2.0, seed=0):
    g = torch.Generator().manual_seed(seed)
    z = (torch.randn(rows, classes, generator=g, dtype=F64) * scale).to(dtype)
    return z, torch.randint(0, classes, (rows,), generator=g)


# ---- one value, by every way ----


@EACH
@every_way
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, F64])
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_as_numpy(name, own, way, dtype, reduction):
    z, y = draw(dtype=dtype)
    y[1] = -100
    options = {"reduction": reduction, **own}
    want, slopes = getattr(nl.losses, f"{name}_grad")(z.double().numpy(), y.numpy(), ignore_index=-100, **options)
    got, gradient = on(way, getattr(nlt, name), z, y, **options)
    assert got.dtype == (F64 if dtype == F64 else torch.float32) and gradient.dtype == dtype
    wide = 1e-13 if dtype == F64 else 2e-6
    torch.testing.assert_close(got.double(), torch.as_tensor(want), rtol=wide, atol=wide)
    once = {torch.float16: 2e-3, torch.bfloat16: 1.6e-2}.get(dtype, wide)
    torch.testing.assert_close(gradient.double(), torch.as_tensor(slopes), rtol=once, atol=once * 1e-2)


@EACH
@every_way
@pytest.mark.parametrize("classes", [2, 3, 600])
def test_far_margins(name, own, way, classes):
    margins = torch.tensor([-1e4, -700.0, -80.0, -1.0, 0.0, 1.0, 80.0, 600.0], dtype=F64)
    z = torch.full((len(margins), classes), -INF, dtype=F64)
    z[:, 0], z[:, 1] = 0.0, margins
    y = torch.zeros(len(margins), dtype=torch.long)
    want, slopes = getattr(nl.losses, f"{name}_grad")(z.numpy(), y.numpy(), reduction="none", **own)
    got, gradient = on(way, getattr(nlt, name), z, y, reduction="none", **own)
    torch.testing.assert_close(got, torch.as_tensor(want), rtol=1e-12, atol=1e-305)
    torch.testing.assert_close(gradient, torch.as_tensor(slopes), rtol=2e-12, atol=1e-305)


@EACH
@every_way
def test_infinite_logits(name, own, way):
    z = torch.zeros(4, 4, dtype=F64)
    z[:, 3] = -INF
    z[1, 0] = -INF  # an impossible target
    z[2, 1:] = -INF  # nothing competes
    z[3] = -INF
    y = torch.zeros(4, dtype=torch.long)
    want, slopes = getattr(nl.losses, f"{name}_grad")(z.numpy(), y.numpy(), reduction="none", **own)
    got, gradient = on(way, getattr(nlt, name), z, y, reduction="none", **own)
    torch.testing.assert_close(got, torch.as_tensor(want), equal_nan=True)
    assert got[3].isnan() and (gradient[2] == 0).all()
    unbounded = name == "exponential_loss" or own == {"alpha": 0.7}  # its slope is infinite at the impossible target
    rows = [0, 2] if unbounded else [0, 1, 2]
    torch.testing.assert_close(gradient[rows], torch.as_tensor(slopes)[rows])


@EACH
@every_way
def test_what_takes_no_part_is_never_read(name, own, way):
    z, y = draw()
    want, slopes = on(way, getattr(nlt, name), z[::2], y[::2], **own)
    z[1::2] = torch.nan
    mask = torch.tensor([True, False] * 3)
    for options, target in (({"mask": mask}, y), ({"sample_weight": mask.double()}, y), ({}, y.where(mask, -100))):
        got, gradient = on(way, getattr(nlt, name), z, target, **options, **own)
        torch.testing.assert_close(got, want)
        torch.testing.assert_close(gradient[::2], slopes)
        assert (gradient[1::2] == 0).all()


# ---- second derivatives ----


def naive(name, own, z, y):
    """The definition in p, by autograd; margins are small."""
    p = z.softmax(-1).gather(-1, y[:, None])[:, 0]
    return {
        "nllr": lambda: -torch.log(p / (1 - p)),
        "competing_ratio": lambda: -p.log() + torch.log(2.5 - p),
        "exponential_loss": lambda: 1 / p - 1,
        "madaboost": lambda: torch.where(p >= 0.5, 1 / p - 1, 1 + torch.log(1 / p - 1)),
        "mislabel": lambda: -torch.log(0.9 * p + 0.1 / z.shape[-1]),
        "generalized_cross_entropy": lambda: (1 - p**0.7) / 0.7,
        "alpha_loss": lambda: 0.7 / -0.3 * (1 - p ** (-0.3 / 0.7)),
        "focal": lambda: -((1 - p) ** 2) * p.log(),
        "poly1": lambda: -p.log() + 1 - p,
        "taylor_cross_entropy": lambda: (1 - p) + (1 - p) ** 2 / 2,
        "symmetric_cross_entropy": lambda: -0.1 * p.log() + 4 * (1 - p),
        "gamma_divergence": lambda: 2 * (1 - (1.5 * z).softmax(-1).gather(-1, y[:, None])[:, 0] ** (1 / 3)),
    }[name]()


@EACH
def test_hessians(name, own):
    z, y = draw(5, 4, scale=1.0, seed=3)

    def total(z):
        return getattr(nlt, name)(z, y, reduction="sum", **own)

    torch.testing.assert_close(total(z), naive(name, own, z, y).sum())
    want = torch.func.hessian(lambda z: naive(name, own, z, y).sum())(z)
    torch.testing.assert_close(torch.func.hessian(total)(z), want, rtol=1e-9, atol=1e-12)
    x, leaf = torch.randn_like(z), z.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(total(leaf), leaf, create_graph=True)
    (twice,) = torch.autograd.grad(gradient, leaf, x)
    product = torch.einsum("ijkl,kl->ij", want, x)
    torch.testing.assert_close(twice, product, rtol=1e-9, atol=1e-12)
    by_numpy = nl.losses.softmax_loss_hessian_product(
        DEFORMATIONS[name](**own), z.numpy(), y.numpy(), x.numpy(), reduction="sum"
    )
    torch.testing.assert_close(torch.as_tensor(by_numpy), product, rtol=1e-9, atol=1e-12)


@EACH
@pytest.mark.parametrize("dtype", [torch.float32, F64])
def test_second_derivatives_are_finite_at_far_margins(name, own, dtype):
    z = torch.tensor([[0.0, 60.0, 1.0], [0.0, -60.0, -90.0], [0.0, 0.0, -INF]], dtype=dtype, requires_grad=True)
    value = getattr(nlt, name)(z, torch.zeros(3, dtype=torch.long), reduction="sum", **own)
    (gradient,) = torch.autograd.grad(value, z, create_graph=True)
    (twice,) = torch.autograd.grad(gradient[:, 0].sum(), z)
    assert gradient.isfinite().all() and twice.isfinite().all()


# ---- the compiler ----


def test_compiled_with_a_parameter_that_changes(compiled):
    function = compiled(lambda z, y, gamma: nlt.focal(z, y, gamma=gamma), backend="aot_eager")
    z, y = draw()
    for gamma in (2.0, 1.0, 0.5):
        torch.testing.assert_close(function(z, y, gamma), nlt.focal(z, y, gamma=gamma))
    slopes = torch.func.grad(lambda z, y, gamma: nlt.gamma_divergence(z, y, gamma=gamma))
    function = compiled(slopes, backend="aot_eager")
    for gamma in (2.0, 1.0, 0.5):
        torch.testing.assert_close(function(z, y, gamma), slopes(z, y, gamma))


def test_transforms_under_the_compiler(compiled):
    """They go by the reference, as devices do."""
    z, y = draw()

    losses = [(getattr(nlt, name), OWN.get(name, {})) for name in DEFORMATIONS]

    def slopes(z):
        return [torch.func.grad(lambda z, f=f, o=o: f(z, y, **o))(z) for f, o in losses]

    torch.testing.assert_close(compiled(slopes, backend="aot_eager")(z), slopes(z))


# ---- arguments and modules ----


def test_type_checkers_see_the_same():
    tree = ast.parse(Path(deformed.__file__).with_suffix(".pyi").read_text())
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    groups = {name: {one.target.id for one in classes[name].body} for name in ("Module", "Common")}
    stubs = {
        node.name: (node, groups["Module"] | groups["Common"])
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    }
    for kind in DEFORMATIONS.values():
        stubs[kind.module] = (classes[kind.module].body[0], groups["Module"])
    assert set(stubs) == set(DEFORMATIONS) | {kind.module for kind in DEFORMATIONS.values()}
    for name, (stub, common) in stubs.items():
        own = {a.arg: d for a, d in zip(stub.args.kwonlyargs, stub.args.kw_defaults, strict=True)}
        first = [a.arg for a in stub.args.args if a.arg != "self"]
        parameters = inspect.signature(getattr(nlt, name)).parameters
        assert list(parameters)[: len(first) + len(own)] == [*first, *own]
        assert set(parameters) == {*first, *own, *common}
        for parameter, default in own.items():
            shown = inspect.Parameter.empty if default is None else ast.literal_eval(default)
            assert parameters[parameter].default == shown


@EACH
def test_modules(name, own):
    z, y = draw()
    weight = torch.rand(4, dtype=F64)
    module = getattr(nlt, DEFORMATIONS[name].module)(weight, temperature=1.5, ignore_index=3, **own)
    want = getattr(nlt, name)(z, y, weight, temperature=1.5, ignore_index=3, **own)
    for other in (module, copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        torch.testing.assert_close(other(z, y), want)
    assert repr(module).startswith(f"{DEFORMATIONS[name].module}(") and "temperature=1.5" in repr(module)
    for one, value in own.items():
        assert f"{one}={value}" in repr(module)
    assert module.float().weight.dtype == torch.float32
    mask = torch.tensor([True, False] * 3)
    plain = getattr(nlt, DEFORMATIONS[name].module)(**own)
    torch.testing.assert_close(plain(z, y, mask=mask), getattr(nlt, name)(z[mask], y[mask], **own))


def test_a_temperature_learns():
    module = nlt.GammaDivergenceLoss(gamma=0.5, temperature=torch.nn.Parameter(torch.tensor(2.0)))
    z, y = draw(dtype=torch.float32)
    module(z, y).backward()
    h = 1e-3
    up, down = (nlt.gamma_divergence(z.double(), y, gamma=0.5, temperature=2.0 + s * h) for s in (1, -1))
    assert module.temperature.grad.item() == pytest.approx(((up - down) / (2 * h)).item(), rel=1e-3)


def test_bad_arguments():
    z, y = draw()
    with pytest.raises(nl.ParameterError, match=r"focal: gamma=-1.0; allowed: gamma in \[0, inf\)"):
        nlt.focal(z, y, gamma=-1.0)
    with pytest.raises(nl.ParameterError, match="mislabel: rate"):
        nlt.MislabelLoss(rate=1.0)
    with pytest.raises(TypeError, match=r"nllr.* unexpected keyword argument 'label_smoothing'"):
        nlt.nllr(z, y, label_smoothing=0.1)
    with pytest.raises(TypeError, match=r"MislabelLoss\(\) missing a required keyword argument: 'rate'"):
        nlt.MislabelLoss()
    with pytest.raises(TypeError, match=r"FocalLoss\(\) got an unexpected keyword argument 'alpha'"):
        nlt.FocalLoss(alpha=0.25)
    with pytest.raises(nl.ParameterError, match="focal: gamma requires grad"):
        nlt.focal(z, y, gamma=torch.tensor(2.0, requires_grad=True))
    with pytest.raises(nl.InputKindError, match="focal: weight is of type float; allowed: a tensor"):
        nlt.focal(z, y, 2.0)
    with pytest.raises(nl.InputKindError, match="MislabelLoss: weight is of type float; allowed: a tensor"):
        nlt.MislabelLoss(0.2)
    with pytest.raises(nl.InputKindError, match="cross_entropy: target is of type list; allowed: a tensor"):
        nlt.cross_entropy(z, y.tolist())
    with pytest.raises(nl.InputKindError, match="focal: input is of type ndarray; allowed: a tensor"):
        nlt.focal(z.numpy(), y)
    with pytest.raises(nl.InputKindError, match="focal: target is of type list; allowed: a tensor"):
        nlt.focal(z, y.tolist())
    with pytest.raises(nl.InputKindError, match="nllr: target has dtype"):
        nlt.nllr(z, z.softmax(1))
    with pytest.raises(nl.TargetError, match=r"poly1: target\[0\] = 9"):
        nlt.poly1(z, torch.full((6,), 9))
    with pytest.raises(nl.DataError, match="focal: the mean of nothing"):
        nlt.focal(z, torch.full((6,), -100), empty="raise")


# ---- a loss of one's own ----


def focal_by_hand(log_p, log_q):
    return -torch.exp(2.0 * log_q) * log_p


@pytest.mark.parametrize("option", ["plain", "none", "weights", "masked", "count", "group of options"])
def test_own_loss_is_the_one_of_the_table(option):
    z, y = draw()
    y[2] = -100
    s, w = torch.rand(6, dtype=F64), torch.rand(4, dtype=F64)
    options = {
        "plain": {},
        "none": {"reduction": "none"},
        "weights": {"weight": w, "sample_weight": s},
        "masked": {"mask": torch.tensor([True, True, False, True, False, True])},
        "count": {"weight": w, "denominator": "count"},
        "group of options": {"temperature": 0.7, "softcap": 5.0, "sample_weight": s, "denominator": 3.5},
    }[option]
    one, other = z.clone().requires_grad_(), z.clone().requires_grad_()
    got, want = nlt.softmax_loss(focal_by_hand, one, y, **options), nlt.focal(other, y, **options)
    torch.testing.assert_close(got, want)
    upstream = torch.rand_like(got)
    torch.testing.assert_close(
        torch.autograd.grad(got, one, upstream, create_graph=True),
        torch.autograd.grad(want, other, upstream, create_graph=True),
    )


def test_own_loss_citizenship(compiled):
    z, y = draw()
    call = lambda z: nlt.softmax_loss(focal_by_hand, z, y)  # noqa: E731
    assert torch.autograd.gradcheck(call, z.clone().requires_grad_(), check_forward_ad=True)
    assert torch.autograd.gradgradcheck(call, z.clone().requires_grad_())
    torch.testing.assert_close(torch.func.hessian(call)(z), torch.func.hessian(lambda z: nlt.focal(z, y))(z))
    leaf = z.clone().requires_grad_()
    value = compiled(call, backend="aot_eager")(leaf)
    torch.testing.assert_close(value, call(z))
    torch.testing.assert_close(torch.autograd.grad(value, leaf)[0], torch.func.grad(call)(z))


def test_own_loss_learns_its_parameter():
    z, y = draw()
    gamma = torch.tensor(1.5, dtype=F64, requires_grad=True)
    value = nlt.softmax_loss(lambda log_p, log_q: -torch.exp(gamma * log_q) * log_p, z, y)
    h = 1e-6
    quotient = (nlt.focal(z, y, gamma=1.5 + h) - nlt.focal(z, y, gamma=1.5 - h)) / (2 * h)
    torch.testing.assert_close(torch.autograd.grad(value, gamma)[0], quotient, rtol=1e-8, atol=0)


def test_own_loss_keeps_its_digits_and_reads_nothing_else():
    z = torch.tensor([[400.0, 0.0], [np.nan, 0.0], [0.0, np.inf]], dtype=F64, requires_grad=True)
    y = torch.tensor([0, -100, 0])
    value = nlt.softmax_loss(lambda log_p, log_q: -log_p, z, y, sample_weight=torch.tensor([1.0, 1.0, 0.0]))
    (gradient,) = torch.autograd.grad(value, z)
    assert value.item() == pytest.approx(np.exp(-400.0), rel=1e-13)
    assert gradient[0].tolist() == pytest.approx([-np.exp(-400.0), np.exp(-400.0)], rel=1e-13, abs=0)
    assert (gradient[1:] == 0).all()
    for wrong, words in (
        (3, "fn is of type int"),
        (DEFORMATIONS["focal"], "fn is the class Focal; allowed: one of it"),
    ):
        for call in (nlt.softmax_loss, lambda fn, *_: nl.losses.softmax_loss(fn, [[0.0, 1.0]], [0])):
            with pytest.raises(nl.InputKindError, match=f"softmax_loss: {words}"):
                call(wrong, z, y)
    with pytest.raises(nl.InputKindError, match=r"fn=Focal\(gamma=2.0\); allowed: a function .neglog.torch.focal is"):
        nlt.softmax_loss(DEFORMATIONS["focal"](), z, y)
    with pytest.raises(nl.InputKindError, match="softmax_loss: what fn returns is of type float; allowed: a tensor"):
        nlt.softmax_loss(lambda log_p, log_q: 1.0, z, y)
    with pytest.raises(nl.ShapeError, match=r"softmax_loss: fn returns shape \(\)"):
        nlt.softmax_loss(lambda log_p, log_q: log_p.sum(), z, y)
    with pytest.raises(nl.TargetError, match=r"softmax_loss: target\[0\] = 7"):
        nlt.softmax_loss(focal_by_hand, torch.zeros(1, 2), torch.tensor([7]))


def test_every_way_is_taken():
    assert set(WAYS) == {"kernel", "operator", "reference"}
