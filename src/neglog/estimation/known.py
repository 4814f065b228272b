"""Parameters that are known: one number for all rows, or one per row, such as a binomial's number of trials."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from neglog.errors import DataError, InputError, ParameterError, ShapeError
from neglog.estimation.layout import Slot
from neglog.estimation.request import Request, named
from neglog.estimation.tables import Floats, Table, floats
from neglog.estimation.terms import Constant

if TYPE_CHECKING:
    from neglog.estimation.data import Sample
    from neglog.estimation.result import Fit


def columns(family: Any, request: Request, fixed: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of the data that a user's likelihood reads, by the name of the parameter that stands for each."""
    found: dict[str, Any] = {}
    for parameter in family.parameters:
        given = fixed.get(parameter.name, parameter.column)
        if not parameter.column or not isinstance(given, str):
            continue
        if request.table is None:
            raise InputError(
                f"fit: {family.name} reads the column {parameter.column!r}; pass data={{{parameter.column!r}: ...}}, "
                "or name it among the parameters if it is to be estimated"
            )
        found[parameter.name] = request.table.column(given)
    return found


def known(
    family: Any, request: Request, sample: Sample, fixed: Mapping[str, Any], offsets: Mapping[str, Any]
) -> dict[str, Floats]:
    """Values on the parameter's own scale, ``(1,)`` or ``(n,)``, of what is fixed and has no covariates."""
    found: dict[str, Floats] = {}
    for parameter in family.parameters:
        name = parameter.name
        if name not in fixed or request.sources[name] is not None or name in offsets:
            continue
        what = f"column {parameter.column!r}" if parameter.column else f"fixed {name}"
        values = floats(named(fixed[name], request.table, "fixed"), what)
        if values.shape not in ((), sample.keep.shape):
            raise ShapeError(
                f"fit: {what} has shape {values.shape}; allowed: a number, or one per row {sample.keep.shape}"
            )
        values = values[sample.keep] if values.ndim else values.reshape(1)
        if (bad := ~parameter.domain.contains(values)).any():
            where = f" at row {np.flatnonzero(sample.keep)[bad][0]}" if values.size > 1 else ""
            error = DataError if np.isnan(values[bad][0]) else ParameterError
            raise error(f"fit: fixed: {name} = {values[bad][0]:g}{where} is outside its domain {parameter.domain}")
        found[name] = values
    return found


def slot(parameter: Any, values: Floats) -> Slot:
    """Nothing to estimate; shown if it is one number."""
    with np.errstate(all="ignore"):
        held = np.asarray(parameter.link.apply(values[:1]), dtype=np.float64)
    no = np.zeros(1, bool)
    return Slot(parameter.name, Constant(), no, held, no, parameter.link, len(values) == 1, float(values[0]))


def predicted(fit: Fit, data: Any, fixed: Mapping[str, Any] | None, rows: int) -> dict[str, Floats]:
    """What is known of the rows of a prediction, ``(rows,)`` each."""
    given = dict(fixed or {})
    found: dict[str, Floats] = {}
    for position, (parameter, term) in enumerate(zip(fit.family.parameters, fit.terms, strict=True)):
        name = parameter.name
        per_row = name not in fit.names
        if not isinstance(term, Constant) or not (per_row or name in fit.fixed):
            continue
        if not per_row:
            values = np.array([fit.params[name]])
        elif data is None and fit.training is not None:
            model: Any = fit.training.model
            values = model.problem.rows.known[position]
        elif name in given:
            values = np.atleast_1d(floats(given.pop(name), f"fixed {name}"))
        elif parameter.column:
            values = _column(parameter.column, data, rows)
        else:
            raise InputError(f"predict: {name} was known per row of the fit; pass fixed={{{name!r}: ...}} for new rows")
        if values.shape not in ((1,), (rows,)):
            raise ShapeError(f"predict: fixed {name} has shape {values.shape}; allowed: a number, or ({rows},)")
        found[name] = np.broadcast_to(values, (rows,))
    if given:
        raise InputError(f"predict: fixed names {next(iter(given))!r}, which was not known per row of the fit")
    return found


def _column(name: str, data: Any, rows: int) -> Floats:
    """A column that the likelihood reads, of new rows."""
    if isinstance(data, (int, np.integer)):
        raise InputError(f"predict: the likelihood reads the column {name!r}; pass data={{{name!r}: ...}}")
    values = floats(Table.of(data).column(name), f"column {name!r}")
    if np.isnan(values).any() or values.shape != (rows,):
        raise DataError(f"predict: column {name!r} must have one number for each of the {rows} rows, none missing")
    return values
