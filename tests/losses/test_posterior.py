"""Recovered posteriors against brute-force minimisers, and the table of properties."""

import numpy as np
import pytest
from scipy.optimize import minimize

import neglog as nl
from neglog import losses

ETA = np.array([0.45, 0.33, 0.15, 0.07])
RECOVERABLE = [
    ("cross_entropy", {}),
    ("nllr", {}),
    ("nllr", {"epsilon": 0.1}),
    ("competing_ratio", {}),
    ("exponential_loss", {}),
    ("focal", {"gamma": 2.0}),
    ("poly1", {"epsilon": 1.0}),
    ("poly1", {"epsilon": -0.5}),
    ("generalized_cross_entropy", {"q": 0.7}),
    ("symmetric_cross_entropy", {}),
    ("alpha_loss", {"alpha": 0.5}),
    ("gamma_divergence", {"gamma": 0.5}),
    ("mislabel", {"rate": 0.2}),
]
# minimisers at ETA, by another program
PUBLISHED = {
    ("nllr", ()): [0.70097, 0.18970, 0.07558, 0.03374],
    ("focal", (("gamma", 2.0),)): [0.39161, 0.33011, 0.18708, 0.09120],
    ("generalized_cross_entropy", (("q", 0.7),)): [0.72289, 0.25708, 0.01856, 0.00146],
    ("competing_ratio", ()): [0.47698, 0.32540, 0.13606, 0.06156],
    ("exponential_loss", ()): [0.35359, 0.30280, 0.20415, 0.13946],
    ("mislabel", (("rate", 0.2),)): [0.5, 0.35, 0.125, 0.025],
}


def minimiser(name, parameters):
    """Logits at which the expected loss under ETA is smallest."""
    loss = getattr(losses, f"{name}_grad")

    def expected(z):
        value, gradient = loss(np.tile(z, (4, 1)), np.arange(4), reduction="none", **parameters)
        return ETA @ value, ETA @ gradient

    found = minimize(expected, np.log(ETA), jac=True, method="BFGS", options={"gtol": 1e-11, "maxiter": 2000})
    assert np.abs(found.jac).max() < 1e-7
    return found.x


@pytest.mark.parametrize(("name", "parameters"), RECOVERABLE)
def test_recovers_the_posterior(name, parameters):
    z = minimiser(name, parameters)
    q = losses.softmax(z)
    if (name, tuple(parameters.items())) in PUBLISHED:
        np.testing.assert_allclose(q, PUBLISHED[name, tuple(parameters.items())], atol=6e-6)
    np.testing.assert_allclose(losses.recover_posterior(name, q, **parameters), ETA, atol=1e-6)
    np.testing.assert_allclose(losses.recover_posterior(name, z, input="logits", **parameters), ETA, atol=1e-6)


def test_closed_forms():
    q = np.random.default_rng(0).dirichlet(np.ones(5), (3, 4))

    def shares(weight):
        return weight / weight.sum(-1, keepdims=True)

    for name, parameters, weight in (
        ("exponential_loss", {}, q**2),
        ("nllr", {}, q * (1 - q)),
        ("nllr", {"epsilon": 0.3}, q * (1 - 0.7 * q)),
        ("generalized_cross_entropy", {"q": 0.4}, q**0.6),
        ("madaboost", {}, np.where(q >= 0.5, q**2, q * (1 - q))),
        ("mislabel", {"rate": 0.3}, 0.7 * q + 0.3 / 5),
    ):
        np.testing.assert_allclose(losses.recover_posterior(name, q, **parameters), shares(weight), rtol=1e-11)
    np.testing.assert_allclose(losses.recover_posterior("focal", q.T, axis=0), losses.recover_posterior("focal", q).T)


