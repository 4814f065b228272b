"""Hand values of Beta(a, b)."""

import math

import numpy as np
import pytest
from scipy import stats

import neglog as nl

f = nl.Beta()


def test_published_values():
    assert f.nll(0.3, 2.0, 3.0) == pytest.approx(-0.5675839575845993, rel=1e-14)
    x = np.arange(0.01, 1, 0.02)  # MATLAB's betalike([2.3, 1.2], .01:.02:.99)
    assert f.nll(x, 2.3, 1.2).sum() == pytest.approx(17.873477715879040, rel=1e-14)
    inverse = np.linalg.inv(f.nll_grad_hess(x, 2.3, 1.2)[2].sum(-1))  # of the observed information, not of MATLAB's OPG
    np.testing.assert_allclose(inverse, [[0.208969, 0.0736746], [0.0736746, 0.0473191]], rtol=5e-6)


def test_interval_rows():
    rows = nl.interval([0.10, 0.50, 0.75, 0.80], [0.20, 0.55, 0.90, 0.95])
    _, grad, hess = f.nll_grad_hess(rows, 1.419941, 1.027066)
    np.testing.assert_allclose(grad.sum(-1), 0, atol=1e-6)  # a published maximum of the likelihood
    np.testing.assert_allclose(np.sqrt(np.diag(np.linalg.inv(hess.sum(-1)))), [0.9914177, 0.6866565], rtol=5e-6)


def test_closed_forms():
    y, a = np.array([1e-300, 1e-8, 0.3, 0.999]), 0.7
    np.testing.assert_allclose(f.log_cdf(y, a, 1.0), a * np.log(y), rtol=1e-14)
    np.testing.assert_allclose(f.log_sf(y, a, 1.0), np.log1p(-(y**a)), rtol=1e-13)
    # its density at y = 1e-300 passes through exp(-690), which has that many units in its last place
    np.testing.assert_allclose(f.log_sf(y, 1.0, a), a * np.log1p(-y), rtol=1e-13)
    _, grad, hess = f.log_cdf_grad_hess(y, a, 1.0)
    np.testing.assert_allclose(grad[0], np.log(y), rtol=1e-14)
    np.testing.assert_allclose(hess[0, 0], 0, atol=1e-14)


def test_reflection():
    y = np.array([0.25, 0.5, 0.875])
    value, grad, hess = f.log_cdf_grad_hess(y, 0.4, 5.0)
    other, other_grad, other_hess = f.log_sf_grad_hess(1 - y, 5.0, 0.4)
    np.testing.assert_array_equal(value, other)
    np.testing.assert_array_equal(grad, other_grad[::-1])
    np.testing.assert_array_equal(hess, other_hess[::-1, ::-1])


def test_ends_of_the_support():
    for y in (0.0, 1.0):
        shapes = (lambda s: (s, 3.0)) if y == 0 else (lambda s: (3.0, s))
        assert f.nll(y, *shapes(0.5)) == -np.inf
        assert f.nll(y, *shapes(1.0)) == pytest.approx(-math.log(3.0), rel=1e-15)
        assert f.nll(y, *shapes(2.0)) == np.inf
    assert f.nll([0.0, 1.0], 1.0, 1.0).tolist() == [0, 0]
    assert f.log_cdf(0.0, 2.0, 3.0) == f.log_sf(1.0, 2.0, 3.0) == -np.inf


@pytest.mark.parametrize("n", [1e3, 1e6, 1e12])
def test_large_shapes_are_normal(n):
    a, b = 0.3 * n, 0.7 * n
    z = np.array([-8.0, -1.0, 0.0, 2.0])
    y = 0.3 + z * math.sqrt(0.21 / n)
    skew = 10 / math.sqrt(n)
    np.testing.assert_allclose(f.log_cdf(y, a, b), stats.norm.logcdf(z), rtol=8 * skew)
    np.testing.assert_allclose(f.nll(y, a, b), -stats.norm.logpdf(y, 0.3, math.sqrt(0.21 / n)), rtol=8 * skew)


def test_tails_against_scipy():
    rng = np.random.default_rng(3)
    a, b = np.exp(rng.uniform(-3, 8, (2, 300)))
    y = f.ppf(rng.uniform(0.001, 0.999, 300), a, b)
    np.testing.assert_allclose(f.cdf(y, a, b), stats.beta.cdf(y, a, b), rtol=1e-9)
    np.testing.assert_allclose(f.sf(y, a, b), stats.beta.sf(y, a, b), rtol=1e-9)


def test_quantiles_far_out():
    np.testing.assert_allclose(f.ppf(1e-300, 2.0, 3.0), math.sqrt(1e-300 / 6), rtol=1e-13)  # cdf = 6 y^2 - ...
