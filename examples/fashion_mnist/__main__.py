"""``python -m examples.fashion_mnist [--out DIR] [--data DIR] [--epochs N] [--images N] [--seed N] [--quiet]``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from examples.fashion_mnist import data, temperature, train
from examples.fashion_mnist.report import Verdict, report
from examples.options import count, existing
from neglog.cli.outputs import rendered, write_report, write_text
from neglog.cli.progress import Progress
from neglog.report.figures import standalone
from neglog.report.model import Bars, Curves, Report


def verdict(run: train.Run, parts: data.Data) -> Verdict:
    """The temperature from the validation images, everything else from the test images."""
    t = temperature.fit_temperature(train.predict(run.model, parts.validation), parts.validation.y)
    logits = train.predict(run.model, parts.test)
    return Verdict(run, train.judge(logits, parts.test), train.judge(logits.double() / t, parts.test), t)


def write(page: Report, out: Path) -> None:
    """The page, the same as text, the numbers, and the two pictures worth a place elsewhere."""
    out.mkdir(parents=True, exist_ok=True)
    for suffix in ("html", "md", "json"):
        write_report(page, str(out / f"report.{suffix}"))
    for block in page.blocks:
        if isinstance(block, Curves):
            write_text(str(out / "learning_curves.svg"), standalone(block))
        elif isinstance(block, Bars) and len(block.parts) > 1:
            write_text(str(out / "time.svg"), standalone(block))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m examples.fashion_mnist", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/fashion_mnist"), help="folder to write to")
    parser.add_argument("--data", type=existing, help="folder of the four idx files; default: where data.sh puts them")
    parser.add_argument("--epochs", type=count, default=10)
    parser.add_argument("--images", type=count, help="use only so many images of each file")
    parser.add_argument("--seed", type=int, default=20170825)
    parser.add_argument("--quiet", action="store_true", help="no progress")
    options = parser.parse_args(arguments)
    folder = options.data or data.folder()
    if folder is None:
        print("Fashion-MNIST is not here; `make fashion`, or examples/fashion_mnist/data.sh, gets it", file=sys.stderr)
        return 3
    parts = data.load(folder, options.images)
    with Progress("training", options.quiet) as progress:
        runs = train.train(parts, options.epochs, options.seed, progress.at)
    page = report([verdict(run, parts) for run in runs], len(parts.train.y))
    write(page, options.out)
    print(rendered(page, "table"))
    print(f"Look at {options.out / 'report.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
