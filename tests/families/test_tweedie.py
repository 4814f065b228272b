"""Values of Tweedie(mean, dispersion, power) computed elsewhere, its atom and its limits."""

import numpy as np
import pytest
from scipy import special, stats

import neglog as nl

f = nl.Tweedie()


def test_power_three_halves_is_a_bessel_function():
    """The jumps are exponential: sum of z^n / (n! (n - 1)!) = sqrt(z) I1(2 sqrt(z)), Abramowitz and Stegun 9.6.10."""
    y = np.array([1e-6, 0.2, 1.0, 9.0])
    rate, x = 2 * np.sqrt(3.0) / 0.7, y / (0.35 * np.sqrt(3.0))
    root = np.sqrt(rate * x)
    log_density = np.log(root * special.i1e(2 * root) / y) + 2 * root - rate - x
    np.testing.assert_allclose(f.nll(y, 3.0, 0.7, 1.5), -log_density, rtol=1e-13)


@pytest.mark.parametrize("power", [1.1, 1.4, 1.8])
def test_against_scipys_wright_function(power):
    """Wright's generalised Bessel function is the series: sum of z^n / (n! Gamma(a n))."""
    y, mean, d = np.array([0.05, 0.8, 1.9]), 1.3, 0.9
    rate, a, g = (
        mean ** (2 - power) / (d * (2 - power)),
        (2 - power) / (power - 1),
        d * (power - 1) * mean ** (power - 1),
    )
    series = special.wright_bessel(a, 0.0, rate * (y / g) ** a)
    np.testing.assert_allclose(f.nll(y, mean, d, power), rate + y / g + np.log(y) - np.log(series), rtol=1e-12)


def test_against_statsmodels():
    """Its loglike_obs is the exact series for 1 < p < 2."""
    from statsmodels.genmod.families import family as statsmodels

    family = statsmodels.Tweedie(var_power=1.6, eql=False)
    y = np.array([0.0, 0.1, 1.0, 4.0])
    np.testing.assert_allclose(f.nll(y, 1.2, 0.8, 1.6), -family.loglike_obs(y, np.full(4, 1.2), scale=0.8), rtol=1e-12)


def test_the_atom():
    rate = np.sqrt(2.0) / (0.8 * 0.5)
    assert f.nll(0.0, 2.0, 0.8, 1.5) == pytest.approx(rate, rel=1e-15)
    assert f.log_cdf(0.0, 2.0, 0.8, 1.5) == pytest.approx(-rate, rel=1e-15)
    assert f.nll(nl.interval(-1.0, 0.0), 2.0, 0.8, 1.5) == pytest.approx(rate, rel=1e-15)
    assert f.log_interval(-np.inf, 0.0, 2.0, 0.8, 1.5) == f.log_cdf(0.0, 2.0, 0.8, 1.5)
    # (0, b] is without it, however narrow
    for b in (1e-12, 0.5, 3.0, 400.0):
        jumped = f.cdf(b, 2.0, 0.8, 1.5) - np.exp(-rate)
        assert np.exp(f.log_interval(0.0, b, 2.0, 0.8, 1.5)) == pytest.approx(jumped, rel=1e-9, abs=1e-15)
    assert f.log_interval(0.0, np.inf, 2.0, 0.8, 1.5) == f.log_sf(0.0, 2.0, 0.8, 1.5)
    np.testing.assert_array_equal(f.ppf([0.0, 0.5 * np.exp(-rate), np.exp(-rate)], 2.0, 0.8, 1.5), 0)
    assert f.ppf(1.001 * np.exp(-rate), 2.0, 0.8, 1.5) > 0


def test_score_in_the_mean():
    """That of an exponential family: (y - mean) / variance."""
    y = np.array([0.0, 0.5, 7.0])
    grad = f.nll_grad(y, 2.0, 0.8, 1.3)[1][0]
    np.testing.assert_allclose(grad, (2.0 - y) / (0.8 * 2.0**1.3), rtol=1e-14)


@pytest.mark.parametrize("power", [1.3, 1.5, 1.8])
def test_large_rates_by_fewer_terms(power):
    """A small dispersion: every h-th term only, and what the central limit theorem leaves."""
    mean, d = 1.0, 1e-6
    z = np.array([-2.0, 0.0, 1.5])
    y = mean + z * np.sqrt(d)
    normal = stats.norm(mean, np.sqrt(d))
    np.testing.assert_allclose(f.nll(y, mean, d, power), -normal.logpdf(y), atol=4e-3)
    np.testing.assert_allclose(f.log_sf(y, mean, d, power), normal.logsf(y), atol=4e-3)
    # the sums are consistent: the density is the slope of the tail
    h = 1e-5 * np.sqrt(d)
    slope = (f.cdf(y + h, mean, d, power) - f.cdf(y - h, mean, d, power)) / (2 * h)
    np.testing.assert_allclose(np.log(slope), -f.nll(y, mean, d, power), atol=1e-6)


