"""Outputs appear complete or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from neglog.cli.exits import UsageError
from neglog.evaluation.readers import arrow

if TYPE_CHECKING:
    from neglog.report.model import Report


@contextlib.contextmanager
def replacing(path: str) -> Generator[BinaryIO]:
    """A file that takes the name ``path`` when the block ends well and vanishes when it does not.

    A link keeps pointing where it did, to the new file. What is no regular file, such as a pipe or a device,
    is written as it is: it must not be replaced by one.
    """
    path = os.path.realpath(path)
    folder, name = os.path.split(path)
    direct = os.path.exists(path) and not os.path.isfile(path)
    temporary = path if direct else os.path.join(folder, f".{name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            yield file
        if not direct:
            os.replace(temporary, path)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UsageError(f"cannot write {os.path.relpath(path)}: {error.strerror or error}") from error
    finally:
        if not direct:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)


def check_outputs(*outputs: str | None, inputs: Sequence[str]) -> None:
    """Say now what would otherwise be found out after the work: a missing folder, no permission.

    No output may be one of the inputs or another output.
    """
    paths = [path for path in outputs if path is not None and path != "-"]
    for index, path in enumerate(paths):
        if any(_same_file(path, other) for other in inputs):
            raise UsageError(f"cannot write {path}: it is an input, which would be lost")
        if any(_same_file(path, other) for other in paths[:index]):
            raise UsageError(f"cannot write {path}: it is given for two outputs")
        folder = os.path.dirname(path) or "."
        if os.path.isdir(path):
            raise UsageError(f"cannot write {path}: it is a directory")
        if not os.path.isdir(folder):
            raise UsageError(f"cannot write {path}: there is no directory {folder}")
        if not os.access(folder, os.W_OK):
            raise UsageError(f"cannot write {path}: permission denied")


def check_figure(path: str | None) -> None:
    """As :func:`check_outputs`, for a figure, whose only format is SVG."""
    check_outputs(path, inputs=())
    suffix = os.path.splitext(path or "")[1]
    if suffix.lower() not in ("", ".svg"):
        raise UsageError(f"cannot write {path}: a figure is an SVG file; allowed: names that end in .svg")


def _same_file(output: str, other: str) -> bool:
    """Whether writing one replaces the other; devices and pipes are not replaced."""
    if os.path.exists(output) and os.path.exists(other):
        return os.path.isfile(output) and os.path.samefile(output, other)
    return os.path.realpath(output) == os.path.realpath(other)


def write_text(path: str, content: str) -> None:
    """Write a text file, whole; ``-`` is standard output."""
    if path == "-":
        sys.stdout.write(content)
        return
    with replacing(path) as file:
        file.write(content.encode("utf-8"))


def rendered(report: Report, form: str, table: str | None = None) -> str:
    """The report in one of the formats of standard output; ``table`` is what CSV and JSON lines hold."""
    from neglog.report import data, text

    if form == "table":
        return text.text(report)
    if form == "md":
        return text.markdown(report)
    if form == "json":
        return data.to_json({"kind": report.kind, "status": report.status, "ok": report.ok, **report.data}) + "\n"
    chosen = report.tables[table or next(iter(report.tables))]
    return data.json_lines(chosen.records()) if form == "jsonl" else data.csv_table(chosen)


_REPORTS = {"": "html", ".html": "html", ".htm": "html", ".md": "md", ".txt": "table", ".json": "json"}


def report_form(path: str) -> str:
    """The format of a report by the suffix of its file; HTML where there is none."""
    suffix = os.path.splitext(path)[1].lower()
    if suffix not in _REPORTS:
        raise UsageError(f"--report {path}: the suffix must be one of {', '.join(filter(None, _REPORTS))}")
    return _REPORTS[suffix]


def write_report(report: Report, path: str) -> None:
    """The report as a file."""
    from neglog.report.html import html

    form = report_form(path)
    write_text(path, html(report) if form == "html" else rendered(report, form))


class TableWriter:
    """Record batches into CSV, Parquet, Arrow or JSON lines; the schema is that of the first."""

    def __init__(self, file: BinaryIO, form: str) -> None:
        self._file, self._form, self._writer = file, form, None

    def write(self, batch: Any) -> None:
        """Append rows."""
        if self._form == "jsonl":
            from neglog.report.data import plain

            for row in batch.to_pylist():
                self._file.write(json.dumps(plain(row)).encode() + b"\n")
            return
        if self._writer is None:
            self._writer = self._open(batch.schema)
        self._writer.write_batch(batch.cast(self._writer_schema))

    def _open(self, schema: Any) -> Any:
        self._writer_schema = schema
        if self._form == "csv":
            return arrow(".csv").CSVWriter(self._file, schema)
        if self._form == "parquet":
            return arrow(".parquet").ParquetWriter(self._file, schema)
        return arrow(".ipc").new_file(self._file, schema)

    def close(self) -> None:
        """Write what comes last, such as the footer of a Parquet file."""
        if self._writer is not None:
            self._writer.close()


@contextlib.contextmanager
def table_writer(path: str, form: str) -> Generator[TableWriter]:
    """A writer into a file that appears when complete, or onto standard output."""
    if path == "-":
        writer = TableWriter(sys.stdout.buffer, form)
        yield writer
        writer.close()
        return
    with replacing(path) as file:
        if path.lower().endswith(".gz"):
            import gzip

            with gzip.GzipFile(filename="", mode="wb", fileobj=file) as packed:
                writer = TableWriter(packed, form)  # type: ignore[arg-type]
                yield writer
                writer.close()
        else:
            writer = TableWriter(file, form)
            yield writer
            writer.close()


def table_form(path: str, form: str | None) -> str:
    """The format of a table by the suffix of its file, which ``form`` must not contradict; else CSV."""
    suffix = os.path.splitext(path.lower().removesuffix(".gz"))[1]
    forms = {
        ".csv": "csv", ".parquet": "parquet", ".pq": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl",
        ".arrow": "arrow", ".feather": "arrow", ".ipc": "arrow",
    }  # fmt: skip
    named = forms.get(suffix)
    if form is not None and named not in (None, form):
        raise UsageError(f"--out {path} and --format {form} contradict each other: the suffix says {named}")
    if path != "-" and (form or named) is None:
        raise UsageError(f"--out {path}: the suffix must be one of {', '.join(forms)}")
    return form or named or "csv"
