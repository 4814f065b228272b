"""Hand values of GeneralizedPareto(shape, scale)."""

import numpy as np
import pytest
from scipy import stats

import neglog as nl

f = nl.GeneralizedPareto()
SAMPLE = np.array([2.2196, 11.9301, 4.3673, 1.0949, 6.5626, 1.2109, 1.8576, 1.0039, 12.7917, 2.2590]) - 1


def test_published_values():
    assert f.nll(1.7, 0.2, 1.0) == pytest.approx(1.75601768377692, rel=1e-14)
    # Octave's gplike
    assert f.nll(np.arange(1.0, 11), 2.0, 3.0).sum() == pytest.approx(32.57864322725392, rel=1e-15)
    assert f.nll(np.arange(1.0, 11), 1.0, 2.0).sum() == pytest.approx(31.65666282460443, rel=1e-15)


def test_the_example_of_gpfit():
    """MATLAB's nlogL and asymptotic covariance at the maximum likelihood estimates of its sample."""
    value, grad, hess = (x.sum(-1) for x in f.nll_grad_hess(SAMPLE, 0.893710299404345, 1.322962458731574))
    assert value == pytest.approx(21.735838309709596, rel=1e-14)
    np.testing.assert_allclose(grad, 0, atol=1e-5)
    covariance = [[0.724871582460845, -0.735076013984010], [-0.735076013984010, 1.303920812049488]]
    np.testing.assert_allclose(np.linalg.inv(hess), covariance, rtol=1e-5)


@pytest.mark.parametrize("call", ["nll", "log_cdf", "log_sf"])
@pytest.mark.parametrize("y", [1e-3, 0.6, 3.0, 25.0])
def test_continuity_through_the_exponential(call, y):
    """Value, gradient and Hessian approach those at shape = 0 from both sides, at the rate of the next derivative."""
    function = getattr(f, f"{call}_grad_hess")
    at_zero, beside = function(y, 0.0, 2.0), [function(y, k, 2.0) for k in (-1e-3, 1e-3)]
    for k in (1e-5, 1e-8, 1e-12, 1e-16, 1e-100, 1e-310):
        for output, middle in enumerate(at_zero):
            rate = max(np.abs(other[output] - middle).max() for other in beside) / 1e-3
            for side in (-k, k):
                distance = np.abs(function(y, side, 2.0)[output] - middle).max()
                assert distance <= 2 * rate * k + 1e-15 * np.abs(middle).max(), side
    x = y / 2
    if call == "log_sf":  # t = x - k x^2 / 2 + k^2 x^3 / 3
        np.testing.assert_allclose(at_zero[0], -x, rtol=1e-15)
        np.testing.assert_allclose(at_zero[1], [x**2 / 2, x / 2], rtol=1e-15)
        np.testing.assert_allclose(at_zero[2], [[-2 * x**3 / 3, -(x**2) / 2], [-(x**2) / 2, -x / 2]], rtol=1e-15)


def test_uniform_is_shape_minus_one():
    np.testing.assert_allclose(f.nll([0.0, 1.0, 3.0], -1.0, 3.0), np.log(3), rtol=1e-15)
    np.testing.assert_allclose(f.cdf([0.5, 2.0], -1.0, 3.0), [1 / 6, 2 / 3], rtol=1e-15)


def test_the_upper_end():
    end = 4.0  # = scale / 0.5
    assert f.nll(end, -0.5, 2.0) == np.inf
    assert f.nll(np.nextafter(end, 5), -0.5, 2.0) == np.inf
    assert f.nll(1.0, -2.0, 2.0) == -np.inf  # the density is infinite there
    assert f.log_cdf(end, -0.5, 2.0) == 0
    assert f.log_sf(end, -0.5, 2.0) == -np.inf
    assert f.log_sf(5.0, -0.5, 2.0) == -np.inf
    assert f.log_interval(5.0, 6.0, -0.5, 2.0) == -np.inf
    assert f.log_interval(3.0, 6.0, -0.5, 2.0) == f.log_sf(3.0, -0.5, 2.0)
    value, grad, hess = f.log_cdf_grad_hess(5.0, -0.5, 2.0)
    assert (value, *grad, *hess.ravel()) == (0,) * 7
    assert f.ppf(1.0, -0.5, 2.0) == end


def test_moments_that_do_not_exist():
    np.testing.assert_array_equal(np.isfinite(f.mean([0.9, 1.0, 2.0], 1.0)), [True, False, False])
    np.testing.assert_array_equal(np.isfinite(f.var([0.4, 0.5, 2.0], 1.0)), [True, False, False])
    assert np.isinf(f.fisher(-0.5, 1.0)).all()


def test_against_scipy():
    k, y = np.meshgrid([-0.3, 0.0, 0.2, 3.0], [0.0, 0.7, 2.9])
    np.testing.assert_allclose(f.nll(y, k, 1.3), -stats.genpareto.logpdf(y, k, scale=1.3), rtol=1e-13)
    np.testing.assert_allclose(f.log_sf(y, k, 1.3), stats.genpareto.logsf(y, k, scale=1.3), rtol=1e-13)
