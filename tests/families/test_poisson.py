"""Hand values of Poisson(rate)."""

import math

import numpy as np
import pytest
from scipy import stats

import neglog as nl

f = nl.Poisson()


def test_published_values():
    assert f.nll(3, 2.5) == pytest.approx(1.5428872736, abs=1e-10)  # exact, not Stirling's 1.5152093479
    y = np.array([1, 3, 2, 4, 5, 4, 3, 4])
    assert f.nll(y, 3.25).sum() == pytest.approx(13.9533, abs=5e-5)


def test_small_counts_are_exact():
    for k in range(40):
        expected = 7.3 - k * math.log(7.3) + math.log(math.factorial(k))
        assert f.nll(k, 7.3) == pytest.approx(expected, rel=1e-14)


def test_large_counts_do_not_cancel():
    # rate - y log rate + lgamma(y + 1) subtracts numbers of 3e16 here
    assert f.nll(1e15, 1e15) == pytest.approx(0.5 * math.log(2 * math.pi * 1e15), rel=1e-15)


def test_rate_zero_is_certain():
    value, grad, hess = f.nll_grad_hess([0, 1, 2], 0.0)
    np.testing.assert_array_equal(value, [0, np.inf, np.inf])
    assert grad[0, 0] == 1
    assert hess[0, 0, 0] == 0
    for k, slope, bend in ((0, -1, 0), (1, 0, -1), (2, 0, 0)):  # log(exp(-r) sum r^j / j!)
        value, grad, hess = f.log_cdf_grad_hess(k, 0.0)
        assert (value, grad[0], hess[0, 0]) == (0, slope, bend)
    assert f.log_sf(0, 0.0) == -np.inf
    assert f.mean(0.0) == f.var(0.0) == 0
    assert f.fisher(0.0)[0, 0] == np.inf


@pytest.mark.parametrize("rate", [0.01, 1.0, 33.3, 1e4, 1e9, 1e15])
def test_tails_against_scipy(rate):
    k = np.floor(rate + np.sqrt(rate) * np.array([-3, -1, 0, 1, 3]))
    k = k[k >= 0]
    # beyond some four standard deviations scipy's incomplete gamma loses its digits for large rates
    np.testing.assert_allclose(f.cdf(k, rate), stats.poisson.cdf(k, rate), rtol=1e-11)
    np.testing.assert_allclose(f.sf(k, rate), stats.poisson.sf(k, rate), rtol=1e-11)


def test_tails_of_huge_rates_are_normal():
    k = np.floor(1e15 + np.sqrt(1e15) * np.array([-6.0, 6.0]))
    tails = f.cdf(k[0], 1e15), f.sf(k[1], 1e15)
    np.testing.assert_allclose(tails, stats.norm.sf(6), rtol=1e-5)  # skewness / sqrt(rate) is 3e-8


def test_wide_intervals_of_huge_counts():
    """More terms than are summed: the difference of the tails takes over without a jump."""
    rate, low = 1e10, 1e10 - 500
    widths = np.array([4000.0, 4095, 4096, 4097, 4098, 5000])
    mass = np.exp(f.log_interval(low, low + widths, rate))
    np.testing.assert_allclose(mass / widths, stats.norm.pdf(0) / np.sqrt(rate), rtol=2e-3)
    steps = np.diff(mass[1:5])
    np.testing.assert_allclose(steps, stats.norm.pdf(0) / np.sqrt(rate), rtol=1e-3)


def test_counts_beyond_integers_of_float64():
    # 16 is the distance of two neighbouring numbers at 1e17
    mass = f.log_interval(1e17, 1e17 + 16, 1e17)
    assert mass == pytest.approx(math.log(16) - 0.5 * math.log(2 * math.pi * 1e17), rel=1e-7)


def test_zero_truncated():
    # a zero-truncated count has the window (0, inf]: log P(Y > 0) = log(1 - exp(-rate))
    assert f.log_interval(0, np.inf, 1e-10) == pytest.approx(math.log(-math.expm1(-1e-10)), rel=1e-15)
