"""Objectives against the boosting libraries' own, against finite differences, and on real data."""

import numpy as np
import pytest
import statsmodels.api as sm
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.model_selection import train_test_split

import neglog as nl

lightgbm = pytest.importorskip("lightgbm")
xgboost = pytest.importorskip("xgboost")

QUIET = {"verbosity": -1, "num_threads": 1, "seed": 0}
SCALAR = [name for name in nl.families.names() if isinstance(nl.family(name), nl.families.scalar.ScalarFamily)]
CLASS_LOSSES = {
    "cross_entropy": {},
    "focal": {"gamma": 2.0},
    "generalized_cross_entropy": {"q": 0.7},
    "mislabel": {"rate": 0.2},
    "density_power": {"beta": 0.5},
}


def scores_and_data(name, rows=40):
    """Data drawn from a family at its own start values, and scores around them."""
    family = nl.family(name)
    rng = np.random.default_rng(3)
    theta = {p.name: _inside(p, 0.6 + 0.1 * j) for j, p in enumerate(family.parameters)}
    y = np.asarray(family.sample(**theta, size=rows, rng=rng), np.float64)
    centre = np.array([float(p.link.apply(theta[p.name])) for p in family.parameters])
    return y, centre + 0.1 * rng.standard_normal((rows, len(centre)))


def _inside(parameter, share):
    """A value of a parameter inside its domain; for two that are ordered, of the second, the larger."""
    domain = parameter.domain
    if domain.integer:
        return 12.0
    low = domain.low if np.isfinite(domain.low) else -1.0
    high = domain.high if np.isfinite(domain.high) else low + 3.0
    return low + share * (high - low)


@pytest.mark.parametrize("name", SCALAR)
def test_gradients_are_those_of_the_nll(name):
    if any(p.domain.integer for p in nl.family(name).parameters):
        pytest.skip("a known integer is fixed, not boosted")
    y, raw = scores_and_data(name)
    objective = nl.Objective(name, curvature="observed")
    keep = np.isfinite(objective.nll(y, raw))  # a support that depends on the parameters loses some rows
    assert keep.mean() > 0.5
    y, raw = y[keep], raw[keep]
    gradient, curvature = objective(y, raw)
    assert (curvature >= 0).all()
    for j in range(objective.outputs):
        step = np.zeros(objective.outputs)
        step[j] = 1e-5
        around = [objective.nll(y, raw + k * step) for k in (1, -1, 2, -2)]
        difference = (8 * (around[0] - around[1]) - (around[2] - around[3])) / 12e-5
        usable = np.isfinite(difference)
        np.testing.assert_allclose(gradient[usable, j], difference[usable], rtol=1e-6, atol=1e-6)


def test_curvature_is_the_information_or_the_second_derivative():
    y, raw = np.array([1.0, -2.0, 0.3]), np.array([[0.5, 0.1], [0.0, -0.3], [0.3, 0.0]])
    scale = np.exp(raw[:, 1])
    expected = nl.Objective("normal")(y, raw)[1]
    np.testing.assert_allclose(expected, np.column_stack([scale**-2, np.full(3, 2.0)]), rtol=1e-14)
    observed = nl.Objective("normal", curvature="observed")(y, raw)[1]
    z = (y - raw[:, 0]) / scale
    second = 2 * z**2
    np.testing.assert_allclose(observed[:, 1], np.where(second > 0, second, (1 - z**2) ** 2), rtol=1e-12)


def test_natural_gradient_is_that_of_ngboost():
    # Duan et al. 2020: for (mu, log sigma) the information is diag(1 / sigma^2, 2)
    y, raw = np.array([1.0, -2.0]), np.array([[0.5, 0.1], [0.0, -0.3]])
    gradient = nl.Objective("normal")(y, raw)[0]
    natural, curvature = nl.Objective("normal", natural=True)(y, raw)
    np.testing.assert_allclose(natural, gradient * np.column_stack([np.exp(2 * raw[:, 1]), [0.5, 0.5]]), rtol=1e-13)
    np.testing.assert_array_equal(curvature, 1.0)


@pytest.mark.parametrize("loss", CLASS_LOSSES)
def test_class_losses(loss):
    rng = np.random.default_rng(0)
    raw, y = 3 * rng.standard_normal((50, 4)), rng.integers(0, 4, 50).astype(float)
    objective = nl.Objective(loss, classes=4, **CLASS_LOSSES[loss])
    gradient, curvature = objective(y, raw)
    step = 1e-5
    for k in range(4):
        e = step * np.eye(4)[k]
        difference = (objective.nll(y, raw + e) - objective.nll(y, raw - e)) / (2 * step)
        np.testing.assert_allclose(gradient[:, k], difference, atol=1e-8)
    if loss == "cross_entropy":
        p = objective.parameters(raw)["probs"]
        np.testing.assert_allclose(curvature, p * (1 - p), rtol=1e-10)
    assert (curvature >= 0).all()


