"""Hand values of Cauchy(loc, scale)."""

import numpy as np
import pytest

import neglog as nl

f = nl.Cauchy()


def test_standard_values():
    value, grad, hess = f.nll_grad_hess(1.0, 0.0, 1.0)
    assert value == pytest.approx(np.log(2 * np.pi), rel=1e-15)
    np.testing.assert_array_equal(grad, [-1, 0])
    np.testing.assert_array_equal(hess, [[0, 1], [1, 1]])
    assert f.sf(1.0, 0.0, 1.0) == pytest.approx(0.25, rel=1e-15)
    assert f.cdf(-np.sqrt(3), 0.0, 1.0) == pytest.approx(1 / 6, rel=1e-15)
    np.testing.assert_allclose(f.ppf([1e-200, 0.25, 0.5, 0.75], 0.0, 1.0), [-1e200 / np.pi, -1, 0, 1], rtol=1e-15)


@pytest.mark.parametrize(
    ("rows", "optimum"),
    [
        (nl.interval([1.0, 10, 30], [1.0, 10, np.inf]), (7.100001, 7.455866)),
        (nl.interval([1.0, 10, -np.inf, 30, 4], [1.0, 10, 1, np.inf, 8]), (4.605150, 5.900852)),
    ],
)
def test_censored_optimum(rows, optimum):
    """R's fitdistcens, whose search stopped in the sixth digit."""
    _, grad, hess = f.nll_grad_hess(rows, *optimum)
    np.testing.assert_allclose(np.linalg.solve(hess.sum(-1), grad.sum(-1)), 0, atol=1e-4)


def test_far_tails():
    # P(Y > y) = 1 / (pi z) to first order, so log scale enters linearly and loc hardly at all
    value, grad, hess = f.log_sf_grad_hess(1e200, 0.0, 1.0)
    assert value == pytest.approx(-np.log(np.pi) - 200 * np.log(10), rel=1e-15)
    np.testing.assert_allclose(grad, [1e-200, 1], rtol=1e-14)
    assert hess[1, 1] == pytest.approx(-1, rel=1e-14)
    # the mixed derivative is 4 / 3 z^-3: the difference of two terms z^-1
    assert f.log_sf_grad_hess(1e6, 0.0, 1.0)[2][0, 1] == pytest.approx(-4 / 3 * 1e-18, rel=1e-11)
    assert f.nll(1e300, 0.0, 1.0) == pytest.approx(600 * np.log(10) + np.log(np.pi), rel=1e-15)
    assert np.all(np.isfinite(f.nll_grad_hess(1e300, 0.0, 1.0)[2]))


def test_intervals():
    assert f.log_interval(-1.0, 1.0, 0.0, 1.0) == pytest.approx(-np.log(2), rel=1e-15)
    assert f.log_interval(1e100, 3e100, 0.0, 1.0) == pytest.approx(np.log(2 / 3 / np.pi) - 100 * np.log(10), rel=1e-15)
    assert f.log_interval(-3e100, -1e100, 0.0, 1.0) == f.log_interval(1e100, 3e100, 0.0, 1.0)
    # all but the two tails 1 / (pi 1e9)
    assert f.log_interval(-1e9, 1e9, 0.0, 1.0) == pytest.approx(-2e-9 / np.pi, rel=1e-9)


def test_there_are_no_moments():
    assert np.isnan(f.mean(0.0, 1.0))
    assert np.isnan(f.var(0.0, 1.0))
