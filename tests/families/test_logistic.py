"""Hand values of Logistic(loc, scale)."""

import numpy as np
import pytest

import neglog as nl

f = nl.Logistic()


def test_values():
    value, grad, _ = f.nll_grad_hess(1.3, 0.4, 0.8)
    z = 0.9 / 0.8
    assert value == pytest.approx(1.464156721182, rel=1e-12)
    np.testing.assert_allclose(grad, [-np.tanh(z / 2) / 0.8, (1 - z * np.tanh(z / 2)) / 0.8], rtol=1e-14)


def test_logilike():
    """MATLAB's and Octave's logilike([mu, s], x)."""
    assert f.nll(np.arange(1.0, 51), 25.5, 8.7725).sum() == pytest.approx(206.6769, abs=5e-5)
    assert f.nll(np.arange(1.0, 6), 3.0, 0.8645).sum() == pytest.approx(9.0699, abs=5e-5)


def test_tails():
    assert f.log_sf(40.0, 0.0, 1.0) == pytest.approx(-40, rel=1e-15)
    assert f.log_cdf(40.0, 0.0, 1.0) == pytest.approx(-np.exp(-40), rel=1e-15)
    assert f.log_sf(1e5, 0.0, 1.0) == -1e5
    assert f.nll(-1e5, 0.0, 1.0) == 1e5


def test_a_narrow_bin_far_out():
    """PixelCNN++ bin 200 of 256, loc 0.1, log scale -7: their floored formula gives 511.76."""
    x, half = 2 * 200 / 255 - 1, 1 / 255
    value = f.log_interval(x - half, x + half, 0.1, np.exp(-7))
    assert -value == pytest.approx(509.61206343552135, rel=1e-13)


def test_intervals_of_any_width():
    assert f.log_interval(-1.0, 1.0, 0.0, 1.0) == pytest.approx(np.log(np.tanh(0.5)), rel=1e-15)
    assert f.log_interval(-800.0, 900.0, 0.0, 1.0) == 0
    assert f.log_interval(-40.0, 50.0, 0.0, 1.0) == pytest.approx(-np.exp(-40), rel=1e-4)
    assert f.log_interval(0.0, 1e-300, 0.0, 1.0) == pytest.approx(np.log(1e-300) - np.log(4), rel=1e-15)


def test_intervals_with_one_end_out_of_sight():
    for hi in (1e4, 1e300):
        for got, want in zip(
            f.log_interval_grad_hess(0.3, hi, 0.1, 1e-3), f.log_sf_grad_hess(0.3, 0.1, 1e-3), strict=True
        ):
            np.testing.assert_allclose(got, want, rtol=1e-14)
