"""Mixture density networks: published vectors, failure modes, heads that can start."""

import math

import pytest
import torch
from torch import nn
from torch.autograd import gradcheck, gradgradcheck

import neglog as nl
import neglog.torch as nlt

F64 = torch.float64


def f64(*values):
    return torch.tensor(values, dtype=F64)


def bishop(dtype=F64):
    """The vector's mixture: log-weights, means, log standard deviations, in one dimension."""
    a = torch.tensor([0.2, 0.5, 0.3], dtype=dtype).log()
    mean, log_scale = (
        torch.tensor([[-1.0], [0.2], [2.0]], dtype=dtype),
        torch.tensor([[0.5], [0.3], [1.0]], dtype=dtype).log(),
    )
    return [t.requires_grad_() for t in (a, mean, log_scale)]


def test_bishop_vector():
    a, mean, log_scale = bishop()
    loss = nlt.mixture_density_nll_loss((a, mean, log_scale.exp()), f64(0.6))
    assert loss.item() == pytest.approx(1.141868495257, rel=1e-12)
    slopes = torch.autograd.grad(loss, (a, mean, log_scale))
    close = {"rtol": 1e-9, "atol": 1e-10}
    torch.testing.assert_close(slopes[0], f64(0.1970126267, -0.3563010223, 0.1592883956), **close)
    torch.testing.assert_close(slopes[1][:, 0], f64(-0.0191191892, -3.8057823214, 0.1969962461), **close)
    torch.testing.assert_close(slopes[2][:, 0], f64(-0.0276033294, -0.6660119062, -0.1350831402), **close)


def test_far_from_every_component():
    """In linear space: -log 0 = inf, or -log(0 + 1e-6) = 13.8 without a gradient."""
    a, mean, log_scale = bishop()
    loss = nlt.mixture_density_nll_loss((a, mean, log_scale.exp()), f64(60.0))
    assert loss.item() == pytest.approx(1684.1229113375307, rel=1e-13)
    slopes = torch.autograd.grad(loss, (a, mean, log_scale))
    assert all(s.isfinite().all() for s in slopes)
    assert slopes[1][2].item() == pytest.approx(-58.0)  # pulls the widest component there
    linear = -torch.log((a.exp() * torch.exp(-0.5 * ((60 - mean) / log_scale.exp()) ** 2)[:, 0]).sum())
    assert linear.item() == math.inf


def test_one_component_is_the_gaussian():
    torch.manual_seed(0)
    y, m = torch.randn(7, 2, dtype=F64), torch.randn(7, 2, dtype=F64)
    v = torch.rand(7, 2, dtype=F64) + 0.1
    mixture = nlt.GaussianMixture(torch.randn(7, 1, dtype=F64), m.unsqueeze(1), v.sqrt().unsqueeze(1))
    rows = nlt.mixture_density_nll_loss(mixture, y, "none")
    torch.testing.assert_close(
        rows, nlt.gaussian_nll_loss(m, y, v, True, reduction="none").sum(1), rtol=1e-14, atol=1e-14
    )
    torch.testing.assert_close(mixture.mean(), m)
    torch.testing.assert_close(mixture.var(), v)


def random_mixture(covariance, rows=5, components=3, size=2):
    torch.manual_seed(1)
    a, m = torch.randn(rows, components, dtype=F64), torch.randn(rows, components, size, dtype=F64)
    if covariance == "full":
        raw = torch.randn(rows, components, size, size, dtype=F64)
        s = raw.tril(-1) + torch.diag_embed(raw.diagonal(dim1=-2, dim2=-1).exp())
    else:
        s = torch.rand(rows, components, 1 if covariance == "isotropic" else size, dtype=F64) + 0.2
    return nlt.GaussianMixture(a, m, s), torch.randn(rows, size, dtype=F64)


