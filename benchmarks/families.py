"""Families: the nll of many rows, alone and with gradient and Hessian, and how exact it is."""

from __future__ import annotations

import importlib.util
import statistics
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import torch

import neglog as nl
from benchmarks.rivals import numba_stats, ours_families, scipy_stats, torch_distributions
from benchmarks.timing import timed

RIVALS = (ours_families, scipy_stats, numba_stats, torch_distributions)
ORACLES = Path(__file__).parents[1] / "tests" / "oracles"
sys.path.append(str(ORACLES))  # some of them share a module there
HEAD = 100  # rows that are compared with mpmath

# What float32 holds exactly, so that everybody computes with the same numbers.
PARAMETERS: dict[str, tuple[float, ...]] = {
    "normal": (0.5, 2.0),
    "log_normal": (0.5, 0.75),
    "exponential": (2.5,),
    "gamma": (2.5, 1.5),
    "weibull": (1.5, 2.0),
    "gumbel": (0.5, 2.0),
    "gumbel_min": (0.5, 2.0),
    "gev": (0.125, 0.5, 2.0),
    "generalized_pareto": (0.25, 2.0),
    "beta": (2.5, 1.5),
    "student_t": (4.5, 0.5, 2.0),
    "laplace": (0.5, 2.0),
    "logistic": (0.5, 2.0),
    "log_logistic": (2.5, 2.0),
    "cauchy": (0.5, 2.0),
    "inverse_gaussian": (2.0, 3.0),
    "inverse_gamma": (3.5, 2.0),
    "birnbaum_saunders": (0.75, 2.0),
    "burr_xii": (2.5, 1.5, 2.0),
    "rayleigh": (2.0,),
    "rice": (1.5, 2.0),
    "nakagami": (1.25, 4.0),
    "half_normal": (2.0,),
    "chi2": (4.5,),
    "generalized_gamma": (0.75, 0.5, 0.5),
    "pareto": (2.5, 2.0),
    "uniform": (-1.0, 3.0),
    "skew_normal": (1.5, 0.5, 2.0),
    "von_mises": (0.5, 2.0),
    "normal_inverse_gaussian": (1.5, 0.5, 0.5, 2.0),
    "bernoulli": (0.5,),
    "binomial": (20.0, 0.25),
    "beta_binomial": (20.0, 2.5, 1.5),
    "poisson": (4.5,),
    "negative_binomial": (2.5, 0.25),
    "nb2": (4.5, 0.5),
    "geometric": (0.25,),
    "generalized_poisson": (4.5, 0.25),
    "tweedie": (2.0, 1.0, 1.5),  # no rival: SciPy has none
}


@dataclass(frozen=True)
class Case:
    """``task`` of one family: ``nll``, or ``nll_grad_hess``, which only neglog does."""

    family: str
    task: str
    dtype: str = "float64"
    per_row: bool = False  # parameters of its own for every row, as in a regression; otherwise numbers
    rows: int = 1_000_000

    @property
    def name(self) -> str:
        return f"families {self.family} {self.task} {self.rows} {self.dtype}{' per row' if self.per_row else ''}"


def cases() -> list[Case]:
    """Both tasks of every family in both dtypes, with one law for all rows and with one a row."""
    return [
        Case(name, task, dtype, per_row)
        for name in PARAMETERS
        for dtype in ("float64", "float32")
        for per_row in (False, True)
        for task in ("nll", "nll_grad_hess")
    ]


class Data:
    """The rows of one case: draws from the family, the same for every rival."""

    def __init__(self, case: Case) -> None:
        self.case = case
        rng = np.random.default_rng(20260)
        family = nl.family(case.family)
        self.parameters: list[Any] = list(PARAMETERS[case.family])
        for i, parameter in enumerate(family.parameters):
            if case.per_row and not parameter.domain.integer:
                spread = rng.choice([0.875, 1.0, 1.125], case.rows)  # exact in float32, like the parameters
                self.parameters[i] = (self.parameters[i] * spread).astype(case.dtype)
        self.y = family.sample(*self.parameters, size=case.rows, rng=rng).astype(case.dtype)

    @cached_property
    def exact(self) -> np.ndarray:
        """The nll of the first rows by mpmath, from the very numbers that the rivals get."""
        spec = importlib.util.spec_from_file_location(self.case.family, ORACLES / f"{self.case.family}.py")
        assert spec and spec.loader
        oracle = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(oracle)
        rows = zip(*(np.broadcast_to(x, self.y.shape)[:HEAD].tolist() for x in (self.y, *self.parameters)), strict=True)
        with mpmath.workdps(50):
            return np.array([float(oracle.nll(*map(mpmath.mpf, row))) for row in rows])


def error(answer: Any, exact: np.ndarray) -> float:
    """Largest error of the first rows, in units of the larger of 1 and the value."""
    head = np.asarray(answer)[: len(exact)].astype(np.float64)
    return float((np.abs(head - exact) / np.maximum(1, np.abs(exact))).max())


def measure(case: Case, data: Data, rounds: int) -> list[dict[str, Any]]:
    """Everybody in turn, ``rounds`` times; medians. neglog is the first."""
    torch.set_num_threads(nl.get_num_threads())
    contenders: dict[str, Callable[[], Any]] = {}
    for rival in RIVALS:
        call = rival.prepare(case, data)
        if call is not None:
            contenders[rival.NAME] = call
    # the first call is the warm-up (threads, page faults, compilation) and gives the errors
    found = {name: error(call(), data.exact) for name, call in contenders.items()}
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, call in contenders.items():
            times[name].append(timed(call, 1))
    medians = {name: statistics.median(values) for name, values in times.items()}
    ours = medians[next(iter(found))]
    return [
        {
            "case": case.name,
            **asdict(case),
            "library": name,
            "milliseconds": medians[name],
            "ratio": medians[name] / ours,
            "error": found[name],
        }
        for name in found
    ]
