"""Likelihoods of one's own: the numbers of the families that they rewrite, and what is said when they are wrong."""

from __future__ import annotations

import math

import numpy as np
import pytest

import neglog as nl

torch = pytest.importorskip("torch")

HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


def gaussian(y, loc, scale):
    return 0.5 * ((y - loc) / scale) ** 2 + torch.log(scale) + HALF_LOG_2PI


def log_cdf(y, loc, scale):
    return torch.special.log_ndtr((y - loc) / scale)


def log_sf(y, loc, scale):
    return torch.special.log_ndtr((loc - y) / scale)


def counts(y, rate):
    return rate - y * torch.log(rate) + torch.lgamma(y + 1)


def line(y, a, b, scale, x):
    return gaussian(y, a + b * x, scale)


REAL_AND_POSITIVE = {"loc": nl.real, "scale": nl.positive}
MINE = nl.Custom(gaussian, REAL_AND_POSITIVE)
WITH_TAILS = nl.Custom(gaussian, REAL_AND_POSITIVE, log_cdf=log_cdf, log_sf=log_sf)
COUNTS = nl.Custom(counts, {"rate": nl.positive}, discrete=True)
LINE = nl.Custom(line, {"a": nl.real, "b": nl.real, "scale": nl.positive}, mean=lambda a, b, scale, x: a + b * x)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(5)
    x = rng.normal(size=200)
    return {"x": x, "y": 3.0 + 2.0 * x + rng.normal(size=200) * np.exp(0.3 * x), "g": np.repeat(np.arange(20), 10)}


def same(mine, theirs, tolerance=1e-9):
    np.testing.assert_allclose(list(mine.values()), list(theirs.values()), rtol=tolerance)


def test_facts():
    assert MINE.name == "gaussian"
    assert [(p.name, p.link.name) for p in MINE.parameters] == [("loc", "identity"), ("scale", "log")]
    assert [p.column for p in LINE.parameters] == ["", "", "", "x"]
    assert nl.Custom(gaussian, REAL_AND_POSITIVE) == MINE
    assert hash(nl.Custom(gaussian, REAL_AND_POSITIVE)) == hash(MINE)
    assert nl.Custom(gaussian, REAL_AND_POSITIVE, name="other") != MINE


def test_value_and_derivatives_are_those_of_the_normal():
    y, loc, scale = np.array([[0.3, -1.0], [7.0, 2.0]]), 0.4, np.array([1.5, 0.2])
    for mine, theirs in zip(MINE.nll_grad_hess(y, loc, scale), nl.Normal().nll_grad_hess(y, loc, scale), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-13, atol=1e-13)
    assert MINE.nll_grad_hess(y.astype(np.float32), np.float32(0.4), np.float32(1.5))[1].dtype == np.float32
    assert MINE.nll(np.zeros((0,)), 0.0, 1.0).shape == (0,)


def test_rows_outside_the_domain_or_the_support_are_never_shown_to_the_function():
    def seen(y, rate):
        assert (rate > 0).all()
        assert (y >= 0).all()
        return counts(y, rate)

    f = nl.Custom(seen, {"rate": nl.positive}, discrete=True)
    value, gradient, _ = f.nll_grad_hess([1.0, 2.5, -1.0, 2.0, np.nan], [2.0, 2.0, 2.0, -1.0, 2.0], check=False)
    np.testing.assert_array_equal(value[1:], [np.inf, np.inf, np.inf, np.nan])
    np.testing.assert_allclose(value[0], nl.Poisson().nll(1, 2.0), rtol=1e-14)
    assert gradient[0, 0] == 0.5
    with pytest.raises(nl.ParameterError, match=r"rate = -1 is outside its domain \(0, inf\)"):
        f.nll(1.0, -1.0)