COVARIANCES = ["diagonal", "isotropic", "full"]


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_the_density_is_that_of_torch_distributions(covariance):
    from torch.distributions import Categorical, Independent, MixtureSameFamily, MultivariateNormal, Normal

    (a, m, s), y = random_mixture(covariance)
    parts = MultivariateNormal(m, scale_tril=s) if covariance == "full" else Independent(Normal(m, s.expand_as(m)), 1)
    other = MixtureSameFamily(Categorical(logits=a), parts)
    mixture = nlt.GaussianMixture(a, m, s)
    torch.testing.assert_close(nlt.mixture_density_nll_loss(mixture, y, "none"), -other.log_prob(y))
    torch.testing.assert_close(mixture.mean(), other.mean)
    torch.testing.assert_close(mixture.var(), other.variance)
    wide = nlt.GaussianMixture(*(t[:1].expand(40_000, *t.shape[1:]) for t in mixture))
    draws = wide.sample(torch.Generator().manual_seed(0))
    # five standard errors of 40000 draws
    assert (((draws.mean(0) - other.mean[0]) / other.variance[0].sqrt()).abs() < 0.025).all()
    assert ((draws.var(0) / other.variance[0] - 1).abs() < 0.06).all()


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_derivatives_of_mixtures(compiled, covariance):
    mixture, y = random_mixture(covariance, 3)
    live = [t.clone().requires_grad_() for t in (*mixture, y)]

    def loss(a, m, s, y):
        return nlt.mixture_density_nll_loss((a, m, s), y)

    assert gradcheck(loss, live, check_forward_ad=True, check_batched_grad=True)
    assert gradgradcheck(loss, live, fast_mode=True)
    value = compiled(loss, backend="aot_eager")(*live)
    torch.testing.assert_close(torch.autograd.grad(value, live), torch.autograd.grad(loss(*live), live))


def test_gradients_by_responsibility():
    """Isotropic: the slope in the logarithm of the one scale is gamma_k (D - |y - mu|²/s²)."""
    (a, m, s), y = random_mixture("isotropic")
    a, m = a.requires_grad_(), m.requires_grad_()
    log_scale = s.log().requires_grad_()
    loss = nlt.mixture_density_nll_loss((a, m, log_scale.exp()), y, "sum")
    slopes = torch.autograd.grad(loss, (a, m, log_scale))
    square = ((y.unsqueeze(1) - m) ** 2).sum(-1) / s[..., 0] ** 2
    joint = a.log_softmax(-1) - 0.5 * square - 2 * s[..., 0].log()
    gamma = joint.softmax(-1)
    torch.testing.assert_close(slopes[0], a.softmax(-1) - gamma)
    torch.testing.assert_close(slopes[1], gamma.unsqueeze(-1) * (m - y.unsqueeze(1)) / s**2)
    torch.testing.assert_close(slopes[2][..., 0], gamma * (2 - square))


def test_mixtures_that_do_not_fit():
    (a, m, s), y = random_mixture("diagonal")
    for bad in ((a[:, :2], m, s), (a, m[:, :, :1], s), (a, m, s[:, :, 0]), (a[:4], m, s)):
        with pytest.raises(nl.ShapeError, match="mixture_density_nll_loss: "):
            nlt.mixture_density_nll_loss(bad, y)
    with pytest.raises(nl.InputKindError, match=r"scale\[0, 0, 0\] = -?[\d.]+; allowed: scales > 0"):
        nlt.mixture_density_nll_loss((a, m, -s), y)
    keep = torch.tensor([True, False, True, True, False])
    spoiled = [torch.where(keep.reshape(-1, *(1,) * (t.dim() - 1)), t, torch.nan).requires_grad_() for t in (a, m, s)]
    loss = nlt.mixture_density_nll_loss(spoiled, y, mask=keep)
    torch.testing.assert_close(loss, nlt.mixture_density_nll_loss((a, m, s), y, "none")[keep].mean())
    assert all(g.isfinite().all() and (g[~keep] == 0).all() for g in torch.autograd.grad(loss, spoiled))


# ------------------------------------------------------------------------------------------------------------- heads


def clusters(size, seed=0):
    """Three far groups in units of a thousand, with an offset."""
    g = torch.Generator().manual_seed(seed)
    centers = torch.tensor([[-3.0, 0.0], [0.0, 4.0], [3.0, -4.0]])[:, :size]
    y = centers.repeat(200, 1) + 0.3 * torch.randn(600, size, generator=g)
    return 5e4 + 1e3 * y


