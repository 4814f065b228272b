"""GeneralizedGamma(shape, mu, sigma): its special cases, and continuity through them."""

import numpy as np
import pytest
from scipy import stats

import neglog as nl

f = nl.GeneralizedGamma()
Y = np.array([1e-9, 0.02, 0.3, 1.0, 1.9, 2.1, 8.0, 60.0])
WAYS = ("nll", "log_cdf", "log_sf")


@pytest.mark.parametrize("way", WAYS)
def test_special_cases(way):
    got = getattr(f, way)
    mu, sigma = 0.3, 0.8
    log_normal = stats.norm(mu, sigma)
    expected = {
        "nll": -log_normal.logpdf(np.log(Y)) + np.log(Y),
        "log_cdf": log_normal.logcdf(np.log(Y)),
        "log_sf": log_normal.logsf(np.log(Y)),
    }[way]
    np.testing.assert_allclose(got(Y, 0.0, mu, sigma), expected, rtol=1e-12)
    weibull = getattr(nl.Weibull(), way)(Y, 1 / sigma, np.exp(mu))
    np.testing.assert_allclose(got(Y, 1.0, mu, sigma), weibull, rtol=2e-12)
    gamma = getattr(nl.GammaMean(), way)(Y, np.exp(mu), 1 / sigma**2)
    np.testing.assert_allclose(got(Y, sigma, mu, sigma), gamma, rtol=2e-12)
    inverse = getattr(nl.InverseGamma(), way)(Y, 1 / sigma**2, np.exp(mu) / sigma**2)
    np.testing.assert_allclose(got(Y, -sigma, mu, sigma), inverse, rtol=2e-12)


def test_scipy_parameters():
    shape, mu, sigma = 0.6, 0.3, 0.8
    c = shape / sigma
    rival = stats.gengamma(1 / shape**2, c, scale=np.exp(mu + 2 * np.log(shape) / c))
    np.testing.assert_allclose(f.nll(Y, shape, mu, sigma), -rival.logpdf(Y), rtol=1e-12)
    np.testing.assert_allclose(f.sf(Y, shape, mu, sigma), rival.sf(Y), rtol=1e-12)


def test_frechet_is_shape_minus_one():
    # P(Y <= y) = exp(-(y / e^mu)^(-1 / sigma))
    np.testing.assert_allclose(f.log_cdf(Y, -1.0, 0.3, 0.8), -((Y / np.exp(0.3)) ** -1.25), rtol=1e-12)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("step", [1e-300, 1e-50, 1e-41, 1e-39, 1e-12, 1e-7])
def test_smooth_through_the_log_normal(way, step):
    at = getattr(f, f"{way}_grad_hess")
    middle = at(Y, 0.0, 0.3, 0.8)
    for side in (-step, step):
        for got, want in zip(at(Y, side, 0.3, 0.8), middle, strict=True):
            # the third derivative in the shape is of the order z^5 and its like
            np.testing.assert_allclose(got, want, rtol=1e-12 + 300 * step, atol=1e-13 + 1e7 * step)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("shape", [20**-0.5, 10**-0.5])
def test_continuous_where_the_method_changes(way, shape):
    at = getattr(f, f"{way}_grad_hess")
    for sign in (-1, 1):
        below, above = (at(Y, sign * shape * (1 + e), 0.3, 0.8) for e in (-1e-15, 1e-15))
        for left, right in zip(below, above, strict=True):
            # second derivatives in the shape are differences of terms 10^4 times as large
            np.testing.assert_allclose(left, right, rtol=3e-11, atol=1e-13)


def test_mirror():
    # 1 / Y has the shape and the location of the other sign
    np.testing.assert_allclose(f.log_sf(1 / Y, -0.15, -0.3, 0.8), f.log_cdf(Y, 0.15, 0.3, 0.8), rtol=1e-13)
    np.testing.assert_allclose(f.log_sf(1 / Y, 2.5, -0.3, 0.8), f.log_cdf(Y, -2.5, 0.3, 0.8), rtol=1e-13)


def test_density_at_zero():
    assert f.nll(0.0, 1.0, 0.7, 1.0) == pytest.approx(0.7, rel=1e-14)  # exponential: log of its mean
    assert f.nll(0.0, 2.0, 0.7, 1.0) == -np.inf
    for shape in (0.5, 0.0, -1.0):
        assert f.nll(0.0, shape, 0.7, 1.0) == np.inf


def test_moments():
    assert f.mean(0.0, 0.3, 0.8) == pytest.approx(np.exp(0.3 + 0.32), rel=1e-14)
    assert f.var(0.0, 0.3, 0.8) == pytest.approx(np.exp(0.6 + 0.64) * np.expm1(0.64), rel=1e-14)
    assert f.mean(1e-7, 0.3, 0.8) == pytest.approx(f.mean(0.0, 0.3, 0.8), rel=1e-6)
    assert f.mean(1.0, np.log(3.0), 0.5) == pytest.approx(3 * np.sqrt(np.pi) / 2, rel=1e-13)  # Weibull, shape 2
    assert f.var(0.8, np.log(3.0), 0.8) == pytest.approx(9 * 0.64, rel=1e-12)  # gamma
    np.testing.assert_array_equal(f.mean([-1.0, -2.0], 0.0, [1.0, 2.0]), np.inf)
    assert np.isfinite(f.mean(-0.9, 0.0, 1.0))
    assert f.var(-0.9, 0.0, 1.0) == np.inf