@pytest.mark.parametrize("cov_type", ["observed", "expected", "opg", "sandwich"])
def test_a_fit_is_that_of_the_family(data, cov_type):
    mine = nl.fit(WITH_TAILS, "y ~ x", data=data, cov_type=cov_type)
    theirs = nl.fit("normal", "y ~ x", data=data, cov_type=cov_type)
    assert mine.ok
    same(mine.params, theirs.params)
    same(mine.stderr, theirs.stderr, 1e-7)
    assert mine.loglik == pytest.approx(theirs.loglik, rel=1e-12)
    np.testing.assert_allclose(np.array(list(mine.ci().values())), np.array(list(theirs.ci().values())), rtol=1e-7)


def test_weights_clusters_offset_l2_and_fixed(data):
    for options in (
        {"weights": data["g"] % 3.0},
        {"weights": 1.0 + data["g"] % 3, "weight_kind": "sampling"},
        {"clusters": "g"},
        {"offset": "x"},
        {"l2": 3.0},
        {"fixed": {"scale": 1.5}},
    ):
        call = {"X": data["x"], "data": data, "intercept": True, **options}
        mine, theirs = (nl.fit(f, data["y"], **call) for f in (MINE, "normal"))
        same(mine.params, theirs.params)
        assert mine.information == theirs.information
        np.testing.assert_allclose(mine.cov, theirs.cov, rtol=1e-8, atol=1e-14)


def test_a_parameter_of_each_row_may_have_covariates(data):
    formulas = {"loc": "y ~ x", "scale": "~ x"}
    mine, theirs = (nl.fit(f, formulas, data=data) for f in (MINE, "normal"))
    same(mine.params, theirs.params, 1e-8)
    same(mine.stderr, theirs.stderr, 1e-8)


def test_columns_of_the_data_are_arguments(data):
    r = nl.fit(LINE, "y", data=data)
    theirs = nl.fit("normal", "y ~ x", data=data)
    np.testing.assert_allclose(list(r.params.values()), list(theirs.params.values()), rtol=1e-9)
    np.testing.assert_allclose(list(r.stderr.values()), list(theirs.stderr.values()), rtol=1e-9)
    np.testing.assert_allclose(r.predict(), theirs.predict(), rtol=1e-9)
    np.testing.assert_allclose(r.predict({"x": [0.0, 1.0]}), theirs.predict({"x": [0.0, 1.0]}), rtol=1e-9)
    assert list(r.params) == ["a", "b", "scale"]
    assert "one value per row: x" in r.summary()


def test_rows_without_a_value_of_a_column(data):
    x = data["x"].copy()
    x[7] = np.nan
    with pytest.raises(nl.DataError, match=r"missing values in column 'x' \(rows 7\)"):
        nl.fit(LINE, data["y"], data={"x": x})
    r = nl.fit(LINE, data["y"], data={"x": x}, missing="drop")
    rest = np.arange(200) != 7
    same(r.params, nl.fit(LINE, data["y"][rest], data={"x": x[rest]}).params)
    weight = rest.astype(float)
    same(r.params, nl.fit(LINE, data["y"], data={"x": x}, weights=weight).params)


def test_what_a_fit_needs_is_said(data):
    with pytest.raises(nl.InputError, match=r"line reads the column 'x'; pass data=\{'x': ...\}, or name it"):
        nl.fit(LINE, data["y"])
    with pytest.raises(nl.DataError, match="no column 'x'"):
        nl.fit(LINE, data["y"], data={"z": data["x"]})
    with pytest.raises(nl.InputError, match="censored and truncated rows, quantiles, draws and residuals need"):
        nl.fit(MINE, nl.right_censored([1.0, 2.0, 3.0], [1, 1, 0]))
    with pytest.raises(nl.InputError, match="the expected information is not known"):
        nl.fit(MINE, data["y"], cov_type="expected")
    with pytest.raises(nl.InputError, match=r"the mean is not known; pass log_cdf= and log_sf= or mean="):
        nl.fit(MINE, data["y"]).predict()


