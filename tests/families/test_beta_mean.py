"""Hand values of BetaMean(mean, precision)."""

import numpy as np
import pytest

import neglog as nl

f = nl.BetaMean()


@pytest.mark.parametrize("kind", ["nll", "log_cdf", "log_sf"])
@pytest.mark.parametrize("precision", [0.5, 6.0])
def test_is_beta_by_another_name(kind, precision):
    m, y = 0.3, np.array([1e-9, 0.2, 0.31, 0.9])
    jacobian = np.array([[precision, m], [-precision, 1 - m]])  # of (a, b) in (mean, precision)
    value, grad, hess = getattr(f, f"{kind}_grad_hess")(y, m, precision)
    v, g, h = getattr(nl.Beta(), f"{kind}_grad_hess")(y, m * precision, (1 - m) * precision)
    np.testing.assert_allclose(value, v, rtol=1e-14)
    np.testing.assert_allclose(grad, np.einsum("ai,ak->ik", jacobian, g), rtol=1e-12, atol=1e-15)
    second = np.einsum("ai,abk,bj->ijk", jacobian, h, jacobian)
    second[0, 1] += g[0] - g[1]
    second[1, 0] += g[0] - g[1]
    np.testing.assert_allclose(hess, second, rtol=1e-11, atol=1e-14)


def test_large_precisions_do_not_cancel():
    # normal with variance m (1 - m) / n: d nll / dn = (z^2 - 1) / (2 n) + O(n^-3/2)
    n, m, z = 1e14, 0.25, np.array([0.0, 0.5, 2.0])
    y = m + z * np.sqrt(m * (1 - m) / n)
    z = (y - m) / np.sqrt(m * (1 - m) / n)
    _, grad, hess = f.nll_grad_hess(y, m, n)
    np.testing.assert_allclose(grad[1] * 2 * n, z * z - 1, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(hess[1, 1] * 2 * n * n, 1, rtol=1e-12)
