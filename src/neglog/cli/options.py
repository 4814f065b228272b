"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from cyclopts import Group, Parameter

from neglog.cli import STDIN
from neglog.cli.exits import UsageError


def _path(type_: Any, tokens: Any) -> str:
    """``-`` again, after the parser has taken it for an ordinary word."""
    del type_
    return "-" if tokens[0].value == STDIN else tokens[0].value


File = Annotated[str, Parameter(converter=_path, metavar="FILE")]
Columns = Annotated[list[str] | None, Parameter(metavar="COLS", negative=())]
Format = Literal["table", "json", "jsonl", "csv", "md"]

_READING = Group("Reading", sort_key=90)
_WRITING = Group("Writing", sort_key=91)


@Parameter(name="*", group=_READING)
@dataclass(frozen=True)
class Reading:
    """How input files are read.

    Parameters
    ----------
    input_format
        Format of all inputs; by default it follows from each name, and is csv for standard input.
    delimiter
        What separates columns in CSV: a character, or 'tab'. Default: a comma, a tab in .tsv files.
    encoding
        Encoding of CSV files.
    """

    input_format: Literal["csv", "parquet", "arrow", "jsonl"] | None = None
    delimiter: str | None = None
    encoding: str = "utf-8"

    def tables(self, files: tuple[str, ...]) -> Any:
        """The input files as one table."""
        from neglog.evaluation.sources import Options, Tables

        delimiter = {"tab": "\t", "\\t": "\t"}.get(self.delimiter or "", self.delimiter)
        if delimiter is not None and len(delimiter) != 1:
            raise UsageError(f"--delimiter must be one character or 'tab', not {self.delimiter!r}")
        try:
            "".encode(self.encoding)
        except LookupError:
            raise UsageError(f"--encoding {self.encoding!r} is unknown; try utf-8, latin-1, utf-16") from None
        if not files:
            raise UsageError("no input: name one or more files, a glob, or - for standard input")
        return Tables(files, Options(self.input_format, delimiter, self.encoding))


@Parameter(name="*", group=_WRITING)
@dataclass(frozen=True)
class Writing:
    """What is written where.

    Parameters
    ----------
    format
        Format of standard output.
    report
        Also write a report for people as one file: .html, or .md, .txt, .json.
    quiet
        No progress on standard error; warnings and errors remain.
    """

    format: Format = "table"
    report: File | None = None
    quiet: bool = False

    def check(self, *others: str | None, inputs: Sequence[str]) -> None:
        """Refuse a report or other output that could not, or must not, be written in the end."""
        from neglog.cli.outputs import check_outputs, report_form

        if self.report is not None:
            report_form(self.report)
        check_outputs(*others, self.report, inputs=inputs)


DEFAULT_READING = Reading()
DEFAULT_WRITING = Writing()


def columns(values: list[str] | None) -> list[str]:
    """Names and globs from repeated options and comma-separated lists.

    >>> columns(["a,b", "p_*"])
    ['a', 'b', 'p_*']
    """
    return [name.strip() for value in values or [] for name in value.split(",") if name.strip()]


def named(files: tuple[str, ...]) -> str:
    """The inputs as a title names them.

    >>> named(("data/a.csv",)), named(("a.csv", "b.csv", "c.csv", "d.csv")), named(("-",))
    ('a.csv', 'a.csv and 3 more', 'standard input')
    """
    first = "standard input" if files[0] == "-" else files[0].rpartition("/")[2]
    return first if len(files) == 1 else f"{first} and {len(files) - 1} more"
