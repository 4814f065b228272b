"""One reader per file format.

Each has ``names`` at once, then ``batches(want)``, once; ``done()``, a fraction of the file; and ``close()``.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from neglog._optional import require
from neglog.errors import DataError

_SUFFIXES = {
    ".csv": "csv", ".tsv": "csv", ".tab": "csv", ".txt": "csv",
    ".parquet": "parquet", ".pq": "parquet",
    ".arrow": "arrow", ".ipc": "arrow", ".feather": "arrow", ".arrows": "arrow",
    ".jsonl": "jsonl", ".ndjson": "jsonl",
}  # fmt: skip
FORMATS = ("csv", "parquet", "arrow", "jsonl")
_COMPRESSED = (".gz", ".bz2", ".zst")
_MAGIC = re.compile(rb"(?P<gzip>\x1f\x8b)|(?P<bz2>BZh[1-9]1AY&SY)|(?P<zstd>\x28\xb5\x2f\xfd)")
_BINARY = {b"PAR1": "parquet", b"ARRO": "arrow"}
_HEAD = 1 << 20  # bytes looked at for a header
_BLOCK = 1 << 22  # bytes of text parsed at a time: types are inferred from the first of them
_BATCH_ROWS = 1 << 16


@dataclass(frozen=True)
class Options:
    """How files are to be read; what is None follows from a file's name."""

    format: str | None = None
    delimiter: str | None = None
    encoding: str = "utf-8"


@dataclass(frozen=True)
class Want:
    """Columns to read: ``numeric`` become float64 (null: NaN), ``text`` strings, others keep their type."""

    columns: tuple[str, ...]
    numeric: frozenset[str] = frozenset()
    text: frozenset[str] = frozenset()


def arrow(part: str = "") -> Any:
    """pyarrow or a part of it, as in ``arrow(".csv")``; the package itself is an extra."""
    return require("pyarrow" + part, feature="reading and writing data files", extra="cli")


def shown(path: str) -> str:
    """The name of an input as messages print it."""
    return "standard input" if path == "-" else path


