"""Fixtures for every test."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings

# a loaded machine is no reason to fail
settings.register_profile("neglog", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("neglog")


@pytest.fixture(scope="session")
def on_isa() -> Callable[..., str]:
    """Run ``python *arguments`` with an instruction set forced; its standard output."""

    def run(isa: str, *arguments: str) -> str:
        environment = {**os.environ, "NEGLOG_ISA": isa}
        done = subprocess.run(
            [sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
