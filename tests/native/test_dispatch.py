"""The instruction set is chosen at import and can be forced."""

import os
import subprocess
import sys

import pytest

from neglog import _native

PROGRAM = "from neglog import _native; print(_native.isa())"


@pytest.mark.parametrize("isa", _native.available_isas())
def test_forced(isa, on_isa):
    assert on_isa(isa, "-c", PROGRAM).strip() == isa


def test_the_widest_is_the_default():
    environment = {k: v for k, v in os.environ.items() if k != "NEGLOG_ISA"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == _native.available_isas()[-1]


def test_unknown_name_says_what_there_is():
    environment = {**os.environ, "NEGLOG_ISA": "mmx"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "NEGLOG_ISA=mmx" in done.stderr
    assert "baseline" in done.stderr


def test_thread_limit():
    before = _native.get_num_threads()
    try:
        _native.set_num_threads(1)
        assert _native.get_num_threads() == 1
        with pytest.raises(ValueError, match="n = 0"):
            _native.set_num_threads(0)
    finally:
        _native.set_num_threads(before)
