"""What must not change a fit.

Repeating or weighting rows, their order, the units of columns and of the response.
"""

from __future__ import annotations

import numpy as np
import pytest
from tests.estimation.families import FAMILIES, parameters

import neglog as nl

N = 200


def draw(name: str, seed: int = 0, n: int = N):
    """Half the rows exact, the others censored in the three ways."""
    rng, family = np.random.default_rng(seed), nl.family(name)
    theta = parameters(name, 0.4, 1.7)
    y = np.asarray(family.sample(*theta, size=n, rng=rng), dtype=float)
    lower, upper = y.copy(), y.copy()
    kind = rng.integers(0, 6, n)
    lower[kind == 0] -= 1.0
    upper[kind == 0] = np.inf
    lower[kind == 1] = -np.inf
    lower[kind == 2] -= 1.0
    return nl.interval(lower, upper), rng


@pytest.mark.parametrize("name", FAMILIES)
def test_weights_are_repeats_to_the_last_bit(name):
    y, rng = draw(name)
    count = rng.integers(0, 4, N)
    rows = rng.permutation(np.repeat(np.arange(N), count))
    weighted, repeated = nl.fit(name, y, weights=count), nl.fit(name, y[rows])
    assert weighted.ok
    assert weighted.params == repeated.params
    assert weighted.stderr == repeated.stderr
    for what in ("loglik", "aic", "bic", "nobs", "df"):
        assert getattr(weighted, what) == getattr(repeated, what)


