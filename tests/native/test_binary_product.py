"""Products of zeros and ones with a real matrix: exact where they can be, alike on every machine, as good as BLAS."""

import itertools

import numpy as np
import pytest

import neglog as nl
from neglog import _native

# below, at and above a table's four rows, a word's 64 states and a line's 8 or 16 columns
ROWS, INPUTS, COLUMNS = (1, 2, 7, 64, 200), (0, 1, 3, 4, 5, 63, 64, 65, 130), (0, 1, 7, 8, 9, 16, 17, 50)
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def draw(rows, inputs, columns, dtype, turned=(False, False), seed=0):
    """States, and a matrix of small integers: every sum is exact."""
    rng = np.random.default_rng(seed)
    states = (rng.random((rows, inputs)) < 0.4).astype(dtype)
    matrix = rng.integers(-1000, 1000, (inputs, columns)).astype(dtype)
    return tuple(np.asfortranarray(a) if t else a for a, t in zip((states, matrix), turned, strict=True))


def times(states, matrix):
    out = np.full((len(states), matrix.shape[1]), np.nan, matrix.dtype)
    assert _native.binary_product(states, matrix, out)
    return out


def random(rows, inputs, columns, dtype):
    rng = np.random.default_rng(rows + inputs + columns)
    return (rng.random((rows, inputs)) < 0.5).astype(dtype), rng.normal(size=(inputs, columns)).astype(dtype)


@DTYPES
@pytest.mark.parametrize("turned", [(False, False), (False, True), (True, False), (True, True)])
def test_integers_are_exact(dtype, turned):
    for shape in itertools.product(ROWS, INPUTS, COLUMNS):
        states, matrix = draw(*shape, dtype, turned)
        want = states.astype(np.float64) @ matrix.astype(np.float64)
        np.testing.assert_array_equal(times(states, matrix), want, err_msg=str(shape))


@DTYPES
@pytest.mark.parametrize("rows", range(1, 201, 13))
def test_rounding(dtype, rows):
    states, matrix = random(rows, 577, 41, dtype)
    want = states.astype(np.longdouble) @ matrix.astype(np.longdouble)
    ours, blas = (np.sqrt(((found - want) ** 2).mean()) for found in (times(states, matrix), states @ matrix))
    assert ours < 1.1 * blas


@DTYPES
@pytest.mark.parametrize("bad", [0.5, 2.0, -1.0, np.nan, np.inf, 1 + 1e-7])
@pytest.mark.parametrize("turned", [False, True])
def test_other_states_are_refused(dtype, bad, turned):
    for at in ((0, 0), (8, 69), (3, 64)):
        states, matrix = draw(9, 70, 5, dtype, (turned, False))
        states[at] = bad
        out = np.full((9, 5), 7, dtype)
        assert not _native.binary_product(states, matrix, out)
        assert (out == 7).all()


def test_minus_zero_is_zero():
    np.testing.assert_array_equal(times(np.array([[-0.0, 1.0]]), np.array([[3.0], [5.0]])), [[5.0]])


def test_what_is_off_is_not_read():
    states, matrix = np.array([[0.0, 1.0], [1.0, 1.0]]), np.array([[np.nan, np.inf], [1.0, 2.0]])
    np.testing.assert_array_equal(times(states, matrix), [[1, 2], [np.nan, np.inf]])


def test_gaps_are_refused():
    states, matrix = draw(6, 10, 8, np.float64)
    assert not _native.binary_product(states[::2, ::2], matrix[:5], np.empty((3, 8)))
    assert not _native.binary_product(states, np.zeros((20, 16))[::2, ::2], np.empty((6, 8)))
    np.testing.assert_array_equal(times(states[::2], matrix), states[::2] @ matrix)  # whole rows may be apart


