"""Fits of several numbers per row: the closed form, and the standard errors that go with it."""

from __future__ import annotations

import numpy as np
import pytest

import neglog as nl
from neglog.errors import DataError, InputError, ShapeError

RNG = np.random.default_rng(3)
FACTOR = np.array([[2.0, 0.0, 0.0], [0.5, 1.0, 0.0], [-300.0, 20.0, 100.0]])
Y = [1e4, 0.0, -5.0] + RNG.normal(size=(400, 3)) @ FACTOR.T


def test_maximum_is_mean_and_covariance():
    r = nl.fit("multivariate_normal", Y)
    assert r.ok
    assert list(r.params)[:5] == ["loc.0", "loc.1", "loc.2", "cholesky.0.0", "cholesky.1.0"]
    theta = r.predict(1, kind="params")
    np.testing.assert_allclose(theta["loc"][0], Y.mean(0), rtol=1e-13)
    factor = theta["cholesky"][0]
    np.testing.assert_allclose(factor @ factor.T, np.cov(Y.T, bias=True), rtol=1e-10)
    # of a mean the standard error is the standard deviation over sqrt(n)
    np.testing.assert_allclose(r.errors[:3], Y.std(0) / 20, rtol=1e-10)
    assert r.stderr["cholesky.0.0"] == pytest.approx(Y[:, 0].std() / np.sqrt(800), rel=1e-8)
    # log-likelihood at the maximum: -n/2 (D log(2 pi e) + log det)
    _, log_det = np.linalg.slogdet(np.cov(Y.T, bias=True))
    assert r.loglik == pytest.approx(-200 * (3 * np.log(2 * np.pi * np.e) + log_det), rel=1e-13)
    np.testing.assert_array_equal(r.predict(), np.tile(theta["loc"][0], (400, 1)))


@pytest.mark.parametrize("kind", ["expected", "opg", "sandwich"])
def test_other_information(kind):
    r, other = nl.fit("multivariate_normal", Y), nl.fit("multivariate_normal", Y, cov_type=kind)
    np.testing.assert_allclose(other.errors, r.errors, rtol=0.2)
    if kind == "expected":  # at the maximum they are the same
        np.testing.assert_allclose(other.cov, r.cov, rtol=1e-6, atol=1e-9 * np.abs(r.cov).max())


def test_weights_are_repeats():
    weight = np.arange(400) % 3
    a, b = nl.fit("multivariate_normal", Y, weights=weight), nl.fit("multivariate_normal", np.repeat(Y, weight, axis=0))
    np.testing.assert_allclose(a.values, b.values, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(a.errors, b.errors, rtol=1e-7)
    assert a.nobs == b.nobs


def test_fixed_entries():
    r = nl.fit("multivariate_normal", Y, fixed={"cholesky.1.0": 0.0, "loc.1": 0.0})
    assert r.ok
    assert r.stderr["cholesky.1.0"] == 0.0
    assert r.params["cholesky.0.0"] == pytest.approx(Y[:, 0].std(), rel=1e-9)
    assert r.params["cholesky.1.1"] == pytest.approx(np.sqrt(np.mean(Y[:, 1] ** 2)), rel=1e-9)


def test_saved_and_missing(tmp_path):
    holes = Y.copy()
    holes[3, 1] = np.nan
    with pytest.raises(DataError, match="rows 3"):
        nl.fit("multivariate_normal", holes)
    r = nl.fit("multivariate_normal", holes, missing="drop")
    assert r.dropped == 1
    r.to_json(tmp_path / "fit.json")
    np.testing.assert_array_equal(nl.load(tmp_path / "fit.json").predict(2), r.predict(2))


def test_a_direction_without_spread_has_no_maximum():
    for third in (Y[:, :2].sum(axis=1), np.ones(400)):
        with pytest.raises(DataError, match="column 2 of the response is a linear combination"):
            nl.fit("multivariate_normal", np.column_stack([Y[:, :2], third]))
    with pytest.raises(DataError, match="column 1"):
        nl.fit("multivariate_normal", Y[:2])


def test_what_has_no_meaning():
    with pytest.raises(ShapeError, match=r"allowed: \(n, D\)"):
        nl.fit("multivariate_normal", Y[:, 0])
    with pytest.raises(InputError, match="takes no covariates"):
        nl.fit("multivariate_normal", Y, Y[:, :1])
    with pytest.raises(InputError, match="no window"):
        nl.fit("multivariate_normal", Y, truncation=(0, None))
    with pytest.raises(InputError, match="several numbers"):
        nl.fit("multivariate_normal", Y).residuals()
    with pytest.raises(DataError, match="row 2"):
        nl.fit("multivariate_normal", np.where(np.arange(400)[:, None] == 2, np.inf, Y))
    with pytest.raises(InputError, match="beyond 20"):
        nl.fit("multivariate_normal", RNG.normal(size=(60, 21)))
