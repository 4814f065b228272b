"""Every family that there is can be truncated, mixed, inflated and fixed: identities that hold whatever it is."""

import numpy as np
import pytest
from tests.properties.conftest import draw_rows

import neglog as nl
from neglog.families import ScalarFamily

FAMILIES = [f for f in map(nl.family, nl.families.names()) if isinstance(f, ScalarFamily)]
OF_ZEROS = [f for f in FAMILIES if not f.discrete or (f.support.low == 0 and f.support.high > 1)]


def drawn(f, count=30):
    """Rows at one point of the parameters, because a window is one for all rows."""
    params = [float(p) for p in draw_rows(f, (), seed=3).params]
    return np.sort(np.asarray(f.sample(*params, size=count, rng=4), dtype=float)), params


@pytest.mark.parametrize("f", FAMILIES, ids=lambda f: f.name)
def test_truncated(f):
    y, params = drawn(f)
    low, high = float(f.ppf(0.1, *params)) - f.discrete, float(f.ppf(0.9, *params))
    if not low < high:
        pytest.skip("one value has all the probability")
    cut = nl.Truncated(f, low, high)
    y = y[(y > low) & (y <= high)]
    value, grad, hess = cut.nll_grad_hess(y, *params)
    inner, window = f.nll_grad_hess(y, *params), f.log_interval_grad_hess(low, high, *params)
    np.testing.assert_allclose(value, inner[0] + window[0], rtol=1e-12, atol=1e-12)
    for got, a, b in ((grad, inner[1], window[1]), (hess, inner[2], window[2])):
        size = np.abs(a) + np.abs(b)[..., None] + 1e-9
        np.testing.assert_array_less(np.abs(got - a - b[..., None]) / size, 1e-8)
    np.testing.assert_allclose(cut.cdf(y, *params) + cut.sf(y, *params), 1, rtol=1e-13)
    assert low < float(cut.ppf(0.5, *params)) <= high
    assert low <= float(cut.mean(*params)) <= high
    assert np.all(cut.support.contains(cut.sample(*params, size=50, rng=1)))
    assert nl.family(cut.name) == cut


@pytest.mark.parametrize("f", [f for f in FAMILIES if f.atom is None], ids=lambda f: f.name)
def test_mixed_with_itself(f):
    y, params = drawn(f)
    both = nl.Mixture(f, 2)
    value, grad, _ = both.nll_grad_hess(y, 0.4, *params, *params)
    inner = f.nll_grad(y, *params)
    np.testing.assert_allclose(value, inner[0], rtol=1e-12, atol=1e-12)
    count = len(params)
    np.testing.assert_allclose(grad[1 : count + 1] + grad[count + 1 :], inner[1], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(both.log_sf(y, 0.4, *params, *params), f.log_sf(y, *params), rtol=1e-9, atol=1e-12)
    start = both.start(y)
    assert np.isfinite(both.nll(y, *start)).all() or not f.smooth
    one, other = start[1 : count + 1], start[count + 1 :]
    assert one != other


@pytest.mark.parametrize("f", OF_ZEROS, ids=lambda f: f.name)
@pytest.mark.parametrize("kind", [nl.ZeroInflated, nl.Hurdle])
def test_with_more_zeros(f, kind):
    y, params = drawn(f)
    if kind is nl.Hurdle and f.support.high <= 0:
        pytest.skip("no positive values")
    g = kind(f)
    y = y[y > 0]
    rest = f.log_sf(0.0, *params) if kind is nl.Hurdle else 0.0
    np.testing.assert_allclose(g.nll(y, *params, 0.25), f.nll(y, *params) + rest - np.log(0.75), rtol=1e-9, atol=1e-12)
    zeros = f.discrete or f.atom == 0  # of its own
    own = np.exp(-f.nll(0.0, *params)) if zeros and kind is nl.ZeroInflated else 0.0
    assert float(g.nll(0.0, *params, 0.25)) == pytest.approx(-np.log(0.25 + 0.75 * own), rel=1e-12)
    assert np.isfinite(g.nll_grad_hess(np.append(0.0, y), *params, 0.25)[2]).all()


@pytest.mark.parametrize("f", [f for f in FAMILIES if len(f.parameters) > 1], ids=lambda f: f.name)
def test_fixed(f):
    y, params = drawn(f)
    first, *others = f.parameters
    g = nl.Fixed(f, **{first.name: params[0]})
    value, grad, hess = f.nll_grad_hess(y, *params)
    for got, want in zip(g.nll_grad_hess(y, *params[1:]), (value, grad[1:], hess[1:, 1:]), strict=True):
        np.testing.assert_array_equal(got, want)
    assert [p.name for p in g.parameters] == [p.name for p in others]
    np.testing.assert_array_equal(g.fisher(*params[1:]), f.fisher(*params)[1:, 1:])
    assert nl.family(g.name) == g
