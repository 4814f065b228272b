"""Scoring allocates nothing of the size of its input."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest


@pytest.mark.parametrize("input", ("probs", "logits", "logprobs"))
def test_peak_memory_does_not_grow_with_the_input(input):
    # 80 MB of predictions; the peak of the process is read before and after, so native memory counts too
    script = textwrap.dedent(
        f"""
        import resource, tracemalloc
        import numpy as np
        import neglog as nl

        n, c = 200_000, 100
        p = np.full((n, c), {"0.01" if input == "probs" else "-4.605170185988091"}, dtype=np.float32)
        y = np.arange(n) % c
        nl.Score.classification(input="{input}", classes=c).update(y[:9], p[:9]).result()  # imports, threads
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        s = nl.Score.classification(input="{input}", classes=c).update(y, p)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        tracemalloc.start()
        s.update(y, p)
        print(grown * 1024, tracemalloc.get_traced_memory()[1])
        """
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    grown, traced = map(int, out.split())
    assert grown < 12 << 20 and traced < 6 << 20, (grown, traced)
