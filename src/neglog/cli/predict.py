"""``neglog predict``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from cyclopts import Parameter

from neglog.cli.exits import OK, UsageError
from neglog.cli.options import DEFAULT_READING, Columns, File, Reading, columns
from neglog.cli.outputs import check_outputs, table_form, table_writer
from neglog.cli.own import family as own_family
from neglog.cli.own import present, reads, renamed
from neglog.cli.progress import Progress, warn
from neglog.evaluation.readers import arrow


def predict(
    model: File,
    /,
    *files: File,
    out: File = "-",
    keep: Columns = None,
    kind: Literal["probs", "logprobs", "logits", "mean", "params"] | None = None,
    prefix: str = "p_",
    format: Literal["csv", "jsonl", "parquet", "arrow"] | None = None,
    family: Annotated[str | None, Parameter(metavar="FILE.PY:NAME")] = None,
    data: Annotated[Columns, Parameter(metavar="NAME=COLUMN")] = None,
    quiet: bool = False,
    reading: Reading = DEFAULT_READING,
) -> int:
    """Predict new rows with a saved model.

    Rows are read and written in batches: files may be larger than memory. A categorical model gives one
    column of probabilities per class, p_<class>; others give 'mean', or their parameters with --kind params.

    Parameters
    ----------
    model
        What 'neglog fit --save' wrote.
    files
        Data files with the columns of the fit, globs, or - for standard input.
    out
        Where to: a .csv, .parquet, .arrow or .jsonl file, or - for standard output.
    keep
        Columns to carry over, comma-separated or repeated; globs.
    kind
        What to predict. Default: probs for a categorical model, mean for others.
    prefix
        What stands before the class in the name of a column of a categorical model.
    format
        Format of the output; by default it follows from the suffix of --out, and is csv on standard output.
    family
        The likelihood of the model, if it is your own: a saved model does not hold it.
    data
        Where a likelihood of your own finds a column that it reads, if its name differs.
    quiet
        No progress on standard error; warnings and errors remain.
    """
    import numpy as np

    import neglog as nl
    from neglog.evaluation.readers import shown

    form = table_form(out, format)
    check_outputs(out, inputs=[model])
    try:
        result = nl.load(model, family=None if family is None else own_family(family))
    except nl.DataError:
        raise
    except nl.InputError as error:
        raise UsageError(str(error).replace("pass family=", "give --family file.py:name")) from error
    read = reads(result.family, columns(data))
    if kind is not None and kind not in (allowed := _kinds(result)):
        raise UsageError(f"--kind {kind}: a {result.family.name} model gives {', '.join(allowed)}")
    if not result.ok:
        warn(f"the model is not verified ({result.status}): {result.message}")
    tables = reading.tables(files)
    check_outputs(out, inputs=tables.paths)
    present(result.family, read, tables.names)
    needed, numeric = _needed(result, tables, read)
    kept = tables.expand(columns(keep))
    rows = missing = 0
    with Progress("predict", quiet) as progress, table_writer(out, form) as writer:
        for batch in tables.batches(_want(needed, numeric, kept, tables.names[0])):
            predicted = _columns(result, batch.table, needed, kind, prefix, read)
            twice = [name for name in kept if name in predicted]
            if twice:
                raise UsageError(f"--keep {twice[0]}: a prediction has that name; choose another --prefix")
            writer.write(_assembled(batch.table, kept, predicted))
            rows += batch.table.num_rows
            missing += int(np.isnan(next(iter(predicted.values()))).sum())
            progress.at(tables.done, rows)
        if not rows:
            raise nl.DataError(f"{shown(files[0])} has a header but no rows")
    if missing:
        warn(f"{missing} of {rows} rows lack a covariate; their predictions are NaN")
    return OK


def _kinds(result: Any) -> tuple[str, ...]:
    return ("probs", "logprobs", "logits") if result.classes is not None else ("mean", "params")


def _needed(result: Any, tables: Any, read: dict[str, str]) -> tuple[tuple[str, ...], frozenset[str]]:
    """The columns that the model reads, and those of them that must be numbers."""
    from neglog.estimation.formula import variables
    from neglog.estimation.terms import Formula, Matrix

    matrix = list(read.values())
    mentioned: list[str] = []
    for term in result.terms:
        if isinstance(term, Matrix):
            matrix += term.columns[0 if term.intercept is None else 1 :]
        elif isinstance(term, Formula):
            mentioned += variables(term.rhs, tables)
    tables.require(matrix)
    return tuple(dict.fromkeys([*matrix, *mentioned])), frozenset(matrix)


def _want(needed: tuple[str, ...], numeric: frozenset[str], kept: tuple[str, ...], first: str) -> Any:
    from neglog.evaluation.sources import Want

    # a model without covariates reads some column all the same: it tells how many rows there are
    return Want(tuple(dict.fromkeys([*needed, *kept])) or (first,), numeric)


def _columns(
    result: Any, table: Any, needed: tuple[str, ...], kind: str | None, prefix: str, read: dict[str, str]
) -> dict[str, Any]:
    """Predictions by column name; NaN in rows that lack a covariate."""
    import numpy as np

    data: Any = table.num_rows
    complete = np.ones(table.num_rows, bool)
    if needed:
        data = arrow().Table.from_batches([table]).select(list(needed))
        missing = [column.is_null(nan_is_null=True).to_numpy() for column in data.columns]
        complete = ~np.logical_or.reduce(missing)
        data = renamed(data.filter(complete), read)
    values = result.predict(data, kind=kind)
    if result.classes is not None:
        values = {f"{prefix}{label}": values[:, index] for index, label in enumerate(result.classes)}
    elif not isinstance(values, dict):
        values = {"mean": values}
    return {name: _spread(column, complete) for name, column in values.items()}


def _spread(values: Any, complete: Any) -> Any:
    """``values`` in the rows that are complete, NaN in the others."""
    import numpy as np

    column = np.full(len(complete), np.nan)
    column[complete] = values
    return column


def _assembled(table: Any, kept: tuple[str, ...], predicted: dict[str, Any]) -> Any:
    pa = arrow()
    arrays = [table.column(name) for name in kept]
    arrays += [pa.array(values) for values in predicted.values()]
    return pa.RecordBatch.from_arrays(arrays, names=[*kept, *predicted])
