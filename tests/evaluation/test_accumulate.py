"""Exact sums: against fractions, for any order, and through text and back."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neglog._native import ExactSums
from neglog.core import accumulate as acc

finite = st.floats(allow_nan=False, allow_infinity=False)
moderate = st.floats(min_value=-1e60, max_value=1e60).map(lambda x: x if abs(x) > 1e-60 else 0.0)


def exact(sums: ExactSums) -> list:
    return acc.exact_values(sums)


@given(st.lists(finite, max_size=60))
def test_a_sum_is_the_sum_of_fractions(values):
    sums = ExactSums(1)
    sums.add(None, np.array(values, dtype=np.float64))
    assert exact(sums) == [sum(map(Fraction, values), Fraction(0))]


@given(st.integers(1, 4).flatmap(lambda k: st.lists(st.tuples(*[moderate] * k), min_size=1, max_size=20)))
def test_a_product_is_added_with_all_its_halves(rows):
    factors = [np.array(column) for column in zip(*rows, strict=True)]
    sums = ExactSums(1)
    sums.add(None, *factors)
    assert exact(sums) == [sum((math.prod(map(Fraction, row)) for row in rows), Fraction(0))]


@pytest.mark.parametrize("factors", (1, 2, 3, 4))
@pytest.mark.parametrize("spread", (3, 40, 300))  # binary exponents: in the vectors' range, partly, mostly not
def test_vectors_add_what_single_rows_add(factors, spread):
    rng = np.random.default_rng(factors * spread)
    n = 9001  # more than one call of the kernel, and no multiple of the lanes
    rows = [rng.standard_normal(n) * 2.0 ** rng.integers(-spread, min(spread, 200) + 1, n) for _ in range(factors)]
    rows[0][::7] = 0.0
    rows[-1][3::11] = -0.0
    index = rng.integers(0, 3, n)
    want = ExactSums(3)
    for i in range(0, n, 40):  # too few rows for vectors
        want.add(index[i : i + 40], *(x[i : i + 40] for x in rows))
    grouped, whole = ExactSums(3), ExactSums(1)
    grouped.add(index, *rows)
    whole.add(None, *rows)
    assert exact(grouped) == exact(want) and exact(whole) == [sum(exact(want))] == exact(want.total())
    if spread < 300:  # nothing underflows
        assert exact(whole) == [
            sum(math.prod(map(Fraction, row)) for row in zip(*map(np.ndarray.tolist, rows), strict=True))
        ]


def test_vectors_pass_on_what_is_not_finite():
    x = np.ones(1000)
    x[500] = math.inf
    sums = ExactSums(1)
    sums.add(None, x, x)
    assert exact(sums) == [math.inf]
    x[501] = math.nan
    sums.add(None, x)
    assert math.isnan(exact(sums)[0])


@given(st.lists(st.tuples(st.integers(0, 4), finite), max_size=60), st.randoms(use_true_random=False))
def test_groups_order_and_partition(rows, rng: random.Random):
    want = [sum((Fraction(x) for k, x in rows if k == group), Fraction(0)) for group in range(5)]
    shuffled = rng.sample(rows, len(rows))
    cut = rng.randint(0, len(rows))
    total = ExactSums(5)
    for part in (shuffled[cut:], shuffled[:cut]):
        sums = ExactSums(5)
        sums.add(np.array([k for k, _ in part], np.int64), np.array([x for _, x in part], np.float64))
        total.merge(sums)
    assert exact(total) == want


def test_carries_after_many_additions():
    # more than the 1024 additions after which carries run, with full mantissas of both signs
    x = np.tile([math.nextafter(2.0, 0), -math.nextafter(1.0, 0), 2.0**-1074, 1.7e308, -1.7e308], 5000)
    sums = ExactSums(1)
    sums.add(None, x)
    assert exact(sums) == [sum(map(Fraction, x.tolist()))]


@pytest.mark.parametrize("values, want", [([math.inf, 1.0], math.inf), ([-math.inf], -math.inf)])
def test_infinite_sums(values, want):
    sums = ExactSums(1)
    sums.add(None, np.array(values))
    assert exact(sums) == [want]


def test_undefined_sums():
    for values in ([math.inf, -math.inf], [math.nan]):
        sums = ExactSums(1)
        sums.add(None, np.array(values))
        assert math.isnan(exact(sums)[0])


def test_copies_are_independent():
    a = ExactSums(1)
    b = a.copy()
    b.add(None, np.ones(3))
    assert exact(a) == [0] and exact(b) == [3] and len(a) == 1


def test_what_is_refused():
    sums = ExactSums(2)
    for arguments in (
        (np.array([2]), np.ones(1)),
        (np.array([-1]), np.ones(1)),
        (np.array([0, 1]), np.ones(1)),
        (None, np.ones(2), np.ones(1)),
        (None,),
    ):
        with pytest.raises((ValueError, IndexError)):
            sums.add(*arguments)
    with pytest.raises(ValueError):
        sums.merge(ExactSums(3))


@given(st.lists(finite, max_size=5))
def test_text_is_canonical_and_round_trips(values):
    a, b = ExactSums(1), ExactSums(1)
    a.add(None, np.array(values, dtype=np.float64))
    for x in reversed(values):
        b.add(None, np.array([x]))
    assert acc.to_text(a) == acc.to_text(b) == acc.to_text(acc.from_text(acc.to_text(a)))


@pytest.mark.parametrize("text", ["2p0", "1p", "x", "1", "0p1", "-0p0", "1p99999"])
def test_text_that_is_not_canonical(text):
    with pytest.raises((ValueError, OverflowError)):
        acc.from_text([text])


@given(st.fractions(min_value=0, max_value=10**30))
def test_square_roots_are_correctly_rounded(x):
    # the root is right when x lies between the squares of the two halfway points around it
    root = acc.rounded_sqrt(x)
    below = (Fraction(math.nextafter(root, -1)) + Fraction(root)) / 2
    above = (Fraction(math.nextafter(root, math.inf)) + Fraction(root)) / 2
    assert (below <= 0 or below**2 <= x) and x <= above**2


def test_ratios_and_roots_at_the_edges():
    assert math.isnan(acc.rounded_ratio(Fraction(0), Fraction(0)))
    assert acc.rounded_ratio(Fraction(-1), Fraction(0)) == -math.inf
    assert acc.rounded_ratio(math.inf, Fraction(2)) == math.inf
    assert math.isnan(acc.rounded_sqrt(math.nan)) and acc.rounded_sqrt(math.inf) == math.inf
    assert acc.rounded_sqrt(Fraction(1, 10**400)) == 1e-200


@settings(max_examples=50)
@given(st.lists(st.tuples(st.sampled_from("abc"), moderate, moderate), max_size=30), st.integers(0, 30))
def test_cluster_sums_merge(rows, cut):
    def of(part):
        sums = acc.ClusterSums()
        if part:
            names, w, x = zip(*part, strict=True)
            sums.add(np.array(names), np.array(w), np.array(x))
        return sums

    whole, first, second = of(rows), of(rows[:cut]), of(rows[cut:])
    second.merge(first)
    assert second.to_payload() == whole.to_payload() == acc.ClusterSums.from_payload(whole.to_payload()).to_payload()


@given(st.lists(st.integers(), max_size=30), st.integers(0, 5), st.integers(0, 30))
def test_the_smallest_merge(values, size, cut):
    items = [(value,) for value in values]
    merged = acc.Smallest(size, items[cut:])
    merged.extend(acc.Smallest(size, items[:cut]).items)
    assert merged.items == sorted(items)[:size]
