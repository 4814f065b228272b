"""Hand values of BirnbaumSaunders(shape, scale)."""

import numpy as np
import pytest
from scipy import stats

import neglog as nl

f = nl.BirnbaumSaunders()


def test_at_the_median():
    # z = 0: the density is 1 / (sqrt(2 pi) shape scale)
    assert f.nll(2.0, 0.5, 2.0) == pytest.approx(np.log(2 * np.pi) / 2, rel=1e-15)
    assert f.cdf(2.0, 0.5, 2.0) == 0.5
    assert f.ppf(0.5, 0.5, 2.0) == 2.0
    _, grad, hess = f.nll_grad_hess(2.0, 0.5, 2.0)
    np.testing.assert_allclose(grad, [2, 0], atol=1e-15)
    np.testing.assert_allclose(hess, [[-4, 0], [0, (4 - 0.25) / 4]], atol=1e-15)


def test_tails_are_normal():
    # y / scale = 16 is z = (4 - 1/4) / shape
    assert f.log_sf(16.0, 0.5, 1.0) == nl.Normal().log_sf(7.5, 0.0, 1.0)
    assert f.log_cdf(1 / 16, 0.5, 1.0) == nl.Normal().log_cdf(-7.5, 0.0, 1.0)


def test_reciprocals_have_the_same_distribution():
    y, shape = np.array([0.01, 0.6, 3.0]), np.array([0.3, 1.0, 7.0])
    np.testing.assert_allclose(f.log_sf(y, shape, 2.0), f.log_cdf(1 / y, shape, 0.5), rtol=1e-13)


def test_against_scipy():
    shape, y = np.meshgrid([0.1, 1.0, 5.0], [0.2, 1.3, 8.0])
    np.testing.assert_allclose(f.nll(y, shape, 1.3), -stats.fatiguelife.logpdf(y, shape, 0, 1.3), rtol=1e-12)
    np.testing.assert_allclose(f.mean(shape, 1.3), stats.fatiguelife.mean(shape, 0, 1.3), rtol=1e-14)
    np.testing.assert_allclose(f.var(shape, 1.3), stats.fatiguelife.var(shape, 0, 1.3), rtol=1e-14)


def test_next_to_the_median():
    """z = u / shape for y = scale (1 + u): the difference of two square roots would have no digit left."""
    y = np.nextafter(1.0, 2.0)
    assert f.nll_grad_hess(y, 1e-9, 1.0)[2][0, 1] == pytest.approx((y - 1) * 1e27 * 2, rel=1e-12)


def test_the_ends():
    assert f.nll(0.0, 0.5, 1.0) == np.inf
    # z^2 / 2 = 2e280; the factors of the density's power of y leave the range of numbers
    assert f.nll(1e-280, 0.5, 1.0) == pytest.approx(2e280, rel=1e-15)
    assert f.log_sf(1e-300, 1e-3, 1.0) == 0
    assert f.log_cdf(1e300, 1e-3, 1.0) == 0