def test_probabilities_of_a_loss_that_is_not_proper():
    q = np.log([[0.39161, 0.33011, 0.18708, 0.09120]])  # the minimiser of the expected focal loss
    probs = nl.Objective("focal", classes=4, gamma=2.0).parameters(q)["probs"]
    np.testing.assert_allclose(probs, [[0.45, 0.33, 0.15, 0.07]], atol=2e-5)


def split(data):
    return train_test_split(data.data, data.target.astype(float), test_size=0.4, random_state=0)


def test_lightgbm_binary_is_its_own():
    x, held_x, y, _ = split(load_breast_cancer())
    objective = nl.Objective("bernoulli")
    start = objective.start(y)
    np.testing.assert_allclose(start, np.log(y.mean() / (1 - y.mean())), rtol=1e-6)
    ours = lightgbm.train(
        QUIET | {"objective": objective.lightgbm},
        lightgbm.Dataset(x, y, init_score=objective.start(y, rows=len(y))[:, 0]),
        20,
    )
    own = lightgbm.train(QUIET | {"objective": "binary"}, lightgbm.Dataset(x, y), 20)
    np.testing.assert_allclose(ours.predict(held_x) + start, own.predict(held_x, raw_score=True), atol=1e-5)


def test_xgboost_binary_is_its_own():
    x, held_x, y, _ = split(load_breast_cancer())
    objective = nl.Objective("bernoulli")
    settings = {"nthread": 1, "seed": 0, "max_depth": 3}
    data = xgboost.DMatrix(x, y, base_margin=np.zeros(len(y)))
    ours = xgboost.train(settings | {"base_score": 0.0}, data, 20, obj=objective.xgboost)
    own = xgboost.train(settings | {"objective": "binary:logistic", "base_score": 0.5}, xgboost.DMatrix(x, y), 20)
    raw = ours.predict(xgboost.DMatrix(held_x), output_margin=True)
    np.testing.assert_allclose(raw, own.predict(xgboost.DMatrix(held_x), output_margin=True), atol=1e-4)


@pytest.mark.parametrize("library", ["lightgbm", "xgboost"])
@pytest.mark.parametrize("natural", [False, True])
def test_two_parameters_beat_one(library, natural):
    """Location and scale by trees on real data: held-out NLL far below that of one normal for all rows."""
    x, held_x, y, held_y = split(load_diabetes())
    y, held_y = y / 100, held_y / 100  # the libraries compare sums of curvatures, in 1 / unit^2, with a constant
    objective = nl.Objective("normal", natural=natural)
    raw = boosted(library, objective, x, y, held_x, rounds=60)
    constant = objective.nll(held_y, objective.start(y, rows=len(held_y))).mean()
    assert objective.nll(held_y, raw).mean() < constant - 0.1
    scale = objective.parameters(raw)["scale"]
    assert scale.std() > 0.05 * scale.mean()


def boosted(library, objective, x, y, held_x, rounds, labels=None, learning_rate=0.05):
    """Raw scores of the held-out rows."""
    labels = y if labels is None else labels
    start = objective.start(y, rows=len(x))
    if library == "lightgbm":
        settings = QUIET | {"num_class": objective.outputs, "learning_rate": learning_rate, "num_leaves": 7}
        model = lightgbm.train(
            settings | {"objective": objective.lightgbm},
            lightgbm.Dataset(x, labels, init_score=start if objective.outputs > 1 else start[:, 0]),
            rounds,
        )
        raw = model.predict(held_x)
    else:
        settings = {"nthread": 1, "seed": 0, "learning_rate": learning_rate, "max_depth": 3, "base_score": 0.0}
        settings |= {"num_class": objective.outputs, "disable_default_eval_metric": True}
        data = xgboost.DMatrix(x, labels, base_margin=start)
        model = xgboost.train(settings, data, rounds, obj=objective.xgboost)
        zero = np.zeros((len(held_x), objective.outputs))
        raw = model.predict(xgboost.DMatrix(held_x, base_margin=zero), output_margin=True)
    return np.asarray(raw, float).reshape(len(held_x), -1) + start[: len(held_x)]


@pytest.mark.parametrize("library", ["lightgbm", "xgboost"])
def test_digits_in_ten_classes(library):
    x, held_x, y, held_y = split(load_digits())
    objective = nl.Objective("cross_entropy", classes=10)
    raw = boosted(library, objective, x, y, held_x, rounds=80, learning_rate=0.1)
    probs = objective.parameters(raw)["probs"]
    assert (probs.argmax(1) == held_y).mean() > 0.93
    np.testing.assert_allclose(
        objective.nll(held_y, raw).mean(), nl.losses.log_loss(held_y.astype(int), probs), rtol=1e-6
    )


