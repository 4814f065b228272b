"""Hand values of LogLogistic(shape, scale)."""

import numpy as np
import pytest
from scipy import stats

import neglog as nl

f = nl.LogLogistic()


def test_logllike():
    """Octave's logllike([mu, s], x), where log y is logistic: shape = 1 / s, scale = exp(mu)."""
    for mu, s, x, value in (
        (3.09717, 0.468525, np.arange(1.0, 51), 211.2965),
        (1.01124, 0.336449, np.arange(1.0, 6), 9.2206),
    ):
        assert f.nll(x, 1 / s, np.exp(mu)).sum() == pytest.approx(value, abs=5e-5)


def test_it_is_the_logistic_of_the_logarithm():
    y = np.array([1e-200, 0.3, 2.0, 7.0, 1e300])
    logistic = nl.Logistic()
    loc, scale = np.log(2.0), 1 / 1.5
    np.testing.assert_allclose(f.nll(y, 1.5, 2.0), logistic.nll(np.log(y), loc, scale) + np.log(y), rtol=1e-14)
    # down to exp(-700), whose rounding counts 700 times
    np.testing.assert_allclose(f.log_sf(y, 1.5, 2.0), logistic.log_sf(np.log(y), loc, scale), rtol=1e-12)
    np.testing.assert_allclose(f.log_cdf(y, 1.5, 2.0), logistic.log_cdf(np.log(y), loc, scale), rtol=1e-12)


def test_density_at_zero():
    assert f.nll(0.0, 0.5, 3.0) == -np.inf
    assert f.nll(0.0, 1.0, 3.0) == np.log(3.0)
    assert f.nll(0.0, 2.0, 3.0) == np.inf
    _, grad, hess = f.nll_grad_hess(0.0, 1.0, 3.0)
    assert grad[1] == pytest.approx(1 / 3, rel=1e-15)
    assert hess[1, 1] == pytest.approx(-1 / 9, rel=1e-15)


def test_moments():
    for shape in (2.5, 6.0, 7.9, 8.1, 50.0):  # both sides of the switch to the series, pi / shape = 0.4
        mean, var = stats.fisk.stats(shape, scale=3.0)
        assert f.mean(shape, 3.0) == pytest.approx(mean, rel=1e-13)
        assert f.var(shape, 3.0) == pytest.approx(var, rel=1e-11)
    assert f.var(1e8, 1.0) == pytest.approx(
        np.pi**2 / 3e16, rel=1e-12
    )  # of the logistic; a difference has no digit left
    assert f.mean(1.0, 3.0) == f.var(2.0, 3.0) == np.inf
    assert f.ppf(0.5, 3.3, 7.0) == 7