class explained:
    """Turns what pyarrow and the operating system raise into one line that names the file."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        pa = arrow()
        name = shown(self.path)
        if error is None or isinstance(error, DataError):
            return
        if isinstance(error, UnicodeError) or "invalid UTF8" in str(error):
            raise DataError(f"{name} is not UTF-8 text; give --encoding latin-1, utf-16, ...") from error
        if isinstance(error, OSError) and not isinstance(error, pa.ArrowException):
            raise DataError(f"{name} cannot be read: {error.strerror or _first_line(error)}") from error
        if isinstance(error, (pa.ArrowException, EOFError)):
            raise DataError(f"{name}: {_first_line(error)}") from error


def _first_line(error: BaseException | str) -> str:
    line = str(error).strip().split("\n")[0]
    return line if len(line) <= 240 else line[:240] + " ..."


def open_reader(path: str, options: Options) -> Any:
    with explained(path):
        stream = _Stream(path)
        head = stream.head()
        if not head.strip():
            raise DataError(f"{shown(path)} is empty")
        form = options.format or _format_of(path, head)
        readers = {"csv": _Csv, "parquet": _Parquet, "arrow": _Arrow, "jsonl": _Jsonl}
        if form in ("csv", "jsonl") and (actual := _BINARY.get(head[:4])):
            raise DataError(f"{shown(path)} is {actual}, not {form}; use --input-format {actual}")
        return readers[form](path, stream, options)


def _format_of(path: str, head: bytes) -> str:
    stem, suffix = os.path.splitext(path.lower())
    if suffix in _COMPRESSED:
        suffix = os.path.splitext(stem)[1]
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    return _BINARY.get(head[:4], "csv")


class _Stream(io.RawIOBase):
    """Bytes of a file or of standard input, unpacked if need be, whose head can be looked at first."""

    def __init__(self, path: str) -> None:
        pa = arrow()
        self.path = path
        self._file: Any = None
        if os.path.isfile(path):
            self._raw: Any = pa.OSFile(path, "rb")
            start = self._raw.read(10)
            self._raw.seek(0)
        else:  # a pipe: it cannot seek, which OSFile would try
            self._file = sys.stdin.buffer if path == "-" else open(path, "rb")  # noqa: SIM115 - see close()
            self._raw = pa.PythonFile(self._file, mode="r")
            start = self._file.peek(10)
        packed = _MAGIC.match(start)
        self._plain: Any = pa.CompressedInputStream(self._raw, packed.lastgroup) if packed else self._raw
        self._size = os.path.getsize(path) if os.path.isfile(path) else 0
        self._head = b""

    def head(self) -> bytes:
        while len(self._head) < _HEAD:
            piece = self._plain.read(_HEAD - len(self._head))
            if not piece:
                break
            self._head += piece
        return self._head

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if size < 0:
            # piece by piece: asked for everything, pyarrow would seek to find out how much that is
            rest = iter(lambda: self._plain.read(_BLOCK), b"")
            result, self._head = b"".join([self._head, *rest]), b""
        elif self._head:
            result, self._head = self._head[:size], self._head[size:]
        else:
            result = self._plain.read(size)
        return result

    def fraction(self) -> float:
        try:
            return self._raw.tell() / self._size if self._size else 0.0
        except (OSError, ValueError):  # already closed by its reader: all of it was read
            return 1.0

    def close(self) -> None:
        if self.path != "-":
            self._raw.close()
            if self._file is not None:
                self._file.close()
        super().close()


class _Csv:
    def __init__(self, path: str, stream: _Stream, options: Options) -> None:
        self.path, self._stream, self._options = path, stream, options
        stem = path.lower().removesuffix(".gz")
        self._delimiter = options.delimiter or ("\t" if stem.endswith((".tsv", ".tab")) else ",")
        text = codecs.getincrementaldecoder(options.encoding)().decode(stream.head(), False).lstrip("\ufeff")
        self.names = next(csv.reader(io.StringIO(text, newline=""), delimiter=self._delimiter), [])
        if len(self.names) == 1:
            only = self.names[0]
            other = next((mark for mark in ";\t|," if mark in only and mark != self._delimiter), None)
            if other:
                name = "tab" if other == "\t" else f"'{other}'"
                only = only if len(only) <= 60 else only[:60] + "..."
                raise DataError(
                    f"{shown(path)} has one single column, '{only}'; if {name} separates columns, "
                    f"give --delimiter {name}"
                )

    def batches(self, want: Want) -> Iterator[Any]:
        try:
            yield from self._parse(self._stream, want, threads=True)
        except arrow().ArrowInvalid as error:
            message = self._in_words(self._located(want, error))
            raise DataError(f"{shown(self.path)}: {message}{_decimal_comma(message)}") from error

    def _parse(self, stream: _Stream, want: Want, *, threads: bool) -> Iterator[Any]:
        pa, pacsv = arrow(), arrow(".csv")
        types = {name: pa.float64() for name in want.numeric} | {name: pa.string() for name in want.text}
        with pacsv.open_csv(
            pa.PythonFile(stream, mode="r"),
            read_options=pacsv.ReadOptions(block_size=_BLOCK, encoding=self._options.encoding, use_threads=threads),
            parse_options=pacsv.ParseOptions(delimiter=self._delimiter, newlines_in_values=True),
            convert_options=pacsv.ConvertOptions(column_types=types, include_columns=list(want.columns)),
        ) as reader:
            yield from reader

    def _located(self, want: Want, error: Exception) -> str:
        """The message with its line number, which pyarrow knows only when it reads with one thread."""
        if os.path.isfile(self.path):
            try:
                for _ in self._parse(_Stream(self.path), want, threads=False):
                    pass
            except arrow().ArrowInvalid as same:
                return str(same)
        return str(error)

    def _in_words(self, message: str) -> str:
        """pyarrow counts columns; people name them."""
        pattern = r"In CSV column #(\d+): (?:Row #(\d+): )?CSV conversion error to (\w+): (.*)"
        found = re.search(pattern, message)
        if found is None or "UTF8" in message:
            return _first_line(message).replace("CSV parse error: Row #", "line ")
        number, row, kind, what = found.groups()
        where = f", line {row}" if row else ""
        kind = "a number" if kind == "double" else kind
        return f"column '{self.names[int(number)]}'{where}: {what}, expected {kind}"

    def done(self) -> float:
        return self._stream.fraction()

    def close(self) -> None:
        self._stream.close()


def _decimal_comma(message: str) -> str:
    """A hint if what could not be read is ``'0,395'``, or a whole line of one column that reads so.

    >>> _decimal_comma("invalid value '0,395', expected a number")
    '; numbers are written with a decimal point: 0.395'
    """
    found = re.search(r"(?:'|: )(-?\d+),(\d+)(?:'|$)", message)
    return f"; numbers are written with a decimal point: {found[1]}.{found[2]}" if found else ""


class _Jsonl:
    def __init__(self, path: str, stream: _Stream, options: Options) -> None:
        self.path, self._stream = path, stream
        codecs.getincrementaldecoder("utf-8")().decode(stream.head(), False)
        self._rows = 0
        self._chunks = self._parse()
        self._first = next(self._chunks)
        self.names = list(self._first.schema.names)

    def _lines(self) -> Iterator[bytes]:
        """Blocks that end at a line end."""
        rest = b""
        while block := self._stream.read(_BLOCK):
            cut = block.rfind(b"\n") + 1
            if cut:
                yield rest + block[:cut]
                rest = block[cut:]
            else:
                rest += block
        if rest.strip():
            yield rest

    def _parse(self) -> Iterator[Any]:
        pa = arrow()
        pajson = arrow(".json")
        for block in self._lines():
            if not block.strip():
                continue
            options = pajson.ReadOptions(block_size=max(len(block) + 1, 1 << 16))
            try:
                table = pajson.read_json(pa.BufferReader(block), read_options=options)
            except pa.ArrowInvalid as error:
                raise DataError(f"{shown(self.path)}: {self._in_words(block, _first_line(error))}") from error
            self._rows += table.num_rows
            yield table

    def _in_words(self, block: bytes, message: str) -> str:
        """The first line that is not an object, counted over the whole file."""
        for number, line in enumerate(block.splitlines(), self._rows + 1):
            try:
                if line.strip() and not isinstance(json.loads(line), dict):
                    return f"line {number} is not a JSON object"
            except json.JSONDecodeError as error:
                return f"line {number}, position {error.colno}: {error.msg}"
        return message

    def batches(self, want: Want) -> Iterator[Any]:
        pa = arrow()
        for table in chain([self._first], self._chunks):
            for name in want.columns:  # a key that no object of this block has: null in all of them
                if name not in table.schema.names:
                    table = table.append_column(name, pa.nulls(table.num_rows))
            yield from table.select(list(want.columns)).combine_chunks().to_batches()

    def done(self) -> float:
        return self._stream.fraction()

    def close(self) -> None:
        self._stream.close()


class _Parquet:
    def __init__(self, path: str, stream: _Stream, options: Options) -> None:
        pa = arrow()
        parquet = arrow(".parquet")
        source = path
        if not os.path.isfile(path):  # the footer comes last, so what is piped in has to be held
            source = pa.BufferReader(stream.read())
        try:
            self._file = parquet.ParquetFile(source, pre_buffer=False)  # else a row group is held as it is
        except (pa.ArrowInvalid, OSError) as error:
            raise DataError(f"{shown(path)} is not a complete Parquet file: {_first_line(error)}") from error
        finally:
            stream.close()
        self.names = list(self._file.schema_arrow.names)
        self._rows = 0

    def batches(self, want: Want) -> Iterator[Any]:
        for batch in self._file.iter_batches(batch_size=_BATCH_ROWS, columns=list(want.columns)):
            self._rows += batch.num_rows
            yield batch

    def done(self) -> float:
        total = self._file.metadata.num_rows
        return self._rows / total if total else 1.0

    def close(self) -> None:
        self._file.close()


class _Arrow:
    """Arrow IPC, the file format (Feather) and the stream format."""

    def __init__(self, path: str, stream: _Stream, options: Options) -> None:
        pa = arrow()
        ipc = arrow(".ipc")
        self._stream = stream
        try:
            if stream.head()[:6] == b"ARROW1":
                source = pa.memory_map(path) if os.path.isfile(path) else pa.BufferReader(stream.read())
                file = ipc.open_file(source)
                self._batches = (file.get_batch(index) for index in range(file.num_record_batches))
                self._total, schema = file.num_record_batches, file.schema
            else:
                self._batches = reader = ipc.open_stream(pa.PythonFile(stream, mode="r"))
                self._total, schema = 0, reader.schema
        except (pa.ArrowInvalid, OSError) as error:
            raise DataError(f"{shown(path)} is not a complete Arrow file: {_first_line(error)}") from error
        self.names = list(schema.names)
        self._count = 0

    def batches(self, want: Want) -> Iterator[Any]:
        for batch in self._batches:
            self._count += 1
            selected = batch.select(list(want.columns))
            for start in range(0, selected.num_rows, _BATCH_ROWS):  # files of one huge batch exist
                yield selected.slice(start, _BATCH_ROWS)

    def done(self) -> float:
        return self._count / self._total if self._total else self._stream.fraction()

    def close(self) -> None:
        self._stream.close()
