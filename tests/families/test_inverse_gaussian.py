"""Hand values of InverseGaussian(mean, shape)."""

import numpy as np
import pytest
from scipy import stats

import neglog as nl

f = nl.InverseGaussian()


def test_at_the_mean():
    # the density is sqrt(shape / (2 pi mean^3))
    assert f.nll(2.0, 2.0, 3.0) == pytest.approx(np.log(2 * np.pi * 8 / 3) / 2, rel=1e-15)
    _, grad, hess = f.nll_grad_hess(2.0, 2.0, 3.0)
    np.testing.assert_allclose(grad, [0, -1 / 6], atol=1e-16)
    np.testing.assert_allclose(hess, [[3 / 8, 0], [0, 1 / 18]], atol=1e-16)


def test_maximum_likelihood_has_a_closed_form():
    y = np.array([0.3, 0.7, 1.1, 4.2])
    mean = y.mean()
    shape = 1 / np.mean(1 / y - 1 / mean)
    np.testing.assert_allclose(f.nll_grad(y, mean, shape)[1].sum(-1), 0, atol=1e-13)


def test_against_scipy():
    mean, y = np.meshgrid([0.3, 1.0, 5.0], [0.2, 1.3, 8.0])
    frozen = stats.invgauss(mean / 1.7, 0, 1.7)
    np.testing.assert_allclose(f.nll(y, mean, 1.7), -frozen.logpdf(y), rtol=1e-12)
    np.testing.assert_allclose(f.log_sf(y, mean, 1.7), frozen.logsf(y), rtol=1e-11)
    np.testing.assert_allclose(f.log_cdf(y, mean, 1.7), frozen.logcdf(y), rtol=1e-11)
    np.testing.assert_allclose(f.var(mean, 1.7), frozen.var(), rtol=1e-14)


def test_levy_is_an_infinite_mean():
    """P(Y <= y) tends to P(|Z| > sqrt(shape / y))."""
    for y in (1e-2, 1.0, 50.0):
        assert f.log_cdf(y, 1e12, 2.0) == pytest.approx(
            np.log(2) + nl.Normal().log_sf(np.sqrt(2 / y), 0.0, 1.0), rel=1e-9
        )


def test_both_sides_of_the_mode():
    """Where the other tail becomes the smaller one, the two ways agree."""
    for mean, shape in ((1.0, 1.0), (1.0, 1e-4), (1.0, 1e5)):
        mode = 2 * shape / (1 + np.sqrt(1 + 4 * (shape / mean) ** 2))
        left, right = (f.log_sf_grad_hess(mode * (1 + side * 1e-15), mean, shape) for side in (-2, 2))
        for a, b in zip(left, right, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10 * np.abs(a).max())


def test_the_ends():
    assert f.nll(0.0, 1.0, 1.0) == np.inf
    assert f.log_cdf(1e-300, 1.0, 1.0) == pytest.approx(-5e299, rel=1e-14)
    assert f.log_cdf(1e300, 1.0, 1.0) == 0


def test_beyond_resolution():
    """Where the density falls faster than numbers are spaced: the tail is that of an exponential distribution."""
    near, far = (f.log_sf_grad_hess(y, 1.0, 2.0) for y in (1e7, 1e12))
    for value, grad, hess, y in ((*near, 1e7), (*far, 1e12)):
        assert value == pytest.approx(-y + 2 - np.log(y**1.5 * np.sqrt(np.pi)), rel=1e-13)
        np.testing.assert_allclose(grad, [2 * y, -y / 2], rtol=1e-6)
        assert hess[1, 1] == pytest.approx(-1 / 8 + 1 / 4, rel=1e-3)