@DTYPES
def test_threads_do_not_matter(dtype):
    states, matrix = random(150, 600, 300, dtype)
    before = nl.get_num_threads()
    try:
        found = []
        for threads in (1, 2, 5):
            nl.set_num_threads(threads)
            found.append(times(states, matrix).tobytes())
    finally:
        nl.set_num_threads(before)
    assert len(set(found)) == 1


@DTYPES
def test_rows_do_not_know_of_one_another(dtype):
    states, matrix = random(60, 200, 30, dtype)
    together = times(states, matrix)
    for at in (slice(0, 1), slice(3, 20), slice(20, 60)):
        np.testing.assert_array_equal(times(states[at], matrix), together[at])


@DTYPES
@pytest.mark.parametrize("turned", [False, True])
def test_a_layer_is_product_and_units(dtype, turned):
    states, weights = draw(9, 70, 37, dtype, (False, turned))
    weights = weights / 500
    bias = np.linspace(-1, 1, 37).astype(dtype)
    p, s, want_p, want_s = (np.empty((9, 37), dtype) for _ in range(4))
    assert _native.units(states, weights, 0.5, bias, p, s, None, 5, 9)
    _native.units(times(states, weights), None, 0.5, bias, want_p, want_s, None, 5, 9)
    np.testing.assert_array_equal(p, want_p)
    np.testing.assert_array_equal(s, want_s)
    alone = np.empty_like(s)
    assert _native.units(states, weights, 0.5, bias, None, alone, None, 5, 9)
    np.testing.assert_array_equal(alone, s)
    for last in (1, 4):  # rows of the sample: its first is row 0 of the stream, whatever comes before
        some, found = np.empty((last, 37), dtype), np.empty((9, 37), dtype)
        assert _native.units(states, weights, 0.5, bias, found, some, None, 5, 9)
        _native.units(times(states[-last:], weights), None, 0.5, bias, None, want_s[:last], None, 5, 9)
        np.testing.assert_array_equal(found, p)
        np.testing.assert_array_equal(some, want_s[:last])


@DTYPES
@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("widths", [(1, 1), (3, 17), (33, 16), (100, 7), (70, 40)])
@pytest.mark.parametrize("rows", [1, 9, 130])
def test_update(dtype, binary, widths, rows):
    rng = np.random.default_rng(0)
    v, h = (rng.random((rows, width)).astype(dtype) for width in widths)
    v = v.round() if binary else v
    share = rng.normal(size=rows).astype(dtype)
    parameters = [rng.normal(size=shape).astype(dtype) for shape in (widths, *widths)]
    scaled, moved = h.copy(), [a.copy() for a in parameters]
    assert _native.update(v, scaled, share, *moved) == binary
    np.testing.assert_array_equal(scaled, h * share[:, None])
    wide = [a.astype(np.float64) for a in (v, h, share)]
    want = [(wide[0].T * wide[2]) @ wide[1] * binary, wide[2] @ wide[0], wide[2] @ wide[1]]
    for before, found, sums in zip(parameters, moved, want, strict=True):
        np.testing.assert_allclose(found, before + sums, rtol=0, atol=1e-5 if dtype == np.float32 else 1e-13)


PROGRAM = """
import hashlib, itertools, runpy, sys
import numpy as np
test = runpy.run_path(sys.argv[1])
digest = hashlib.sha256()
for dtype in (np.float32, np.float64):
    for turned in itertools.product([False, True], repeat=2):
        test["test_integers_are_exact"](dtype, turned)
    for binary, widths, rows in itertools.product([False, True], [(1, 1), (33, 16), (70, 40)], [1, 9, 130]):
        test["test_update"](dtype, binary, widths, rows)
    for shape in itertools.product(test["ROWS"], test["INPUTS"], test["COLUMNS"]):
        digest.update(test["times"](*test["random"](*shape, dtype)).tobytes())
print(digest.hexdigest())
"""


def test_instruction_sets_agree_to_the_last_bit(on_isa):
    assert len({on_isa(isa, "-c", PROGRAM, __file__) for isa in _native.available_isas()}) == 1
