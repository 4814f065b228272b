"""The rows of a fit.

Response, window, weights, clusters, offsets; checked, aligned, and free of missing values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neglog.core.observations import Observations
from neglog.errors import DataError, InputError, ShapeError
from neglog.estimation import terms
from neglog.estimation.request import Request, named, rows_in
from neglog.estimation.tables import Floats, Mask, array, floats, levels, listed, nulls

WEIGHT_KINDS = ("frequency", "precision", "sampling")
_LARGEST = 1e152  # the curvature of a density in its scale has the square of the response, or one over it


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows that take part, in the order given.

    ``keep`` marks them among the rows of the call; ``weight`` multiplies a row's log-likelihood; ``nobs``
    counts observations: the sum of frequency weights, else the rows.
    """

    y: Observations | NDArray[Any]
    keep: Mask
    weight: Floats | None
    weight_kind: str | None
    window: tuple[Floats, Floats] | None
    offsets: dict[str, Floats]
    clusters: NDArray[np.int64] | None
    classes: tuple[Any, ...] | None
    nobs: float
    dropped: int

    @property
    def rows(self) -> int:
        """Number of rows that take part."""
        return len(self.y)


def gather(
    family: Any,
    request: Request,
    *,
    weights: Any,
    weight_kind: str,
    offset: Any,
    truncation: Any,
    clusters: Any,
    missing: str,
    columns: Mapping[str, Any],
) -> Sample:
    """Bring everything to one length, remove what is missing or weighs nothing, check the rest."""
    if weight_kind not in WEIGHT_KINDS:
        raise InputError(f"fit: weight_kind={weight_kind!r}; allowed: {', '.join(WEIGHT_KINDS)}")
    if missing not in ("raise", "drop"):
        raise InputError(f"fit: missing={missing!r}; allowed: 'raise', 'drop'")
    n, table = rows_in(request.y), request.table
    vector = bool(family.classes)
    order = levels(request.y)
    y = _response(request.y, vector, family.event_ndim)
    lost: dict[str, Mask] = {f"the response {request.response!r}": _missing_response(y)}
    weight = _column(named(weights, table, "weights"), n, "weights", lost)
    window = _window(truncation, n, request, lost)
    offsets = _offsets(family, offset, n, request, lost)
    groups = None if clusters is None else array(named(clusters, table, "clusters"))
    if groups is not None:
        _same_length(groups.shape, n, "clusters")
        lost["clusters"] = nulls(groups)
    _missing_covariates(request, n, lost)
    for name, values in columns.items():
        _column(values, n, f"column {name!r}", lost)
    used = np.ones(n, bool) if weight is None else ~(weight == 0)  # what weighs nothing is never read
    keep, dropped = _complete(lost, used, missing)
    if not keep.any():
        reasons = [f"{dropped} have missing values"] * bool(dropped)
        reasons += [f"{n - used.sum()} have weight 0"] * (not used.all())
        raise DataError(
            f"fit: no rows are left of {n}: {' and '.join(reasons)}" if n else "fit: the response has no rows"
        )
    if weight is not None:
        weight = weight[keep]
        if (bad := ~((weight > 0) & np.isfinite(weight))).any():
            raise DataError(
                f"fit: weights must be finite and not negative; row {_original(keep, bad)} has {weight[bad][0]:g}"
            )
    y = y if keep.all() else y[keep]
    windows = None if window is None else (window[0][keep], window[1][keep])
    classes = None
    if vector:
        classes, y = _classes(y, order, family.classes == "ordered")
    elif family.event_ndim:
        _refuse(~np.isfinite(y).all(axis=1), keep, y, f"outside the support of {family.name}")  # type: ignore[arg-type]
    else:
        y = _inside(family, y, windows, keep)
    repeats = weight is not None and weight_kind == "frequency"
    return Sample(
        y=y,
        keep=keep,
        weight=weight,
        weight_kind=None if weight is None else weight_kind,
        window=windows,
        offsets={name: values[keep] for name, values in offsets.items()},
        clusters=None if groups is None else np.unique(groups[keep], return_inverse=True)[1],
        classes=classes,
        nobs=float(weight.sum()) if repeats and weight is not None else float(keep.sum()),
        dropped=dropped,
    )


