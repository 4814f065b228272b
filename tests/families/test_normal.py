"""Hand values of Normal(loc, scale)."""

import numpy as np
import pytest

import neglog as nl

f = nl.Normal()


def test_published_values():
    # variance 0.5: the value and gradient that torch documents for its Gaussian loss with full=True
    assert f.nll(1.3, 0.4, 0.5**0.5) == pytest.approx(1.382364942925, abs=1e-12)
    # a density above 1 has a negative nll, which is not clipped
    assert f.nll(0.4, 0.4, 1e-3) == pytest.approx(-5.988816745777465, rel=1e-15)
    # Tobit rows, mu = 0.4, sigma = 0.7
    rows = nl.interval([1.3, -np.inf, 1.0], [np.inf, 1.3, 2.0])
    expected = [2.3098977973267796, 0.10455128411104839, 1.6898485062010635]
    np.testing.assert_allclose(f.nll(rows, 0.4, 0.7), expected, rtol=1e-15)
    assert f.log_cdf(-40.0, 0.0, 1.0) == pytest.approx(-804.6084420137539, rel=1e-15)


def test_normlike():
    """MATLAB's normlike on 1:50, exact and with six right-censored rows."""
    x = np.arange(1.0, 51)
    assert f.nll(x, 2.3, 1.2).sum() == pytest.approx(13014.95883783327, rel=1e-14)
    event = np.ones(50)
    censored = [1, 3, 5, 7, 11, 13]
    event[censored] = 0
    inverse = 1 - event  # the published call has these six observed and the others censored
    assert f.nll(nl.right_censored(x, inverse), 21.0, 15.0).sum() == pytest.approx(86.9254371829733, rel=1e-13)
    hess = f.nll_grad_hess(nl.right_censored(x, inverse), 21.0, 15.0)[2].sum(-1)
    expected = [[24.4824488866131, -10.6649544179636], [-10.6649544179636, 6.22827849965737]]
    np.testing.assert_allclose(np.linalg.inv(hess), expected, rtol=1e-12)
    # where MATLAB's formula gives inf or NaN
    far = f.nll(nl.right_censored(x, inverse), 2.3, 1.2).sum()
    assert far == pytest.approx(13129.7736, abs=5e-5)


def test_far_beyond():
    value, grad, hess = f.log_sf_grad_hess(1e8, 0.0, 1.0)
    assert value == pytest.approx(-5e15 - np.log(1e8 * np.sqrt(2 * np.pi)), rel=1e-15)
    np.testing.assert_allclose(grad, [1e8, 1e16], rtol=1e-14)
    # d2/dloc2 of -z^2/2 is -1: the variance of a truncated normal goes to zero like 1/z^2
    np.testing.assert_allclose(hess, [[-1, -2e8], [-2e8, -3e16]], rtol=1e-14)
    assert f.log_sf(1e200, 0.0, 1.0) == -np.inf  # -5e399 is no float64
