"""Hand values of Gompertz(shape, scale)."""

import numpy as np
import pytest
from scipy import stats

import neglog as nl

f = nl.Gompertz()


def test_flexsurv():
    """dgompertz(0:4, shape=0.1, rate=0.2) in the tests of R's flexsurv: scale 1 / 0.1, shape 0.2 / 0.1."""
    density = [0.2, 0.179105591827508, 0.156884811322895, 0.134101872197705, 0.111571759992743]
    np.testing.assert_allclose(np.exp(-f.nll(np.arange(5.0), 2.0, 10.0)), density, rtol=1e-14)


def test_published_survival():
    """Milevsky and Robinson, "Self-annuitization and ruin in retirement" (2000): mode 80, dispersion 10, ages 65 and 75
    to 85. The mode of the age at death is where the hazard is 1 / scale."""
    sf = f.sf([20.0, 10.0], shape=np.exp([-1.5, -0.5]), scale=10.0)
    np.testing.assert_allclose(sf, [0.2404, 0.3527], atol=5e-5)


def test_scipy():
    y, c, s = np.array([0.0, 0.3, 1.7, 6.0]), 0.5, 2.0
    other = stats.gompertz(c, scale=s)
    np.testing.assert_allclose(f.nll(y, c, s), -other.logpdf(y), rtol=1e-14)
    np.testing.assert_allclose(f.log_sf(y, c, s), other.logsf(y), rtol=1e-14)
    np.testing.assert_allclose(f.log_cdf(y[1:], c, s), other.logcdf(y[1:]), rtol=1e-13)


@pytest.mark.parametrize(
    ("shape", "mean", "var"),
    [
        (1e-100, 229.68129363450303554, 1.6449340668482264365),
        (1e-8, 17.843465267485484369, 1.6449305225357510545),
        (0.1, 2.0146425447084516791, 0.8308200236482464638),
        (2.0, 0.3613286168882225847, 0.080248974399845193663),
        (49.0, 0.020007706282189842462, 0.00038517609981031730697),
        (51.0, 0.01923762933791553057, 0.00035660697558521601149),
        (1000.0, 0.000999001994023880715, 9.9601691648080811906e-7),
    ],
)
def test_moments(shape, mean, var):
    """mpmath: exp(c) E1(c), and the integral of (log(1 + u / c) - mean)^2 exp(-u); where that has digits, Lenart's
    formula (2014) with a 3F3 agrees."""
    assert f.mean(shape, 1e3) == pytest.approx(mean * 1e3, rel=1e-14)
    assert f.var(shape, 1e3) == pytest.approx(var * 1e6, rel=1e-13)


def test_at_zero_the_hazard_is_that_of_the_formula():
    value, grad, hess = f.nll_grad_hess(0.0, 2.0, 10.0)
    assert value == pytest.approx(np.log(5.0), rel=1e-15)
    np.testing.assert_allclose(grad, [-0.5, 0.1], rtol=1e-15)
    np.testing.assert_allclose(hess, [[0.25, 0.0], [0.0, -0.01]], rtol=1e-15)
    assert f.log_sf(0.0, 2.0, 10.0) == 0
    assert f.log_cdf(0.0, 2.0, 10.0) == -np.inf


def test_exponential_is_the_limit():
    y = np.array([0.1, 1.0, 30.0])
    for kind in ("nll", "log_sf", "log_cdf"):
        limit = getattr(nl.Exponential(), kind)(y, 4.0)
        np.testing.assert_allclose(getattr(f, kind)(y, 1e12, 4e12), limit, rtol=1e-10)


def test_the_rest_of_a_life_is_gompertz():
    age, c, s = 3.0, 0.1, 1.5
    y = np.array([0.2, 2.0, 4.0])
    rest = f.log_sf(age + y, c, s) - f.log_sf(age, c, s)
    np.testing.assert_allclose(rest, f.log_sf(y, c * np.exp(age / s), s), rtol=1e-14)


def test_beyond_the_range_of_numbers():
    # exp(712) overflows; exp(712) 1e-306 is exp(712 - 306 log 10) = 1650.7
    hazard = np.exp(712 - 306 * np.log(10))
    assert f.log_sf(712.0, 1e-306, 1.0) == pytest.approx(-hazard, rel=1e-12)
    assert f.nll(712.0, 1e-306, 1.0) == pytest.approx(hazard - 712 + 306 * np.log(10), rel=1e-12)
    assert f.log_cdf(705.0, 1e-306, 1.0) == pytest.approx(np.log(-np.expm1(-hazard * np.exp(-7))), rel=1e-12)
    # y / scale = 1e-400 vanishes and is 1e400 times too large
    assert f.log_cdf(1e-200, 1.0, 1e200) == pytest.approx(-400 * np.log(10), rel=1e-15)
    value, grad, hess = f.nll_grad_hess(1e200, 1.0, 1e-200)
    assert value == np.inf
    np.testing.assert_array_equal(grad, [np.inf, -np.inf])
    assert hess[1, 1] == np.inf
    assert f.log_sf(1e200, 1.0, 1e-200) == -np.inf
    assert f.log_cdf(1e200, 1.0, 1e-200) == 0
    assert f.log_interval(1e199, 1e200, 1.0, 1e-200) == -np.inf
