"""The benchmarks in small: every case can be run and shown, and its answers are those of float64."""

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

from benchmarks import deformed, families, memory, mixture, rbm, render, run  # noqa: E402
from benchmarks.cases import Case, Data, cases, memory_cases  # noqa: E402
from benchmarks.rivals import numba_stats, torch_compile, torch_eager  # noqa: E402


def small(case: Case) -> Case:
    """The same with at most 200 rows of 10 classes, enough for every class to occur."""
    rows, *others = case.shape
    return replace(case, shape=(min(rows, 200), *(min(length, 10) for length in others)), calls=1)


CASES = {small(case).name: small(case) for case in cases()}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_case_is_measured_and_shown(case, monkeypatch):
    # without the compiler, which takes a minute
    monkeypatch.setattr(run, "RIVALS", tuple(rival for rival in run.RIVALS if rival is not torch_compile))
    monkeypatch.setattr(torch, "set_num_threads", lambda threads: None)  # the tests have theirs
    rows = run.measure(case, Data(case), rounds=1)
    ours, *others = rows
    assert ours["library"].startswith("neglog") and others
    loss, gradient = (1e-6, 5e-3) if case.dtype == "bfloat16" else (3e-7, 3e-7)
    assert ours["loss_error"] < loss and ours.get("gradient_error", 0) < gradient
    assert render.line(rows).count("|") == 3 + len(render.RIVALS[case.group])


FAMILIES = {case.family: case for case in families.cases()}


@pytest.mark.parametrize("per_row", [False, True], ids=["", "per row"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_is_measured_and_shown(name, dtype, per_row, monkeypatch):
    # without the compiler; the tests have their threads
    rivals = tuple(rival for rival in families.RIVALS if rival is not numba_stats)
    monkeypatch.setattr(families, "RIVALS", rivals)
    monkeypatch.setattr(torch, "set_num_threads", lambda threads: None)
    tasks = [families.Case(name, task, dtype, per_row, rows=200) for task in ("nll", "nll_grad_hess")]
    data = families.Data(tasks[0])
    rows = [row for case in tasks for row in families.measure(case, data, rounds=1)]
    # rivals compute the same law: some of them lose digits (torch has eight of the Bessel function in von Mises)
    assert all(row["error"] < (1e-8 if dtype == "float64" else 1e-4) for row in rows)
    assert all(row["error"] < (3e-14 if dtype == "float64" else 1e-6) for row in rows if row["library"] == "neglog")
    assert render.family_line(rows).count("|") == 3 + len(render.FAMILY_RIVALS)


@pytest.mark.parametrize("case", mixture.cases(), ids=lambda case: case.name)
def test_a_mixture_is_measured_and_shown(case):
    small = replace(case, rows=1000, columns=3, components=2, steps=2)
    ours, theirs = rows = mixture.measure(small, rounds=1)
    tolerance = 1e-12 if case.dtype == "float64" else 1e-5
    assert ours["nll"] == pytest.approx(theirs["nll"], rel=tolerance)
    table = mixture.table(rows, {"threads": 2, "instruction_set": "avx2", "numpy": "2"})
    assert table.splitlines()[2].count("|") == 4


def test_a_machine_is_measured_and_shown():
    case = rbm.Case(zoom=1, hidden=4, batch=100, dtype="float32", threads=1, epochs=2)
    rows = rbm.measure(case, rounds=1)
    assert [row["library"] for row in rows] == [rbm.OURS, rbm.THEIRS]
    assert all(10 < row["nll"] < 64 * 0.7 and row["exact"] for row in rows)
    table = rbm.table(rows, {"instruction_set": "avx2", "numpy": "2"})
    assert table.splitlines()[2].count("|") == 6 and "64 × 4, 100, float32, 1 thread" in table
    estimated = rbm.line([{**row, "exact": False} for row in rows])
    assert "(AIS)" in estimated


def test_tables_have_a_line_for_every_case():
    row = {"milliseconds": 1.0, "ratio": 1.0, "read_milliseconds": 1.0, "copy_milliseconds": 1.0, "loss_error": 0.0}
    rows = [
        {"case": case.name, **vars(case), "library": name, **row}
        for case in cases()
        for name in render.RIVALS[case.group]
    ]
    own = [
        {"case": case.name, **vars(case), "library": name, "milliseconds": 1.0, "ratio": 1.0, "error": 0.0}
        for case in families.cases()
        for name in render.FAMILY_RIVALS
        if case.task == "nll" or name == "neglog"
    ]
    allocated = [
        {"shape": case.shape, "dtype": case.dtype, "option": case.option, "gradient": 1, "beyond": {"a": 1, "b": 2}}
        for case in memory_cases()
    ]
    machine = {"threads": 2, "instruction_set": "avx2", "torch": "2", "numpy": "2", "scipy": "1"}
    found = render.tables({"machine": machine, "rows": rows, "memory": allocated, "families": own})
    lines = sum(line.startswith("| ") for table in found.values() for line in table.splitlines())
    assert lines == len(cases()) + len(memory_cases()) + len(families.cases()) // 2 + len(found)


def test_the_summary_has_the_least_and_the_most():
    def rows(library, *ratios, **others):
        return [{"library": library, "ratio": ratio, **others} for ratio in ratios]

    stored = {
        "rows": rows("torch eager", 3.0, 0.75, 20.0, group="torch", task="gradient")
        + rows("torch eager", 0.5, group="torch", task="forward")
        + rows("sklearn log_loss", 31.94, group="numpy", task="log_loss"),
        "families": rows("scipy.stats", 10.0, 12.0, task="nll") + rows("neglog", 3.0, task="nll_grad_hess"),
        "deformed": [{"torch_ratio": ratio} for ratio in (4.0, 5.0)],
        "mixture": rows("neglog", 1.0) + rows("scikit-learn", 7.0),
        "rbm": rows("scikit-learn", 3.0),
    }
    lines = [line.strip("| ").split(" | ") for line in render.summary(stored).splitlines()[2:]]
    assert [line[1:] for line in lines] == [
        ["torch eager", "3", "0.75×", "3.0×", "20.0×"],
        ["sklearn log_loss", "1", "31.9×", "31.9×", "31.9×"],
        ["scipy.stats", "2", "10.0×", "11.0×", "12.0×"],
        ["plain torch", "2", "4.0×", "4.5×", "5.0×"],
        ["scikit-learn", "1", "7.0×", "7.0×", "7.0×"],
        ["scikit-learn", "1", "3.0×", "3.0×", "3.0×"],
    ]


@pytest.mark.skipif(not (memory.PROCESS / "clear_refs").exists(), reason="Linux keeps the peak")
def test_memory_sees_what_is_allocated_and_freed():
    # 64 MB: the C library never keeps more than 32 MB for later, so all that is allocated is seen
    case = Case("memory", "gradient", (16_384, 1000))
    found = memory.beyond_gradient(torch_eager.prepare(case, Data(case)))
    # torch keeps the log-probabilities and needs the gradient in them
    assert 1.9 * case.gradient_bytes < found < 2.1 * case.gradient_bytes


@pytest.mark.parametrize("name", deformed.PLAIN)
def test_a_deformed_loss_is_measured_and_shown(name):
    row = deformed.measure(name, (512, 10), rounds=1)
    assert row["ours_error"] < 1e-6 and row["torch_error"] < 1e-5
    assert deformed.line(row).count("|") == 5


def test_every_deformed_loss_is_measured():
    assert {name for name, _ in deformed.cases()} == set(deformed.PLAIN)
