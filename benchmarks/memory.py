"""Peak memory of a loss with its gradient: ``python -m benchmarks.memory LIBRARY [TEXT]`` prints bytes as JSON.

One process a library, in which the C library maps every block from 64 KiB on anew and unmaps it when it is freed, so
that the resident size is what is in use. Linux only: the kernel keeps the peak, and forgets it when told to.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.cases import Data, memory_cases
from benchmarks.rivals import ours_torch, torch_compile, torch_eager

RIVALS = {rival.NAME: rival for rival in (ours_torch, torch_eager, torch_compile)}
PROCESS = Path("/proc/self")


def resident(which: str) -> int:
    """Bytes: ``VmRSS`` now, ``VmHWM`` at the peak."""
    found = re.search(rf"{which}:\s+(\d+) kB", (PROCESS / "status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def beyond_gradient(call: Callable[[], Any]) -> int:
    """Bytes at the peak of a call beyond the gradient: the call before left one, and this one first drops that."""
    call()
    call()
    before = resident("VmRSS")
    (PROCESS / "clear_refs").write_text("5")
    call()
    return resident("VmHWM") - before


def measure(only: str = "") -> list[dict[str, Any]]:
    """One row a case: the bytes of the gradient, and of every library those beyond it."""
    chosen = [case for case in memory_cases() if only in case.name]
    if not chosen or not os.access(PROCESS / "clear_refs", os.W_OK):
        return []
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536"}
    found: dict[str, list[int]] = {}
    for name in RIVALS:
        command = [sys.executable, "-m", "benchmarks.memory", name, only]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        found[name] = json.loads(done.stdout)
    return [
        {
            "case": case.name,
            "shape": case.shape,
            "dtype": case.dtype,
            "option": case.option,
            "rows": case.rows,
            "gradient": case.gradient_bytes,
            "beyond": {name: found[name][index] for name in RIVALS},
        }
        for index, case in enumerate(chosen)
    ]


if __name__ == "__main__":
    rival, only = RIVALS[sys.argv[1]], "".join(sys.argv[2:])
    cases = (case for case in memory_cases() if only in case.name)
    print(json.dumps([beyond_gradient(rival.prepare(case, Data(case))) for case in cases]))