def _response(y: Any, vector: bool, event_ndim: int) -> Observations | NDArray[Any]:
    if isinstance(y, Observations):
        if vector:
            raise InputError("fit: classes cannot be censored; give their labels")
        if event_ndim:
            raise InputError("fit: observations of several numbers cannot be censored")
        if len(y.shape) != 1:
            raise ShapeError(f"fit: the response has shape {y.shape}; allowed: (n,)")
        return y
    values = array(y) if vector else floats(y, "the response")
    if values.ndim != 1 + event_ndim:
        raise ShapeError(f"fit: the response has shape {values.shape}; allowed: {'(n, D)' if event_ndim else '(n,)'}")
    return values


def _missing_response(y: Observations | NDArray[Any]) -> Mask:
    if isinstance(y, Observations):
        return np.isnan(y.lower) | np.isnan(y.upper)
    return np.asarray(nulls(y).reshape(y.shape).any(axis=tuple(range(1, y.ndim))))


def _same_length(shape: tuple[int, ...], n: int, what: str) -> None:
    if shape != (n,):
        raise ShapeError(f"fit: {what} has shape {shape} and the response ({n},); they must be equal")


def _column(values: Any, n: int, what: str, lost: dict[str, Mask]) -> Floats | None:
    if values is None:
        return None
    column = floats(values, what)
    _same_length(column.shape, n, what)
    lost[what] = np.isnan(column)
    return column


def _window(truncation: Any, n: int, request: Request, lost: dict[str, Mask]) -> tuple[Floats, Floats] | None:
    """``(low, high)``, each a number, an array, a column's name or None, as two arrays."""
    if truncation is None:
        return None
    if not isinstance(truncation, (tuple, list)) or len(truncation) != 2:
        raise InputError("fit: truncation must be a pair (low, high), with None for an open end")
    ends: list[Floats] = []
    for end, what, fill in zip(truncation, ("low", "high"), (-np.inf, np.inf), strict=True):
        end = named(end, request.table, "truncation")
        values = floats(fill if end is None else end, f"the {what} ends of truncation")
        if values.ndim:
            _same_length(values.shape, n, f"truncation {what}")
        ends.append(np.broadcast_to(values, (n,)).copy())
    lost["truncation"] = np.isnan(ends[0]) | np.isnan(ends[1])
    return ends[0], ends[1]


def _offsets(family: Any, offset: Any, n: int, request: Request, lost: dict[str, Mask]) -> dict[str, Floats]:
    """By parameter; a bare array belongs to the location. A categorical takes ``(n, C)``."""
    if offset is None:
        return {}
    given: dict[str, Any] = offset if isinstance(offset, dict) else {family.location: offset}
    found: dict[str, Floats] = {}
    for name, values in given.items():
        if name not in request.sources:
            raise InputError(f"fit: offset names {name!r}; the parameters are {', '.join(request.sources)}")
        column = floats(named(values, request.table, "offset"), "offset")
        vector = family.classes == "unordered"
        if vector and (column.ndim != 2 or len(column) != n):
            raise ShapeError(f"fit: offset has shape {column.shape}; a {family.name} takes (n, C)")
        if not vector:
            _same_length(column.shape, n, "offset")
        lost[f"offset of {name}"] = np.asarray(np.isnan(column).reshape(n, -1).any(axis=1))
        if np.isinf(column).any():
            raise DataError(f"fit: offset of {name} is infinite at position {int(np.argwhere(np.isinf(column))[0][0])}")
        found[name] = column
    return found


def _missing_covariates(request: Request, n: int, lost: dict[str, Mask]) -> None:
    for name, source in request.sources.items():
        if source is None:
            continue
        if isinstance(source, str):
            assert request.table is not None
            if request.table.rows != n:
                raise ShapeError(f"fit: data has {request.table.rows} rows and the response {n}")
            found = terms.missing_in_formula(source, request.table)
            lost.update({f"column {column!r}": mask for column, mask in found.items()})
        else:
            mask = terms.missing(source)
            if len(mask) != n:
                raise ShapeError(f"fit: X has {len(mask)} rows and the response {n}")
            lost[f"X of {name}"] = mask


