"""Hand values of BetaBinomial(n, a, b)."""

import numpy as np
import pytest
from scipy import stats

import neglog as nl

f = nl.BetaBinomial()


def test_uniform_shapes_are_uniform():
    np.testing.assert_allclose(f.nll(np.arange(11), 10, 1.0, 1.0), np.log(11), rtol=1e-14)
    np.testing.assert_allclose(f.sf(np.arange(11), 10, 1.0, 1.0), np.arange(10, -1, -1) / 11, rtol=1e-14)


def test_one_trial():
    np.testing.assert_allclose(f.nll([0, 1], 1, 2.0, 6.0), -np.log([0.75, 0.25]), rtol=1e-14)
    assert f.nll([0, 1], 0, 2.0, 6.0).tolist() == [0, np.inf]


@pytest.mark.parametrize("kind", ["nll", "log_cdf", "log_sf"])
def test_large_shapes_are_binomial(kind):
    k, s = np.array([0.0, 3, 7, 17]), 1e12
    value, grad, _ = getattr(f, f"{kind}_grad_hess")(k, 20, 0.3 * s, 0.7 * s)
    v, g, _ = getattr(nl.Binomial(), f"{kind}_grad_hess")(k, 20, 0.3)
    np.testing.assert_allclose(value, v, rtol=1e-9)
    # along p = a / s: a = p s, b = (1 - p) s
    np.testing.assert_allclose((grad[1] - grad[2]) * s, g[1], rtol=1e-8, atol=1e-9)


def test_nearly_certain():
    # P(Y > 0) = a (1 / b + ... + 1 / (b + n - 1)) for small a
    expected = 1e-9 * np.sum(1 / (0.5 + np.arange(300)))
    assert f.nll(0, 300, 1e-9, 0.5) == pytest.approx(expected, rel=1e-8)
    assert f.log_sf(0, 300, 1e-9, 0.5) == pytest.approx(np.log(expected), rel=1e-9)


def test_against_scipy():
    rng = np.random.default_rng(2)
    n = np.floor(np.exp(rng.uniform(0, 6, 100)))
    a, b = np.exp(rng.normal(0, 1.5, (2, 100)))
    k = f.sample(n, a, b, rng=1)
    other = stats.betabinom(n, a, b)
    np.testing.assert_allclose(f.nll(k, n, a, b), -other.logpmf(k), rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(f.cdf(k, n, a, b), other.cdf(k), rtol=1e-9)
    np.testing.assert_allclose(f.mean(n, a, b), other.mean(), rtol=1e-13)
    np.testing.assert_allclose(f.var(n, a, b), other.var(), rtol=1e-12)