def test_censored_and_truncated_rows(data):
    y = np.abs(data["y"]) + 0.1
    rows = nl.interval(np.where(y > 4, 4.0, y), np.where(y > 4, np.inf, np.where(y < 1, 1.5, y)))
    mine, theirs = (nl.fit(f, rows) for f in (WITH_TAILS, "normal"))
    same(mine.params, theirs.params, 1e-8)
    same(mine.stderr, theirs.stderr, 1e-8)
    mine, theirs = (nl.fit(f, y, truncation=(0.0, 20.0)) for f in (WITH_TAILS, "normal"))
    same(mine.params, theirs.params, 1e-7)
    lower, upper = np.array([-np.inf, 30.0, -1.0, -40.0, 2.0]), np.array([-30.0, np.inf, 2.0, -39.0, 2.0])
    for got, wanted in zip(
        WITH_TAILS.log_interval_grad_hess(lower, upper, 0.1, 1.2),
        nl.Normal().log_interval_grad_hess(lower, upper, 0.1, 1.2),
        strict=True,
    ):
        finite = np.isfinite(wanted)
        np.testing.assert_allclose(got[finite], wanted[finite], rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(np.isfinite(got), finite)
    assert WITH_TAILS.ppf(0.25, 1.0, 2.0) == pytest.approx(nl.Normal().ppf(0.25, 1.0, 2.0), rel=1e-12)
    assert WITH_TAILS.var(1.0, 2.0) == pytest.approx(4.0, rel=1e-9)
    np.testing.assert_allclose(mine.residuals(), theirs.residuals(), atol=1e-5)


def test_families_of_families(data):
    y = data["y"]
    mine, theirs = (nl.Mixture(f, k=2) for f in (MINE, "normal"))
    at = (0.3, -1.0, 1.0, 2.0, 0.5)
    for got, wanted in zip(mine.nll_grad_hess(y, *at), theirs.nll_grad_hess(y, *at), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-10, atol=1e-10)
    held = nl.fit(nl.Fixed(MINE, loc=3.0), y)
    same(held.params, nl.fit(nl.Fixed("normal", loc=3.0), y).params)
    k = np.random.default_rng(1).poisson(1.2, 500) * (np.arange(500) % 4 > 0)
    zeros, known = (nl.fit(nl.ZeroInflated(f), k) for f in (COUNTS, "poisson"))
    same(zeros.params, known.params, 1e-8)
    same(zeros.stderr, known.stderr, 1e-8)
    window = nl.fit(nl.Truncated(WITH_TAILS, -1.0, 8.0), y[(y > -1) & (y <= 8)])
    same(window.params, nl.fit(nl.Truncated("normal", -1.0, 8.0), y[(y > -1) & (y <= 8)]).params, 1e-7)


def test_a_mixture_of_regressions_reads_the_columns_of_its_components():
    rng = np.random.default_rng(3)
    x = rng.uniform(0, 10, 400)
    y = np.where(rng.random(400) < 0.4, 1.0 + 2.0 * x, 20.0 - 1.0 * x) + rng.normal(size=400)
    start = {"a_0": 0.0, "b_0": 1.5, "scale_0": 2.0, "a_1": 18.0, "b_1": -0.5, "scale_1": 2.0}
    r = nl.fit(nl.Mixture(LINE, k=2), y, data={"x": x}, start=start)
    assert r.ok
    for name, value in {"b_0": 2.0, "b_1": -1.0, "a_1": 20.0}.items():
        assert abs(r.params[name] - value) < 4 * r.stderr[name]


def test_as_a_loss_in_torch():
    import neglog.torch as nlt

    y = torch.tensor([0.3, -2.0, 5.0], dtype=torch.float64, requires_grad=True)
    scale = torch.tensor(1.5, dtype=torch.float64, requires_grad=True)
    mine = nlt.nll(MINE, y, loc=0.5, scale=scale)
    slopes = torch.autograd.grad(mine, [y, scale], create_graph=True)
    theirs = nlt.nll("normal", y, loc=0.5, scale=scale)
    wanted = torch.autograd.grad(theirs, [y, scale], create_graph=True)
    torch.testing.assert_close(mine, theirs)
    torch.testing.assert_close(slopes, wanted)
    torch.testing.assert_close(torch.autograd.grad(slopes[1], scale)[0], torch.autograd.grad(wanted[1], scale)[0])
    line = nlt.nll(LINE, y.detach(), a=0.0, b=1.0, scale=1.0, x=torch.tensor([1.0, 2.0, 3.0]), reduction="none")
    torch.testing.assert_close(line, gaussian(y.detach(), torch.tensor([1.0, 2.0, 3.0]), torch.ones(3)).double())
    assert nlt.nll(COUNTS, torch.tensor([1.0, 2.5]), rate=2.0, reduction="none")[1] == torch.inf


def test_a_saved_fit_asks_for_its_likelihood(tmp_path, data):
    path = tmp_path / "fit.json"
    r = nl.fit(LINE, "y", data=data)
    r.to_json(path)
    with pytest.raises(nl.InputError, match=r"'line' is the user's own, which is not saved: pass family="):
        nl.load(path)
    with pytest.raises(nl.InputError, match="the fit is one of line, not of gaussian"):
        nl.load(path, family=MINE)
    again = nl.load(path, family=LINE)
    assert again.params == r.params
    assert again.stderr == r.stderr
    np.testing.assert_array_equal(again.predict({"x": [1.0]}), r.predict({"x": [1.0]}))
    nl.fit("normal", data["y"]).to_json(path)
    assert nl.load(path, family="normal").ok
    with pytest.raises(nl.InputError, match="the fit is one of normal, not of gamma"):
        nl.load(path, family="gamma")


def wrong(fn, parameters=None):
    return lambda: nl.fit(nl.Custom(fn, parameters or REAL_AND_POSITIVE), [1.0, 2.0, 4.0, 3.0])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (wrong(lambda y, loc, scale: gaussian(y, loc, scale).sum()), nl.ShapeError, r"leave out .sum\(\) or .mean\(\)"),
        (wrong(lambda y, loc, scale: gaussian(y, loc, scale)[:, None]), nl.ShapeError, "allowed: one number per row"),
        (wrong(lambda y, loc, scale: 1.0), nl.InputError, "returned a float; allowed: a torch tensor"),
        (wrong(lambda y, loc, scale: y > loc), nl.InputError, "returned torch.bool; allowed: floating point"),
        (
            wrong(lambda y, loc, scale: y.nonsense()),
            nl.InputError,
            "failed with AttributeError in line [0-9]+ of test_custom.py: 'Tensor' object",
        ),
        (
            wrong(lambda y, loc, scale: gaussian(y, loc, scale).float()),
            nl.InputError,
            "returned torch.float32 of float64",
        ),
        (
            wrong(lambda y, loc, scale: torch.where(y > 0, gaussian(y, loc, scale), torch.sqrt(loc - loc))),
            nl.InputError,
            r"the derivative in loc is nan .* of torch.where\(c, a, b\) both branches",
        ),
        (wrong(lambda y, loc, scale: y * float("nan")), nl.DataError, r"gives nan at row 0 .* pass start="),
        (wrong(lambda y, loc, scale: gaussian(y, y.mean() + loc, scale)), nl.InputError, "treat each row on its own"),
        (wrong(lambda y, loc, scale: gaussian(y, loc.detach(), scale)), nl.InputError, "the derivative in loc is 0 by"),
    ],
)
def test_mistakes_in_the_function(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_the_users_own_error_is_the_cause():
    def bad(y, mu):
        raise KeyError("column")

    with pytest.raises(nl.InputError, match=r"bad failed with KeyError in line [0-9]+ of test_custom.py") as caught:
        nl.fit(nl.Custom(bad, {"mu": nl.real}), [1.0, 2.0])
    assert isinstance(caught.value.__cause__, KeyError)


@pytest.mark.parametrize(
    ("cdf", "sf", "message"),
    [
        (lambda y, loc, scale: 0 * y - 1.0, lambda y, loc, scale: 0 * y - 1.0, r"\+ exp\(log_sf\) is 0.735759 at y = "),
        (log_sf, log_cdf, "from row to row"),
        (
            lambda y, loc, scale: log_cdf(y, loc, 2 * scale),
            lambda y, loc, scale: log_sf(y, loc, 2 * scale),
            "log_cdf and log_sf imply",
        ),
    ],
)
def test_tails_that_are_not_those_of_the_density(data, cdf, sf, message):
    family = nl.Custom(gaussian, REAL_AND_POSITIVE, log_cdf=cdf, log_sf=sf)
    with pytest.raises(nl.InputError, match=message):
        nl.fit(family, nl.right_censored(data["y"], data["y"] < 4))


def test_a_constant_may_be_left_out_of_the_density_beside_tails(data):
    def short(y, loc, scale):
        return gaussian(y, loc, scale) - HALF_LOG_2PI

    rows = nl.right_censored(data["y"], data["y"] < 4)
    r = nl.fit(nl.Custom(short, REAL_AND_POSITIVE, log_cdf=log_cdf, log_sf=log_sf), rows)
    same(r.params, nl.fit("normal", rows).params, 1e-8)
    counted = nl.Custom(
        counts,
        {"rate": nl.positive},
        discrete=True,
        log_cdf=lambda y, rate: torch.log(torch.special.gammaincc(y + 1, rate)),
        log_sf=lambda y, rate: torch.log(torch.special.gammainc(y + 1, rate)),
    )
    k = np.random.default_rng(0).poisson(3.0, 50)
    rows = nl.right_censored(k, k < 5)
    same(nl.fit(counted, rows).params, nl.fit("poisson", rows).params, 1e-8)
    swapped = nl.Custom(
        counts, {"rate": nl.positive}, discrete=True, log_cdf=counted.log_sf_of, log_sf=counted.log_cdf_of
    )
    with pytest.raises(nl.InputError, match="imply"):
        nl.fit(swapped, rows)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, lambda: torch.device("meta")])
