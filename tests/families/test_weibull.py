"""Hand values of Weibull(shape, scale)."""

import numpy as np
import pytest

import neglog as nl

f = nl.Weibull()


def test_published_values():
    assert f.nll(1.7, 1.5, 2.0) == pytest.approx(1.1526028160705637, rel=1e-15)
    assert -f.log_sf(1.7, 1.5, 2.0) == pytest.approx(0.7836612788698953, rel=1e-15)


def test_wbllike():
    """MATLAB's wbllike([scale, shape], x) on 1:50."""
    x = np.arange(1.0, 51)
    assert f.nll(x, shape=1.2, scale=2.3).sum() == pytest.approx(945.9589180651594, rel=1e-14)
    inverse = np.linalg.inv(f.nll_grad_hess(x, shape=1.2, scale=2.3)[2].sum(-1))
    np.testing.assert_allclose(inverse, [[0.0017, 0.0062], [0.0062, 0.0250]], atol=5e-5)


def test_density_at_zero():
    assert f.nll(0.0, 0.5, 3.0) == -np.inf
    assert f.nll(0.0, 1.0, 3.0) == np.log(3.0)
    assert f.nll(0.0, 2.0, 3.0) == np.inf
    _, grad, hess = f.nll_grad_hess(0.0, 1.0, 3.0)
    assert grad[1] == pytest.approx(1 / 3)
    assert hess[1, 1] == pytest.approx(-1 / 9)


def test_exponential_is_shape_one():
    y = np.array([0.1, 1.0, 30.0])
    np.testing.assert_allclose(f.nll(y, 1.0, 4.0), y / 4 + np.log(4), rtol=1e-15)
    assert f.mean(1.0, 4.0) == pytest.approx(4.0, rel=1e-15)
    assert f.var(1.0, 4.0) == pytest.approx(16.0, rel=1e-14)


def test_variance_of_steep_shapes():
    # s^2 pi^2 / (6 k^2) to first order; the difference of two gamma functions would have no digit left
    assert f.var(1e9, 1.0) == pytest.approx(np.pi**2 / 6e18, rel=1e-8)
    # both sides of the switch to the series
    np.testing.assert_allclose(f.var(10 * (1 + 1e-12), 1.0), f.var(10 * (1 - 1e-12), 1.0), rtol=1e-10)


def test_ratios_beyond_the_range_of_numbers():
    # y / scale = 1e400 overflows, its 0.001st power is 2.5
    assert f.log_sf(1e200, 1e-3, 1e-200) == pytest.approx(-(10.0**0.4), rel=1e-13)
    assert f.log_cdf(1e-200, 1e-3, 1e200) == pytest.approx(np.log(-np.expm1(-(10.0**-0.4))), rel=1e-13)
