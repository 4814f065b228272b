"""Hand values of NB2(mean, alpha), and how it becomes the Poisson distribution."""

import numpy as np
import pytest
from scipy import stats

import neglog as nl

f = nl.NB2()


def test_published_values():
    assert f.nll(3, 2.5, 0.8) == pytest.approx(2.168691390515501, rel=1e-14)
    r, p = 3.0, 0.4  # MATLAB's nbinlike([3, .4], 2)
    assert f.nll(2, r * (1 - p) / p, 1 / r) == pytest.approx(1.9787639739263914, rel=1e-14)


@pytest.mark.parametrize("kind", ["nll", "log_cdf", "log_sf"])
@pytest.mark.parametrize("k", [0.0, 1.0, 2.0, 7.0, 60.0, 900.0])
def test_alpha_zero_is_poisson(kind, k):
    for mean in (0.01, 3.0, 40.0):
        value, grad, hess = getattr(f, f"{kind}_grad_hess")(k, mean, 0.0)
        exact = getattr(nl.Poisson(), f"{kind}_grad_hess")(k, mean)
        np.testing.assert_allclose(value, exact[0], rtol=1e-12, atol=1e-300)
        np.testing.assert_allclose(grad[0], exact[1][0], rtol=1e-12, atol=1e-300)
        np.testing.assert_allclose(hess[0, 0], exact[2][0, 0], rtol=1e-10, atol=1e-300)


@pytest.mark.parametrize("kind", ["nll", "log_cdf", "log_sf"])
@pytest.mark.parametrize("k", [0.0, 1.0, 7.0, 60.0])
def test_continuous_at_alpha_zero(kind, k):
    """Value, gradient and Hessian, to first order in alpha."""
    for mean in (0.3, 9.0):
        zero = getattr(f, f"{kind}_grad_hess")(k, mean, 0.0)
        for alpha in (1e-300, 1e-12, 1e-9):
            size = 1e-13 + 1e6 * alpha
            for a, b in zip(zero, getattr(f, f"{kind}_grad_hess")(k, mean, alpha), strict=True):
                np.testing.assert_allclose(b, a, rtol=size, atol=size * np.abs(a).max())


def test_derivatives_at_alpha_zero():
    # d nll / d alpha = (k - (k - mean)^2) / 2; d2 = sum of j^2 over j < k, minus 2 mean^3 / 3 and what is left of k
    k, mean = np.array([0.0, 1.0, 4.0]), 2.5
    _, grad, hess = f.nll_grad_hess(k, mean, 0.0)
    np.testing.assert_allclose(grad[1], (k - (k - mean) ** 2) / 2, rtol=1e-15)
    squares = np.array([sum(j * j for j in range(int(n))) for n in k])
    np.testing.assert_allclose(hess[1, 1], squares + 2 * mean**3 / 3 - k * mean**2, rtol=1e-14)


def test_small_alpha_does_not_cancel():
    # lgamma(k + 1e12) - lgamma(1e12) has five digits left
    k, mean = 7.0, 5.0
    slope = (k - (k - mean) ** 2) / 2
    assert f.nll(k, mean, 1e-12) - f.nll(k, mean, 0.0) == pytest.approx(slope * 1e-12, abs=1e-15)
    assert f.nll_grad(k, mean, 1e-12)[1][1] == pytest.approx(slope, rel=1e-10)


def test_huge_counts():
    # variance alpha mean^2: nearly a gamma variable of shape 1 / alpha
    k = np.array([2e14, 1e15, 3e15])
    np.testing.assert_allclose(f.nll(k, 1e15, 0.25), -stats.gamma(4, scale=2.5e14).logpdf(k), rtol=1e-13)
    np.testing.assert_allclose(f.cdf(k, 1e15, 0.25), stats.gamma(4, scale=2.5e14).cdf(k), rtol=1e-12)


def test_against_scipy():
    rng = np.random.default_rng(4)
    mean, alpha = np.exp(rng.normal(2, 2, 200)), np.exp(rng.normal(-1, 2, 200))
    k = f.sample(mean, alpha, rng=5)
    r = 1 / alpha
    other = stats.nbinom(r, r / (r + mean))
    np.testing.assert_allclose(f.nll(k, mean, alpha), -other.logpmf(k), rtol=1e-8)
    np.testing.assert_allclose(f.cdf(k, mean, alpha), other.cdf(k), rtol=1e-9)
    np.testing.assert_allclose(f.sf(k, mean, alpha), other.sf(k), rtol=1e-9, atol=1e-300)
