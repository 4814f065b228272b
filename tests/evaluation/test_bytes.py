"""States as bytes: round trip, and what happens to bytes that are not a state."""

from __future__ import annotations

import json
import struct
import zlib

import numpy as np
import pytest
from tests.evaluation.test_merge import batch, score

import neglog as nl

HEADER = struct.Struct("<12sHQI")


def packed(payload, magic=b"neglog.score", version=1) -> bytes:
    body = json.dumps(payload, sort_keys=True, separators=(",", ":")).encode()
    return HEADER.pack(magic, version, len(body), zlib.crc32(body)) + body


def payload(state) -> dict:
    return json.loads(state.to_bytes()[HEADER.size :])


@pytest.mark.parametrize(
    "state",
    [
        lambda: score(batch()),
        lambda: score(None),
        lambda: score(None, classes=None),
        lambda: score({"y": [1], "p": [[0.5, 0.5]], "key": [2**62]}, classes=None),
        lambda: score({"y": [True, False], "p": [[0.5, 0.5]] * 2, "cluster": ["é", "ß"]}, classes=[False, True]),
        lambda: score({"y": [1.5], "p": [[-1e308, 0.0, -np.inf]]}, classes=[0.5, 1.5, -2.0], input="logits"),
    ],
)
def test_round_trip(state):
    s = state()
    again = nl.Score.from_bytes(s.to_bytes())
    assert again == s and again.to_bytes() == s.to_bytes() and again.result().to_dict() == s.result().to_dict()
    assert isinstance(again, nl.Score) and repr(again) == repr(s)


def test_states_go_on_after_the_round_trip():
    rows = batch()
    a = nl.Score.from_bytes(score(rows).to_bytes())
    assert a.update(**batch(seed=9)) == score(rows).update(**batch(seed=9))


def test_every_truncation_and_every_changed_byte_is_noticed():
    data = score({"y": [0, 1], "p": [[0.5, 0.5], [0.25, 0.75]]}, classes=2).to_bytes()
    for i in range(0, len(data), 7):
        with pytest.raises(nl.DataError):
            nl.Score.from_bytes(data[:i])
        with pytest.raises(nl.DataError):
            nl.Score.from_bytes(data[:i] + bytes([data[i] ^ 64]) + data[i + 1 :])
    with pytest.raises(nl.DataError, match="followed by something else"):
        nl.Score.from_bytes(data + b"x")


def test_messages_say_what_is_wrong():
    data = score(None).to_bytes()
    with pytest.raises(nl.DataError, match="not a saved score: it starts with b'PK"):
        nl.Score.from_bytes(b"PK\x03\x04" + data)
    with pytest.raises(nl.DataError, match="version 2 of the format; this neglog reads version 1"):
        nl.Score.from_bytes(packed({}, version=2))
    with pytest.raises(nl.DataError, match="truncated"):
        nl.Score.from_bytes(data[:-1])
    with pytest.raises(nl.DataError, match="checksum"):
        nl.Score.from_bytes(data[:-1] + b"?")


@pytest.mark.parametrize(
    "damage",
    [
        lambda p: p.pop("kind"),
        lambda p: p.update(kind="density"),
        lambda p: p.pop("spec"),
        lambda p: p["spec"].update(input="guess"),
        lambda p: p["spec"].update(extra=1),
        lambda p: p["spec"].update(classes=["ham"]),
        lambda p: p["spec"].update(classes=None),
        lambda p: p["spec"].update(bins=3),
        lambda p: p["sums"]["exact"].pop("brier"),
        lambda p: p["sums"]["exact"].update(brier=["2p0"]),
        lambda p: p["sums"]["counts"].update({"class": [-1, 0, 0, 0]}),
        lambda p: p["sums"]["worst"][0].pop(),
        lambda p: p["sums"]["worst"][0].__setitem__(2, 7),
        lambda p: p["sums"]["clusters"].append(["x", "2p0", "1p0"]),
        lambda p: p.update(rows="many"),
    ],
)
def test_bodies_that_contradict_themselves(damage):
    body = payload(score(batch()))
    damage(body)
    with pytest.raises(nl.DataError, match="inconsistent"):
        nl.Score.from_bytes(packed(body))


def test_a_thousand_classes_stay_below_a_megabyte():
    rng = np.random.default_rng(0)
    z = rng.standard_normal((2000, 1000)) * 30  # probabilities down to 1e-90: long exact sums
    s = nl.Score.classification(input="logits", classes=1000).update(rng.integers(0, 1000, 2000), z)
    assert len(s.to_bytes()) < 1_000_000
