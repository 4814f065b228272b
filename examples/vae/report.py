"""What the autoencoders have learned, as one page."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

import neglog as nl
from examples.fashion_mnist.data import CLASSES
from examples.vae.train import BATCH, Run, importance_bound
from neglog.report.model import Column, Curve, Curves, Fact, Images, Note, Picture, Report, Shades, Table
from neglog.report.numbers import fixed, number

PUBLISHED = 197.8046, 174.5758  # Tiao (2017): loss and validation loss of the first epoch, on MNIST
SIDE, PICTURES, GRID = 28, 10, 9
PPCA_ROWS = 10_000  # training images whose covariance the linear model gets


@dataclass(frozen=True)
class Parts:
    """Grey levels in [0, 1], (N, 784), and the classes of the test images for the picture of the codes."""

    train: Tensor
    test: Tensor
    classes: Tensor


@dataclass(frozen=True)
class Verdict:
    """A network on the test images."""

    run: Run
    bounds: dict[int, tuple[float, float]]  # draws -> importance-weighted bound, its standard error over images
    density: float  # bound of the continuous Bernoulli nll, whatever it was trained by


def judge(
    runs: list[Run], parts: Parts, samples: int, seed: int, progress: Callable[[float, int], None]
) -> list[Verdict]:
    """Bounds with 1, 10 ... ``samples`` draws; the largest has the work of all others together."""
    draws = sorted({1, *(10**n for n in range(1, 6) if 10**n < samples), samples})
    verdicts: list[Verdict] = []
    for done, run in enumerate(runs):
        generator = torch.Generator().manual_seed(seed)
        bounds: dict[int, tuple[float, float]] = {}
        for at, k in enumerate(draws, 1):
            each = importance_bound(run.model, parts.test, run.continuous, k, generator).double()
            bounds[k] = each.mean().item(), each.std().item() / math.sqrt(len(each))
            progress((done + at / len(draws)) / len(runs), len(parts.test) * at)
        grey = importance_bound(run.model, parts.test, True, min(10, samples), generator).double().mean().item()
        verdicts.append(Verdict(run, bounds, grey))
    return verdicts


def report(verdicts: list[Verdict], parts: Parts) -> Report:
    """``verdicts`` in the order Bernoulli, continuous Bernoulli."""
    bits, grey = verdicts
    most = max(bits.bounds)
    facts = (
        Fact("first epoch", fixed(bits.run.train[0], 2), f"MNIST, published: {PUBLISHED[0]:.2f}", large=True),
        Fact("test after it", fixed(bits.run.test[0], 2), f"MNIST, published: {PUBLISHED[1]:.2f}", large=True),
        Fact("test, last epoch", fixed(bits.run.test[-1], 2), f"with {most} draws {fixed(bits.bounds[most][0], 2)}"),
        Fact(
            "continuous Bernoulli", fixed(grey.run.test[-1], 1), f"with {most} draws {fixed(grey.bounds[most][0], 1)}"
        ),
        Fact("an epoch", f"{number(float(np.median(bits.run.seconds)), 3)} s"),
    )
    return Report(
        kind="training",
        title="A variational autoencoder of Fashion-MNIST",
        subtitle=f"{number(len(parts.train))} images, {len(bits.run.train)} epochs in batches of {BATCH}, "
        "784-256-2-256-784; nats an image",
        ok=True,
        status="ok",
        message="",
        facts=facts,
        blocks=(
            Note(
                "The first epoch of the published run is on MNIST, this one on Fashion-MNIST: other pictures, more "
                "grey, so another loss. Network, loss, optimiser and batches are the same."
            ),
            _learning(verdicts),
            _bounds(verdicts),
            _densities(verdicts, parts),
            _samples(verdicts, parts),
            _plane(bits),
            _codes(bits, parts),
        ),
        data={
            "versions": {"neglog": nl.__version__, "torch": torch.__version__},
            "published": {"train": PUBLISHED[0], "test": PUBLISHED[1], "data": "MNIST"},
            "runs": {
                v.run.name: {"train": v.run.train, "test": v.run.test, "seconds": v.run.seconds, "bounds": v.bounds}
                for v in verdicts
            },
        },
    )


def _learning(verdicts: list[Verdict]) -> Curves:
    bits = verdicts[0].run

    def points(values: list[float]) -> tuple[tuple[float, float], ...]:
        return tuple((float(epoch), value) for epoch, value in enumerate(values, 1))

    return Curves(
        title="Learning",
        caption="Negative evidence lower bound of the Bernoulli network: mean over each epoch's batches, and of the "
        "test images after it.",
        curves=(Curve("training", points(bits.train)), Curve("test", points(bits.test), second=True)),
        x_label="epoch",
        y_label="nats an image",
    )


def _bounds(verdicts: list[Verdict]) -> Table:
    return Table(
        title="How tight the bound is",
        columns=(
            Column("draws", "draws", "count"),
            *(Column(v.run.name.replace(" ", "_"), v.run.name, "fixed2") for v in verdicts),
            *(Column(f"{v.run.name}_error".replace(" ", "_"), "± s.e.", "fixed2") for v in verdicts),
        ),
        rows=tuple(
            (k, *(v.bounds[k][0] for v in verdicts), *(v.bounds[k][1] for v in verdicts)) for k in verdicts[0].bounds
        ),
        caption="The importance-weighted bound of the test images: it falls towards the nll as draws are added. One "
        "draw is the usual bound. The two columns are different likelihoods and not to be compared.",
    )


def _densities(verdicts: list[Verdict], parts: Parts) -> Table:
    linear = nl.latent.fit_ppca(parts.train[:PPCA_ROWS].numpy(), 2)
    rows = [(f"trained as {v.run.name}", v.density) for v in verdicts]
    return Table(
        title="As densities of grey levels",
        columns=(Column("model", "model"), Column("nll", "test NLL, at most", "fixed1")),
        rows=(*rows, ("PPCA, 2 dimensions (exact)", linear.mean_nll(parts.test.numpy())), ("uniform", 0.0)),
        caption="Bernoulli's sum is no likelihood of grey levels. With the constant that makes it one (the continuous "
        "Bernoulli) both networks are densities on [0, 1]^784, beside the linear model whose nll is exact. Negative: a "
        "density may exceed 1.",
    )


def _pictures(rows: Tensor, half: bool = False) -> tuple[Picture, ...]:
    """Grey levels as pictures, every 2 x 2 pixels as one if ``half``."""
    images = rows.detach().reshape(-1, SIDE, SIDE)
    if half:
        images = images.reshape(-1, SIDE // 2, 2, SIDE // 2, 2).mean((2, 4))
    return tuple(tuple(tuple(line) for line in image) for image in images.tolist())


@torch.no_grad()
def _means(verdict: Verdict, z: Tensor) -> Tensor:
    """The expected grey levels: of a continuous Bernoulli not its parameter."""
    logits = verdict.run.model.decoder(z)
    if not verdict.run.continuous:
        return torch.sigmoid(logits)
    return torch.from_numpy(nl.ContinuousBernoulli().mean(logits.double().numpy())).float()


@torch.no_grad()
def _samples(verdicts: list[Verdict], parts: Parts) -> Images:
    shown = parts.test[:PICTURES]
    z = torch.randn(PICTURES, 2, generator=torch.Generator().manual_seed(0))
    roots = [v.run.model.posterior(parts.test)[0].square().mean().sqrt().item() for v in verdicts]
    spreads = ", ".join(f"{fixed(root, 1)} ({v.run.name})" for root, v in zip(roots, verdicts, strict=True))
    strips = [("test images", _pictures(shown))]
    for v in verdicts:
        strips.append(
            (f"{v.run.name}: expected from their codes", _pictures(_means(v, v.run.model.posterior(shown)[0])))
        )
    for v in verdicts:
        strips.append((f"{v.run.name}: drawn from the prior", _pictures(_means(v, z))))
    return Images(
        title="Pictures",
        caption="Two numbers say which piece of clothing it is, not its pattern. Root mean square of the codes: "
        f"{spreads}; where that is far above 1, the prior's, its draws come from a corner of what was learned.",
        strips=tuple(strips),
        columns=PICTURES,
    )


def _plane(verdict: Verdict) -> Images:
    quantiles = nl.Normal().ppf((np.arange(GRID) + 0.5) / GRID, 0.0, 1.0)
    z = torch.tensor([(x, y) for y in quantiles[::-1] for x in quantiles], dtype=torch.float32)
    return Images(
        title="The latent plane",
        caption=f"What the {verdict.run.name} network expects at the quantiles of the prior.",
        strips=(("left to right the first number, upwards the second", _pictures(_means(verdict, z), half=True)),),
        columns=GRID,
    )


@torch.no_grad()
def _codes(verdict: Verdict, parts: Parts) -> Shades:
    mu, _ = verdict.run.model.posterior(parts.test[:1000])
    middles = [mu[parts.classes[:1000] == c].median(0).values.tolist() for c in range(len(CLASSES))]
    reach = max(3.0, math.ceil(float(mu.abs().max())))
    known = [(name, tuple(at)) for name, at in zip(CLASSES, middles, strict=True) if not math.isnan(at[0])]
    where = "; ".join(f"{name} ({x:.1f}, {y:.1f})" for name, (x, y) in known)
    return Shades(
        title="Codes of test images",
        caption=f"Posterior means of 1,000 images; the medians of the classes: {where}.",
        cells=(),
        x=(-reach, reach),
        y=(-reach, reach),
        points=tuple((x, y) for x, y in mu.tolist()),
        x_label="first number",
        y_label="second number",
        point_label="test images",
    )
