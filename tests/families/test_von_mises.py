"""Hand values of VonMises(loc, concentration), and angles from any turn."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import i0, ive

import neglog as nl

f = nl.VonMises()
TURN = 2 * np.pi


def test_by_hand():
    assert f.nll(0.3, 0.0, 2.0) == pytest.approx(np.log(TURN * i0(2.0)) - 2 * np.cos(0.3), rel=1e-15)


def test_against_scipy():
    y = np.linspace(-3, 3, 13)
    for concentration in (0.1, 2.0, 30.0):
        rival = stats.vonmises(concentration, loc=0.4)
        np.testing.assert_allclose(f.nll(y, 0.4, concentration), -rival.logpdf(y), rtol=1e-13)
        inside = np.abs(y - 0.4) < np.pi
        cdf = f.cdf(y[inside], 0.4, concentration)
        np.testing.assert_allclose(cdf, rival.cdf(y[inside]), atol=1e-13)  # scipy's has that absolute accuracy


def test_concentration_zero_is_uniform():
    value, grad, hess = f.nll_grad_hess(1.3, 0.4, 0.0)
    assert value == pytest.approx(np.log(TURN), rel=1e-15)
    np.testing.assert_allclose(grad, [0, -np.cos(0.9)], rtol=1e-14, atol=0)
    np.testing.assert_allclose(hess, [[0, -np.sin(0.9)], [-np.sin(0.9), 0.5]], rtol=1e-14)
    assert f.sf(1.3, 0.4, 0.0) == pytest.approx(0.5 - 0.9 / TURN, rel=1e-14)


def test_density_has_a_period():
    y = np.array([-3.0, 0.2, 2.9])
    for turns in (-3, 1, 50):
        np.testing.assert_allclose(f.nll(y + turns * TURN, 0.4, 3.0), f.nll(y, 0.4, 3.0), rtol=1e-12)


def test_arcs():
    low, high = 2.0, 5.5  # through the antimode, and on from there
    pieces = f.sf(low, 0.4, 3.0), f.cdf(high - TURN, 0.4, 3.0)
    for turns in (-2, 0, 1):
        arc = np.exp(f.log_interval(low + turns * TURN, high + turns * TURN, 0.4, 3.0))
        assert arc == pytest.approx(sum(pieces), rel=1e-13)
    assert f.log_interval(1.0, 1.0 + 6.3, 0.4, 3.0) == 0  # all the way round
    assert np.exp(f.log_interval(-0.6, 1.4, 0.4, 3.0)) == pytest.approx(1 - 2 * f.sf(1.4, 0.4, 3.0), rel=1e-13)


def test_variance():
    # E[(y - loc)^2] from the Fourier series of the square
    j = np.arange(1, 60)
    for concentration in (0.3, 2.0, 9.0, 12.0, 20.0):
        ratio = ive(j, concentration) / ive(0, concentration)
        expected = np.pi**2 / 3 + 4 * np.sum((-1.0) ** j * ratio / j**2)
        assert f.var(1.0, concentration) == pytest.approx(expected, rel=1e-12)


def test_large_concentrations_are_normal():
    z = np.array([-8.0, -1.0, 0.0, 2.0, 8.0])
    for way in ("log_cdf", "log_sf"):
        got = getattr(f, way)(1 + z * 1e-8, 1.0, 1e16)
        np.testing.assert_allclose(got, getattr(nl.Normal(), way)(1 + z * 1e-8, 1.0, 1e-8), rtol=1e-6)


def test_fit_of_angles_from_different_turns():
    y = f.sample(2.8, 3.0, size=500, rng=1)
    one, other = nl.fit("von_mises", y), nl.fit("von_mises", np.mod(y, TURN))
    assert one.ok
    assert other.ok
    assert np.cos(one.params["loc"] - other.params["loc"]) == pytest.approx(1, abs=1e-12)
    assert one.params["concentration"] == pytest.approx(other.params["concentration"], rel=1e-6)