def test_modes_of_torch_around_a_fit_change_nothing(data, mode):
    rows = nl.right_censored(data["y"], data["y"] < 4)
    with mode():
        mine, r = nl.fit(WITH_TAILS, rows), nl.fit(LINE, data["y"], data=data)
        mean = r.predict()
    same(mine.params, nl.fit("normal", rows).params, 1e-8)
    np.testing.assert_array_equal(mean, nl.fit(LINE, data["y"], data=data).predict())


def test_a_file_that_changed_is_run_again(tmp_path):
    path = tmp_path / "mine.py"
    text = "import neglog as nl\nf = nl.Custom(lambda y, mu: (y - mu) ** {}, dict(mu=nl.real), name='f')\n"
    path.write_text(text.format(2))
    first = nl.Custom.from_file(str(path), "f")
    assert nl.Custom.from_file(str(path), "f") is first
    path.write_text(text.format(10))
    assert nl.Custom.from_file(str(path), "f").nll(2.0, 0.0) == 1024.0
    path.write_text("raise SystemExit(4)\n")
    with pytest.raises(nl.InputError, match=r"mine.py: SystemExit: 4"):
        nl.Custom.from_file(str(path), "f")


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((1, {"mu": nl.real}), {}, "fn is a int"),
        ((gaussian, {}), {}, "a dict of name to domain"),
        ((gaussian, {"loc": 1.0}), {}, "loc is 1.0; allowed: nl.real, nl.positive"),
        ((gaussian, {"loc": nl.real, "sigma": nl.positive}), {}, "fn has no argument 'sigma'; it has y, loc, scale"),
        ((gaussian, {"y": nl.real}), {}, "the first argument of fn is the response"),
        ((gaussian, REAL_AND_POSITIVE), {"log_cdf": log_cdf}, "log_cdf and log_sf go together"),
        ((gaussian, REAL_AND_POSITIVE), {"start": {"scale": -1.0}}, "scale = -1 is outside its domain"),
        ((gaussian, REAL_AND_POSITIVE), {"start": {"mu": 1.0}}, "start names 'mu'"),
        ((gaussian, REAL_AND_POSITIVE), {"start": {"loc": "a"}}, "start: loc is 'a'; allowed: a number"),
        (
            (gaussian, REAL_AND_POSITIVE),
            {"support": "positive"},
            "support is 'positive'; allowed: nl.real, nl.positive",
        ),
        ((gaussian, REAL_AND_POSITIVE), {"support": (0, 1, 2)}, "or a pair of numbers"),
        ((gaussian, REAL_AND_POSITIVE), {"location": "mu"}, "location='mu'; the parameters are loc, scale"),
        ((gaussian, REAL_AND_POSITIVE), {"data": ["z"]}, "data names 'z', which is no argument of fn"),
        ((gaussian, REAL_AND_POSITIVE), {"support": (2.0, 1.0)}, "is empty"),
    ],
)
def test_mistakes_in_the_declaration(arguments, options, message):
    with pytest.raises(nl.InputError, match=message):
        nl.Custom(*arguments, **options)


