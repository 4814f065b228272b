"""However the rows are cut, ordered and computed, the result is the same to the last bit."""

from __future__ import annotations

import functools
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from tests.evaluation import oracle

import neglog as nl

LABELS = ("ham", "spam", "eggs", "toast")


def batch(rows=60, seed=0):
    """Everything at once: weights, zero weights, infinite losses, bad rows, ties, clusters and keys."""
    rng = np.random.default_rng(seed)
    p = oracle.softmax(rng.standard_normal((rows, 4)) * 4)
    p[3] = p[4] = [0.25, 0.25, 0.25, 0.25]
    p[5] = [0, 0, 0, 1]
    y = np.array(LABELS)[rng.integers(0, 4, rows)]
    y[5] = "ham"
    p[6, 2], p[7, 0] = np.nan, 2.0
    y[8] = "unknown"
    w = rng.uniform(0, 2, rows) * 10.0 ** rng.integers(-3, 3, rows)
    w[9], w[10] = 0.0, -1.0
    return {
        "y": y,
        "p": p,
        "sample_weight": w,
        "cluster": rng.integers(0, 9, rows),
        "key": np.array([f"row {i:03}" for i in range(rows)]),
    }


def score(rows, **options):
    options = {"input": "probs", "classes": LABELS, "on_bad": "skip", "worst": 5, **options}
    s = nl.Score.classification(**options)
    return s.update(**rows) if rows is not None else s


def take(rows, index):
    return {name: values[index] for name, values in rows.items()}


def test_a_thousand_partitions_and_orders():
    rows = batch()
    whole = score(rows)
    want, result = whole.to_bytes(), whole.result().to_dict()
    rng = np.random.default_rng(1)
    for trial in range(1000):
        order = rng.permutation(60)
        cuts = np.sort(rng.integers(0, 61, rng.integers(1, 8)))
        parts = [score(take(rows, part)) for part in np.split(order, cuts)]
        merged = functools.reduce(lambda a, b: a.merge(b), (parts[i] for i in rng.permutation(len(parts))))
        assert merged.to_bytes() == want, trial
    assert merged.result().to_dict() == result


@pytest.mark.parametrize("weighted", (False, True))
@pytest.mark.parametrize("input", ("probs", "logits", "logprobs"))
def test_partitions_without_keys(input, weighted):
    rng = np.random.default_rng(2)
    z = rng.standard_normal((300, 70)).astype(np.float32)
    p = oracle.softmax(z.astype(np.float64))
    rows = {"y": rng.integers(0, 70, 300), "p": {"logits": z, "probs": p, "logprobs": np.log(p)}[input]}
    if weighted:
        rows["sample_weight"] = rng.uniform(0, 1, 300)
    options = {"input": input, "classes": None}
    whole = score(rows, **options)
    for _ in range(50):
        parts = np.split(rng.permutation(300), np.sort(rng.integers(0, 301, 5)))
        merged = functools.reduce(lambda a, b: a.merge(b), [score(take(rows, part), **options) for part in parts])
        assert merged == whole and merged.result() == whole.result()


def test_updates_are_merges_too():
    rows, s = batch(), score(None)
    for part in np.split(np.arange(60), [7, 7, 30]):
        s.update(**take(rows, part))
    assert s == score(rows)


def test_blocks_are_invisible():
    # 2^15 rows are scored at a time
    rng = np.random.default_rng(3)
    rows = {"y": rng.integers(0, 3, 70_000), "p": oracle.softmax(rng.standard_normal((70_000, 3)))}
    whole = score(rows, classes=3)
    index = rng.permutation(70_000)
    assert score(take(rows, index[:50_000]), classes=3).merge(score(take(rows, index[50_000:]), classes=3)) == whole


def test_merging_into_nothing():
    s = score(batch())
    assert score(None).merge(s) == s
    assert score(batch()).merge(score(None)) == s
    untouched = score(None, classes=None)
    rows = {"y": [0, 1], "p": np.array([[0.5, 0.5], [0.1, 0.9]])}
    known = score(rows, classes=None)
    assert untouched.merge(known) == known
    assert score(rows, classes=None).merge(score(None, classes=None)) == known


def test_merging_does_not_touch_the_other():
    a, b = score(batch()), score(batch(seed=5))
    before = b.to_bytes()
    a.merge(b)
    a.merge(b)
    assert b.to_bytes() == before


@pytest.mark.parametrize(
    "option, value",
    [
        ("input", "logprobs"),
        ("classes", LABELS[::-1]),
        ("bins", 7),
        ("worst", 3),
        ("on_bad", "raise"),
        ("sum_tolerance", 0.5),
        ("row_sum", "normalise"),
    ],
)
def test_only_equal_specifications_merge(option, value):
    with pytest.raises(nl.InputError, match=rf"differ: {option} is .* here and .* there"):
        score(None).merge(score(None, **{option: value}))


def test_classes_that_compare_equal_but_are_not_the_same():
    with pytest.raises(nl.InputError, match="classes"):
        score(None, classes=[0, 1]).merge(score(None, classes=[False, True]))


def test_what_cannot_be_merged():
    with pytest.raises(nl.InputError, match="ClassificationScore is needed"):
        score(None).merge("a string")
    rows = batch()
    named, unnamed = score(rows), score({k: v for k, v in rows.items() if k != "key"})
    with pytest.raises(nl.InputError, match="key: not given here, strings before"):
        named.merge(unnamed)
    before = named.to_bytes()
    with pytest.raises(nl.InputError, match="cluster"):
        named.update(**{k: v for k, v in rows.items() if k != "cluster"})
    assert named.to_bytes() == before


def test_bad_rows_without_keys_are_numbered_in_the_order_of_arrival():
    p = np.array([[0.5, 0.5], [np.nan, 0.5], [0.5, 0.5]])
    a, b = (score({"y": [0, 0, 0], "p": p}, classes=2) for _ in range(2))
    assert [bad.row for bad in a.merge(b).result().bad_rows] == [1, 4]
    assert [bad.row for bad in a.update([0], p[1:2]).result().bad_rows] == [1, 4, 6]


SCRIPT = """
import sys, numpy as np, neglog as nl
rng = np.random.default_rng(0)
out = b""
for classes in (2, 10, 100, 3000):
    n = 200_000 // classes + 5000
    z = rng.standard_normal((n, classes)).astype(np.float32) * 3
    for weight in (None, rng.uniform(0, 1, n)):
        s = nl.Score.classification(input="logits", classes=classes, worst=3)
        out += s.update(rng.integers(0, classes, n), z, sample_weight=weight).to_bytes()
sys.stdout.buffer.write(out)
"""


def states(isa: str, threads: int) -> bytes:
    env = {**os.environ, "NEGLOG_ISA": isa, "OMP_NUM_THREADS": str(threads)}
    return subprocess.run([sys.executable, "-c", SCRIPT], env=env, capture_output=True, check=True).stdout


def test_threads_do_not_change_a_bit_on_any_instruction_set():
    from neglog import _native

    for isa in _native.available_isas():
        assert states(isa, 1) == states(isa, 3)


def test_pickles():
    s = score(batch())
    assert pickle.loads(pickle.dumps(s)) == s
