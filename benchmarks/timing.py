"""How long a call takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

CHUNK = 100  # calls of what is too short to be timed alone
SPIN = 0.02  # seconds for which threads that have nothing to do may keep a core busy


def timed(call: Callable[[], Any], calls: int) -> float:
    """Milliseconds of a call, after some that outlast the rival's threads: they spin on after their work.

    Of many calls the best chunk counts: each is overhead, which other work on the machine can only lengthen.
    """
    begun = time.perf_counter()
    call()
    while time.perf_counter() - begun < SPIN:
        call()
    chunk = min(calls, CHUNK)
    times: list[float] = []
    for _ in range(calls // chunk):
        start = time.perf_counter()
        for _ in range(chunk):
            call()
        times.append(time.perf_counter() - start)
    return min(times) * 1e3 / chunk
