"""Commands run in this process: a subprocess costs half a second, and there are many cases."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest.importorskip("cyclopts")
pytest.importorskip("pyarrow")


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Outcome]:
    """``run("score", "a.csv", ..., stdin=b"...")`` in an empty folder."""
    from neglog.cli import main

    monkeypatch.chdir(tmp_path)

    def one(*arguments: str, stdin: bytes = b"") -> Outcome:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(stdin))))
        code = main(list(arguments))
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return one


PREDICTIONS = """label,p_cat,p_dog,p_emu,w
cat,0.7,0.2,0.1,1
dog,0.25,0.5,0.25,2
emu,0.1,0.1,0.8,1
cat,0.4,0.5,0.1,0
dog,0.05,0.9,0.05,3
"""


@pytest.fixture
def predictions(tmp_path: Path) -> str:
    (tmp_path / "preds.csv").write_text(PREDICTIONS)
    return "preds.csv"


@pytest.fixture
def life(tmp_path: Path) -> str:
    from neglog import demo

    (tmp_path / "life.csv").write_text(demo.load("life_test").to_csv())
    return "life.csv"
