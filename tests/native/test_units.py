"""Layers of binary units: known answers of the generator, the same draws whoever makes them."""

import json

import numpy as np
import pytest
from scipy.special import expit

import neglog as nl
from neglog import _native


def philox(counter, key):
    """Philox4x32-10 in Python's integers, from the paper's definition (Salmon et al., SC 2011, section 3.3)."""
    a, b, c, d = counter
    k, l = key  # noqa: E741
    for _ in range(10):
        first, second = 0xD2511F53 * a, 0xCD9E8D57 * c
        a, b = (second >> 32) ^ b ^ k, second & 0xFFFFFFFF
        c, d = (first >> 32) ^ d ^ l, first & 0xFFFFFFFF
        k, l = (k + 0x9E3779B9) & 0xFFFFFFFF, (l + 0xBB67AE85) & 0xFFFFFFFF  # noqa: E741
    return [a, b, c, d]


def native(counter, key):
    words = np.zeros(32, np.uint32)
    _native.philox(key[0] | key[1] << 32, counter[2] | counter[3] << 32, counter[1], counter[0] // 8, words)
    i = counter[0] % 8
    return words[[2 * i, 2 * i + 1, 16 + 2 * i, 17 + 2 * i]].tolist()


KNOWN = [  # Random123 1.14, tests/kat_vectors: philox4x32 10
    ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
]


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN)
def test_known_answers(counter, key, words):
    assert philox(counter, key) == words
    assert native(counter, key) == words


def test_every_counter():
    rng = np.random.default_rng(0)
    for _ in range(200):
        counter, key = (rng.integers(2**32, size=n).tolist() for n in (4, 2))
        assert native(counter, key) == philox(counter, key)


def layer(dtype, rows=7, width=37, seed=1):
    rng = np.random.default_rng(seed)
    return rng.normal(scale=3, size=(rows, width)).astype(dtype), rng.normal(size=width).astype(dtype)


def run(inflow, bias, scale=1.0, key=5, stream=9):
    p, s = np.empty_like(inflow), np.empty_like(inflow)
    softplus = np.empty(len(inflow)) if inflow.dtype == np.float64 else None
    _native.units(inflow, None, scale, bias, p, s, softplus, key, stream)
    return p, s, softplus


@pytest.mark.parametrize("width", [1, 2, 3, 8, 15, 16, 17, 31, 32, 33, 64, 100, 511, 513, 1030])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values(dtype, width):
    inflow, bias = layer(dtype, width=width)
    p, s, softplus = run(inflow, bias, scale=0.75)
    x = 0.75 * inflow.astype(np.float64) + bias
    np.testing.assert_allclose(p, expit(x), rtol=3e-6 if dtype == np.float32 else 2e-15)
    if softplus is not None:
        np.testing.assert_allclose(softplus, np.logaddexp(0, x).sum(1), rtol=1e-14)
    # the draws, from the definition: the words of the block, the less likely state, 31 bits
    words = np.zeros((len(inflow), -(-width // 32) * 32), np.uint32)
    for row in range(len(inflow)):
        for block in range(words.shape[1] // 32):
            _native.philox(5, 9, row, block, words[row, 32 * block : 32 * block + 32])
    unlikely = (words[:, :width] >> 1) + 1 <= np.minimum(p, 1 - p) * 2.0**31
    near = abs((words[:, :width] >> 1) - np.minimum(p, 1 - p) * 2.0**31) < 2.0**31 * 1e-6  # rounding may decide
    assert (((s == 1) == (unlikely ^ (x > 0))) | near).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_frequencies(dtype):
    logits = np.array([-30.0, -6.0, -1.0, 0.0, 1.0, 6.0, 30.0], dtype)
    n = 200_000
    s = run(np.zeros((n, 7), dtype), logits)[1]
    p = expit(logits.astype(float))
    assert set(np.unique(s)) == {0, 1}
    assert (abs(s.mean(0) - p) < 4.5 * np.sqrt(p * (1 - p) / n) + 1e-12).all()
    # neither rows nor columns have anything to do with one another
    centred = (s - p)[:, 1:6] / np.sqrt(p * (1 - p))[1:6]
    assert abs(np.corrcoef(centred.T) - np.eye(5)).max() < 0.012  # 5 / sqrt(n)
    assert abs((centred[1:] * centred[:-1]).mean(0)).max() < 0.012


def test_other_streams_and_keys_draw_otherwise():
    inflow, bias = np.zeros((100, 100)), np.zeros(100)
    first = run(inflow, bias)[1]
    np.testing.assert_array_equal(first, run(inflow, bias)[1])
    for other in (run(inflow, bias, stream=10), run(inflow, bias, key=6)):
        assert abs((first == other[1]).mean() - 0.5) < 0.025  # 5 / (2 sqrt(10,000))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_edges(dtype):
    inf, nan = np.inf, np.nan
    inflow = np.array([[inf, -inf, nan, 1000.0, -1000.0]], dtype)
    p, s, softplus = run(inflow, np.zeros(5, dtype))
    np.testing.assert_array_equal(p, [[1, 0, nan, 1, 0]])
    np.testing.assert_array_equal(s, [[1, 0, nan, 1, 0]])
    if softplus is not None:
        assert np.isnan(softplus[0])
        assert run(inflow[:, [1, 3, 4]].copy(), np.zeros(3))[2][0] == 1000
        assert run(np.full((1, 5000), 0.0), np.zeros(5000))[2][0] == pytest.approx(5000 * np.log(2), rel=1e-14)


def test_threads_do_not_matter():
    inflow, bias = layer(np.float64, rows=5000, width=50)
    before = nl.get_num_threads()
    try:
        found = []
        for threads in (1, 2, 5):
            nl.set_num_threads(threads)
            found.append(run(inflow, bias))
    finally:
        nl.set_num_threads(before)
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


PROGRAM = """
import json, sys, numpy as np
sys.path.insert(0, {folder!r})
from neglog import _native
rng = np.random.default_rng(3)
x = rng.normal(size=(40, 37))
s, out = np.empty_like(x), []
_native.units(x, None, 1.0, np.zeros(37), None, s, None, 5, 9)
out.append(s.astype(int).tolist())
words = np.zeros(32, np.uint32)
_native.philox(2**40 + 3, 2**50 + 7, 11, 2**28, words)
print(json.dumps([out, words.tolist()]))
"""


def test_instruction_sets_draw_the_same(on_isa, tmp_path):
    program = tmp_path / "draw.py"
    program.write_text(PROGRAM.format(folder=str(tmp_path)))
    found = [json.loads(on_isa(isa, str(program))) for isa in _native.available_isas()]
    assert all(other == found[0] for other in found)
