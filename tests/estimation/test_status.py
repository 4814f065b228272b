"""Fits that have no verified maximum say so, name what went where, and give no standard errors."""

from __future__ import annotations

import numpy as np
import pytest

import neglog as nl
from neglog.errors import DataError

X = np.array([[-2.0], [-1.0], [1.0], [2.0]])
GROUP = np.repeat([0.0, 1.0], 10)
RNG = np.random.default_rng(0)
W = RNG.weibull(2, 20)

CASES = {
    "one normal value": (("normal", [3.0]), {}, "unbounded", "scale falls"),
    "equal normal values": (("normal", [3.0] * 5), {}, "unbounded", "All 5 exact values are 3"),
    "equal Weibull values": (("weibull", [3.0] * 5), {}, "unbounded", "shape grows"),
    "a line without noise": (("normal", 1 + 2 * X[:, 0], X), {"intercept": True}, "unbounded", "scale falls"),
    "no counts": (("poisson", [0] * 5), {}, "boundary", "rate falls"),
    "only successes": (("bernoulli", [1] * 5), {}, "boundary", "logit grows"),
    "only failures": (("bernoulli", [0] * 5), {}, "boundary", "logit falls"),
    "only survivors (Weibull)": (
        ("weibull", nl.right_censored([1, 2, 3], [0, 0, 0])),
        {},
        "boundary",
        "right-cens",
    ),
    "only survivors (normal)": (
        ("normal", nl.right_censored([1, 2, 3], [0, 0, 0])),
        {},
        "boundary",
        "right-cens",
    ),
    "one interval": (("normal", nl.interval([1.0], [2.0])), {}, "flat", "interval-censored"),
    "adjacent intervals": (("normal", nl.interval([1.0, 2.0], [2.0, 3.0])), {}, "boundary", "scale falls"),
    "rows that fill their windows": (
        ("normal", nl.interval([1.0, 2.0], [2.0, 3.0])),
        {"truncation": ([1.0, 2.0], [2.0, 3.0])},
        "flat",
        "does not change",
    ),
    "separated": (("bernoulli", [0, 0, 1, 1], X), {"intercept": True}, "separated", "logit.x0 grows"),
    "separated through the origin": (("bernoulli", [0, 0, 1, 1], X), {}, "separated", "logit.x0 grows"),
    "quasi-separated": (
        ("bernoulli", [0, 0, 1, 0, 1, 1], [-2.0, -1, 0, 0, 1, 2]),
        {"intercept": True},
        "separated",
        "logit.x0 grows",
    ),
    "separated classes": (
        ("categorical", ["a", "b", "c", "c"], [1.0, 2, 3, 4]),
        {"intercept": True},
        "separated",
        "logits.c.x0 grows",
    ),
    "a group without counts": (
        ("poisson", np.r_[np.zeros(10), RNG.poisson(3, 10)], 1 - GROUP),
        {"intercept": True},
        "separated",
        "rate.x0 falls",
    ),
    "a group without events": (
        ("weibull", nl.right_censored(W, 1 - GROUP), GROUP),
        {"intercept": True},
        "separated",
        "scale.x0 grows",
    ),
    "stopped": (("weibull", [1.0, 2.0, 3.0]), {"max_iter": 1}, "max_iterations", "raise max_iter"),
}


@pytest.mark.parametrize("case", CASES)
def test_no_verified_maximum(case):
    call, keywords, status, words = CASES[case]
    r = nl.fit(*call, **keywords)
    assert (r.status, r.ok) == (status, False), r.message
    assert words in r.message
    assert np.isnan(list(r.stderr.values())).all() and "Standard errors have no meaning" in r.message
    assert all(np.isnan(low) and np.isnan(high) for low, high in r.ci().values())
    text = r.summary()
    assert f"NOT VERIFIED [{status}]" in text and "nan" not in text.lower().replace("nanosecond", "")
    assert all(np.isfinite(value) for value in r.params.values())


