"""The command ``neglog``: parse, call the library, render.

Standard output is data, standard error is progress, warnings and errors. Exit codes stand in
:mod:`neglog.cli.exits`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from neglog.cli.exits import BAD_DATA, BROKEN_PIPE, INTERNAL, INTERRUPTED, OK, USAGE, UsageError
from neglog.errors import DataError, InputError, MissingDependencyError

STDIN = "<stdin>"
"""What ``-`` becomes before parsing: the parser takes a single dash for an option."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Every failure is one line on standard error; ``NEGLOG_DEBUG=1`` shows where it came from.
    """
    if arguments is not None:
        return _code(arguments)
    _terminate_like_an_interrupt()
    code = _code(sys.argv[1:])
    # pyarrow reads ahead on threads that hold Python objects and cannot be joined: one that still sits in a
    # read, or lets go of its file late, would make a normal exit wait or abort
    sys.stderr.flush()
    os._exit(code)


def _code(arguments: Sequence[str]) -> int:
    try:
        code = _run([STDIN if item == "-" else item for item in arguments])
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # the reader has seen enough, as in `neglog predict ... | head`
        return BROKEN_PIPE
    except KeyboardInterrupt:
        print("neglog: interrupted; nothing is half written", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        if os.environ.get("NEGLOG_DEBUG"):
            raise
        code, message = _explained(error)
        print(f"neglog: {' '.join(message.split())}", file=sys.stderr)
        return code


def _run(arguments: list[str]) -> int:
    try:
        import cyclopts

        from neglog.cli.app import app
    except ImportError as error:
        if (error.name or "").partition(".")[0] in ("cyclopts", "rich"):
            raise MissingDependencyError(
                f"the command line needs the package '{error.name}': pip install 'neglog[cli]'"
            ) from None
        raise
    try:
        result = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    except cyclopts.CycloptsError as error:
        raise UsageError(f"{str(error).rstrip('.')}; see neglog --help") from None
    return OK if result is None else int(result)


def _explained(error: Exception) -> tuple[int, str]:
    if isinstance(error, (UsageError, MissingDependencyError)):
        return USAGE, str(error)
    if isinstance(error, (DataError, InputError)):
        return BAD_DATA, _in_options(str(error))
    if isinstance(error, OSError) and error.filename is None:
        # inputs and output files have their own errors by now; a failed write without a name is this one
        return BAD_DATA, f"cannot write standard output: {error.strerror or error}"
    return INTERNAL, (f"internal error: {type(error).__name__}: {error} (NEGLOG_DEBUG=1 shows where; please report it)")


_OPTIONS = (
    ("Pass missing='drop'", "Give --missing drop"),
    ("right_censored: event =", "--event is"),
    ("right_censored: time =", "--time is"),
    ("Observations: lower = ", "--lower is "),
    ("is above upper = ", "is above --upper, "),
    (" at position ", " in row "),
)
"""What the library's messages call an argument, and the option that gave it."""


def _in_options(message: str) -> str:
    for argument, option in _OPTIONS:
        message = message.replace(argument, option)
    return message


def _terminate_like_an_interrupt() -> None:
    """A terminated command cleans up its temporary files as an interrupted one does."""

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise KeyboardInterrupt

    with contextlib.suppress(ValueError):  # only the main thread may; elsewhere the caller decides
        signal.signal(signal.SIGTERM, stop)
