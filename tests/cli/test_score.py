"""``neglog score``: formats, gates, bad rows, states."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import pytest

import neglog as nl
from neglog.report.data import plain

ARGS = ("--y", "label", "--probs", "p_*")
LOSSES = [-math.log(p) for p in (0.7, 0.5, 0.8, 0.4, 0.9)]
MEAN = sum(LOSSES) / 5


def test_json_holds_the_result(run: Any, predictions: str) -> None:
    outcome = run("score", predictions, *ARGS, "--format", "json")
    data = json.loads(outcome.out)
    assert outcome.code == 0 and outcome.err == ""
    assert data["nll"] == pytest.approx(MEAN, rel=1e-14) and data["nobs"] == 5 and data["accuracy"] == 0.8
    assert [row["label"] for row in data["classes"]] == ["cat", "dog", "emu"]
    assert outcome.out == json.dumps(data, indent=2, sort_keys=True) + "\n"  # sorted: two runs can be compared


def test_every_format_of_the_class_table(run: Any, predictions: str) -> None:
    classes = (*ARGS, "--table", "classes", "--format")
    rows = list(csv.DictReader(io.StringIO(run("score", predictions, *classes, "csv").out)))
    lines = [json.loads(line) for line in run("score", predictions, *classes, "jsonl").out.splitlines()]
    assert [row["class"] for row in rows] == [line["class"] for line in lines] == ["cat", "dog", "emu"]
    assert [float(row["nll"]) for row in rows] == [line["nll"] for line in lines]
    assert run("score", predictions, *ARGS, "--format", "md").out.startswith("# Score of preds.csv")
    assert "Class by class" in run("score", predictions, *ARGS).out


def test_csv_and_json_lines_hold_the_headline_or_the_table_that_was_asked_for(run: Any, predictions: str) -> None:
    whole = json.loads(run("score", predictions, *ARGS, "--format", "json").out)
    (headline,) = run("score", predictions, *ARGS, "--format", "jsonl").out.splitlines()
    numbers = json.loads(headline)
    assert next(iter(numbers)) == "nll" and [numbers["ci_low"], numbers["ci_high"]] == whole["ci"]
    shared = ("nll", "stderr", "perplexity", "bits", "skill", "accuracy", "brier", "ece", "nobs")
    assert {key: numbers[key] for key in shared} == {key: whole[key] for key in shared}
    rows = list(csv.DictReader(io.StringIO(run("score", predictions, *ARGS, "--format", "csv").out)))
    assert [float(row["nll"]) for row in rows] == [numbers["nll"]]
    for table, key, count in (("bins", "confidence", 15), ("worst", "share", 5)):
        lines = run("score", predictions, *ARGS, "--format", "jsonl", "--table", table).out.splitlines()
        assert len(lines) == count and key in json.loads(lines[0])
    refused = run("score", predictions, *ARGS, "--table", "bins")
    assert refused.code == 2 and "--table bins chooses what --format csv or jsonl prints" in refused.err


def test_standard_input_and_several_files_are_one_table(run: Any, predictions: str, tmp_path: Path) -> None:
    content = (tmp_path / predictions).read_bytes()
    whole = json.loads(run("score", predictions, *ARGS, "--format", "json").out)
    piped = json.loads(run("score", "-", *ARGS, "--format", "json", stdin=content).out)
    assert piped == whole
    head, *rows = content.decode().splitlines()
    for index, part in enumerate((rows[:2], rows[2:])):
        (tmp_path / f"part{index}.csv").write_text("\n".join([head, *part]) + "\n")
    parts = json.loads(run("score", "part*.csv", *ARGS, "--format", "json").out)
    assert {key: parts[key] for key in ("nll", "stderr", "calibration", "classes")} == {
        key: whole[key] for key in ("nll", "stderr", "calibration", "classes")
    }
    assert parts["worst"][0]["key"] == "part1.csv:1"


def test_weights_logits_and_log_probabilities(run: Any, predictions: str, tmp_path: Path) -> None:
    weighted = json.loads(run("score", predictions, *ARGS, "--weights", "w", "--format", "json").out)
    weights = [1, 2, 1, 0, 3]
    assert weighted["nll"] == pytest.approx(sum(w * x for w, x in zip(weights, LOSSES, strict=True)) / 7)
    rows = list(csv.reader(io.StringIO((tmp_path / predictions).read_text())))
    logs = [[row[0], *(str(math.log(float(p)) + 3) for p in row[1:4])] for row in rows[1:]]
    (tmp_path / "logits.csv").write_text("\n".join(map(",".join, [["label", "l_cat", "l_dog", "l_emu"], *logs])))
    shifted = json.loads(run("score", "logits.csv", "--y", "label", "--logits", "l_*", "--format", "json").out)
    assert shifted["nll"] == pytest.approx(MEAN)
    assert [row["label"] for row in shifted["classes"]] == ["cat", "dog", "emu"]


def test_one_column_of_lists(run: Any, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"y": 1, "p": [0.25, 0.75]}\n{"y": 0, "p": [0.5, 0.5]}\n')
    data = json.loads(run("score", "a.jsonl", "--y", "y", "--probs", "p", "--classes", "0,1", "--format", "json").out)
    assert data["nll"] == pytest.approx(-(math.log(0.75) + math.log(0.5)) / 2)


def test_the_state_is_written_and_merges(run: Any, predictions: str, tmp_path: Path) -> None:
    run("score", predictions, *ARGS, "--save", "a.state")
    state = nl.Score.from_bytes((tmp_path / "a.state").read_bytes())
    assert state.merge(state).result().nobs == 10


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("nll > 0.35", 1),
        ("nll>0.46", 0),
        ("accuracy < 95%", 1),
        ("accuracy<0.5", 0),
        ("nobs < 6", 1),
        ("bad>=1", 0),
    ],
)
def test_gates(run: Any, predictions: str, tmp_path: Path, condition: str, code: int) -> None:
    outcome = run("score", predictions, *ARGS, "--fail-if", condition, "--report", "r.html")
    assert outcome.code == code
    assert (f"gate failed: {condition}" in outcome.err) == bool(code)
    assert (tmp_path / "r.html").exists()  # the report is wanted most when a gate fails


def test_a_metric_that_is_not_a_number_passes_no_gate(run: Any, tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("y,p_a,p_b\na,0.5,0.5\n")
    outcome = run("score", "one.csv", "--y", "y", "--probs", "p_*", "--fail-if", "stderr > 1")
    assert outcome.code == 1 and "stderr is nan" in outcome.err


def test_skipped_rows_are_counted_and_shown(run: Any, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("y,p_a,p_b\na,0.5,0.5\nc,0.5,0.5\nb,,1\nb,0.6,0.6\nb,0.25,0.75\n")
    outcome = run("score", "bad.csv", "--y", "y", "--probs", "p_*", "--on-bad", "skip", "--format", "json")
    data = json.loads(outcome.out)
    assert outcome.code == 0 and data["nobs"] == 2
    assert data["bad"] == {"label": 1, "nan": 1, "sum": 1}
    assert [row["row"] for row in data["bad_rows"]] == [1, 2, 3]
    assert outcome.err == "neglog: warning: 3 rows could not be scored and were skipped: 1 label, 1 nan, 1 sum\n"
    shown = run("score", "bad.csv", "--y", "y", "--probs", "p_*", "--on-bad", "skip").out
    assert "3 rows left out" in shown


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a,0.5,0.5\nc,0.5,0.5\n", "row 1: label is not among the classes: 'c'"),
        ("a,0.5,0.5\na,0.5,0.6\n", "row 1: probabilities do not sum to one: 0.5, 0.6"),
        ("a,,0.6\n", "row 0: NaN among the predictions: nan, 0.6"),
        ("a,1.2,-0.2\n", "row 0: probability outside [0, 1]: 1.2, -0.2"),
        (",0.5,0.5\n", "row 0: label is not among the classes: ''"),
    ],
)
def test_a_bad_row_stops_with_its_number_and_values(run: Any, tmp_path: Path, rows: str, message: str) -> None:
    (tmp_path / "bad.csv").write_text("y,p_a,p_b\n" + rows)
    outcome = run("score", "bad.csv", "--y", "y", "--probs", "p_*", "--save", "s", "--report", "r.html")
    assert outcome.code == 3 and outcome.out == ""
    assert outcome.err.startswith(f"neglog: bad.csv: {message}") and outcome.err.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.csv"]


def test_a_bad_row_of_a_later_batch_has_its_number_in_the_file(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from neglog.evaluation import readers

    monkeypatch.setattr(readers, "_BLOCK", 200)
    good = "a,0.5,0.5\n" * 100
    (tmp_path / "bad.csv").write_text("y,p_a,p_b\n" + good + "x,0.5,0.5\n" + good)
    assert "row 100: label is not among the classes: 'x'" in run("score", "bad.csv", "--y", "y", "--probs", "p_*").err


def test_columns_are_matched_with_the_classes_by_name(run: Any, predictions: str) -> None:
    want = json.loads(run("score", predictions, *ARGS, "--format", "json").out)
    outcome = run("score", predictions, *ARGS, "--classes", "emu,dog,cat", "--format", "json")
    data = json.loads(outcome.out)
    assert data["nll"] == want["nll"] and [row["label"] for row in data["classes"]] == ["emu", "dog", "cat"]
    outcome = run("score", predictions, *ARGS, "--classes", "dog,cat,ant")
    assert outcome.code != 0 and "column 'p_cat' stands where class 'dog' is expected" in outcome.err


def test_rounded_probabilities(run: Any, tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("y,p_a,p_b,p_c\na,0.33,0.33,0.33\nb,0.2,0.5,0.3\n")
    outcome = run("score", "r.csv", "--y", "y", "--probs", "p_*")
    assert outcome.code == 3 and "probabilities that were rounded: --row-sum normalise" in outcome.err
    args = ("score", "r.csv", "--y", "y", "--probs", "p_*", "--row-sum", "normalise")
    data = json.loads(run(*args, "--format", "json").out)
    assert data["nll"] == pytest.approx((math.log(3) + math.log(2)) / 2) and data["renormalised"] == 1
    assert "1 row did not sum to one (by up to 0.01): divided by the sum" in " ".join(run(*args).out.split())


def test_a_wrong_kind_gets_a_hint(run: Any, tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text("y,p_a,p_b\na,-0.6931471805599453,-0.6931471805599453\n")
    outcome = run("score", "l.csv", "--y", "y", "--probs", "p_*")
    assert outcome.code == 3 and "sum to one: --logprobs?" in outcome.err


def test_an_impossible_event_is_infinite_and_said_so(run: Any, tmp_path: Path) -> None:
    (tmp_path / "zero.csv").write_text("y,p_a,p_b\na,0,1\nb,0.5,0.5\n")
    data = json.loads(run("score", "zero.csv", "--y", "y", "--probs", "p_*", "--format", "json").out)
    assert data["nll"] == "inf" and data["zero_probability"] == 1
    shown = run("score", "zero.csv", "--y", "y", "--probs", "p_*", "--report", "r.html").out
    assert "1 row had probability 0 for what happened" in shown
    assert "had probability 0" in (tmp_path / "r.html").read_text()


def test_infinities_survive_as_words() -> None:
    assert plain({"a": [math.inf, -math.inf, math.nan, True, None, 1]}) == {"a": ["inf", "-inf", "nan", True, None, 1]}