def test_scale():
    """c Y has mean c m and dispersion c^(2 - p) d."""
    y, c = np.array([0.3, 2.0]), 1e5
    moved = f.nll(c * y, c * 1.5, c**0.3 * 0.7, 1.7) - np.log(c)
    np.testing.assert_allclose(moved, f.nll(y, 1.5, 0.7, 1.7), rtol=1e-13)


def test_zero_inflation_adds_to_the_own_zeros():
    own = np.exp(-f.nll(0.0, 1.0, 1.0, 1.5))
    g = nl.ZeroInflated("tweedie")
    assert g.nll(0.0, 1.0, 1.0, 1.5, 0.3) == pytest.approx(-np.log(0.3 + 0.7 * own), rel=1e-14)
    # a hurdle replaces them
    assert nl.Hurdle("tweedie").nll(0.0, 1.0, 1.0, 1.5, 0.3) == pytest.approx(-np.log(0.3), rel=1e-14)


def test_fit_finds_the_power():
    y = f.sample(3.0, 1.2, 1.6, size=3000, rng=4)
    r = nl.fit("tweedie", y)
    assert r.ok, r.message
    assert r.params["mean"] == pytest.approx(y.mean(), rel=1e-7)
    for name, value in {"dispersion": 1.2, "power": 1.6}.items():
        assert abs(r.params[name] - value) < 4 * r.stderr[name]
    z = r.residuals(rng=0)  # a zero's is anywhere below its probability
    assert stats.kstest(z, "norm").pvalue > 1e-3


@pytest.mark.parametrize(("rate", "shape", "scale"), [(1.5, 0.3, 2.0), (6.0, 4.0, 0.5), (40.0, 1.5, 0.1)])
def test_distribution_of_simulated_sums(rate, shape, scale):
    """Gamma jumps drawn one by one, a Poisson number for each row; p = (a + 2) / (a + 1), m = l a g."""
    rng = np.random.default_rng(7)
    n, rows = rng.poisson(rate, 20_000), 20_000
    y = np.bincount(np.repeat(np.arange(rows), n), rng.gamma(shape, scale, n.sum()), rows)
    power, mean = (shape + 2) / (shape + 1), rate * shape * scale
    params = mean, mean ** (2 - power) / (rate * (2 - power)), power
    assert abs(np.mean(y == 0) - np.exp(-rate)) < 4 * np.sqrt(np.exp(-rate) / rows)
    jumped = y[y > 0]
    rest = f.sf(0.0, *params)
    u = np.exp(f.log_interval(0.0, jumped, *params)) / rest
    assert stats.kstest(u, "uniform").pvalue > 1e-3
    np.testing.assert_allclose(f.sf(jumped[:100], *params), (1 - u[:100]) * rest, rtol=1e-9, atol=1e-14)
    assert f.var(*params) == pytest.approx(rate * shape * (1 + shape) * scale**2, rel=1e-13)


def test_regression_of_the_mean_is_statsmodels_glm():
    """At a given power the mean's estimates do not depend on the dispersion: the GLM's are those of the likelihood."""
    import statsmodels.api as sm

    rng = np.random.default_rng(3)
    x = rng.normal(size=800)
    y = f.sample(np.exp(0.4 + 0.7 * x), 0.9, 1.4, rng=rng)
    r = nl.fit(nl.Fixed("tweedie", power=1.4), "y ~ x", data={"y": y, "x": x})
    assert r.ok, r.message
    glm = sm.GLM(y, sm.add_constant(x), family=sm.families.Tweedie(sm.families.links.Log(), 1.4)).fit(tol=1e-12)
    np.testing.assert_allclose([r.params["mean.Intercept"], r.params["mean.x"]], glm.params, rtol=1e-6)


def test_information_is_the_variance_of_the_score():
    """Against draws, where the jumps are few, many, and nearly equal."""
    for params in ((0.5, 1.0, 1.5), (3.0, 0.02, 1.4), (4.0, 0.8, 1.03), (1.0, 0.5, 1.9)):
        y = f.sample(*params, size=40_000, rng=5)
        score = f.nll_grad(y, *params)[1]
        products = score[:, None] * score
        error = products.std(-1) / np.sqrt(y.size)
        assert np.all(np.abs(products.mean(-1) - f.fisher(*params)) < 4.5 * error), params
