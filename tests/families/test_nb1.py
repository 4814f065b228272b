"""Hand values of NB1(mean, alpha)."""

import numpy as np
import pytest

import neglog as nl

f = nl.NB1()


@pytest.mark.parametrize("kind", ["nll", "log_cdf", "log_sf"])
@pytest.mark.parametrize("k", [0.0, 1.0, 7.0, 60.0])
def test_continuous_at_alpha_zero(kind, k):
    for mean in (0.3, 9.0):
        exact = getattr(nl.Poisson(), f"{kind}_grad_hess")(k, mean)
        zero = getattr(f, f"{kind}_grad_hess")(k, mean, 0.0)
        np.testing.assert_allclose(zero[0], exact[0], rtol=1e-12)
        np.testing.assert_allclose(zero[1][0], exact[1][0], rtol=1e-12)
        np.testing.assert_allclose(zero[2][0, 0], exact[2][0, 0], rtol=1e-10)
        for alpha in (1e-300, 1e-12, 1e-9):
            size = 1e-13 + 1e6 * alpha
            for a, b in zip(zero, getattr(f, f"{kind}_grad_hess")(k, mean, alpha), strict=True):
                np.testing.assert_allclose(b, a, rtol=size, atol=size * np.abs(a).max())


def test_sums_of_independent_counts():
    # NB1 with one alpha is closed under sums: the mass of 3 from means 1 and 2 is that of mean 3
    k = np.arange(4)
    mass = np.exp(-f.nll(k, 1.0, 0.7)) @ np.exp(-f.nll(k[::-1], 2.0, 0.7))
    assert f.nll(3, 3.0, 0.7) == pytest.approx(-np.log(mass), rel=1e-14)