def test_likelihoods_without_a_maximum(data):
    y = data["y"]

    def double(y, a, b):
        return gaussian(y, a + b, torch.ones_like(y))

    flat = nl.fit(nl.Custom(double, {"a": nl.real, "b": nl.real}), y)
    assert flat.status == "flat"
    assert "a, b" in flat.message
    assert np.isnan(list(flat.stderr.values())).all()

    def spike(y, loc, scale):
        return gaussian(y, loc, scale)

    unbounded = nl.fit(nl.Custom(spike, REAL_AND_POSITIVE), np.full(20, 3.0))
    assert unbounded.status == "unbounded"
    cost = nl.Custom(lambda y, p: -y * torch.log(p) - (1 - y) * torch.log1p(-p), {"p": nl.unit}, discrete=True)
    assert nl.fit(cost, np.ones(10)).status == "boundary"
    assert nl.fit(cost, [1, 0, 1, 1]).params["p"] == pytest.approx(0.75, rel=1e-12)


def test_a_parameter_that_nothing_depends_on_is_flat(data):
    """The search may move it, since nothing stops it; that is no way to the boundary."""
    r = nl.fit(nl.Custom(lambda y, mu, k: (y - mu) ** 2, {"mu": nl.real, "k": nl.real}), data["y"])
    assert r.status == "flat"
    assert "cannot tell the estimates: k." in r.message
    assert r.params["mu"] == pytest.approx(data["y"].mean(), rel=1e-12)


