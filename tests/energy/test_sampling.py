"""Draws, pseudo-likelihood and annealed importance sampling against what enumeration says."""

import numpy as np
import pytest
from tests.energy.conftest import DATA, Oracle, machine

import neglog as nl
from neglog.energy import GaussianBernoulli, ais, pseudo_nll


def frequencies(sample):
    visible = sample.shape[1]
    index = sample.astype(int) @ (1 << np.arange(visible)[::-1])  # the order of itertools.product
    return np.bincount(index, minlength=2**visible) / len(sample)


@pytest.mark.parametrize("steps", [None, 100])
@pytest.mark.parametrize(("visible", "hidden"), [(4, 2), (2, 5)])
def test_samples_have_the_distribution(visible, hidden, steps):
    model, n = machine(visible, hidden, seed=1), 40_000
    p = Oracle(model).p_v
    found = frequencies(model.sample(n, steps=steps, rng=3))
    assert n * ((found - p) ** 2 / p).sum() < 45  # chi-square with up to 15 degrees of freedom: beyond 1 in 10,000


def test_gibbs_keeps_the_distribution():
    model, n = machine(4, 3, seed=2), 40_000
    p = Oracle(model).p_v
    found = frequencies(model.gibbs(model.sample(n, rng=1), 3, rng=2))
    assert n * ((found - p) ** 2 / p).sum() < 45
    start = np.eye(4)
    np.testing.assert_array_equal(model.gibbs(start, 0, rng=0), start)


def test_gaussian_samples_have_the_moments():
    model, n = machine(3, 2, seed=3, kind=GaussianBernoulli), 100_000
    mean = model.nll_grad(np.zeros((1, 3)))[1].visible_bias  # <v> of the model - 0
    for sample in (model.sample(n, rng=4), model.sample(n, steps=50, rng=5)):
        error = sample.std(0) / np.sqrt(n)
        assert (abs(sample.mean(0) - mean) < 4.5 * error).all()


def test_pseudo_likelihood_by_definition():
    model = machine(4, 3, seed=4)
    oracle = Oracle(model)
    logs = dict(zip(map(tuple, oracle.v), np.log(oracle.p_v), strict=True))
    for row, found in zip(oracle.v, pseudo_nll(model, oracle.v), strict=True):
        want = 0.0
        for i in range(4):
            flipped = row.copy()
            flipped[i] = 1 - flipped[i]
            want -= logs[tuple(row)] - np.logaddexp(logs[tuple(row)], logs[tuple(flipped)])
        assert found == pytest.approx(want, rel=1e-11)


def test_stochastic_pseudo_likelihood_is_unbiased():
    model = machine(5, 3, seed=5)
    row = np.array([[1.0, 0, 0, 1, 1]])
    drawn = pseudo_nll(model, np.repeat(row, 20_000, 0), stochastic=True, rng=1)
    assert abs(drawn.mean() - pseudo_nll(model, row)[0]) < 4.5 * drawn.std() / np.sqrt(20_000)
    assert len(np.unique(drawn.round(9))) == 5


def test_pseudo_likelihood_of_real_units_says_no():
    with pytest.raises(nl.ParameterError, match="GaussianBernoulli are real"):
        pseudo_nll(machine(2, 2, kind=GaussianBernoulli), [[0.0, 1.0]])


def test_pseudo_likelihood_in_blocks():
    model, rows = machine(3, 2**18, seed=6, scale=0.01), DATA[[0, 1, 0, 1, 0, 1]]  # four rows at a time
    whole = pseudo_nll(model, rows)
    np.testing.assert_array_equal(whole, np.tile(whole[:2], 3))


KINDS = pytest.mark.parametrize("kind", [nl.energy.BernoulliBernoulli, GaussianBernoulli])


