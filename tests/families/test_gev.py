"""Hand values of GEV(shape, loc, scale)."""

import numpy as np
import pytest
from scipy import stats

import neglog as nl

f = nl.GEV()


def test_published_values():
    assert f.nll(1.7, 0.1, 0.0, 1.0) == pytest.approx(1.9350786201916166, rel=1e-14)


def test_gevlike():
    """The examples of Octave's gevlike([shape, scale, loc], 1): nlogL and observed information, printed to 5 digits."""
    assert f.nll(1.0, 0.2, 0.5, 0.3) == pytest.approx(0.75942, abs=5e-6)
    assert f.nll(1.0, 0.0, 0.5, 0.3) == pytest.approx(0.65157, abs=5e-6)
    order = np.array([0, 2, 1])
    for shape, information in (
        (0.2, [[-0.12547, 1.77884, 1.06731], [1.77884, 16.40761, 8.48877], [1.06731, 8.48877, 0.27979]]),
        (0.0, [[0.090036, 3.41229, 2.047337], [3.41229, 24.760027, 12.510190], [2.047337, 12.510190, 2.098618]]),
    ):
        hess = f.nll_grad_hess(1.0, shape, 0.5, 0.3)[2]
        np.testing.assert_allclose(hess[np.ix_(order, order)], information, rtol=2e-5, atol=6e-6)


@pytest.mark.parametrize("call", ["nll", "log_cdf", "log_sf"])
@pytest.mark.parametrize("y", [-2.0, 0.3, 0.6, 3.0, 25.0])
def test_continuity_through_gumbel(call, y):
    """Value, gradient and Hessian approach those at shape = 0 from both sides, at the rate of the next derivative."""
    function = getattr(f, f"{call}_grad_hess")
    at_zero, beside = function(y, 0.0, 0.3, 2.0), [function(y, k, 0.3, 2.0) for k in (-1e-3, 1e-3)]
    for k in (1e-5, 1e-8, 1e-12, 1e-16, 1e-100, 1e-310):
        for output, middle in enumerate(at_zero):
            rate = max(np.abs(other[output] - middle).max() for other in beside) / 1e-3
            for side in (-k, k):
                distance = np.abs(function(y, side, 0.3, 2.0)[output] - middle).max()
                assert distance <= 2 * rate * k + 1e-15 * np.abs(middle).max(), side


def test_gumbel_is_shape_zero():
    y = np.array([-3.0, 0.0, 2.0, 30.0])
    z = (y - 1) / 2
    np.testing.assert_allclose(f.nll(y, 0.0, 1.0, 2.0), z + np.exp(-z) + np.log(2), rtol=1e-15)
    assert f.mean(0.0, 1.0, 2.0) == pytest.approx(1 + 2 * np.euler_gamma, rel=1e-15)
    assert f.var(0.0, 1.0, 2.0) == pytest.approx(4 * np.pi**2 / 6, rel=1e-15)
    # moments are smooth there, too: differences of gamma functions would have no digit left
    for k in (1e-200, 1e-9, -1e-9):
        assert f.mean(k, 1.0, 2.0) == pytest.approx(f.mean(0.0, 1.0, 2.0), rel=1e-8)
        assert f.var(k, 1.0, 2.0) == pytest.approx(f.var(0.0, 1.0, 2.0), rel=1e-8)


def test_weibull_of_minima():
    """With shape -1/a, -Y - s a is -Weibull(a, s a): the two families share their tails."""
    a, s = 2.5, 1.3
    for distance in (1e-6, 0.4, 3.0):
        assert f.log_cdf(s * a - distance, -1 / a, 0.0, s) == pytest.approx(
            nl.Weibull().log_sf(distance, a, s * a), rel=1e-9
        )


def test_beyond_the_ends():
    low, high = 0.0 - 2.0 / 0.5, 0.0 + 2.0 / 0.5
    for y in (low, low - 3):
        assert f.nll(y, 0.5, 0.0, 2.0) == np.inf
        assert f.log_cdf(y, 0.5, 0.0, 2.0) == -np.inf
        assert f.log_sf(y, 0.5, 0.0, 2.0) == 0
    for y in (high, high + 3):
        assert f.nll(y, -0.5, 0.0, 2.0) == np.inf
        assert f.log_cdf(y, -0.5, 0.0, 2.0) == 0
        assert f.log_sf(y, -0.5, 0.0, 2.0) == -np.inf
    assert f.log_interval(low - 2, low - 1, 0.5, 0.0, 2.0) == -np.inf
    assert f.log_interval(high + 1, high + 2, -0.5, 0.0, 2.0) == -np.inf
    assert f.log_interval(low - 2, 1.0, 0.5, 0.0, 2.0) == f.log_cdf(1.0, 0.5, 0.0, 2.0)
    assert f.ppf(0.0, 0.5, 0.0, 2.0) == low
    assert f.ppf(1.0, -0.5, 0.0, 2.0) == high


def test_moments_that_do_not_exist():
    np.testing.assert_array_equal(np.isfinite(f.mean([0.9, 1.0, 2.0], 0.0, 1.0)), [True, False, False])
    np.testing.assert_array_equal(np.isfinite(f.var([0.4, 0.5, 2.0], 0.0, 1.0)), [True, False, False])
    assert np.isinf(np.diag(f.fisher(-0.5, 0.0, 1.0))).all()


def test_against_scipy():
    k, y = np.meshgrid([-0.3, 0.0, 0.2, 0.7], [-1.0, 0.7, 2.9])
    np.testing.assert_allclose(f.nll(y, k, 0.4, 1.3), -stats.genextreme.logpdf(y, -k, 0.4, 1.3), rtol=1e-12)
    np.testing.assert_allclose(f.mean(k, 0.4, 1.3), stats.genextreme.mean(-k, 0.4, 1.3), rtol=1e-10)
    np.testing.assert_allclose(f.var(0.2, 0.4, 1.3), stats.genextreme.var(-0.2, 0.4, 1.3), rtol=1e-10)


def test_fisher_information_on_both_sides_of_its_switch():
    left, right = (f.fisher(-0.25 * (1 + side * 1e-12), 0.3, 1.7) for side in (1, -1))
    np.testing.assert_allclose(left, right, rtol=1e-10)
    # loc: (1 + k)^2 Gamma(1 + 2 k) / scale^2, which grows without limit towards k = -1/2
    assert f.fisher(-0.499, 0.0, 1.0)[1, 1] == pytest.approx(0.501**2 * 499.424758825011, rel=1e-12)


def test_reference_through_shape_zero():
    torch = pytest.importorskip("torch")
    for k in (0.0, 1e-8, -1e-3, 0.0499, 0.0501):
        params = torch.tensor([k, 0.2, 0.9], dtype=torch.float64)
        y = torch.tensor(1.3, dtype=torch.float64)
        hess = torch.autograd.functional.hessian(lambda p, y=y: f.reference(torch, y, *p), params)
        np.testing.assert_allclose(hess, f.nll_grad_hess(1.3, *params.numpy())[2], rtol=1e-11)
