"""The cosine and von Mises-Fisher losses, and the Bessel function behind the second."""

import math

import mpmath
import numpy as np
import pytest
import torch
from scipy import stats
from torch.autograd import gradcheck, gradgradcheck

import neglog as nl
import neglog.torch as nlt
from neglog.torch.bessel import log_bessel

F64 = torch.float64


@pytest.mark.parametrize("order", [0.0, 0.5, 1.5, 10.5, 23.0, 63.0, 255.0])
def test_bessel_functions_and_their_slopes(order):
    for x in (0.0, 1e-8, 1e-3, 0.9, 1.1, 10.0, 300.0, 1e4, 1e8):
        square = torch.tensor(x * x, dtype=F64, requires_grad=True)
        large = square.detach() > 1
        value = log_bessel(order, square, large)
        (slope,) = torch.autograd.grad(value, square)
        with mpmath.workdps(40):
            root = mpmath.sqrt(square.item())
            at_zero = -order * mpmath.log(2) - mpmath.loggamma(order + 1)
            want = mpmath.log(mpmath.besseli(order, root)) - order * mpmath.log(root) if x else at_zero
            rate = mpmath.besseli(order + 1, root) / mpmath.besseli(order, root) / (2 * root) if x else 0
            want, rate = (
                (want - root, rate - 1 / (2 * root)) if large else (want, rate or 1 / mpmath.mpf(4 * (order + 1)))
            )
        assert abs(value.item() - want) <= 1.2e-14 * max(1, abs(want)), x
        assert abs(slope.item() / rate - 1) <= 1e-13, x


@pytest.mark.parametrize("size", [2, 3, 5, 64])
def test_von_mises_fisher_is_that_of_scipy(size):
    rng = np.random.default_rng(size)
    mu = rng.normal(size=size)
    mu /= np.linalg.norm(mu)
    for kappa in (0.3, 2.0, 80.0):
        y = stats.vonmises_fisher(mu, kappa).rvs(20, random_state=rng)
        want = -stats.vonmises_fisher(mu, kappa).logpdf(y)
        x = torch.from_numpy(np.broadcast_to(kappa * mu, y.shape).copy())
        found = nlt.von_mises_fisher_nll_loss(x, torch.from_numpy(y), reduction="none")
        np.testing.assert_allclose(found, want, rtol=1e-9, atol=1e-9)  # scipy's own
        apart = nlt.von_mises_fisher_nll_loss(x * 7, torch.from_numpy(y), concentration=kappa, reduction="none")
        torch.testing.assert_close(apart, found, rtol=1e-13, atol=1e-13)


def test_special_dimensions():
    """d = 3 has a closed form; kappa = 0 is one over the surface of the sphere."""
    y = torch.tensor([[0.6, 0.0, 0.8]], dtype=F64)
    for kappa in (1e-4, 0.5, 5.0, 700.0):
        want = -math.log(kappa / (2 * math.pi)) + math.log(-math.expm1(-2 * kappa)) + kappa * (1 - 0.8)
        found = nlt.von_mises_fisher_nll_loss(torch.tensor([[0.0, 0.0, kappa]], dtype=F64), y)
        assert found.item() == pytest.approx(want, rel=1e-12)
    for size in (2, 3, 4, 100):
        y = torch.eye(size, dtype=F64)[:1]
        surface = math.log(2) + size / 2 * math.log(math.pi) - math.lgamma(size / 2)
        assert nlt.von_mises_fisher_nll_loss(0 * y, y).item() == pytest.approx(surface, rel=1e-14)


def test_a_sharp_and_right_direction_keeps_its_digits():
    """kappa = 1e12: kappa - kappa mu.y = kappa θ²/2, where the difference of both would have three digits left."""
    kappa, angle = 1e12, 1e-6
    y = torch.tensor([[math.sin(angle), math.cos(angle)]], dtype=F64)
    x = torch.tensor([[0.0, kappa]], dtype=F64, requires_grad=True)
    loss = nlt.von_mises_fisher_nll_loss(x, y)
    want = 0.5 * math.log(2 * math.pi) - 0.5 * math.log(kappa) + 0.5 * kappa * angle**2
    assert loss.item() == pytest.approx(want, rel=1e-12)
    (slope,) = torch.autograd.grad(loss, x)
    assert slope[0, 0].item() == pytest.approx(-math.sin(angle), rel=1e-12)


