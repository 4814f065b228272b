"""From a fit and new rows to linear predictors, parameters, means and probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from neglog.errors import DataError, InputError, ShapeError
from neglog.estimation import known
from neglog.estimation.tables import Floats, Table, floats
from neglog.estimation.terms import Constant, Formula, missing_in_formula

if TYPE_CHECKING:
    from neglog.estimation.result import Fit


_KINDS = {
    "": ("mean", "params"),
    "unordered": ("probs", "logprobs", "logits"),
    "ordered": ("probs", "logprobs", "params"),
}


def predict(fit: Fit, data: Any, kind: str | None, offset: Any, fixed: Mapping[str, Any] | None = None) -> Any:
    """See :meth:`neglog.estimation.result.Fit.predict`."""
    classes = fit.family.classes
    allowed = _KINDS[classes]
    kind = allowed[0] if kind is None or (classes and kind == "mean") else kind
    if kind not in allowed:
        raise InputError(f"predict: kind={kind!r}; a fit of {fit.family.name} gives {', '.join(allowed)}")
    if fit.family.event_ndim:
        return _joint(fit, data, kind)
    if data is None:
        if offset is not None:
            raise InputError("predict: the rows of the fit have their own offset; pass offset= with new data only")
        eta = _trained(fit)
    else:
        try:
            eta = _linear(fit, data, offset)
        except (InputError, DataError) as error:  # tables and formulas are read as they were for the fit
            raise type(error)(f"predict: {str(error).removeprefix('fit: ').removeprefix('predict: ')}") from None
    if classes and kind != "params":
        return _classes(fit, eta, kind)
    theta = {
        parameter.name: np.asarray(parameter.link.inverse(values))
        for parameter, values in zip(fit.family.parameters, eta, strict=True)
    }
    if not classes:
        theta |= known.predicted(fit, data, fixed, len(eta[0]))
    return theta if kind == "params" else fit.family.mean(**theta)


def _joint(fit: Fit, data: Any, kind: str) -> Any:
    """The parameters, which no covariates move, once for every row."""
    if data is None and fit.training is None:
        raise InputError("predict: a loaded fit does not hold the rows it was fitted to; pass data")
    count = _count(data) if data is not None else fit.rows
    place, matrix = (parameter.name for parameter in fit.family.parameters)
    entries = {tuple(name.split(".")): value for name, value in fit.params.items()}
    size = sum(key[0] == place for key in entries)
    loc, factor = np.zeros(size), np.zeros((size, size))
    for key, value in entries.items():
        if key[0] == place:
            loc[int(key[1])] = value
        else:
            factor[int(key[1]), int(key[2])] = value
    theta = {place: np.tile(loc, (count, 1)), matrix: np.tile(factor, (count, 1, 1))}
    return theta if kind == "params" else fit.family.mean(**theta)


def _classes(fit: Fit, eta: list[Floats], kind: str) -> Floats:
    if kind == "logits":
        return eta[0]
    if kind == "probs":
        return np.asarray(fit.family.mean(*eta))
    assert fit.classes is not None
    per_class = [values[:, None] if values.ndim == 1 else values[:, None, :] for values in eta]
    return -np.asarray(fit.family.nll(np.arange(len(fit.classes)), *per_class))


def _trained(fit: Fit) -> list[Floats]:
    """Linear predictors of the rows of the fit."""
    if fit.training is None:
        raise InputError("predict: a loaded fit does not hold the rows it was fitted to; pass data")
    model, x = fit.training.model, fit.training.x
    rows: Any = model.problem.rows
    everything = slice(0, rows.rows)
    eta = model.problem.eta(everything, x)
    if fit.family.classes == "unordered":
        return [rows.logits(everything, eta)]
    if fit.family.classes == "ordered":
        loc, cuts = rows.theta(everything, eta)
        return [np.broadcast_to(loc, (rows.rows,)), np.broadcast_to(cuts, (rows.rows, cuts.shape[-1]))]
    own = [eta[p] + rows.offsets[p] if p in rows.offsets else eta[p] for p in range(len(eta))]
    if rows.shift:
        moved = [parameter.name for parameter in fit.family.parameters].index(fit.family.translation)
        own[moved] = own[moved] + rows.shift
    return [np.broadcast_to(values, (rows.rows,)) for values in own]


def _linear(fit: Fit, data: Any, offset: Any) -> list[Floats]:
    """Linear predictors of new rows: per parameter ``(n,)``, logits ``(n, C)`` and thresholds ``(n, C - 1)``."""
    vector = {parameter.name for parameter in fit.family.parameters if parameter.event_ndim}
    names = [parameter.name for parameter in fit.family.parameters]
    sources = _per_parameter(fit, data, names)
    matrices: dict[str, Floats] = {}
    for name, term in zip(names, fit.terms, strict=True):
        if not isinstance(term, Constant):
            if isinstance(term, Formula):
                lost = missing_in_formula(term.rhs, Table.of(sources[name]))
                for column, mask in lost.items():
                    raise DataError(f"column {column!r} is missing at row {np.flatnonzero(mask)[0]}")
            matrices[name] = term.matrix(sources[name], 0)
            for row, column in np.argwhere(~np.isfinite(matrices[name]))[:1]:
                raise DataError(
                    f"column {term.columns[column]!r} of {name} is {matrices[name][row, column]} "
                    f"at row {row}; covariates must be finite"
                )
    rows = len(next(iter(matrices.values()))) if matrices else _count(data)
    given: Mapping[str, Any] = (
        offset if isinstance(offset, Mapping) else {} if offset is None else {fit.family.location: offset}
    )
    eta: list[Floats] = []
    coefficients = dict(zip(fit.names, fit.coefficients, strict=True))
    for name, term in zip(names, fit.terms, strict=True):
        columns = matrices.get(name, np.ones((rows, 1)))
        if len(columns) != rows:
            raise ShapeError(f"predict: {name} has {len(columns)} rows and others {rows}")
        values = columns @ _coefficients(fit, name, term, coefficients).T
        values = values if name in vector else values[:, 0]
        if name in given:
            own = floats(given[name], "offset")
            if own.shape != values.shape:
                raise ShapeError(f"predict: offset has shape {own.shape}; allowed: {values.shape}")
            values = values + own
        eta.append(values)
    return eta


def _coefficients(fit: Fit, name: str, term: Any, coefficients: dict[str, Any]) -> Floats:
    """``(1, k)`` for a number, ``(C, k)`` for logits, ``(C - 1, 1)`` for thresholds; what has no name is zero."""
    parameter = next(parameter for parameter in fit.family.parameters if parameter.name == name)
    labels = [name]
    if parameter.event_ndim and fit.classes is not None:
        ordered = fit.family.classes == "ordered"
        labels = [f"{name}.{end}" for end in (range(len(fit.classes) - 1) if ordered else fit.classes)]
    suffix = [""] if isinstance(term, Constant) else [f".{column}" for column in term.columns]
    return np.array([[float(coefficients.get(label + end, 0.0)) for end in suffix] for label in labels])


def _per_parameter(fit: Fit, data: Any, names: list[str]) -> dict[str, Any]:
    by_name = isinstance(data, Mapping) and set(cast("Mapping[str, Any]", data)) <= set(names)
    if by_name and not any(isinstance(term, Formula) for term in fit.terms):
        return {name: cast("Mapping[str, Any]", data).get(name) for name in names}
    return dict.fromkeys(names, data)


def _count(data: Any) -> int:
    """How many rows are wanted of a model without covariates."""
    if isinstance(data, (int, np.integer)):
        return int(data)
    if hasattr(data, "num_rows"):
        return int(data.num_rows)
    if isinstance(data, Mapping):
        data = next(iter(cast("Mapping[str, Any]", data).values()), ())
    if isinstance(data, Sized):
        return len(data)
    raise InputError("predict: data must be a table, a matrix, or a number of rows")
