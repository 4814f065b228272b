"""``neglog fit`` and ``neglog predict``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neglog as nl

pa = pytest.importorskip("pyarrow")
import pyarrow.parquet as parquet  # noqa: E402

CENSORED = ("--time", "hours", "--event", "failed")


def test_the_life_test_of_the_nist_handbook(run: Any, life: str) -> None:
    data = json.loads(run("fit", "weibull", life, *CENSORED, "--format", "json").out)
    estimates = {row["name"]: row for row in data["estimates"]}
    assert estimates["scale"]["estimate"] == pytest.approx(606.528, abs=5e-4)
    assert estimates["shape"]["estimate"] == pytest.approx(1.7208, abs=5e-5)
    assert -data["loglik"] == pytest.approx(75.135, abs=5e-4) and data["ok"] is True


def test_the_table_says_what_was_found(run: Any, life: str) -> None:
    out = run("fit", "weibull", life, *CENSORED).out
    assert "VERIFIED" in out and "10 exact, 10 right-censored" in out
    assert "  scale         606.5       124.9    405.1     908.1\n" in out


def test_intervals_with_empty_cells_are_open_ends(run: Any, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("lo,hi\n1,2\n,3\n4,\n2,2\n")
    data = json.loads(run("fit", "weibull", "a.csv", "--lower", "lo", "--upper", "hi", "--format", "json").out)
    same = nl.fit("weibull", nl.interval([1, -np.inf, 4, 2], [2, 3, np.inf, 2]))
    assert data["loglik"] == same.loglik


def test_formulas_globs_weights_and_offsets(run: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    x = rng.normal(size=(80, 2))
    rate = np.exp(0.3 + x @ [0.5, -0.2])
    table = {
        "n": rng.poisson(rate),
        "x_a": x[:, 0],
        "x_b": x[:, 1],
        "w": rng.integers(1, 3, 80),
        "o": x[:, 0] / 9,
    }
    parquet.write_table(pa.table(table), tmp_path / "a.parquet")
    extra = ("--weights", "w", "--offset", "o", "--format", "json")
    by_glob = json.loads(run("fit", "poisson", "a.parquet", "--y", "n", "--x", "x_*", *extra).out)
    by_star = json.loads(run("fit", "poisson", "a.parquet", "--y", "n", "--x", "*", *extra).out)
    by_formula = json.loads(run("fit", "poisson", "a.parquet", "--formula", "n ~ x_a + x_b", *extra).out)
    assert by_glob == by_star
    assert by_formula["loglik"] == pytest.approx(by_glob["loglik"], rel=1e-12)
    names = ["rate.Intercept", "rate.x_a", "rate.x_b"]
    assert [row["name"] for row in by_glob["estimates"]] == names
    arguments = {"weights": table["w"], "offset": table["o"]}
    assert by_glob["loglik"] == nl.fit("poisson", table["n"], x, intercept=True, **arguments).loglik


def test_a_formula_per_parameter_and_one_beside_times(run: Any, life: str, tmp_path: Path) -> None:
    text = (tmp_path / life).read_text().splitlines()
    rows = [text[0] + ",g", *(f"{line},{'uv'[index % 2]}" for index, line in enumerate(text[1:]))]
    (tmp_path / "g.csv").write_text("\n".join(rows) + "\n")
    both = ("--formula", "scale = ~ g", "--formula", "shape = ~ g")
    data = json.loads(run("fit", "weibull", "g.csv", *CENSORED, *both, "--format", "json").out)
    assert [row["name"] for row in data["estimates"]] == [
        "shape.Intercept", "shape.g[T.v]", "scale.Intercept", "scale.g[T.v]",
    ]  # fmt: skip
    one = json.loads(run("fit", "weibull", "g.csv", *CENSORED, "--formula", "~ g", "--format", "json").out)
    assert [row["name"] for row in one["estimates"]] == ["shape", "scale.Intercept", "scale.g[T.v]"]


def test_a_formula_without_a_name_is_for_the_location(run: Any, tmp_path: Path) -> None:
    x = np.linspace(0, 1, 60)
    y = x + np.exp(x) * np.random.default_rng(5).normal(size=60)
    parquet.write_table(pa.table({"y": y, "x": x}), tmp_path / "a.parquet")
    scale = ("--formula", "scale = ~ x", "--format", "csv")
    bare, named = (run("fit", "normal", "a.parquet", "--formula", text, *scale) for text in ("y ~ x", "loc = y ~ x"))
    assert bare.code == 0 and bare.out == named.out and "scale.x" in bare.out


def test_known_values_are_not_estimated(run: Any, life: str, tmp_path: Path) -> None:
    data = json.loads(run("fit", "weibull", life, *CENSORED, "--fixed", "shape=2", "--format", "json").out)
    rows = np.genfromtxt(tmp_path / life, delimiter=",", names=True)
    times = nl.right_censored(rows["hours"], rows["failed"])
    assert data["loglik"] == nl.fit("weibull", times, fixed={"shape": 2.0}).loglik
    scale = np.sqrt(np.sum(rows["hours"] ** 2) / np.sum(rows["failed"]))
    assert {row["name"]: row["estimate"] for row in data["estimates"]} == {"shape": 2.0, "scale": pytest.approx(scale)}
    both = run("fit", "weibull", life, *CENSORED, "--fixed", "shape=2", "--fixed", "scale=500", "--format", "json")
    z = rows["hours"] / 500
    assert json.loads(both.out)["loglik"] == pytest.approx(np.sum(rows["failed"] * np.log(2 * z / 500) - z**2))


def test_a_known_parameter_may_be_a_column(run: Any, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("k,n\n1,4\n3,9\n2,2\n")
    data = json.loads(run("fit", "binomial", "a.csv", "--y", "k", "--fixed", "n=n", "--format", "json").out)
    assert [row["estimate"] for row in data["estimates"]] == [pytest.approx(6 / 15)]


def test_words_where_numbers_belong_say_what_would_do(run: Any, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("y,g\n1,u\n0,v\n")
    (tmp_path / "b.jsonl").write_text('{"y": "yes"}\n{"y": "no"}\n')
    outcome = run("fit", "bernoulli", "a.csv", "--y", "y", "--x", "g")
    assert outcome.code == 3 and "--x takes numbers, --formula 'y ~ a + b' also takes" in outcome.err
    outcome = run("fit", "bernoulli", "b.jsonl", "--y", "y")
    assert outcome.code == 3 and "'yes', not numbers; a bernoulli response is 1 or 0" in outcome.err


def test_a_million_rows_are_looked_at_only_for_a_report(run: Any, life: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from neglog.report import fit as report

    drawn: list[str] = []
    monkeypatch.setattr(
        report, "kaplan_meier", lambda *a: drawn.append("curve") or nl.estimation.diagnostics.kaplan_meier(*a)
    )
    assert run("fit", "weibull", life, *CENSORED).code == 0 and not drawn
    assert run("fit", "weibull", life, *CENSORED, "--report", "r.html").code == 0 and drawn


def test_train_predict_score(run: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(300, 2))
    label = np.array(["10", "9", "7"])[np.argmax(x @ rng.normal(size=(2, 3)) + rng.gumbel(size=(300, 3)), axis=1)]
    parquet.write_table(pa.table({"y": label, "a": x[:, 0], "b": x[:, 1]}), tmp_path / "a.parquet", row_group_size=64)
    fitted = run("fit", "categorical", "a.parquet", "--y", "y", "--x", "a,b", "--l2", "1", "--save", "m.json")
    assert fitted.code == 0
    assert nl.load(tmp_path / "m.json").classes == (7, 9, 10)  # as numbers: 10 follows 9
    for name in ("p.csv", "p.parquet", "p.arrow", "p.jsonl", "p.csv.gz"):
        assert run("predict", "m.json", "a.parquet", "--keep", "y", "--out", name).code == 0
    scores = {
        run("score", name, "--y", "y", "--probs", "p_*", "--format", "json").out
        for name in ("p.parquet", "p.arrow", "p.csv", "p.csv.gz", "p.jsonl")
    }
    assert len(scores) == 1  # numbers survive every format
    table = parquet.read_table(tmp_path / "p.parquet")
    assert table.column_names == ["y", "p_7", "p_9", "p_10"] and table.num_rows == 300
    piped = run("predict", "m.json", "a.parquet", "--keep", "y", "--kind", "logprobs", "--prefix", "l_").out
    again = run("score", "-", "--y", "y", "--logprobs", "l_*", "--format", "json", stdin=piped.encode())
    assert json.loads(again.out)["nll"] == pytest.approx(json.loads(scores.pop())["nll"], rel=1e-12)


def test_predictions_of_means_and_parameters(run: Any, life: str, tmp_path: Path) -> None:
    run("fit", "weibull", life, *CENSORED, "--save", "m.json")
    lines = run("predict", "m.json", life).out.splitlines()
    assert lines[0] == '"mean"' and len(lines) == 21
    assert float(lines[1]) == pytest.approx(540.737, abs=5e-4)  # NIST e-Handbook 8.4.1.3
    assert run("predict", "m.json", life, "--kind", "params").out.splitlines()[0] == '"shape","scale"'
    assert run("predict", "m.json", life, "--kind", "probs").code == 2


def test_a_formula_model_predicts_factors_and_rejects_new_levels(run: Any, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("n,g\n1,u\n2,v\n4,u\n3,v\n")
    (tmp_path / "b.csv").write_text("g\nv\n")
    (tmp_path / "c.csv").write_text("g\nw\n")
    run("fit", "poisson", "a.csv", "--formula", "n ~ g", "--save", "m.json")
    assert float(run("predict", "m.json", "b.csv").out.splitlines()[1]) == pytest.approx(2.5)
    outcome = run("predict", "m.json", "c.csv", "--out", "p.csv")
    assert outcome.code == 3 and "did not occur in the data of the fit" in outcome.err
    assert not (tmp_path / "p.csv").exists()


def test_missing_covariates_predict_nan_with_a_warning(run: Any, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("n,x\n1,0\n2,1\n4,2\n")
    run("fit", "poisson", "a.csv", "--y", "n", "--x", "x", "--save", "m.json")
    (tmp_path / "b.csv").write_text('x\n1\n""\n')
    outcome = run("predict", "m.json", "b.csv")
    assert outcome.code == 0 and "1 of 2 rows lack a covariate" in outcome.err
    assert outcome.out.splitlines()[2] == "nan"


def test_an_unverified_fit_is_shown_and_exits_with_4(run: Any, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("y\n1\n1\n1\n")
    outcome = run("fit", "weibull", "a.csv", "--y", "y", "--report", "r.html", "--save", "m.json")
    assert (
        outcome.code == 4 and "UNBOUNDED" in outcome.out and outcome.err.startswith("neglog: the fit is not verified")
    )
    assert 'class="status bad"' in (tmp_path / "r.html").read_text()
    assert "not verified" in run("predict", "m.json", "a.csv").err


@pytest.mark.parametrize(
    ("family", "rows"),
    [("poisson", "0\n0\n0\n"), ("bernoulli", "1\n1\n"), ("normal", "2\n2\n"), ("weibull", "5\n")],
)
def test_every_way_to_fail_is_shown(run: Any, tmp_path: Path, family: str, rows: str) -> None:
    (tmp_path / "a.csv").write_text("y\n" + rows)
    outcome = run("fit", family, "a.csv", "--y", "y", "--report", "r.html")
    assert outcome.code == 4 and 'class="status bad"' in (tmp_path / "r.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("weibul", "life.csv", *CENSORED), 2, "did you mean 'weibull'?"),
        (("weibull", "life.csv"), 2, "nothing names the response"),
        (("weibull", "life.csv", "--time", "hours"), 2, "--time and --event go together"),
        (("weibull", "life.csv", *CENSORED, "--y", "hours"), 2, "name the response"),
        (("weibull", "life.csv", "--y", "hours", "--formula", "hours ~ failed"), 2, "name the response"),
        (
            ("weibull", "life.csv", "--y", "hours", "--x", "failed", "--formula", "~ failed"),
            2,
            "exclude each other",
        ),
        (("weibull", "life.csv", "--formula", "hours"), 2, "must read 'y ~ a + b'"),
        (("weibull", "life.csv", "--y", "hours", "--x", "hours"), 2, "'hours' is the response"),
        (("weibull", "life.csv", *CENSORED, "--level", "95"), 2, "--level must be between 0 and 1"),
        (("weibull", "life.csv", *CENSORED, "--l2", "-1"), 3, "l2"),
        (
            ("weibull", "life.csv", *CENSORED, "--fixed", "shap=2"),
            2,
            "--fixed names 'shap'; the names are shape, scale",
        ),
        (("weibull", "life.csv", *CENSORED, "--fixed", "shape=-2"), 2, "--fixed: shape = -2 is outside its domain"),
        (("weibull", "life.csv", *CENSORED, "--fixed", "shape"), 2, "--fixed 'shape' must read NAME=VALUE"),
        (("weibull", "life.csv", *CENSORED, *["--fixed", "shape=2"] * 2), 2, "two values for shape"),
        (("weibull", "life.csv", *CENSORED, "--fixed", "shape=hour"), 3, "did you mean 'hours'?"),
        (("weibull", "life.csv", "--time", "hour", "--event", "failed"), 3, "did you mean 'hours'?"),
        (("weibull", "life.csv", "--y", "hours", "--x", "x_*"), 3, "no column matches 'x_*'"),
        (
            ("weibull", "life.csv", "--time", "hours", "--event", "hours"),
            3,
            "allowed: 1 (observed) and 0 (censored)",
        ),
        (
            ("poisson", "life.csv", "--formula", "failed ~ hour"),
            3,
            "life.csv: no column 'hour'; did you mean 'hours'? it has 2 columns: hours, failed",
        ),
        (("poisson", "life.csv", "--formula", "failed ~ X"), 3, "it has 2 columns: hours, failed"),
        (
            ("weibull", "life.csv", *CENSORED, "--formula", "~ 1", "--formula", "scale = ~ 1"),
            2,
            "two formulas for scale; one without a name",
        ),
        (("normal", "life.csv", "--lower", "hours", "--upper", "failed"), 3, "life.csv: --lower is "),
        (
            ("normal", "life.csv", "--formula", "hours ~ np.log(failed)"),
            3,
            "life.csv: column 'np.log(failed)' of loc is -inf at row 10; covariates must be finite",
        ),
        (("weibull", "life.csv", *CENSORED, "--save", "no/where.json"), 2, "there is no directory no"),
    ],
)
def test_what_cannot_be_fitted(run: Any, life: str, arguments: tuple[str, ...], code: int, message: str) -> None:
    outcome = run("fit", *arguments)
    assert (outcome.code, outcome.out) == (code, "")
    assert message in outcome.err and outcome.err.count("\n") == 1


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("1,1\n-2,1\n", "a.csv: row 1: -2 is outside the support"),
        ("1,1\n2,7\n", "a.csv: --event is 7.0 in row 1; allowed: 1 (observed)"),
        ("1,1\n,1\n", "missing"),
        ("1,1\nsoon,1\n", "column 't', line 3: invalid value 'soon'"),
    ],
)
def test_data_that_cannot_be_fitted(run: Any, tmp_path: Path, rows: str, message: str) -> None:
    (tmp_path / "a.csv").write_text("t,e\n" + rows)
    outcome = run("fit", "weibull", "a.csv", "--time", "t", "--event", "e")
    assert outcome.code == 3 and message in outcome.err
