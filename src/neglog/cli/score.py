"""``neglog score``."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from neglog.cli import gates
from neglog.cli.exits import GATE_FAILED, OK, UsageError
from neglog.cli.options import (
    DEFAULT_READING,
    DEFAULT_WRITING,
    Columns,
    File,
    Reading,
    Writing,
    columns,
    named,
)
from neglog.cli.outputs import rendered, replacing, write_report
from neglog.cli.progress import Progress, warn
from neglog.errors import DataError, InputError


def score(
    *files: File,
    y: str,
    probs: Columns = None,
    logits: Columns = None,
    logprobs: Columns = None,
    classes: Columns = None,
    weights: str | None = None,
    on_bad: Literal["stop", "skip"] = "stop",
    row_sum: Literal["check", "normalise"] = "check",
    bins: int = 15,
    level: float = 0.95,
    table: Literal["headline", "classes", "bins", "worst"] | None = None,
    save: File | None = None,
    fail_if: Annotated[list[str] | None, Parameter(metavar="CONDITION")] = None,
    reading: Reading = DEFAULT_READING,
    writing: Writing = DEFAULT_WRITING,
) -> int:
    """Judge predicted class probabilities by their negative log-likelihood.

    Example: neglog score preds.parquet --y label --probs 'p_*' --report score.html --fail-if 'nll > 0.35'.
    Rows are read in batches: files may be larger than memory. Nothing is clipped: a row with probability 0
    for what happened makes the mean infinite, and is counted.

    Parameters
    ----------
    files
        Files with labels and predictions, globs, or - for standard input.
    y
        Column of the true class.
    probs
        Columns of probabilities, comma-separated or repeated, or a glob such as 'p_*'; one column of lists
        will also do.
    logits
        Columns of logits instead.
    logprobs
        Columns of log-probabilities instead.
    classes
        Labels in the order of the columns; columns named after them are found by their names. Default: what
        the * of the glob stands for, or the names of the columns without a common 'p_'.
    weights
        Column of weights.
    on_bad
        What to do with rows that cannot be scored (missing values, unknown labels, probabilities that do not
        sum to one): stop with exit code 3, or skip and count them.
    row_sum
        What to do with probabilities that were rounded: check that rows sum to one within 0.001, or normalise
        those within 0.05 and report how many.
    bins
        Number of bins of the reliability table.
    level
        Coverage of intervals.
    table
        What --format csv or jsonl prints: one row of headline numbers (nll, its stderr and interval,
        perplexity, accuracy, ...; the default), one row per class, the bins of the reliability table, or the
        rows with the largest loss. --format json holds all of them.
    save
        Write the mergeable state, for nl.Score.from_bytes.
    fail_if
        Exit with 1 if this holds, such as 'nll > 0.35' or 'accuracy < 90%'; may be repeated.
    """
    import neglog as nl
    from neglog.evaluation.inputs import columns_by_class
    from neglog.report.score import score_report

    conditions = [gates.parse(text) for text in fail_if or []]
    if not 0 < level < 1:
        raise UsageError(f"--level must be between 0 and 1, not {level:g}")
    if bins < 1:
        raise UsageError(f"--bins must be 1 or more, not {bins}")
    if table is not None and writing.format not in ("csv", "jsonl"):
        raise UsageError(f"--table {table} chooses what --format csv or jsonl prints, not {writing.format}")
    kind, patterns = _predictions(probs, logits, logprobs)
    tables = reading.tables(files)
    writing.check(save, inputs=tables.paths)
    names = tables.expand(patterns)
    tables.require([y] if weights is None else [y, weights])
    labels = columns(classes) or _class_names(patterns, names)
    if classes:
        order = columns_by_class(names, labels)
        names = names if order is None else tuple(names[k] for k in order)
    if len(names) > 1 and len(labels) != len(names):
        raise UsageError(f"--classes has {len(labels)} labels and --{kind} {len(names)} columns")
    settings: dict[str, Any] = {"input": kind, "classes": labels or None, "bins": bins, "row_sum": row_sum}
    state = nl.Score.classification(**settings, on_bad="raise" if on_bad == "stop" else "skip")
    _update(state, settings, tables, Reads(y, names, weights), writing.quiet)
    result = state.result(level)
    report = score_report(result, title=f"Score of {named(files)}")
    if save is not None:
        with replacing(save) as file:
            file.write(state.to_bytes())
    if writing.report is not None:
        write_report(report, writing.report)
    sys.stdout.write(rendered(report, writing.format, table))
    skipped = sum(result.bad.values())
    if skipped:
        warn(f"{skipped} rows could not be scored and were skipped: {_listed(result.bad)}")
    failed = [gate for gate in conditions if gate.fails(result)]
    for gate in failed:
        print(f"neglog: gate failed: {gate.text} ({gate.metric} is {gate.value(result):.6g})", file=sys.stderr)
    return GATE_FAILED if failed else OK


def _predictions(
    probs: list[str] | None, logits: list[str] | None, logprobs: list[str] | None
) -> tuple[Any, list[str]]:
    """The one kind of prediction that was declared, and its columns."""
    given = [(kind, columns(value)) for kind, value in
             (("probs", probs), ("logits", logits), ("logprobs", logprobs)) if value]  # fmt: skip
    if len(given) != 1:
        raise UsageError("give one of --probs, --logits and --logprobs: what the predictions are is never guessed")
    return given[0]


def _class_names(patterns: list[str], names: tuple[str, ...]) -> list[str]:
    """Class labels from column names.

    >>> _class_names(["p_*"], ("p_cat", "p_dog")), _class_names(["cat", "dog"], ("cat", "dog"))
    (['cat', 'dog'], ['cat', 'dog'])
    >>> _class_names(["p_cat", "p_dog"], ("p_cat", "p_dog")), _class_names(["p"], ("p",))
    (['cat', 'dog'], [])
    """
    if len(names) < 2:
        return []  # one column of lists: classes are 0, 1, ...
    if len(patterns) == 1 and patterns[0].count("*") == 1 and not set(patterns[0]) & set("?["):
        before, after = patterns[0].split("*")
        return [name[len(before) : len(name) - len(after)] for name in names]
    if all(name.startswith("p_") for name in names):
        return [name.removeprefix("p_") for name in names]
    return list(names)


@dataclass(frozen=True)
class Reads:
    """Which columns are the label, the predictions and the weight, and their values in a batch."""

    y: str
    names: tuple[str, ...]
    weights: str | None

    def want(self) -> Any:
        """What to read."""
        from neglog.evaluation.sources import Want

        numeric = (*self.names, *(() if self.weights is None else (self.weights,)))
        if self.y in numeric:
            raise UsageError(f"column '{self.y}' is both the label and a number to score with")
        return Want((self.y, *dict.fromkeys(numeric)), frozenset(numeric), frozenset({self.y}))

    def values(self, batch: Any) -> tuple[Any, Any, Any]:
        """Labels, predictions and weights (or None)."""
        table = batch.table
        weight = None if self.weights is None else table.column(self.weights).to_numpy(zero_copy_only=False)
        return table.column(self.y).to_numpy(zero_copy_only=False), _matrix(batch, self.names), weight


def _update(state: Any, settings: dict[str, Any], tables: Any, reads: Reads, quiet: bool) -> None:
    from neglog.evaluation.sources import shown

    rows, several = 0, len(tables.paths) > 1
    with Progress("score", quiet) as progress:
        for batch in tables.batches(reads.want()):
            labels, matrix, weight = reads.values(batch)
            try:
                state.update(labels, matrix, sample_weight=weight, key=_keys(batch, several))
            except InputError as error:
                why = _explained(settings, batch, reads, error)
                raise DataError(f"{shown(batch.source)}: {why}") from error
            rows += batch.table.num_rows
            progress.at(tables.done, rows)
    if not rows:
        raise DataError(f"{shown(tables.paths[0])} has a header but no rows")


def _explained(settings: dict[str, Any], batch: Any, reads: Reads, error: InputError) -> str:
    """The first bad row by its number in the file and with its values, and how many there are."""
    import neglog as nl
    from neglog.evaluation.inputs import kind_that_fits
    from neglog.evaluation.result import BAD_REASONS

    labels, matrix, weight = reads.values(batch)
    try:
        trial = nl.Score.classification(**settings, on_bad="skip")
        result = trial.update(labels, matrix, sample_weight=weight, key=_keys(batch, False)).result()
    except InputError:  # not about single rows
        return str(error)
    if not result.bad_rows:
        return str(error)
    first = result.bad_rows[0]
    at = int(first.row) - batch.first_row
    if first.reason == "label":
        given = f"{labels[at]!r}"
    elif first.reason == "weight":
        given = f"{weight[at]:g}"
    else:
        given = ", ".join(f"{value:.6g}" for value in matrix[at])
    more = ", ".join(f"{count} x {BAD_REASONS[reason]}" for reason, count in result.bad.items())
    if not result.nobs and (kind := kind_that_fits(matrix[:1000], settings["input"])):
        more += f"; {kind[0]}: --{kind[1]}?"
    elif "sum" in result.bad and settings["row_sum"] == "check":
        more += "; probabilities that were rounded: --row-sum normalise"
    last = batch.first_row + len(labels) - 1
    return (
        f"row {first.row}: {BAD_REASONS[first.reason]}: {given} "
        f"(in rows {batch.first_row} to {last}, counted from 0: {more}); "
        "--on-bad skip leaves such rows out and counts them"
    )


def _keys(batch: Any, several: bool) -> Any:
    """What names a row in reports: its number in its file, after the file's name where there are several."""
    import numpy as np

    numbers = np.arange(batch.first_row, batch.first_row + batch.table.num_rows)
    return numbers if not several else [f"{batch.source}:{number}" for number in numbers]


def _matrix(batch: Any, names: tuple[str, ...]) -> Any:
    """Predictions of a batch, shape ``(rows, classes)``."""
    import numpy as np

    if len(names) != 1:
        matrix = np.empty((batch.table.num_rows, len(names)))
        for index, name in enumerate(names):
            matrix[:, index] = batch.table.column(name).to_numpy(zero_copy_only=False)
        return matrix
    (name,) = names
    lists = batch.table.column(name).to_pylist()
    lengths: set[int] = {len(row) if isinstance(row, list) else 1 for row in lists}
    if len(lengths) > 1 or 1 in lengths:
        raise DataError(
            f"column '{name}': predictions for all classes are needed, one column each, or one column of "
            "lists of equal length"
        )
    return np.array(lists, dtype=np.float64)


def _listed(bad: dict[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in bad.items() if count)
