"""How far long work has come: a bar on a terminal, a line every ten seconds elsewhere, nothing when quiet."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Self

from neglog.report.numbers import number, percent

_EVERY = 10.0  # seconds


class Progress:
    """``with Progress("score", quiet) as p: p.at(fraction, rows)``; the fraction may be unknown (None)."""

    def __init__(self, label: str, quiet: bool = False) -> None:
        self._label, self._quiet = label, quiet
        self._bar: Any = None
        self._began = self._said = time.monotonic()

    def __enter__(self) -> Self:
        if not self._quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.fields[rows]}"),
                TimeElapsedColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._bar.start()
            self._task = self._bar.add_task(self._label, total=None, rows="")
        return self

    def at(self, fraction: float | None, rows: int) -> None:
        """``fraction`` of the work is done, which is ``rows`` rows so far."""
        if self._bar is not None:
            total = None if fraction is None else 1.0
            self._bar.update(self._task, total=total, completed=fraction or 0.0, rows=f"{number(rows)} rows")
        now = time.monotonic()
        if self._bar is None and not self._quiet and now - self._said >= _EVERY:
            self._said = now
            done = "" if fraction is None else f"{percent(fraction, 0)}, "
            print(f"{self._label}: {done}{number(rows)} rows, {now - self._began:.0f} s", file=sys.stderr)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del kind, error, trace
        if self._bar is not None:
            self._bar.stop()


def warn(message: str) -> None:
    """A warning: one line on standard error."""
    print(f"neglog: warning: {message}", file=sys.stderr)
