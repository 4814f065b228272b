"""Bounds of latent-variable models: published vectors, mpmath, torch.distributions, and PPCA, where all is exact."""

import math

import mpmath
import numpy as np
import pytest
import torch
from torch.distributions import ContinuousBernoulli, Normal, kl_divergence

import neglog as nl
import neglog.torch as nlt
from neglog.latent import PPCA


def f64(*values):
    return torch.tensor(values, dtype=torch.float64)


def random(*shape, seed=0):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_the_specs_vector():
    """Section 16 of the specification."""
    assert nlt.gaussian_kl(f64(0.5, -1.0), f64(0.2, -0.3)).item() == pytest.approx(0.656110489420944, rel=1e-14)


def test_kl_is_torchs():
    mu, s, m, t = (random(4, 3, seed=i) for i in range(4))
    expected = kl_divergence(Normal(mu, (s / 2).exp()), Normal(m, (t / 2).exp())).sum(-1)
    torch.testing.assert_close(nlt.gaussian_kl(mu, s, m, t, reduction="none"), expected, rtol=1e-12, atol=0)
    torch.testing.assert_close(nlt.gaussian_kl(mu, s, m, t), expected.mean())
    w, keep = f64(1, 2, 0, 3), torch.tensor([True, True, True, False])
    spoilt = mu.clone()
    spoilt[2:] = math.nan
    got = nlt.gaussian_kl(spoilt, s, m, t, sample_weight=w, mask=keep)
    torch.testing.assert_close(got, (expected[0] + 2 * expected[1]) / 3)
    torch.testing.assert_close(nlt.gaussian_kl(mu, s, 0.5, -1.0), nlt.gaussian_kl(mu, s, m * 0 + 0.5, t * 0 - 1))


@pytest.mark.parametrize("d", [1e-12, -1e-7, 0.01, -0.499999, 0.5, 0.500001, -3.0, 40.0, -800.0])
def test_kl_of_nearly_equal_variances_keeps_its_digits(d):
    with mpmath.workdps(60):
        exact = float((mpmath.expm1(mpmath.mpf(d)) - mpmath.mpf(d)) / 2)
        slope = float(mpmath.expm1(mpmath.mpf(d)) / 2)
    log_var = f64(d).requires_grad_()
    value = nlt.gaussian_kl(f64(0.0), log_var)
    assert value.item() == pytest.approx(exact, rel=2e-15)
    (grad,) = torch.autograd.grad(value, log_var, create_graph=True)
    assert grad.item() == pytest.approx(slope, rel=4e-15)
    (curvature,) = torch.autograd.grad(grad.sum(), log_var)
    assert curvature.item() == pytest.approx(math.exp(d) / 2, rel=4e-15)


