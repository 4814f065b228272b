"""torch.compile, torch.export and torch.library: one graph, the eager numbers, forward and backward."""

import warnings

import pytest
import torch
from tests.torch.calls import CALLS, Y, f64, leaves, positive

import neglog as nl
import neglog.torch as nlt

# A graph takes any number of losses, and compiling it costs seconds: all of them traced, every fourth also compiled.
GRAPHS = {"aot_eager": CALLS, "inductor": CALLS[::4]}


def run(function, groups):
    values = function(*groups)
    flat = [t for group in groups for t in group]
    torch.manual_seed(0)
    total = sum((value * torch.randn(value.shape, dtype=value.dtype)).sum() for value in values)
    return [v.detach() for v in values], torch.autograd.grad(total, flat, allow_unused=True, materialize_grads=True)


@pytest.mark.parametrize("backend", GRAPHS)
def test_compiled_equals_eager(compiled, backend):
    calls = GRAPHS[backend]

    def every(*groups):
        return [call.function(*tensors) for call, tensors in zip(calls, groups, strict=True)]

    expected = run(every, [leaves(call) for call in calls])
    actual = run(compiled(every, backend=backend), [leaves(call) for call in calls])
    torch.testing.assert_close(actual, expected, rtol=1e-10, atol=1e-12)


def test_dynamic_shapes(compiled):
    recompiled = []

    def backend(graph, inputs):
        recompiled.append(graph)
        return graph

    def losses(z, y, q, w):
        return (
            nlt.cross_entropy(z, y, w, label_smoothing=0.1)
            + nlt.cross_entropy(z, q)
            + nlt.nll_loss(nlt.log_softmax(z, 1), y)
            + nlt.binary_cross_entropy_with_logits(z, q, pos_weight=w)
            + nlt.cross_entropy(z, y, denominator=nlt.total_weight(y))
            + nlt.multilabel_soft_margin_loss(z, q)
        )

    function = compiled(losses, dynamic=True, backend=backend)
    for rows, classes in ((4, 3), (7, 5), (16, 9), (33, 70)):
        z = torch.randn(rows, classes, requires_grad=True)
        y, q, w = torch.randint(0, classes, (rows,)), torch.rand(rows, classes), torch.rand(classes) + 0.1
        y[0] = -100
        expected = torch.autograd.grad(losses(z, y, q, w), z)
        value = function(z, y, q, w)
        torch.testing.assert_close(value, losses(z, y, q, w))
        torch.testing.assert_close(torch.autograd.grad(value, z), expected)
    assert len(recompiled) == 1


@pytest.mark.parametrize("kind", [float, int, torch.tensor])
def test_another_denominator_is_not_another_graph(compiled, kind):
    graphs = []

    def backend(graph, inputs):
        graphs.append(graph)
        return graph

    function = compiled(lambda z, n: nlt.cross_entropy(z, Y, denominator=n), backend=backend)
    z = f64(4, 3).requires_grad_()
    for n in range(2, 14):
        value, expected = function(z, kind(n)), nlt.cross_entropy(z, Y, denominator=n)
        torch.testing.assert_close(value, expected)
        torch.testing.assert_close(torch.autograd.grad(value, z), torch.autograd.grad(expected, z))
    assert len(graphs) <= 2  # torch takes the first number for a constant


def test_a_compiled_model_trains_as_the_eager_one(compiled):
    torch.manual_seed(0)
    eager = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 4))
    twin = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 4))
    twin.load_state_dict(eager.state_dict())
    x, y = torch.randn(32, 8), torch.randint(0, 4, (32,))
    criterion = nlt.CrossEntropyLoss(label_smoothing=0.1)
    step = compiled(lambda x, y: criterion(twin(x), y))
    for model, loss in ((eager, lambda x, y: criterion(eager(x), y)), (twin, step)):
        optimizer = torch.optim.SGD(model.parameters(), 0.5)
        for _ in range(5):
            optimizer.zero_grad()
            loss(x, y).backward()
            optimizer.step()
    torch.testing.assert_close(list(twin.parameters()), list(eager.parameters()))


