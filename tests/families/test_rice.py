"""Hand values of Rice(nu, scale)."""

import numpy as np
import pytest
from scipy import stats

import neglog as nl

f = nl.Rice()


def test_ricelike():
    """Octave's ricelike([nu, scale], 1:50)."""
    assert f.nll(np.arange(1.0, 51), 15.3057344, 17.6668458).sum() == pytest.approx(204.5230311010569, rel=1e-14)


def test_rayleigh_is_nu_zero():
    y = np.array([1e-6, 0.3, 1.0, 9.0])
    np.testing.assert_allclose(f.nll(y, 0.0, 1.3), y**2 / 2 / 1.69 - np.log(y / 1.69), rtol=1e-14)
    np.testing.assert_allclose(f.log_sf(y, 0.0, 1.3), -(y**2) / 2 / 1.69, rtol=1e-13)
    _, grad, hess = f.nll_grad_hess(2.0, 0.0, 1.3)
    assert grad[0] == 0
    assert hess[0, 0] == pytest.approx((1 - 2 / 1.69) / 1.69, rel=1e-14)
    assert f.mean(0.0, 1.3) == pytest.approx(1.3 * np.sqrt(np.pi / 2), rel=1e-15)
    assert f.var(0.0, 1.3) == pytest.approx(1.69 * (2 - np.pi / 2), rel=1e-14)


def test_marcum_q_by_bessel_functions():
    """Q(a, a) = (1 + exp(-a^2) I0(a^2)) / 2 (Marcum 1950)."""
    from scipy.special import i0e

    for a in (0.1, 1.0, 3.0, 40.0):
        assert f.sf(a, a, 1.0) == pytest.approx((1 + i0e(a * a)) / 2, rel=1e-13)


def test_against_scipy():
    ratio, y = np.meshgrid([0.1, 1.0, 3.0], [0.2, 1.3, 8.0])
    np.testing.assert_allclose(f.nll(y, ratio * 1.7, 1.7), -stats.rice.logpdf(y, ratio, 0, 1.7), rtol=1e-12)
    np.testing.assert_allclose(f.cdf(y, ratio * 1.7, 1.7), stats.rice.cdf(y, ratio, 0, 1.7), rtol=1e-11)
    np.testing.assert_allclose(f.mean(ratio * 1.7, 1.7), stats.rice.mean(ratio, 0, 1.7), rtol=1e-13)
    np.testing.assert_allclose(f.var(ratio * 1.7, 1.7), stats.rice.var(ratio, 0, 1.7), rtol=1e-12)


def test_normal_is_its_limit():
    assert f.nll(1e9 + 2, 1e9, 1.0) == pytest.approx(nl.Normal().nll(2.0, 0.0, 1.0), abs=1e-8)
    assert f.mean(1e9, 1.0) == 1e9
    assert f.var(1e9, 1.0) == pytest.approx(1, rel=1e-15)
    # both sides of the switches to asymptotic series
    for switch in (100.0, 200.0):
        for moment in (f.mean, f.var):
            assert moment(switch * (1 + 1e-12), 1.0) == pytest.approx(moment(switch * (1 - 1e-12), 1.0), rel=1e-11)


def test_both_branches_of_the_bessel_function():
    """y nu / scale^2 = 8 from both sides, to the Hessian."""
    left, right = (f.nll_grad_hess(y, 1.0, 1.0) for y in (8.0, np.nextafter(8.0, 9.0)))
    for a, b in zip(left, right, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_zero():
    assert f.nll(0.0, 1.0, 1.0) == np.inf
    assert f.log_cdf(0.0, 1.0, 1.0) == -np.inf
    # y^2 / 2 exp(-nu^2 / 2) near 0
    assert f.log_cdf(1e-150, 2.0, 1.0) == pytest.approx(2 * np.log(1e-150) - np.log(2) - 2, rel=1e-14)


def test_reference_at_nu_zero():
    """torch's i0e has no slope at 0."""
    torch = pytest.importorskip("torch")
    for nu in (0.0, 1e-4, 8e-4, 1.1e-3, 3.0):
        params = torch.tensor([nu, 1.1], dtype=torch.float64)
        y = torch.tensor(1.3, dtype=torch.float64)
        hess = torch.autograd.functional.hessian(lambda p, y=y: f.reference(torch, y, *p), params)
        np.testing.assert_allclose(hess, f.nll_grad_hess(1.3, *params.numpy())[2], rtol=1e-11, atol=1e-14)