@pytest.mark.parametrize("covariance", COVARIANCES)
@pytest.mark.parametrize("size", [1, 2])
def test_no_component_is_dead_at_the_start(covariance, size):
    torch.manual_seed(0)
    y = clusters(size)
    head = nlt.MixtureDensityHead(8, 3, size, covariance=covariance, targets=y)
    mixture = head(0.1 * torch.randn(600, 8))
    assert mixture.full == (covariance == "full")
    nlt.mixture_density_nll_loss(mixture, y).backward()
    per_component = head.loc.weight.grad.reshape(3, -1).abs().sum(1)
    assert (per_component > 1e-3 * per_component.max()).all()
    single = [[t.unbind(1)[k].unsqueeze(1) for t in mixture] for k in range(3)]
    each = torch.stack([nlt.mixture_density_nll_loss(one, y, "none") for one in single])
    shares = torch.bincount(each.argmin(0), minlength=3) / 600
    assert (shares > 0.3).all()  # a third each


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_the_floor_bounds_the_collapse(covariance):
    """Two thirds of the targets are one value: without a floor a component shrinks onto it for ever."""
    y = torch.cat([torch.full((40,), 7.0), torch.linspace(0, 20, 20)]).unsqueeze(1)
    head = nlt.MixtureDensityHead(2, 2, covariance=covariance, floor=1e-3, targets=y)
    with torch.no_grad():
        head.raw_scale.weight.zero_()
        head.raw_scale.bias.fill_(-1e4)
        head.loc.weight.zero_()
        head.loc.bias.copy_((7.0 - head.shift) / head.unit)
    scale = head(torch.zeros(60, 2)).scale
    torch.testing.assert_close(scale, torch.full_like(scale, 1e-3 * y.std(correction=0).item()))
    zero, tiny = torch.zeros(60, 1), torch.full((60, 1, 1), 1e-30)
    free = nlt.mixture_density_nll_loss((zero, torch.full((60, 1, 1), 7.0), tiny), y, "none")
    assert (free[:40] < -68).all()  # and log(1e-30) is not the end


def test_heads_without_targets_are_for_standardised_ones():
    torch.manual_seed(0)
    for covariance in COVARIANCES:
        mixture = nlt.MixtureDensityHead(3, 5, 2, covariance=covariance)(torch.zeros(1, 3))
        assert mixture.mean().abs().max() < 0.1
        assert ((mixture.var() > 0.5) & (mixture.var() < 3)).all()
    one = nlt.MixtureDensityHead(3, 1)(torch.zeros(1, 3))
    torch.testing.assert_close(one.scale, torch.ones(1, 1, 1))


def test_heads_refuse():
    with pytest.raises(nl.ParameterError, match="covariance='round'"):
        nlt.MixtureDensityHead(3, 2, covariance="round")
    with pytest.raises(nl.ParameterError, match="floor=0"):
        nlt.MixtureDensityHead(3, 2, floor=0)
    with pytest.raises(nl.ShapeError, match=r"allowed: \(n, 2\)"):
        nlt.MixtureDensityHead(3, 2, 2, targets=torch.zeros(5))
    for y in (torch.ones(5), torch.tensor([1.0, torch.nan]), torch.zeros(0)):
        with pytest.raises(nl.DataError, match="have to be finite and not all equal"):
            nlt.MixtureDensityHead(3, 2, targets=y)


def test_the_inverse_problem():
    """x = t + 0.3 sin(2πt) + U(-0.1, 0.1), t from x (Bishop 1994): three branches that a mean cannot follow."""
    torch.manual_seed(0)
    t = torch.rand(1000, 1)
    x = t + 0.3 * torch.sin(2 * math.pi * t) + 0.2 * torch.rand(1000, 1) - 0.1

    def trained(head, loss_of):
        trunk = nn.Sequential(nn.Linear(1, 20), nn.Tanh())
        optimizer = torch.optim.Adam([*trunk.parameters(), *head.parameters()], 2e-2)
        for _ in range(150):
            optimizer.zero_grad()
            loss = loss_of(head(trunk(x)))
            loss.backward()
            optimizer.step()
        return trunk, loss.item()

    head = nlt.MixtureDensityHead(20, 3, targets=t)
    trunk, mixture = trained(head, lambda m: nlt.mixture_density_nll_loss(m, t))
    _, gaussian = trained(nlt.GaussianHead(20), lambda p: nlt.gaussian_nll_loss(p[0], t, p[1], full=True))
    assert mixture < gaussian - 0.5  # about -1.1 against -0.1
    middle = head(trunk(torch.tensor([[0.5]])))
    assert middle.var().sqrt().item() > 0.15  # branches at t = 0.2, 0.5 and 0.8, each 0.05 wide
