"""log_loss: scikit-learn's answer wherever that clips nothing; any labels; only the true class is read."""

import math

import numpy as np
import pytest

import neglog as nl
from neglog import losses

LABELS = {
    "integers": np.array([0, 1, 2]),
    "shifted integers": np.array([3, 4, 5]),
    "gaps": np.array([-7, 2, 10**12]),
    "unsigned": np.array([0, 1, 255], np.uint8),
    "floats": np.array([1.0, 2.0, 4.0]),  # scikit-learn refuses fractions
    "strings": np.array(["ant", "bee", "cat"]),
    "objects": np.array(["ant", "bee", "cat"], object),
}


def data(n=50, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, classes, n), rng.dirichlet(np.ones(classes), n), rng.random(n)


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("normalize", [False, True])
def test_equals_scikit_learn(kind, weighted, normalize):
    log_loss = pytest.importorskip("sklearn.metrics").log_loss
    y, p, s = data()
    options = {"normalize": normalize, "sample_weight": s if weighted else None}
    labelled = LABELS[kind][y]
    assert losses.log_loss(labelled, p, **options) == pytest.approx(log_loss(labelled, p, **options), rel=1e-12)
    given = losses.log_loss(labelled[:4], p[:4], labels=LABELS[kind][::-1])  # sorted whatever their order
    assert given == pytest.approx(log_loss(labelled[:4], p[:4], labels=LABELS[kind]), rel=1e-12)


@pytest.mark.parametrize("labels", [[False, True], ["no", "yes"], [0, 1], [-1, 1], [0.0, 1.0]])
def test_two_labels_by_one_column(labels):
    log_loss = pytest.importorskip("sklearn.metrics").log_loss
    y, p, s = data(classes=2)
    labelled, column = np.array(labels)[y], p[:, 1]
    want = log_loss(labelled, column, sample_weight=s)
    for given in (column, column[:, None], np.stack([1 - column, column], axis=1)):
        assert losses.log_loss(labelled, given, sample_weight=s) == pytest.approx(want, rel=1e-12)


def test_a_small_probability_of_the_smaller_label_keeps_its_digits():
    assert losses.log_loss([0, 1], [1e-20, 1.0]) == pytest.approx(0.5e-20, rel=1e-14)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_nothing_is_clipped(dtype):
    p = np.array([[1.0, 0.0], [0.5, 0.5]], dtype)
    assert losses.log_loss([1, 0], p) == math.inf
    assert losses.log_loss([0, 1], p) == pytest.approx(math.log(2) / 2)
    assert isinstance(losses.log_loss([0, 1], p), float)
    assert losses.log_loss([0, 1], p.astype(int)[:, ::1], labels=[0, 1]) == math.inf


def test_only_the_true_class_is_read():
    p = np.array([[0.3, np.nan, -5.0], [np.nan, 0.6, 17.0], [0.2, 0.3, 0.5]])
    assert losses.log_loss([0, 1, 2], p) == pytest.approx(-np.log([0.3, 0.6, 0.5]).mean())
    p[1] = np.nan
    assert np.isfinite(losses.log_loss([0, 9, 2], p, sample_weight=[1, 0, 1], labels=[0, 1, 2]))
    assert np.isnan(losses.log_loss([0, 1, 2], p))


def test_memory_order():
    y, p, s = data()
    want = losses.log_loss(y, p, sample_weight=s)
    for given in (np.asfortranarray(p), np.repeat(p, 2, axis=0)[::2], p.astype(p.dtype.newbyteorder())):
        assert losses.log_loss(y, given, sample_weight=s) == pytest.approx(want, rel=1e-14)


def test_nothing_to_judge():
    assert math.isnan(losses.log_loss([], np.empty((0, 2)), labels=[0, 1]))
    assert math.isnan(losses.log_loss([0, 1], [[0.5, 0.5]] * 2, sample_weight=[0, 0]))
    assert losses.log_loss([], np.empty((0, 2)), labels=[0, 1], normalize=False) == 0


MESSAGES = [
    (
        nl.InputKindError,
        ([0, 1], [[0.5, 0.5], [-0.2, 1.2]]),
        {},
        "log_loss: y_proba[1, 1] = 1.2 is no probability; allowed: 0 <= y_proba <= 1",
    ),
    (nl.InputKindError, ([0, 1], [0.5, 1.2]), {}, "log_loss: y_proba[1] = 1.2 is no probability"),
    (
        nl.TargetError,
        (["a", "x"], [[0.5, 0.5]] * 2),
        {"labels": ["a", "b"]},
        "log_loss: y_true[1] = 'x'; allowed: 'a', 'b'",
    ),
    (
        nl.TargetError,
        (["a", "x"], [0.5, 0.5]),
        {"labels": ["a", "b"]},
        "log_loss: y_true[1] = 'x'; allowed: 'a', 'b'",
    ),
    (
        nl.ShapeError,
        ([0, 0], [[0.5, 0.5]] * 2),
        {},
        "log_loss: y_true has 1 distinct labels (0) and y_proba 2 columns; pass labels= with all of them",
    ),
    (
        nl.ShapeError,
        ([0, 1, 2], [0.5, 0.5, 0.5]),
        {},
        "log_loss: y_true has 3 distinct labels (0, 1, 2) and y_proba one column, which stands for two labels",
    ),
    (
        nl.ShapeError,
        ([0, 1], [[0.5, 0.5]] * 2),
        {"labels": [0, 1, 2]},
        "log_loss: labels has 3 distinct labels (0, 1, 2) and y_proba 2 columns",
    ),
    (
        nl.ShapeError,
        ([0, 1, 1], [[0.5, 0.5]] * 2),
        {},
        "log_loss: y_true has shape (3,) and y_proba (2, 2); allowed: (n,)",
    ),
    (nl.ShapeError, ([[0, 1]], [[0.5, 0.5]]), {}, "log_loss: y_true has shape (1, 2) and y_proba (1, 2)"),
    (
        nl.ShapeError,
        ([0, 1], [[0.5, 0.5]] * 2),
        {"sample_weight": [1.0]},
        "log_loss: sample_weight has shape (1,)",
    ),
]


@pytest.mark.parametrize(("error", "args", "options", "message"), MESSAGES, ids=[m[3][10:60] for m in MESSAGES])
def test_messages(error, args, options, message):
    with pytest.raises(error) as caught:
        losses.log_loss(*args, **options)
    assert str(caught.value).startswith(message)


def test_one_of_a_wide_table():
    y, p, _ = data(n=300, classes=200)
    y[:200] = np.arange(200)
    want = -np.log(p[np.arange(300), y]).mean()
    assert losses.log_loss(y, p) == pytest.approx(want, rel=1e-13)