@KINDS
@pytest.mark.parametrize("from_data", [False, True])
def test_annealing_is_within_its_error(kind, from_data):
    model = machine(6, 4, seed=7, kind=kind, scale=0.7)
    exact = model.log_partition()
    data = model.sample(200, rng=0) if from_data else None
    found = [ais(model, data, temperatures=300, runs=400, rng=seed) for seed in range(20)]
    z = np.array([(e.log_partition - exact) / e.stderr for e in found])
    assert abs(z.mean()) < 4.5 / np.sqrt(20) and 0.5 < z.std() < 1.6  # normal with variance one
    assert sum(e.low < exact < e.high for e in found) >= 19
    assert all(e.stderr < 0.2 and e.effective_sample_size > 50 for e in found)


def test_annealing_from_the_machine_itself_is_exact():
    data = np.zeros((10, 3))
    for unit, count in enumerate((5, 7, 8)):  # with one more of each: odds of 6/6, 8/4 and 9/3
        data[:count, unit] = 1
    model = nl.energy.BernoulliBernoulli(np.zeros((3, 2)), np.log([1.0, 2.0, 3.0]), [0.0, 0.0])
    estimate = ais(model, data, temperatures=5, runs=10, rng=0)
    assert estimate.log_partition == pytest.approx(np.log((1 + 1) * (1 + 2) * (1 + 3) * 4), rel=1e-14)
    assert estimate.stderr < 1e-14 and estimate.effective_sample_size == pytest.approx(10)


def test_annealing_of_the_vector(spec):
    estimate = ais(spec, temperatures=200, runs=2000, rng=0)
    assert abs(estimate.log_partition - 4.017745071768297) < 3 * estimate.stderr < 0.01
    assert len(estimate.log_weights) == 2000 and estimate.effective_sample_size > 1900


def test_annealing_of_one_weight_reports_what_it_does_not_know():
    estimate = ais(machine(5, 5, seed=8, scale=6.0), temperatures=2, runs=20, rng=0)
    assert estimate.low == -np.inf or estimate.low < estimate.log_partition - 0.5
    assert estimate.effective_sample_size < 12


def test_under_estimates_on_average():
    model = machine(6, 6, seed=9, scale=2.0)
    exact = model.log_partition()
    found = np.array([ais(model, temperatures=10, runs=5, rng=seed).log_partition for seed in range(200)])
    assert found.mean() < exact - 3 * found.std() / np.sqrt(200)
    ratio = np.exp(found - exact)  # but Z itself is right
    assert abs(ratio.mean() - 1) < 4.5 * ratio.std() / np.sqrt(200)


def test_the_published_temperatures():
    betas = nl.energy.salakhutdinov_murray()
    assert len(betas) == 14_501 and betas[0] == 0 and betas[-1] == 1
    np.testing.assert_allclose(np.unique(np.diff(betas).round(9)), [1e-5, 1e-4, 1e-3])


def test_callback_hears_of_progress(spec):
    heard = []
    ais(spec, temperatures=500, runs=2, rng=0, callback=heard.append)
    assert heard == sorted(heard) and len(heard) == 5 and 0 < heard[0] < heard[-1] <= 1


BAD = {
    "falling": ({"temperatures": [0, 0.7, 0.6, 1]}, "rise"),
    "no end": ({"temperatures": [0, 0.5]}, "rise"),
    "none": ({"temperatures": 0}, "temperatures = 0"),
    "one run": ({"runs": 1}, "runs = 1"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_annealing(spec, case):
    options, message = BAD[case]
    with pytest.raises(nl.ParameterError, match=message):
        ais(spec, **options)


def test_seeds(spec):
    for call in (
        lambda rng: spec.sample(50, rng=rng),
        lambda rng: spec.sample(50, steps=3, rng=rng),
        lambda rng: spec.gibbs(np.tile(DATA, (25, 1)), rng=rng),
        lambda rng: ais(spec, temperatures=3, runs=9, rng=rng).log_weights,
    ):
        np.testing.assert_array_equal(call(1), call(1))
        np.testing.assert_array_equal(call(1), call(np.random.default_rng(1)))
        assert (call(1) != call(2)).any()
