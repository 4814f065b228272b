"""From rows and terms to the problem that is optimised, its layout, and the point to start from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from neglog.compose import Custom
from neglog.core.observations import Observations
from neglog.errors import DataError, InputError, ParameterError
from neglog.estimation import known, terms
from neglog.estimation.data import Sample
from neglog.estimation.design import Design, constant, standardised
from neglog.estimation.layout import Layout, Slot
from neglog.estimation.problem import Problem
from neglog.estimation.request import Request
from neglog.estimation.rows import JointRows, OrderedRows, RowModel, ScalarRows, SoftmaxRows
from neglog.estimation.tables import Floats, Mask, listed
from neglog.estimation.terms import Constant, Term
from neglog.families import LINKS

_JOINT = 20  # columns; their 230 parameters have a Hessian per row of half a megabyte


@dataclass(frozen=True, eq=False)
class Model:
    """What is optimised, where its numbers stand, and where to begin."""

    problem: Problem
    layout: Layout
    start: Floats


def assemble(
    family: Any,
    request: Request,
    sample: Sample,
    l2: float,
    fixed: Mapping[str, Any],
    start: Mapping[str, float],
) -> Model:
    """Build the model of one fit; what the observations are decides how."""
    build = {"": _joint if family.event_ndim else _scalar, "unordered": _softmax, "ordered": _ordered}[family.classes]
    return build(family, request, sample, l2, dict(fixed), start)


def _term(request: Request, name: str, sample: Sample) -> tuple[Term, Floats | None]:
    """The term of a parameter and its columns; None for a constant."""
    source = request.sources[name]
    if source is None:
        return Constant(), None
    if isinstance(source, str):
        assert request.table is not None
        term, columns = terms.from_formula(source, request.table, sample.keep)
    else:
        term, columns = terms.from_matrix(source, request.intercept, sample.keep)
    if not np.isfinite(columns).all():
        row, column = (int(i) for i in np.argwhere(~np.isfinite(columns))[0])
        raise DataError(
            f"fit: column {term.columns[column]!r} of {name} is {columns[row, column]} at row "
            f"{np.flatnonzero(sample.keep)[row]}; covariates must be finite"
        )
    return (term, None) if isinstance(term, Constant) else (term, columns)


def _scalar(
    family: Any,
    request: Request,
    sample: Sample,
    l2: float,
    fixed: dict[str, Any],
    start: Mapping[str, float],
) -> Model:
    offsets = dict(sample.offsets)
    weight = sample.weight
    if sample.weight_kind == "precision" and weight is not None:
        dispersion = family.dispersion
        if dispersion is None:
            raise InputError(f"fit: precision weights need a dispersion, which {family.name} has not; see weight_kind")
        # a row of precision w has the scale divided by sqrt(w): an offset of the logarithmic link
        offsets[dispersion] = offsets.get(dispersion, 0.0) - 0.5 * np.log(weight)
        weight = None
    given = known.known(family, request, sample, fixed, offsets)
    position = {parameter.name: p for p, parameter in enumerate(family.parameters)}
    at = {position[name]: values for name, values in given.items()}
    eta, units = _start(family, sample.y, weight, at, start)
    shift, y, window = 0.0, sample.y, sample.window
    slots: list[Slot] = []
    designs: list[Design] = []
    penalty: list[Floats] = []
    begin: list[Floats] = []
    for p, parameter in enumerate(family.parameters):
        if p in at:
            slots.append(known.slot(parameter, at[p]))
            designs.append(Design(None, 1.0, np.empty((0, 0))))
            penalty.append(np.zeros(0))
            begin.append(np.empty(0))
            continue
        term, columns = _term(request, parameter.name, sample)
        link = parameter.link if isinstance(term, Constant) else None
        slot, moved = _slot(parameter.name, term, columns, link, fixed, parameter)
        ones = _ones(slot, columns, l2) if parameter.name == family.translation else None
        if ones is not None:
            shift = _grid(eta[p], units[p])
            origin = _grid(float(np.mean(offsets[parameter.name])), units[p]) if parameter.name in offsets else 0.0
            if origin:
                offsets[parameter.name] = offsets[parameter.name] - origin
            slot.held[ones] = shift - origin
            if shift:
                y, window = _minus(y, shift), window and (window[0] - shift, window[1] - shift)
                eta, _ = _start(family, y, weight, at)
        if moved is not None:
            offsets[parameter.name] = offsets.get(parameter.name, 0.0) + np.broadcast_to(moved, (sample.rows,))
        slot, design, ridge = _design(slot, columns, weight, units[p], l2)
        slots.append(slot)
        designs.append(design)
        penalty.append(ridge)
        begin.append(_begin(design, slot, eta[p] - offsets.get(parameter.name, 0.0)))
    _all_known({name: value for name, value in fixed.items() if name not in given}, slots, "fixed")
    layout = Layout(tuple(slots), tuple(designs), tuple(slot.free for slot in slots), np.eye(len(slots)))
    by_position = {position[name]: values for name, values in offsets.items()}
    rows = ScalarRows(family, y, window, by_position, shift, at)
    return _model(rows, layout, weight, penalty, np.concatenate(begin), start, family)


def _softmax(
    family: Any,
    request: Request,
    sample: Sample,
    l2: float,
    fixed: dict[str, Any],
    start: Mapping[str, float],
) -> Model:
    _plain_rows(family, sample)
    assert sample.classes is not None
    name, count = family.parameters[0].name, len(sample.classes)
    offset = sample.offsets.get(name)
    if offset is not None and offset.shape[1] != count:
        raise InputError(f"fit: offset has {offset.shape[1]} columns and the labels {count} classes")
    term, columns = _term(request, name, sample)
    contrast = _sum_to_zero(count) if l2 else np.eye(count)[:, 1:]
    if l2 and fixed:
        raise InputError("fit: with l2 the classes are tied together, so single coefficients cannot be fixed")
    slots: list[Slot] = []
    for code, label in enumerate(sample.classes):
        slot, moved = _slot(f"{name}.{label}", term, columns, None, fixed, None, shown=bool(l2) or code > 0)
        if moved is not None:
            offset = np.zeros((sample.rows, count)) if offset is None else offset
            offset = offset + moved[:, None] * np.eye(count)[code]
        slots.append(slot)
    _all_known(fixed, slots, "fixed")
    first, shared, ridge = _design(slots[0], columns, sample.weight, 1.0, l2)
    if fixed:
        built = [_design(slot, columns, sample.weight, 1.0, l2) for slot in slots]
        slots, designs = [slot for slot, _, _ in built], [design for _, design, _ in built[1:]]
    else:
        slots = [Slot(s.label, s.term, first.free, s.held, first.aliased, None, s.shown) for s in slots]
        designs = [shared] * (count - 1)
    estimated = tuple(slot.free for slot in slots[1:])
    layout = Layout(tuple(slots), tuple(designs), estimated, contrast)
    rows = SoftmaxRows(family, sample.y, contrast, offset)  # type: ignore[arg-type]
    penalty = [ridge] * (count - 1) if l2 else [np.zeros(design.size) for design in designs]
    return _model(rows, layout, sample.weight, penalty, np.zeros(layout.size), start, family)


def _ordered(
    family: Any,
    request: Request,
    sample: Sample,
    l2: float,
    fixed: dict[str, Any],
    start: Mapping[str, float],
) -> Model:
    _plain_rows(family, sample)
    assert sample.classes is not None
    place, cuts = (parameter.name for parameter in family.parameters)
    if request.sources[cuts] is not None:
        raise InputError(f"fit: {cuts} take no covariates; give them to {place}")
    if cuts in sample.offsets:
        raise InputError(f"fit: {cuts} take no offset; give it to {place}")
    term, columns = terms.without_intercept(*_term(request, place, sample))
    offsets = {0: sample.offsets[place]} if place in sample.offsets else {}
    centre = None
    if columns is None:  # the thresholds say it all
        nothing = np.zeros(1)
        slots = [Slot(place, term, nothing > 0, nothing, nothing > 0, shown=False)]
        designs, penalty = [Design(None, 1.0, np.empty((0, 0)))], [np.zeros(0)]
    else:
        if not any(name.startswith(f"{cuts}.") for name in fixed):  # those that are free can make up for a shift
            centre = np.average(columns, axis=0, weights=sample.weight)
            columns = columns - centre
        slot, moved = _slot(place, term, columns, None, fixed, None)
        if moved is not None:
            offsets[0] = offsets.get(0, 0.0) + moved
        slot, design, ridge = _design(slot, columns, sample.weight, 1.0, l2)
        slots, designs, penalty = [slot], [design], [ridge]
    begin = [np.zeros(designs[0].size)]
    shared = Constant()
    for j, value in enumerate(family.start(sample.y, sample.weight)[1]):
        slot, moved = _slot(f"{cuts}.{j}", shared, None, None, fixed, None)
        if moved is not None:
            offsets[1 + j] = np.broadcast_to(moved, (sample.rows,))
        slot, design, ridge = _design(slot, None, sample.weight, 1.0, l2)
        slots.append(slot)
        designs.append(design)
        penalty.append(np.zeros(design.size))
        begin.append(np.full(design.size, _short(float(value))))
    _all_known(fixed, slots, "fixed")
    layout = Layout(tuple(slots), tuple(designs), tuple(slot.free for slot in slots), np.eye(len(slots)), centre)
    rows = OrderedRows(family, sample.y, len(slots) - 1, offsets)  # type: ignore[arg-type]
    return _model(rows, layout, sample.weight, penalty, np.concatenate(begin), start, family)


def _joint(
    family: Any,
    request: Request,
    sample: Sample,
    l2: float,
    fixed: dict[str, Any],
    start: Mapping[str, float],
) -> Model:
    _plain_rows(family, sample)
    if sample.offsets or any(source is not None for source in request.sources.values()):
        raise InputError(f"fit: {family.name} takes no covariates and no offset")
    place, matrix = (parameter.name for parameter in family.parameters)
    loc, factor = family.start(sample.y, sample.weight)  # the maximum itself, unless something is fixed
    size = len(loc)
    deviation = (np.asarray(sample.y) - loc) / np.sqrt((factor * factor).sum(axis=1))
    if not fixed and (extra := dependent(deviation, 1.0)).any():
        raise DataError(
            f"fit: column {np.flatnonzero(extra)[0]} of the response is a linear combination of columns before it and "
            "a constant, so the likelihood has no maximum: leave it out"
        )
    if size > _JOINT:
        raise InputError(f"fit: {size} columns; beyond {_JOINT} use {type(family).__name__}.start, the maximum itself")
    row, column = np.tril_indices(size)
    names = [f"{place}.{i}" for i in range(size)] + [f"{matrix}.{i}.{j}" for i, j in zip(row, column, strict=True)]
    spread = np.sqrt((factor * factor).sum(axis=1))
    values, units = np.concatenate([loc, factor[row, column]]), np.concatenate([spread, spread[row]])
    logs = size + np.flatnonzero(row == column)
    values[logs], units[logs] = np.log(values[logs]), 1.0
    shared, offsets = Constant(), dict[int, Floats]()
    built: list[tuple[Slot, Design, Floats]] = []
    for p, name in enumerate(names):
        slot, moved = _slot(name, shared, None, LINKS["log"] if p in logs else None, fixed, None)
        if moved is not None:
            offsets[p] = moved
        built.append(_design(slot, None, sample.weight, _short(float(units[p])), l2))
    slots, designs = tuple(slot for slot, _, _ in built), tuple(design for _, design, _ in built)
    _all_known(fixed, slots, "fixed")
    layout = Layout(slots, designs, tuple(slot.free for slot in slots), np.eye(len(slots)))
    begin = [np.full(design.size, value / design.unit) for design, value in zip(designs, values, strict=True)]
    rows = JointRows(family, sample.y, offsets)  # type: ignore[arg-type]
    penalty = [np.zeros(design.size) for design in designs]
    return _model(rows, layout, sample.weight, penalty, np.concatenate(begin), start, family)


def _plain_rows(family: Any, sample: Sample) -> None:
    if sample.weight_kind == "precision":
        raise InputError(f"fit: precision weights need a dispersion, which {family.name} has not; see weight_kind")
    if sample.window is not None:
        what = "observations" if family.event_ndim else "classes"
        raise InputError(f"fit: the {what} of {family.name} have no window, so truncation has no meaning for them")


def _model(
    rows: RowModel,
    layout: Layout,
    weight: Floats | None,
    penalty: list[Floats],
    x: Floats,
    start: Mapping[str, float],
    family: Any,
) -> Model:
    if start:
        _all_known(start, layout.slots, "start")
        coefficients = layout.coefficients(x)
        for slot, values in zip(layout.slots, coefficients, strict=True):
            for i, name in enumerate(slot.names):
                if name in start:
                    values[i] = _on_link(name, start[name], slot.link, family, "start")
        x = layout.internal(coefficients)
    return Model(Problem(rows, layout.designs, weight, np.concatenate(penalty)), layout, x)


def _slot(
    label: str,
    term: Term,
    columns: Floats | None,
    link: Any,
    fixed: Mapping[str, Any],
    parameter: Any,
    shown: bool = True,
) -> tuple[Slot, Floats | None]:
    """The slot, and what its fixed coefficients add to the linear predictor."""
    k = len(term.columns)
    slot = Slot(label, term, np.ones(k, bool), np.zeros(k), np.zeros(k, bool), link, shown)
    at = [i for i, name in enumerate(slot.names) if shown and name in fixed]
    if not at:
        return slot, None
    for i in at:
        slot.held[i] = _on_link(slot.names[i], fixed[slot.names[i]], link, None, "fixed", parameter)
        slot.free[i] = False
    moved = slot.held if columns is None else columns @ slot.held
    return slot, moved


def _on_link(name: str, value: float, link: Any, family: Any, what: str, parameter: Any = None) -> float:
    """A value given for ``name`` on the scale of its linear predictor."""
    if family is not None:
        parameter = next((p for p in family.parameters if p.name == name), None)
    value = float(value)
    if link is not None and parameter is not None and not parameter.domain.contains(value):
        raise ParameterError(f"fit: {what}: {name} = {value:g} is outside its domain {parameter.domain}")
    shown = float(link.apply(value)) if link is not None else value
    if not np.isfinite(shown):
        raise ParameterError(f"fit: {what}: {name} = {value:g}; a finite value inside its domain is needed")
    return shown


def _design(
    slot: Slot, columns: Floats | None, weight: Floats | None, unit: float, l2: float
) -> tuple[Slot, Design, Floats]:
    """Standardised columns of what is estimated, without those that the data cannot tell apart.

    And the ridge.
    """
    if columns is None:
        if slot.free.all():
            return slot, constant(unit), np.zeros(1)
        return slot, Design(None, unit, np.empty((0, 0))), np.zeros(0)
    free = np.flatnonzero(slot.free)
    own = slot.term.intercept
    level = int(np.flatnonzero(free == own)[0]) if own is not None and own in free else None
    chosen = columns if len(free) == columns.shape[1] else columns[:, free]
    centred_by = level if l2 or level is not None else _constant_column(chosen)
    design = standardised(chosen, centred_by, weight, unit)
    if not np.isfinite(design.back).all() or (np.diag(design.back) == 0).any():
        raise DataError(
            f"fit: in the units of the response and of the columns of {slot.label}, coefficients are beyond "
            "float64: use other units"
        )
    if not l2:
        extra = dependent(design.columns, unit) if design.columns is not None else np.zeros(0, bool)
        if extra.any():
            rest, aliased = slot.free.copy(), slot.aliased.copy()
            rest[free[extra]], aliased[free[extra]] = False, True
            slot = Slot(slot.label, slot.term, rest, slot.held, aliased, slot.link, slot.shown)
            return _design(slot, columns, weight, unit, l2)
        return slot, design, np.zeros(len(free))
    ridge = l2 * np.diag(design.back) ** 2
    if level is not None:
        ridge[level] = 0.0
    return slot, design, ridge


def dependent(columns: Floats, unit: float, tolerance: float = 1e-7) -> Mask:
    """Columns that are linear combinations of columns before them, up to ``tolerance`` of their length.

    The Gram matrix settles the usual case; a doubtful one is decided by QR, whose accuracy is not squared.
    """
    n, k = columns.shape
    even = columns if unit == 1.0 else columns / unit
    gram = even.T @ even / max(n, 1)
    if k == 0 or np.linalg.eigvalsh(gram)[0] > 1e-5:
        return np.zeros(k, bool)
    r = np.linalg.qr(columns, mode="r") / (unit * np.sqrt(n))
    basis = np.zeros((len(r), 0))
    found = np.zeros(k, bool)
    for j in range(k):
        rest = r[:, j]
        for _ in range(2):  # twice is enough (Kahan)
            rest = rest - basis @ (basis.T @ rest)
        length = np.linalg.norm(rest)
        found[j] = length <= tolerance * max(1.0, float(np.linalg.norm(r[:, j])))
        if not found[j]:
            basis = np.column_stack([basis, rest / length])
    return found


def _constant_column(columns: Floats) -> int | None:
    same = np.flatnonzero((columns == columns[0]).all(axis=0) & (columns[0] != 0))
    return int(same[0]) if len(same) else None


def _begin(design: Design, slot: Slot, target: Floats | float) -> Floats:
    """Internal coefficients whose linear predictor is near ``target``."""
    if not design.size:
        return np.empty(0)
    if design.columns is None:
        return np.array([float(np.mean(target)) / design.unit])
    full = np.broadcast_to(target, (len(design.columns),))
    level = slot.term.intercept
    if level is not None and slot.free[level]:
        begin = np.zeros(design.size)
        begin[int(slot.free[:level].sum())] = float(np.mean(full)) / design.unit
        return begin
    return np.asarray(np.linalg.lstsq(design.columns, full)[0], dtype=np.float64)


def _start(
    family: Any,
    y: Observations | Floats,
    weight: Floats | None,
    at: dict[int, Floats],
    start: Mapping[str, float] | None = None,
) -> tuple[list[float], list[float]]:
    """Where each linear predictor begins without covariates, and one unit of it.

    1 on log and logit scales; on the scale of the data, what one row tells.
    """
    own = isinstance(family, Custom)
    theta = family.start_of(y, weight, at, start or {}) if own else family.start(y, weight)
    eta = [float(p.link.apply(value)) for p, value in zip(family.parameters, theta, strict=True)]
    if family.smooth:  # elsewhere a start may be an extreme value, and rounded it would be impossible
        eta = [_short(value) for value in eta]
    units = [1.0] * len(eta)
    if family.discrete and not family.written:
        return eta, units
    plain = [p for p, parameter in enumerate(family.parameters) if parameter.link.name == "identity" and p not in at]
    if plain:
        rows = ScalarRows(family, y, None, {}, 0.0, at)
        with np.errstate(all="ignore"):
            _, g, h = rows.derivatives(slice(0, len(y)), np.array(eta)[:, None])
        for p in plain:
            mean = float(np.average(h[p, p], weights=weight))
            if family.written and not mean > 0:  # what a poor start tells all the same
                mean = float(np.average(g[p] ** 2, weights=weight))
            units[p] = mean**-0.5 if np.isfinite(mean) and mean > 0 else max(abs(eta[p]), 1.0)
    return eta, [_short(unit) for unit in units]


def _ones(slot: Slot, columns: Floats | None, l2: float) -> Mask | None:
    """Estimated columns without a penalty that add up to one in every row: an intercept, or all dummies.

    Dummies must lead, so that later columns are dropped for them and never the reverse.
    """
    found, level = np.zeros(len(slot.free), bool), slot.term.intercept
    if level is not None:
        found[level] = True
    elif not l2 and columns is not None:
        found = ((columns == 0) | (columns == 1)).all(axis=0) & columns.any(axis=0)
        if not (found[: found.sum()].all() and (columns[:, found].sum(axis=1) == 1).all()):
            return None
    return found if found.any() and slot.free[found].all() else None


def _grid(value: float, unit: float) -> float:
    """The multiple of a power of two near ``unit`` that is nearest to ``value``.

    Subtracting it from data of that spread is exact, and data around zero stay as they are.
    """
    step = float(np.exp2(np.round(np.log2(unit))))
    return step * float(np.round(value / step))


def _minus(y: Observations | Floats, shift: float) -> Observations | Floats:
    return Observations(y.lower - shift, y.upper - shift) if isinstance(y, Observations) else y - shift


def _short(value: float) -> float:
    """``value`` to 36 bits.

    Starts and units computed from the same rows in another order become the same number.
    """
    mantissa, exponent = np.frexp(value)
    return float(np.ldexp(np.round(np.ldexp(mantissa, 36)), int(exponent) - 36))


def _sum_to_zero(count: int) -> Floats:
    """Orthonormal columns that sum to zero, ``(C, C - 1)`` (Helmert)."""
    contrast = np.zeros((count, count - 1))
    for e in range(count - 1):
        contrast[: e + 1, e] = 1.0
        contrast[e + 1, e] = -(e + 1.0)
    return contrast / np.linalg.norm(contrast, axis=0)


def _all_known(given: Mapping[str, float], slots: Any, what: str) -> None:
    names = [name for slot in slots if slot.shown for name in slot.names]
    unknown = [name for name in given if name not in names]
    if unknown:
        raise InputError(f"fit: {what} names {unknown[0]!r}; the names are {listed(names)}")
