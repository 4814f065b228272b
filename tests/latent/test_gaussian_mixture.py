"""Gaussian mixtures: densities against SciPy and mpmath, steps of EM against scikit-learn, and honest endings."""

import math
import pickle

import mpmath
import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.mixture import GaussianMixture as SklearnMixture

import neglog as nl
from neglog import _native
from neglog.latent import GaussianMixture, fit_gaussian_mixture

KINDS = ["full", "tied", "diagonal", "spherical"]


def random_model(kind, k, d, seed=0, apart=2.0):
    rng = np.random.default_rng(seed)
    roots = rng.normal(size=(k, d, d)) / math.sqrt(d)
    full = roots @ roots.swapaxes(1, 2) + 0.2 * np.eye(d)
    covariances = {"full": full, "tied": full[0], "diagonal": full.diagonal(0, 1, 2), "spherical": full[:, 0, 0]}[kind]
    return GaussianMixture(rng.dirichlet(np.full(k, 5.0)), apart * rng.normal(size=(k, d)), covariances, kind)


def matrices(model):
    k, d = model.means.shape
    match model.covariance:
        case "full":
            return model.covariances
        case "tied":
            return np.broadcast_to(model.covariances, (k, d, d))
    return np.eye(d) * np.broadcast_to(model.covariances.reshape(k, -1), (k, d))[:, None, :]


def log_densities(model, x):
    laws = zip(model.weights, model.means, matrices(model), strict=True)
    return np.stack([np.log(w) + multivariate_normal(m, c).logpdf(x) for w, m, c in laws], axis=-1).reshape(len(x), -1)


def sklearn_like(model, **options):
    invert = np.linalg.inv if model.covariance in ("full", "tied") else np.reciprocal
    kind = "diag" if model.covariance == "diagonal" else model.covariance
    return SklearnMixture(
        model.components, covariance_type=kind, weights_init=model.weights, means_init=model.means,
        precisions_init=invert(model.covariances), reg_covar=0, **options,
    )  # fmt: skip


