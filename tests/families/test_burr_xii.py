"""Hand values of BurrXII(c, k, scale)."""

import numpy as np
import pytest
from scipy import stats

import neglog as nl

f = nl.BurrXII()


def test_hand_values():
    # c = k = 1: P(Y > y) = 1 / (1 + y / s)
    assert f.nll(6.0, 1.0, 1.0, 2.0) == pytest.approx(np.log(32), rel=1e-15)
    assert f.log_sf(6.0, 1.0, 1.0, 2.0) == pytest.approx(-np.log(4), rel=1e-15)
    assert f.log_cdf(6.0, 1.0, 1.0, 2.0) == pytest.approx(np.log(0.75), rel=1e-15)


def test_against_scipy():
    c, k, y = np.meshgrid([0.7, 1.0, 3.0], [0.4, 2.0], [0.2, 1.3, 8.0])
    ours, scipys = (c, k, 1.3), (c, k, 0, 1.3)
    np.testing.assert_allclose(f.nll(y, *ours), -stats.burr12.logpdf(y, *scipys), rtol=1e-12)
    np.testing.assert_allclose(f.log_sf(y, *ours), stats.burr12.logsf(y, *scipys), rtol=1e-12)
    np.testing.assert_allclose(f.log_cdf(y, *ours), stats.burr12.logcdf(y, *scipys), rtol=1e-12)
    np.testing.assert_allclose(f.mean(3.0, 2.0, 1.3), stats.burr12.mean(3.0, 2.0, 0, 1.3), rtol=1e-13)
    np.testing.assert_allclose(f.var(3.0, 2.0, 1.3), stats.burr12.var(3.0, 2.0, 0, 1.3), rtol=1e-12)


def test_density_at_zero():
    assert f.nll(0.0, 0.5, 2.0, 3.0) == -np.inf
    assert f.nll(0.0, 1.0, 2.0, 3.0) == pytest.approx(np.log(1.5))
    assert f.nll(0.0, 2.0, 2.0, 3.0) == np.inf
    _, grad, hess = f.nll_grad_hess(0.0, 1.0, 2.0, 3.0)
    np.testing.assert_allclose(grad[1:], [-1 / 2, 1 / 3])
    np.testing.assert_allclose(hess[1:, 1:], [[1 / 4, 0], [0, -1 / 9]])


def test_weibull_is_its_limit():
    k = 1e14
    for y in (0.1, 1.0, 4.0):
        scale = 1.5 * k ** (1 / 2.0)
        assert f.nll(y, 2.0, k, scale) == pytest.approx(nl.Weibull().nll(y, 2.0, 1.5), rel=1e-12)
        assert f.log_cdf(y, 2.0, k, scale) == pytest.approx(nl.Weibull().log_cdf(y, 2.0, 1.5), rel=1e-12)


def test_variance_of_steep_shapes():
    """As for Weibull, the difference of gamma functions has no digit left: Var(log Y) (c s)^2 tends to a constant."""
    # k = 1 is log-logistic with variance pi^2 / (3 c^2) of the logarithm
    assert f.var(1e9, 1.0, 1.0) == pytest.approx(np.pi**2 / 3e18, rel=1e-8)
    # both sides of the switch to the series
    np.testing.assert_allclose(f.var(51 * (1 + 1e-12), 1.0, 1.0), f.var(51 * (1 - 1e-12), 1.0, 1.0), rtol=1e-9)


def test_moments_that_do_not_exist():
    np.testing.assert_array_equal(np.isfinite(f.mean([2.0, 0.5], [0.6, 2.0], 1.0)), [True, False])
    np.testing.assert_array_equal(np.isfinite(f.var([2.0, 2.0], [1.1, 1.0], 1.0)), [True, False])


def test_quantiles_far_out():
    assert f.ppf(0.5, 1.0, 1e-2, 1.0) == pytest.approx(2.0**100, rel=1e-12)
    assert f.ppf(0.5, 1.0, 1e-4, 1.0) == np.inf  # 2^10000
