"""Hand values of GumbelMin(loc, scale), of minima."""

import numpy as np
import pytest

import neglog as nl

f = nl.GumbelMin()


def test_evlike():
    """MATLAB's evlike([mu, sigma], x)."""
    x = np.arange(1.0, 51)
    value, _, hess = f.nll_grad_hess(x, 21.0, 15.0)
    assert value.sum() == pytest.approx(223.7612479380652, rel=1e-14)
    np.testing.assert_allclose(
        np.linalg.inv(hess.sum(-1)),
        [[11.73913876598908, -5.954612852312121], [-5.954612852312121, 3.708060045170236]],
        rtol=1e-12,
    )
    assert f.nll(x / 2, 2.3, 1.2).sum() == pytest.approx(481898704.0472211, rel=1e-14)


def test_it_is_the_mirror_image_of_maxima():
    y = np.array([-40.0, -1.0, 0.3, 4.0])
    flip = np.array([-1.0, 1.0])
    mirror = nl.Gumbel()
    for ours, theirs in (("nll", "nll"), ("log_cdf", "log_sf"), ("log_sf", "log_cdf")):
        value, grad, hess = getattr(f, f"{ours}_grad_hess")(y, 0.7, 1.3)
        other, other_grad, other_hess = getattr(mirror, f"{theirs}_grad_hess")(-y, -0.7, 1.3)
        np.testing.assert_array_equal(value, other)
        np.testing.assert_array_equal(grad, flip[:, None] * other_grad)
        np.testing.assert_array_equal(hess, np.outer(flip, flip)[..., None] * other_hess)


def test_it_is_the_logarithm_of_a_weibull():
    y = np.array([-3.0, 0.2, 1.1])
    weibull = nl.Weibull()
    np.testing.assert_allclose(
        f.nll(y, np.log(2.0), 1 / 1.5), weibull.nll(np.exp(y), shape=1.5, scale=2.0) - y, rtol=1e-14
    )
    np.testing.assert_allclose(f.log_cdf(y, np.log(2.0), 1 / 1.5), weibull.log_cdf(np.exp(y), 1.5, 2.0), rtol=1e-14)
