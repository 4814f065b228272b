"""Hand values of Binomial(n, p)."""

import math

import numpy as np
import pytest
from scipy import stats

import neglog as nl

f = nl.Binomial()


def test_small_numbers_are_exact():
    for n in (1, 5, 30):
        for k in range(n + 1):
            expected = -math.log(math.comb(n, k)) - k * math.log(0.3) - (n - k) * math.log(0.7)
            assert f.nll(k, n, 0.3) == pytest.approx(expected, rel=1e-14)
            assert f.cdf(k, n, 0.3) == pytest.approx(
                sum(math.comb(n, j) * 0.3**j * 0.7 ** (n - j) for j in range(k + 1)), rel=1e-13
            )


def test_one_trial_is_bernoulli():
    p = 1 / (1 + math.exp(-0.7))
    np.testing.assert_allclose(f.nll([0, 1], 1, p), nl.Bernoulli().nll([0, 1], 0.7), rtol=1e-14)


def test_no_trial():
    assert f.nll([0, 1], 0, 0.3).tolist() == [0, np.inf]
    assert f.log_cdf(0, 0, 0.3) == 0
    assert f.mean(0, 0.3) == f.var(0, 0.3) == 0


def test_certain_probabilities():
    np.testing.assert_array_equal(f.nll([0, 1, 4, 5], 5, 0.0), [0, np.inf, np.inf, np.inf])
    np.testing.assert_array_equal(f.nll([0, 1, 4, 5], 5, 1.0), [np.inf, np.inf, np.inf, 0])
    np.testing.assert_array_equal(f.log_cdf([0, 1, 4, 5], 5, 0.0), 0)
    np.testing.assert_array_equal(f.log_sf([0, 1, 4, 5], 5, 1.0), [0, 0, 0, -np.inf])
    assert f.log_sf(0, 5, 0.0) == f.log_cdf(4, 5, 1.0) == -np.inf
    # log P(Y <= 1) = -10 p^2 + ..., log P(Y > 3) = -10 (1 - p)^2
    for kind, k, p in (("log_cdf", 1, 0.0), ("log_sf", 3, 1.0)):
        value, grad, hess = getattr(f, f"{kind}_grad_hess")(k, 5, p)
        assert (value, grad[1], hess[1, 1]) == (0, 0, -20)


def test_parameters_must_be_whole():
    with pytest.raises(nl.ParameterError, match=r"n = 2.5 is outside its domain integers in \[0, inf\)"):
        f.nll(1, 2.5, 0.5)


def test_large_numbers_do_not_cancel():
    n = 1e15
    assert f.nll(n / 2, n, 0.5) == pytest.approx(0.5 * math.log(math.pi * n / 2), rel=1e-15)
    assert f.log_cdf(5e14 - 8 * math.sqrt(n / 4), n, 0.5) == pytest.approx(stats.norm.logcdf(-8), rel=1e-6)


def test_rare_events_are_poisson():
    k = np.array([0.0, 1, 5, 30])
    exact = nl.Poisson()
    for kind in ("nll", "log_cdf", "log_sf"):
        got, want = getattr(f, f"{kind}_grad_hess"), getattr(exact, f"{kind}_grad_hess")
        (value, grad, hess), (v, g, h) = got(k, 1e15, 2e-15), want(k, 2.0)
        np.testing.assert_allclose(value, v, rtol=1e-12, atol=1e-300)
        np.testing.assert_allclose(grad[1] / 1e15, g[0], rtol=1e-12, atol=1e-300)
        np.testing.assert_allclose(hess[1, 1] / 1e30, h[0, 0], rtol=1e-11, atol=1e-14)


def test_against_scipy():
    rng = np.random.default_rng(2)
    n, p = np.floor(np.exp(rng.uniform(0, 8, 200))), rng.uniform(0.01, 0.99, 200)
    k = f.sample(n, p, rng=1)
    np.testing.assert_allclose(f.nll(k, n, p), -stats.binom.logpmf(k, n, p), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(f.cdf(k, n, p), stats.binom.cdf(k, n, p), rtol=1e-11)
    np.testing.assert_allclose(f.sf(k, n, p), stats.binom.sf(k, n, p), rtol=1e-10, atol=1e-300)