def test_censored_rows():
    """An accelerated failure time model by trees: nearly the coefficient that a regression finds."""
    rng = np.random.default_rng(1)
    x = rng.integers(0, 2, (4000, 1)).astype(float)
    time = 10 * np.exp(1.0 * x[:, 0]) * rng.weibull(2.0, len(x))
    limit = rng.uniform(5, 40, len(x))
    rows = nl.right_censored(np.minimum(time, limit), time <= limit)
    objective = nl.Objective("weibull", rows=rows)
    raw = boosted("lightgbm", objective, x, None, x, rounds=200, labels=np.zeros(len(x)))
    scale = np.log(objective.parameters(raw)["scale"])
    regression = nl.fit("weibull", rows, x, intercept=True)
    effect = scale[x[:, 0] == 1].mean() - scale[x[:, 0] == 0].mean()
    assert abs(effect - regression.params["scale.x0"]) < 2 * regression.stderr["scale.x0"]


@pytest.mark.parametrize("loss", ["poisson", "nb2", nl.ZeroInflated("nb2"), nl.Fixed(nl.NB2(), alpha=1.5)])
def test_counts_and_compositions(loss):
    """Visits to the doctor: each family's trees beat its own fit without covariates on held-out rows."""
    frame = sm.datasets.randhie.load_pandas().data.iloc[::5]
    x, held_x, y, held_y = train_test_split(
        frame.drop(columns="mdvis").to_numpy(), frame["mdvis"].to_numpy(float), test_size=0.5, random_state=0
    )
    objective = nl.Objective(loss)
    raw = boosted("lightgbm", objective, x, y, held_x, rounds=40)
    constant = objective.nll(held_y, objective.start(y, rows=len(held_y))).mean()
    assert objective.nll(held_y, raw).mean() < constant - 0.02


def test_weights_count_as_repeated_rows():
    y, raw = np.array([1.0, 4.0]), np.array([[0.2], [0.1]])
    objective = nl.Objective("poisson")
    gradient, curvature = objective(y, raw, np.array([2.0, 3.0]))
    plain = objective(y, raw)
    np.testing.assert_allclose(gradient, plain[0] * [[2.0], [3.0]])
    np.testing.assert_allclose(curvature, plain[1] * [[2.0], [3.0]])
    x = np.arange(60.0)[:, None] % 7
    counts = nl.Poisson().sample(1 + x[:, 0], rng=0).astype(float)
    weight = 1.0 + (np.arange(60) % 3)
    once = lightgbm.train(
        QUIET | {"objective": objective.lightgbm, "min_data_in_leaf": 1}, lightgbm.Dataset(x, counts, weight=weight), 5
    )
    repeat = np.repeat(np.arange(60), weight.astype(int))
    many = lightgbm.train(
        QUIET | {"objective": objective.lightgbm, "min_data_in_leaf": 1}, lightgbm.Dataset(x[repeat], counts[repeat]), 5
    )
    np.testing.assert_allclose(once.predict(x), many.predict(x), rtol=1e-5)


def test_scikit_learn_interfaces_and_metrics():
    x, held_x, y, held_y = split(load_diabetes())
    objective = nl.Objective("normal")
    model = lightgbm.LGBMRegressor(
        objective=objective, num_class=2, n_estimators=5, verbose=-1, n_jobs=1, metric="None"
    ).fit(x, y, init_score=objective.start(y, rows=len(y)), sample_weight=np.ones(len(y)))
    assert model.predict(held_x).shape == (len(held_x), 2)
    history = {}
    start = objective.start(y, rows=len(y))
    train = lightgbm.Dataset(x, y, init_score=start)
    lightgbm.train(
        QUIET | {"objective": objective.lightgbm, "num_class": 2, "metric": "none", "learning_rate": 0.05},
        train,
        10,
        valid_sets=[train.create_valid(held_x, held_y, init_score=start[: len(held_y)])],
        feval=objective.lightgbm_metric,
        callbacks=[lightgbm.record_evaluation(history)],
    )
    assert history["valid_0"]["nll"][-1] < history["valid_0"]["nll"][0]
    single = nl.Objective("bernoulli")
    binary = xgboost.XGBRegressor(objective=nl.Objective("poisson"), n_estimators=5, base_score=0.0, n_jobs=1)
    assert binary.fit(x, np.round(y / 50), sample_weight=np.ones(len(y))).predict(held_x).shape == (len(held_x),)
    name, value = single.xgboost_metric(np.zeros(len(y)), xgboost.DMatrix(x, (y > 100).astype(float)))
    assert name == "nll"
    np.testing.assert_allclose(value, np.log(2))


