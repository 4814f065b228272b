"""Outputs appear complete or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Generator
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


def check_writable(*paths: str | None) -> None:
    """Say now what would otherwise be found out after the work: a missing folder, no permission."""
    for path in paths:
        if path is None or path == "-":
            continue
        folder = os.path.dirname(path) or "."
        if os.path.isdir(path):
            raise UsageError(f"cannot write {path}: it is a directory")
        if not os.path.isdir(folder):
            raise UsageError(f"cannot write {path}: there is no directory {folder}")
        if not os.access(folder, os.W_OK):
            raise UsageError(f"cannot write {path}: permission denied")


def write_text(path: str, content: str) -> None:
    """Write a text file, whole; ``-`` is standard output."""
    if path == "-":
        sys.stdout.write(content)
        return
    with replacing(path) as file:
        file.write(content.encode("utf-8"))


def rendered(report: Report, form: str) -> str:
    """The report in one of the formats of standard output."""
    from neglog.report import data, text

    main = report.main
    if form == "table":
        return text.text(report)
    if form == "md":
        return text.markdown(report)
    if form == "json" or main is None:
        return (
            data.to_json({"kind": report.kind, "status": report.status, "ok": report.ok, **report.data})
            + "\n"
        )
    return data.json_lines(main.records()) if form == "jsonl" else data.csv_table(main)


def write_report(report: Report, path: str) -> None:
    """The report as a file, in the format its suffix names; HTML unless that says otherwise."""
    from neglog.report.html import html

    form = {".md": "md", ".txt": "table", ".json": "json"}.get(os.path.splitext(path)[1].lower())
    write_text(path, html(report) if form is None else rendered(report, form))


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
def table_writer(path: str, form: str | None) -> Generator[TableWriter]:
    """A writer into a file that appears when complete, or onto standard output, there CSV by default."""
    if path == "-":
        writer = TableWriter(sys.stdout.buffer, form or "csv")
        yield writer
        writer.close()
        return
    form = form or _form_of(path)
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


def _form_of(path: str) -> str:
    suffix = os.path.splitext(path.lower().removesuffix(".gz"))[1]
    forms = {
        ".csv": "csv", ".parquet": "parquet", ".pq": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl",
        ".arrow": "arrow", ".feather": "arrow", ".ipc": "arrow",
    }  # fmt: skip
    if suffix not in forms:
        raise UsageError(f"--out {path}: the suffix must be one of {', '.join(forms)}")
    return forms[suffix]
