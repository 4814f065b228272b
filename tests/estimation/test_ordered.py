"""Cumulative link models: published fits, and what the thresholds owe to the covariates."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

import neglog as nl
from neglog.errors import InputError

DATA = Path(__file__).parents[1] / "data"
RNG = np.random.default_rng(1)
X = RNG.normal(size=(300, 2))
LATE, AWAY = np.array([2000.0, 0.0]), np.array([3.0, 0.0])
Y = nl.Ordered().sample(X @ [0.8, -0.5], [-1.0, 0.0, 1.5], rng=2)


def housing():
    """Satisfaction 0, 1, 2, indicators of the levels named in MASS, and how often the row occurs."""
    with (DATA / "housing.csv").open() as file:
        rows = list(csv.DictReader(file))
    levels = {"Infl": ("Medium", "High"), "Type": ("Apartment", "Atrium", "Terrace"), "Cont": ("High",)}
    x = {f"{name}{level}": [float(r[name] == level) for r in rows] for name in levels for level in levels[name]}
    y = [("Low", "Medium", "High").index(r["Sat"]) for r in rows]
    return y, x, [float(r["Freq"]) for r in rows]


# summary(polr(Sat ~ Infl + Type + Cont, weights = Freq, data = housing)), the example of MASS
POLR = {
    "loc.InflMedium": (0.5664, 0.10465),
    "loc.InflHigh": (1.2888, 0.12716),
    "loc.TypeApartment": (-0.5724, 0.11924),
    "loc.TypeAtrium": (-0.3662, 0.15517),
    "loc.TypeTerrace": (-1.0910, 0.15149),
    "loc.ContHigh": (0.3603, 0.09554),
    "thresholds.0": (-0.4961, 0.1248),
    "thresholds.1": (0.6907, 0.1255),
}


@pytest.mark.parametrize("intercept", [False, True])
def test_housing_of_mass(intercept):
    y, x, freq = housing()
    r = nl.fit("ordered", y, x, weights=freq, intercept=intercept)  # thresholds take the place of an intercept
    assert r.ok
    assert list(r.params) == list(POLR)
    assert -2 * r.loglik == pytest.approx(3479.149, abs=5e-4)
    assert r.aic == pytest.approx(3495.149, abs=5e-4)
    for name, (value, error) in POLR.items():
        assert r.params[name] == pytest.approx(value, abs=5.1e-5)
        assert r.stderr[name] == pytest.approx(error, abs=5.1e-5 if name.startswith("thresholds") else 5.1e-6)


def test_other_links_against_a_general_optimiser():
    from scipy.optimize import minimize

    y, x, freq = housing()
    matrix = np.column_stack(list(x.values()))
    for link in ("probit", "cloglog"):
        f = nl.Ordered(link)
        r = nl.fit(f, y, x, weights=freq)

        def objective(b, f=f):
            return freq @ f.nll(y, matrix @ b[:6], np.array([b[6], b[6] + np.exp(b[7])]))

        other = minimize(objective, np.zeros(8), method="BFGS", options={"gtol": 1e-4})
        assert r.ok
        assert r.family == f
        assert r.nll == pytest.approx(other.fun, rel=1e-9)
        np.testing.assert_allclose(list(r.params.values())[:7], other.x[:7], atol=1e-4)


def test_thresholds_alone_are_frequencies():
    r = nl.fit("ordered", Y)
    assert r.ok
    assert list(r.params) == ["thresholds.0", "thresholds.1", "thresholds.2"]
    np.testing.assert_allclose(r.predict()[0], np.bincount(Y) / len(Y), rtol=1e-12)
    assert r.loglik == pytest.approx(np.log(np.bincount(Y) / len(Y)) @ np.bincount(Y), rel=1e-13)


def test_columns_of_any_location_and_unit():
    plain = nl.fit("ordered", Y, X)
    far = nl.fit("ordered", Y, X * [1e-3, 1e3] + [2000.0, -1e9])
    assert plain.ok and far.ok
    assert far.loglik == pytest.approx(plain.loglik, rel=1e-10)
    slopes = np.array([far.params["loc.x0"], far.params["loc.x1"]]) * [1e-3, 1e3]
    np.testing.assert_allclose(slopes, [plain.params["loc.x0"], plain.params["loc.x1"]], rtol=1e-7)
    years = nl.fit("ordered", Y, X + LATE)
    b = plain.params["loc.x0"]
    assert years.params["thresholds.1"] == pytest.approx(plain.params["thresholds.1"] + 2000 * b, rel=1e-9)
    assert years.stderr["loc.x0"] == pytest.approx(plain.stderr["loc.x0"], rel=1e-7)
    # and predictions are the same whatever the columns
    np.testing.assert_allclose(years.predict(X + LATE), plain.predict(X), atol=1e-9)


def test_standard_errors_belong_to_the_thresholds_shown():
    r = nl.fit("ordered", Y, X + AWAY)
    b = np.array(list(r.params.values()))

    def gradient(b):
        grad = nl.Ordered().nll_grad(Y, (X + AWAY) @ b[:2], b[2:])[1]
        return np.concatenate([grad[:, 0] @ (X + AWAY), grad[:, 1:].sum(0)])

    hessian = np.array([(gradient(b + h) - gradient(b - h)) / 2e-5 for h in 1e-5 * np.eye(5)])
    np.testing.assert_allclose(r.cov, np.linalg.inv(hessian), rtol=1e-6)
    np.testing.assert_allclose(gradient(b), 0, atol=1e-8)


def test_fixed_offset_start_l2_and_predictions():
    free = nl.fit("ordered", Y, X)
    held = nl.fit("ordered", Y, X, fixed={"loc.x1": 0.0, "thresholds.1": 0.25})
    assert held.ok
    assert held.params["loc.x1"] == 0.0
    assert held.params["thresholds.1"] == 0.25
    assert held.stderr["thresholds.1"] == 0.0
    assert held.loglik < free.loglik
    again = nl.fit("ordered", Y, X, start={name: value + 0.3 for name, value in free.params.items()})
    np.testing.assert_allclose(list(again.params.values()), list(free.params.values()), rtol=1e-8)
    moved = nl.fit("ordered", Y, X, offset=X[:, 0])
    assert moved.params["loc.x0"] == pytest.approx(free.params["loc.x0"] - 1.0, rel=1e-9)
    np.testing.assert_allclose(moved.predict(X, offset=X[:, 0]), free.predict(X), rtol=1e-8)
    assert 0 < nl.fit("ordered", Y, X, l2=50.0).params["loc.x0"] < free.params["loc.x0"]
    theta = free.predict(X[:2], kind="params")
    np.testing.assert_allclose(nl.Ordered().mean(**theta), free.predict(X)[:2], rtol=1e-14)
    np.testing.assert_allclose(np.exp(free.predict(X, kind="logprobs")), free.predict(X), rtol=1e-13)
    with pytest.raises(InputError, match="kind='logits'; a fit of ordered gives probs, logprobs, params"):
        free.predict(kind="logits")


def test_residuals_are_normal():
    from scipy import stats

    assert stats.kstest(nl.fit("ordered", Y, X).residuals(rng=3), "norm").pvalue > 1e-3


def test_covariances_of_every_kind_are_near():
    for kind in ("expected", "opg", "sandwich"):
        r = nl.fit("ordered", Y, X, cov_type=kind)
        errors = nl.fit("ordered", Y, X).errors
        np.testing.assert_allclose(r.errors, errors, rtol=0.35)


def test_labels_need_an_order():
    pd = pytest.importorskip("pandas")
    text = np.array(["low", "mid", "high", "top"])[Y]
    with pytest.raises(InputError, match="text, whose order is the alphabet's"):
        nl.fit("ordered", text, X)
    labels = pd.Categorical(text, ["low", "mid", "none", "high", "top"], ordered=True)
    for r in (
        nl.fit("ordered", labels, X),
        nl.fit("ordered", "y", {"loc": X}, data=pd.DataFrame({"y": labels})),
        nl.fit("ordered", 10 * Y, X),
    ):
        np.testing.assert_array_equal(r.values, nl.fit("ordered", Y, X).values)
    assert r.classes == (0, 10, 20, 30)
    assert nl.fit("ordered", labels, X).classes == ("low", "mid", "high", "top")


def test_formula_drops_its_intercept():
    pytest.importorskip("formulaic")
    data = {"y": Y, "x": X[:, 0], "g": np.array(list("uvw") * 100)}
    r = nl.fit("ordered", "y ~ x + g", data=data)
    assert r.ok
    assert list(r.params)[:3] == ["loc.x", "loc.g[T.v]", "loc.g[T.w]"]
    new = {"x": [0.0, 1.0], "g": ["w", "u"]}
    theta = r.predict(new, kind="params")
    np.testing.assert_allclose(theta["loc"], [r.params["loc.g[T.w]"], r.params["loc.x"]], rtol=1e-13)
    assert list(nl.fit("ordered", "y ~ 1", data=data).params) == list(nl.fit("ordered", Y).params)


def test_saved_fit_predicts(tmp_path):
    r = nl.fit("ordered", Y, X)
    r.to_json(tmp_path / "fit.json")
    np.testing.assert_array_equal(nl.load(tmp_path / "fit.json").predict(X), r.predict(X))


def test_what_has_no_meaning():
    with pytest.raises(InputError, match="thresholds take no covariates"):
        nl.fit("ordered", Y, {"thresholds": X})
    with pytest.raises(InputError, match="precision weights"):
        nl.fit("ordered", Y, weights=np.ones(300), weight_kind="precision")
    r = nl.fit("ordered", Y, np.column_stack([X, np.ones(300)]))
    assert r.status == "rank_deficient"  # a constant is what the thresholds are already
    assert nl.fit("ordered", [0, 0, 1, 1, 2, 2], [[0.0], [1], [2], [3], [4], [5]]).status == "separated"
