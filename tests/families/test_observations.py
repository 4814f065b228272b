"""Rows known only up to an interval, and what start values take them for."""

import pickle

import numpy as np
import pytest

import neglog as nl
from neglog.core.observations import Observations
from neglog.families.representative import representative

ROWS = nl.interval([1.0, 2.0, -np.inf, 3.0, np.nan], [1.0, np.inf, 2.0, 4.0, np.nan])


def test_kinds():
    np.testing.assert_array_equal(ROWS.kind, [0, 1, 2, 3, -1])
    np.testing.assert_array_equal(ROWS.exact, [True, False, False, False, False])
    assert len(ROWS) == 5
    assert ROWS.shape == (5,)
    assert repr(ROWS) == ("Observations(1 exact, 1 right-censored, 1 left-censored, 1 interval-censored, 1 missing)")
    assert repr(nl.interval([], [])) == "Observations(empty)"


def test_indexing_keeps_rows():
    part = ROWS[np.array([True, False, False, True, False])]
    np.testing.assert_array_equal(part.kind, [0, 3])
    assert isinstance(ROWS[1:3], Observations)


def test_right_censored():
    rows = nl.right_censored([5.0, 8.0, np.nan], [True, False, False])
    np.testing.assert_array_equal(rows.lower, [5, 8, np.nan])
    np.testing.assert_array_equal(rows.upper, [5, np.inf, np.nan])


def test_frozen_read_only_and_independent_of_the_caller():
    time = np.array([1.0, 2.0])
    rows = nl.right_censored(time, [1, 1])
    time[0] = 9
    assert rows.lower[0] == 1
    with pytest.raises(ValueError, match="read-only"):
        rows.lower[0] = 3
    with pytest.raises(AttributeError):
        rows.lower = time
    copy = pickle.loads(pickle.dumps(ROWS))
    np.testing.assert_array_equal(copy.lower, ROWS.lower)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: nl.interval([1.0, 2.0], [1.0]), nl.ShapeError, r"interval: lower has shape \(2,\)"),
        (
            lambda: nl.interval([0.0, 2.0], [1.0, 1.0]),
            nl.DataError,
            r"lower = 2 is above upper = 1 at position 1",
        ),
        (lambda: nl.right_censored([1.0], [1, 0]), nl.ShapeError, "right_censored: time has shape"),
        (
            lambda: nl.right_censored([1.0, 2.0], [1, 2]),
            nl.DataError,
            r"event = 2 at position 1; allowed: 1",
        ),
    ],
)
def test_errors(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_representative_values():
    np.testing.assert_array_equal(representative(ROWS[:4]), [1, 2, 2, 3.5])
    # counts: Y > 2 is at least 3, 3 < Y <= 4 is 4, and Y <= 2 lies between 0 and 2
    np.testing.assert_array_equal(representative(ROWS[:4], low=0.0, step=1.0), [1, 3, 1, 4])