def test_dependent_columns():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(50, 2))
    y = rng.normal(size=50) + x[:, 0]
    wide = np.column_stack([x, x[:, 0] - 2 * x[:, 1], np.ones(50), rng.normal(size=50)])
    r = nl.fit("normal", y, wide, intercept=True)
    assert r.status == "rank_deficient" and not r.ok
    assert "loc.x2, loc.x3 are held at 0" in r.message
    assert r.params["loc.x2"] == r.params["loc.x3"] == 0.0
    assert np.isnan(r.stderr["loc.x2"]) and np.isfinite(r.stderr["loc.x4"])
    assert r.df == 5
    reduced = nl.fit("normal", y, wide[:, [0, 1, 4]], intercept=True)
    assert r.loglik == pytest.approx(reduced.loglik, rel=1e-13)
    assert r.stderr["loc.x4"] == pytest.approx(reduced.stderr["loc.x2"], rel=1e-9)


def test_dependent_columns_of_a_softmax_and_their_cure():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(60, 2))
    y = rng.integers(0, 3, 60)
    wide = np.column_stack([x, x.sum(axis=1)])
    r = nl.fit("categorical", y, wide, intercept=True)
    assert r.status == "rank_deficient" and "logits.1.x2, logits.2.x2" in r.message
    assert nl.fit("categorical", y, wide, intercept=True, l2=0.1).ok


