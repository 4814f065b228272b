"""Hand values of Geometric(p), the trial of the first success."""

import numpy as np
import pytest
from scipy import stats

import neglog as nl

f = nl.Geometric()


def test_values():
    value, grad, hess = f.nll_grad_hess(3, 0.25)
    assert value == pytest.approx(-np.log(0.75**2 * 0.25), rel=1e-15)
    assert grad[0] == pytest.approx(2 / 0.75 - 4, rel=1e-15)
    assert hess[0, 0] == pytest.approx(2 / 0.75**2 + 16, rel=1e-15)
    y = np.arange(0.0, 30)
    np.testing.assert_allclose(f.nll(y, 0.1), -stats.geom.logpmf(y, 0.1), rtol=1e-14)
    np.testing.assert_allclose(f.log_sf(y, 0.1), stats.geom.logsf(y, 0.1), rtol=1e-14)


def test_certain_success():
    np.testing.assert_array_equal(f.nll([1, 2], 1.0), [0, np.inf])
    value, grad, hess = f.nll_grad_hess(1, 1.0)
    assert (value, grad[0], hess[0, 0]) == (0, -1, 1)
    assert f.log_cdf(1, 1.0) == 0
    assert f.log_sf(1, 1.0) == -np.inf
    assert f.ppf(1.0, 1.0) == 1
    # the derivatives of log(1 - (1 - p)^k) there, from below
    for k, slope, curvature in ((1, 1, -1), (2, 0, -2), (3, 0, 0)):
        _, grad, hess = f.log_cdf_grad_hess(k, 1.0)
        assert (grad[0], hess[0, 0]) == (slope, curvature)
        _, near, near_hess = f.log_cdf_grad_hess(k, 1 - 1e-9)
        assert near[0] == pytest.approx(slope, abs=1e-8)
        assert near_hess[0, 0] == pytest.approx(curvature, abs=1e-8)


def test_tiny_probabilities():
    assert f.log_cdf(1000, 1e-20) == pytest.approx(np.log(1e-17), rel=1e-15)
    assert f.log_sf(1000, 1e-20) == pytest.approx(-1e-17, rel=1e-15)
    assert f.log_interval(1e6, 1e6 + 3, 1e-20) == pytest.approx(np.log(3e-20), rel=1e-14)


def test_intervals_have_no_memory():
    assert f.log_interval(500, 503, 0.2) == pytest.approx(500 * np.log(0.8) + np.log1p(-(0.8**3)), rel=1e-14)
    assert f.log_interval(2.0, 2.9, 0.2) == -np.inf


def test_quantiles():
    q = np.linspace(0.01, 0.99, 33)
    np.testing.assert_array_equal(f.ppf(q, 0.07), stats.geom.ppf(q, 0.07))
    assert f.ppf(0.0, 0.3) == 1
