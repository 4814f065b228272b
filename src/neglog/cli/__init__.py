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
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if arguments is None:
            _terminate_like_an_interrupt()
        code = _run([STDIN if item == "-" else item for item in given])
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # the reader has seen enough, as in `neglog predict ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except KeyboardInterrupt:
        print("neglog: interrupted; nothing is half written", file=sys.stderr)
        if arguments is None:
            # a reader's thread may sit in a read of standard input: a normal exit would wait, or abort
            sys.stderr.flush()
            os._exit(INTERRUPTED)
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
        return BAD_DATA, str(error).replace("Pass missing='drop'", "Give --missing drop")
    return INTERNAL, (
        f"internal error: {type(error).__name__}: {error} (NEGLOG_DEBUG=1 shows where; please report it)"
    )


def _terminate_like_an_interrupt() -> None:
    """A terminated command cleans up its temporary files as an interrupted one does."""

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise KeyboardInterrupt

    with contextlib.suppress(ValueError):  # only the main thread may; elsewhere the caller decides
        signal.signal(signal.SIGTERM, stop)
