"""Energies and exact likelihoods: published vectors, enumeration of both layers, quadrature, finite differences."""

import numpy as np
import pytest
from scipy import integrate
from tests.energy.conftest import DATA, Oracle, machine

import neglog as nl
from neglog.energy import BernoulliBernoulli, GaussianBernoulli

SIZES = [(1, 1), (3, 2), (2, 3), (4, 4), (6, 3), (3, 6)]


def test_vectors(spec):
    assert spec.log_partition() == pytest.approx(4.017745071768297, rel=1e-14)
    turned = BernoulliBernoulli(spec.weights.T, spec.hidden_bias, spec.visible_bias)  # the other layer is summed
    assert turned.log_partition() == pytest.approx(4.017745071768297, rel=1e-14)
    np.testing.assert_allclose(spec.free_energy(DATA), [-1.79627774, -2.11508544], atol=5e-9)
    mean, gradient = spec.nll_grad(DATA)
    assert mean == pytest.approx(2.0620634833801557, rel=1e-13)
    assert spec.nll(DATA).mean() == pytest.approx(mean, rel=1e-15)
    weights = [[0.07054125, 0.07196948], [0.12223582, 0.05976687], [-0.19504956, -0.31156886]]
    np.testing.assert_allclose(gradient.weights, weights, atol=5e-9)
    np.testing.assert_allclose(gradient.visible_bias, [0.0351611, 0.10554671, -0.48266197], atol=5e-9)
    np.testing.assert_allclose(gradient.hidden_bias, [0.08094294, 0.01030583], atol=5e-9)


@pytest.mark.parametrize(("visible", "hidden"), SIZES)
def test_everything_by_enumeration(visible, hidden):
    model = machine(visible, hidden, seed=visible + 10 * hidden)
    oracle = Oracle(model)
    assert model.log_partition() == pytest.approx(oracle.log_z, rel=1e-13)
    np.testing.assert_allclose(np.exp(-model.nll(oracle.v)), oracle.p_v, rtol=1e-12)
    assert np.exp(-model.nll(oracle.v)).sum() == pytest.approx(1, rel=1e-13)
    pairs = np.repeat(oracle.v, len(oracle.h), 0), np.tile(oracle.h, (len(oracle.v), 1))
    np.testing.assert_allclose(np.exp(-model.energy(*pairs) - oracle.log_z), oracle.p.ravel(), rtol=1e-12)
    np.testing.assert_allclose(model.hidden_mean(oracle.v), oracle.p @ oracle.h / oracle.p_v[:, None], rtol=1e-12)
    np.testing.assert_allclose(model.visible_mean(oracle.h), oracle.p.T @ oracle.v / oracle.p_h[:, None], rtol=1e-12)
    data = oracle.v[:1]
    gradient = model.nll_grad(data)[1]
    h = model.hidden_mean(data)
    np.testing.assert_allclose(gradient.weights, oracle.v.T @ oracle.p @ oracle.h - data.T @ h, atol=1e-13)
    np.testing.assert_allclose(gradient.visible_bias, oracle.p_v @ oracle.v - data[0], atol=1e-13)
    np.testing.assert_allclose(gradient.hidden_bias, oracle.p_h @ oracle.h - h[0], atol=1e-13)


@pytest.mark.parametrize("kind", [BernoulliBernoulli, GaussianBernoulli])
@pytest.mark.parametrize(("visible", "hidden"), SIZES)
def test_gradient_is_that_of_the_mean(kind, visible, hidden):
    model = machine(visible, hidden, seed=3, kind=kind, scale=0.5)
    data = np.random.default_rng(4).integers(2, size=(5, visible)).astype(float)
    gradient, step = model.nll_grad(data)[1], 1e-5
    for i, (array, slope) in enumerate(zip(gradient._fields, gradient, strict=True)):
        for at in np.ndindex(slope.shape):
            values = []
            for sign in (1, -1):
                moved = [getattr(model, name).copy() for name in gradient._fields]
                moved[i][at] += sign * step
                values.append(kind(*moved).nll(data).mean())
            assert (values[0] - values[1]) / (2 * step) == pytest.approx(slope[at], abs=2e-9), (array, at)


