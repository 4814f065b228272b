"""A fit as text."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from neglog.estimation.inference import CONVENTION
from neglog.estimation.terms import Constant

if TYPE_CHECKING:
    from neglog.estimation.result import Fit

_WIDTH = 96


def summary(fit: Fit, level: float) -> str:
    """Head, verdict, table of estimates, and the conventions behind the numbers."""
    lines = [_head(fit), *_verdict(fit), ""]
    lines += _estimates(fit, level)
    lines += ["", *_conventions(fit, level)]
    return "\n".join(lines)


def _head(fit: Fit) -> str:
    rows = f"{fit.nobs:,.10g} observations"
    if fit.weight_kind == "frequency":
        rows += f" in {fit.rows:,} rows"
    if fit.dropped:
        rows += f" ({fit.dropped:,} incomplete rows dropped)"
    numbers = f"log-likelihood {fit.loglik:.10g}   "
    numbers += (
        f"AIC and BIC not available: {fit.no_criteria}"
        if fit.no_criteria
        else f"AIC {fit.aic:.10g}   BIC {fit.bic:.10g}"
    )
    if fit.l2:
        numbers += f"\npenalised objective {fit.objective:.10g} (l2 = {fit.l2:g}, {fit.df:.4g} effective parameters)"
    return f"{fit.family.name}: {fit.response}, {rows}\n{numbers}"


def _verdict(fit: Fit) -> list[str]:
    sign = "ok" if fit.ok else "NOT VERIFIED"
    text = f"{sign}: {fit.message}" if fit.ok else f"{sign} [{fit.status}]: {fit.message}."
    return textwrap.wrap(text, _WIDTH, subsequent_indent="    ")


def _estimates(fit: Fit, level: float) -> list[str]:
    percent = f"{100 * level:g}%"
    head = ["", "estimate", "stderr", "z", "p", f"{percent} low", f"{percent} high"]
    cells = [head]
    for row in fit.table(level):
        if row["name"] in fit.fixed:
            cells.append([row["name"], _number(row["estimate"]), "fixed", "", "", "", ""])
            continue
        z = "" if row["z"] is None else f"{row['z']:.3f}"
        p = "" if row["p"] is None else ("<0.0001" if row["p"] < 1e-4 else f"{row['p']:.4f}")
        cells.append(
            [
                row["name"],
                _number(row["estimate"], row["stderr"]),
                _number(row["stderr"]),
                z,
                p,
                *(_number(row[end], row["stderr"]) for end in ("low", "high")),
            ]
        )
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    return [
        "  ".join(
            [
                row[0].ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
            ]
        ).rstrip()
        for row in cells
    ]


def _number(value: float, error: float = np.nan) -> str:
    """Six digits, or as many as show a hundredth of the standard error."""
    if np.isnan(value):
        return "-"
    known = error > 0 and np.isfinite(error) and np.isfinite(value) and value != 0
    digits = math.ceil(math.log10(abs(value)) - math.log10(error)) + 2 if known else 6
    return f"{value:.{min(max(digits, 6), 17)}g}"


def _conventions(fit: Fit, level: float) -> list[str]:
    notes = [f"Standard errors: {CONVENTION[fit.information]}."]
    if fit.l2:
        notes.append("The penalty counts as a Gaussian prior: standard errors are those of the posterior (Laplace).")
    scaled = [p.name for p in fit.family.parameters if p.name in fit.names and p.link.name != "identity"]
    if scaled:
        notes.append(f"Intervals: Wald; {', '.join(scaled)} on the scale of the link, mapped back.")
    else:
        notes.append("Intervals: Wald.")
    if per_row := [p.name for p, term in zip(fit.family.parameters, fit.terms, strict=False) if _per_row(fit, p, term)]:
        notes.append(f"Known, one value per row: {', '.join(per_row)}.")
    if fit.weight_kind:
        meaning = {
            "frequency": "rows count as often as their weight",
            "precision": "the dispersion of a row is divided by the square root of its weight",
            "sampling": "pseudo-likelihood; AIC and BIC are undefined",
        }
        notes.append(f"Weights: {fit.weight_kind}, {meaning[fit.weight_kind]}.")
    if np.isnan(np.diag(fit.cov)).any():
        notes.append("A dash stands for a standard error that does not exist; the message above says why.")
    return [line for note in notes for line in textwrap.wrap(note, _WIDTH, subsequent_indent="    ")]


def _per_row(fit: Fit, parameter: Any, term: Any) -> bool:
    plain = not fit.family.classes and not parameter.event_ndim
    return plain and isinstance(term, Constant) and parameter.name not in fit.names
