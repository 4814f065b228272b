"""``neglog fit``."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from neglog._optional import require
from neglog.cli.exits import NOT_VERIFIED, OK, UsageError
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
from neglog.cli.outputs import rendered, write_report, write_text
from neglog.cli.own import family as own_family
from neglog.cli.own import numbers, present, reads
from neglog.cli.progress import Progress
from neglog.errors import DataError, InputError
from neglog.evaluation.readers import arrow


def fit(
    family: str,
    /,
    *files: File,
    y: str | None = None,
    time: str | None = None,
    event: str | None = None,
    lower: str | None = None,
    upper: str | None = None,
    x: Columns = None,
    formula: Annotated[list[str] | None, Parameter(metavar="FORMULA")] = None,
    no_intercept: bool = False,
    l2: float = 0.0,
    weights: str | None = None,
    weight_kind: Literal["frequency", "precision", "sampling"] = "frequency",
    offset: str | None = None,
    fixed: Annotated[list[str] | None, Parameter(metavar="NAME=VALUE", negative=())] = None,
    missing: Literal["raise", "drop"] = "raise",
    own: Annotated[str | None, Parameter(name="--family", metavar="FILE.PY:NAME")] = None,
    data: Annotated[Columns, Parameter(metavar="NAME=COLUMN")] = None,
    start: Annotated[Columns, Parameter(metavar="NAME=VALUE")] = None,
    level: float = 0.95,
    save: File | None = None,
    reading: Reading = DEFAULT_READING,
    writing: Writing = DEFAULT_WRITING,
) -> int:
    """Estimate the parameters of a family by maximum likelihood.

    Examples: neglog fit weibull test.csv --time hours --event failed; neglog fit categorical train.parquet
    --y label --x 'pixel_*' --l2 1 --save model.json; neglog fit normal cars.csv --formula 'mpg ~ hp + wt'.
    Exits with 4 if the optimum could not be verified; the estimates are shown all the same.

    Parameters
    ----------
    family
        What 'neglog families' lists, or file.py:name for a likelihood of your own (nl.Custom).
    files
        Data files, globs, or - for standard input.
    y
        Column of the response.
    time
        Column of times, with --event: right-censored data.
    event
        Column that is 1 where the time was observed and 0 where it was censored.
    lower
        Column of lower ends, with --upper: rows known to lie in (lower, upper]; equal ends are exact, an
        empty cell is an open end.
    upper
        Column of upper ends.
    x
        Columns of covariates, comma-separated or repeated; globs such as 'pixel_*'.
    formula
        'y ~ a + b', or '~ a + b' with --y or --time. For other parameters repeat it, as in
        --formula 'hours ~ x' --formula 'scale = ~ x': one without a name belongs to the location.
    no_intercept
        With --x: do not add a column of ones.
    l2
        Gaussian prior: adds l2/2 times the sum of squared coefficients, intercepts excluded.
    weights
        Column of weights.
    weight_kind
        What a weight means: repeated rows, precision, or sampling.
    offset
        Column added to the linear predictor, such as the log of an exposure.
    fixed
        A parameter or coefficient that is known, by its name in the table, as in --fixed shape=2; repeat it for more.
        A parameter may be a column too: --fixed n=trials.
    missing
        What to do with rows that lack a value.
    own
        The family, in place of the first argument: neglog fit --family curve.py:line data.csv --y y.
    data
        Where a likelihood of your own finds a column that it reads, if its name differs.
    start
        Where to begin, comma-separated or repeated: b1=500,b2=0.0001.
    level
        Coverage of intervals.
    save
        Write the fitted model, for 'neglog predict' and nl.load.
    """
    import neglog as nl
    from neglog.report.fit import fit_report

    _between("--level", level)
    known, files = (own_family(own), (family, *files)) if own is not None else (own_family(family), files)
    texts = formulas(formula, known.location)
    read = reads(known, columns(data))
    held = known_values(fixed) | read
    response = Response.of(y, time, event, lower, upper, texts)
    tables = reading.tables(files)
    writing.check(save, inputs=tables.paths)
    present(known, read, tables.names)
    plan = _plan(known, tables, response, columns(x), texts, [weights, offset, *_names(held)])
    with Progress(f"fit {known.name}", writing.quiet) as progress:
        table = _read(tables, plan, progress)
        if known.classes == "unordered" and y is not None:
            table = _labelled(table, y)
        if lower is not None and upper is not None:
            table = _open_ended(table, lower, upper)
        try:
            result = nl.fit(
                known,
                response.argument(texts),
                plan.covariates(),
                data=table,
                intercept=not no_intercept,
                weights=weights,
                weight_kind=weight_kind,
                offset=offset,
                l2=l2,
                fixed=held,
                missing=missing,
                start=numbers("--start", columns(start)),
            )
        except DataError as error:
            raise DataError(_placed(str(error), tables.paths)) from error
        except InputError as error:
            if str(error).startswith("fit: fixed"):
                raise UsageError(str(error).replace("fit: fixed", "--fixed", 1)) from error
            if known.written:  # it is the function that is wrong, not the data
                raise UsageError(str(error)) from error
            raise
    report = fit_report(
        result,
        title=f"{known.name.capitalize()} fit of {response.shown}",
        level=level,
        source=named(files),
        response=response.shown,
        figures=writing.report is not None or writing.format == "md",
    )
    if save is not None:
        write_text(save, result.to_json() + "\n")
    if writing.report is not None:
        write_report(report, writing.report)
    sys.stdout.write(rendered(report, writing.format))
    if not result.ok:
        print(f"neglog: the fit is not verified ({result.status}): {result.message}", file=sys.stderr)
        return NOT_VERIFIED
    return OK


def _between(option: str, value: float) -> None:
    if not 0 < value < 1:
        raise UsageError(f"{option} must be between 0 and 1, not {value:g}")


@dataclass(frozen=True)
class Response:
    """What is explained: columns, and how the library is told."""

    columns: tuple[str, ...]
    shown: str
    call: str | None  # for ``nl.fit``; None where the formula names the response

    @classmethod
    def of(
        cls,
        y: str | None,
        time: str | None,
        event: str | None,
        lower: str | None,
        upper: str | None,
        formulas: dict[str, str],
    ) -> Response:
        """Exactly one way of naming the response."""
        lefts = {text.partition("~")[0].strip() for text in formulas.values()} - {""}
        pairs = {"--y": (y,), "--time and --event": (time, event), "--lower and --upper": (lower, upper)}
        used = [name for name, given in pairs.items() if any(value is not None for value in given)]
        if len(used) + bool(lefts) != 1:
            which = " and ".join([*used, *(["the formula"] if lefts else [])])
            problem = f"both {which} name the response" if which else "nothing names the response"
            raise UsageError(f"{problem}; give one of --y, --time with --event, --lower with --upper, or 'y ~ x'")
        if lefts:
            return cls((), ", ".join(sorted(lefts)), None)
        given = pairs[used[0]]
        if None in given:
            raise UsageError(f"{used[0]} go together")
        names = tuple(name for name in given if name is not None)
        if len(names) == 1:
            return cls(names, names[0], names[0])
        if any(set(name) & set("(),`") for name in names):
            raise UsageError(f"{used[0]}: a column name with one of ( ) , ` cannot be used here; rename it")
        function = "right_censored" if time is not None else "interval"
        return cls(names, names[0] if function == "right_censored" else f"({names[0]}, {names[1]}]",
                   f"{function}({names[0]}, {names[1]})")  # fmt: skip

    def argument(self, formulas: dict[str, str]) -> Any:
        """The ``y`` of :func:`neglog.fit`."""
        if self.call is not None:
            return self.call
        return formulas


@dataclass(frozen=True)
class Plan:
    """Which columns are read, and what becomes of them."""

    columns: tuple[str, ...]
    numeric: tuple[str, ...]
    text: tuple[str, ...]
    x: tuple[str, ...]
    formulas: dict[str, str]
    in_x: bool  # the formulas are the ``X`` of the call
    hints: dict[str, str]  # what to add to a message that a column holds no numbers

    def covariates(self) -> Any:
        """The ``X`` of :func:`neglog.fit`."""
        if self.x:
            return list(self.x)
        return self.formulas if self.in_x and self.formulas else None


def formulas(given: list[str] | None, location: str) -> dict[str, str]:
    """Formulas by parameter; one that names none belongs to the location.

    >>> formulas(["y ~ a", "scale=~ b"], "loc"), formulas(["y ~ a + b"], "rate")
    ({'loc': 'y ~ a', 'scale': '~ b'}, {'rate': 'y ~ a + b'})
    """
    found: dict[str, str] = {}
    for text in given or []:
        match = re.fullmatch(r"\s*(?:(\w+)\s*=)?\s*([^=]*~.*)", text)
        if match is None:
            raise UsageError(f"--formula {text!r} must read 'y ~ a + b', '~ a' or 'parameter = ~ a'")
        name = match[1] or location
        if name in found:
            raise UsageError(
                f"--formula: two formulas for {name}; one without a name, as in 'y ~ x', is for {location}"
            )
        found[name] = match[2].strip()
    return found


def known_values(given: list[str] | None) -> dict[str, float | str]:
    """What is fixed, by name: a number, or the name of a column.

    >>> known_values(["shape=2", "n=trials"])
    {'shape': 2.0, 'n': 'trials'}
    """
    found: dict[str, float | str] = {}
    for text in given or []:
        name, _, value = (part.strip() for part in text.rpartition("="))
        if not name or not value:
            raise UsageError(f"--fixed {text!r} must read NAME=VALUE")
        if name in found:
            raise UsageError(f"--fixed: two values for {name}")
        try:
            found[name] = float(value)
        except ValueError:
            found[name] = value
    return found


def _names(held: dict[str, float | str]) -> list[str | None]:
    """The columns among known values."""
    return [value for value in held.values() if isinstance(value, str)]


def _plan(
    family: Any, tables: Any, response: Response, x: list[str], texts: dict[str, str], extra: list[str | None]
) -> Plan:
    from neglog.estimation.formula import variables

    if x and texts:
        raise UsageError("--x and --formula exclude each other")
    more = tuple(name for name in extra if name is not None)
    tables.require([*response.columns, *more])
    taken = {*response.columns, *more}
    # a glob such as '*' means the other columns
    covariates = tuple(name for name in tables.expand(x) if name not in taken or name in x)
    both = [name for name in covariates if name in response.columns]
    if both:
        raise UsageError(f"--x: '{both[0]}' is the response")
    mentioned = [name for text in texts.values() for name in variables(text, tables)]
    tables.require(name for text in texts.values() for name in _unknown(text, tables.names))
    vector = family.classes == "unordered"
    text = response.columns if vector else ()
    numeric = (*(() if vector else response.columns), *more, *covariates)
    names = tuple(dict.fromkeys((*response.columns, *more, *covariates, *mentioned)))
    hints = dict.fromkeys(covariates, "; --x takes numbers, --formula 'y ~ a + b' also takes categories")
    if family.name == "bernoulli":
        hints |= dict.fromkeys(response.columns, "; a bernoulli response is 1 or 0")
    return Plan(names, numeric, text, covariates, texts, response.call is not None, hints)


def _read(tables: Any, plan: Plan, progress: Progress) -> Any:
    from neglog.evaluation.sources import Want

    if not plan.columns:
        raise UsageError("the formula mentions no column of the data")
    want = Want(plan.columns, frozenset(plan.numeric), frozenset(plan.text))
    try:
        return tables.read(want, progress.at)
    except DataError as error:
        hint = next((hint for name, hint in plan.hints.items() if f"column '{name}'" in str(error)), "")
        raise DataError(f"{error}{hint}") from error


def _unknown(formula: str, names: Sequence[str]) -> list[str]:
    """What a formula takes for columns and the files do not have; formulaic counts functions among them."""
    formulaic = require("formulaic", feature="a formula", extra="cli")
    from formulaic.errors import FormulaicError

    try:
        used: set[str] = set(formulaic.Formula(formula).required_variables)
    except (FormulaicError, SyntaxError):
        return []  # the fit says what is wrong with it
    return sorted(name for name in used - set(names) if not re.search(rf"\b{re.escape(name)}\s*[(.]", formula))


def _placed(message: str, paths: Sequence[str]) -> str:
    """The library's message, about rows of ``paths`` read one after the other."""
    from neglog.evaluation.sources import shown

    where = ", ".join(map(shown, paths[:3])) + (", ..." if len(paths) > 3 else "")
    counted = ""
    if re.search(r"\b(row|rows|position) \d", message):
        counted = " (rows are counted from 0" + (", through all files)" if len(paths) > 1 else ")")
    return f"{where}: {message.removeprefix('fit: ')}{counted}"


def _labelled(table: Any, y: str) -> Any:
    """Labels as integers where all are, so that class 10 follows class 9; an empty cell is missing."""
    compute = arrow(".compute")
    labels = table.column(y)
    labels = compute.if_else(compute.equal(labels, ""), None, labels)
    whole = compute.all(compute.match_substring_regex(labels, r"^(0|-?[1-9][0-9]{0,17})$")).as_py()
    if whole and not labels.null_count:
        labels = labels.cast(arrow().int64())
    return table.set_column(table.column_names.index(y), y, labels)


def _open_ended(table: Any, lower: str, upper: str) -> Any:
    """An empty cell at one end of an interval is an open end; at both ends the row is missing."""
    compute = arrow(".compute")
    low, high = table.column(lower), table.column(upper)
    no_low, no_high = compute.is_nan(low), compute.is_nan(high)
    ends = {
        lower: compute.if_else(compute.and_not(no_low, no_high), float("-inf"), low),
        upper: compute.if_else(compute.and_not(no_high, no_low), float("inf"), high),
    }
    for name, values in ends.items():
        table = table.set_column(table.column_names.index(name), name, values)
    return table
