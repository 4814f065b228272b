"""What a fit shows, predicts and saves."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

import neglog as nl
from neglog.errors import DataError, InputError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 2))
LOC = 1 + X @ [0.5, -0.3]
Y = {
    "normal": LOC + 0.4 * RNG.normal(size=60),
    "weibull": np.exp(LOC) * RNG.weibull(1.5, 60),
    "poisson": RNG.poisson(np.exp(LOC)),
    "bernoulli": (RNG.random(60) < 0.5).astype(int),
    "categorical": np.array(["a", "b", "c"])[RNG.integers(0, 3, 60)],
    "ordered": RNG.integers(0, 4, 60),
}
GOLDEN = """\
weibull: right_censored(time, event), 4 observations
log-likelihood -8.87948943   AIC 21.75897886   BIC 20.53156758
ok: verified: the gradient is zero up to rounding, the information matrix is positive definite,
    and all parameters are inside their domains

       estimate   stderr  z  p  95% low  95% high
shape   2.96321  1.47972        1.11353   7.88538
scale   10.7209  2.08908        7.31754   15.7071

Standard errors: inverse of the observed information (the Hessian of the negative log-
    likelihood).
Intervals: Wald; shape, scale on the scale of the link, mapped back."""


def test_summary_of_a_good_fit():
    data = {"time": [5.0, 8.0, 11.0, 12.0], "event": [1, 1, 1, 0]}
    r = nl.fit("weibull", "right_censored(time, event)", data=data)
    assert r.summary() == str(r) == GOLDEN


def test_summary_of_a_bad_fit():
    text = nl.fit("bernoulli", [0, 0, 1, 1], [-2.0, -1, 1, 2], intercept=True).summary()
    lines = text.splitlines()
    assert lines[2].startswith("NOT VERIFIED [separated]: the likelihood has no maximum")
    assert "  -" in text and "A dash stands for a standard error that does not exist" in text


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"cov_type": "sandwich"}, "no small-sample factor"),
        ({"clusters": np.arange(60) // 6}, "factor G/(G-1)"),
        ({"cov_type": "expected"}, "expected (Fisher) information"),
        ({"cov_type": "opg"}, "outer products of the scores"),
        ({"l2": 0.5}, "Gaussian prior"),
        ({"weights": np.full(60, 2.0)}, "Weights: frequency"),
        ({"weights": np.full(60, 2.0), "weight_kind": "sampling"}, "AIC and BIC are undefined"),
    ],
)
def test_summary_states_its_conventions(keywords, words):
    assert words in " ".join(nl.fit("poisson", Y["poisson"], X, intercept=True, **keywords).summary().split())


@pytest.mark.parametrize("name", Y)
@pytest.mark.parametrize("l2", [0.0, 1.0])
def test_saving_loses_nothing(name, l2, tmp_path):
    f = nl.family(name)
    known = {p.name: 3.0 for p in f.parameters if p.domain.integer}
    theta = [known.get(p.name, float(p.link.inverse(0.4))) for p in f.parameters if not p.event_ndim]
    y = Y[name] if name in Y else f.sample(*theta, size=60, rng=1)
    r = nl.fit(name, y, X, intercept=True, l2=l2, fixed=known)
    path = tmp_path / "fit.json"
    text = r.to_json(path)
    back = nl.load(path)
    assert json.loads(text)["schema_version"] == 1
    for what in (
        "params",
        "stderr",
        "loglik",
        "nll",
        "objective",
        "aic",
        "bic",
        "nobs",
        "df",
        "status",
        "message",
    ):
        assert getattr(back, what) == getattr(r, what), what
    assert (back.cov == r.cov).all() and back.family == r.family and back.classes == r.classes
    assert back.ci() == r.ci() and back.table() == r.table() and back.summary() == r.summary()
    np.testing.assert_array_equal(back.predict(X), r.predict(X))
    assert back.to_json() == text
    assert [p.name for p in tmp_path.iterdir()] == ["fit.json"]


def test_a_saved_covariance_is_a_triangle(tmp_path):
    """50 coefficients: 1275 numbers, a line for each row of the lower triangle."""
    rng = np.random.default_rng(1)
    r = nl.fit("normal", rng.normal(size=200), rng.normal(size=(200, 49)), intercept=True)
    text = r.to_json(tmp_path / "fit.json")
    assert len(text) < 30 * (51 * 52 // 2) and text.count("\n") < 100
    document = json.loads(text)
    assert [len(row) for row in document["cov"]] == list(range(1, 52))
    assert (r.cov == r.cov.T).all()
    for damage in (document["cov"][:-1], [[1.0] * 51] * 51, "nan", [["x"]]):
        (tmp_path / "fit.json").write_text(json.dumps({**document, "cov": damage}))
        with pytest.raises(DataError, match="is damaged"):
            nl.load(tmp_path / "fit.json")


def test_saving_a_failed_fit(tmp_path):
    r = nl.fit("normal", [3.0])
    r.to_json(tmp_path / "fit.json")
    back = nl.load(tmp_path / "fit.json")
    assert back.status == "unbounded" and np.isnan(back.cov).all() and back.summary() == r.summary()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "No such file"),
        ("", "not a saved fit"),
        ("[1]", "not a saved fit"),
        ('{"kind": "neglog fit", "schema_version": 99, "neglog": "9.0"}', "schema version 99"),
        ('{"kind": "neglog fit", "schema_version": 1, "family": "normal"}', "damaged"),
    ],
)
def test_files_that_are_no_fits(text, words, tmp_path):
    path = tmp_path / "fit.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(DataError, match=words):
        nl.load(path)


def test_formula_survives_saving(tmp_path):
    """Levels, centring and polynomials are those of the fit, not of the new rows."""
    data = {
        "y": Y["normal"],
        "a": X[:, 0],
        "b": X[:, 1] + 5,
        "g": np.array(list("uvw") * 20),
        "k": np.arange(60) // 20,
    }
    r = nl.fit("normal", {"loc": "y ~ center(a) + poly(b, 2) + g + C(k)", "scale": "~ a"}, data=data)
    assert r.ok
    r.to_json(tmp_path / "fit.json")
    back = nl.load(tmp_path / "fit.json")
    new = {name: column[[7, 2]] for name, column in data.items() if name != "y"}
    expected = r.predict()[[7, 2]]
    np.testing.assert_allclose(r.predict(new), expected, rtol=1e-12)
    np.testing.assert_allclose(back.predict(new), expected, rtol=1e-12)
    with pytest.raises(DataError, match=r"level \{'z'\} did not occur"):
        back.predict({**new, "g": np.array(["u", "z"])})
    with pytest.raises(DataError, match="no column 'g'"):
        back.predict({name: column for name, column in new.items() if name != "g"})


@pytest.mark.parametrize("name", ["normal", "weibull", "poisson", "bernoulli"])
def test_predictions(name):
    r = nl.fit(name, Y[name], {p.name: X for p in nl.family(name).parameters}, intercept=True)
    theta = r.predict(X[:4], kind="params")
    for parameter in r.family.parameters:
        label = parameter.name
        eta = r.params[f"{label}.Intercept"] + X[:4] @ [r.params[f"{label}.x0"], r.params[f"{label}.x1"]]
        np.testing.assert_allclose(theta[label], parameter.link.inverse(eta), rtol=1e-13)
    np.testing.assert_allclose(r.predict(X[:4]), r.family.mean(**theta), rtol=1e-14)
    np.testing.assert_allclose(r.predict()[:4], r.predict(X[:4]), rtol=1e-9)
    with pytest.raises(InputError, match="X has 3 columns; the fit had 2"):
        r.predict(np.ones((2, 3)))
    with pytest.raises(InputError, match="gives mean, params"):
        r.predict(X, kind="probs")


def test_new_tables_may_hold_more():
    import pandas as pd

    table = pd.DataFrame({"a": X[:, 0], "b": X[:, 1]})
    r = nl.fit("normal", Y["normal"], table, intercept=True)
    more = pd.DataFrame({"note": ["text"] * 60, "b": X[:, 1], "a": X[:, 0]})
    np.testing.assert_array_equal(r.predict(more), r.predict(table))
    np.testing.assert_array_equal(r.predict(X), r.predict(table))
    with pytest.raises(InputError, match="X lacks the columns b of the fit"):
        r.predict(table[["a"]])


def test_prediction_with_offset_and_without_covariates():
    hours = np.linspace(1, 3, 60)
    r = nl.fit("poisson", Y["poisson"], X, intercept=True, offset=np.log(hours))
    np.testing.assert_allclose(r.predict(X, offset=np.log(hours)), r.predict(), rtol=1e-9)
    flat = nl.fit("normal", Y["normal"])
    np.testing.assert_allclose(flat.predict(3), [flat.params["loc"]] * 3)
    assert len(flat.predict()) == 60


@pytest.mark.parametrize("name", ["normal", "weibull", "poisson", "bernoulli"])
def test_quantile_residuals_are_standard_normal(name):
    """Censored and truncated rows included; Kolmogorov-Smirnov at the true parameters, 4,000 rows."""
    rng, family, n = np.random.default_rng(5), nl.family(name), 4000
    theta = {p.name: 0.4 if p.link.name == "identity" else 1.7 for p in family.parameters}
    low, high = (-np.inf, np.inf) if name == "bernoulli" else (float(family.ppf(q, **theta)) for q in (0.2, 0.95))
    y = np.asarray(family.sample(**theta, size=4 * n, rng=rng), float)
    y = y[(low < y) & (y <= high)][:n]
    # right-censored where the value lies above a limit that was drawn without looking at it
    limit = rng.permutation(y)
    known = limit < y
    lower, upper = np.where(known, limit, y), np.where(known, np.inf, y)
    window = None if name == "bernoulli" else (low, high)
    r = nl.fit(name, y, truncation=window, fixed=theta)
    residuals = r.residuals(rng=1)
    assert stats.kstest(residuals, "norm").pvalue > 1e-3
    assert (residuals == r.residuals(rng=1)).all()
    # what is known of a censored row is drawn from the tail above its limit, and the whole is normal again
    censored = nl.fit(name, nl.interval(lower, upper), truncation=window, fixed=theta).residuals(rng=2)
    assert stats.kstest(censored, "norm").pvalue > 1e-3


def test_quantile_residuals_in_both_tails():
    r = nl.fit("normal", [-12.0, 0.0, 12.0], fixed={"loc": 0.0, "scale": 1.0})
    np.testing.assert_allclose(r.residuals(), [-12.0, 0.0, 12.0], rtol=1e-12, atol=1e-15)


def test_residuals_that_do_not_exist(tmp_path):
    with pytest.raises(InputError, match="no quantile residuals"):
        nl.fit("categorical", ["a", "b", "a"]).residuals()
    r = nl.fit("normal", [1.0, 2.0])
    r.to_json(tmp_path / "fit.json")
    with pytest.raises(InputError, match="does not hold the rows"):
        nl.load(tmp_path / "fit.json").residuals()
    with pytest.raises(InputError, match="allowed: 'quantile'"):
        r.residuals("pearson")


def test_interval_arguments():
    r = nl.fit("normal", [1.0, 2.0])
    with pytest.raises(InputError, match="between 0 and 1"):
        r.ci(95)
    with pytest.raises(InputError, match="allowed: 'wald'"):
        r.ci(method="exact")


def test_loglik_does_not_depend_on_the_order_of_rows():
    order = RNG.permutation(60)
    a = nl.fit("weibull", Y["weibull"])
    b = nl.fit("weibull", Y["weibull"][order])
    assert a.loglik == b.loglik and a.params == b.params and a.stderr == b.stderr


def test_repr_is_short():
    r = nl.fit("weibull", nl.right_censored([5.0, 8.0, 11.0, 12.0], [1, 1, 1, 0]))
    assert repr(r) == (
        "Fit(weibull, 4 observations, ok): log-likelihood -8.87948943\n  shape 2.96321 ± 1.48, scale 10.7209 ± 2.09"
    )
    wide = repr(nl.fit("categorical", Y["categorical"], X, intercept=True, l2=1.0))
    assert wide.endswith("5 more") and wide.count("\n") == 1
    assert "[unbounded" not in repr(nl.fit("normal", [3.0])) and "±" not in repr(nl.fit("normal", [3.0]))


def test_what_a_prediction_cannot_use():
    data = {"y": Y["normal"], "x": X[:, 0], "g": np.array(list("uvw") * 20)}
    by_formula = nl.fit("normal", "y ~ x + g", data=data)
    new = {"x": [1.0, 2.0], "g": np.array(["u", "v"])}
    for broken, words in (
        ({"x": [1.0, np.nan]}, "predict: column 'x' is missing at row 1"),
        ({"g": np.array(["u", None])}, "predict: column 'g' is missing at row 1"),
        ({"g": np.array(["u", "z"])}, r"predict: formula '~ x \+ g': level \{'z'\} did not occur"),
    ):
        with pytest.raises(DataError, match=f"^{words}"):
            by_formula.predict({**new, **broken})
    with pytest.raises(DataError, match=r"^predict: data has no column 'g'"):
        by_formula.predict({"x": [1.0]})
    for name in ("normal", "categorical"):
        r = nl.fit(name, Y[name], X, intercept=True)
        with pytest.raises(DataError, match=r"^predict: column 'x1' of lo\w+ is nan at row 2"):
            r.predict([[1.0, 2.0], [1.0, 2.0], [0.0, np.nan]])
