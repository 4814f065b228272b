"""``python -m examples.rbm [--out DIR] [--seeds N] [--epochs N] [--images N] [--quiet] ...``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from examples.rbm import data
from examples.rbm.report import report
from examples.rbm.train import METHODS, Run, train_large
from neglog import energy
from neglog.cli.outputs import rendered, write_report, write_text
from neglog.cli.progress import Progress
from neglog.report.figures import standalone
from neglog.report.model import Curves, Images, Report


def write(page: Report, out: Path) -> None:
    """The page, the same as text, the numbers, and the figures."""
    out.mkdir(parents=True, exist_ok=True)
    for suffix in ("html", "md", "json"):
        write_report(page, str(out / f"report.{suffix}"))
    figures = [block for block in page.blocks if isinstance(block, Curves | Images)]
    for name, block in zip(("learning", "filters", "samples", "large"), figures, strict=True):
        write_text(str(out / f"{name}.svg"), standalone(block))


def small_machines(options: argparse.Namespace, progress: Progress) -> dict[str, list[Run]]:
    """Every method with every seed."""
    results: dict[str, list[Run]] = {}
    done, total = 0, len(METHODS) * options.seeds
    for name, method in METHODS.items():
        for seed in range(options.seeds):
            split = data.digits(seed, options.images)

            def told(at: energy.Progress, done: int = done, count: int = len(split.train)) -> None:
                progress.at((done + at.epoch / at.epochs) / total, round((done * at.epochs + at.epoch) * count))

            results.setdefault(name, []).append(method(split, options.hidden, options.epochs, seed, told))
            done += 1
    return results


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m examples.rbm", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/rbm"), help="folder to write to")
    parser.add_argument("--seeds", type=int, default=10, help="splits, starts and draws")
    parser.add_argument("--epochs", type=int, default=600, help="of the small machines")
    parser.add_argument("--hidden", type=int, default=16, help="hidden units of the small machines, at most 20")
    parser.add_argument("--large-hidden", type=int, default=256, help="hidden units of the large one")
    parser.add_argument("--large-epochs", type=int, default=15, help="of the large one")
    parser.add_argument("--temperatures", type=int, help="of AIS; the 14,501 of Salakhutdinov & Murray without")
    parser.add_argument("--images", type=int, help="use so many pictures only")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    options = parser.parse_args(arguments)
    with Progress("small machines", options.quiet) as progress:
        results = small_machines(options, progress)
    annealed: list[tuple[float, energy.AnnealedEstimate]] = []
    with Progress("annealing", options.quiet) as progress:
        for seed, run in enumerate(results["PCD"]):
            rows = data.digits(seed, options.images).train
            estimate = energy.ais(run.model, rows, temperatures=options.temperatures, rng=seed)
            annealed.append((run.model.log_partition(), estimate))
            progress.at((seed + 1) / options.seeds, (seed + 1) * len(estimate.log_weights))
    pictures = data.large(options.images)
    with Progress("large machine", options.quiet) as progress:
        large = train_large(
            pictures,
            options.large_hidden,
            options.large_epochs,
            options.temperatures,
            lambda at: progress.at(at.epoch / at.epochs, at.epoch * len(pictures.train)),
        )
    page = report(results, annealed, data.digits(0, options.images), large, options.epochs)
    write(page, options.out)
    print(rendered(page, "table"))
    print(f"Look at {options.out / 'report.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
