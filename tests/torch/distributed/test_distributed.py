"""Gloo on three processes with uneven shares, one of them empty, against the whole batch on one process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tests.torch.distributed.worker import SCENARIOS, SIZES

pytestmark = pytest.mark.skipif(
    not (torch.distributed.is_available() and torch.distributed.is_gloo_available()), reason="torch without gloo"
)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """All scenarios in one start of the processes: importing torch is what costs."""
    place = tmp_path_factory.mktemp("ranks")
    worker = Path(__file__).with_name("worker.py")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    ranks = [
        subprocess.Popen(
            [sys.executable, str(worker), str(rank), str(len(SIZES)), str(place / "store"), str(place / "result")],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(len(SIZES))
    ]
    output = []
    for process in ranks:
        try:
            output.append(process.communicate(timeout=120)[0])
        except subprocess.TimeoutExpired:
            process.kill()  # a rank that failed leaves the others waiting
            output.append(process.communicate()[0])
    found = []
    for rank, text in enumerate(output):
        file = place / f"result.{rank}"
        assert file.exists(), f"rank {rank} did not start:\n{text}"
        found.append(json.loads(file.read_text()))
    return found


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(results, name):
    outcomes = [result.get(name, "not reached") for result in results]
    assert outcomes == ["ok"] * len(SIZES), "\n".join(outcomes)
