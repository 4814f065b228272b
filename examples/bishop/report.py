"""What the networks have learned, as one page."""

from __future__ import annotations

import statistics
from typing import Any

import torch
from torch import Tensor

import neglog as nl
from examples.bishop.data import NOISE, RANGE, Part, curve
from examples.bishop.train import Network, Run, summary
from neglog.report.model import Column, Curve, Curves, Fact, Report, Shades, Table
from neglog.report.numbers import fixed, number

HEIGHTS, PLACES = 90, 110  # cells of a picture
SHOWN = 400  # training pairs in a picture


def best(runs: list[Run]) -> Run:
    """The one with the median NLL: neither the luckiest nor the unluckiest start."""
    return sorted(runs, key=lambda run: run.nll)[(len(runs) - 1) // 2]


def report(results: dict[str, list[Run]], parts: tuple[Part, Part], floor: tuple[float, float]) -> Report:
    """``results`` by network, one run a seed, in the order least squares, one Gaussian, mixture."""
    chosen = {name: best(runs) for name, runs in results.items()}
    squares, gaussian, mixture = chosen.values()
    pairs, test = parts
    facts = (
        Fact("test NLL, mixture", fixed(mixture.nll, 3), f"± {fixed(mixture.stderr, 3)}", large=True),
        Fact("one Gaussian", fixed(gaussian.nll, 3), f"± {fixed(gaussian.stderr, 3)}"),
        Fact("least squares", fixed(squares.nll, 3), f"± {fixed(squares.stderr, 3)}"),
        Fact("the truth", fixed(floor[0], 3), "no network comes lower"),
    )
    return Report(
        kind="training",
        title="Bishop's inverse problem",
        subtitle=f"{number(len(pairs.t))} pairs to train with, {number(len(test.t))} to judge with, "
        f"{len(results[squares.network.name])} initial weights each; NLL in nats",
        ok=True,
        status="ok",
        message="",
        facts=facts,
        blocks=(
            _least_squares(squares.network, pairs),
            _density(
                gaussian.network,
                pairs,
                "One Gaussian",
                "Where several answers are right, the best that one bell can do is to cover them all. Its spread "
                "follows the data, its mean is still the answer that fits none of them.",
            ),
            _density(
                mixture.network,
                pairs,
                "A mixture of three",
                "The same network with a mixture at its end: each branch of the curve has its component.",
            ),
            _weights(mixture.network),
            _slice(gaussian.network, mixture.network, 0.65),
            _learning(chosen, floor[0]),
            _table(results, floor),
        ),
        data={
            "versions": {"neglog": nl.__version__, "torch": torch.__version__},
            "truth": {"nll": floor[0], "stderr": floor[1]},
            "networks": {name: summary(runs) for name, runs in results.items()},
        },
    )


def _grid(low: float, high: float, cells: int) -> Tensor:
    """Middles of equal cells."""
    return low + (high - low) * (torch.arange(cells) + 0.5) / cells


def _points(pairs: Part) -> tuple[tuple[float, float], ...]:
    return tuple(zip(pairs.t[:SHOWN, 0].tolist(), pairs.x[:SHOWN, 0].tolist(), strict=True))


def _least_squares(network: Network, pairs: Part) -> Shades:
    t = _grid(*RANGE, 200)
    with torch.no_grad():
        mean = network(t[:, None]).loc[:, 0, 0]
    x = torch.linspace(0, 1, 200)
    return Shades(
        title="Least squares",
        caption="Backwards the curve has three values, and the conditional mean lies between them: at t = 0.35 and "
        "t = 0.65 hardly any data are where the prediction is.",
        cells=(),
        x=RANGE,
        y=RANGE,
        points=_points(pairs),
        curves=(
            Curve("noiseless curve", tuple(zip(curve(x).tolist(), x.tolist(), strict=True)), dashed=True),
            Curve("its prediction", tuple(zip(t.tolist(), mean.tolist(), strict=True)), second=True),
        ),
        x_label="t, what is given",
        y_label="x, what is asked",
        point_label="training pairs",
    )


def _density(network: Network, pairs: Part, title: str, caption: str) -> Shades:
    t, x = _grid(*RANGE, PLACES), _grid(*RANGE, HEIGHTS)
    rows = [torch.exp(-network.nll(t[:, None], torch.full((PLACES, 1), value))).tolist() for value in x.tolist()]
    return Shades(
        title=title,
        caption=caption,
        cells=tuple(tuple(row) for row in rows),
        x=RANGE,
        y=RANGE,
        points=_points(pairs),
        x_label="t, what is given",
        y_label="x, what is asked",
        shade_label="density of x for each t",
        point_label="training pairs",
    )


def _weights(network: Network) -> Curves:
    t = _grid(*RANGE, 120)
    with torch.no_grad():
        logits, loc, _ = network(t[:, None])
    weight = logits.softmax(1)
    order = loc[..., 0].mean(0).argsort().tolist()  # by height, so that the names mean something
    names = ("low branch", "middle", "high branch")
    return Curves(
        title="Who is responsible",
        caption="The weights of the three components. Towards the ends one is left alone, and t has one answer.",
        curves=tuple(
            Curve(name, tuple(zip(t.tolist(), weight[:, k].tolist(), strict=True)), second=i == 2, dashed=i == 1)
            for i, (name, k) in enumerate(zip(names, order, strict=True))
        ),
        x_label="t",
        y_label="weight",
    )


def _slice(gaussian: Network, mixture: Network, at: float) -> Curves:
    x = _grid(-0.1, 1.1, 240)
    t = torch.full((len(x), 1), at)
    possible = ((curve(x.clamp(0, 1)) - at).abs() < NOISE).double() * ((x > 0) & (x < 1))
    truth = possible / possible.sum() / (x[1] - x[0])

    def density(network: Network) -> list[float]:
        return torch.exp(-network.nll(t, x[:, None])).tolist()

    shown = (("truth", truth.tolist()), ("mixture", density(mixture)), ("one Gaussian", density(gaussian)))
    return Curves(
        title=f"At t = {at:g}",
        caption="The density of x at one t. The truth is flat on two intervals: the middle branch ends here. "
        "The single bell has its top between them.",
        curves=tuple(
            Curve(name, tuple(zip(x.tolist(), values, strict=True)), dashed=i == 0, second=i == 2)
            for i, (name, values) in enumerate(shown)
        ),
        x_label="x",
        y_label="density",
    )


def _learning(chosen: dict[str, Run], floor: float) -> Curves:
    squares, gaussian, mixture = (run.steps for run in chosen.values())
    every = len(squares) // 25 or 1  # dots
    end = float(mixture[-1][0])
    return Curves(
        title="Learning",
        caption="Test NLL during training. Dashed: the law that made the data.",
        curves=(
            Curve("mixture of 3", tuple((float(step), value) for step, value in mixture)),
            Curve("one Gaussian", tuple((float(step), value) for step, value in gaussian), second=True),
            Curve("least squares", tuple((float(s), value) for s, value in squares[::every]), dots=True),
            Curve("truth", ((float(mixture[0][0]), floor), (end, floor)), dashed=True),
        ),
        x_label="step",
        y_label="NLL (nats)",
    )


def _table(results: dict[str, list[Run]], floor: tuple[float, float]) -> Table:
    def row(name: str, runs: list[Run]) -> tuple[Any, ...]:
        nll = [run.nll for run in runs]
        apart = statistics.median(run.apart for run in runs)
        return name, statistics.median(nll), min(nll), max(nll), statistics.median(nll) - floor[0], apart

    return Table(
        title="On the test pairs",
        columns=(
            Column("network", "network"),
            Column("nll", "NLL", "fixed3"),
            Column("lowest", "lowest", "fixed3"),
            Column("highest", "highest", "fixed3"),
            Column("excess", "above truth", "fixed3"),
            Column("apart", "off by", "fixed3"),
        ),
        rows=(*(row(name, runs) for name, runs in results.items()), ("truth", floor[0], None, None, 0.0, None)),
        caption="Median, lowest and highest over the initial weights. The last column puts one answer to the test (the "
        "mean, or the location of the likeliest component): how far its noiseless t is from the given one, root mean "
        f"square; that of the true x is {fixed(NOISE / 3**0.5, 3)} away, by the noise.",
    )