@pytest.mark.parametrize("loss", ["cross_entropy", "nll_loss"])
def test_bad_targets_raise_in_compiled_code(compiled, loss):
    function = compiled(lambda z, y: getattr(nlt, loss)(z, y))
    z = torch.randn(2, 3).log_softmax(1)
    assert function(z, torch.tensor([0, 1])) > 0
    with pytest.raises(nl.TargetError, match=r"target\[1\] = 3"):
        function(z, torch.tensor([0, 3]))


def test_transforms_under_compile(compiled):
    z, tangent = f64(4, 3), f64(4, 3, seed=1)

    def loss(z):
        return nlt.cross_entropy(z, Y, label_smoothing=0.1)

    def every(z, tangent):
        return (
            torch.func.grad(loss)(z),
            torch.func.jvp(loss, (z,), (tangent,))[1],
            torch.func.vmap(lambda z: nlt.cross_entropy(z, torch.tensor(1)))(z),
            torch.func.hessian(loss)(z),
        )

    torch.testing.assert_close(compiled(every, backend="aot_eager")(z, tangent), every(z, tangent))


def test_autocast_under_compile(compiled):
    layer = torch.nn.Linear(16, 5)
    x, y = torch.randn(8, 16), torch.randint(0, 5, (8,))

    def loss(x):
        with torch.autocast("cpu", torch.bfloat16):
            return nlt.cross_entropy(layer(x), y)

    torch.testing.assert_close(compiled(loss)(x), loss(x), rtol=1e-5, atol=1e-5)


def test_export():
    class Scored(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(5, 3)
            self.criterion = nlt.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 0.5]))

        def forward(self, x, y):
            return self.criterion(self.layer(x), y)

    module = Scored()
    x, y = torch.randn(4, 5), torch.tensor([0, 1, 2, -100])
    rows = torch.export.Dim("rows", min=2)
    program = torch.export.export(module, (x, y), dynamic_shapes=({0: rows}, {0: rows}))
    exported = program.module()
    torch.testing.assert_close(exported(x, y), module(x, y))
    x, y = torch.randn(9, 5), torch.randint(0, 3, (9,))
    torch.testing.assert_close(exported(x, y), module(x, y))


def operator_calls():
    """Arguments of every neglog operator that the matrix of calls reaches, forward and backward."""
    seen = {}

    class Record(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            if func.namespace == "neglog":
                shapes = tuple(str(a) if not isinstance(a, torch.Tensor) else (a.dtype, a.ndim) for a in args)
                seen.setdefault((func, shapes), (args, kwargs or {}))
            return func(*args, **(kwargs or {}))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for call in CALLS:
            for dtype in (torch.float64, torch.float32):
                tensors = [t.detach().to(dtype).requires_grad_(i == 0) for i, t in enumerate(call.tensors)]
                with Record():
                    value = call.function(*tensors)
                    if value.requires_grad:
                        torch.autograd.grad(value, tensors[0], torch.ones_like(value), allow_unused=True)
    return seen


def test_opcheck():
    seen = operator_calls()
    names = {str(func) for func, _ in seen}
    assert len(names) >= 6, names  # forward and backward of at least three losses
    by_operator = {}
    for (func, _), arguments in seen.items():
        by_operator.setdefault(func, []).append(arguments)
    for func, calls in by_operator.items():
        for args, kwargs in calls[:: max(1, len(calls) // 2)][:2]:  # a check takes 0.3 s
            plain = [a.detach().requires_grad_(a.requires_grad) if isinstance(a, torch.Tensor) else a for a in args]
            torch.library.opcheck(func, tuple(plain), kwargs)


def test_weights_that_require_grad_under_compile(compiled):
    function = compiled(lambda z, w, s: nlt.cross_entropy(z, Y, w, sample_weight=s), backend="aot_eager")
    tensors = [f64(4, 3).requires_grad_(), positive(3).requires_grad_(), positive(4, seed=1).requires_grad_()]
    value = function(*tensors)
    expected = nlt.cross_entropy(tensors[0], Y, tensors[1], sample_weight=tensors[2])
    torch.testing.assert_close(torch.autograd.grad(value, tensors), torch.autograd.grad(expected, tensors))
