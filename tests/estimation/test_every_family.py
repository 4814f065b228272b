"""Every family that there is, and compositions of some: simulated, fitted, and back where the data came from."""

from __future__ import annotations

import numpy as np
import pytest

import neglog as nl
from neglog.families import ScalarFamily

COMPOSITIONS = {
    "truncated(normal, 0)": (1.0, 1.5),
    "truncated(poisson, 0)": (1.2,),
    "truncated(gumbel, -1, 4)": (0.5, 1.2),
    "mixture(normal, 2)": (0.5, -1.5, 0.8, 2.0, 1.2),
    "mixture(normal, 3)": (0.2, -0.3, -4.0, 0.8, 0.0, 0.7, 5.0, 1.2),
    "mixture(poisson, 2)": (-0.4, 1.5, 9.0),
    "mixture(weibull, normal)": (0.3, 1.8, 1.2, 7.0, 1.0),
    "zero_inflated(poisson)": (2.5, 0.3),
    "zero_inflated(weibull)": (1.4, 2.0, 0.25),
    "hurdle(poisson)": (2.0, 0.45),
    "hurdle(log_normal)": (0.4, 0.6, 0.7),
    "fixed(weibull, shape=1.5)": (2.0,),
    "truncated(mixture(normal, 2), -3)": (0.5, -1.5, 0.8, 2.0, 1.2),
    "zero_inflated(truncated(poisson, -1, 12))": (3.0, 0.3),
}
N = 4000


def truth(name: str) -> tuple[float, ...]:
    """A point not far from 1, or 0, where the families differ from their limits."""
    if name in COMPOSITIONS:
        return COMPOSITIONS[name]
    rng = np.random.default_rng(0)
    while True:
        values = [float(p.link.inverse(0.5 * rng.normal() + 0.2)) for p in nl.family(name).parameters]
        if not nl.family(name)._disagree(*map(np.asarray, values))[0]:
            break
    return tuple(
        float(np.ceil(6 * abs(value))) if p.domain.integer else value
        for p, value in zip(nl.family(name).parameters, values, strict=True)
    )


SCALAR = [name for name in nl.families.names() if isinstance(nl.family(name), ScalarFamily)]
REGULAR = [name for name in [*SCALAR, *COMPOSITIONS] if nl.family(name).smooth]


def simulate(name: str) -> tuple[nl.families.ScalarFamily, np.ndarray, tuple[float, ...], dict[str, float]]:
    """The family, rows, the parameters they came from, and those of them that are known numbers."""
    f, theta = nl.family(name), truth(name)
    y = np.asarray(f.sample(*theta, size=N, rng=1), dtype=float)
    return f, y, theta, {p.name: value for p, value in zip(f.parameters, theta, strict=True) if p.domain.integer}


@pytest.mark.parametrize("name", REGULAR)
def test_simulated_and_fitted(name):
    f, y, theta, known = simulate(name)
    r = nl.fit(name, y, fixed=known)
    assert r.ok, r.message
    assert r.loglik >= -np.sum(f.nll(y, *theta)) - 1e-9 * N
    # four percent of 5-parameter fits have a coordinate beyond 2.6 standard errors; none is beyond 5
    away = [
        (r.params[p.name] - value) / (r.stderr[p.name] or 1.0) for p, value in zip(f.parameters, theta, strict=True)
    ]
    assert np.max(np.abs(away)) < 5, away
    assert {p.name: r.params[p.name] for p in f.parameters if p.name in known} == known


@pytest.mark.parametrize("name", REGULAR)
def test_the_log_likelihood_ratio_of_the_truth_is_small(name):
    """Twice the gain over the truth is chi-square of as many degrees as there are parameters: 35 is far beyond."""
    f, y, theta, known = simulate(name)
    r = nl.fit(name, y, fixed=known)
    assert 2 * (r.loglik + np.sum(f.nll(y, *theta))) < 35


@pytest.mark.parametrize("name", REGULAR)
def test_censored_rows_and_covariates(name):
    """Two rows of three censored; and a covariate of the location that is noise. The estimates stay near the truth."""
    f, y, theta, known = simulate(name)
    rng = np.random.default_rng(3)
    # two visits at times that know nothing of the value: before the first, between them, or after the second
    visits = np.sort(f.sample(*theta, size=(N, 2), rng=rng), axis=1).T.astype(float)
    lower = np.where(y > visits[1], visits[1], np.where(y > visits[0], visits[0], -np.inf))
    upper = np.where(y > visits[1], np.inf, np.where(y > visits[0], visits[1], visits[0]))
    seen = rng.random(N) < 0.3
    lower, upper = np.where(seen, y, lower), np.where(seen, y, upper)
    r = nl.fit(name, nl.interval(lower, upper), fixed=known)
    exact = nl.fit(name, y, fixed=known)
    assert r.status in ("ok", "boundary", "flat"), r.message
    if r.ok:
        for key, value in zip(r.params, theta, strict=True):
            assert abs(r.params[key] - value) < 5 * r.stderr[key] or key in known, key
    if f.location in known:
        return
    x = rng.normal(size=(N, 1))
    moved = nl.fit(name, y, x, intercept=True, fixed=known)
    assert moved.ok, moved.message
    slope = f"{f.location}.x0"
    assert abs(moved.params[slope]) < 5 * moved.stderr[slope]
    assert moved.loglik >= exact.loglik - 1e-7


