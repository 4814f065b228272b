"""Results to report on, and golden files to compare with."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neglog as nl
from neglog import demo

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="session")
def score() -> Any:
    """A score with skipped rows and weights."""
    rng = np.random.default_rng(20)
    p = rng.dirichlet([0.4, 0.4, 0.4], 400).round(3)
    p[:, 2] = 1 - p[:, 0] - p[:, 1]
    p = np.abs(p.round(3))
    label = np.array([rng.choice(3, p=row / row.sum()) for row in p])
    p[5] = [0.5, 0.5, 0.5]
    p[8] = np.nan
    state = nl.Score.classification(input="probs", classes=["ant", "bee", "<cat>"], on_bad="skip", bins=8)
    names = np.array(["ant", "bee", "<cat>"])
    return state.update(names[label], p, key=np.arange(400)).result()


@pytest.fixture(scope="session")
def life() -> Any:
    data = demo.load("life_test")
    return nl.fit("weibull", nl.right_censored(data["hours"], data["failed"]))


@pytest.fixture(scope="session")
def kicks() -> Any:
    return nl.fit("poisson", demo.load("horse_kicks")["deaths"])


@pytest.fixture(scope="session")
def failed() -> Any:
    return nl.fit("weibull", [1.0, 1.0, 1.0])


@pytest.fixture
def golden() -> Any:
    """``golden(text, name)`` compares with a file; NEGLOG_WRITE_GOLDEN=1 writes it instead."""

    def compare(text: str, name: str) -> None:
        path = GOLDEN / name
        if os.environ.get("NEGLOG_WRITE_GOLDEN"):
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8")

    return compare
