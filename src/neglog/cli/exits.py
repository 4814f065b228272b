"""Exit codes, and the one error that belongs to the command line."""

from __future__ import annotations

OK = 0
GATE_FAILED = 1
USAGE = 2
BAD_DATA = 3
NOT_VERIFIED = 4
INTERNAL = 70  # EX_SOFTWARE of sysexits.h
INTERRUPTED = 130
BROKEN_PIPE = 141


class UsageError(Exception):
    """Arguments that do not go together, or an output that cannot be written."""