@pytest.mark.parametrize("name", COMPOSITIONS)
def test_saved_and_loaded(name, tmp_path):
    _, y, _, _ = simulate(name)
    r = nl.fit(name, y)
    r.to_json(tmp_path / "fit.json")
    back = nl.load(tmp_path / "fit.json")
    assert back.family == r.family == nl.family(name)
    assert back.params == r.params and back.summary() == r.summary()
    np.testing.assert_array_equal(back.predict(3), r.predict()[:3])
    z = r.residuals(rng=0)
    assert abs(np.mean(z)) < 5 / N**0.5 and np.std(z) == pytest.approx(1, abs=0.06)


def test_the_same_truncation_three_ways():
    """A truncated family, fit's own window, and a hurdle's positive part are one likelihood."""
    rng = np.random.default_rng(5)
    y = rng.poisson(1.3, 500)
    y = y[y > 0].astype(float)
    a, b = nl.fit("truncated(poisson, 0)", y), nl.fit("poisson", y, truncation=(0, None))
    assert a.ok and b.ok
    assert a.loglik == pytest.approx(b.loglik, rel=1e-13)
    assert a.params["rate"] == pytest.approx(b.params["rate"], rel=1e-7)
    both = nl.fit("hurdle(poisson)", np.append(y, np.zeros(100)))
    assert both.params["rate"] == pytest.approx(a.params["rate"], rel=1e-7)
    assert both.params["zero"] == pytest.approx(100 / (100 + len(y)), rel=1e-9)


def test_components_that_only_scale_tells_apart():
    """Equal locations: dealing rows out by order alone would start where the components swap."""
    rng = np.random.default_rng(7)
    y = np.append(rng.normal(0, 0.3, 3000), rng.normal(0, 4.0, 1500))
    r = nl.fit("mixture(normal, 2)", y)
    assert r.ok, r.message
    assert sorted([r.params["scale_0"], r.params["scale_1"]]) == pytest.approx([0.3, 4.0], rel=0.1)


def test_components_without_a_difference():
    """Equal rows in equal components: the start breaks the symmetry, and the fit says that there is no maximum."""
    start = nl.Mixture("poisson", k=3).start([4.0] * 20)
    assert len({*start[2:]}) == 3
    r = nl.fit("mixture(normal, 2)", [3.0] * 30)
    assert not r.ok


def test_zeros_that_the_family_expects():
    rng = np.random.default_rng(8)
    y = rng.poisson(3.0, 400)
    y = np.where((y == 0) & (rng.random(400) < 0.9), 2, y)  # fewer zeros than a Poisson has
    r = nl.fit("zero_inflated(poisson)", y)
    assert r.status == "boundary" and "zero falls" in r.message


@pytest.mark.parametrize("name", ["zero_inflated(poisson)", "weibull", "normal"])
def test_known_values_are_exact(name):
    """A fixed value is that value, not what comes back through a link; ends of the domain included."""
    f, y, theta, _ = simulate(name)
    last = f.parameters[-1].name
    value = 0.1 if last == "zero" else theta[-1]
    r = nl.fit(name, y, fixed={last: value})
    assert r.ok and r.params[last] == value and r.ci()[last] == (value, value) and r.stderr[last] == 0
    assert r.predict(2, kind="params")[last].tolist() == [value, value]
    per_row = nl.fit(name, y, fixed={last: np.full(N, value)})
    assert last not in per_row.params and per_row.df == r.df
    assert per_row.loglik == pytest.approx(r.loglik, rel=1e-14)
    assert f"Known, one value per row: {last}." in per_row.summary()
    with pytest.raises(nl.InputError, match=f"{last} was known per row"):
        per_row.predict(2)
    np.testing.assert_array_equal(
        per_row.predict(2, kind="params", fixed={last: [value, 2 * value]})[last], [value, 2 * value]
    )
    np.testing.assert_allclose(per_row.residuals(rng=0), r.residuals(rng=0), rtol=1e-6, atol=1e-6)