REAL_LINE = {"a": nl.real, "b": nl.real, "s": nl.positive}
CORNERS = {
    "Laplace": (lambda y, m, b: abs(y - m) / b + torch.log(2 * b), {"m": nl.real, "b": nl.positive}, 0.5),
    "median": (lambda y, m: abs(y - m), {"m": nl.real}, 0.5),
    "quantile": (lambda y, m: torch.where(y > m, 0.9 * (y - m), 0.1 * (m - y)), {"m": nl.real}, 0.9),
}


@pytest.mark.parametrize("name", CORNERS)
def test_a_maximum_at_a_corner_of_ones_own_likelihood(name):
    """As of the families that have one: the optimum is an order statistic, of which no curvature tells the error."""
    fn, parameters, level = CORNERS[name]
    y = np.random.default_rng(0).normal(3, 2, 51)
    r = nl.fit(nl.Custom(fn, parameters), y)
    assert r.status == "edge", r.message
    assert not r.ok and np.isnan(list(r.stderr.values())).all()
    assert r.params["m"] == pytest.approx(np.quantile(y, level, method="inverted_cdf"), abs=1e-5)


def test_a_crease_is_no_corner():
    """Least absolute deviations of a line: what rises along every axis may fall along a row's residual of 0."""
    from scipy.optimize import linprog

    for seed in range(6):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=40)
        y = 1 + 2 * x + rng.laplace(size=40)
        fn = nl.Custom(lambda y, a, b, s, x: abs(y - a - b * x) / s + torch.log(2 * s), REAL_LINE)
        r = nl.fit(fn, y, data={"x": x})
        design = np.column_stack([np.ones(40), x])
        program = linprog(  # the least sum of residuals' positive and negative parts
            np.r_[0, 0, np.ones(80)],
            A_eq=np.hstack([design, np.eye(40), -np.eye(40)]),
            b_eq=y,
            bounds=[(None, None)] * 2 + [(0, None)] * 80,
        )
        best = 40 * (1 + math.log(2 * program.fun / 40))
        assert r.nll >= best - 1e-9
        if r.status == "edge":
            assert r.nll == pytest.approx(best, rel=1e-6)
        else:
            assert r.status in ("stalled", "max_iterations"), r.message


