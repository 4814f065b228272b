"""Training: its statistics, what it learns, what it refuses."""

import subprocess
import sys

import numpy as np
import pytest
from scipy.special import expit
from tests.energy.conftest import DATA, machine

import neglog as nl
from neglog.energy import BernoulliBernoulli, GaussianBernoulli, Options, Sparsity, Trainer, train

FIELDS = ("weights", "visible_bias", "hidden_bias")
KINDS = pytest.mark.parametrize("kind", [BernoulliBernoulli, GaussianBernoulli])


def moved(before, after):
    """What was added, by parameter."""
    return [getattr(after, name) - getattr(before, name) for name in FIELDS]


@KINDS
@pytest.mark.parametrize(("method", "steps"), [("cd", 30), ("pcd", 30)])
def test_long_chains_give_the_exact_gradient(kind, method, steps):
    model = machine(4, 3, seed=1, kind=kind, scale=0.5)
    data = machine(4, 3, seed=2, kind=kind).sample(10, rng=0)
    n = 20_000
    trainer = Trainer(model, Options(method=method, steps=steps, learning_rate=1.0), rng=3)
    trainer.step(np.tile(data, (n // 10, 1)))
    for found, gradient in zip(moved(model, trainer.model), model.nll_grad(data)[1], strict=True):
        # a term of the mean over n chains has a standard deviation below 1 (binary: 0.5) and about 2 (real units)
        np.testing.assert_allclose(found, -gradient, atol=(2.5 if kind is BernoulliBernoulli else 9) / np.sqrt(n))


@KINDS
@pytest.mark.parametrize("method", ["cd", "pcd"])
def test_chains_that_begin_in_equilibrium_stay_unbiased(kind, method):
    # one step from draws of the model is a draw of the model: the update of data drawn from it is 0 on average
    model, n = machine(4, 3, seed=3, kind=kind, scale=0.5), 40_000
    trainer = Trainer(model, Options(method=method, learning_rate=1.0), rng=4)
    if method == "pcd":
        v = model.sample(n, rng=5)
        trainer.chains = (np.random.default_rng(6).random((n, 3)) < model.hidden_mean(v)).astype(float)
    trainer.step(model.sample(n, rng=7))
    for found in moved(model, trainer.model):
        np.testing.assert_allclose(found, 0, atol=(3.5 if kind is BernoulliBernoulli else 12) / np.sqrt(n))


@pytest.mark.parametrize("method", ["cd", "pcd"])
@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("units", [(3, 2), (70, 41)])
def test_steps_by_definition(method, grey, units):
    """Three steps with momentum and decay, from their own draws."""
    model, n = machine(*units, seed=4, scale=0.3), 37
    options = Options(method=method, learning_rate=0.5, momentum=0.9, weight_decay=0.1)
    trainer = Trainer(model, options, rng=5)
    other = Trainer(model, options, rng=5)._draws
    w, b, c = (getattr(model, name).copy() for name in FIELDS)
    speeds = [np.zeros_like(a) for a in (w, b, c)]
    data = np.random.default_rng(6).random((n, units[0]))
    data = data if grey else data.round()
    h = np.empty((n, units[1]))
    if method == "pcd":
        other.binary(np.zeros_like(h), np.zeros_like(c), sample=h)
    for _ in range(3):
        trainer.step(data)
        if method == "cd":
            other.binary(data @ w, c, sample=h)
        v = other.binary(h @ w.T, b, sample=np.empty_like(data))
        p, q = expit(data @ w + c), expit(v @ w + c)
        if method == "pcd":
            other.binary(v @ w, c, sample=h)
        gradients = (data.T @ p - v.T @ q) / n - 0.1 * w, (data - v).mean(0), (p - q).mean(0)
        speeds = [0.9 * speed + 0.5 * gradient for speed, gradient in zip(speeds, gradients, strict=True)]
        w, b, c = (a + speed for a, speed in zip((w, b, c), speeds, strict=True))
        for name, want in zip(FIELDS, (w, b, c), strict=True):
            np.testing.assert_allclose(getattr(trainer.model, name), want, rtol=0, atol=1e-13)


def test_weight_decay_alone():
    model = machine(3, 2, seed=5)
    options = {"learning_rate": 0.5, "weight_decay": 0.2}
    with_it, without = (Trainer(model, Options(**{**options, "weight_decay": decay}), rng=1) for decay in (0.2, 0.0))
    for trainer in (with_it, without):
        trainer.step(DATA.astype(float))
    np.testing.assert_allclose(moved(without.model, with_it.model)[0], -0.1 * model.weights, atol=1e-15)
    assert not np.any(moved(without.model, with_it.model)[1:][0])


def bars_and_stripes(side):
    """MacKay (2003), section 43.1: all rows alike or all columns alike; entropy log(2^(side + 1) - 2)."""
    line = ((np.arange(2**side)[:, None] >> np.arange(side)) & 1).astype(float)
    bars, stripes = np.repeat(line[:, None], side, 1), np.repeat(line[:, :, None], side, 2)
    return np.unique(np.concatenate([bars, stripes]).reshape(-1, side * side), axis=0)


@pytest.mark.parametrize("method", ["cd", "pcd"])
def test_bars_and_stripes_are_learned(method):
    data = np.repeat(bars_and_stripes(3), 10, axis=0)
    entropy = np.log(14)
    assert len(np.unique(data, axis=0)) == 14
    model = train(
        BernoulliBernoulli.start(data, 10, rng=0),
        data,
        method=method,
        steps=5 if method == "pcd" else 10,
        epochs=1500,
        batch_size=70,
        learning_rate=lambda epoch: 0.998**epoch,
        chains=200,
        rng=0,
    )
    assert entropy < model.nll(data).mean() < entropy + 0.2
    drawn = model.sample(2000, rng=1)
    known = {tuple(row) for row in data}
    assert np.mean([tuple(row) in known for row in drawn]) > 0.8


def test_real_units_learn_a_mixture():
    # two clusters, each a unit normal: what one hidden unit can say exactly
    rng = np.random.default_rng(0)
    truth = GaussianBernoulli([[2.5], [-1.5]], [-1.0, 1.0], [-0.25])
    data, held_out = truth.sample(2000, rng=rng), truth.sample(2000, rng=rng)
    start = GaussianBernoulli.start(data, 1, rng=1)
    model = train(start, data, epochs=60, batch_size=50, learning_rate=lambda e: 0.05 / (1 + e / 10), chains=500, rng=2)
    floor = truth.nll(held_out).mean()
    assert start.nll(held_out).mean() > floor + 0.5
    assert floor - 0.01 < model.nll(held_out).mean() < floor + 0.01


@pytest.mark.parametrize("form", ["squared", "kl"])
@pytest.mark.parametrize("weights", [False, True])
def test_sparsity_reaches_its_target(form, weights):
    rng = np.random.default_rng(0)
    data = (rng.random((600, 20)) < rng.random((3, 20))[rng.integers(3, size=600)]).astype(float)
    strength = 30.0 if form == "squared" else 3.0
    sparsity = Sparsity(target=0.1, strength=strength, form=form, weights=weights)
    start = BernoulliBernoulli.start(data, 8, rng=1)
    options = {"method": "cd", "epochs": 60, "batch_size": 20, "learning_rate": 0.05, "rng": 2}
    free, sparse = train(start, data, **options), train(start, data, sparsity=sparsity, **options)
    assert abs(sparse.hidden_mean(data).mean(0) - 0.1).max() < 0.05
    assert free.hidden_mean(data).mean() > 0.25
    assert sparse.nll(data).mean() < start.nll(data).mean()  # and it still learns


def test_sparsity_vectors(spec):
    value, gradient = Sparsity(target=0.02).penalty_grad(spec, DATA)
    assert value == pytest.approx(0.5748099767393223, rel=1e-13)
    np.testing.assert_allclose(gradient.hidden_bias, [0.19004222, 0.26937926], atol=5e-9)
    value, _ = Sparsity(target=0.02, form="kl").penalty_grad(spec, DATA)
    assert value == pytest.approx(1.433221952255972, rel=1e-13)


@pytest.mark.parametrize("form", ["squared", "kl"])
def test_gradient_of_the_penalty(spec, form):
    sparsity, step = Sparsity(target=0.1, strength=1.7, form=form), 1e-6
    gradient = sparsity.penalty_grad(spec, DATA)[1]
    for i, slope in enumerate(gradient):
        for at in np.ndindex(slope.shape):
            ends = []
            for sign in (1, -1):
                parameters = [getattr(spec, name).copy() for name in FIELDS]
                parameters[i][at] += sign * step
                ends.append(sparsity.penalty_grad(BernoulliBernoulli(*parameters), DATA)[0])
            assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(slope[at], abs=1e-8)


@pytest.mark.parametrize("weights", [False, True])
def test_what_training_subtracts_is_the_gradient(spec, weights):
    sparsity = Sparsity(target=0.1, strength=2.0, weights=weights)
    rate = 0.3
    plain, with_it = (Trainer(spec, Options(learning_rate=rate, sparsity=s), rng=1) for s in (None, sparsity))
    for trainer in (plain, with_it):
        trainer.step(DATA.astype(float))
    gradient = sparsity.penalty_grad(spec, DATA)[1]
    by_weights, by_visible, by_hidden = moved(plain.model, with_it.model)
    np.testing.assert_allclose(by_hidden, -rate * gradient.hidden_bias, atol=1e-15)
    np.testing.assert_allclose(by_weights, -rate * gradient.weights * weights, atol=1e-15)
    assert not by_visible.any()


def test_the_running_mean():
    sparsity = Sparsity(target=0.1, strength=1.0, form="kl", decay=0.9)
    running = np.full(2, np.nan)
    first, second = np.array([[0.2, 0.4]]), np.array([[0.6, 0.0]])
    push, none = sparsity.descent(np.ones((1, 3)), first, running)
    np.testing.assert_allclose(push, [0.1, 0.3])
    assert none is None
    push, _ = sparsity.descent(np.ones((1, 3)), second, running)
    np.testing.assert_allclose(running, [0.9 * 0.2 + 0.1 * 0.6, 0.9 * 0.4])
    np.testing.assert_allclose(push, running - 0.1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, bool])
def test_dtype_follows_the_data(dtype):
    data = (np.random.default_rng(0).random((50, 6)) < 0.3).astype(dtype)
    model = train(BernoulliBernoulli.start(data, 3, rng=0), data, epochs=2, rng=0)
    assert model.weights.dtype == (np.float32 if dtype == np.float32 else np.float64)


def test_single_precision_learns_the_same():
    data = (np.random.default_rng(0).random((200, 10)) < 0.3).astype(np.float64)
    data[:, 5:] = data[:, :5]
    found = [
        train(BernoulliBernoulli.start(data, 5, rng=0), data.astype(t), epochs=50, rng=1).nll(data).mean()
        for t in (np.float32, np.float64)
    ]
    assert found[0] == pytest.approx(found[1], abs=0.1)


def test_what_goes_in_is_left_alone():
    data = DATA.astype(np.float64)
    start = BernoulliBernoulli.start(data, 2, rng=0)
    before = [getattr(start, name).copy() for name in FIELDS]
    train(start, data, epochs=3, momentum=0.5, rng=0)
    np.testing.assert_array_equal(data, DATA)
    for name, array in zip(FIELDS, before, strict=True):
        np.testing.assert_array_equal(getattr(start, name), array)


def test_callback_and_schedules():
    data = np.tile(DATA, (20, 1)).astype(float)
    heard, asked = [], []

    def rate(epoch):
        asked.append(epoch)
        return 0.1

    def callback(progress):
        heard.append(progress)
        return progress.epoch == 3

    start = BernoulliBernoulli.start(data, 2, rng=0)
    model = train(start, data, epochs=10, learning_rate=rate, rng=0, callback=callback)
    assert [p.epoch for p in heard] == [1, 2, 3] and heard[-1].epochs == 10
    assert set(asked) == {0, 1, 2}
    np.testing.assert_array_equal(heard[-1].model.weights, model.weights)
    assert (heard[0].model.weights != model.weights).any()
    assert heard[0].seconds <= heard[1].seconds


def test_no_epochs_is_the_start():
    start = machine(3, 2)
    np.testing.assert_array_equal(train(start, DATA, epochs=0).weights, start.weights)


@pytest.mark.parametrize("batch_size", [1, 3, 7, 100])
@pytest.mark.parametrize("options", [{"method": "cd", "steps": 2}, {"steps": 3, "chains": 4}, {}])
def test_any_batch(batch_size, options):
    data = (np.random.default_rng(0).random((20, 5)) < 0.5).astype(float)
    start = BernoulliBernoulli.start(data, 3, rng=0)
    model = train(start, data, batch_size=batch_size, epochs=2, rng=0, **options)
    assert all(np.isfinite(getattr(model, name)).all() for name in FIELDS)
    assert (model.weights != start.weights).all()


PROGRAM = """
import numpy as np, neglog as nl, hashlib
rng = np.random.default_rng(0)
data = (rng.random((200, 784)) < 0.3).astype(np.float32)
digest = hashlib.sha256()
for kind in (nl.energy.BernoulliBernoulli, nl.energy.GaussianBernoulli):
    for options in ({"method": "cd", "steps": 2}, {"momentum": 0.5, "sparsity": nl.energy.Sparsity(weights=True)}):
        start = kind.start(data, 200, rng=1)
        model = nl.energy.train(start, data, batch_size=60, epochs=1, learning_rate=0.01, rng=2, **options)
        digest.update(model.weights.tobytes() + model.visible_bias.tobytes() + model.hidden_bias.tobytes())
print(digest.hexdigest())
"""


def test_threads_do_not_matter():
    found = set()
    for threads in ("1", "2", "3"):
        environment = {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env=environment
        )
        found.add(done.stdout)
    assert len(found) == 1


BAD = {
    "method": ({"method": "exact"}, nl.ParameterError, "'pcd', 'cd'"),
    "steps": ({"steps": 0}, nl.ParameterError, "steps = 0"),
    "epochs": ({"epochs": -1}, nl.ParameterError, "epochs = -1"),
    "batch": ({"batch_size": 0}, nl.ParameterError, "batch_size = 0"),
    "rate": ({"learning_rate": -1.0}, nl.ParameterError, r"epoch 0: learning_rate=-1.0; allowed: .*\[0"),
    "rate of no number": ({"learning_rate": "a"}, nl.ParameterError, "learning_rate='a'"),
    "rate that becomes nan": (
        {"learning_rate": lambda epoch: 0.1 if epoch == 0 else np.nan, "epochs": 2},
        nl.ParameterError,
        "epoch 1: learning_rate=nan",
    ),
    "momentum": ({"momentum": 1.0}, nl.ParameterError, "momentum=1.0"),
    "decay": ({"weight_decay": -0.1}, nl.ParameterError, "weight_decay=-0.1"),
    "chains": ({"chains": 0}, nl.ParameterError, "chains = 0"),
    "sparsity": ({"sparsity": 0.1}, nl.ParameterError, r"sparsity = 0.1; allowed: neglog.energy.Sparsity"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_options(spec, case):
    options, error, message = BAD[case]
    with pytest.raises(error, match=message):
        train(spec, DATA, **options)


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ([[0, 1]], nl.ShapeError, r"\(1, 2\)"),
        ([[0, 1, 7]], nl.DataError, r"data\[0, 2\] = 7"),
        ([[0, 1, np.nan]], nl.DataError, r"data\[0, 2\] = nan"),
        (np.zeros((0, 3)), nl.DataError, "no rows"),
    ],
)
def test_bad_data(spec, data, error, message):
    with pytest.raises(error, match=message):
        train(spec, data)


def test_bad_sparsity():
    for bad in ({"target": 0.0}, {"target": 1.0}, {"strength": -1}, {"form": "l1"}, {"decay": 1.0}):
        with pytest.raises(nl.ParameterError, match=next(iter(bad))):
            Sparsity(**bad)


def test_what_runs_away_is_said():
    data = np.random.default_rng(0).normal(size=(100, 5)) * 100
    start = GaussianBernoulli.start(data, 5, rng=0)
    with pytest.raises(nl.ParameterError, match="learning_rate = 100"):
        train(start, data, epochs=100, learning_rate=100.0, rng=0)


def test_what_runs_away_is_said_before_it_overflows():
    start = GaussianBernoulli.start([[1.0], [2.0]], 1, rng=0)
    with pytest.raises(nl.ParameterError, match=r"run away in epoch .*learning_rate = 10"):
        train(start, [[1.0], [2.0]], learning_rate=10, epochs=200, rng=0)
