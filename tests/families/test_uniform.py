"""Hand values of Uniform(low, high)."""

import numpy as np
import pytest

import neglog as nl

f = nl.Uniform()


def test_both_ends_belong_to_the_support():
    np.testing.assert_array_equal(f.nll([-1.0, 3.0], -1.0, 3.0), np.log(4))
    assert f.nll(np.nextafter(3.0, 4), -1.0, 3.0) == np.inf
    assert f.nll(np.nextafter(-1.0, -2), -1.0, 3.0) == np.inf
    np.testing.assert_array_equal(f.ppf([0.0, 0.25, 1.0], -1.0, 3.0), [-1, 0, 3])


def test_derivatives():
    value, grad, hess = f.nll_grad_hess(0.0, -1.0, 3.0)
    assert value == np.log(4)
    np.testing.assert_array_equal(grad, [-0.25, 0.25])
    np.testing.assert_array_equal(hess, [[-1 / 16, 1 / 16], [1 / 16, -1 / 16]])


@pytest.mark.parametrize(
    ("lower", "upper", "share"),
    [(0.0, 1.0, 0.25), (-9.0, 0.0, 0.25), (2.0, np.inf, 0.25), (-2.0, 9.0, 1.0), (-5.0, -1.0, 0.0), (3.0, 4.0, 0.0)],
)
def test_intervals_are_cut_at_the_ends(lower, upper, share):
    with np.errstate(divide="ignore"):
        assert f.log_interval(lower, upper, -1.0, 3.0) == np.log(share)


def test_nearly_certain():
    assert f.log_cdf(1 - 2.0**-53, 0.0, 1.0) == pytest.approx(-(2.0**-53), rel=1e-15)
    value, grad, hess = f.log_sf_grad_hess(1e-20, 0.0, 1.0)
    assert value == -1e-20
    np.testing.assert_array_equal(grad, [1, 1e-20])
    np.testing.assert_array_equal(hess, [[1, -1], [-1, -2e-20]])


def test_the_ends_in_the_wrong_order():
    with pytest.raises(nl.ParameterError, match=r"low = 2, high = 1 at position \(1,\); allowed: low < high"):
        f.nll(0.5, [0.0, 2.0], 1.0)
    with pytest.raises(nl.ParameterError, match="low < high"):
        f.mean(1.0, 1.0)
    assert f.nll(0.5, 2.0, 1.0, check=False) == np.inf


def test_start_is_the_smallest_interval():
    assert f.start([3.0, 1.0, 2.0]) == (1.0, 3.0)
    low, high = f.start([5.0, 5.0])
    assert low < 5 < high
