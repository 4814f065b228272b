"""Hand values of Gumbel(loc, scale), of maxima."""

import numpy as np
import pytest

import neglog as nl

f = nl.Gumbel()


def test_standard_values():
    value, grad, hess = f.nll_grad_hess(0.0, 0.0, 1.0)
    assert value == 1
    np.testing.assert_array_equal(grad, [0, 1])
    np.testing.assert_array_equal(hess, [[1, 0], [0, -1]])
    assert f.log_cdf(0.0, 0.0, 1.0) == -1
    assert f.ppf(np.exp(-1), 0.0, 1.0) == pytest.approx(0, abs=1e-16)
    assert f.ppf(0.5, 2.0, 3.0) == pytest.approx(2 - 3 * np.log(np.log(2)), rel=1e-15)
    assert f.mean(0.0, 1.0) == np.euler_gamma
    assert f.var(0.0, 1.0) == pytest.approx(np.pi**2 / 6, rel=1e-15)


def test_tails():
    # exp(-exp(5)) and 1 - exp(-exp(-300))
    assert f.log_cdf(-5.0, 0.0, 1.0) == pytest.approx(-np.exp(5), rel=1e-15)
    assert f.log_sf(300.0, 0.0, 1.0) == -300
    assert f.log_sf(-7.0, 0.0, 1.0) == 0  # exp(-exp(7)) = 1e-476
    assert f.nll(-800.0, 0.0, 1.0) == np.inf  # exp(800) is beyond the numbers


def test_mixed_censoring():
    """scipy/R fitdistcens optimum of interval (0, 1], exact 2, 3, 9 and 10, 10 censored on the right."""
    rows = nl.interval([0.0, 2, 3, 9, 10, 10], [1.0, 2, 3, 9, np.inf, np.inf])
    _, grad, hess = f.nll_grad_hess(rows, 4.487853, 4.843640)
    step = np.linalg.solve(hess.sum(-1), grad.sum(-1))
    np.testing.assert_allclose(step, 0, atol=3e-6)  # seven digits are printed
