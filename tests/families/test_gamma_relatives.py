"""Chi2, GammaMean, InverseGamma and Nakagami: hand values, and the gamma distribution that each of them is."""

import numpy as np
import pytest
from scipy import stats

import neglog as nl

GAMMA = nl.Gamma()
Y = np.array([1e-250, 1e-3, 0.4, 1.0, 2.7, 30.0, 900.0])


def test_chi2_points():
    """The table of every textbook."""
    for df, point, level in ((1, 3.841459, 0.05), (10, 18.307038, 0.05), (100, 149.449253, 0.001)):
        assert nl.Chi2().sf(point, df) == pytest.approx(level, rel=1e-6)


def test_chi2_is_gamma():
    for df in (0.3, 1.0, 2.0, 9.0):
        for way in ("nll", "log_cdf", "log_sf"):
            got = getattr(nl.Chi2(), way)(Y, df)
            np.testing.assert_allclose(got, getattr(GAMMA, way)(Y, df / 2, 2.0), rtol=1e-13)


def test_chi2_with_two_degrees_is_exponential():
    assert nl.Chi2().nll(0.0, 2.0) == pytest.approx(np.log(2), rel=1e-15)
    np.testing.assert_allclose(nl.Chi2().log_sf(Y, 2.0), -Y / 2, rtol=1e-13)


def test_gamma_mean_is_gamma():
    for mean, shape in ((3.0, 0.4), (0.2, 1.0), (7.0, 250.0)):
        for way in ("nll", "log_cdf", "log_sf"):
            got = getattr(nl.GammaMean(), way)(Y, mean, shape)
            np.testing.assert_allclose(got, getattr(GAMMA, way)(Y, shape, mean / shape), rtol=1e-12)


def test_gamma_mean_score():
    # d nll / d log mean = a (1 - y / m)
    assert nl.GammaMean().nll_grad(5.0, mean=2.0, shape=3.0)[1][0] * 2 == pytest.approx(3 * (1 - 5 / 2), rel=1e-15)


def test_inverse_gamma_against_scipy():
    for shape, scale in ((0.7, 2.0), (3.0, 0.1), (40.0, 60.0)):
        y = scale / np.array([1e-5, 0.3, 1.0, shape, 3 * shape, 400.0])
        rival = stats.invgamma(shape, scale=scale)
        np.testing.assert_allclose(nl.InverseGamma().nll(y, shape, scale), -rival.logpdf(y), rtol=1e-12)
        np.testing.assert_allclose(nl.InverseGamma().sf(y, shape, scale), rival.sf(y), rtol=1e-12)


def test_inverse_gamma_moments_that_do_not_exist():
    np.testing.assert_array_equal(nl.InverseGamma().mean([0.5, 1.0, 3.0], 2.0), [np.inf, np.inf, 1.0])
    np.testing.assert_array_equal(nl.InverseGamma().var([0.5, 2.0, 3.0], 2.0), [np.inf, np.inf, 1.0])


def test_nakagami_is_the_root_of_gamma():
    for shape, spread in ((0.3, 2.0), (0.5, 1.0), (1.0, 5.0), (60.0, 3.0)):
        for way in ("log_cdf", "log_sf"):
            got = getattr(nl.Nakagami(), way)(np.sqrt(Y), shape, spread)
            np.testing.assert_allclose(got, getattr(GAMMA, way)(Y, shape, spread / shape), rtol=1e-12)
        density = GAMMA.nll(Y, shape, spread / shape) - np.log(2 * np.sqrt(Y))
        np.testing.assert_allclose(nl.Nakagami().nll(np.sqrt(Y), shape, spread), density, rtol=1e-12)


def test_nakalike():
    """MATLAB's negloglik of nakagami(1.17404, 11) fitted to 1:5."""
    value, grad = nl.Nakagami().nll_grad(np.arange(1.0, 6), 1.17404, 11.0)
    assert value.sum() == pytest.approx(8.6976, abs=5e-5)
    np.testing.assert_allclose(grad.sum(-1), 0, atol=1e-5)


def test_nakagami_at_zero():
    f = nl.Nakagami()
    assert f.nll(0.0, 0.4, 2.0) == -np.inf
    assert f.nll(0.0, 0.5, 2.0) == pytest.approx(-stats.halfnorm.logpdf(0, scale=np.sqrt(2)), rel=1e-15)
    assert f.nll(0.0, 0.6, 2.0) == np.inf


def test_nakagami_moments_of_steep_shapes():
    # w / (4 m) to first order; the difference of two gamma functions would have no digit left
    f = nl.Nakagami()
    assert f.var(1e9, 3.0) == pytest.approx(3 / 4e9, rel=1e-8)
    np.testing.assert_allclose(f.var(40 * (1 + 1e-12), 1.0), f.var(40 * (1 - 1e-12), 1.0), rtol=1e-9)


def test_information_in_steep_shapes():
    # psi'(a) - 1/a = 1 / (2 a^2) to first order
    assert nl.GammaMean().fisher(1.0, 1e9)[1, 1] == pytest.approx(0.5e-18, rel=1e-8)
    below, above = (nl.Nakagami().fisher(40 * x, 1.0)[0, 0] for x in (1 - 1e-12, 1 + 1e-12))
    assert below == pytest.approx(above, rel=1e-9)
