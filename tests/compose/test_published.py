"""Values published elsewhere, and the edges that a composition adds to those of its families."""

import itertools

import numpy as np
import pytest
from scipy import integrate, special, stats

import neglog as nl


def logistic(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize(
    ("y", "value", "slopes"),
    [(0.0, 0.7974957292201976, [0.2727420530, -0.4895908389]), (3.0, 2.0559025260055424, [-0.5, 0.4013123398])],
)
def test_zero_inflated_poisson(y, value, slopes):
    """Slopes in log rate and logit zero; from mpmath, quoted in the project's specification."""
    rate, zero = 2.5, logistic(-0.4)
    nll, grad = nl.ZeroInflated("poisson").nll_grad(y, rate, zero)
    assert nll == pytest.approx(value, rel=1e-14)
    assert grad * [rate, zero * (1 - zero)] == pytest.approx(slopes, abs=1e-10)


def test_mixture_density():
    """Three normal components; value and slopes in log weights, means and log scales (Bishop 1994, NCRG/94/004)."""
    weights, loc, scale = np.array([0.2, 0.5, 0.3]), [-1, 0.2, 2], np.array([0.5, 0.3, 1])
    args = [*np.log(weights[1:] / weights[0]), *itertools.chain(*zip(loc, scale, strict=True))]
    f = nl.Mixture("normal", k=3)
    value, grad = f.nll_grad(0.6, *args)
    assert value == pytest.approx(1.141868495257, rel=1e-12)
    assert grad[:2] == pytest.approx([-0.3563010223, 0.1592883956], abs=1e-10)
    assert grad[2::2] == pytest.approx([-0.0191191892, -3.8057823214, 0.1969962461], abs=1e-10)
    assert grad[3::2] * scale == pytest.approx([-0.0276033294, -0.6660119062, -0.1350831402], abs=1e-10)
    assert f.nll(60.0, *args) == pytest.approx(1684.1229113375307, rel=1e-14)


def test_against_scipy():
    y = np.linspace(0.1, 4, 20)
    a, b = (0.05 - 1) / 2, (5 - 1) / 2
    other = stats.truncnorm(a, b, loc=1, scale=2)
    f = nl.Truncated("normal", 0.05, 5.0)
    np.testing.assert_allclose(f.nll(y, 1.0, 2.0), -other.logpdf(y), rtol=1e-12)
    np.testing.assert_allclose(f.log_sf(y, 1.0, 2.0), other.logsf(y), rtol=1e-10)
    assert float(f.mean(1.0, 2.0)) == pytest.approx(other.mean(), rel=1e-9)
    assert float(f.var(1.0, 2.0)) == pytest.approx(other.var(), rel=1e-9)
    k = np.arange(1, 15)
    zero_truncated = stats.poisson(2.5).pmf(k) / stats.poisson(2.5).sf(0)
    np.testing.assert_allclose(nl.Truncated("poisson", 0).nll(k, 2.5), -np.log(zero_truncated), rtol=1e-13)
    np.testing.assert_allclose(nl.Hurdle("poisson").nll(k, 2.5, 0.3), -np.log(0.7 * zero_truncated), rtol=1e-13)


def test_far_out():
    """Windows, components and zeros of probability 1e-300 and less keep their digits."""
    window = nl.Truncated("normal", lower=40.0)  # 40 standard deviations: nearly exponential of rate 40
    assert float(window.mean(0.0, 1.0)) == pytest.approx(40 + 1 / 40 - 2 / 40**3 + 10 / 40**5, rel=1e-9)
    hazard = np.sqrt(2 / np.pi) / special.erfcx(40 / np.sqrt(2))
    assert float(window.nll(40.0 + 2**-20, 0.0, 1.0)) == pytest.approx(40 * 2**-20 - np.log(hazard), rel=1e-12)
    both = nl.Mixture("normal", k=2)
    args = [-800.0, 0.0, 1.0, 5.0, 1.0]  # a component of weight 1e-348
    assert float(both.log_cdf(40.0, *args)) == pytest.approx(-np.exp(nl.Normal().log_sf(40.0, 0.0, 1.0)), rel=1e-12)
    assert float(both.nll(300.0, *args)) == pytest.approx(800 + float(nl.Normal().nll(300.0, 5.0, 1.0)), rel=1e-14)
    some = nl.ZeroInflated("poisson")
    assert float(some.nll(0.0, 800.0, 1e-300)) == pytest.approx(-np.log(1e-300), rel=1e-14)
    assert float(some.nll(0.0, 800.0, 0.0)) == 800.0


def test_probability_of_zero_at_its_ends():
    f, rate = nl.ZeroInflated("poisson"), 1.5
    value, grad, hess = f.nll_grad_hess([0.0, 2.0], rate, 0.0)
    inner = nl.Poisson().nll_grad_hess([0.0, 2.0], rate)
    np.testing.assert_array_equal(value, inner[0])
    np.testing.assert_array_equal(grad[0], inner[1][0])
    np.testing.assert_allclose(grad[1], [-np.expm1(rate), 1.0], rtol=1e-15)
    np.testing.assert_allclose(hess[1, 1], [np.expm1(rate) ** 2, 1.0], rtol=1e-14)
    near = f.nll_grad_hess([0.0, 2.0], rate, 1e-9)
    for here, there in zip((value, grad, hess), near, strict=True):
        np.testing.assert_allclose(here, there, rtol=1e-7, atol=1e-7)
    np.testing.assert_array_equal(f.nll([0.0, 2.0], rate, 1.0), [0.0, np.inf])
    assert float(f.mean(rate, 1.0)) == float(f.var(rate, 1.0)) == 0.0


def test_equal_components_are_one():
    """Whatever their weights: value, and derivatives in each component that add up to those of the family."""
    y = np.array([-1.0, 0.3, 8.0])
    value, grad, hess = nl.Mixture("normal", k=2).nll_grad_hess(y, 0.7, 0.2, 1.3, 0.2, 1.3)
    one = nl.Normal().nll_grad_hess(y, 0.2, 1.3)
    np.testing.assert_allclose(value, one[0], rtol=1e-15)
    np.testing.assert_allclose(grad[1:3] + grad[3:], one[1], rtol=1e-14)
    np.testing.assert_allclose(grad[0], 0, atol=3e-16)
    total = hess[1:3, 1:3] + hess[1:3, 3:] + hess[3:, 1:3] + hess[3:, 3:]
    np.testing.assert_allclose(total, one[2], rtol=1e-13, atol=1e-15)


def test_windows_without_probability():
    """Parameters under which nothing can fall into the window have no likelihood: inf, no error."""
    f = nl.Truncated(nl.Truncated("normal", upper=1e5), lower=1e4)
    value = f.nll([2e4], 0.0, 1.0)
    assert np.isfinite(value).all()  # the normal's own tail reaches that far
    g = nl.Truncated(nl.Hurdle("weibull"), lower=0.0)
    assert g.nll(1.0, 1.0, 1.0, 1.0) == np.inf  # zero = 1: no positive values


def test_what_is_refused():
    for call, words in [
        (lambda: nl.Truncated("poisson", 2.2, 2.9), "holds nothing"),
        (lambda: nl.Truncated("normal", 1.0, 1.0), "holds nothing"),
        (lambda: nl.Truncated("weibull", -3.0, 0.0), "holds nothing"),
        (lambda: nl.Truncated("categorical", 0), "vector"),
        (lambda: nl.Mixture("normal"), "two or more"),
        (lambda: nl.Mixture("normal", "poisson"), "discrete"),
        (lambda: nl.Mixture("weibull", "hurdle(weibull)"), "a probability at zero"),
        (lambda: nl.Mixture("normal", "weibull", k=2), "repeats one family"),
        (lambda: nl.Mixture("normal", 2, k=2), "twice"),
        (lambda: nl.Fixed("normal", df=3.0), "no parameter 'df'"),
        (lambda: nl.Fixed("normal", scale=-3.0), "outside its domain"),
        (lambda: nl.Fixed("normal", loc=0.0, scale=3.0), "no parameter of normal is left"),
        (lambda: nl.family("truncated(normal, 0"), "cannot be read"),
        (lambda: nl.family("truncated(norml, 0)"), "did you mean 'normal'"),
        (lambda: nl.family("__import__('os')"), "known are"),
        (lambda: nl.family("truncated(normal, 1 + 1)"), "no meaning"),
    ]:
        with pytest.raises(nl.InputError, match=words):
            call()


def test_an_atom_and_a_density(mixed):
    """Zero has a probability, other values a density; distribution, quantiles, moments and draws know both."""
    params = [0.7, 1.2, 0.3]
    low = -np.inf if mixed == nl.ZeroInflated("normal") else 0.0
    assert mixed.nll(0.0, *params) == pytest.approx(-np.log(0.3), rel=1e-15)

    def share(a, b, power=0):
        return integrate.quad(lambda y: y**power * np.exp(-mixed.nll(y, *params)), a, b, epsabs=1e-12)[0]

    below = share(low, -1e-300) if low < 0 else 0.0
    assert below + share(1e-300, np.inf) == pytest.approx(0.7, abs=1e-8)
    assert mixed.cdf(0.0, *params) - mixed.cdf(-1e-12, *params) == pytest.approx(0.3, abs=1e-11)
    assert mixed.cdf(2.0, *params) == pytest.approx(below + 0.3 + share(1e-300, 2.0), abs=1e-8)
    assert np.exp(mixed.log_interval(-1.0, 0.0, *params)) == pytest.approx(
        0.3 + (share(-1.0, -1e-300) if low < 0 else 0.0), abs=1e-8
    )
    mean = share(low, np.inf, 1) if low == 0 else share(low, 0, 1) + share(0, np.inf, 1)
    assert float(mixed.mean(*params)) == pytest.approx(mean, abs=1e-7)
    q = np.array([below / 2, below + 1e-6, below + 0.29, below + 0.31, 0.9])
    y = mixed.ppf(q, *params)
    np.testing.assert_array_equal(y[1:3], 0.0)
    np.testing.assert_allclose(mixed.cdf(y[3:], *params), q[3:], rtol=1e-12)
    drawn = mixed.sample(*params, size=20000, rng=0)
    assert np.mean(drawn == 0) == pytest.approx(0.3, abs=0.02)
    assert np.mean(drawn) == pytest.approx(mean, abs=0.05)
    assert float(mixed.var(*params)) == pytest.approx(np.var(drawn), rel=0.1)
    score = mixed.nll_grad(drawn, *params)[1]
    np.testing.assert_allclose(mixed.fisher(*params), np.cov(score), rtol=0.1, atol=0.05)


def test_a_window_around_an_atom():
    f, params = nl.Truncated("zero_inflated(weibull)", -1.0, 1.5), [0.7, 1.2, 0.3]
    inside = integrate.quad(lambda y: np.exp(-f.nll(y, *params)), 0, 1.5)[0]
    zero = np.exp(-f.nll(0.0, *params))
    assert inside + zero == pytest.approx(1, abs=1e-8)
    mean = integrate.quad(lambda y: y * np.exp(-f.nll(y, *params)), 0, 1.5)[0]
    square = integrate.quad(lambda y: y**2 * np.exp(-f.nll(y, *params)), 0, 1.5)[0]
    assert float(f.mean(*params)) == pytest.approx(mean, abs=1e-8)
    assert float(f.var(*params)) == pytest.approx(square - mean**2, abs=1e-8)
    assert f.ppf(zero / 2, *params) == 0.0
    assert np.mean(f.sample(*params, size=20000, rng=0) == 0) == pytest.approx(zero, abs=0.02)


def test_expected_values_of_many_rows():
    """Equal rows are integrated once, and rows apart from one another as each by itself."""
    f, loc = nl.Truncated("normal", lower=0.0), np.repeat(np.linspace(-3, 3, 150), 2)
    mean = f.mean(loc, 1.0)
    np.testing.assert_allclose(mean, stats.truncnorm(-loc, np.inf, loc=loc).mean(), rtol=1e-9)
    np.testing.assert_array_equal(mean[::2], mean[1::2])
    assert f.fisher(loc[:, None], np.ones(2)).shape == (2, 2, 300, 2)


def test_names_keep_the_options_of_families():
    f = nl.DiscretizedLogistic(bins=17)
    for g in (nl.Mixture(f, 2), nl.Truncated(f, upper=0.5), nl.ZeroInflated(nl.Fixed(f, scale=0.5))):
        assert "bins=17" in g.name and nl.family(g.name) == g
