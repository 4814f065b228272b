"""What is checked of a likelihood that the user wrote, where its fit begins: rows on their own, and the gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from neglog.errors import DataError, InputError
from neglog.estimation.assemble import Model
from neglog.estimation.data import Sample
from neglog.estimation.rows import ScalarRows
from neglog.estimation.tables import Floats, Mask, listed

_ROWS = 200  # that are looked at
_DEEP = -30.0  # logarithm of a tail: further out a user's formula may have no digits left
_STEP = 6e-6  # cube root of the rounding unit: where central differences are best


def check(family: Any, model: Model, sample: Sample) -> None:
    """Raise if the likelihood cannot be what its derivatives assume.

    Raises
    ------
    DataError
        If it is NaN or infinite where the fit begins.
    InputError
        If rows influence each other, most rows' gradient is not that of their values, or the distribution function is
        not that of the density.
    """
    problem = model.problem
    part = slice(0, min(problem.rows.rows, _ROWS))
    with np.errstate(all="ignore"):
        eta = np.broadcast_to(problem.eta(part, model.start), (problem.rows.predictors, part.stop))
        _finite(family, model, sample)
        _rows_alone(family, problem.rows, part, eta)
        _gradient(family, problem.rows, part, eta, [design.unit for design in problem.designs])
        if family.tails and isinstance(problem.rows, ScalarRows):
            _tails(family, [theta[0] for theta in problem.rows.theta(part, eta)], problem.rows.y[part])


def _finite(family: Any, model: Model, sample: Sample) -> None:
    nll = model.problem.nll_rows(model.start)
    if np.isfinite(nll).all():
        return
    bad = ~np.isfinite(nll)
    at = np.flatnonzero(sample.keep)[bad]
    values = dict(zip(model.layout.names, model.layout.report(model.start)[0], strict=True))
    where = ", ".join(f"{name} = {value:.6g}" for name, value in list(values.items())[:8])
    raise DataError(
        f"fit: {family.name} gives {nll[bad][0]} at row {at[0]} where the fit begins ({where}; {len(at)} such rows: "
        f"{listed(at.tolist(), 5)}): pass start= with values at which every row is possible"
    )


def _tails(family: Any, theta: list[Floats], rows: Any) -> None:
    """Both tails add up to one, and the probability of a short interval is its length times the density.

    Up to one factor for all rows, since constants may be left out of the density. A majority of rows decides: in some
    the density may jump.
    """
    y = np.where(np.isfinite(rows.lower), rows.lower, rows.upper) if hasattr(rows, "lower") else rows
    tails = [np.broadcast_to(tail(y, *theta, check=False), y.shape) for tail in (family.log_cdf, family.log_sf)]
    total = np.logaddexp(*tails)
    if (wrong := abs(total) > 1e-6).any():
        i = int(np.flatnonzero(wrong)[0])
        raise InputError(
            f"fit: {family.name}: exp(log_cdf) + exp(log_sf) is {np.exp(total[i]):.6g} at y = {y[i]:.6g}, where the "
            "fit begins; it must be 1: log_cdf is log P(Y <= y) and log_sf is log P(Y > y)"
        )
    half = 1e-4 * (float(y.std()) or max(abs(float(y[0])), 1.0))
    low, high, width = (y - 1, y, 1.0) if family.discrete else (y - half, y + half, 2 * half)
    implied = np.log(width) - family.log_interval(low, high, *theta, check=False)
    given = np.broadcast_to(family.nll(y, *theta, check=False), y.shape)
    seen = family.support.contains(low) & family.support.contains(high) & (np.minimum(*tails) > _DEEP)
    if seen.sum() < 2:
        return
    apart = np.nan_to_num(implied - given, nan=np.inf)[seen]  # a distribution function that falls
    near = abs(apart - np.median(apart)) <= 1e-3 * (1 + abs(given[seen]))
    if near.mean() < 0.5:
        i = int(np.flatnonzero(seen)[np.flatnonzero(~near)[0]])
        raise InputError(
            f"fit: {family.name}: at y = {y[i]:.6g}, where the fit begins, fn gives {given[i]:.6g}, and log_cdf and "
            f"log_sf imply {implied[i]:.6g}; from row to row they may not differ by more than a constant"
        )


def _rows_alone(family: Any, rows: Any, part: slice, eta: Floats) -> None:
    """The value of a row may not depend on which rows are beside it."""
    if part.stop < 2:
        return
    together = rows.values(part, eta)
    for half in (slice(0, part.stop // 2), slice(part.stop // 2, part.stop)):
        alone = rows.values(half, eta[:, half])
        differ = ~np.isclose(alone, together[half], rtol=1e-9, atol=1e-12)
        if differ.any():
            i = int(np.flatnonzero(differ)[0])
            raise InputError(
                f"fit: {family.name}: row {half.start + i} has nll {together[half][i]:.6g} among {part.stop} rows and "
                f"{alone[i]:.6g} among {len(alone)} of them; fn must treat each row on its own, without mean, sum or "
                "sort over rows"
            )


def _gradient(family: Any, rows: Any, part: slice, eta: Floats, units: list[float]) -> None:
    """Kinks are allowed in a minority of rows: a Laplace has one in each, but few rows stand on it."""
    value, slopes = rows.gradient(part, eta)
    for p, parameter in enumerate(family.parameters):
        if p in rows.known:
            continue
        wrong, slope = np.ones(part.stop, bool), np.zeros(part.stop)
        for size in (np.abs(eta[p]), np.full(part.stop, units[p])):  # nobody knows which scale is the curve's
            step = _STEP * np.where(size > 0, size, units[p])
            moved = [eta.copy(), eta.copy()]
            moved[0][p] += step
            moved[1][p] -= step
            high, low = (rows.values(part, at) for at in moved)
            slope = (high - low) / (moved[0][p] - moved[1][p])
            noise = 1e-14 * np.maximum(np.abs(value), 1.0) / step + 1e-4 * (np.abs(slope) + np.abs(slopes[p]))
            differ: Mask = ~(np.abs(slope - slopes[p]) <= noise) & np.isfinite(slope)
            wrong &= differ
        if wrong.mean() > 0.5:
            i = int(np.flatnonzero(wrong)[0])
            at = f", at {np.ravel(rows.theta(part, eta)[p])[0]:.6g}" if isinstance(rows, ScalarRows) else ""
            cause = (
                "is something detached (.item(), .detach(), .numpy(), torch.tensor(...)), does fn jump, or has it no "
                "digits left there (pass start=)?"
            )
            if np.isnan(slopes[p][i]):
                cause = (
                    "of torch.where(c, a, b) both branches are differentiated, and NaN times 0 is NaN: where a branch "
                    "does not count give it a harmless argument, as in torch.log(torch.where(x > 0, x, 1))"
                )
            raise InputError(
                f"fit: {family.name}: the derivative in {parameter.name} is {slopes[p][i]:.6g} by automatic "
                f"differentiation and {slope[i]:.6g} by differences (row {i}, where the fit begins{at}); {cause}"
            )
