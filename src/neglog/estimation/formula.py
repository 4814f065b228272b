"""Formulas.

Formulaic does the work; here are the two halves, the response and what is kept to predict later.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from neglog._optional import require
from neglog.core.observations import Observations, interval, right_censored
from neglog.errors import DataError, InputError
from neglog.estimation.tables import Floats, Mask, Table, array, floats, levels

_CENSORED = re.compile(r"^\s*(right_censored|interval)\s*\(([^,()]+),([^,()]+)\)\s*$")
_NAMES = re.compile(r"`([^`]+)`|([^\W\d][\w.]*)")


def is_formula(value: object) -> bool:
    """Whether ``value`` is a string with a tilde."""
    return isinstance(value, str) and "~" in value


def split(formula: str) -> tuple[str, str]:
    """``"y ~ x"`` -> ``("y", "x")``; the left side may be empty."""
    left, tilde, right = formula.partition("~")
    if not tilde or "~" in right or not right.strip():
        raise InputError(f"fit: formula {formula!r} must read 'response ~ terms' or '~ terms'")
    return left.strip(), right.strip()


def variables(text: str, table: Table) -> list[str]:
    """The columns of ``table`` that a formula mentions, in the order of the table."""
    words = {quoted or plain for quoted, plain in _NAMES.findall(text)}
    words |= {word.partition(".")[0] for word in words}
    return [name for name in table.names if name in words]


def response(text: str, table: Table) -> Any:
    """Evaluate the left side.

    A column, ``right_censored(time, event)``, ``interval(lo, hi)``, or an expression.
    """
    if match := _CENSORED.match(text):
        build = {"right_censored": right_censored, "interval": interval}[match[1]]
        first, second = (table.column(name.strip(" `")) for name in match.groups()[1:])
        if build is interval:
            return interval(floats(first, "interval ends"), floats(second, "interval ends"))
        return _right_censored(floats(first, "times"), array(second))
    name = text.strip("`")
    if name in table.names or re.fullmatch(r"[\w.]+", name):
        column = table.column(name)
        return array(column) if levels(column) is None else column
    matrix, columns, _ = build_matrix(f"{text} - 1", table, np.ones(table.rows, bool))
    if len(columns) != 1:
        raise InputError(f"fit: the response {text!r} must give one column, not {len(columns)}")
    return matrix[:, 0]


def _right_censored(time: Floats, event: Any) -> Observations:
    """As :func:`right_censored`, with a row whose indicator is missing counted as a missing row."""
    flag = floats(event, "event indicators")
    lost = np.isnan(flag)
    return right_censored(np.where(lost, np.nan, time), np.where(lost, 0.0, flag))


def build_matrix(
    rhs: str, table: Table, keep: Mask, state: Mapping[str, Any] | None = None
) -> tuple[Floats, tuple[str, ...], dict[str, Any]]:
    """Model matrix of the right side on the rows ``keep``, its column names, and what reproduces it later.

    ``state`` holds what the terms learned from the data they were built on (the levels of a factor, the mean
    in ``center(x)``), as plain lists and dicts, so that it can be written as JSON.
    """
    formulaic = require("formulaic", feature="a formula", extra="cli")
    from formulaic.errors import DataMismatchWarning, FormulaicError

    frame = table.frame(variables(rhs, table), keep)
    learned: dict[str, Any] = {}
    if state is not None:
        kinds = formulaic.parser.types.Factor.Kind
        learned["transform_state"] = _thaw(state["transforms"])
        learned["encoder_state"] = {
            name: (kinds(kind), {} if levels is None else {"categories": levels})
            for name, (kind, levels) in state["factors"].items()
        }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DataMismatchWarning)
            warnings.simplefilter("ignore", RuntimeWarning)  # log(0) is found and named as an error later
            spec = formulaic.ModelSpec.from_spec(rhs, na_action="ignore", output="numpy", **learned)
            matrix = spec.get_model_matrix(frame)
    except DataMismatchWarning as warning:
        unseen = str(warning).partition("dataset): ")[2].partition(". ")[0].rstrip(".")
        unseen = re.sub(r"np\.\w+\(([^()]*)\)", r"\1", unseen)
        raise DataError(f"fit: formula '~ {rhs}': level {unseen} did not occur in the data of the fit") from None
    except (FormulaicError, TypeError, ValueError) as error:
        raise _explained(rhs, table, str(error)) from None
    spec = matrix.model_spec
    state = {
        "transforms": _freeze(spec.transform_state),
        "factors": {
            name: (kind.value, _freeze(known.get("categories"))) for name, (kind, known) in spec.encoder_state.items()
        },
    }
    return np.asarray(matrix, dtype=np.float64), tuple(map(str, spec.column_names)), state


def _explained(rhs: str, table: Table, reason: str) -> InputError:
    """A missing column is the usual reason and gets the usual message.

    The rest is passed on without colours.
    """
    if missing := re.search(r"`([^`]+)` is not present", reason):
        try:
            table.column(missing[1])
        except DataError as error:
            return error
    reason = re.sub(r"\x1b\[[\d;]*m", "", reason).replace("\n", " ")
    return InputError(f"fit: formula '~ {rhs}': {reason}")


def _freeze(value: Any) -> Any:
    """Plain Python for JSON; integer keys and arrays, which JSON has not, are tagged."""
    if isinstance(value, Mapping):
        items = [[_freeze(k), _freeze(v)] for k, v in value.items()]
        return {"items": items}
    if isinstance(value, np.ndarray):
        return {"array": _freeze(value.tolist())}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (list, tuple)):
        return [_freeze(v) for v in value]
    return value


def _thaw(value: Any) -> Any:
    if isinstance(value, Mapping):
        if "array" in value:
            return np.asarray(_thaw(value["array"]))
        return {_thaw(k): _thaw(v) for k, v in value["items"]}
    if isinstance(value, list):
        return [_thaw(v) for v in value]
    return value