def test_pixels():
    x, t = 3 * random(5, 7), torch.rand(5, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    bits = torch.nn.functional.binary_cross_entropy_with_logits(x, t, reduction="none").sum(-1)
    torch.testing.assert_close(nlt.pixel_nll_loss(x, t, reduction="none"), bits, rtol=1e-13, atol=0)
    # without torch's Taylor polynomial about 1/2
    grey = -ContinuousBernoulli(logits=x, lims=(0.5, 0.5)).log_prob(t).sum(-1)
    torch.testing.assert_close(nlt.pixel_nll_loss(x, t, continuous=True, reduction="none"), grey, rtol=1e-9, atol=1e-10)
    w = f64(1, 0, 2, 1, 1)
    torch.testing.assert_close(nlt.pixel_nll_loss(x, t, sample_weight=w), (bits * w).sum() / 5)
    draws = torch.stack([x, 2 * x])
    torch.testing.assert_close(nlt.pixel_nll_loss(draws, t, reduction="none")[0], bits)
    with pytest.raises(nl.InputKindError, match=r"pixel_nll_loss: target\["):
        nlt.pixel_nll_loss(x, 2 * t)
    with pytest.raises(nl.ShapeError, match="target has shape"):
        nlt.pixel_nll_loss(x, t[:, :3])


def test_the_constant_of_grey_levels_makes_a_density():
    """The sum over all levels of a Bernoulli 'likelihood' of grey is not 1; the continuous one integrates to 1."""
    t = torch.linspace(0, 1, 20_001, dtype=torch.float64)[:, None]
    for logit in (-3.0, 0.0, 1.5):
        x = torch.full_like(t, logit)
        integral = torch.trapezoid(torch.exp(-nlt.pixel_nll_loss(x, t, continuous=True, reduction="none")), t[:, 0])
        assert integral.item() == pytest.approx(1.0, abs=1e-8)
        assert torch.trapezoid(torch.exp(-nlt.pixel_nll_loss(x, t, reduction="none")), t[:, 0]).item() < 0.8


GRADIENTS = {
    "kl": lambda a, b, c: nlt.gaussian_kl(a, b, c, 0.3 * c),
    "elbo": lambda a, b, c: nlt.elbo_loss(torch.stack([a[:, 0] ** 2, c[:, 1]]), a, b, c, beta=2.0),
    "iwae": lambda a, b, c: nlt.iwae_loss(torch.stack([a[:, 0] ** 2, c[:, 1]]), torch.stack([a + b, a - b]), a, b),
    "bits": lambda a, b, c: nlt.pixel_nll_loss(a * b, torch.sigmoid(c)),
    "grey": lambda a, b, c: nlt.pixel_nll_loss(a * b, torch.sigmoid(c), continuous=True),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients(name):
    inputs = [random(3, 2, seed=i).requires_grad_() for i in range(3)]
    used = inputs[:2] if name == "iwae" else inputs
    fixed = inputs[2].detach()
    function = (lambda a, b: GRADIENTS[name](a, b, fixed)) if name == "iwae" else GRADIENTS[name]
    torch.autograd.gradcheck(function, used)
    torch.autograd.gradgradcheck(function, used)


# ---- PPCA is a variational autoencoder whose likelihood is known -----------------------------------------------------


@pytest.fixture
def linear():
    """A model with loadings at right angles, so that its posterior has independent parts; rows; their exact nll."""
    rng = np.random.default_rng(0)
    axes = np.linalg.qr(rng.normal(size=(6, 2)))[0]
    model = PPCA(rng.normal(size=6), axes * [2.0, 0.7], 0.4)
    x = model.sample(40, rng=1)
    return model, torch.from_numpy(x), torch.from_numpy(model.nll(x))


def decoded(model, x, z):
    """-log p(x | z), (K, N)"""
    mean = torch.from_numpy(model.mean) + z @ torch.from_numpy(model.loadings).T
    return (-Normal(mean, math.sqrt(model.noise)).log_prob(x)).sum(-1)


def posterior(model, x):
    mean, covariance = model.posterior(x.numpy())
    return torch.from_numpy(mean), torch.from_numpy(np.log(np.diag(covariance))).expand(mean.shape)


@pytest.mark.parametrize("samples", [1, 7])
def test_iwae_with_the_exact_posterior_is_the_likelihood_for_any_draws(linear, samples):
    model, x, nll = linear
    mu, log_var = posterior(model, x)
    z = nlt.gaussian_draws(mu, log_var, samples, torch.Generator().manual_seed(0))
    got = nlt.iwae_loss(decoded(model, x, z), z, mu, log_var, reduction="none")
    torch.testing.assert_close(got, nll, rtol=1e-12, atol=0)


def test_elbo_with_the_exact_posterior_is_the_likelihood(linear):
    model, x, nll = linear
    mu, log_var = posterior(model, x)
    # Gauss-Hermite points with equal weights, +-1 standard deviations: exact for squares
    signs = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]], dtype=torch.float64)
    z = mu + torch.exp(0.5 * log_var) * signs[:, None]
    torch.testing.assert_close(
        nlt.elbo_loss(decoded(model, x, z), mu, log_var, reduction="none"), nll, rtol=1e-12, atol=0
    )
    off, wide = mu + 0.3, log_var + 0.5
    z = off + torch.exp(0.5 * wide) * signs[:, None]
    bound = nlt.elbo_loss(decoded(model, x, z), off, wide, reduction="none")
    expected = model.bound(x.numpy(), off.numpy(), np.diag(torch.exp(wide[0]).numpy()))
    np.testing.assert_allclose(bound.numpy(), expected, rtol=1e-12)
    assert (bound > nll).all()


