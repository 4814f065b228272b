"""``python -m examples.own_likelihood [--out DIR] [--rows N]``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import neglog as nl
from examples.options import whole
from examples.own_likelihood import study
from neglog.cli.outputs import rendered, write_report, write_text
from neglog.report.figures import standalone
from neglog.report.model import Column, Curve, Curves, Fact, Report, Table

FIGURE = "A decay, fitted"


def table(title: str, result: study.Result, caption: str) -> Table:
    """The numbers of one likelihood."""
    columns = (Column("what", "quantity"), Column("value", "value", "number"))
    return Table(title, columns, tuple(result.numbers.items()), caption)


def figure(measured: study.Measured) -> Curves:
    """Data and curve."""
    spread = 2 * measured.result.fit.params["sigma"]

    def points(values: object) -> tuple[tuple[float, float], ...]:
        return tuple(zip(measured.grid.tolist(), list(values), strict=True))  # type: ignore[call-overload]

    return Curves(
        title=FIGURE,
        caption="The curve that a likelihood of three lines gives, with twice the standard deviation of a measurement.",
        curves=(
            Curve("measured", tuple(zip(measured.hours.tolist(), measured.y.tolist(), strict=True)), dots=True),
            Curve("fitted", points(measured.curve.tolist()), second=True),
            Curve("+ 2 sigma", points((measured.curve + spread).tolist()), dashed=True),
            Curve("- 2 sigma", points((measured.curve - spread).tolist()), dashed=True),
        ),
        x_label="hours",
        y_label="amount",
    )


def page(rows: int) -> Report:
    """Everything, once."""
    line, coin, decay = study.least_squares(rows, 1), study.bernoulli(rows, 2), study.nonlinear(max(rows // 10, 20), 3)
    fits = [line.fit, coin.fit, decay.result.fit]
    ok = all(fit.ok for fit in fits)
    return Report(
        kind="training",
        title="Likelihoods of one's own",
        subtitle=f"{rows:,} rows; three functions in torch, differentiated automatically",
        ok=ok,
        status="ok" if ok else next(fit.status for fit in fits if not fit.ok),
        message="",
        facts=(
            Fact("beta", f"{line.numbers['beta, largest difference from least squares']:.1e}", "from least squares"),
            Fact("p", f"{coin.numbers['p']:.4f}", "the share of heads"),
            Fact("half-life", f"{decay.result.numbers['half-life']:.3f}", "hours"),
        ),
        blocks=(
            table("Least squares", line, "Maximum likelihood divides the sum of squares by n, least squares by n - k."),
            table("A coin", coin, "The cost -y log p - (1 - y) log(1 - p), minimised."),
            table("A curve", decay.result, ""),
            figure(decay),
        ),
        data={
            "versions": {"neglog": nl.__version__},
            "least squares": line.numbers,
            "coin": coin.numbers,
            "decay": decay.result.numbers,
        },
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m examples.own_likelihood", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/own_likelihood"), help="folder to write to")
    parser.add_argument("--rows", type=whole(10), default=1000, help="to simulate")
    options = parser.parse_args(arguments)
    report = page(options.rows)
    options.out.mkdir(parents=True, exist_ok=True)
    for suffix in ("html", "md", "json"):
        write_report(report, str(options.out / f"report.{suffix}"))
    picture = next(block for block in report.blocks if block.title == FIGURE)
    write_text(str(options.out / "decay.svg"), standalone(picture))  # type: ignore[arg-type]
    print(rendered(report, "table"))
    print(f"Look at {options.out / 'report.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
