"""Hand values of NegativeBinomial(r, p)."""

import math

import numpy as np
import pytest
from scipy import stats

import neglog as nl

f = nl.NegativeBinomial()


def test_published_values():
    assert f.nll(2, 3.0, 0.4) == pytest.approx(1.9787639739263914, rel=1e-14)
    x = np.arange(1.0, 51)  # MATLAB's nbinlike([2.42086, .0867043], 1:50)
    assert f.nll(x, 2.42086, 0.0867043).sum() == pytest.approx(205.5942, abs=5e-5)


def test_one_success_is_geometric():
    k = np.array([0.0, 1, 7, 400])
    np.testing.assert_allclose(f.nll(k, 1.0, 0.3), -math.log(0.3) - k * math.log(0.7), rtol=1e-14)
    np.testing.assert_allclose(f.log_sf(k, 1.0, 0.3), (k + 1) * math.log(0.7), rtol=1e-14)
    grad, hess = f.log_sf_grad_hess(k, 1.0, 0.3)[1:]
    np.testing.assert_allclose(grad[1], -(k + 1) / 0.7, rtol=1e-13)
    np.testing.assert_allclose(hess[1, 1], -(k + 1) / 0.49, rtol=1e-12)


@pytest.mark.parametrize("kind", ["nll", "log_cdf", "log_sf"])
def test_is_nb2_by_another_name(kind):
    r, p, k = 1.7, 0.35, np.array([0.0, 1, 4, 30])
    value, grad, hess = getattr(f, f"{kind}_grad_hess")(k, r, p)
    mean, alpha = r * (1 - p) / p, 1 / r
    v, g, h = getattr(nl.NB2(), f"{kind}_grad_hess")(k, mean, alpha)
    jacobian = np.array([[mean / r, -r / p**2], [-alpha / r, 0.0]])  # of (mean, alpha) in (r, p)
    bend = np.array([[[0, -1 / p**2], [-1 / p**2, 2 * r / p**3]], [[2 / r**3, 0], [0, 0]]])
    np.testing.assert_allclose(value, v, rtol=1e-13)
    np.testing.assert_allclose(grad, np.einsum("ai,ak->ik", jacobian, g), rtol=1e-11, atol=1e-13)
    second = np.einsum("ai,abk,bj->ijk", jacobian, h, jacobian) + np.einsum("ak,aij->ijk", g, bend)
    np.testing.assert_allclose(hess, second, rtol=1e-10, atol=1e-12)


def test_against_scipy():
    rng = np.random.default_rng(2)
    r, p = np.exp(rng.normal(1, 2, 200)), rng.uniform(0.01, 0.99, 200)
    k = f.sample(r, p, rng=1)
    np.testing.assert_allclose(f.nll(k, r, p), -stats.nbinom.logpmf(k, r, p), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(f.cdf(k, r, p), stats.nbinom.cdf(k, r, p), rtol=1e-10)
    np.testing.assert_allclose(f.sf(k, r, p), stats.nbinom.sf(k, r, p), rtol=1e-9, atol=1e-300)
