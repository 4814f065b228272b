"""Hand values of Laplace(loc, scale)."""

import numpy as np
import pytest

import neglog as nl

f = nl.Laplace()


def test_values():
    value, grad, hess = f.nll_grad_hess(1.3, 0.4, 0.7)
    assert value == pytest.approx(1.622186522335, rel=1e-12)
    np.testing.assert_allclose(grad, [-1 / 0.7, (1 - 0.9 / 0.7) / 0.7], rtol=1e-14)
    np.testing.assert_allclose(hess, [[0, 1 / 0.49], [1 / 0.49, (1.8 / 0.7 - 1) / 0.49]], rtol=1e-14)


def test_at_the_kink():
    value, grad, _ = f.nll_grad_hess(2.0, 2.0, 3.0)
    assert value == pytest.approx(np.log(6), rel=1e-15)
    np.testing.assert_allclose(grad, [0, 1 / 3], rtol=1e-15)
    assert f.log_sf(2.0, 2.0, 3.0) == f.log_cdf(2.0, 2.0, 3.0) == -np.log(2)


def test_optimum_is_median_and_mean_absolute_deviation():
    y = np.array([1.0, 2.0, 4.0, 8.0, 100.0])
    assert f.start(y) == (4.0, np.abs(y - 4).mean())


def test_tails_are_straight_lines():
    np.testing.assert_array_equal(f.log_sf([0.0, 40.0, 1e6], 0.0, 1.0), -np.log(2) - np.array([0.0, 40, 1e6]))
    assert f.log_cdf(40.0, 0.0, 1.0) == pytest.approx(-np.exp(-40) / 2, rel=1e-15)


def test_intervals_around_the_kink():
    # 1 - (e^-1 + e^-2) / 2
    assert f.log_interval(-1.0, 2.0, 0.0, 1.0) == pytest.approx(np.log1p(-(np.exp(-1) + np.exp(-2)) / 2), rel=1e-15)
    # narrow: width times density, which is 1/2 at most
    assert f.log_interval(-1e-12, 3e-12, 0.0, 1.0) == pytest.approx(np.log(2e-12), rel=1e-13)
    # an end on loc belongs to either side
    for lo, hi in ((0.0, 1.0), (-1.0, 0.0)):
        assert f.log_interval(lo, hi, 0.0, 1.0) == pytest.approx(np.log(-np.expm1(-1) / 2), rel=1e-15)
    # far out
    assert f.log_interval(700.0, 700.5, 0.0, 1.0) == pytest.approx(
        -700 - np.log(2) + np.log(-np.expm1(-0.5)), rel=1e-15
    )
