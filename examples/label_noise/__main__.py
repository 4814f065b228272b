"""``python -m examples.label_noise [--out DIR] [--images N] [--epochs N] [--repetitions N] [--workers N] [...]``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from examples.fashion_mnist import data as fashion_mnist
from examples.label_noise.data import NOISES
from examples.label_noise.losses import LOSSES, REFERENCE
from examples.label_noise.report import fill, panels, report
from examples.label_noise.study import Store, jobs, study
from examples.label_noise.summary import Results
from examples.label_noise.train import Settings
from examples.options import existing
from neglog.cli.outputs import rendered, write_report, write_text
from neglog.cli.progress import Progress
from neglog.report.figures import standalone


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """Options, with names that exist."""
    names, noises = [loss.name for loss in LOSSES], [noise.name for noise in NOISES]
    parser = argparse.ArgumentParser(prog="python -m examples.label_noise", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/label_noise"), help="folder to write to, and to go on in")
    parser.add_argument("--data", type=existing, help="folder of the four idx files of Fashion-MNIST")
    parser.add_argument("--images", type=int, default=4000, help="to train with; a quarter as many choose the epoch")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2, help="processes of one thread each")
    parser.add_argument("--losses", nargs="+", default=names, choices=names, metavar="LOSS")
    parser.add_argument("--noises", nargs="+", default=noises, choices=noises, metavar="NOISE")
    parser.add_argument("--document", type=Path, help="write the tables between the markers of this file, too")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    options = parser.parse_args(arguments)
    if REFERENCE not in options.losses:
        parser.error(f"--losses: everything is compared with {REFERENCE}, which is not among them")
    for name in ("images", "epochs", "repetitions", "workers"):
        if getattr(options, name) < 1:
            parser.error(f"--{name}: {getattr(options, name)}; allowed: 1 and more")
    return options


def write(results: Results, settings: Settings, out: Path, document: Path | None) -> str:
    """The page, the same as text, the numbers, the picture; and the document's own tables and picture."""
    page = report(results, settings)
    for suffix in ("html", "md", "json"):
        write_report(page, str(out / f"report.{suffix}"))
    picture = standalone(panels(results, "final"), panels(results, "best"))
    write_text(str(out / "label_noise.svg"), picture)
    if document is not None:
        write_text(str(document), fill(document.read_text(), results, settings))
        write_text(str(document.parent / "images" / "label_noise.svg"), picture)
    return rendered(page, "table")


def main(arguments: list[str] | None = None) -> int:
    options = parsed(arguments)
    folder = options.data or fashion_mnist.folder()
    if folder is None:
        print("Fashion-MNIST is not here; `make study`, or examples/fashion_mnist/data.sh, gets it", file=sys.stderr)
        return 3
    options.out.mkdir(parents=True, exist_ok=True)
    settings, store = Settings(options.images, options.epochs), Store(options.out / "runs.jsonl")
    wanted = jobs(options.losses, options.noises, options.repetitions)
    try:
        with Progress("training", options.quiet) as progress:
            records = study(wanted, settings, folder, store, options.workers, progress.at)
    except KeyboardInterrupt:
        print(f"Interrupted. {store.path} has what is done; the same command goes on from there.", file=sys.stderr)
        return 130
    results = Results(records, options.losses, options.noises, options.repetitions)
    print(write(results, settings, options.out, options.document))
    print(f"Look at {options.out / 'report.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
