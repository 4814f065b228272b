"""Values of NormalInverseGaussian(a, b, loc, scale) computed elsewhere, its limits and its domain."""

import numpy as np
import pytest
from scipy import stats

import neglog as nl

f = nl.NormalInverseGaussian()


@pytest.mark.parametrize(("a", "b"), [(1.0, 0.3), (5.0, -3.0), (0.01, 0.0), (1.0, 0.99)])
def test_against_scipy(a, b):
    other = stats.norminvgauss(a, b, 0.5, 2.0)
    y = 0.5 + np.array([-6.0, -1.0, 0.2, 3.0, 30.0])
    np.testing.assert_allclose(f.nll(y, a, b, 0.5, 2.0), -other.logpdf(y), rtol=1e-11)
    np.testing.assert_allclose(f.cdf(y, a, b, 0.5, 2.0), other.cdf(y), rtol=1e-7)
    np.testing.assert_allclose(f.mean(a, b, 0.5, 2.0), other.mean(), rtol=1e-13)
    np.testing.assert_allclose(f.var(a, b, 0.5, 2.0), other.var(), rtol=1e-13)


# small, on both sides of 2, where a series ends and a polynomial begins, and large
@pytest.mark.parametrize(
    "a", [1e-280, 1e-12, 1e-8, 1e-3, 0.7, 1.9, np.nextafter(2, 1), 2.0, np.nextafter(2, 3), 2.1, 4.9, 300.0, 1e6]
)
def test_bessel_function(a):
    """At y = loc and b = 0 the density is a exp(a) K1(a) / (pi scale); log K1 has the slope -K0 / K1 - 1 / a."""
    from mpmath import mp

    with mp.workdps(60):
        x = mp.mpf(float(a))
        k1, ratio = mp.besselk(1, x), mp.besselk(0, x) / mp.besselk(1, x)
        exact = [-mp.log(x * mp.exp(x) * k1 / mp.pi), ratio - 1, ratio * (ratio + 1 / x) - 1]
    value, grad, hess = f.nll_grad_hess(0.0, a, 0.0, 0.0, 1.0)
    assert value == pytest.approx(float(exact[0]), rel=2e-15)
    assert grad[0] == pytest.approx(float(exact[1]), rel=1e-14)
    assert hess[0, 0] == pytest.approx(float(exact[2]), rel=1e-13)


@pytest.mark.parametrize(("x", "a", "b"), [(40.0, 2.0, -1.5), (20.0, 2.0, 1.5), (40.0, 2.0, 1.5)])
def test_far_tails(x, a, b):
    """Against the mixture over the variance in mpmath, by a fine trapezoidal rule."""
    from mpmath import mp

    with mp.workdps(40):
        g, step = mp.sqrt(mp.mpf(a) ** 2 - mp.mpf(b) ** 2), mp.mpf(1) / 40

        def term(i):
            v = mp.exp(i * step)
            return (
                mp.exp(g - (1 / v + g * g * v) / 2) / mp.sqrt(2 * mp.pi * v) * mp.erfc((x - b * v) / mp.sqrt(2 * v)) / 2
            )

        exact = mp.log(step * mp.fsum(term(i) for i in range(-60, 300)))
    assert f.log_sf(x, a, b, 0.0, 1.0) == pytest.approx(float(exact), rel=1e-14)


def test_small_a_is_cauchy():
    y = np.array([-1e6, -3.0, 0.2, 40.0])
    cauchy = stats.cauchy(0.5, 2.0)
    np.testing.assert_allclose(f.nll(y, 1e-12, 0.0, 0.5, 2.0), -cauchy.logpdf(y), rtol=1e-11)
    np.testing.assert_allclose(f.log_sf(y, 1e-13, 0.0, 0.5, 2.0), cauchy.logsf(y), rtol=1e-6)


def test_large_a_is_normal():
    # variance scale^2 / a; the kurtosis is 3 / a
    y = np.array([-2.0, 0.3, 1.5])
    np.testing.assert_allclose(f.nll(y, 1e12, 0.0, 0.0, 1e6), nl.Normal().nll(y, 0.0, 1.0), rtol=1e-11)
    np.testing.assert_allclose(f.log_sf(y, 1e12, 0.0, 0.0, 1e6), nl.Normal().log_sf(y, 0.0, 1.0), rtol=1e-10)


def test_mirror_image():
    y = np.array([-5.0, 0.1, 8.0])
    ours, theirs = f.log_sf_grad_hess(y, 2.0, 1.0, 0.5, 3.0), f.log_cdf_grad_hess(-y, 2.0, -1.0, -0.5, 3.0)
    sign = np.array([1, -1, -1, 1])
    np.testing.assert_array_equal(ours[0], theirs[0])
    np.testing.assert_array_equal(ours[1], sign[:, None] * theirs[1])
    np.testing.assert_array_equal(ours[2], (sign[:, None] * sign)[..., None] * theirs[2])


def test_asymmetry_within_the_tails():
    with pytest.raises(nl.ParameterError, match="allowed: -a < b < a"):
        f.nll(0.0, 1.0, 1.0, 0.0, 1.0)
    assert f.nll(0.0, 1.0, -1.0, 0.0, 1.0, check=False) == np.inf


def test_fit_finds_the_shape():
    y = f.sample(2.0, 1.0, 0.5, 3.0, size=2000, rng=1)
    r = nl.fit("normal_inverse_gaussian", y)
    assert r.ok
    for name, value in {"a": 2.0, "b": 1.0, "loc": 0.5, "scale": 3.0}.items():
        assert abs(r.params[name] - value) < 4 * r.stderr[name]