def test_one_table_and_many_blocks_agree():
    # 12 hidden units: 4 blocks of 1024 states; the oracle sums 2^12 rows at once
    model = machine(15, 12, seed=5, scale=0.4)
    h = ((np.arange(2**12)[:, None] >> np.arange(12)) & 1).astype(float)
    logs = h @ model.hidden_bias + np.logaddexp(0, h @ model.weights.T + model.visible_bias).sum(1)
    log_z = np.logaddexp.reduce(logs)
    assert model.log_partition() == pytest.approx(log_z, rel=1e-13)
    p, data = np.exp(logs - log_z), np.zeros((1, 15))
    want = (p[:, None] * model.visible_mean(h)).T @ h
    np.testing.assert_allclose(model.nll_grad(data)[1].weights, want, atol=1e-13)


def test_the_layer_that_is_enumerated_is_the_smaller():
    model = machine(4, 300, seed=6, scale=0.1)
    assert model.exact
    assert model.log_partition() == pytest.approx(
        np.logaddexp.reduce(-model.free_energy((np.arange(16)[:, None] >> np.arange(4)) & 1)), rel=1e-13
    )
    assert not machine(21, 21).exact and machine(21, 20).exact and machine(20, 21).exact
    assert not machine(4, 21, kind=GaussianBernoulli).exact and machine(40, 20, kind=GaussianBernoulli).exact


@pytest.mark.parametrize("kind", [BernoulliBernoulli, GaussianBernoulli])
def test_too_large_says_so(kind):
    with pytest.raises(nl.ParameterError, match=r"21 visible and 21 hidden units.*20.*neglog.energy.ais"):
        machine(21, 21, kind=kind).log_partition()


def test_gaussian_density_integrates_to_one():
    model = machine(1, 3, seed=7, kind=GaussianBernoulli)

    def density(x):
        return float(np.exp(-model.nll([[x]])[0]))

    mean = model.visible_bias[0]
    assert integrate.quad(density, mean - 30, mean + 30, epsabs=1e-12, limit=200)[0] == pytest.approx(1, abs=1e-10)
    first = integrate.quad(lambda x: x * density(x), mean - 30, mean + 30, epsabs=1e-12, limit=200)[0]
    gradient = model.nll_grad([[0.0]])[1]
    assert gradient.visible_bias[0] == pytest.approx(first, abs=1e-9)  # <v>_model - 0
    log_z = integrate.quad(lambda x: np.exp(-model.free_energy([[x]])[0]), mean - 30, mean + 30, limit=200)[0]
    assert model.log_partition() == pytest.approx(np.log(log_z), abs=1e-10)


def test_gaussian_is_a_mixture_of_normals():
    model = machine(2, 2, seed=8, kind=GaussianBernoulli)
    x, density = np.array([[0.3, -1.2]]), 0.0
    logs, parts = [], []
    for h in ([0, 0], [0, 1], [1, 0], [1, 1]):
        m = model.visible_bias + model.weights @ h
        logs.append(model.hidden_bias @ h + (m @ m - model.visible_bias @ model.visible_bias) / 2)
        parts.append(np.exp(-((x[0] - m) ** 2).sum() / 2) / (2 * np.pi))
    weights = np.exp(logs - np.logaddexp.reduce(logs))
    density = weights @ parts
    assert model.nll(x)[0] == pytest.approx(-np.log(density), rel=1e-13)


def test_large_parameters_neither_overflow_nor_vanish():
    model = BernoulliBernoulli(np.full((3, 2), 400.0), np.full(3, -400.0), np.full(2, -300.0))
    on = 3 * 2 * 400 - 3 * 400 - 2 * 300  # the best state by far
    assert model.log_partition() == pytest.approx(on, rel=1e-14)
    assert model.nll([[1, 1, 1]])[0] == pytest.approx(0, abs=1e-12)
    assert model.nll([[0, 0, 0]])[0] == pytest.approx(on, rel=1e-14)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float32, np.float64])