def test_iwae_falls_with_k_towards_the_likelihood(linear):
    model, x, nll = linear
    mu, log_var = posterior(model, x)
    mu, log_var = mu + 0.4, log_var + 0.7
    generator = torch.Generator().manual_seed(0)
    bounds = []
    for k in (1, 4, 32, 512):
        repeats = [nlt.gaussian_draws(mu, log_var, k, generator) for _ in range(2048 // k)]
        each = torch.stack([nlt.iwae_loss(decoded(model, x, z), z, mu, log_var) for z in repeats])
        bounds.append(each.mean().item())
    assert bounds == sorted(bounds, reverse=True)
    assert bounds[0] == pytest.approx(
        model.bound(x.numpy(), mu.numpy(), np.diag(torch.exp(log_var[0]).numpy())).mean(), abs=0.01
    )
    assert bounds[-1] - nll.mean().item() == pytest.approx(0, abs=2e-3)


def test_training_the_bound_finds_the_maximum_of_the_likelihood(linear):
    """Descent on the exact bound, decoder and posterior together, ends at the closed form of PPCA."""
    _, x, _ = linear
    best = nl.latent.fit_ppca(x.numpy(), 1)
    w, m = (0.1 * torch.ones(6, 1, dtype=torch.float64)).requires_grad_(), x.mean(0)
    log_noise = torch.zeros((), dtype=torch.float64, requires_grad=True)
    v = (0.1 * torch.ones(6, 1, dtype=torch.float64)).requires_grad_()
    s = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [w, log_noise, v, s], max_iter=500, line_search_fn="strong_wolfe", tolerance_grad=1e-10
    )

    def bound():
        mu = (x - m) @ v
        log_var = s.expand(mu.shape)
        z = mu + torch.exp(0.5 * log_var) * torch.tensor([[[1.0]], [[-1.0]]], dtype=torch.float64)
        nll = (-Normal(m + z @ w.T, torch.exp(0.5 * log_noise)).log_prob(x)).sum(-1)
        return nlt.elbo_loss(nll, mu, log_var)

    def closure():
        optimizer.zero_grad()
        loss = bound()
        loss.backward()
        return loss

    optimizer.step(closure)
    assert bound().item() == pytest.approx(best.mean_nll(x.numpy()), rel=1e-9)
    assert torch.exp(log_noise).item() == pytest.approx(best.noise, rel=1e-4)


def test_float32_and_half():
    mu, log_var = random(4, 3), 0.1 * random(4, 3, seed=1)
    exact = nlt.gaussian_kl(mu.float().double(), log_var.float().double())
    assert nlt.gaussian_kl(mu.float(), log_var.float()).item() == pytest.approx(exact.item(), rel=1e-6)
    assert nlt.gaussian_kl(mu.half(), log_var.half()).dtype is torch.float32


def test_nothing_and_bad_input():
    empty = torch.zeros(0, 2, requires_grad=True)
    loss = nlt.gaussian_kl(empty, torch.zeros(0, 2))
    loss.backward()
    assert loss.item() == 0
    mu = torch.zeros(3, 2)
    for call, message in (
        (lambda: nlt.gaussian_kl(mu, mu[:2]), "log_var has shape"),
        (lambda: nlt.gaussian_kl(mu, mu, torch.zeros(4)), "broadcasts to"),
        (lambda: nlt.elbo_loss(torch.zeros(4), mu, mu), r"allowed: \(3,\), or that after an axis of draws"),
        (lambda: nlt.elbo_loss(torch.tensor(1.0), mu, mu), r"give the nll of each row \(reduction='none'\)"),
        (lambda: nlt.iwae_loss(torch.tensor(1.0), mu[None], mu, mu), r"give the nll of each row \(reduction='none'\)"),
        (lambda: nlt.iwae_loss(torch.zeros(5, 3), torch.zeros(5, 3, 1), mu, mu), r"\(K, ..., L\)"),
        (lambda: nlt.gaussian_draws(mu, mu, 0), "samples=0"),
        (lambda: nlt.gaussian_draws(mu, mu, 1.5), "samples=1.5; allowed: an integer"),
        (lambda: nlt.elbo_loss(torch.zeros(3), torch.zeros(3, 2), torch.zeros(3, 2), beta=-1.0), "beta=-1.0"),
        (lambda: nlt.elbo_loss(torch.zeros(3), torch.zeros(3, 2), torch.zeros(3, 2), beta=math.nan), "beta=nan"),
        (lambda: nlt.pixel_nll_loss(torch.zeros(2, 0), torch.zeros(2, 0)), "with a pixel or more"),
        (lambda: nlt.gaussian_kl(mu, mu, sample_weight=torch.ones(2)), "sample_weight has shape"),
    ):
        with pytest.raises(nl.NeglogError, match=message):
            call()
