"""Hand values of HalfNormal(scale)."""

import numpy as np
import pytest

import neglog as nl

f = nl.HalfNormal()


def test_hnlike():
    """Octave's hnlike([0, sigma], x) on 1:20."""
    assert f.nll(np.arange(1.0, 21), np.sqrt(143.5)).sum() == pytest.approx(64.179177404891300, rel=1e-14)


def test_it_is_twice_the_normal():
    y = np.array([0.0, 1e-9, 0.7, 3.0, 40.0])
    normal = nl.Normal()
    np.testing.assert_allclose(f.nll(y, 1.5), normal.nll(y, 0.0, 1.5) - np.log(2), rtol=1e-15)
    np.testing.assert_allclose(f.log_sf(y[2:], 1.5), normal.log_sf(y[2:], 0.0, 1.5) + np.log(2), rtol=1e-14)


def test_both_tails():
    assert f.log_sf(1e-20, 1.0) == pytest.approx(-1e-20 * np.sqrt(2 / np.pi), rel=1e-15)
    assert f.log_cdf(1e-300, 1.0) == pytest.approx(-300 * np.log(10) + 0.5 * np.log(2 / np.pi), rel=1e-15)
    assert f.log_sf(40.0, 1.0) == pytest.approx(-804.608442013754 + np.log(2), rel=1e-14)
    assert f.log_cdf(40.0, 1.0) == 0
    assert f.ppf(1e-300, 1.0) == pytest.approx(1e-300 * np.sqrt(np.pi / 2), rel=1e-14)


def test_optimum_is_the_root_mean_square():
    y = [3.0, 4.0, 0.0, 5.0]
    assert f.start(y) == pytest.approx((np.sqrt(12.5),), rel=1e-15)
    assert f.nll_grad(y, np.sqrt(12.5))[1].sum() == pytest.approx(0, abs=1e-15)