def test_a_likelihood_that_jumps_has_no_standard_errors():
    """Derivatives of floor are 0 everywhere, so slope and curvature of k**2 look like those of a maximum at 0."""
    y = np.zeros(20)
    r = nl.fit(nl.Custom(lambda y, k: torch.floor(k) + k**2 + 0 * y, {"k": nl.real}), y, start={"k": -0.5})
    assert r.status == "edge" and "jumps" in r.message
    even = nl.fit(nl.Custom(lambda y, m: abs(y - m), {"m": nl.real}), [1.0, 2.0, 4.0, 9.0])
    assert even.status == "flat"
    jumps = nl.Custom(lambda y, m: torch.where(y > m, y - m, 10 + m - y), {"m": nl.real})
    assert nl.fit(jumps, [1.0, 2.0, 4.0, 9.0]).status == "stalled"


def test_a_start_where_the_curvature_is_infinite():
    """abs(x)**1.5 has a slope of 0 at 0 and no second derivative."""
    mine = nl.Custom(lambda y, m: abs(y - m) ** 1.5, {"m": nl.real})
    r = nl.fit(mine, [1.0, 2.0, 4.0], start={"m": 2.0})
    assert r.status == "stalled" and "derivatives are not finite" in r.message
    assert nl.fit(mine, [1.0, 2.0, 4.0], start={"m": 2.5}).ok


def test_second_derivatives_that_are_wrong_are_found():
    """Value and gradient are those of (y - m)**2 / 2, but the curvature is 3 and not 1."""

    def straight(y, m):
        slope = (m - y).detach()
        return 0.5 * slope**2 + slope * (m - m.detach()) + 1.5 * (m - m.detach()) ** 2

    r = nl.fit(nl.Custom(straight, {"m": nl.real}), [1.0, 2.0, 4.0, 9.0])
    assert not r.ok
    assert "according to the second derivatives" in r.message


@pytest.mark.parametrize(("low", "high"), [(-1.0, 1.0), (2.0, np.inf), (-np.inf, -3.0), (0.0, 1.0), (-np.inf, np.inf)])
def test_domains(low, high):
    import pickle

    domain = nl.between(low, high)
    eta = np.linspace(-3, 3, 13)
    theta, first, second = domain.link.inverse_derivatives(eta)
    assert domain.interval.contains(theta).all()
    np.testing.assert_allclose(domain.link.apply(theta), eta, atol=1e-13)
    h = 1e-5
    up, down = (domain.link.inverse_derivatives(eta + step) for step in (h, -h))
    np.testing.assert_allclose(first, (up[0] - down[0]) / (2 * h), rtol=1e-8)
    np.testing.assert_allclose(second, (up[1] - down[1]) / (2 * h), rtol=1e-8, atol=1e-9)
    assert pickle.loads(pickle.dumps(domain)) == domain
    with pytest.raises(nl.InputError, match="is not below"):
        nl.between(1.0, 1.0)


@pytest.mark.parametrize(("name", "value"), [("longley", -109.61743480848), ("stackloss", -52.28779550240)])
def test_published_log_likelihoods_of_least_squares(name, value):
    """statsmodels' OLS(...).fit().llf."""
    import importlib

    table = importlib.import_module(f"statsmodels.datasets.{name}").load_pandas()
    r = nl.fit(MINE, table.endog.to_numpy(), table.exog.to_numpy(), intercept=True)
    assert r.ok, r.message
    assert r.loglik == pytest.approx(value, rel=1e-12)


