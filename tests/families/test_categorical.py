"""Hand values of Categorical(logits)."""

import numpy as np
import pytest

import neglog as nl

f = nl.Categorical()
Z = np.array([[2.0, 1.0, 0.1], [0.5, -1.0, 0.3], [-0.2, 0.4, 3.0], [5.0, 4.0, 2.0]])
Y = np.array([0, 2, 1, 0])


def test_values():
    expected = np.log(np.exp(Z).sum(-1)) - Z[np.arange(4), Y]
    np.testing.assert_allclose(f.nll(Y, Z), expected, rtol=1e-14)
    p = np.exp(Z) / np.exp(Z).sum(-1, keepdims=True)
    np.testing.assert_allclose(f.nll_grad(Y, Z)[1], p - np.eye(3)[Y], rtol=1e-14)


def test_confident_and_right_keeps_its_digits():
    small = 4.248354255291589e-18
    value, grad, hess = f.nll_grad_hess(0, [40.0, 0.0])
    assert value == pytest.approx(small, rel=1e-15)
    np.testing.assert_allclose(grad, [-small, small], rtol=1e-15)
    np.testing.assert_allclose(hess, [[small, -small], [-small, small]], rtol=1e-15)
    np.testing.assert_allclose(f.hess_matvec(0, [40.0, 0.0], [1.0, 0.0]), [small, -small], rtol=1e-15)
    np.testing.assert_allclose(f.var([40.0, 0.0]), [small, small], rtol=1e-15)


def test_masked_classes():
    value, grad, hess = f.nll_grad_hess([0, 1], [0.0, -np.inf, 0.0])
    np.testing.assert_allclose(value, [np.log(2), np.inf])
    np.testing.assert_array_equal(grad, [[-0.5, 0, 0.5], [0.5, -1, 0.5]])
    assert not hess[:, 1].any()
    with np.errstate(invalid="ignore"):
        assert np.isnan(f.nll(0, [-np.inf, -np.inf]))
        assert np.isnan(f.mean([-np.inf, -np.inf])).all()


def test_rows_and_classes_broadcast():
    assert f.nll(np.zeros((5, 1), int), np.zeros((4, 3))).shape == (5, 4)
    assert f.nll_grad(np.zeros((5, 1), int), np.zeros((4, 3)))[1].shape == (5, 4, 3)
    with pytest.raises(nl.ShapeError, match=r"logits of shape \(\); allowed: \(..., C\)"):
        f.nll(0, 1.0)


def test_what_is_no_class_is_impossible():
    value, grad = f.nll_grad([-1, 3, 1.5, np.nan, 2], np.zeros(3))
    np.testing.assert_array_equal(value[:3], np.inf)
    assert np.isnan(value[3])
    assert value[4] == pytest.approx(np.log(3))
    assert np.isnan(grad[:4]).all()


def test_vector_by_name():
    np.testing.assert_array_equal(f.hess_matvec(Y, logits=Z, v=np.ones((4, 3))), f.hess_matvec(Y, Z, np.ones((4, 3))))
    np.testing.assert_allclose(f.hess_matvec(Y, Z, np.ones((4, 3))), 0, atol=1e-16)
