"""Standard errors and intervals against statsmodels, closed forms, and simulation."""

from __future__ import annotations

import numpy as np
import pytest

import neglog as nl
from neglog.errors import InputError


@pytest.fixture(scope="module")
def counts():
    rng = np.random.default_rng(11)
    x = rng.normal(size=(400, 2))
    g = rng.integers(0, 25, 400)
    y = rng.poisson(np.exp(0.3 + x @ [0.4, -0.2] + 0.5 * rng.normal(size=25)[g]))
    return x, y, g


def test_against_statsmodels(counts):
    import statsmodels.api as sm

    x, y, g = counts
    model = sm.Poisson(y, sm.add_constant(x))
    fit = {"method": "newton", "disp": 0, "tol": 1e-13}
    plain = model.fit(**fit)
    np.testing.assert_allclose(nl.fit("poisson", y, x, intercept=True).values, plain.params, rtol=1e-10)
    for cov_type, theirs in {
        "observed": plain,
        "expected": plain,  # the same for a canonical link
        "sandwich": model.fit(cov_type="HC0", **fit),
    }.items():
        r = nl.fit("poisson", y, x, intercept=True, cov_type=cov_type)
        np.testing.assert_allclose(r.cov, theirs.cov_params(), rtol=1e-9)
        assert r.information == cov_type
    r = nl.fit("poisson", y, x, intercept=True, clusters=g)
    theirs = model.fit(cov_type="cluster", cov_kwds={"groups": g, "use_correction": False}, **fit).cov_params()
    np.testing.assert_allclose(r.cov, theirs * 25 / 24, rtol=1e-9)
    assert r.information == "cluster"


def test_opg_is_the_inverse_sum_of_squared_scores(counts):
    x, y, _ = counts
    r = nl.fit("poisson", y, x, intercept=True, cov_type="opg")
    design = np.column_stack([np.ones(len(y)), x])
    scores = design * (np.exp(design @ r.values) - y)[:, None]
    np.testing.assert_allclose(r.cov, np.linalg.inv(scores.T @ scores), rtol=1e-9)


def test_observed_and_expected_differ_off_the_canonical_link():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 1))
    y = rng.weibull(1.4, 300) * np.exp(x[:, 0])
    observed = nl.fit("weibull", y, x, intercept=True)
    expected = nl.fit("weibull", y, x, intercept=True, cov_type="expected")
    assert observed.params == expected.params
    ratio = np.array(list(expected.stderr.values())) / np.array(list(observed.stderr.values()))
    assert (np.abs(ratio - 1) > 1e-4).all() and (np.abs(ratio - 1) < 0.2).all()


@pytest.mark.parametrize("name", ["normal", "weibull", "poisson", "bernoulli"])
def test_iid_covariance_on_the_natural_scale(name):
    """Without covariates cov is the inverse Hessian in the parameters themselves, which the family knows."""
    rng, family = np.random.default_rng(3), nl.family(name)
    theta = [0.3 if p.link.name == "identity" else 1.8 for p in family.parameters]
    y = family.sample(*theta, size=500, rng=rng)
    r = nl.fit(name, y)
    hessian = family.nll_grad_hess(y, *r.params.values())[2].sum(axis=-1)
    np.testing.assert_allclose(r.cov, np.linalg.inv(hessian), rtol=1e-8, atol=1e-15)


def test_normal_closed_forms():
    y = np.array([1.0, 4.0, 2.0, 8.0, 5.0])
    r = nl.fit("normal", y)
    assert r.params == pytest.approx({"loc": y.mean(), "scale": y.std()}, rel=1e-14)
    assert r.stderr == pytest.approx({"loc": y.std() / 5**0.5, "scale": y.std() / 10**0.5}, rel=1e-12)
    z = 1.959963984540054
    low, high = r.ci()["scale"]
    assert (low, high) == pytest.approx((y.std() * np.exp(-z / 10**0.5), y.std() * np.exp(z / 10**0.5)), rel=1e-12)
    assert r.aic == pytest.approx(2 * 2 + 2 * r.nll) and r.bic == pytest.approx(2 * np.log(5) + 2 * r.nll)


def test_table_tests_coefficients_only():
    r = nl.fit("normal", [1.0, 2.0, 4.0, 3.0], [[0.0], [1.0], [2.0], [4.0]], intercept=True)
    rows = {row["name"]: row for row in r.table()}
    assert rows["scale"]["z"] is None and rows["scale"]["p"] is None
    slope = rows["loc.x0"]
    assert slope["z"] == pytest.approx(slope["estimate"] / slope["stderr"])
    from scipy.stats import norm

    assert slope["p"] == pytest.approx(2 * norm.sf(abs(slope["z"])), rel=1e-12)
    assert (slope["low"], slope["high"]) == r.ci()["loc.x0"]


@pytest.mark.parametrize("name", ["weibull", "normal"])
def test_coverage_of_intervals(name):
    """300 censored samples of 150.

    95% intervals cover in 95% of them, up to three binomial standard errors.
    """
    rng, family = np.random.default_rng(17), nl.family(name)
    truth = dict(zip((p.name for p in family.parameters), (1.5, 2.0), strict=True))
    hits, runs = np.zeros(2), 300
    for _ in range(runs):
        y = family.sample(**truth, size=150, rng=rng)
        limit = family.ppf(rng.uniform(0.5, 1.0, 150), **truth)
        r = nl.fit(name, nl.right_censored(np.minimum(y, limit), (y <= limit).astype(int)))
        assert r.ok
        hits += [low <= truth[key] <= high for key, (low, high) in r.ci().items()]
    assert (np.abs(hits / runs - 0.95) < 3 * (0.95 * 0.05 / runs) ** 0.5).all(), hits / runs


def test_penalised_covariance_is_the_posterior_s():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(60, 2))
    y = (rng.random(60) < 0.4).astype(int)
    r = nl.fit("bernoulli", y, x, intercept=True, l2=3.0)
    design = np.column_stack([np.ones(60), x])
    p = 1 / (1 + np.exp(-design @ r.values))
    information = design.T * (p * (1 - p)) @ design
    posterior = np.linalg.inv(information + np.diag([0.0, 3.0, 3.0]))
    np.testing.assert_allclose(r.cov, posterior, rtol=1e-9)
    assert r.df == pytest.approx(np.trace(posterior @ information), rel=1e-9)
    assert r.objective == pytest.approx(r.nll + 1.5 * (r.values[1:] ** 2).sum(), rel=1e-14)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ({"cov_type": "robust"}, "allowed: observed"),
        ({"cov_type": "cluster"}, "needs clusters="),
        ({"clusters": [1, 1, 2], "cov_type": "opg"}, "clusters were given"),
        ({"clusters": [1, 1, 1]}, "at least two clusters"),
        (
            {"weights": [1, 2, 3], "weight_kind": "sampling", "cov_type": "observed"},
            "sampling weights need a sandwich",
        ),
        ({"truncation": (0, None), "cov_type": "expected"}, "model of the censoring"),
    ],
)
def test_covariances_that_do_not_apply(call, words):
    with pytest.raises(InputError, match=words):
        nl.fit("weibull", [1.0, 2.0, 3.0], **call)