def test_dtypes_of_data(spec, dtype):
    np.testing.assert_allclose(spec.nll(DATA.astype(dtype)), spec.nll(DATA), rtol=1e-15)


def test_single_precision_parameters_are_computed_in_double():
    model = machine(5, 3, dtype=np.float32)
    assert model.weights.dtype == np.float32
    assert model.log_partition() == pytest.approx(Oracle(model).log_z, rel=1e-13)


def test_what_cannot_be():
    model = machine(2, 2)
    found = model.nll([[0.0, 1.0], [0.5, 1.0], [2.0, 0.0], [np.nan, 0.5], [-np.inf, 0.0]])
    assert np.isfinite(found[0]) and np.isnan(found[3])
    assert (found[[1, 2, 4]] == np.inf).all()
    assert len(model.nll(np.zeros((0, 2)))) == 0


def test_input_is_left_alone():
    data = DATA.astype(float)
    weights = np.ones((3, 2))
    model = BernoulliBernoulli(weights, [0.0] * 3, [0.0] * 2)
    model.nll_grad(data), model.gibbs(data, rng=0)
    weights[0, 0] = 5.0
    np.testing.assert_array_equal(data, DATA)
    assert model.weights[0, 0] == 1


BAD = {
    "another width": (lambda m: m.nll([[1, 0]]), nl.ShapeError, r"\(1, 2\); allowed: \(n, 3\)"),
    "no matrix": (lambda m: m.free_energy([1, 0, 1]), nl.ShapeError, r"\(3,\)"),
    "outside": (lambda m: m.free_energy([[1, 0, 2]]), nl.DataError, r"v\[0, 2\] = 2.0; allowed: 0 and 1"),
    "NaN": (lambda m: m.hidden_mean([[1, np.nan, 0]]), nl.DataError, r"v\[0, 1\] = nan"),
    "no rows": (lambda m: m.nll_grad(np.zeros((0, 3))), nl.DataError, "no rows"),
    "hidden width": (lambda m: m.visible_mean([[1, 0, 1]]), nl.ShapeError, r"allowed: \(n, 2\)"),
    "hidden outside": (lambda m: m.visible_mean([[1, -1]]), nl.DataError, r"h\[0, 1\] = -1.0"),
    "rows": (lambda m: m.energy(DATA, [[0, 1]]), nl.ShapeError, "2 rows of v, 1 of h"),
    "strings": (lambda m: m.nll([["a", "b", "c"]]), nl.InputKindError, "dtype"),
    "infinite": (lambda m: BernoulliBernoulli([[np.inf]], [0.0], [0.0]), nl.ParameterError, r"weights\[0, 0\] = inf"),
    "bias": (lambda m: BernoulliBernoulli([[1.0]], [0.0, 1.0], [0.0]), nl.ShapeError, r"visible_bias.*\(1,\)"),
    "weights": (lambda m: BernoulliBernoulli([1.0], [0.0], [0.0]), nl.ShapeError, "weights has shape"),
    "steps": (lambda m: m.gibbs(DATA, -1), nl.ParameterError, "steps = -1"),
    "count": (lambda m: m.sample(1.5), nl.ParameterError, "count = 1.5"),
    "hidden units": (lambda m: type(m).start(DATA, 0), nl.ParameterError, "n_hidden = 0"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(spec, case):
    call, error, message = BAD[case]
    with pytest.raises(error, match=message):
        call(spec)


def test_start():
    rng = np.random.default_rng(0)
    data = (rng.random((1000, 3)) < [0.1, 0.5, 0.9]).astype(np.float32)
    model = BernoulliBernoulli.start(data, 50, rng=1)
    assert model.weights.dtype == np.float32 and abs(model.weights.std() - 0.01) < 0.002
    np.testing.assert_allclose(model.visible_mean(np.zeros((1, 50)))[0], (data.sum(0) + 1) / 1002, rtol=1e-5)
    real = rng.normal(2.0, 1.0, (1000, 3))
    np.testing.assert_allclose(GaussianBernoulli.start(real, 2).visible_bias, real.mean(0), rtol=1e-13)