@pytest.mark.parametrize("cov_type", ["observed", "opg", "sandwich", "cluster"])
@pytest.mark.parametrize("name", [*FAMILIES, "categorical"])
def test_weights_are_repeats_with_covariates(name, cov_type):
    if name == "categorical":
        rng = np.random.default_rng(1)
        y = rng.integers(0, 3, N)
    else:
        y, rng = draw(name)
    x, count, g = rng.normal(size=(N, 2)), rng.integers(0, 4, N), rng.integers(0, 20, N)
    rows = np.repeat(np.arange(N), count)
    clusters = {"clusters": g} if cov_type == "cluster" else {}
    again = {"clusters": g[rows]} if cov_type == "cluster" else {}
    a = nl.fit(name, y, x, intercept=True, weights=count, cov_type=cov_type, **clusters)
    b = nl.fit(name, y[rows], x[rows], intercept=True, cov_type=cov_type, **again)
    assert a.ok
    assert a.loglik == pytest.approx(b.loglik, rel=1e-14)
    np.testing.assert_allclose(a.values, b.values, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(a.cov, b.cov, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("name", [*FAMILIES, "categorical"])
@pytest.mark.parametrize("l2", [0.0, 0.5])
def test_affine_change_of_columns(name, l2):
    """x -> shift + scale x: the same likelihood, and coefficients that change as algebra says.

    With a penalty only the shift, which the intercept takes up, is free.
    """
    if name == "categorical":
        rng = np.random.default_rng(1)
        y = rng.integers(0, 3, N)
    else:
        y, rng = draw(name)
    x = rng.normal(size=(N, 2))
    scale, shift = (np.array([1e6, 1e-4]), np.array([3e7, -2e-3])) if not l2 else (np.ones(2), np.array([1e4, -5.0]))
    a = nl.fit(name, y, x, intercept=True, l2=l2)
    b = nl.fit(name, y, shift + scale * x, intercept=True, l2=l2)
    assert a.ok and b.ok, b.message
    assert b.loglik == pytest.approx(a.loglik, rel=1e-10)
    labels = [name[: -len(".Intercept")] for name in a.params if name.endswith(".Intercept")]
    for label in labels:
        slopes = np.array([b.params[f"{label}.x{j}"] for j in range(2)])
        before = np.array([a.params[f"{label}.x{j}"] for j in range(2)])
        np.testing.assert_allclose(slopes * scale, before, rtol=1e-6, atol=1e-9)
        level = b.params[f"{label}.Intercept"] + slopes @ shift
        assert level == pytest.approx(a.params[f"{label}.Intercept"], rel=1e-6, abs=1e-6)
        errors = np.array([b.stderr[f"{label}.x{j}"] for j in range(2)])
        np.testing.assert_allclose(errors * scale, [a.stderr[f"{label}.x{j}"] for j in range(2)], rtol=1e-6)


def test_units_of_the_response():
    """Hours or nanoseconds: the scale follows, the shape and all tests stay."""
    y, rng = draw("weibull")
    x = rng.normal(size=N)
    a = nl.fit("weibull", y, x, intercept=True)
    unit = 3.6e12
    b = nl.fit("weibull", nl.interval(y.lower * unit, y.upper * unit), x, intercept=True)
    assert b.params["shape"] == pytest.approx(a.params["shape"], rel=1e-10)
    assert b.params["scale.x0"] == pytest.approx(a.params["scale.x0"], rel=1e-9)
    assert b.params["scale.Intercept"] == pytest.approx(a.params["scale.Intercept"] + np.log(unit), rel=1e-11)
    exact = y.exact.sum()
    assert b.loglik == pytest.approx(a.loglik - exact * np.log(unit), rel=1e-11)


@pytest.mark.parametrize("shift", [0.0, 1e9])
def test_location_of_the_response(shift):
    rng = np.random.default_rng(5)
    x = rng.normal(size=(N, 1))
    y = x[:, 0] + rng.normal(size=N)
    r = nl.fit("normal", y + shift, x, intercept=True)
    assert r.ok
    # what the addition of 1e9 leaves of y has eps * 1e9 = 2e-7
    assert r.params["loc.x0"] == pytest.approx(nl.fit("normal", y, x, intercept=True).params["loc.x0"], abs=1e-6)


@pytest.mark.parametrize("name", FAMILIES)
def test_start_does_not_decide(name):
    """Far starts end at the same optimum."""
    y, rng = draw(name)
    x = rng.normal(size=(N, 1))
    r = nl.fit(name, y, x, intercept=True)
    for sign in (-1, 1):
        start = {key: value + sign for key, value in r.params.items()}
        start |= {key: r.params[key] * 1.5**sign for key in {"shape", "scale", "a", "b"} & start.keys()}
        start |= {key: r.params[key] ** 1.5**sign for key in {"zero"} & start.keys()}
        again = nl.fit(name, y, x, intercept=True, start=start)
        assert again.ok, again.message
        np.testing.assert_allclose(again.values, r.values, rtol=1e-8, atol=1e-9)


def test_rows_of_weight_zero_are_never_read():
    y, x = [1.0, np.nan, 2.0, 4.0], [[0.0], [np.inf], [1.0], [3.0]]
    r = nl.fit("poisson", y, x, intercept=True, weights=[1, 0, 2, 1])
    assert (
        r.params == nl.fit("poisson", [1.0, 2.0, 4.0], [[0.0], [1.0], [3.0]], intercept=True, weights=[1, 2, 1]).params
    )


def test_inputs_are_left_alone():
    rng = np.random.default_rng(0)
    x, y, w = rng.normal(size=(30, 2)), rng.poisson(3, 30), rng.random(30)
    for array in (x, y, w):
        array.flags.writeable = False
    before = x.copy()
    nl.fit("poisson", y, x, intercept=True, weights=w, offset=w)
    assert (x == before).all()


def test_precision_weights_divide_the_dispersion():
    rng = np.random.default_rng(2)
    x, w = rng.normal(size=(100, 1)), rng.uniform(0.2, 5, 100)
    y = 1 + 2 * x[:, 0] + rng.normal(size=100) / np.sqrt(w)
    r = nl.fit("normal", y, x, intercept=True, weights=w, weight_kind="precision")
    design = np.column_stack([np.ones(100), x])
    wls = np.linalg.solve(design.T * w @ design, design.T * w @ y)
    np.testing.assert_allclose([r.params["loc.Intercept"], r.params["loc.x0"]], wls, rtol=1e-10)
    variance = np.mean(w * (y - design @ wls) ** 2)
    assert r.params["scale"] == pytest.approx(variance**0.5, rel=1e-10)
    assert r.nobs == 100
    # only the overall level of the weights is free to move into the scale
    doubled = nl.fit("normal", y, x, intercept=True, weights=4 * w, weight_kind="precision")
    assert doubled.params["scale"] == pytest.approx(2 * r.params["scale"], rel=1e-9)
    assert doubled.loglik == pytest.approx(r.loglik, rel=1e-12)


def test_sampling_weights_do_not_count_rows():
    rng = np.random.default_rng(3)
    x, w = rng.normal(size=(200, 1)), rng.uniform(0.5, 3, 200)
    y = rng.poisson(np.exp(0.3 + 0.5 * x[:, 0]))
    a = nl.fit("poisson", y, x, intercept=True, weights=w, weight_kind="sampling")
    b = nl.fit("poisson", y, x, intercept=True, weights=1000 * w, weight_kind="sampling")
    assert a.information == "sandwich" and a.nobs == 200 and np.isnan(a.aic)
    np.testing.assert_allclose(a.values, b.values, rtol=1e-9)
    np.testing.assert_allclose(a.cov, b.cov, rtol=1e-7)


TRANSLATED = [name for name in FAMILIES if nl.family(name).translation]


@pytest.mark.parametrize("name", TRANSLATED)
def test_the_translation_that_a_family_declares(name):
    family = nl.family(name)
    theta = {p.name: 0.5 for p in family.parameters}
    moved = {**theta, family.translation: theta[family.translation] + 4.0}
    y = np.array([-1.0, 0.25, 3.0])
    np.testing.assert_array_equal(family.nll(y + 4.0, **moved), family.nll(y, **theta))


@pytest.mark.parametrize("kind", ["exact", "intervals in a window", "covariates and an offset"])
@pytest.mark.parametrize("shift", [1e7, 1e8, 1.7e9, 1e15])
@pytest.mark.parametrize("name", TRANSLATED)
def test_data_far_from_zero(name, shift, kind):
    """Unix times, pressures in Pa: the location follows, everything else stays to the last digits."""
    rng = np.random.default_rng(0)
    z, x = np.round(rng.normal(size=200) * 35 + 240) / 8, rng.normal(size=(200, 2))  # exact after the shift

    def fit(by: float):
        if kind == "exact":
            return nl.fit(name, z + by)
        if kind == "covariates and an offset":
            return nl.fit(name, z + by, x, intercept=True, offset=np.full(200, by), fixed={"loc.x0": 0.25})
        rows = nl.interval(np.floor(z) + by, np.floor(z) + 1 + by)
        return nl.fit(name, rows, truncation=(5.0 + by, None))

    near, far = fit(0.0), fit(shift)
    assert near.ok and far.ok, far.message
    assert far.loglik == pytest.approx(near.loglik, rel=1e-11)
    np.testing.assert_allclose(list(far.stderr.values()), list(near.stderr.values()), rtol=1e-6)
    assert far.params["scale"] == pytest.approx(near.params["scale"], rel=1e-7)
    eps = np.spacing(shift)
    location, by = ("loc.Intercept", 0.0) if "offset" in kind else ("loc", shift)
    assert far.params[location] - by == pytest.approx(near.params[location], abs=eps + 1e-6)
    np.testing.assert_allclose(far.predict() - shift, near.predict(), atol=2 * eps + 1e-6)
    np.testing.assert_allclose(far.residuals(rng=1), near.residuals(rng=1), atol=eps + 1e-6)


def test_dummies_in_place_of_an_intercept_far_from_zero():
    rng = np.random.default_rng(0)
    group, x = np.repeat(np.eye(3), 20, axis=0), rng.normal(size=(60, 1))
    y = np.round(8 * (group @ [1.0, 2.0, 3.0] + rng.normal(size=60))) / 8
    near, far = (nl.fit("normal", y + by, np.hstack([group, x])) for by in (0.0, 1.7e9))
    aliased = nl.fit("normal", y + 100, np.hstack([group[:, :1] * 2, group]))
    assert aliased.status == "rank_deficient" and aliased.params["loc.x1"] == 0.0
    assert far.ok, far.message
    np.testing.assert_allclose(list(far.stderr.values()), list(near.stderr.values()), rtol=1e-7)
    np.testing.assert_allclose(far.values[:3] - 1.7e9, near.values[:3], atol=1e-6)
    assert near.loglik == pytest.approx(far.loglik, rel=1e-11)
    assert f"{far.params['loc.x0']:.2f}" in far.summary()  # enough digits to see the standard error