def test_nearly_dependent_columns_are_not_dropped():
    """Correlation 1 - 5e-9: badly determined, which the standard errors say, but determined."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(500, 1))
    both = np.column_stack([x, x + 1e-4 * rng.normal(size=(500, 1))])
    r = nl.fit("normal", both @ [1.0, 1.0] + rng.normal(size=500), both, intercept=True)
    assert r.ok
    assert 200 < r.stderr["loc.x1"] < 1000


def test_a_penalty_cures_separation():
    r = nl.fit("bernoulli", [0, 0, 1, 1], X, intercept=True, l2=1e-3)
    assert r.ok and r.params["logit.x0"] > 1


def test_separation_of_a_few_rows_among_many():
    """Three rows of 30,000.

    Their column moves by a constant step while the likelihood gains nothing measurable.
    """
    rng = np.random.default_rng(0)
    x, dummy = rng.normal(size=30000), np.zeros(30000)
    dummy[:3] = 1
    y = (rng.random(30000) < 1 / (1 + np.exp(-x))).astype(float)
    y[:3] = 1
    r = nl.fit("bernoulli", y, np.column_stack([x, dummy]), intercept=True)
    assert r.status == "separated" and "logit.x1 grows" in r.message
    y[0] = 0
    assert nl.fit("bernoulli", y, np.column_stack([x, dummy]), intercept=True).ok


def test_everything_fixed():
    r = nl.fit("weibull", [1.0, 2.0], fixed={"shape": 1.0, "scale": 2.0})
    assert r.ok and r.df == 0 and r.stderr == {"shape": 0.0, "scale": 0.0}
    assert r.nll == pytest.approx(nl.Weibull().nll([1.0, 2.0], 1.0, 2.0).sum(), rel=1e-15)


def test_fixed_values():
    y = np.array([1.0, 2.0, 4.0])
    r = nl.fit("weibull", y, fixed={"shape": 1.0})
    assert r.params == pytest.approx({"shape": 1.0, "scale": y.mean()}, rel=1e-12)
    assert r.stderr == pytest.approx({"shape": 0.0, "scale": y.mean() / 3**0.5}, rel=1e-10)
    assert r.ci()["shape"] == (1.0, 1.0) and r.df == 1
    assert "fixed" in r.summary()


@pytest.mark.parametrize("name", ["loc.x0", "loc.Intercept", "scale"])
def test_fixed_coefficients_equal_offsets(name):
    rng = np.random.default_rng(2)
    x = rng.normal(size=(40, 2)) + 5
    y = x @ [1.0, -1.0] + rng.normal(size=40)
    free = nl.fit("normal", y, x, intercept=True)
    value = free.params[name] * 1.01
    held = nl.fit("normal", y, x, intercept=True, fixed={name: value})
    assert held.ok and held.params[name] == pytest.approx(value, rel=1e-15)
    assert held.df == free.df - 1 and held.loglik < free.loglik
    at_optimum = nl.fit("normal", y, x, intercept=True, fixed={name: free.params[name]})
    assert at_optimum.loglik == pytest.approx(free.loglik, rel=1e-13)
    np.testing.assert_allclose(at_optimum.values, free.values, rtol=1e-7)


def test_fixed_class_coefficient():
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(80, 2)), rng.integers(0, 3, 80)
    free = nl.fit("categorical", y, x, intercept=True)
    held = nl.fit("categorical", y, x, intercept=True, fixed={"logits.2.x1": free.params["logits.2.x1"]})
    np.testing.assert_allclose(held.values, free.values, rtol=1e-7, atol=1e-9)
    assert held.df == free.df - 1


@pytest.mark.parametrize("name", ["normal", "weibull"])
@pytest.mark.parametrize("size", [1e-300, 1e-160, 1e160, 1e300])
def test_values_beyond_the_squares_of_float64(name, size):
    """Curvatures of 1/size**2 overflow or vanish: no search could tell what it sees there."""
    y, x = np.array([1.0, 1.1, 1.3, 1.2]), [1.0, 2.0, 3.0, 5.0]
    for covariates in ({}, {"X": x, "intercept": True}):
        with pytest.raises(DataError, match="use other units"):
            nl.fit(name, y * size, **covariates)
        assert nl.fit(name, y * size**0.5, **covariates).ok


@pytest.mark.parametrize("unit", [1e150, 1e-150])
@pytest.mark.parametrize("column", [1e-150, 1.0, 1e150])
def test_standard_errors_whose_squares_are_beyond_float64(unit, column):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 1)) + 2
    y = x[:, 0] + rng.normal(size=40)
    near = nl.fit("normal", y, x, intercept=True)
    r = nl.fit("normal", y * unit, x * column, intercept=True)
    assert r.ok
    assert r.stderr["loc.x0"] == pytest.approx(near.stderr["loc.x0"] * (unit / column), rel=1e-9)
    beyond = not 1e-150 < unit / column < 1e150 or not 1e-150 < unit < 1e150
    assert ("covariances are beyond float64" in r.message) == (not _squares_exist(r))
    assert beyond or _squares_exist(r)
    with pytest.raises(DataError, match=r"of loc, coefficients are beyond float64: use other units"):
        nl.fit("normal", y * unit, x * (1e-300 if unit > 1 else 1e300), intercept=True)


def _squares_exist(r) -> bool:
    return bool(np.isfinite(r.cov).all() and (np.diag(r.cov) > 0).all())


STEPS = np.arange(6.0)


@pytest.mark.parametrize(
    ("y", "x", "words"),
    [
        ([0, 0, 0, 1, 1, 1], STEPS, "covariates: logit.x0 grows, logit.Intercept falls. "),
        ([0, 0, 0, 1, 1, 1], STEPS - 2.5, "covariates: logit.x0 grows. "),
        ([0, 0, 0, 1, 1, 1], 1e6 * STEPS, "covariates: logit.x0 grows, logit.Intercept falls. "),
        ([0, 0, 0, 1, 0, 1, 1], [0, 0, 0, 0, 0, 1.0, 1], "covariates: logit.x0 grows. "),
    ],
)
def test_the_direction_of_separation_is_that_of_the_coefficients_shown(y, x, words):
    """Centred inside: there the intercept stands still in the first case, and moves in the last."""
    r = nl.fit("bernoulli", y, x, intercept=True)
    assert r.status == "separated" and words in r.message


@pytest.mark.parametrize("name", ["normal", "weibull"])
def test_rows_without_information(name):
    low = nl.family(name).support.low
    r = nl.fit(name, nl.interval([low] * 3, [np.inf] * 3))
    assert r.status == "flat" and "No row carries information" in r.message and "censored" not in r.message


def test_criteria_need_a_maximum():
    r = nl.fit("normal", [3.0, 3.0])
    assert np.isnan(r.aic) and np.isnan(r.bic)
    assert "AIC and BIC not available: the likelihood is at no verified maximum" in r.summary()


def test_the_page_lists_every_status():
    from pathlib import Path

    from neglog.estimation.result import Fit
    from neglog.estimation.verify import STATUS

    page = (Path(__file__).parents[2] / "docs" / "fit.md").read_text("utf-8")
    assert [name for name in STATUS if f"| `{name}` |" not in page] == []
    assert [name for name in STATUS if f"``{name}``" not in (Fit.__doc__ or "") and name != "ok"] == []
