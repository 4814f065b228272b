"""Results as data: JSON that every parser reads, one record per line, CSV."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from typing import Any

from neglog.report.model import Report, Table

SCHEMA_VERSION = 1


def plain(value: Any) -> Any:
    """JSON-able values: arrays become lists, inf and NaN the strings "inf", "-inf" and "nan".

    JSON has no infinity, yet an infinite NLL is an answer and must not turn into null.

    >>> plain({"nll": float("inf"), "counts": (1, 2)})
    {'nll': 'inf', 'counts': [1, 2]}
    """
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):  # numpy arrays and scalars
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def to_json(data: dict[str, Any], *, indent: int | None = 2) -> str:
    """Sorted keys and a schema version, so that two runs can be compared line by line."""
    return json.dumps(plain({"schema_version": SCHEMA_VERSION, **data}), sort_keys=True, indent=indent)


def json_lines(records: Sequence[dict[str, Any]]) -> str:
    """One record per line."""
    return "".join(json.dumps(plain(record)) + "\n" for record in records)


def csv_table(table: Table) -> str:
    """One table with its keys as head; numbers in full precision."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column.key for column in table.columns])
    writer.writerows([["" if value is None else value for value in row] for row in table.rows])
    return out.getvalue()


_LONGEST = 200  # entries of a list in a page; a score of 50,000 classes has its own file


def report_json(report: Report) -> str:
    """The result behind a report, compact, safe inside a ``<script>`` element.

    Long lists are cut; ``shortened`` then says how long they were.
    """
    data: dict[str, Any] = {"kind": report.kind, "status": report.status, "ok": report.ok}
    data |= plain(report.data)
    long = {key: len(value) for key, value in data.items() if isinstance(value, list) and len(value) > _LONGEST}
    if long:
        data |= {key: data[key][:_LONGEST] for key in long} | {"shortened": long}
    return to_json(data, indent=None).replace("<", "\\u003c")
