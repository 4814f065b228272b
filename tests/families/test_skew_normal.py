"""Values of SkewNormal(shape, loc, scale) computed elsewhere, and its limits."""

import numpy as np
import pytest
from scipy import special, stats

import neglog as nl

f = nl.SkewNormal()


@pytest.mark.parametrize("shape", [-3.0, 0.0, 0.5, 20.0])
def test_against_scipy(shape):
    y = np.array([-2.0, -0.3, 0.1, 0.9, 3.0])
    other = stats.skewnorm(shape, 0.5, 2.0)
    np.testing.assert_allclose(f.nll(y, shape, 0.5, 2.0), -other.logpdf(y), rtol=1e-12)
    np.testing.assert_allclose(f.cdf(y, shape, 0.5, 2.0), other.cdf(y), rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(f.mean(shape, 0.5, 2.0), other.mean(), rtol=1e-14)
    np.testing.assert_allclose(f.var(shape, 0.5, 2.0), other.var(), rtol=1e-14)


def test_tail_is_owens_t():
    z, a = np.meshgrid([-1.0, 0.2, 2.0], [-2.0, 0.3, 5.0])
    expected = special.ndtr(-z) + 2 * special.owens_t(z, a)
    np.testing.assert_allclose(f.sf(z, a, 0.0, 1.0), expected, rtol=1e-10)


def test_shape_zero_is_normal():
    y = np.array([-40.0, -1.0, 0.3, 40.0])
    normal = nl.Normal()
    np.testing.assert_allclose(f.nll(y, 0.0, 0.5, 2.0), normal.nll(y, 0.5, 2.0), rtol=1e-15)
    for kind in ("log_cdf_grad_hess", "log_sf_grad_hess"):
        ours, theirs = getattr(f, kind)(y, 0.0, 0.5, 2.0), getattr(normal, kind)(y, 0.5, 2.0)
        np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-13)
        np.testing.assert_allclose(ours[1][1:], theirs[1], rtol=1e-12)
        np.testing.assert_allclose(ours[2][1:, 1:], theirs[2], rtol=1e-12)


@pytest.mark.parametrize("shape", [1e6, 1e9])
def test_large_shape_is_half_normal(shape):
    z = np.array([0.01, 0.5, 3.0, 30.0])
    np.testing.assert_allclose(f.log_sf(z, shape, 0.0, 1.0), stats.halfnorm.logsf(z), rtol=1e-12)
    np.testing.assert_allclose(f.log_cdf(z, shape, 0.0, 1.0), stats.halfnorm.logcdf(z), rtol=1e-12, atol=1e-200)


def test_fisher_is_singular_at_shape_zero():
    information = f.fisher(0.0, 0.0, 1.0)
    np.testing.assert_allclose(information[0, 0] * information[1, 1], information[0, 1] ** 2, rtol=1e-9)
    np.testing.assert_allclose(information[0, 0], 2 / np.pi, rtol=1e-9)


def test_fit_finds_the_shape():
    y = f.sample(4.0, 1.0, 2.0, size=2000, rng=1)
    r = nl.fit("skew_normal", y)
    assert r.ok
    assert abs(r.params["shape"] - 4.0) < 4 * r.stderr["shape"]
