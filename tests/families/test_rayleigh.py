"""Hand values of Rayleigh(scale)."""

import numpy as np
import pytest

import neglog as nl

f = nl.Rayleigh()


def test_raylike():
    """Octave's raylike(B, x)."""
    assert f.nll([1, 3, 2, 4, 5, 4, 3, 4], 3.25).sum() == pytest.approx(14.7442, abs=5e-5)


def test_it_is_the_weibull_of_shape_two():
    y = np.array([1e-9, 0.1, 3.0, 100.0])
    weibull = nl.Weibull()
    for method in ("nll", "log_cdf", "log_sf"):
        other = getattr(weibull, method)(y, 2.0, 3.0 * np.sqrt(2))
        np.testing.assert_allclose(getattr(f, method)(y, 3.0), other, rtol=1e-13)
    assert f.mean(3.0) == pytest.approx(weibull.mean(2.0, 3.0 * np.sqrt(2)), rel=1e-14)
    assert f.var(3.0) == pytest.approx(weibull.var(2.0, 3.0 * np.sqrt(2)), rel=1e-13)


def test_tails():
    assert f.log_sf(40.0, 1.0) == -800
    # z^2 / 2, although the square is below the numbers
    assert f.log_cdf(1e-200, 1.0) == pytest.approx(-400 * np.log(10) - np.log(2), rel=1e-15)
    assert f.log_cdf(40.0, 1.0) == 0
    assert f.nll(0.0, 1.0) == np.inf


def test_start_is_the_optimum_of_right_censored_rows():
    rows = nl.right_censored([1.0, 2.0, 3.0, 4.0], [1, 1, 0, 1])
    (scale,) = f.start(rows)
    assert scale == pytest.approx(np.sqrt(30 / 6), rel=1e-15)
    assert f.nll_grad(rows, scale)[1].sum() == pytest.approx(0, abs=1e-15)
