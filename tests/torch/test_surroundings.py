"""What is around a loss in a training job: threads, memory, layouts, deterministic mode, tensor subclasses."""

import subprocess
import sys
import threading

import pytest
import torch
import torch.nn.functional as F

import neglog.torch as nlt


@pytest.fixture
def threads():
    """Sets torch's number of threads for a test."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


LAYOUTS = {
    "rows": lambda: torch.randn(300, 1000),
    "narrow": lambda: torch.randn(20_000, 10),
    "images": lambda: torch.randn(4, 21, 40, 40),
    "channels last": lambda: torch.randn(4, 21, 40, 40).contiguous(memory_format=torch.channels_last),
    "across": lambda: torch.randn(1000, 300).T,
}


def targets_for(z):
    return torch.randint(0, z.shape[1], (z.shape[0], *z.shape[2:]))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_number_of_threads_changes_nothing(threads, layout, dtype):
    torch.manual_seed(0)
    z = LAYOUTS[layout]().to(dtype).requires_grad_()
    y = targets_for(z)
    found = []
    for n in (1, 2, 3):
        threads(n)
        loss = nlt.cross_entropy(z, y, label_smoothing=0.1)
        found.append((loss.detach(), torch.autograd.grad(loss, z)[0]))
    for value, gradient in found[1:]:
        assert value.equal(found[0][0]) and gradient.equal(found[0][1])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_gradients_keep_the_memory_format(layout):
    z = LAYOUTS[layout]().requires_grad_()
    (gradient,) = torch.autograd.grad(nlt.cross_entropy(z, targets_for(z)), z)
    assert gradient.stride() == z.stride()
    (gradient,) = torch.autograd.grad(nlt.cross_entropy(z, targets_for(z), reduction="none").sum(), z)
    assert gradient.stride() == z.stride()


def test_callers_in_several_python_threads():
    """The GIL is released: workspace that two calls share would show here."""
    torch.manual_seed(0)
    work = [torch.randn(200 + 7 * i, 300 + i).requires_grad_() for i in range(6)]
    y = [targets_for(z) for z in work]

    def one(i):
        loss = nlt.cross_entropy(work[i], y[i], label_smoothing=0.1) + nlt.nll_loss(work[i].log_softmax(1), y[i])
        return loss.detach(), torch.autograd.grad(loss, work[i])[0]

    expected = [one(i) for i in range(6)]
    wrong = []

    def repeat(i):
        for _ in range(20):
            value, gradient = one(i)
            if not (value.equal(expected[i][0]) and gradient.equal(expected[i][1])):
                wrong.append(i)

    callers = [threading.Thread(target=repeat, args=(i,)) for i in range(6)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert not wrong


MEMORY = """
import torch, neglog.torch as nlt
MB = 2**20
def peak():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) * 1024
layouts = {
    "rows": torch.randn(2048, 16384),
    "images": torch.randn(8, 256, 128, 128),
    "transposed": torch.randn(2, 1024, 16384).transpose(1, 2),
    "slice": torch.randn(16, 129, 16384)[:, :-1].transpose(1, 2),
}
for name, z in layouts.items():
    y = torch.randint(0, z.shape[1], (z.shape[0], *z.shape[2:]))
    z.requires_grad_()
    torch.autograd.grad(nlt.cross_entropy(z[:1], y[:1]), z)
    before = int(next(line for line in open("/proc/self/status") if line.startswith("VmRSS")).split()[1]) * 1024
    open("/proc/self/clear_refs", "w").write("5")
    loss = nlt.cross_entropy(z, y)
    gradient = torch.autograd.grad(loss, z)
    print(name, (peak() - before) / (z.numel() * 4))
    del gradient
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_peak_memory_is_the_gradient_and_little_more():
    """Each tensor has 134 MB; torch's own needs the log-probabilities too, a hidden transpose would double it."""
    done = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True)
    ratios = {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in done.stdout.splitlines()}
    assert len(ratios) == 4
    assert all(ratio < 1.15 for ratio in ratios.values()), ratios


def test_deterministic_mode(way):
    z, y = torch.randn(4, 3, requires_grad=True), torch.tensor([0, 2, -100, 1])
    torch.use_deterministic_algorithms(True)
    try:
        loss = nlt.cross_entropy(z, y, torch.rand(3), label_smoothing=0.1)
        loss = loss + nlt.nll_loss(z.log_softmax(1), y) + nlt.kl_div(z.log_softmax(1), torch.rand(4, 3))
        loss.backward()
    finally:
        torch.use_deterministic_algorithms(False)
    assert z.grad.isfinite().all()


class Named(torch.Tensor):
    """A subclass that keeps to torch's defaults."""


def test_tensor_subclasses():
    z, y = torch.randn(4, 3).as_subclass(Named).requires_grad_(), torch.tensor([0, 2, -100, 1])
    loss = nlt.cross_entropy(z, y)
    torch.testing.assert_close(loss.as_subclass(torch.Tensor), F.cross_entropy(z.detach().as_subclass(torch.Tensor), y))
    loss.backward()
    assert z.grad is not None
    parameter = torch.nn.Parameter(torch.randn(4, 3))
    nlt.cross_entropy(parameter, y.as_subclass(Named)).backward()
    assert parameter.grad is not None


def test_tensors_on_two_devices():
    with pytest.raises((RuntimeError, ValueError)):
        nlt.cross_entropy(torch.randn(4, 3), torch.zeros(4, dtype=torch.long, device="meta"))
    with pytest.raises((RuntimeError, ValueError)):
        nlt.cross_entropy(torch.randn(4, 3, device="meta"), torch.zeros(4, dtype=torch.long))


def test_default_device_and_dtype_are_not_consulted(way):
    z, y = torch.randn(4, 3, requires_grad=True), torch.tensor([0, 2, -100, 1])
    expected = nlt.cross_entropy(z, y)
    torch.set_default_dtype(torch.float64)
    try:
        with torch.device("meta"):
            loss = nlt.cross_entropy(z, y)
            weighted = nlt.cross_entropy(z, y, reduction="none", label_smoothing=0.1)
            total = nlt.total_weight(y)
    finally:
        torch.set_default_dtype(torch.float32)
    assert loss.device.type == weighted.device.type == total.device.type == "cpu"
    assert loss.dtype == torch.float32 and loss.equal(expected)


def test_views_that_negate():
    """The imaginary part of a conjugate shares memory that holds its negative."""

    def negated(x):
        return torch.complex(torch.zeros_like(x), -x).conj().imag

    z, y, q = torch.randn(4, 3), torch.tensor([0, 2, -100, 1]), torch.rand(4, 3)
    for x, target, options in (
        (negated(z), y, {}),
        (z, negated(q), {}),
        (z, y, {"weight": negated(q[0])}),
        (z, y, {"sample_weight": negated(q[:, 0])}),
    ):
        assert any(t.is_neg() for t in (x, target, *options.values()))
        plain = {k: v.resolve_neg() for k, v in options.items()}
        for reduction in ("mean", "none"):
            x = x.detach().requires_grad_()
            value = nlt.cross_entropy(x, target, reduction=reduction, **options)
            expected = nlt.cross_entropy(x.resolve_neg(), target.resolve_neg(), reduction=reduction, **plain)
            torch.testing.assert_close(value, expected)
            torch.testing.assert_close(torch.autograd.grad(value.sum(), x), torch.autograd.grad(expected.sum(), x))
    torch.testing.assert_close(nlt.binary_cross_entropy(negated(q), q), nlt.binary_cross_entropy(q, q))
