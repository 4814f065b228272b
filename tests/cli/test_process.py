"""What only a real process shows: start-up time, signals, pipes, a missing extra, and the whole job."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import neglog as nl

NEGLOG = [sys.executable, "-c", "import sys; from neglog.cli import main; sys.exit(main())"]
# one thread: BLAS threads that compete for a busy machine take longer than the arithmetic
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def process(*arguments: str, cwd: Path, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*NEGLOG, *arguments],
        cwd=cwd,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=120,
        **options,
    )


def test_the_package_runs_as_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "neglog", "--version"], capture_output=True, text=True, env=ENVIRONMENT, timeout=60
    )
    assert (done.returncode, done.stdout.strip()) == (0, nl.__version__)


def test_help_starts_fast_because_it_imports_little(tmp_path: Path) -> None:
    code = "import sys; from neglog.cli import main; main(['--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT, timeout=60)
    assert "score" in done.stdout
    loaded = set(done.stderr.split())
    assert loaded.isdisjoint({"scipy", "pyarrow", "pandas", "torch", "formulaic", "sklearn", "neglog.estimation"})


def test_every_command_has_help_and_every_option_a_word_about_it(run: Any) -> None:
    for command in ("fit", "predict", "score", "families", "demo"):
        shown = run(command, "--help")
        assert shown.code == 0 and f"neglog {command}" in shown.out
        options = [line for line in shown.out.splitlines() if line.startswith("│ ") and "--" in line[:8]]
        assert all(len(line.strip("│ ").split("  ")) > 1 for line in options), options


def test_without_the_extra_one_sentence_says_how_to_get_it(tmp_path: Path) -> None:
    for package in ("cyclopts", "pyarrow", "rich"):
        code = (
            f"import sys; sys.modules[{package!r}] = None; from neglog.cli import main; "
            "sys.exit(main(['score', 'a.csv', '--y', 'y', '--probs', 'p_*']))"
        )
        (tmp_path / "a.csv").write_text("y,p_a,p_b\na,0.5,0.5\n")
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
        if package == "rich" and done.returncode == 0:
            continue  # cyclopts itself needs rich only for its panels
        assert done.returncode == 2 and done.stdout == "", (package, done.stderr)
        assert "pip install 'neglog[cli]'" in done.stderr and done.stderr.count("\n") == 1


def test_a_closed_pipe_ends_quietly(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("n\n" + "3\n" * 40000)
    process("fit", "poisson", "a.csv", "--y", "n", "--save", "m.json", cwd=tmp_path)
    command = " ".join(f"'{word}'" for word in NEGLOG) + " predict m.json a.csv | head -n 2"
    done = subprocess.run(
        command, shell=True, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.splitlines()[0] == '"mean"' and done.stderr == ""


def test_every_format_can_be_piped(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.feather as feather
    import pyarrow.parquet as parquet

    table = pa.table({"n": [1, 2, 6]})
    parquet.write_table(table, tmp_path / "a.parquet")
    feather.write_feather(table, str(tmp_path / "a.feather"))
    (tmp_path / "a.jsonl").write_text('{"n": 1}\n{"n": 2}\n{"n": 6}\n')
    for name, form in (("a.parquet", "parquet"), ("a.feather", "arrow"), ("a.jsonl", "jsonl")):
        command = [*NEGLOG, "fit", "poisson", "-", "--y", "n", "--input-format", form, "--format", "csv"]
        with subprocess.Popen(["cat", name], cwd=tmp_path, stdout=subprocess.PIPE) as source:
            done = subprocess.run(command, stdin=source.stdout, capture_output=True, text=True, timeout=60)
        assert float(done.stdout.splitlines()[1].split(",")[1]) == pytest.approx(3), done.stderr


def test_standard_input_is_what_its_bytes_say(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as parquet

    parquet.write_table(pa.table({"n": [1, 2, 6]}), tmp_path / "a.parquet")
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"n\n1\n2\n6\n"))
    command = [*NEGLOG, "fit", "poisson", "-", "--y", "n", "--format", "csv"]
    for name in ("a.parquet", "a.gz"):
        with subprocess.Popen(["cat", name], cwd=tmp_path, stdout=subprocess.PIPE) as source:
            done = subprocess.run(command, stdin=source.stdout, capture_output=True, text=True, timeout=60)
        assert float(done.stdout.splitlines()[1].split(",")[1]) == pytest.approx(3), done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the device is Linux's")
def test_a_full_disk_behind_standard_output_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("n\n" + "3\n" * 40000)
    process("fit", "poisson", "a.csv", "--y", "n", "--save", "m.json", cwd=tmp_path)
    for arguments in (("families",), ("predict", "m.json", "a.csv")):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([*NEGLOG, *arguments], cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, timeout=60)
        assert done.returncode == 3
        assert done.stderr == b"neglog: cannot write standard output: No space left on device\n"


def test_nothing_is_left_to_the_end_of_the_interpreter(tmp_path: Path) -> None:
    """There a thread of pyarrow that still holds a Python file aborts the process, once in fifty runs."""
    code = "import atexit, sys; atexit.register(print, 'ended'); from neglog.cli import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", code, "families"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "weibull" in done.stdout and "ended" not in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_leaves_nothing_half_written(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "a.csv").write_text("n\n1\n2\n")
    process("fit", "poisson", "a.csv", "--y", "n", "--save", "m.json", cwd=tmp_path)
    before = sorted(path.name for path in tmp_path.iterdir())
    command = [*NEGLOG, "predict", "m.json", "-", "--out", "p.csv", "--keep", "n"]
    running = subprocess.Popen(
        command, cwd=tmp_path, env=ENVIRONMENT, stdin=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # tests in the background inherit "ignore"
    )  # fmt: skip
    assert running.stdin is not None and running.stderr is not None
    running.stdin.write(b"n\n" + b"12345\n" * 1_200_000)  # more than the header buffer: the output file is open
    running.stdin.flush()
    for _ in range(200):
        if any(path.name.endswith(".tmp") for path in tmp_path.iterdir()):
            break
        time.sleep(0.05)
    running.send_signal(number)
    time.sleep(0.1)
    running.stdin.close()
    assert running.wait(timeout=60) == 130
    assert running.stderr.read() == b"neglog: interrupted; nothing is half written\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    running.stderr.close()


def test_the_demo_does_the_main_job(tmp_path: Path) -> None:
    done = process("demo", "--out", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    out = tmp_path / "out"
    score = json.loads((out / "digits_score.json").read_text())
    assert score["nobs"] == 898 and score["nll"] < 0.15 and score["accuracy"] > 0.95 and not score["bad"]
    life = json.loads((out / "life_test.json").read_text())
    assert -life["loglik"] == pytest.approx(75.135, abs=5e-4)
    kicks = json.loads((out / "horse_kicks.json").read_text())
    assert kicks["estimates"][0]["estimate"] == pytest.approx(0.7)
    for name in ("digits_score.html", "digits_fit.html", "life_test.html", "horse_kicks.html"):
        assert (out / name).stat().st_size < 150_000 and name in done.stdout
    assert done.stderr.count("$ neglog ") == 5
    assert (out / "digits_reliability.svg").read_text().startswith("<svg")
    # a second run replaces everything and leaves nothing else behind
    before = sorted(path.name for path in out.iterdir())
    again = process("demo", "--out", "out", "--quiet", cwd=tmp_path)
    assert (again.returncode, again.stderr, again.stdout) == (0, "", done.stdout)
    assert sorted(path.name for path in out.iterdir()) == before
