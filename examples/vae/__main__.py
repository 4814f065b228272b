"""``python -m examples.vae [--out DIR] [--data DIR] [--epochs N] [--images N] [--seed N] [--quiet]``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch

from examples.fashion_mnist import data
from examples.options import count, existing
from examples.vae import train
from examples.vae.report import Parts, judge, report
from neglog.cli.outputs import rendered, write_report, write_text
from neglog.cli.progress import Progress
from neglog.report.figures import standalone
from neglog.report.model import Curves, Images, Report, Shades


def write(page: Report, out: Path) -> None:
    """The page, the same as text, the numbers, and the figures."""
    out.mkdir(parents=True, exist_ok=True)
    for suffix in ("html", "md", "json"):
        write_report(page, str(out / f"report.{suffix}"))
    figures = [block for block in page.blocks if isinstance(block, Curves | Images | Shades)]
    for name, block in zip(("loss", "samples", "plane", "codes"), figures, strict=True):
        write_text(str(out / f"{name}.svg"), standalone(block))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m examples.vae", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/vae"), help="folder to write to")
    parser.add_argument("--data", type=existing, help="folder of the four idx files; default: where data.sh puts them")
    parser.add_argument("--epochs", type=count, default=12)
    parser.add_argument("--images", type=count, help="use only so many images of each file")
    parser.add_argument("--samples", type=count, default=100, help="most draws of the importance-weighted bound")
    parser.add_argument("--seed", type=int, default=2017)
    parser.add_argument("--quiet", action="store_true", help="no progress")
    options = parser.parse_args(arguments)
    folder = options.data or data.folder()
    if folder is None:
        print("Fashion-MNIST is not here; `make vae`, or examples/fashion_mnist/data.sh, gets it", file=sys.stderr)
        return 3
    loaded = data.load(folder, options.images)
    parts = Parts(torch.cat([loaded.train.x, loaded.validation.x]), loaded.test.x, loaded.test.y)
    with Progress("training", options.quiet) as progress:
        runs = train.train(parts.train, parts.test, options.epochs, options.seed, progress.at)
    with Progress("bounds", options.quiet) as progress:
        verdicts = judge(runs, parts, options.samples, options.seed, progress.at)
    page = report(verdicts, parts)
    write(page, options.out)
    print(rendered(page, "table"))
    print(f"Look at {options.out / 'report.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
