"""Hand values of ContinuousBernoulli(logit)."""

import mpmath
import numpy as np
import pytest
import torch

import neglog as nl

f = nl.ContinuousBernoulli()


def log_constant(p):
    """log C of the paper, with 50 digits."""
    with mpmath.workdps(50):
        p = mpmath.mpf(p)
        return float(mpmath.log(2 if p == 0.5 else 2 * mpmath.atanh(1 - 2 * p) / (1 - 2 * p)))


@pytest.mark.parametrize("p", [1e-6, 0.01, 0.3, 0.4999999, 0.5, 0.5000001, 0.51, 0.9, 1 - 2**-30])
def test_the_papers_constant(p):
    """Loaiza-Ganem and Cunningham (2019): what the cross-entropy of grey levels lacks is log C(p)."""
    y = np.array([0.0, 0.2, 0.5, 1.0])
    bce = nl.losses.binary_cross_entropy(np.full(4, p), y, reduction="none")
    with mpmath.workdps(50):
        logit = float(mpmath.log(mpmath.mpf(p) / (1 - mpmath.mpf(p))))
    np.testing.assert_allclose(f.nll(y, logit), bce - log_constant(p), rtol=1e-13, atol=1e-15)


def test_torch():
    p = torch.tensor([0.1, 0.4, 0.6, 0.97], dtype=torch.float64)
    y = torch.tensor([0.3, 0.9, 0.1, 1.0], dtype=torch.float64)
    # torch replaces what is between lims by a Taylor polynomial of second order: off by 1e-9 there, so out of it
    other = torch.distributions.ContinuousBernoulli(probs=p, lims=(0.5, 0.5))
    logit = nl.losses.prob_to_logodds(p.numpy())
    np.testing.assert_allclose(f.nll(y.numpy(), logit), -other.log_prob(y).numpy(), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(f.mean(logit), other.mean.numpy(), rtol=1e-12)
    np.testing.assert_allclose(f.var(logit), other.variance.numpy(), rtol=1e-9)
    np.testing.assert_allclose(f.cdf(y[:3].numpy(), logit[:3]), other.cdf(y)[:3].numpy(), rtol=1e-12)


def test_uniform_is_in_the_middle():
    y = np.array([0.0, 0.3, 1.0])
    value, grad, hess = f.nll_grad_hess(y, 0.0)
    np.testing.assert_array_equal(value, 0.0)
    np.testing.assert_allclose(grad[0], 0.5 - y, rtol=1e-15)
    np.testing.assert_allclose(hess[0, 0], 1 / 12, rtol=1e-15)
    assert (f.mean(0.0), f.var(0.0), f.cdf(0.3, 0.0), f.ppf(0.3, 0.0)) == pytest.approx((0.5, 1 / 12, 0.3, 0.3))


@pytest.mark.parametrize("at", [-1.0, 0.0, 1.0])
def test_smooth_where_the_formula_changes(at):
    y = np.linspace(0, 1, 7)
    for step in (0.0, 1e-12):
        for below, above in zip(f.nll_grad_hess(y, at - step), f.nll_grad_hess(y, at + step), strict=True):
            np.testing.assert_allclose(below, above, rtol=1e-10, atol=3e-12)


@pytest.mark.parametrize("logit", [2.0, 40.0, 1e6])
def test_mirror_image(logit):
    y = np.array([2.0**-30, 0.25, 0.75])
    for one, other in (("nll", "nll"), ("log_cdf", "log_sf")):
        np.testing.assert_allclose(getattr(f, one)(1 - y, -logit), getattr(f, other)(y, logit), rtol=1e-14)
    assert f.mean(-logit) == pytest.approx(1 - f.mean(logit), rel=1e-9)


def test_far_out_it_is_exponential():
    y, scale = np.array([1e-9, 3e-9]), 1e-9
    np.testing.assert_allclose(f.nll(y, -1 / scale), nl.Exponential().nll(y, scale), rtol=1e-14)
    np.testing.assert_allclose(f.log_sf(y, -1 / scale), nl.Exponential().log_sf(y, scale), rtol=1e-14)
    assert f.mean(-1e9) == pytest.approx(1e-9, rel=1e-14)
    assert f.ppf(0.5, -1e9) == pytest.approx(np.log(2) * 1e-9, rel=1e-14)


def test_fit_grey_levels():
    y = f.sample(3.0, size=20_000, rng=0)
    r = nl.fit("continuous_bernoulli", y)
    assert r.ok
    assert r.params["logit"] == pytest.approx(3.0, abs=4 * r.stderr["logit"])
    assert f.mean(r.params["logit"]) == pytest.approx(y.mean(), rel=1e-10)  # the natural parameter's equation
