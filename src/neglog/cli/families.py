"""``neglog families``."""

from __future__ import annotations

import math
import sys
from typing import Annotated, Any

from cyclopts import Parameter

from neglog.cli.exits import OK, UsageError
from neglog.cli.options import File, Format


def families(
    name: str | None = None,
    /,
    *,
    at: Annotated[list[str] | None, Parameter(metavar="P=VALUE,...", negative=())] = None,
    plot: File | None = None,
    format: Format = "table",
) -> int:
    """List the likelihoods that fit and score know, or describe one.

    Parameters
    ----------
    name
        Describe this one: formula, parameters with their domains and links, support, and its density and negative
        log-likelihood as curves.
    at
        Draw the curves at these parameters, such as shape=2,scale=1. Up to three times; the terminal shows the
        first. Default: where a fit of plausible data would start.
    plot
        Also draw the curves into this SVG file.
    format
        Format of standard output.
    """
    import neglog as nl
    from neglog.cli.outputs import check_figure
    from neglog.evaluation.sources import did_you_mean
    from neglog.report.data import csv_table, json_lines, to_json
    from neglog.report.families import card, catalogue
    from neglog.report.text import markdown_table, text_table

    known = nl.families.names()
    if name is None and (at or plot):
        raise UsageError("--at and --plot need the name of a family")
    try:
        chosen = [nl.family(name)] if name is not None else [nl.family(one) for one in known]
    except nl.InputError:
        raise UsageError(
            f"no family '{name}'{did_you_mean(name or '', known) or ';'} there are {', '.join(known)}"
        ) from None
    check_figure(plot)
    if plot:
        _write(plot, *_figures(chosen[0], at))
    if name is not None and format in ("table", "md"):
        curves = _drawn(chosen[0], at) if format == "table" and (at or _drawable(chosen[0])) else ""
        code = sys.stdout.encoding or "ascii"  # which may have no Greek letters
        sys.stdout.write((card(chosen[0]) + curves).encode(code, "replace").decode(code))
        return OK
    table = catalogue(chosen)
    render: dict[str, Any] = {
        "table": lambda: text_table(table) + "\n",
        "md": lambda: markdown_table(table) + "\n",
        "csv": lambda: csv_table(table),
        "jsonl": lambda: json_lines(table.records()),
        "json": lambda: to_json({"families": table.records()}) + "\n",
    }
    sys.stdout.write(render[format]())
    return OK


def _drawable(family: Any) -> bool:
    """Whether an observation and the parameters are numbers, so that there is a curve."""
    from neglog.families import ScalarFamily

    return isinstance(family, ScalarFamily)


def _figures(family: Any, at: list[str] | None, most: int = 3) -> tuple[Any, Any]:
    from neglog.report.family_figures import figures, typical

    if not _drawable(family):
        raise UsageError(f"{family.name} cannot be drawn: its parameters are vectors")
    sets = [_parameters(family, one) for one in at] if at else typical(family)
    if len(sets) > 3:
        raise UsageError(f"--at is given {len(sets)} times; three curves can be told apart")
    return figures(family, sets[:most])


def _parameters(family: Any, assignments: str) -> tuple[float, ...]:
    """The values of ``shape=2,scale=1`` in the family's order.

    >>> import neglog as nl
    >>> _parameters(nl.Weibull(), "scale=1, shape=2")
    (2.0, 1.0)
    """
    pairs = [pair.partition("=") for pair in assignments.split(",") if pair.strip()]
    given = {name.strip(): value.strip() for name, _, value in pairs}
    names = [parameter.name for parameter in family.parameters]
    if sorted(given) != sorted(names):
        raise UsageError(f"--at {assignments}: the parameters of {family.name} are {', '.join(names)}")
    values: list[float] = []
    for parameter in family.parameters:
        try:
            value = float(given[parameter.name])
        except ValueError:
            raise UsageError(f"--at: {parameter.name} = '{given[parameter.name]}' is no number") from None
        if not parameter.domain.contains(value):
            raise UsageError(f"--at: {parameter.name} = {value:g} is outside its domain {parameter.domain}")
        values.append(value)
    if not all(math.isfinite(float(family.ppf(q, *values))) for q in (0.1, 0.5)):
        raise UsageError(f"--at {assignments}: no distribution")
    return tuple(values)


def _drawn(family: Any, at: list[str] | None) -> str:
    """Density and negative log-likelihood for a terminal, in ASCII where it has nothing else."""
    from neglog.report.terminal import has_braille, plot

    braille = has_braille()
    first = _figures(family, at, most=1)
    label = first[0].curves[0].label
    return f"\nat {label}\n\n" + "\n\n".join(plot(figure, braille=braille) for figure in first) + "\n"


def _write(path: str, *figures: Any) -> None:
    from neglog.cli.outputs import replacing
    from neglog.report.figures import standalone

    with replacing(path) as file:
        file.write(standalone(*figures).encode())
