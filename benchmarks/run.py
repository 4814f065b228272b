"""Run the benchmarks: ``python -m benchmarks.run [--part NAME] [--only TEXT] [--rounds N]``."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import warnings
from collections.abc import Callable
from dataclasses import asdict, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import scipy
import torch

import neglog as nl
from benchmarks import deformed, families, memory, mixture, rbm, render
from benchmarks.cases import Case, Data, cases
from benchmarks.rivals import ours, ours_torch, scikit_learn, torch_compile, torch_eager
from benchmarks.timing import timed
from neglog import _native

RIVALS = (ours, ours_torch, torch_eager, torch_compile, scikit_learn)
HERE = Path(__file__).parent


def errors(answer: tuple[Any, Any], exact: tuple[float, torch.Tensor], data: Data) -> dict[str, float]:
    """Relative error of the loss; largest absolute error of the first rows' gradients, times the divisor."""
    loss, gradient = answer
    result = {"loss_error": abs(torch.as_tensor(loss).item() - exact[0]) / abs(exact[0])}
    if gradient is not None:
        head = data.in_rows(torch.as_tensor(gradient))[: len(exact[1])].double() * data.divisor
        result["gradient_error"] = float((head - exact[1]).abs().max())
    return result


def measure(case: Case, data: Data, rounds: int) -> list[dict[str, Any]]:
    """Everybody in turn, ``rounds`` times; medians. What is tiny runs on one thread: a second one only adds waiting."""
    torch.set_num_threads(1 if case.calls > 1 else nl.get_num_threads())
    contenders: dict[str, Callable[[], Any]] = {}
    for rival in RIVALS:
        call = rival.prepare(case, data)
        if call is not None:
            contenders[rival.NAME] = call
    exact = data.exact()
    # the first call is the warm-up (threads, page faults, compilation) and gives the errors
    found = {name: errors(call(), exact, data) for name, call in contenders.items()}
    flat = data.logits.flatten().view(torch.int32).numpy()
    scratch = np.zeros_like(flat)
    contenders["read"] = flat.max
    contenders["copy"] = lambda: np.copyto(scratch, flat)
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, call in contenders.items():
            times[name].append(timed(call, case.calls))
    medians = {name: statistics.median(values) for name, values in times.items()}
    ours_name = next(iter(found))
    return [
        {
            "case": case.name,
            **asdict(case),
            "library": name,
            "milliseconds": medians[name],
            "ratio": medians[name] / medians[ours_name],
            "gigabytes_per_second": case.bytes / medians[name] / 1e6,
            "read_milliseconds": medians["read"],
            "copy_milliseconds": medians["copy"],
            **found[name],
        }
        for name in found
    ]


def measure_losses(only: str, rounds: int) -> list[dict[str, Any]]:
    """The cases whose name contains ``only``, each printed when it is done."""
    rows: list[dict[str, Any]] = []
    data = None
    for case in (c for c in cases() if only in c.name):
        if data is None or data.case.data != case.data:
            data = None  # before the next: two would be twice the memory
            data = Data(case)
        data.case = case
        found = measure(case, data, rounds)
        print(render.line(found), flush=True)
        rows += found
    return rows


def measure_memory(only: str, _: int) -> list[dict[str, Any]]:
    rows = memory.measure(only)
    for found in rows:
        print(render.memory_line(found), flush=True)
    return rows


def measure_families(only: str, rounds: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for _, same in groupby(families.cases(), key=lambda case: replace(case, task="")):
        these = list(same)  # both tasks: they share a line
        if not any(only in case.name for case in these):
            continue
        data = families.Data(these[0])
        found = [row for case in these for row in families.measure(case, data, rounds)]
        print(render.family_line(found), flush=True)
        rows += found
    return rows


def measure_mixtures(only: str, rounds: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for case in (c for c in mixture.cases() if only in c.name):
        found = mixture.measure(case, rounds)
        print(mixture.line(found), flush=True)
        rows += found
    return rows


def measure_rbm(only: str, rounds: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for case in (c for c in rbm.cases() if only in c.name):
        found = rbm.measure(case, rounds)
        print(rbm.line(found), flush=True)
        rows += found
    return rows


PARTS = {
    "rows": measure_losses,
    "memory": measure_memory,
    "families": measure_families,
    "deformed": deformed.measure_all,
    "mixture": measure_mixtures,
    "rbm": measure_rbm,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="run the cases whose name contains this; store nothing")
    parser.add_argument("--part", choices=["losses", *list(PARTS)[1:]], help="run and store this part alone")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", message=".*y_pred values do not sum to one.*")  # float32 rounding
    part = "rows" if arguments.part == "losses" else arguments.part
    parts = [part] if part else list(PARTS)
    measured = {name: PARTS[name](arguments.only, arguments.rounds) for name in parts}
    if arguments.only:
        return
    machine = {
        "processors": os.cpu_count(),
        "threads": nl.get_num_threads(),
        "instruction_set": _native.isa(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
        "scipy": scipy.__version__,
    }
    table = HERE / "results" / "table.json"
    table.parent.mkdir(exist_ok=True)
    before = json.loads(table.read_text()) if part else {name: [] for name in PARTS}
    stored = {**before, "machine": machine, **measured}
    table.write_text(json.dumps(stored, indent=1) + "\n")
    render.write(stored)


if __name__ == "__main__":
    main()
