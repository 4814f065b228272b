"""Values of MultivariateNormal(loc, cholesky) computed elsewhere, and its derivatives in other words."""

import numpy as np
import pytest
from scipy import stats

import neglog as nl

f = nl.MultivariateNormal()
COV = np.array([[1.0, 0.3], [0.3, 0.5]])
LOC = np.array([0.1, -0.2])
FACTOR = np.linalg.cholesky(COV)
RNG = np.random.default_rng(4)


def test_hand_value():
    assert f.nll([0.7, 0.4], LOC, FACTOR) == pytest.approx(1.787199957986966, rel=1e-15)


def test_against_scipy():
    cov = np.cov(RNG.normal(size=(5, 30)))
    y, loc = RNG.normal(size=(7, 5)), RNG.normal(size=5)
    expected = -stats.multivariate_normal(loc, cov).logpdf(y)
    np.testing.assert_allclose(f.nll(y, loc, np.linalg.cholesky(cov)), expected, rtol=1e-13)


def test_one_dimension_is_normal():
    y = np.array([-3.0, 0.4, 40.0])
    value, grad, hess = f.nll_grad_hess(y[:, None], [0.5], [[2.0]])
    one = nl.Normal().nll_grad_hess(y, 0.5, 2.0)
    np.testing.assert_allclose(value, one[0], rtol=1e-15)
    np.testing.assert_allclose(grad, one[1].T, rtol=1e-14)
    np.testing.assert_allclose(hess, np.moveaxis(one[2], 2, 0), rtol=1e-14)
    np.testing.assert_allclose(f.fisher([0.5], [[2.0]]), nl.Normal().fisher(0.5, 2.0), rtol=1e-15)


def test_a_diagonal_factor_is_independent_normals():
    y, scale = RNG.normal(size=(6, 3)), np.array([0.5, 1.0, 20.0])
    value, grad, hess = f.nll_grad_hess(y, [0.0, 1.0, 2.0], np.diag(scale))
    one = nl.Normal().nll_grad_hess(y, [0.0, 1.0, 2.0], scale)
    np.testing.assert_allclose(value, one[0].sum(-1), rtol=1e-14)
    diagonal = [3, 5, 8]  # of the lower triangle, behind three means
    np.testing.assert_allclose(grad[:, :3], one[1][0], rtol=1e-14)
    np.testing.assert_allclose(grad[:, diagonal], one[1][1], rtol=1e-12)
    np.testing.assert_allclose(hess[:, diagonal, diagonal], one[2][1, 1], rtol=1e-12)
    np.testing.assert_allclose(hess[:, [0, 1, 2], diagonal], one[2][0, 1], rtol=1e-14)


def test_ill_conditioned_factors_are_solved_not_inverted():
    """Against mpmath, for a covariance with condition number 1e16."""
    from mpmath import mp

    factor = np.array([[1.0, 0.0, 0.0], [1.0, 1e-8, 0.0], [1.0, 1e-8, 1e-4]])
    y = np.array([0.3, 0.3 + 2e-8, 0.3 - 1e-4])
    with mp.workdps(60):
        z = mp.lu_solve(mp.matrix(factor.tolist()), mp.matrix(y.tolist()))
        exact = mp.fsum(v * v for v in z) / 2 + 1.5 * mp.log(2 * mp.pi) + sum(mp.log(v) for v in (1, 1e-8, 1e-4))
    # the observation itself is known to 2^-53 * 0.3, which is 4e-9 of its distance in units of 1e-8
    assert f.nll(y, np.zeros(3), factor) == pytest.approx(float(exact), rel=1e-8)


def test_fisher_is_the_variance_of_the_score():
    y = f.sample(LOC, FACTOR, size=200_000, rng=6)
    _, grad, hess = f.nll_grad_hess(y, LOC, FACTOR)
    fisher = f.fisher(LOC, FACTOR)
    size = np.sqrt(np.outer(np.diag(fisher), np.diag(fisher)))
    np.testing.assert_array_less(np.abs(np.cov(grad.T) - fisher) / size, 0.03)
    np.testing.assert_array_less(np.abs(hess.mean(0) - fisher) / size, 0.03)
    np.testing.assert_array_less(np.abs(grad.mean(0)) / np.sqrt(np.diag(fisher)), 0.01)


def test_moments_and_draws():
    y = f.sample(LOC, FACTOR, size=50_000, rng=7)
    np.testing.assert_array_equal(f.mean(LOC, FACTOR), LOC)
    np.testing.assert_allclose(f.var(LOC, FACTOR), np.diag(COV), rtol=1e-15)
    np.testing.assert_allclose(f.cov(LOC, FACTOR), COV, rtol=1e-15)
    np.testing.assert_allclose(y.mean(0), LOC, atol=0.02)
    np.testing.assert_allclose(np.cov(y.T), COV, atol=0.03)
    whitened = np.linalg.solve(FACTOR, (y[:4000] - LOC).T)
    assert stats.kstest(stats.chi2(2).cdf((whitened**2).sum(0)), "uniform").pvalue > 1e-4
    assert f.mean(LOC, np.stack([FACTOR] * 3)).shape == (3, 2)


def test_start_is_the_maximum():
    y = f.sample(LOC, FACTOR, size=50, rng=8)
    loc, factor = f.start(y)
    np.testing.assert_allclose(loc, y.mean(0), rtol=1e-14)
    np.testing.assert_allclose(factor @ factor.T, np.cov(y.T, bias=True), rtol=1e-12)
    np.testing.assert_allclose(f.nll_grad(y, loc, factor)[1].sum(0), 0, atol=1e-11)
    # a direction without spread, fewer rows than columns, one row
    for rows in (np.column_stack([y, y.sum(1)]), y[:1], np.tile(y[:2], (1, 3)), np.zeros((3, 2))):
        assert np.isfinite(f.nll(rows, *f.start(rows))).all()


def test_what_is_refused():
    with pytest.raises(nl.ParameterError, match=r"cholesky = 0.3 at position \(0, 1\).*lower triangular"):
        f.nll(LOC, LOC, COV)
    with pytest.raises(nl.ParameterError, match=r"cholesky = 0 at position \(1, 1\).*positive diagonal"):
        f.nll(LOC, LOC, [[1.0, 0.0], [1.0, 0.0]])
    assert f.nll(LOC, LOC, COV, check=False) == np.inf
    assert np.isnan(f.nll(LOC, LOC * np.nan, FACTOR, check=False))
    with pytest.raises(nl.ShapeError, match="their last axes must be equal"):
        f.nll(0.5, LOC, FACTOR)
    with pytest.raises(nl.ShapeError, match=r"allowed: \(..., D\) and \(..., D, D\)"):
        f.nll(LOC, LOC, np.eye(3))
    with pytest.raises(nl.InputKindError, match="censored"):
        f.nll(nl.interval(LOC, LOC + 1), LOC, FACTOR)
    with pytest.raises(nl.ShapeError, match=r"\(n, D\)"):
        f.start(LOC)
