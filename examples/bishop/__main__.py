"""``python -m examples.bishop [--out DIR] [--steps N] [--pairs N] [--seeds N] [--quiet]``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch

from examples.bishop import data, train
from examples.bishop.report import report
from examples.options import count
from neglog.cli.outputs import rendered, write_report, write_text
from neglog.cli.progress import Progress
from neglog.report.figures import standalone
from neglog.report.model import Report, Shades


def write(page: Report, out: Path) -> None:
    """The page, the same as text, the numbers, and the pictures of the densities."""
    out.mkdir(parents=True, exist_ok=True)
    for suffix in ("html", "md", "json"):
        write_report(page, str(out / f"report.{suffix}"))
    pictures = [block for block in page.blocks if isinstance(block, Shades)]
    for name, block in zip(("least_squares", "one_gaussian", "mixture"), pictures, strict=True):
        write_text(str(out / f"{name}.svg"), standalone(block))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m examples.bishop", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/bishop"), help="folder to write to")
    parser.add_argument("--steps", type=count, default=2000, help="of Adam")
    parser.add_argument("--pairs", type=count, default=1000, help="to train with")
    parser.add_argument("--seeds", type=count, default=3, help="initial weights of each network")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)  # a second one would only wait
    parts = data.draw(options.pairs, seed=1), data.draw(10_000, seed=2)
    results: dict[str, list[train.Run]] = {}
    done, total = 0, len(train.NETWORKS) * options.seeds
    with Progress("training", options.quiet) as progress:
        for make in train.NETWORKS:
            for seed in range(options.seeds):
                run = train.train(make, parts, options.steps, seed)
                results.setdefault(run.network.name, []).append(run)
                done += 1
                progress.at(done / total, done * options.steps * options.pairs)
    page = report(results, parts, train.floor(parts[1]))
    write(page, options.out)
    print(rendered(page, "table"))
    print(f"Look at {options.out / 'report.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
