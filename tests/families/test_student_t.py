"""Hand values of StudentT(df, loc, scale), and how it becomes the normal distribution."""

import numpy as np
import pytest
from scipy import stats

import neglog as nl

f = nl.StudentT()


def test_published_values():
    value, grad = f.nll_grad(1.3, 3.0, 0.4, 0.8)
    assert value == pytest.approx(stats.t(3, 0.4, 0.8).logpdf(1.3) * -1, rel=1e-14)
    # residual 0.9, df 3, scale 0.8: value and gradient in loc, log scale, log df, to the digits printed
    assert value == pytest.approx(1.481698144624, abs=2e-12)
    np.testing.assert_allclose(
        [grad[1], grad[2] * 0.8, grad[0] * 3], [-1.3186813187, -0.1868131868, -0.1448835004], atol=1e-10
    )


def test_one_degree_is_cauchy():
    z = np.array([-1e200, -1e8, -2.0, -0.3, 0.0, 1e-300, 0.3, 5.0, 1e16])
    np.testing.assert_allclose(f.nll(z, 1.0, 0.0, 1.0), np.log(np.pi) + 2 * np.log(np.hypot(1, z)), rtol=1e-14)
    smaller = np.arctan2(1, np.abs(z)) / np.pi
    expected = np.where(z < 0, np.log1p(-smaller), np.log(smaller))
    np.testing.assert_allclose(f.log_sf(z, 1.0, 0.0, 1.0), expected, rtol=1e-13)


def test_two_degrees_have_a_closed_form():
    z = np.array([-50.0, -0.67, 0.0, 0.6, 0.7, 3.0])
    np.testing.assert_allclose(f.sf(z, 2.0, 0.0, 1.0), 0.5 * (1 - z / np.sqrt(2 + z * z)), rtol=1e-13)


@pytest.mark.parametrize("z", [-9.0, -0.5, 0.0, 0.6, 0.75, 4.0, 40.0])
@pytest.mark.parametrize("kind", ["nll", "log_cdf", "log_sf"])
def test_becomes_normal(z, kind):
    """Value, gradient and Hessian in loc and scale; those in df vanish like 1 / df^2 and 1 / df^3."""
    exact = getattr(nl.Normal(), f"{kind}_grad_hess")(z, 0.0, 1.0)
    size = max(1, z**4)
    for df in (1e8, 1e12, 1e300):
        value, grad, hess = getattr(f, f"{kind}_grad_hess")(z, df, 0.0, 1.0)
        np.testing.assert_allclose(value, exact[0], rtol=2 * size / df + 1e-13)
        np.testing.assert_allclose(grad[1:], exact[1], rtol=4 * size / df + 1e-13, atol=4 * size / df)
        np.testing.assert_allclose(hess[1:, 1:], exact[2], rtol=8 * size / df + 1e-11, atol=8 * size / df)
    slope, other = (getattr(f, f"{kind}_grad_hess")(z, df, 0.0, 1.0)[1][0] * df**2 for df in (1e8, 1e12))
    np.testing.assert_allclose(slope, other, rtol=1e-3, atol=1e-9)
    bend = getattr(f, f"{kind}_grad_hess")(z, 1e8, 0.0, 1.0)[2][0, 0] * 1e24
    np.testing.assert_allclose(bend, -2 * slope, rtol=1e-3, atol=1e-9)  # of c / df


def test_expansion_in_the_number_of_degrees():
    # d nll / d df = (z^4 - 2 z^2 - 1) / (4 df^2) + O(df^-3)
    z = np.array([0.0, 0.5, 3.0])
    np.testing.assert_allclose(f.nll_grad(z, 1e9, 0.0, 1.0)[1][0], (z**4 - 2 * z**2 - 1) / 4e18, rtol=1e-7)


def test_both_sides_of_the_switch_between_formulas():
    z = np.sqrt(0.45) * (1 + np.array([-1e-12, 1e-12]))
    for df in (0.5, 7.0, 1e9):
        for sign in (-1, 1):
            for part in f.log_sf_grad_hess(sign * z, df, 0.0, 1.0):
                np.testing.assert_allclose(part[..., 0], part[..., 1], rtol=1e-9, atol=1e-13 / df)


def test_moments_that_do_not_exist():
    np.testing.assert_array_equal(np.isnan(f.mean([0.5, 1.0, 1.5], 2.0, 1.0)), [True, True, False])
    assert np.isnan(f.var(1.0, 0.0, 1.0))
    assert f.var(1.5, 0.0, 1.0) == np.inf
    assert f.var(4.0, 0.0, 3.0) == 18


def test_far_beyond():
    # the tail is that of a power law, c z^-df, whatever the scale
    value, grad, hess = f.log_sf_grad_hess([1e100, 1e200], 2.5, 0.0, 1.0)
    assert value[1] - value[0] == pytest.approx(-250 * np.log(10), rel=1e-13)
    np.testing.assert_allclose(grad[2], 2.5, rtol=1e-13)
    np.testing.assert_allclose(hess[2, 2], -2.5, rtol=1e-12)