def test_derivatives_of_directions():
    torch.manual_seed(0)
    x, y = torch.randn(4, 3, dtype=F64), torch.randn(4, 3, dtype=F64)
    y = y / y.norm(dim=-1, keepdim=True)
    kappa = torch.rand(4, dtype=F64) * 3
    calls = [
        (lambda x: nlt.von_mises_fisher_nll_loss(x, y), (x,)),
        (lambda x, k: nlt.von_mises_fisher_nll_loss(x, y, k, reduction="none"), (x, kappa)),
        (lambda x, y: nlt.cosine_loss(x, y), (x, y)),
        (lambda x: nlt.cosine_loss(x.T, y.T, dim=0, reduction="none"), (x,)),
    ]
    for call, tensors in calls:
        live = [t.clone().requires_grad_() for t in tensors]
        assert gradcheck(call, live, check_forward_ad=True, check_batched_grad=True)
        assert gradgradcheck(call, live, check_fwd_over_rev=True)
        value = torch.func.vmap(call)(*[torch.stack([t, t * 1.1]) for t in tensors]) if len(tensors) == 1 else None
        assert value is None or torch.allclose(value[0], call(*tensors))
    zero = torch.zeros(2, 3, dtype=F64, requires_grad=True)
    loss = nlt.von_mises_fisher_nll_loss(zero, y[:2], reduction="sum")
    torch.testing.assert_close(torch.autograd.grad(loss, zero)[0], -y[:2])  # of the uniform distribution
    hessian = torch.func.hessian(lambda x: nlt.von_mises_fisher_nll_loss(x, y[:1], reduction="sum"))(zero[:1].detach())
    torch.testing.assert_close(hessian.reshape(3, 3), torch.eye(3, dtype=F64) / 3)


def test_directions_compiled(compiled):
    x = torch.randn(6, 4, requires_grad=True)
    y = torch.nn.functional.normalize(torch.randn(6, 4), dim=-1)

    def loss(x):
        return nlt.von_mises_fisher_nll_loss(x, y) + nlt.cosine_loss(x, y)

    value = compiled(loss, backend="aot_eager")(x)
    torch.testing.assert_close(value, loss(x))
    torch.testing.assert_close(torch.autograd.grad(value, x), torch.autograd.grad(loss(x), x))


def test_cosine_conventions():
    """Keras' documented example, and the vectors that have no direction."""
    y, x = torch.tensor([[0.0, 1.0], [1.0, 1.0]]), torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    assert nlt.cosine_loss(x, y).item() == pytest.approx(-0.5)
    assert nlt.cosine_loss(x, y, reduction="sum").item() == pytest.approx(-1.0)
    assert nlt.cosine_loss(x, -3 * x, reduction="none").tolist() == pytest.approx([1.0, 1.0])
    x = torch.tensor([[0.0, 0.0], [1e-30, 0.0], [3e38, 3e38]], requires_grad=True)
    loss = nlt.cosine_loss(x, torch.ones(3, 2), reduction="none")
    assert loss.tolist() == pytest.approx([0.0, -(0.5**0.5), -1.0])
    (slope,) = torch.autograd.grad(loss.sum(), x)
    assert slope[0].tolist() == [0.0, 0.0] and slope.isfinite().all()


def test_what_is_no_direction():
    x = torch.zeros(2, 3)
    with pytest.raises(nl.InputKindError, match=r"target\[0\] = 1\.7.*; allowed: vectors of length 1"):
        nlt.von_mises_fisher_nll_loss(x, torch.ones(2, 3))
    y = torch.tensor([[1.0, 0.0, 0.0], [torch.nan, 5.0, 0.0]])
    with pytest.raises(nl.InputKindError, match=r"concentration\[0\] = -1; allowed: concentration >= 0"):
        nlt.von_mises_fisher_nll_loss(x, y, -1.0)
    keep = torch.tensor([True, False])
    loss = nlt.von_mises_fisher_nll_loss(x, y, mask=keep)
    assert loss.item() == pytest.approx(math.log(4 * math.pi))
    with pytest.raises(nl.ShapeError, match="d >= 2"):
        nlt.von_mises_fisher_nll_loss(torch.zeros(2, 1), torch.ones(2, 1))
    with pytest.raises(nl.ShapeError, match="concentration has shape"):
        nlt.von_mises_fisher_nll_loss(x, y, torch.ones(3))
    with pytest.raises(nl.ShapeError, match="nothing is broadcast"):
        nlt.cosine_loss(torch.zeros(4, 1), torch.zeros(4))
    with pytest.raises(nl.ParameterError, match="dim=2"):
        nlt.cosine_loss(x, x, dim=2)