# one column, less than a block of four, blocks and a rest, several blocks
@pytest.mark.parametrize(("k", "d"), [(1, 1), (3, 2), (2, 3), (4, 4), (3, 7), (2, 13), (5, 33)])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [1, 7, 130, 1500])
def test_nll_and_posterior_are_scipys(kind, k, d, n):
    model = random_model(kind, k, d)
    x = model.sample(n, rng=1)[0]
    each = log_densities(model, x)
    np.testing.assert_allclose(model.nll(x), -logsumexp(each, axis=1), rtol=1e-12, atol=1e-12)
    expected = np.exp(each - logsumexp(each, axis=1, keepdims=True))
    np.testing.assert_allclose(model.predict_proba(x), expected, rtol=1e-10, atol=1e-15)
    np.testing.assert_array_equal(model.predict(x), expected.argmax(axis=1))
    assert model.mean_nll(x) == pytest.approx(-logsumexp(each, axis=1).mean(), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_statistics_are_the_formulas(kind):
    model = random_model(kind, 3, 6)
    x = model.sample(700, rng=1)[0]
    w = np.random.default_rng(2).integers(1, 4, 700).astype(float)
    sums = model.statistics(x, w)
    r = model.predict_proba(x) * w[:, None]
    y = x[:, None] - model.means
    second = np.einsum("nk,nki,nkj->kij", r, y, y)
    np.testing.assert_allclose(sums.posterior, r.sum(0), rtol=1e-12)
    np.testing.assert_allclose(sums.first, np.einsum("nk,nki->ki", r, y), rtol=1e-10, atol=1e-10)
    if kind in ("diagonal", "spherical"):
        second = second.diagonal(0, 1, 2)
    np.testing.assert_allclose(sums.second, second, rtol=1e-10, atol=1e-10)
    assert sums.weight == w.sum()
    assert sums.mean_nll == pytest.approx(model.mean_nll(x, w), rel=1e-13)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("steps", [1, 2, 12])
def test_the_path_of_em_is_scikit_learns(kind, steps):
    x = random_model("full", 3, 4, seed=3, apart=0.7).sample(2000, rng=1)[0]
    start = fit_gaussian_mixture(x[:100], 3, covariance=kind, max_iter=1, rng=0).model
    theirs = sklearn_like(start, max_iter=steps, tol=0)
    with pytest.warns(UserWarning, match="did not converge"):
        theirs.fit(x)
    ours = fit_gaussian_mixture(x, 3, covariance=kind, start=start, max_iter=steps, tol=0)
    assert ours.iterations == steps and ours.status == "max_iterations"
    np.testing.assert_allclose(ours.model.weights, theirs.weights_, rtol=1e-10)
    np.testing.assert_allclose(ours.model.means, theirs.means_, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(ours.model.covariances, theirs.covariances_, rtol=1e-9, atol=1e-11)
    assert ours.mean_nll == pytest.approx(-theirs.score(x), abs=1e-12)
    assert ours.aic == pytest.approx(theirs.aic(x), rel=1e-12)
    assert ours.bic == pytest.approx(theirs.bic(x), rel=1e-12)
    assert (ours.model.aic(x), ours.model.bic(x)) == pytest.approx((ours.aic, ours.bic), rel=1e-12)


@pytest.mark.parametrize("reg_covar", [0.0, 0.5])
@pytest.mark.parametrize("kind", KINDS)
def test_em_is_monotone_to_a_fixed_point(kind, reg_covar):
    truth = random_model("full", 3, 3, seed=5)
    x = truth.sample(1500, rng=1)[0]
    r = fit_gaussian_mixture(x, 3, covariance=kind, tol=1e-12, max_iter=20_000, reg_covar=reg_covar, rng=0)
    assert r.status in (("ok",) if reg_covar == 0 else ("ok", "degenerate"))
    steps = np.diff(r.history)
    assert (steps <= 4e-15 * np.abs(r.history[1:]).max() * 8).all()
    again = r.model.statistics(x).maximise(reg_covar)
    np.testing.assert_allclose(again.means, r.model.means, atol=1e-4)
    assert r.history[-1] == r.mean_nll == pytest.approx(r.model.mean_nll(x), rel=1e-13)
    if reg_covar == 0 and kind == "full":
        assert r.mean_nll < truth.mean_nll(x)  # the truth is one of the candidates


def test_one_component_is_the_normal():
    x = np.random.default_rng(0).normal(size=(500, 4)) @ np.diag([1.0, 1e-6, 1e6, 3.0]) + [0, 5e-6, -1e7, 2]
    r = fit_gaussian_mixture(x, 1, tol=0)
    loc, factor = nl.MultivariateNormal().start(x)
    assert r.ok
    assert r.nll == pytest.approx(nl.MultivariateNormal().nll(x, loc, factor).sum(), rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_starts_find_separate_clusters(kind):
    truth = GaussianMixture(
        [0.2, 0.3, 0.5], [[0, 0], [8, 0], [0, 900]],
        {"full": np.tile(np.diag([1, 1e4]), (3, 1, 1)), "tied": np.diag([1, 1e4]), "diagonal": [[1, 1e4]] * 3,
         "spherical": [1.0] * 3}[kind], kind,
    )  # fmt: skip
    x = truth.sample(3000, rng=1)[0]
    r = fit_gaussian_mixture(x, 3, covariance=kind, rng=0)
    assert r.ok
    np.testing.assert_allclose(np.sort(r.model.weights), [0.2, 0.3, 0.5], atol=0.04)
    assert r.mean_nll < truth.mean_nll(x)


def test_more_starts_are_not_worse_and_are_reported():
    x = random_model("full", 6, 2, seed=8, apart=3).sample(600, rng=2)[0]
    r = fit_gaussian_mixture(x, 6, covariance="spherical", n_init=5, rng=0)
    assert len(r.runs) == 5
    assert r.nll == min(nll for status, nll in r.runs if status != "degenerate")


def test_means_as_a_start():
    x = random_model("full", 2, 2, seed=8, apart=4).sample(400, rng=2)[0]
    a = fit_gaussian_mixture(x, 2, start=[[3.0, 0.0], [-3.0, 0.0]], tol=1e-10)
    b = fit_gaussian_mixture(x, 2, start=[[-3.0, 0.0], [3.0, 0.0]], tol=1e-10)
    np.testing.assert_allclose(a.model.means, b.model.means[::-1], rtol=1e-3)
    assert a.nll == pytest.approx(b.nll, rel=1e-9)


# ---- chunks, weights, precision ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_chunks_add_up(kind):
    model = random_model(kind, 3, 5)
    x = model.sample(1000, rng=1)[0]
    w = np.random.default_rng(0).uniform(0.5, 2, 1000)
    parts = [model.statistics(x[i : i + 90], w[i : i + 90]) for i in range(0, 1000, 90)]
    merged, whole = sum(parts[1:], parts[0]), model.statistics(x, w)
    for name in ("nll", "weight", "posterior", "first", "second"):
        np.testing.assert_allclose(getattr(merged, name), getattr(whole, name), rtol=1e-11, atol=1e-10)

    def chunks():
        return ((x[i : i + 300], w[i : i + 300]) for i in range(0, 1000, 300))

    a = fit_gaussian_mixture(chunks, 3, covariance=kind, start=model, tol=1e-9)
    b = fit_gaussian_mixture(x, 3, covariance=kind, start=model, tol=1e-9, sample_weight=w)
    assert a.nll == pytest.approx(b.nll, rel=1e-12)
    np.testing.assert_allclose(a.model.means, b.model.means, rtol=1e-8)
    assert fit_gaussian_mixture(chunks, 3, covariance=kind, rng=0).nobs == pytest.approx(w.sum())


def test_sums_of_different_models_do_not_add_up():
    x = np.random.default_rng(0).normal(size=(50, 2))
    a, b = random_model("full", 2, 2, seed=0), random_model("full", 2, 2, seed=1)
    with pytest.raises(nl.NeglogError, match="different models"):
        a.statistics(x) + b.statistics(x)
    again = GaussianMixture(a.weights, a.means, a.covariances, a.covariance)
    assert (a.statistics(x) + again.statistics(x)).weight == 100


@pytest.mark.parametrize("kind", KINDS)
def test_weights_are_repeats_and_zero_is_not_read(kind):
    model = random_model(kind, 2, 3)
    x = model.sample(300, rng=1)[0]
    w = np.random.default_rng(0).integers(0, 3, 300)
    x[w == 0] = np.nan
    a = fit_gaussian_mixture(x, 2, covariance=kind, start=model, sample_weight=w)
    b = fit_gaussian_mixture(np.repeat(x, w, axis=0), 2, covariance=kind, start=model)
    assert (a.iterations, a.nobs) == (b.iterations, b.nobs)
    assert a.nll == pytest.approx(b.nll, rel=1e-12)
    np.testing.assert_allclose(a.model.covariances, b.model.covariances, rtol=1e-9)
    assert a.model.mean_nll(x, w) == pytest.approx(a.mean_nll, rel=1e-13)


@pytest.mark.parametrize("kind", KINDS)
def test_narrow_components_far_apart_keep_their_digits(kind):
    """About a common centre the variances would be lost in 1e16: (apart / width)^2."""
    rng = np.random.default_rng(0)
    near, far = rng.normal(size=(400, 2)), rng.normal(size=(600, 2)) + 1e8
    near, far = np.round(near * 2**20) / 2**20, np.round(far * 2**20) / 2**20  # as float64 holds them
    r = fit_gaussian_mixture(np.vstack([near, far]), 2, covariance=kind, start=[[0.0, 0.0], [1e8, 1e8]], tol=0)
    assert r.ok
    spread = [np.cov(part.T, bias=True) for part in (near, far - 1e8)]
    expected = {
        "full": spread,
        "tied": 0.4 * spread[0] + 0.6 * spread[1],
        "diagonal": [np.diag(part) for part in spread],
        "spherical": [np.trace(part) / 2 for part in spread],
    }[kind]
    np.testing.assert_allclose(r.model.covariances, expected, rtol=1e-7)  # the means are rounded to 1e-8


def test_against_mpmath_far_out():
    weights, means, deviations = [0.25, 0.75], [-1.0, 2.0], [0.5, 1e-3]
    model = GaussianMixture(weights, np.array(means)[:, None], np.square(deviations), "spherical")
    x = np.array([2.0, 2.04, 1.9, -30.0, 1e5, -1e150])
    with mpmath.workdps(60):

        def exact(y):
            return -mpmath.log(
                sum(w * mpmath.npdf(y, m, s) for w, m, s in zip(weights, means, deviations, strict=True))
            )

        # (1e-3)^2 is rounded before it is passed
        np.testing.assert_allclose(model.nll(x[:, None]), [float(exact(mpmath.mpf(y))) for y in x], rtol=3e-15)


def test_float32_is_widened():
    model = random_model("full", 3, 5)
    x = model.sample(777, rng=1)[0].astype(np.float32)
    np.testing.assert_array_equal(model.nll(x), model.nll(x.astype(float)))
    assert model.nll(np.asfortranarray(x)).tolist() == model.nll(x).tolist()


def test_threads_and_position_change_nothing():
    model = random_model("full", 3, 5)
    x = model.sample(5000, rng=1)[0]
    threads = nl.get_num_threads()
    try:
        nl.set_num_threads(1)
        one = model.statistics(x)
        nl.set_num_threads(4)
        four = model.statistics(x)
    finally:
        nl.set_num_threads(threads)
    for name in ("nll", "posterior", "first", "second"):
        np.testing.assert_array_equal(getattr(one, name), getattr(four, name))
    np.testing.assert_array_equal(model.nll(x)[1234:1300], model.nll(x[1234:1300]))
    order = np.random.default_rng(0).permutation(len(x))
    assert model.mean_nll(x) == model.mean_nll(x[order])


@pytest.mark.parametrize("isa", _native.available_isas())
def test_on_every_instruction_set(isa, on_isa):
    chosen = "scipys or formulas or sklearns or float32 or threads"
    on_isa(isa, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__, "-k", chosen)


# ---- edges ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_infinite_and_missing_rows(kind):
    model = random_model(kind, 3, 3)
    x = np.zeros((5, 3))
    x[1, 2], x[2, 0], x[3] = np.inf, np.nan, [np.inf, np.nan, 0]
    nll = model.nll(x)
    assert nll[0] == nll[4] and np.isfinite(nll[0])
    assert nll[1] == np.inf and np.isnan(nll[2:4]).all()
    assert np.isnan(model.predict_proba(x)[1:4]).all()
    assert model.nll(np.empty((0, 3))).shape == (0,)
    assert math.isnan(model.mean_nll(np.empty((0, 3))))
    for call in (model.statistics, model.predict, lambda x: fit_gaussian_mixture(x, 2)):
        with pytest.raises(nl.DataError, match=r"x\[1, 2\] = inf"):
            call(x)


def test_a_component_of_weight_zero():
    model = GaussianMixture([0.0, 1.0], [[0.0], [0.0]], [1.0, 4.0], "spherical")
    assert model.nll([[1.0]])[0] == pytest.approx(nl.Normal().nll(1.0, 0.0, 2.0), rel=1e-14)
    assert model.predict_proba([[1.0]]).tolist() == [[0.0, 1.0]]
    with pytest.raises(nl.DataError, match="component 0 has lost all rows"):
        model.statistics([[1.0], [2.0]]).maximise()


@pytest.mark.parametrize("kind", ["full", "diagonal", "spherical"])
def test_a_component_on_a_point_is_named(kind):
    rng = np.random.default_rng(0)
    x = np.vstack([rng.normal(size=(200, 2)), np.tile([[9.0, 9.0]], (5, 1))])
    r = fit_gaussian_mixture(x, 2, covariance=kind, start=[[0.0, 0.0], [9.0, 9.0]])
    assert (r.status, r.ok, r.degenerate) == ("degenerate", False, (1,))
    assert "component 1 (weight of its rows 5, mean [9. 9.])" in r.message and "reg_covar" in r.message
    assert np.isfinite(r.nll)
    held = fit_gaussian_mixture(x, 2, covariance=kind, start=[[0.0, 0.0], [9.0, 9.0]], reg_covar=1e-4)
    assert (held.status, held.degenerate, held.reg_covar) == ("degenerate", (1,), 1e-4)
    assert "component 1: a direction of the covariance is held at reg_covar=0.0001" in held.message
    smallest = np.linalg.eigvalsh(matrices(held.model)).min(axis=1)
    assert smallest[1] == pytest.approx(1e-4, rel=1e-12) and smallest[0] > 0.5
    assert np.diff(held.history).max() <= 1e-14


@pytest.mark.parametrize("kind", KINDS)
def test_a_constant_or_repeated_column(kind):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(100, 3))
    x[:, 2] = 7.3 if kind == "diagonal" else 2 * x[:, 0] - x[:, 1]
    r = fit_gaussian_mixture(x, 2, covariance=kind, rng=0)
    if kind == "spherical":
        assert r.ok
    else:
        assert r.status == "degenerate" and r.degenerate == (0, 1)
    if kind != "tied":
        assert fit_gaussian_mixture(x, 2, covariance=kind, rng=0, reg_covar=1e-3).nll < np.inf


def test_a_run_that_is_not_degenerate_wins():
    rng = np.random.default_rng(3)
    x = np.vstack([rng.normal(size=(60, 1)), [[30.0]]])
    r = fit_gaussian_mixture(x, 2, n_init=10, rng=1)
    assert {status for status, _ in r.runs} >= {"degenerate"}
    assert r.status == min((status for status, _ in r.runs), key=lambda status: status == "degenerate")


def test_the_place_of_the_data_does_not_matter():
    """Also where squares of the numbers have no digits left for the distances between rows."""
    rng = np.random.default_rng(0)
    x = np.vstack([rng.normal(-3, 1, (100, 2)), rng.normal(3, 0.5, (200, 2))])
    for kind in KINDS:
        here, there = (fit_gaussian_mixture(x + shift, 2, covariance=kind, rng=0) for shift in (0.0, 2.0**40))
        assert there.ok
        assert there.nll == pytest.approx(here.nll, rel=1e-3)  # rows are rounded to 2**-12


def test_a_component_that_is_far_from_every_row():
    r = fit_gaussian_mixture(np.random.default_rng(0).normal(size=(50, 1)), 2, start=[[0.0], [1e6]])
    assert (r.status, r.degenerate) == ("degenerate", (1,))
    assert r.message == "component 1 has lost all rows: fewer components, or another start"


def test_chunks_without_rows_or_weight_add_nothing():
    rng = np.random.default_rng(0)
    x = np.vstack([rng.normal(-3, 1, (100, 2)), rng.normal(3, 0.5, (200, 2))])
    start = [[-3.0, -3.0], [3.0, 3.0]]
    parts = [x[:0], (x[:150], np.zeros(150)), x[:200], x[200:]]
    r = fit_gaussian_mixture(lambda: parts, 2, start=start)
    assert r.nobs == 300 and r.ok
    alone = fit_gaussian_mixture(lambda: parts[2:], 2, start=start)
    assert r.nll == alone.nll
    assert math.isnan(r.model.bic(x[:0]))
    with pytest.raises(TypeError):
        r.model.statistics(x) + 1.0


def test_slow_progress_is_not_the_end():
    """One component's worth of data: steps are small long before the end, and scikit-learn's rule stops there."""
    x = np.random.default_rng(0).normal(size=(2000, 1))
    start = GaussianMixture([0.5, 0.5], [[-0.1], [0.1]], [1.0, 1.0], "spherical")
    r = fit_gaussian_mixture(x, 2, covariance="spherical", start=start, tol=1e-6, max_iter=100_000)
    exact = fit_gaussian_mixture(x, 2, covariance="spherical", start=r.model, tol=1e-13, max_iter=100_000)
    assert r.ok
    assert r.mean_nll - exact.mean_nll < 1e-4


def test_samples_have_the_moments():
    for kind in KINDS:
        model = random_model(kind, 3, 2)
        x, label = model.sample(100_000, rng=1)
        np.testing.assert_allclose(np.bincount(label) / 1e5, model.weights, atol=6e-3)
        for k in range(3):
            np.testing.assert_allclose(np.cov(x[label == k].T), matrices(model)[k], atol=0.06)
            np.testing.assert_allclose(x[label == k].mean(0), model.means[k], atol=0.05)


def test_pickle_and_counts():
    for kind, count in zip(KINDS, (2 + 6 + 9, 2 + 6 + 3, 2 + 6 + 6, 2 + 6 + 3), strict=True):
        model = random_model(kind, 3, 2)
        assert model.parameters == count
        again = pickle.loads(pickle.dumps(model))
        assert again.nll([[0.1, 0.2]]) == model.nll([[0.1, 0.2]])


BAD = [
    (lambda: GaussianMixture([0.5, 0.6], [[0.0], [1.0]], [1.0, 1.0], "spherical"), "sum 1"),
    (lambda: GaussianMixture([-0.5, 1.5], [[0.0], [1.0]], [1.0, 1.0], "spherical"), "at least 0"),
    (lambda: GaussianMixture([1.0], [[np.nan]], [1.0], "spherical"), "finite"),
    (lambda: GaussianMixture([1.0], [[0.0]], [0.0], "spherical"), "positive"),
    (lambda: GaussianMixture([1.0], [[0.0, 0.0]], [[[1.0, 2.0], [2.0, 1.0]]]), "positive definite"),
    (lambda: GaussianMixture([1.0], [[0.0, 0.0]], [[1.0, 0.5], [0.2, 1.0]], "tied"), "symmetric"),
    (lambda: GaussianMixture([1.0], [0.0], [1.0], "spherical"), r"\(K,\) and \(K, D\)"),
    (lambda: GaussianMixture([1.0], [[0.0]], [1.0]), r"\(1, 1, 1\)"),
    (lambda: GaussianMixture([1.0], [[0.0]], [1.0], "round"), "allowed: 'full', 'tied', 'diagonal', 'spherical'"),
    (lambda: random_model("full", 2, 3).nll([[1.0, 2.0]]), r"allowed: \(n, 3\)"),
    (lambda: fit_gaussian_mixture(np.ones(3), 2), r"\(n, D\)"),
    (lambda: fit_gaussian_mixture(np.ones((3, 1)), 0), "components=0"),
    (lambda: fit_gaussian_mixture(np.ones((3, 1)), 2), "only 1 distinct rows"),
    (lambda: fit_gaussian_mixture(np.empty((0, 1)), 2), "no rows"),
    (lambda: fit_gaussian_mixture(np.ones((3, 1)), 1, sample_weight=[1, -1, 1]), r"sample_weight\[1\] = -1"),
    (lambda: fit_gaussian_mixture(np.ones((3, 1)), 1, sample_weight=[0, 0, 0]), "every sample_weight is zero"),
    (lambda: fit_gaussian_mixture(np.ones((3, 1)), 1, tol=-1.0), "tol=-1"),
    (lambda: fit_gaussian_mixture(np.ones((3, 1)), 1, start=[[0.0], [1.0]]), r"allowed: \(1, 1\)"),
    (lambda: fit_gaussian_mixture(lambda: iter(()), 1), "no chunks"),
    (lambda: fit_gaussian_mixture(lambda: [np.empty((0, 1))], 1), "no rows"),
    (lambda: fit_gaussian_mixture(1e200 * np.arange(9.0)[:, None], 2), "too large to be squared"),
    (lambda: fit_gaussian_mixture(np.arange(9.0)[:, None], 2, start=[[1.0], [1.0]]), "equal means"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), BAD)
def test_bad_input(call, message):
    with pytest.raises(nl.NeglogError, match=message):
        call()
