"""What the runs have shown, as one page."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, replace
from typing import Any

import torch

import neglog as nl
from examples.fashion_mnist.train import BATCH, Run
from neglog.evaluation.result import ClassificationResult
from neglog.report.model import Bars, Column, Curve, Curves, Fact, Figure, Reliability, Report, Table
from neglog.report.numbers import fixed, number, percent, places
from neglog.report.score import score_report


@dataclass(frozen=True)
class Verdict:
    """One network on the test images, as trained and with its temperature."""

    run: Run
    before: ClassificationResult
    after: ClassificationResult
    temperature: float

    @property
    def epoch(self) -> float:
        """Seconds of an epoch: the median, since a machine has other work."""
        return statistics.median(self.run.seconds)


def apart(a: list[float], b: list[float]) -> float:
    """The largest difference of two curves."""
    return max(abs(x - y) for x, y in zip(a, b, strict=True))


def report(verdicts: list[Verdict], images: int) -> Report:
    """``verdicts`` in the order neglog, torch, torch with a float64 loss."""
    ours, theirs, exact = verdicts
    score = ours.before
    decimals = places(score.stderr, score.nll) or 4
    facts = (
        Fact("test NLL", fixed(score.nll, decimals), f"± {fixed(score.stderr, decimals)}", large=True),
        Fact(
            "at its temperature",
            fixed(ours.after.nll, decimals),
            f"± {fixed(ours.after.stderr, decimals)}, T = {fixed(ours.temperature, 3)}",
        ),
        Fact("accuracy", percent(score.accuracy, 2), f"± {percent(score.accuracy_stderr, 2)}"),
        Fact("an epoch", f"{number(ours.epoch, 3)} s", f"torch: {number(theirs.epoch, 3)} s"),
        Fact(
            "its losses",
            f"{number(1e3 * ours.run.loss_seconds, 3)} ms",
            f"torch: {number(1e3 * theirs.run.loss_seconds, 3)} ms",
        ),
    )
    return Report(
        kind="training",
        title="Fashion-MNIST, trained with neglog.torch and with torch",
        subtitle=f"{number(images)} images, {len(ours.run.train)} epochs in batches of {BATCH}, one network "
        "784-256-128-10, the same initial weights and batches for every loss; losses in nats",
        ok=True,
        status="ok",
        message="",
        facts=facts,
        blocks=(
            _curves(ours, theirs),
            _apart(ours.run, theirs.run, exact.run),
            _time(ours, theirs),
            _loss_time(ours, theirs),
            _as_trained(verdicts),
            _at_temperature(verdicts),
            _reliability(ours.before, "Before: as trained"),
            _reliability(ours.after, f"After: logits divided by T = {fixed(ours.temperature, 3)}"),
        ),
        data=_data(verdicts),
    )


def _curves(ours: Verdict, theirs: Verdict) -> Figure:
    def curve(verdict: Verdict, name: str, second: bool) -> Curve:
        losses = verdict.run.validation if second else verdict.run.train
        points = tuple((float(epoch), loss) for epoch, loss in enumerate(losses, 1))
        return Curve(f"{name}, {verdict.run.name}", points, dots=verdict is theirs, second=second)

    return Curves(
        title="The same curve",
        caption="Mean NLL of each epoch's training batches, and of held-out images after it. Dots are torch, lines "
        "neglog: they coincide. That the two colours part is over-fitting, and makes probabilities too sure.",
        curves=tuple(
            curve(verdict, name, second)
            for name, second in (("training", False), ("validation", True))
            for verdict in (ours, theirs)
        ),
        x_label="epoch",
        y_label="NLL (nats)",
    )


def _apart(ours: Run, theirs: Run, exact: Run) -> Table:
    """How the difference of two runs grows, beside that of two runs which only rounding tells apart."""
    steps = len(theirs.steps)
    firsts = [10**power for power in range(len(str(steps))) if 10**power < steps]
    rows = [
        (number(n), apart(ours.steps[:n], theirs.steps[:n]), apart(exact.steps[:n], theirs.steps[:n]))
        for n in (*firsts, steps)
    ]
    rows.append(("mean of an epoch", apart(ours.train, theirs.train), apart(exact.train, theirs.train)))
    return Table(
        title="How far apart",
        columns=(
            Column("batches", "first batches"),
            Column("neglog", "neglog and torch", "number"),
            Column("float64", "torch and its float64 loss", "number"),
        ),
        rows=tuple((label, float(f"{mine:.1e}"), float(f"{rounding:.1e}")) for label, mine, rounding in rows),
        caption="Largest difference of two runs' training losses. It begins with one rounding, and training amplifies "
        "it: as much between torch's loss of float32 logits and torch's loss of the same logits in float64.",
    )


def _time(*verdicts: Verdict) -> Figure:
    rows = tuple((v.run.name, (v.run.loss_seconds, max(0.0, v.epoch - v.run.loss_seconds))) for v in verdicts)
    return Bars(
        title="An epoch",
        caption=f"Median seconds of an epoch's training on {torch.get_num_threads()} threads. Behind a network the "
        "loss of ten classes is a small part; the more classes, the larger it grows.",
        parts=("loss and its gradient", "network and optimiser"),
        rows=rows,
        x_label="seconds",
    )


def _loss_time(*verdicts: Verdict) -> Figure:
    rows = tuple((v.run.name, (1e3 * v.run.loss_seconds,)) for v in verdicts)
    return Bars(
        title="Of which losses",
        caption=f"Milliseconds of an epoch's losses with their gradients in the logits, {BATCH} × 10 at a time: mostly "
        "the overhead of a call and of autograd. The best of five turns.",
        parts=("loss and its gradient",),
        rows=rows,
        x_label="milliseconds",
    )


def _reliability(result: ClassificationResult, title: str) -> Figure:
    figure = next(block for block in score_report(result, title="").blocks if isinstance(block, Reliability))
    caption = (
        f"Test images by the probability of their likeliest class. ECE {fixed(result.ece, 4)}; calibrated "
        f"probabilities would show about {fixed(result.ece_expected, 4)} by chance."
    )
    return replace(figure, title=title, caption=caption)


def _as_trained(verdicts: list[Verdict]) -> Table:
    return Table(
        title="On the test images",
        columns=(
            Column("loss", "trained with"),
            Column("nll", "NLL", "fixed4"),
            Column("stderr", "±", "fixed4"),
            Column("accuracy", "accuracy", "percent"),
            Column("accuracy_stderr", "±", "percent"),
            Column("ece", "ECE", "fixed4"),
        ),
        rows=tuple(
            (v.run.name, v.before.nll, v.before.stderr, v.before.accuracy, v.before.accuracy_stderr, v.before.ece)
            for v in verdicts
        ),
    )


def _at_temperature(verdicts: list[Verdict]) -> Table:
    return Table(
        title="The same, logits divided by T",
        columns=(
            Column("loss", "trained with"),
            Column("temperature", "T", "fixed3"),
            Column("nll", "NLL", "fixed4"),
            Column("stderr", "±", "fixed4"),
            Column("ece", "ECE", "fixed4"),
        ),
        rows=tuple((v.run.name, v.temperature, v.after.nll, v.after.stderr, v.after.ece) for v in verdicts),
        caption="T minimises the NLL of the validation images. It moves no image to another class: it leaves the "
        "accuracy and repairs the probabilities.",
    )


def _data(verdicts: list[Verdict]) -> dict[str, Any]:
    return {
        "versions": {"neglog": nl.__version__, "torch": torch.__version__},
        "threads": torch.get_num_threads(),
        "runs": {
            v.run.name: {
                "train": v.run.train,
                "validation": v.run.validation,
                "epoch_seconds": v.run.seconds,
                "loss_seconds": v.run.loss_seconds,
                "temperature": v.temperature,
                "test": {key: getattr(v.before, key) for key in _JUDGED},
                "test_at_temperature": {key: getattr(v.after, key) for key in _JUDGED},
            }
            for v in verdicts
        },
        "training_loss_apart": apart(verdicts[0].run.steps, verdicts[1].run.steps),
    }


_JUDGED = ("nobs", "nll", "stderr", "accuracy", "accuracy_stderr", "brier", "ece", "ece_expected")