def _complete(lost: dict[str, Mask], used: Mask, missing: str) -> tuple[Mask, int]:
    """Rows without missing values, and how many were dropped for having some."""
    incomplete = np.zeros(len(used), bool)
    for mask in lost.values():
        incomplete |= mask
    incomplete &= used
    if incomplete.any() and missing == "raise":
        where = [
            f"{what} (rows {listed(np.flatnonzero(mask & used).tolist(), 5)})"
            for what, mask in lost.items()
            if (mask & used).any()
        ]
        raise DataError(
            f"fit: missing values in {'; '.join(where)}: {int(incomplete.sum())} of {len(used)} rows. "
            "Pass missing='drop' to leave these rows out"
        )
    return used & ~incomplete, int(incomplete.sum())


def _classes(labels: Any, order: tuple[Any, ...] | None, ordered: bool) -> tuple[tuple[Any, ...], NDArray[np.int64]]:
    """The classes that occur, in the order that the labels declare or else sorted, and the index of each row's."""
    try:
        classes, codes = np.unique(labels, return_inverse=True)
    except TypeError:
        raise DataError("fit: the labels are of kinds that cannot be sorted together; make them all strings") from None
    plain = [label.item() if isinstance(label, np.generic) else label for label in classes.tolist()]
    if len(classes) < 2:
        raise DataError(f"fit: all labels are {plain[0]!r}; at least two classes are needed")
    if ordered and order is not None:
        place = np.array([order.index(label) for label in plain])
        plain = [plain[i] for i in np.argsort(place)]
        codes = np.argsort(np.argsort(place))[codes]
    elif ordered and any(isinstance(label, str) for label in plain):
        raise InputError(
            f"fit: the labels {listed(plain, 3)} are text, whose order is the alphabet's; give numbers, or an "
            "ordered pandas Categorical"
        )
    return tuple(plain), codes.astype(np.int64)


def _inside(
    family: Any, y: Observations | Floats, window: tuple[Floats, Floats] | None, keep: Mask
) -> Observations | Floats:
    """Check values against the support and the window, and cut censoring intervals to the window."""
    rows = y if isinstance(y, Observations) else Observations(y, y)
    exact = rows.exact
    _refuse(
        exact & ~family.support.contains(rows.lower),
        keep,
        rows.lower,
        f"outside the support {family.support} of {family.name}",
    )
    _representable(family, rows)
    if window is None:
        return y if not isinstance(y, Observations) or not exact.all() else rows.lower
    low, high = window
    _refuse(
        ~(low < high),
        keep,
        low,
        "the lower end of a truncation window that is empty; windows are (low, high]",
    )
    _refuse(
        exact & ~((low < rows.lower) & (rows.lower <= high)),
        keep,
        rows.lower,
        "outside its truncation window, where it could not have been seen",
    )
    lower = np.where(exact, rows.lower, np.maximum(rows.lower, low))
    upper = np.where(exact, rows.upper, np.minimum(rows.upper, high))
    _refuse(
        ~exact & ~(lower < upper),
        keep,
        lower,
        "the end of an interval that does not meet its truncation window",
    )
    return rows.lower if exact.all() else Observations(lower, upper)


def _representable(family: Any, rows: Observations) -> None:
    ends = np.abs(np.concatenate([rows.lower, rows.upper]))
    size = float(ends[np.isfinite(ends)].max(initial=0.0))
    if not family.discrete and size and not 1 / _LARGEST < size < _LARGEST:
        raise DataError(
            f"fit: the largest value of the response is of size {size:.1g}, whose square "
            f"{'overflows' if size > 1 else 'underflows'} in float64: use other units"
        )


def _refuse(bad: Mask, keep: Mask, values: Floats, why: str) -> None:
    if bad.any():
        at = np.flatnonzero(keep)[bad]
        raise DataError(
            f"fit: row {at[0]}: {_shown(values[bad][0])} is {why} ({bad.sum()} such rows: {listed(at.tolist(), 5)})"
        )


def _shown(value: Any) -> str:
    return f"{value:g}" if np.ndim(value) == 0 else str(value)


def _original(keep: Mask, bad: Mask) -> int:
    return int(np.flatnonzero(keep)[bad][0])
