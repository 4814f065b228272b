"""Hand values of Bernoulli(logit)."""

import numpy as np
import pytest

import neglog as nl

f = nl.Bernoulli()


def test_confident_and_right_keeps_its_loss():
    value, grad, hess = f.nll_grad_hess([1, 0], [40.0, -40.0])
    np.testing.assert_allclose(value, 4.248354255291589e-18, rtol=1e-15)
    np.testing.assert_allclose(grad[0], [-4.248354255291589e-18, 4.248354255291589e-18], rtol=1e-15)
    np.testing.assert_allclose(hess[0, 0], 4.248354255291589e-18, rtol=1e-15)
    assert f.nll(1, -800.0) == 800


def test_certainty():
    value, grad, hess = f.nll_grad_hess([0, 1, 0, 1], [-np.inf, np.inf, np.inf, -np.inf])
    np.testing.assert_array_equal(value, [0, 0, np.inf, np.inf])
    np.testing.assert_array_equal(grad[0], [0, 0, 1, -1])  # p - y
    np.testing.assert_array_equal(hess[0, 0], 0)
    np.testing.assert_array_equal(f.mean([-np.inf, np.inf]), [0, 1])


def test_tails():
    p = 1 / (1 + np.exp(-0.7))
    y = [-1.0, 0.0, 0.5, 1.0, 2.0]
    np.testing.assert_allclose(f.cdf(y, 0.7), [0, 1 - p, 1 - p, 1, 1], rtol=1e-15)
    np.testing.assert_allclose(f.sf(y, 0.7), [1, p, p, 0, 0], rtol=1e-15)
    np.testing.assert_array_equal(f.ppf([0.0, 1 - p - 1e-12, 1 - p + 1e-12, 1.0], 0.7), [0, 0, 1, 1])


def test_bool_data():
    np.testing.assert_array_equal(f.nll(np.array([True, False]), 0.7), f.nll([1, 0], 0.7))
    assert f.nll(np.array([True, False]), np.float32(0.7)).dtype == np.float32


def test_start_values_of_agreeing_rows_are_finite():
    assert f.start([1, 1, 1])[0] == pytest.approx(np.log(7))