def test_edges():
    np.testing.assert_array_equal(losses.recover_posterior("focal", [1.0, 0.0, 0.0])[1:], [0.0, 0.0])
    extreme = losses.recover_posterior("focal", [600.0, 0.0, -600.0], input="logits")
    assert np.isfinite(extreme).all()
    assert losses.recover_posterior("focal", np.float32([0.5, 0.5])).dtype == np.float32
    assert np.isnan(losses.recover_posterior("focal", [np.nan, 0.5])).all()
    assert np.isnan(losses.recover_posterior("focal", [-np.inf, -np.inf], input="logits")).all()
    assert losses.recover_posterior("focal", [1.0]) == 1.0
    with pytest.raises(nl.ShapeError, match="recover_posterior: axis=3"):
        losses.recover_posterior("focal", [0.5, 0.5], axis=3)
    for loss, given in (
        ("generalized_cross_entropy", {"q": 1.0}),
        ("alpha_loss", {"alpha": np.inf}),
        ("taylor_cross_entropy", {"order": 1}),
        ("symmetric_cross_entropy", {"alpha": 0.0}),
    ):
        with pytest.raises(nl.ParameterError, match=f"{loss} is linear in the probability"):
            losses.recover_posterior(loss, [0.5, 0.5], **given)
    with pytest.raises(TypeError, match=r"recover_posterior\(\) got an unexpected keyword argument 'gama'"):
        losses.recover_posterior("focal", [0.5, 0.5], gama=1.0)
    with pytest.raises(TypeError, match=r"recover_posterior\(\) got an unexpected keyword argument 'gamma'"):
        losses.recover_posterior("cross_entropy", [0.5, 0.5], gamma=1.0)
    with pytest.raises(TypeError, match=r"recover_posterior\(\) got an unexpected keyword argument 'gamma'"):
        losses.recover_posterior(losses.DEFORMATIONS["focal"](), [0.5, 0.5], gamma=1.0)
    with pytest.raises(nl.ParameterError, match="loss=None; allowed: "):
        losses.recover_posterior(None, [0.5, 0.5])
    with pytest.raises(nl.ParameterError, match="truncation"):
        losses.recover_posterior("generalized_cross_entropy", [0.5, 0.5], truncation=0.3)
    with pytest.raises(nl.ParameterError, match="hinge"):
        losses.recover_posterior("hinge", [0.5, 0.5])
    with pytest.raises(nl.ParameterError, match="proper: softmax"):
        losses.recover_posterior("density_power", [0.5, 0.5])
    with pytest.raises(nl.InputKindError, match=r"1\.5, which is no probability; logits need input='logits'"):
        losses.recover_posterior("focal", [1.5, -0.5])
    with pytest.raises(nl.ParameterError, match="input="):
        losses.recover_posterior("focal", [0.5, 0.5], input="scores")


def test_many_classes():
    """The margins against the definition, row by row; leaders of a tie and far ahead."""
    z = np.random.default_rng(1).normal(0, 3, (5, 400))
    z[0], z[1, 7], z[2, :2], z[3, 3:] = 0.0, 700.0, 30.0, -np.inf
    q = losses.softmax(z)
    others = np.stack([np.exp(losses.logsumexp(np.delete(z, k, 1)) - losses.logsumexp(z)) for k in range(400)], 1)
    want = q * others  # of the likelihood ratio: q (1 - q)
    got = losses.recover_posterior("nllr", z, input="logits")
    np.testing.assert_allclose(got, want / want.sum(1, keepdims=True), rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize(
    ("loss", "given"),
    [
        ("generalized_cross_entropy", {"q": 0.01}),
        ("density_power", {"beta": 0.003}),
        ("alpha_loss", {"alpha": 1.001}),
        ("gamma_divergence", {"gamma": 0.002}),
    ],
)
def test_a_pull_that_vanishes_late_vanishes(loss, given):
    assert losses.properties(loss, **given).influence == "vanishes"


@pytest.mark.parametrize(
    ("name", "parameters", "expected"),
    [
        ("cross_entropy", {}, (True, True, 0.0, np.inf, "bounded")),
        ("nllr", {}, (False, True, -np.inf, np.inf, "bounded")),
        ("exponential_loss", {}, (False, True, 0.0, np.inf, "unbounded")),
        ("madaboost", {}, (False, True, 0.0, np.inf, "bounded")),
        ("focal", {"gamma": 2.0}, (False, False, 0.0, np.inf, "bounded")),
        ("generalized_cross_entropy", {"q": 0.7}, (False, False, 0.0, 1 / 0.7, "vanishes")),
        ("density_power", {"beta": 0.5}, (True, False, 0.0, 3.0, "vanishes")),
        ("mislabel", {"rate": 0.2}, (False, False, -np.log(0.85), -np.log(0.05), "vanishes")),
        ("gamma_divergence", {"gamma": 0.5}, (True, False, 0.0, 2.0, "vanishes")),
    ],
)
def test_properties(name, parameters, expected):
    found = losses.properties(name, **parameters)
    assert (found.proper, found.convex, found.influence) == (*expected[:2], expected[4])
    np.testing.assert_allclose(found[2:4], expected[2:4], atol=1e-6)


def test_properties_of_what_is_no_loss_of_logits():
    assert losses.properties("alpha_loss", alpha=0.99999).influence == "unbounded"
    with pytest.raises(nl.ParameterError, match="properties: classes=1; allowed: classes in integers in"):
        losses.properties("focal", classes=1)
    for name in ("softmax", "nll_loss", "kl_div", "binary_cross_entropy", "softmax_loss", "logsumexp"):
        with pytest.raises(nl.ParameterError, match=name):
            losses.properties(name)


def test_rows_that_are_no_distributions():
    with pytest.raises(nl.InputKindError, match=r"sum to 1.1; allowed: 1"):
        losses.recover_posterior("focal", [[0.5, 0.5], [0.7, 0.4]], gamma=2.0)
    assert losses.recover_posterior("focal", [0.333, 0.333, 0.333], gamma=2.0) == pytest.approx(
        [1 / 3] * 3
    )  # written with three digits
    thousand = losses.softmax(np.random.default_rng(0).normal(size=1000)).astype(np.float16)
    assert (
        abs(thousand.astype(float).sum() - 1) < 2**-7 and np.isfinite(losses.recover_posterior("focal", thousand)).all()
    )
