"""Values of Ordered(loc, thresholds) published or computed elsewhere, and its edges."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import neglog as nl
from neglog import _native

ORACLE = Path(__file__).parents[1] / "oracles" / "ordered.json"
LINKS = ("logit", "probit", "cloglog")
LATENT = {"logit": stats.logistic, "probit": stats.norm, "cloglog": stats.gumbel_l}
THRESHOLDS = [-1.0, 0.5, 2.0]


def largest_errors():
    """Of value, gradient and Hessian against mpmath, per condition number, by link and part of the grid."""
    found = {}
    for record in json.loads(ORACLE.read_text()):
        (y, link), (loc, *thresholds) = record["data"], record["params"]
        value, grad, hess = nl.Ordered(LINKS[int(link)]).nll_grad_hess(y, loc, thresholds)
        entries = [hess[i, j] for i, j in itertools.combinations_with_replacement(range(3), 2)]
        order = [0, 1, 1, 1] + [2] * 6
        for got, o, v, s in zip(
            [value, *grad, *entries], order, record["values"], record["sensitivities"], strict=True
        ):
            if v is not None and (v or s):
                key = f"{LINKS[int(link)]} {record['where']} {o}"
                found[key] = max(found.get(key, 0.0), abs(got - v) / max(abs(v), s))
    return found


@pytest.mark.parametrize("isa", _native.available_isas())
def test_against_mpmath(on_isa, isa):
    errors = json.loads(on_isa(isa, __file__))
    assert len(errors) == 18
    for key, error in errors.items():
        _, where, order = key.split()
        assert error <= (1e-14 if where == "bulk" or order == "0" else 1e-12 if order == "1" else 1e-11), key


def test_hand_values():
    f = nl.Ordered()
    value, grad = f.nll_grad(np.arange(4), 0.3, THRESHOLDS)
    np.testing.assert_allclose(value, [1.5410084538, 1.0916297821, 1.2184073577, 1.8677860294], atol=5e-11)
    np.testing.assert_allclose(grad[:, 0], [0.7858349830, 0.2360009857, -0.3953687322, -0.8455347349], atol=5e-11)


@pytest.mark.parametrize("link", LINKS)
def test_classes_are_intervals_of_the_latent_variable(link):
    f, latent = nl.Ordered(link), LATENT[link](loc=0.3)
    cuts = latent.cdf([-np.inf, *THRESHOLDS, np.inf])
    np.testing.assert_allclose(f.mean(0.3, THRESHOLDS), np.diff(cuts), rtol=1e-13)
    np.testing.assert_allclose(np.exp(f.log_cdf(np.arange(4), 0.3, THRESHOLDS)), cuts[1:], rtol=1e-13)
    np.testing.assert_allclose(f.log_sf(np.arange(3), 0.3, THRESHOLDS), latent.logsf(THRESHOLDS), rtol=1e-12)
    p = f.mean(0.3, THRESHOLDS)
    np.testing.assert_allclose(f.var(0.3, THRESHOLDS), p * (1 - p), rtol=1e-13)


@pytest.mark.parametrize("link", LINKS)
def test_derivatives_of_every_link(link):
    torch = pytest.importorskip("torch")
    f, y = nl.Ordered(link), np.arange(4.0)
    _, grad, hess = f.nll_grad_hess(y, 0.3, THRESHOLDS)
    for i in range(4):

        def one(theta, i=i):
            return f.reference(torch, torch.tensor(y[i : i + 1]), theta[:1], theta[1:])[0]

        theta = torch.tensor([0.3, *THRESHOLDS], dtype=torch.float64, requires_grad=True)
        np.testing.assert_allclose(torch.func.grad(one)(theta).detach(), grad[i], rtol=1e-11, atol=1e-13)
        hessian = torch.autograd.functional.hessian(one, theta)
        np.testing.assert_allclose(hessian, hess[i], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("link", LINKS)
def test_fisher_is_the_expected_hessian(link):
    f = nl.Ordered(link)
    value, _, hess = f.nll_grad_hess(np.arange(4), 0.3, THRESHOLDS)
    np.testing.assert_allclose(np.einsum("j,jpq->pq", np.exp(-value), hess), f.fisher(0.3, THRESHOLDS), atol=1e-14)
    assert f.fisher([0.1, 0.2], THRESHOLDS).shape == (2, 4, 4)


def test_two_classes_are_bernoulli():
    eta = np.array([-800.0, -40.0, -1.0, 0.0, 3.0, 40.0])
    for y in (0, 1):
        ordered, bernoulli = nl.Ordered().nll_grad(y, eta, [0.0]), nl.Bernoulli().nll_grad(y, eta)
        np.testing.assert_allclose(ordered[0], bernoulli[0], rtol=1e-15)
        np.testing.assert_allclose(ordered[1][:, 0], bernoulli[1][0], rtol=1e-15)


def test_intervals_of_classes():
    f, given = nl.Ordered(), (0.3, THRESHOLDS)
    p = f.mean(*given)
    rows = nl.interval([-np.inf, 0, 1, 2, 0.5], [1, 2, np.inf, 2, 1.5])
    expected = -np.log([p[:2].sum(), p[1:3].sum(), p[2:].sum(), p[2], p[1]])
    np.testing.assert_allclose(f.nll(rows, *given), expected, rtol=1e-14)
    assert f.log_interval(0.2, 0.8, *given) == -np.inf
    assert f.log_interval(-np.inf, np.inf, *given) == 0
    assert f.log_cdf(3, *given) == 0
    assert f.log_sf(3, *given) == -np.inf
    assert f.log_cdf(-1, *given) == -np.inf
    assert f.log_sf(-0.5, *given) == 0


def test_no_thresholds_is_one_class():
    value, grad, hess = nl.Ordered().nll_grad_hess(0, 1.0, np.empty(0))
    assert value == 0
    assert grad.tolist() == [0]
    assert hess.tolist() == [[0]]


@pytest.mark.parametrize("link", LINKS)
def test_draws(link):
    f = nl.Ordered(link)
    counts = np.bincount(f.sample(0.3, THRESHOLDS, size=4000, rng=5), minlength=4)
    assert stats.chisquare(counts, 4000 * f.mean(0.3, THRESHOLDS)).pvalue > 1e-4


def test_start_gives_the_frequencies():
    for link in LINKS:
        f = nl.Ordered(link)
        np.testing.assert_allclose(f.mean(*f.start([0, 0, 1, 3])), np.array([2.5, 1.5, 0.5, 1.5]) / 6, rtol=1e-12)


def test_what_is_refused():
    with pytest.raises(nl.InputError, match="link='log'; allowed: logit, probit, cloglog"):
        nl.Ordered("log")
    with pytest.raises(nl.ParameterError, match=r"thresholds = 1 at position \(2,\).*increasing"):
        nl.Ordered().nll(0, 0.0, [0.0, 1.0, 1.0])
    assert nl.Ordered().nll(1, 0.0, [1.0, 1.0], check=False) == np.inf
    with pytest.raises(nl.ShapeError, match=r"allowed: \(..., K\)"):
        nl.Ordered().nll(0, 0.0, 1.0)
    with pytest.raises(nl.DataError, match="no row"):
        nl.Ordered().start([np.nan])


if __name__ == "__main__":
    print(json.dumps(largest_errors()))
