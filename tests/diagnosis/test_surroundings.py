"""It never raises, prints, and leaves honest models alone."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import log_softmax
from sklearn import datasets, linear_model
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import neglog as nl
from neglog.diagnosis import Diagnosis
from neglog.diagnosis.entry import KINDS

DTYPES = st.sampled_from([np.float16, np.float32, np.float64, np.int64, np.bool_, np.uint8])
ODD = st.sampled_from([0.0, 1.0, 2.0, 0.5, -1.0, -100.0, 255.0, 1e300, 1e-320, np.inf, -np.inf, np.nan])


def arrays(shape):
    anything = DTYPES.flatmap(lambda dtype: hnp.arrays(dtype, shape))
    return (
        anything | hnp.arrays(np.float64, shape, elements=ODD) | hnp.arrays(np.float64, shape, elements=ODD, fill=ODD)
    )


@st.composite
def calls(draw):
    """An output with a target of its shape, of one axis less, or of any."""
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
    other = draw(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
    axis = draw(st.integers(0, max(0, len(shape) - 1)))
    output = draw(arrays(shape))
    target = draw(arrays(draw(st.sampled_from([shape, shape[:axis] + shape[axis + 1 :], other]))))
    return draw(st.sampled_from([output, (output, draw(arrays(shape)))])), target


@settings(max_examples=500, deadline=None)
@given(calls(), st.sampled_from([None, *KINDS]), st.sampled_from([None, None, 0, 1, -1, 7]))
def test_nothing_raises(call, kind, axis):
    found = nl.diagnose(*call, kind, axis=axis)
    assert isinstance(found, Diagnosis)
    assert str(found).startswith("neglog.diagnose: ")
    for finding in found:
        assert finding.evidence and finding.change.endswith(".")
        assert found[finding.code].code == finding.code


@pytest.mark.parametrize(
    ("output", "target"),
    [
        ([[1, 2], [3]], [0, 1]),
        ("words", [0]),
        (None, None),
        ([[1.0, 2.0]], ["cat"]),
        ([[1.0, 2.0]], None),
        (object(), [1]),
        (np.zeros((2, 3), complex), [0, 1]),
    ],
)
def test_what_cannot_be_read_is_a_finding(output, target):
    assert nl.diagnose(output, target).codes == ("unreadable",)


def test_an_unknown_kind_raises():
    with pytest.raises(nl.ParameterError, match=r"kind='prob'; allowed: logits, probs, logprobs, mean"):
        nl.diagnose([[0.5, 0.5]], [0], "prob")
    with pytest.raises(nl.ParameterError, match="axis='last'; allowed: an integer"):
        nl.diagnose([[0.5, 0.5]], [0], axis="last")
    with pytest.raises(nl.ParameterError, match="ignore_index=None; allowed: an integer"):
        nl.diagnose([[0.5, 0.5]], [0], ignore_index=None)


def test_inputs_are_left_as_they_are(digits):
    z, y = digits
    z, y = z.copy(), y.copy()
    z.flags.writeable = y.flags.writeable = False
    nl.diagnose(z, y, "probs")
    tensor = torch.tensor(z, requires_grad=True)
    nl.diagnose(tensor, y)
    assert tensor.grad is None


def test_print(digits):
    z, y = digits
    found = nl.diagnose(z, np.where(np.arange(len(y)) < 3, 12, y))
    assert str(found) == repr(found)
    assert str(found).splitlines()[0] == "neglog.diagnose: 1 finding; read 898 rows as logits"
    assert "3 of 898 targets lie outside 0 to 9: 12 (the first at 0)" in str(found)
    assert max(map(len, str(found).splitlines())) <= 96
    assert len(found) == 1
    with pytest.raises(KeyError):
        found["one_based"]


LOADERS = (datasets.load_digits, datasets.load_iris, datasets.load_wine, datasets.load_breast_cancer)


@pytest.mark.parametrize("load", LOADERS, ids=lambda f: f.__name__)
def test_honest_classifiers_have_no_findings(load):
    """Of 10 splits with four models each, in up to five representations: no finding at all."""
    x, y = load(return_X_y=True)
    for seed in range(10):
        a, b, s, t = train_test_split(x, y, test_size=0.5, random_state=seed, stratify=y)
        scaler = StandardScaler().fit(a)
        a, b = scaler.transform(a), scaler.transform(b)
        torch.manual_seed(seed)
        untrained = torch.nn.Sequential(
            torch.nn.Linear(x.shape[1], 64), torch.nn.ReLU(), torch.nn.Linear(64, len(set(y)))
        )
        models = [
            linear_model.LogisticRegression(C=c, max_iter=1000).fit(a, s).predict_log_proba(b) for c in (0.01, 0.1, 1)
        ]
        models.append(untrained(torch.tensor(b).float()).detach().numpy().astype(float))
        for z in models:
            log_p = log_softmax(z, 1)
            assert nl.diagnose(z, t).ok
            assert nl.diagnose(z, t, "logits").ok
            assert nl.diagnose(np.exp(log_p), t, "probs").ok
            assert nl.diagnose(log_p, t, "logprobs").ok
            if z.shape[1] == 2:
                margin = log_p[:, 1] - log_p[:, 0]
                assert nl.diagnose(margin, t).ok
                assert nl.diagnose(1 / (1 + np.exp(-margin)), t, "probs").ok


def test_honest_regressions_have_no_findings():
    """Of 20 splits with two models each, with and without variances, in two units."""
    x, y = datasets.load_diabetes(return_X_y=True)
    for seed in range(20):
        a, b, s, t = train_test_split(x, y, test_size=0.5, random_state=seed)
        for model in (linear_model.LinearRegression(), linear_model.RidgeCV()):
            model.fit(a, s)
            mean, variance = model.predict(b), np.full(len(b), ((s - model.predict(a)) ** 2).mean())
            m, d = s.mean(), s.std()
            for mu, v, target in ((mean, variance, t), ((mean - m) / d, variance / d**2, (t - m) / d)):
                assert nl.diagnose(mu, target).ok
                assert nl.diagnose((mu, v), target).ok
                assert nl.diagnose((mu, np.sqrt(v)), target, "mean_std").ok
