"""Values of GeneralizedPoisson(rate, dispersion) computed elsewhere, and its limits."""

import numpy as np
import pytest

import neglog as nl

f = nl.GeneralizedPoisson()


def test_hand_values():
    # P(0) = exp(-t), P(1) = t exp(-t - d), P(2) = t (t + 2 d) exp(-t - 2 d) / 2
    t, d = 1.3, 0.4
    expected = [np.exp(-t), t * np.exp(-t - d), t * (t + 2 * d) * np.exp(-t - 2 * d) / 2]
    np.testing.assert_allclose(np.exp(-f.nll([0, 1, 2], t, d)), expected, rtol=1e-15)
    assert f.nll(0, 1e-300, 0.5) == 1e-300


def test_against_statsmodels_form():
    """Its mu and alpha (p = 1): mu (mu + alpha y)^(y - 1) / ((1 + alpha)^y y!) exp(-(mu + alpha y) / (1 + alpha))."""
    from scipy.special import gammaln

    mu, alpha, y = 3.0, 0.7, np.arange(12)
    m = mu + alpha * y
    log_mass = np.log(mu) + (y - 1) * np.log(m) - y * np.log1p(alpha) - gammaln(y + 1) - m / (1 + alpha)
    np.testing.assert_allclose(f.nll(y, mu / (1 + alpha), alpha / (1 + alpha)), -log_mass, rtol=1e-13)


def test_dispersion_zero_is_poisson():
    y = np.array([0.0, 1.0, 5.0, 30.0, 200.0])
    ours, theirs = f.nll_grad_hess(y, 30.0, 0.0), nl.Poisson().nll_grad_hess(y, 30.0)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-14)
    np.testing.assert_allclose(ours[1][0], theirs[1][0], rtol=1e-14, atol=1e-16)
    np.testing.assert_allclose(f.log_sf(y, 30.0, 0.0), nl.Poisson().log_sf(y, 30.0), rtol=1e-12)
    np.testing.assert_allclose(f.log_cdf(y, 30.0, 0.0), nl.Poisson().log_cdf(y, 30.0), rtol=1e-12)


@pytest.mark.parametrize(("rate", "dispersion"), [(1e6, 1e-3), (3.0, 0.99), (2e4, 0.9)])
@pytest.mark.parametrize("q", [0.01, 0.4, 0.7, 0.99])
def test_long_sums_continued_as_integrals(rate, dispersion, q):
    """Against plain sums of a million masses and more."""
    y = f.ppf(q, rate, dispersion)
    mean = rate / (1 - dispersion)
    sd = np.sqrt(mean) / (1 - dispersion)
    k = np.arange(max(np.floor(mean - 12 * sd), 0), mean + 20 * sd + 80 / (1 - dispersion) ** 2)
    mass = np.exp(-f.nll(k, rate, dispersion))
    assert f.cdf(y, rate, dispersion) == pytest.approx(mass[k <= y].sum(), rel=1e-11)
    assert f.sf(y, rate, dispersion) == pytest.approx(mass[k > y].sum(), rel=1e-11)
    log_sf, grad, _ = f.log_sf_grad_hess(y, rate, dispersion)
    slope = -(mass * f.nll_grad(k, rate, dispersion)[1])[:, k > y].sum(1) / np.exp(log_sf)
    np.testing.assert_allclose(grad, slope, rtol=1e-8, atol=1e-12)


def test_dispersions_next_to_one_end():
    value, grad, hess = f.log_sf_grad_hess(1e8, 1.0, 1 - 2**-40)
    # a critical branching process: P(Y > y) is about rate sqrt(2 / (pi y))
    assert value == pytest.approx(np.log(np.sqrt(2 / (np.pi * 1e8))), abs=1e-4)
    assert np.isfinite(grad).all()
    assert np.isfinite(hess).all()


def test_fit_finds_the_dispersion():
    y = f.sample(3.0, 0.4, size=3000, rng=2)
    r = nl.fit("generalized_poisson", y)
    assert r.ok
    assert abs(r.params["dispersion"] - 0.4) < 4 * r.stderr["dispersion"]
    assert r.params["rate"] / (1 - r.params["dispersion"]) == pytest.approx(y.mean(), rel=1e-9)  # Consul's result