def test_no_additional_zeros():
    y = np.array([0.0, 1, 2, 2, 5])
    r = nl.fit("zero_inflated(poisson)", y, fixed={"zero": 0.0})
    assert r.ok and r.params["rate"] == pytest.approx(y.mean(), rel=1e-9)


@pytest.mark.parametrize(
    ("fixed", "error", "words"),
    [
        ({"shape": [1.0, 2.0]}, nl.ShapeError, r"one per row \(3,\)"),
        ({"shape": [1.0, -2.0, 3.0]}, nl.ParameterError, "shape = -2 at row 1 is outside its domain"),
        ({"shape": [1.0, np.nan, 3.0]}, nl.DataError, "shape = nan at row 1"),
        ({"shape": "k"}, nl.InputError, "pass data="),
    ],
)
def test_known_values_that_cannot_be(fixed, error, words):
    with pytest.raises(error, match=words):
        nl.fit("weibull", [1.0, 2.0, 3.0], fixed=fixed)


def test_known_per_row_by_name():
    data = {"y": [1.0, 2.0, 3.0], "k": [1.0, 2.0, 1.5]}
    a = nl.fit("weibull", "y", data=data, fixed={"shape": "k"})
    b = nl.fit("weibull", data["y"], fixed={"shape": data["k"]})
    assert a.ok and a.params == b.params


@pytest.mark.parametrize("name", ["laplace", "pareto", "uniform"])
def test_maxima_at_corners_and_edges(name):
    """Estimates are where the likelihood is largest, and the fit says why there are no standard errors."""
    f, y, theta, _ = simulate(name)
    r = nl.fit(name, y)
    assert r.status == "edge" and not r.ok, r.message
    assert r.loglik >= -np.sum(f.nll(y, *theta)) - 1e-9 * N
    assert np.isnan(list(r.stderr.values())).all()
    middle = np.sort(y)[[N // 2 - 1, N // 2]]  # between them the likelihood does not change
    expected = {
        "laplace": {"loc": float(np.clip(r.params.get("loc", 0.0), *middle))},
        "uniform": {"low": y.min(), "high": y.max()},
        "pareto": {"scale": y.min()},
    }[name]
    for key, value in expected.items():
        assert r.params[key] == pytest.approx(value, rel=1e-9)
    if name == "laplace":
        assert "corner" in r.message
    else:
        assert "The support ends at the data" in r.message


def test_the_rest_of_a_family_with_an_edge():
    _, y, theta, _ = simulate("pareto")
    r = nl.fit("pareto", y, fixed={"scale": y.min()})
    assert r.ok and abs(r.params["shape"] - theta[0]) < 5 * r.stderr["shape"]


@pytest.mark.parametrize("cov_type", ["observed", "expected", "opg", "sandwich"])
def test_trials_per_row(cov_type):
    """A binomial with its own number of trials in each row is the Bernoulli fit of all trials."""
    rng = np.random.default_rng(0)
    n, x = rng.integers(0, 12, 300), rng.normal(size=(300, 1))
    y = rng.binomial(n, 1 / (1 + np.exp(-(0.3 + 0.8 * x[:, 0]))))
    r = nl.fit("binomial", y, x, intercept=True, fixed={"n": n}, cov_type=cov_type)
    assert r.ok and r.df == 2
    trials = np.repeat(x, n, axis=0), np.concatenate([np.arange(b) < a for a, b in zip(y, n, strict=True)])
    single = nl.fit("bernoulli", trials[1].astype(float), trials[0], intercept=True)
    np.testing.assert_allclose(r.values, single.values, rtol=1e-8)
    if cov_type in ("observed", "expected"):
        np.testing.assert_allclose(r.cov, single.cov, rtol=1e-7)
    else:
        np.testing.assert_allclose(np.diag(r.cov), np.diag(single.cov), rtol=0.3)  # other estimates of the same
    assert r.predict([[0.0]], fixed={"n": [7]}) == pytest.approx(7 / (1 + np.exp(-r.params["p.Intercept"])))


def test_beta_binomial_trials_per_row(tmp_path):
    rng = np.random.default_rng(1)
    n = rng.integers(1, 15, 2000)
    y = rng.binomial(n, rng.beta(2.0, 3.0, 2000))
    r = nl.fit("beta_binomial", y, fixed={"n": n})
    assert r.ok
    for key, value in (("a", 2.0), ("b", 3.0)):
        assert abs(r.params[key] - value) < 5 * r.stderr[key]
    r.to_json(tmp_path / "fit.json")
    back = nl.load(tmp_path / "fit.json")
    assert back.summary() == r.summary()
    np.testing.assert_allclose(back.predict(2, fixed={"n": 10}), 10 * r.params["a"] / (r.params["a"] + r.params["b"]))
