"""Hand values of Exponential(scale)."""

import numpy as np
import pytest

import neglog as nl

f = nl.Exponential()


def test_explike():
    """MATLAB's explike(mean, x) with the inverse of the observed information."""
    for mean, x, value, avar in ((5.0, [12.0], 4.0094, 6.5789), (2.0, [1.0, 2, 3, 4, 5], 10.9657, 0.4)):
        nll, _, hess = f.nll_grad_hess(x, mean)
        assert nll.sum() == pytest.approx(value, abs=5e-5)
        assert 1 / hess.sum() == pytest.approx(avar, abs=5e-5)


def test_it_is_the_weibull_of_shape_one():
    y = np.array([1e-300, 0.1, 3.0, 400.0])
    for method in ("nll", "log_cdf", "log_sf"):
        # the Weibull's power through a logarithm near 700 costs it two digits
        np.testing.assert_allclose(getattr(f, method)(y, 3.0), getattr(nl.Weibull(), method)(y, 1.0, 3.0), rtol=1e-13)


def test_density_at_zero():
    value, grad, hess = f.nll_grad_hess(0.0, 4.0)
    assert (value, grad[0], hess[0, 0]) == (np.log(4.0), 0.25, -1 / 16)


def test_intervals_have_no_memory():
    assert f.log_interval(100.0, 103.0, 2.0) == pytest.approx(-50 + np.log(-np.expm1(-1.5)), rel=1e-15)
    assert f.log_interval(1e6, 1e6 + 1, 1.0) == pytest.approx(-1e6 + np.log(-np.expm1(-1.0)), rel=1e-15)


def test_start_is_the_optimum_of_right_censored_rows():
    """19.85 = 198.5 / 10: R's fitdistcens on these rows."""
    time = [1, 2.5, 3, 6, 7.5, 10, 12, 12, 14.5, 15, 16, 16, 20, 20, 21, 22]
    rows = nl.right_censored(time, [1] * 10 + [0] * 6)
    assert f.start(rows) == pytest.approx((19.85,), rel=1e-15)
    _, grad, hess = f.nll_grad_hess(rows, 19.85)
    assert grad.sum() == pytest.approx(0, abs=1e-15)
    assert hess.sum() ** -0.5 == pytest.approx(6.277119, rel=1e-6)
