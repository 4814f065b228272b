"""Bad input, tried as a user would: one clear line, the right exit code, nothing half-written."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest

pa = pytest.importorskip("pyarrow")
import pyarrow.parquet as parquet  # noqa: E402

SCORE = ("--y", "label", "--probs", "p_*", "--report", "out.html", "--save", "out.state")


def _truncated(path: Path) -> None:
    parquet.write_table(pa.table({"label": ["a"] * 50, "p_a": [1.0] * 50, "p_b": [0.0] * 50}), path)
    path.write_bytes(path.read_bytes()[:-40])


@pytest.mark.parametrize(
    ("name", "content", "code", "message"),
    [
        ("a.csv", b"lable,p_a,p_b\na,1,0\n", 3, "no column 'label'; did you mean 'lable'?"),
        ("a.csv", b"label,p_a,p_b\nz,1,0\n", 3, "label is not among the classes: 'z'"),
        ("a.csv", b"label,p_a,p_b\na,nan,0\n", 3, "NaN among the predictions"),
        ("a.csv", b"label,p_a,p_b\na,0.7,0.7\n", 3, "probabilities do not sum to one: 0.7, 0.7"),
        ("a.csv", b"label,p_a,p_b\na,1.5,-0.5\n", 3, "probability outside [0, 1]"),
        ("a.csv", b"", 3, "a.csv is empty"),
        ("a.csv", b"label,p_a,p_b\n", 3, "has a header but no rows"),
        ("a.csv", b"label;p_a;p_b\na;1;0\n", 3, "give --delimiter ';'"),
        ("a.csv", "label,p_a,p_b\né,1,0\n".encode("latin-1"), 3, "is not UTF-8 text"),
        ("a.csv", b"label,p_a,p_b\na,1,zero\n", 3, "column 'p_b', line 2: invalid value 'zero'"),
        ("a.parquet", None, 3, "is not a complete Parquet file"),
        ("b.csv", b"label,p_a,p_b\na,1,0\n", 3, "no file 'a.csv'; did you mean 'b.csv'?"),
    ],
)
def test_files(run: Any, tmp_path: Path, name: str, content: bytes | None, code: int, message: str) -> None:
    path = tmp_path / name
    _truncated(path) if content is None else path.write_bytes(content)
    outcome = run("score", "a.csv" if name == "b.csv" else name, *SCORE)
    assert outcome.code == code and outcome.out == ""
    assert message in outcome.err and outcome.err.startswith("neglog: ") and outcome.err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("scor",), 'Unknown command "scor". Did you mean "score"?'),
        (("score", "preds.csv", "--y", "label"), "give one of --probs, --logits and --logprobs"),
        (("score", "preds.csv", "--probs", "p_*"), "--y requires an argument"),
        (("score", "preds.csv", *SCORE[:4], "--formt", "json"), "Did you mean --format?"),
        (("score", "preds.csv", *SCORE[:4], "--format", "xml"), 'Choose from: "table", "json"'),
        (("score", "preds.csv", *SCORE[:4], "--level", "95"), "--level must be between 0 and 1"),
        (("score", "preds.csv", *SCORE[:4], "--bins", "0"), "--bins must be 1 or more"),
        (
            ("score", "preds.csv", *SCORE[:4], "--classes", "a,b"),
            "--classes has 2 labels and --probs 3 columns",
        ),
        (("score", "preds.csv", *SCORE[:4], "--fail-if", "nll"), "must read METRIC > NUMBER"),
        (("score", "preds.csv", *SCORE[:4], "--delimiter", ";;"), "--delimiter must be one character"),
        (("score", "preds.csv", *SCORE[:4], "--encoding", "utf-9"), "--encoding 'utf-9' is unknown"),
        (("score", *SCORE), "no input: name one or more files"),
        (("score", "preds.csv", *SCORE[:4], "--report", "."), "cannot write .: it is a directory"),
        (("score", "preds.csv", *SCORE[:4], "--save", "no/s"), "there is no directory no"),
        (("score", "preds.csv", *SCORE[:4], "--report", "r.pdf"), "the suffix must be one of .html"),
        (("score", "preds.csv", *SCORE[:4], "--report", "preds.csv"), "--report preds.csv: the suffix must"),
        (("score", "preds.csv", *SCORE[:4], "--save", "preds.csv"), "cannot write preds.csv: it is an input"),
        (("score", "*.csv", *SCORE[:4], "--save", "./preds.csv"), "it is an input, which would be lost"),
        (
            ("score", "preds.csv", *SCORE[:4], "--save", "r.md", "--report", "r.md"),
            "it is given for two outputs",
        ),
        (("fit", "normal", "preds.csv", "--y", "w", "--save", "preds.csv"), "it is an input"),
        (("predict", "preds.csv", "preds.csv", "--out", "preds.csv"), "it is an input"),
        (
            ("predict", "preds.csv", "preds.csv", "--out", "p.parquet", "--format", "csv"),
            "contradict each other: the suffix says parquet",
        ),
        (("families", "norml"), "no family 'norml'; did you mean 'normal'?"),
    ],
)
def test_usage(run: Any, predictions: str, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    outcome = run(*arguments)
    assert outcome.code == 2 and outcome.out == ""
    assert message in outcome.err and outcome.err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == [predictions]


def test_a_link_to_an_input_is_that_input(run: Any, predictions: str, tmp_path: Path) -> None:
    before = (tmp_path / predictions).read_text()
    (tmp_path / "link.html").symlink_to(predictions)
    os.link(tmp_path / predictions, tmp_path / "other.html")
    for name in ("link.html", "other.html"):
        outcome = run("score", predictions, *SCORE[:4], "--report", name)
        assert outcome.code == 2 and f"cannot write {name}: it is an input" in outcome.err
    assert (tmp_path / predictions).read_text() == before


def test_a_directory_instead_of_a_file(run: Any, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    outcome = run("score", "folder", *SCORE)
    assert outcome.code == 3 and "is a directory; name the files in it" in outcome.err


def test_an_output_that_fails_half_way_leaves_the_old_one(
    run: Any, predictions: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out.html").write_text("old")

    def fail(source: str, target: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    outcome = run("score", predictions, *SCORE[:4], "--report", "out.html")
    assert outcome.code == 2 and outcome.err == "neglog: cannot write out.html: No space left on device\n"
    assert (tmp_path / "out.html").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.html", predictions]


def test_links_stay_links_and_devices_stay_devices(run: Any, predictions: str, tmp_path: Path) -> None:
    (tmp_path / "real.html").write_text("old")
    (tmp_path / "link.html").symlink_to("real.html")
    assert run("score", predictions, *SCORE[:4], "--report", "link.html").code == 0
    assert (tmp_path / "link.html").is_symlink() and "<html" in (tmp_path / "real.html").read_text()
    assert run("score", predictions, *SCORE[:4], "--report", "/dev/null").code == 0
    assert Path("/dev/null").is_char_device()


def test_a_pipe_is_read_like_standard_input(run: Any, predictions: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    content = (tmp_path / predictions).read_bytes()
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(content))
    writer.start()
    outcome = run("score", "pipe", *SCORE[:4], "--format", "csv")
    writer.join()
    assert outcome.code == 0 and outcome.out == run("score", predictions, *SCORE[:4], "--format", "csv").out


def test_our_own_mistakes_are_internal_errors(run: Any, predictions: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import neglog.report.score

    monkeypatch.delenv("NEGLOG_DEBUG", raising=False)
    monkeypatch.setattr(neglog.report.score, "score_report", lambda *a, **k: 1 / 0)
    outcome = run("score", predictions, *SCORE[:4])
    assert outcome.code == 70 and "internal error: ZeroDivisionError" in outcome.err
    monkeypatch.setenv("NEGLOG_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        run("score", predictions, *SCORE[:4])


def test_quiet_and_redirected_runs_print_no_progress(run: Any, predictions: str) -> None:
    assert run("score", predictions, *SCORE[:4]).err == ""


def test_progress_is_a_line_every_ten_seconds_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from neglog.cli import progress

    clock = iter([0.0, 3.0, 10.5, 12.0, 21.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    with progress.Progress("score") as bar:
        for rows in (1, 2000, 3000, 4000):
            bar.at(rows / 4000, rows)
    assert capsys.readouterr().err == "score: 50%, 2,000 rows, 10 s\nscore: 100%, 4,000 rows, 21 s\n"


def test_families_lists_what_the_registry_knows(run: Any) -> None:
    import neglog as nl

    out = run("families", "--format", "csv").out.splitlines()
    assert [line.partition(",")[0] for line in out[1:]] == nl.families.names()
    assert "shape" in run("families", "weibull").out
    for name in nl.families.names():
        assert not set("\\{}`") & set(run("families", name).out)
