"""Run the benchmarks: ``python -m benchmarks.run [--only TEXT] [--rounds N]``."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

import neglog as nl
from benchmarks import render
from benchmarks.cases import Case, Data, cases
from benchmarks.rivals import ours, scikit_learn, torch_compile, torch_eager
from neglog import _native

RIVALS = (ours, torch_eager, torch_compile, scikit_learn)
HERE = Path(__file__).parent


def timed(call: Callable[[], Any]) -> float:
    """The second of two calls in a row: the first outlasts the rival's threads, which spin on after their work."""
    call()
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1e3


def errors(answer: tuple[Any, Any], exact: tuple[float, np.ndarray], rows: int) -> dict[str, float]:
    """Relative error of the loss; largest absolute error of the first rows' gradients."""
    loss, gradient = answer
    result = {"loss_error": abs(float(loss) - exact[0]) / abs(exact[0])}
    if gradient is not None:
        head = gradient[: len(exact[1])].astype(np.float64) * rows
        result["gradient_error"] = float(np.abs(head - exact[1]).max())
    return result


def measure(case: Case, data: Data, rounds: int) -> list[dict[str, Any]]:
    """Everybody in turn, ``rounds`` times; medians."""
    contenders: dict[str, Callable[[], Any]] = {}
    for rival in RIVALS:
        call = rival.prepare(case.task, data)
        if call is not None:
            contenders[rival.NAME] = call
    exact = data.exact(case.task)
    # the first call is the warm-up (threads, page faults, compilation) and gives the errors
    found = {name: errors(call(), exact, case.rows) for name, call in contenders.items()}
    scratch = np.zeros_like(data.logits)
    contenders["read"] = lambda: data.logits.view(np.int32).max()
    contenders["copy"] = lambda: np.copyto(scratch, data.logits)
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, call in contenders.items():
            times[name].append(timed(call))
    medians = {name: statistics.median(values) for name, values in times.items()}
    return [
        {
            "case": case.name,
            "task": case.task,
            "rows": case.rows,
            "classes": case.classes,
            "library": name,
            "milliseconds": medians[name],
            "ratio": medians[name] / medians[ours.NAME],
            "gigabytes_per_second": case.bytes / medians[name] / 1e6,
            "read_milliseconds": medians["read"],
            "copy_milliseconds": medians["copy"],
            **found[name],
        }
        for name in found
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="run the cases whose name contains this")
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", message=".*y_pred values do not sum to one.*")  # float32 rounding
    torch.set_num_threads(nl.get_num_threads())

    rows: list[dict[str, Any]] = []
    shape, data = None, None
    for case in (c for c in cases() if arguments.only in c.name):
        if shape != (case.rows, case.classes):
            shape, data = (case.rows, case.classes), Data(case.rows, case.classes)
        assert data is not None
        found = measure(case, data, arguments.rounds)
        print(render.line(found), flush=True)
        rows += found
    machine = {
        "processors": os.cpu_count(),
        "threads": nl.get_num_threads(),
        "instruction_set": _native.isa(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
    }
    if arguments.only:
        return
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / "table.json").write_text(json.dumps({"machine": machine, "rows": rows}, indent=1) + "\n")
    render.write(machine, rows)


if __name__ == "__main__":
    main()
