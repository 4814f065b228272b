"""Hand values of Gamma(shape, scale)."""

import numpy as np
import pytest
from scipy import stats

import neglog as nl

f = nl.Gamma()


@pytest.mark.parametrize(
    ("x", "expected", "covariance"),
    [
        (np.arange(2.0, 10), 19.4426, [[2.7819, -5.0073], [-5.0073, 9.6882]]),
        (np.arange(5.0, 46), 305.8070, [[0.0423, -0.0087], [-0.0087, 0.0167]]),
    ],
)
def test_gamlike(x, expected, covariance):
    """MATLAB's gamlike([2, 3], x)."""
    value, _, hess = f.nll_grad_hess(x, 2.0, 3.0)
    assert value.sum() == pytest.approx(expected, abs=5e-5)
    np.testing.assert_allclose(np.linalg.inv(hess.sum(-1)), covariance, atol=5e-5)


def test_density_at_zero():
    assert f.nll(0.0, 0.5, 3.0) == -np.inf
    assert f.nll(0.0, 1.0, 3.0) == pytest.approx(np.log(3.0), rel=1e-15)
    assert f.nll(0.0, 2.0, 3.0) == np.inf
    _, grad, hess = f.nll_grad_hess(0.0, 1.0, 3.0)
    assert grad[1] == pytest.approx(1 / 3)
    assert hess[1, 1] == pytest.approx(-1 / 9)


def test_exponential_is_shape_one():
    y = np.array([0.1, 1.0, 30.0, 4000.0])
    np.testing.assert_allclose(f.nll(y, 1.0, 4.0), y / 4 + np.log(4), rtol=1e-14)
    np.testing.assert_allclose(f.log_sf(y, 1.0, 4.0), -y / 4, rtol=1e-14)
    np.testing.assert_allclose(f.log_cdf(y, 1.0, 4.0), np.log(-np.expm1(-y / 4)), rtol=1e-13)


def test_tails_against_scipy():
    shape = np.array([0.02, 0.7, 1.0, 5.0, 19.999, 20.0, 33.0, 800.0])[:, None]
    y = shape * np.array([0.3, 0.7, 1.0, 1.1, 2.0])
    np.testing.assert_allclose(f.cdf(y, shape, 1.0), stats.gamma.cdf(y, shape), rtol=2e-13)
    # scipy's 1e-109 is right to 3e-13
    np.testing.assert_allclose(f.sf(y, shape, 1.0), stats.gamma.sf(y, shape), rtol=1e-12)


@pytest.mark.parametrize("at", [(1.0, 0.5), (20.0, 13.0), (7.0, 7.0), (0.4, 0.4), (3.0, 1.0)])
def test_tails_are_continuous_where_the_method_changes(at):
    shape, y = at
    for way in (f.log_cdf_grad_hess, f.log_sf_grad_hess):
        below, above = way(y, shape * (1 - 1e-15), 1.0), way(y, shape * (1 + 1e-15), 1.0)
        for left, right in zip(below, above, strict=True):
            np.testing.assert_allclose(left, right, rtol=2e-13)


def test_ratios_beyond_the_range_of_numbers():
    # y / scale = 1e-400 underflows; P(Y <= y) = 1e-400^0.001 / Gamma(1.001)
    assert f.log_cdf(1e-200, 1e-3, 1e200) == pytest.approx(-0.4 * np.log(10) + 0.0005763938, rel=1e-9)
    assert f.nll(1e-200, 1e-3, 1e200) == pytest.approx(
        -1e-3 * np.log(1e-200) + 1e-3 * np.log(1e200) + np.log(1e-200) + 6.9071786, rel=1e-8
    )
    assert f.log_sf(1e200, 2.0, 1e-200) == -np.inf
    assert f.log_cdf(1e200, 2.0, 1e-200) == 0


def test_large_shapes_are_normal():
    shape = 1e14
    z = np.array([-3.0, 0.0, 3.0])
    np.testing.assert_allclose(f.log_sf(shape + z * 1e7, shape, 1.0), stats.norm.logsf(z), rtol=1e-6)
