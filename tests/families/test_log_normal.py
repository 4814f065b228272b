"""Hand values of LogNormal(mu, sigma)."""

import numpy as np
import pytest

import neglog as nl

f = nl.LogNormal()


def test_lognlike():
    """MATLAB's lognlike([mu, sigma], x) on 1:50; the Hessian is indefinite so far from the optimum."""
    x = np.arange(1.0, 51)
    assert f.nll(x, 0.0, 0.25).sum() == pytest.approx(3962.330333301793, rel=1e-14)
    assert f.nll(x, 0.0, 0.5).sum() == pytest.approx(1119.072424020455, rel=1e-14)
    for sigma, want in (
        (0.25, [[-5.4749e-3, 2.8308e-4], [2.8308e-4, -1.1916e-5]]),
        (0.5, [[-2.1152e-2, 2.2017e-3], [2.2017e-3, -1.8535e-4]]),
    ):
        inverse = np.linalg.inv(f.nll_grad_hess(x, 0.0, sigma)[2].sum(-1))
        np.testing.assert_allclose(inverse, want, rtol=5e-5)


def test_it_is_the_normal_of_the_logarithm():
    y = np.array([1e-200, 0.3, 1.0, 7.0, 1e300])
    normal = nl.Normal()
    np.testing.assert_allclose(f.nll(y, 0.4, 2.0), normal.nll(np.log(y), 0.4, 2.0) + np.log(y), rtol=1e-15)
    np.testing.assert_array_equal(f.log_sf(y, 0.4, 2.0), normal.log_sf(np.log(y), 0.4, 2.0))
    np.testing.assert_array_equal(f.log_cdf(y, 0.4, 2.0), normal.log_cdf(np.log(y), 0.4, 2.0))


def test_moments():
    assert f.mean(0.0, 1.0) == pytest.approx(np.sqrt(np.e), rel=1e-15)
    assert f.var(0.0, 1.0) == pytest.approx(np.e * (np.e - 1), rel=1e-15)
    assert f.var(0.0, 1e-9) == pytest.approx(1e-18, rel=1e-12)  # exp(sigma^2) - 1 would be 0


def test_zero_is_impossible():
    assert f.nll(0.0, 0.0, 1.0) == np.inf
    assert f.log_cdf(0.0, 0.0, 1.0) == -np.inf
    assert f.log_sf(0.0, 0.0, 1.0) == 0