def test_labels_that_no_likelihood_knows():
    x = np.arange(60.0)[:, None]
    with pytest.raises(nl.DataError, match=r"label -1 in row 0; allowed: poisson's support, integers in \[0, inf\)"):
        nl.Objective("poisson").start([-1.0, 2.0])
    with pytest.raises(nl.DataError, match="label nan in row 1"):
        nl.Objective("normal")([1.0, np.nan], np.zeros((2, 2)))
    objective = nl.Objective("poisson")
    with pytest.raises(nl.DataError, match="label -1 in row 0"):
        lightgbm.train(QUIET | {"objective": objective.lightgbm}, lightgbm.Dataset(x, x[:, 0] - 1), 2)


def test_callbacks_that_are_mistaken_for_one_another():
    x = np.arange(60.0)[:, None]
    objective = nl.Objective("normal")
    with pytest.raises(nl.InputKindError, match=r"lightgbm\.train takes objective\.lightgbm"):
        lightgbm.train(QUIET | {"objective": objective, "num_class": 2}, lightgbm.Dataset(x, x[:, 0]), 2)
    with pytest.raises(nl.InputKindError, match=r"xgboost\.train takes objective\.xgboost"):
        xgboost.train({"num_class": 2, "base_score": 0.0, "nthread": 1}, xgboost.DMatrix(x, x[:, 0]), 2, obj=objective)
    with pytest.raises(nl.InputKindError, match=r"objective.nll\(y_true, y_pred\).mean\(\)"):
        objective.lightgbm_metric(x[:, 0], np.zeros((60, 2)))
    censored = nl.Objective("weibull", rows=nl.right_censored(x[:, 0] + 1, x[:, 0] > 5))
    for metric, data in (
        (censored.lightgbm_metric, lightgbm.Dataset(x, x[:, 0] + 1)),
        (censored.xgboost_metric, xgboost.DMatrix(x, x[:, 0] + 1)),
    ):
        with pytest.raises(nl.ParameterError, match="labels do not say which rows are censored"):
            metric(np.zeros((60, 2)), data)


def test_what_cannot_be_used_is_named():
    with pytest.raises(nl.ParameterError, match="multivariate_normal"):
        nl.Objective("multivariate_normal")
    with pytest.raises(nl.ParameterError, match="cross_entropy"):
        nl.Objective("categorical")
    with pytest.raises(nl.ParameterError, match="gamma"):
        nl.Objective("poisson", gamma=2.0)
    with pytest.raises(nl.ParameterError, match="no loss of logits"):
        nl.Objective("kl", classes=3)
    with pytest.raises(nl.ParameterError, match="curvature"):
        nl.Objective("poisson", curvature="exact")
    with pytest.raises(nl.ParameterError, match="classes=1"):
        nl.Objective("cross_entropy", classes=1)
    for options, error, words in (
        ({"gama": 1.0}, TypeError, "unexpected keyword argument 'gama'"),
        ({"gamma": -1.0}, nl.ParameterError, "focal: gamma=-1.0"),
        ({"reduction": "sum"}, nl.ParameterError, "Objective: 'reduction' is not for callbacks"),
        ({"weight": [1.0, 2.0]}, nl.ShapeError, "weight"),
    ):
        with pytest.raises(error, match=words):  # when it is made, not in the library's callback
            nl.Objective("focal", classes=3, **options)
    with pytest.raises(TypeError, match="rate"):
        nl.Objective("mislabel", classes=3)
    objective = nl.Objective("cross_entropy", classes=3)
    raw = np.zeros((2, 3))
    for wrong in (1.5, np.nan, -1.0, 3.0):
        for call in (objective.start, lambda y: objective(y, raw), lambda y: objective.nll(y, raw)):
            with pytest.raises(nl.TargetError, match=rf"label\[1\] = {wrong:g}; allowed: integers 0 <= label < 3"):
                call([0.0, wrong])
    ignoring = nl.Objective("cross_entropy", classes=3, ignore_index=-1)
    np.testing.assert_allclose(ignoring.start([0.0, -1.0, 2.0]), objective.start([0.0, 2.0]))
    assert (ignoring([0.0, -1.0], np.zeros((2, 3)))[0][1] == 0).all()
    with pytest.raises(nl.ParameterError, match="exact rows"):
        nl.Objective("normal", rows=nl.right_censored([1.0], [0]), natural=True)
    with pytest.raises(nl.ShapeError, match=r"num_class=2"):
        nl.Objective("normal")([1.0, 2.0], [0.0, 0.0])
    with pytest.raises(nl.ShapeError, match="3 rows of scores for 2 labels"):
        nl.Objective("poisson")([1.0, 2.0], [0.0, 0.0, 0.0])