def test_without_data_a_start_must_still_be_found():
    far = np.random.default_rng(2).normal(1e6, 30.0, 300)
    r = nl.fit(MINE, far)
    same(r.params, nl.fit("normal", far).params)
    start = nl.fit(nl.Custom(gaussian, REAL_AND_POSITIVE, start={"loc": 1e6, "scale": 20.0}), far)
    same(start.params, r.params)


def test_a_start_is_not_sought_among_rounding_errors():
    """For many degrees of freedom the difference of the two lgamma is noise, and the lowest noise is no start."""

    def bent(y, a, k, c, scale, df, x):
        z = (y - a * torch.exp(-k * x) - c) / scale
        constant = torch.lgamma(df / 2) - torch.lgamma((df + 1) / 2) + 0.5 * torch.log(df * math.pi)
        return constant + torch.log(scale) + (df + 1) / 2 * torch.log1p(z * z / df)

    x = np.linspace(0, 6, 120)
    y = 3 * np.exp(-0.7 * x) + 0.2 + 0.05 * np.random.default_rng(0).standard_t(3, 120)
    f = nl.Custom(bent, {"a": nl.real, "k": nl.positive, "c": nl.real, "scale": nl.positive, "df": nl.positive})
    near = {"a": 3.0, "k": 0.7, "c": 0.2, "scale": 0.05, "df": 4.0}
    r = nl.fit(f, y, data={"x": x})
    assert r.ok
    same(r.params, nl.fit(f, y, data={"x": x}, start=near).params)
    with pytest.raises(nl.InputError, match=r"in df .* begins, at 1e\+13\); .* no digits left there \(pass start"):
        nl.fit(f, y, data={"x": x}, start=near | {"df": 1e13})


@pytest.mark.parametrize("left_out", ["sign", "log(scale)"])
def test_a_runaway_names_the_usual_slips(left_out):
    def slip(y, loc, scale):
        return -gaussian(y, loc, scale) if left_out == "sign" else 0.5 * ((y - loc) / scale) ** 2

    r = nl.fit(nl.Custom(slip, REAL_AND_POSITIVE), [4.1, 5.3, 3.8, 4.9, 5.0])
    assert not r.ok
    assert "Or fn lacks its minus sign, or a term that holds a parameter, such as log(sigma)" in r.message


@pytest.mark.parametrize(
    ("fn", "hint"),
    [
        (lambda y, loc, scale: (y - loc) ** 2 + math.log(scale), "torch.log for math.log"),
        (lambda y, loc, scale: (y - loc) ** 2 if loc > 0 else y, "torch.where"),
    ],
)
def test_what_torch_says_is_put_in_words(fn, hint):
    with pytest.raises(nl.InputError, match=hint):
        nl.fit(nl.Custom(fn, REAL_AND_POSITIVE, name="mine"), [1.0, 2.0, 4.0])


def test_restarts_say_how_stable_the_maximum_is(data):
    def waves(y, phase, scale, x):
        return gaussian(y, torch.sin(3 * x + phase), scale)

    x = np.linspace(0, 6, 80)
    y = np.sin(3 * x + 1.0) + 0.1 * np.random.default_rng(4).normal(size=80)
    f = nl.Custom(waves, {"phase": nl.real, "scale": nl.positive})
    r = nl.fit(f, y, data={"x": x}, start={"phase": 0.5, "scale": 1.0}, restarts=4)
    assert r.ok
    assert r.message.endswith(" of 5 searches from different places came here")
    assert math.sin(r.params["phase"]) == pytest.approx(math.sin(1.0), abs=0.05)
    again = nl.fit("normal", "y ~ x", data=data, restarts=3)
    assert again.message.endswith("; 4 of 4 searches from different places came here")
    assert again.params == pytest.approx(nl.fit("normal", "y ~ x", data=data).params, rel=1e-9)
