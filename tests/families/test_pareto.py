"""Hand values of Pareto(shape, scale)."""

import numpy as np
import pytest

import neglog as nl

f = nl.Pareto()


def test_values():
    value, grad, hess = f.nll_grad_hess(4.0, 1.5, 2.0)
    assert value == pytest.approx(2.5 * np.log(2) - np.log(0.75), rel=1e-15)
    np.testing.assert_allclose(grad, [np.log(2) - 1 / 1.5, -0.75], rtol=1e-14)
    np.testing.assert_allclose(hess, [[1 / 2.25, -0.5], [-0.5, 1.5 / 4]], rtol=1e-15)
    assert f.log_sf(4.0, 1.5, 2.0) == pytest.approx(-1.5 * np.log(2), rel=1e-15)
    assert f.ppf(0.75, 2.0, 3.0) == pytest.approx(6, rel=1e-15)


def test_the_support_starts_at_scale():
    assert f.nll(2.0, 1.5, 2.0) == pytest.approx(-np.log(0.75), rel=1e-15)
    assert f.nll(np.nextafter(2.0, 0), 1.5, 2.0) == np.inf
    for y in (1.0, 2.0):
        assert f.log_sf(y, 1.5, 2.0) == 0
        assert f.log_cdf(y, 1.5, 2.0) == -np.inf
    assert f.log_interval(0.5, 2.0, 1.5, 2.0) == -np.inf
    assert f.log_interval(0.5, 3.0, 1.5, 2.0) == f.log_cdf(3.0, 1.5, 2.0)
    # just above: the probability is the density times the distance, not the rounding of a ratio
    assert f.log_cdf(1 + 2.0**-50, 3.0, 1.0) == pytest.approx(np.log(3) - 50 * np.log(2), rel=1e-14)


def test_moments():
    assert f.mean(3.0, 2.0) == 3
    assert f.var(3.0, 2.0) == 3
    assert f.mean(1.0, 2.0) == f.var(2.0, 2.0) == np.inf


def test_optimum():
    """The smallest value, and the reciprocal of the mean log-excess (Hill's estimator)."""
    y = np.array([2.0, 3.0, 8.0, 2.5])
    shape, scale = f.start(y)
    assert scale == 2
    assert shape == pytest.approx(1 / np.log(y / 2).mean(), rel=1e-15)
    assert f.nll_grad(y, shape, scale)[1][0].sum() == pytest.approx(0, abs=1e-14)


def test_tails_beyond_the_range_of_ratios():
    assert f.log_sf(1e200, 1e-3, 1e-200) == pytest.approx(-0.4 * np.log(10), rel=1e-13)
