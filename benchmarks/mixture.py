"""Gaussian mixtures: the same steps of EM from the same start as scikit-learn, to the same NLL."""

from __future__ import annotations

import statistics
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture as SklearnMixture
from threadpoolctl import threadpool_limits

import neglog as nl
from benchmarks.timing import timed
from neglog import latent

OURS, THEIRS = "neglog", "scikit-learn"
NAMES = {"full": "full", "tied": "tied", "diagonal": "diag", "spherical": "spherical"}


@dataclass(frozen=True)
class Case:
    """``steps`` of EM on draws from ``components`` correlated normals."""

    covariance: str
    columns: int = 10
    components: int = 10
    dtype: str = "float64"
    rows: int = 200_000
    steps: int = 10

    @property
    def name(self) -> str:
        return f"mixture {self.covariance} {self.rows} x {self.columns} {self.components} {self.dtype}"


def cases() -> list[Case]:
    """Each type of covariance; few columns and many; float32."""
    return [
        *(Case(kind) for kind in NAMES),
        Case("full", columns=2, components=3),
        Case("full", columns=50, rows=50_000),
        Case("diagonal", columns=50, rows=50_000),
        Case("full", dtype="float32"),
    ]


def draw(case: Case) -> np.ndarray:
    rng = np.random.default_rng(20)
    d, k = case.columns, case.components
    means, roots = 2 * rng.normal(size=(k, d)), rng.normal(size=(k, d, d)) / np.sqrt(d)
    roots += 0.3 * np.eye(d)
    label = rng.integers(k, size=case.rows)
    x = np.empty((case.rows, d))
    for i in range(k):
        rows = label == i
        x[rows] = means[i] + rng.normal(size=(int(rows.sum()), d)) @ roots[i].T
    return x.astype(case.dtype)


def measure(case: Case, rounds: int) -> list[dict[str, Any]]:
    """Both in turn, ``rounds`` times; medians of the whole fit. neglog is the first."""
    x = draw(case)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a number of steps is what is asked for
        first = latent.fit_gaussian_mixture(x[:5000], case.components, covariance=case.covariance, max_iter=2, rng=0)
        start = first.model
        invert = np.linalg.inv if case.covariance in ("full", "tied") else np.reciprocal
        theirs = SklearnMixture(
            case.components, covariance_type=NAMES[case.covariance], weights_init=start.weights,
            means_init=start.means, precisions_init=invert(start.covariances), tol=0, reg_covar=0, max_iter=case.steps,
        )  # fmt: skip
        found: dict[str, latent.MixtureFit] = {}

        def ours() -> None:
            found[OURS] = latent.fit_gaussian_mixture(
                x, case.components, covariance=case.covariance, start=start, tol=0, max_iter=case.steps
            )

        contenders: dict[str, Callable[[], Any]] = {OURS: ours, THEIRS: lambda: theirs.fit(x)}
        times: dict[str, list[float]] = {name: [] for name in contenders}
        with threadpool_limits(nl.get_num_threads()):
            for _ in range(rounds):
                for name, call in contenders.items():
                    times[name].append(timed(call, 1))
    nll = {OURS: found[OURS].mean_nll, THEIRS: -float(theirs.score(x))}
    medians = {name: statistics.median(values) for name, values in times.items()}
    return [
        {
            "case": case.name,
            **asdict(case),
            "library": name,
            "milliseconds": medians[name],
            "ratio": medians[name] / medians[OURS],
            "nll": nll[name],
        }
        for name in contenders
    ]


def line(rows: list[dict[str, Any]]) -> str:
    ours, theirs = rows
    what = f"{ours['covariance']}, {ours['rows']:,} × {ours['columns']}, K = {ours['components']}, {ours['dtype']}"
    return (
        f"| {what} | {ours['milliseconds']:.0f} [{ours['nll']:.6f}] | {theirs['milliseconds']:.0f} "
        f"({theirs['ratio']:.1f}×) [{theirs['nll']:.6f}] |"
    )


def table(rows: list[dict[str, Any]], machine: dict[str, Any]) -> str:
    """Markdown."""
    pairs = [rows[i : i + 2] for i in range(0, len(rows), 2)]
    legend = (
        f"Medians in ms of {rows[0]['steps']} steps of EM from the same start with {machine['threads']} threads "
        f"({machine['instruction_set']}, NumPy {machine['numpy']}); ×: times neglog's. In brackets the mean NLL of the "
        "rows after them."
    )
    return "\n".join([f"| | {OURS} | {THEIRS} |\n|---|---:|---:|", *map(line, pairs), "", legend, ""])
