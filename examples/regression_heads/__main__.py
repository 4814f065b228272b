"""``python -m examples.regression_heads [--out DIR] [--tables A,B] [--splits N] [--steps N] [--seed N] [--quiet]``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from examples.options import count
from examples.regression_heads import data, train
from examples.regression_heads.report import REFERENCE, picture, report
from neglog.cli.outputs import rendered, write_report, write_text
from neglog.cli.progress import Progress
from neglog.report.figures import standalone
from neglog.report.model import Report, Shades, Whiskers


def write(page: Report, out: Path) -> None:
    """The page, the same as text, the numbers, and every picture."""
    out.mkdir(parents=True, exist_ok=True)
    for suffix in ("html", "md", "json"):
        write_report(page, str(out / f"report.{suffix}"))
    for block in page.blocks:
        if isinstance(block, Shades):
            write_text(str(out / "density.svg"), standalone(block))
        elif isinstance(block, Whiskers):
            name = block.title.lower().replace(": ", "_").replace("'", "").replace(" ", "_")
            write_text(str(out / f"{name}.svg"), standalone(block))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m examples.regression_heads", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/regression_heads"), help="folder to write to")
    parser.add_argument(
        "--tables", default=",".join(data.TABLES), help="some of them, with commas between; engel first"
    )
    parser.add_argument("--splits", type=count, default=20)
    parser.add_argument("--steps", type=count, default=1000, help="of Adam")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quiet", action="store_true", help="no progress")
    options = parser.parse_args(arguments)
    names = options.tables.split(",")
    if names[0] != "engel" or not set(names) <= set(data.TABLES):
        parser.error(f"--tables: {options.tables}; allowed: engel, then any of {', '.join(data.TABLES)}")
    results: dict[str, list[train.Run]] = {}
    splits: dict[str, data.Splits] = {}
    shown = None
    with Progress("training", options.quiet) as progress:
        for i, name in enumerate(names):
            splits[name] = data.split(data.TABLES[name](), options.splits, options.seed)
            for j, head in enumerate(train.HEADS):
                run, networks = train.train(head, splits[name], options.steps, options.seed)
                results.setdefault(name, []).append(run)
                if shown is None and head.name == REFERENCE:
                    shown = picture(networks, run, splits[name])
                done = i * len(train.HEADS) + j + 1
                progress.at(done / len(train.HEADS) / len(names), done * options.splits * options.steps)
    assert shown is not None
    page = report(results, splits, shown)
    write(page, options.out)
    print(rendered(page, "table"))
    print(f"Look at {options.out / 'report.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
