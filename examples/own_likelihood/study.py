"""What each likelihood gives, beside what is known by other means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import neglog as nl
from examples.own_likelihood.likelihoods import coin, decay, line

BETA, SIGMA = np.array([1.0, -2.0, 0.5]), 0.8


@dataclass(frozen=True)
class Result:
    """A fit, and numbers by name that belong on the page."""

    fit: Any
    numbers: dict[str, float]


def least_squares(rows: int, seed: int) -> Result:
    """Simulated ``y = x beta + e``, its likelihood at a place, and its fit beside ordinary least squares."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 2))
    design = np.column_stack([np.ones(rows), x])
    y = design @ BETA + SIGMA * rng.normal(size=rows)
    data = {"x1": x[:, 0], "x2": x[:, 1]}

    at = {"b0": 0.0, "b1": 0.0, "b2": 0.0, "sigma": 1.0}
    value, gradient = line.nll_grad(y, **at, **data)
    by_hand = np.append(-design.T @ y, rows - y @ y)  # d/d beta and d/d sigma there

    fit = nl.fit(line, y, data=data)
    beta, rss, *_ = np.linalg.lstsq(design, y)
    params, errors = np.array(list(fit.params.values())), np.array(list(fit.stderr.values()))
    unbiased = np.sqrt(rss[0] / (rows - 3) * np.diag(np.linalg.inv(design.T @ design)))
    numbers = {
        "nll at zero": float(value.sum()),
        "gradient, largest difference from the formula": float(np.abs(gradient[:4].sum(axis=1) - by_hand).max()),
        "beta, largest difference from least squares": float(np.abs(params[:3] - beta).max()),
        "sigma squared": float(params[3] ** 2),
        "RSS / n": float(rss[0] / rows),
        "RSS / (n - k)": float(rss[0] / (rows - 3)),
        "standard errors with n - k, largest difference": float(
            np.abs(errors[:3] * np.sqrt(rows / (rows - 3)) - unbiased).max()
        ),
    }
    return Result(fit, numbers)


def bernoulli(rows: int, seed: int) -> Result:
    """A coin thrown ``rows`` times: the best p is the share of heads, and its error is known."""
    y = (np.random.default_rng(seed).random(rows) < 0.3).astype(float)
    fit = nl.fit(coin, y)
    share = float(y.mean())
    numbers = {
        "p": fit.params["p"],
        "share of heads": share,
        "standard error": fit.stderr["p"],
        "sqrt(p (1 - p) / n)": float(np.sqrt(share * (1 - share) / rows)),
    }
    return Result(fit, numbers)


@dataclass(frozen=True)
class Measured:
    """A decay with its data and, at some hours, the curve and a band of two standard deviations."""

    result: Result
    hours: np.ndarray
    y: np.ndarray
    grid: np.ndarray
    curve: np.ndarray


def nonlinear(rows: int, seed: int) -> Measured:
    """``3 exp(-0.7 hours)`` measured with errors of 0.1."""
    rng = np.random.default_rng(seed)
    hours = np.sort(rng.uniform(0, 6, rows))
    y = 3.0 * np.exp(-0.7 * hours) + 0.1 * rng.normal(size=rows)
    fit = nl.fit(decay, y, data={"hours": hours})
    grid = np.linspace(0, 6, 121)
    low, high = fit.ci()["rate"]
    numbers = {"start": fit.params["start"], "rate": fit.params["rate"], "rate, low": low, "rate, high": high,
               "half-life": float(np.log(2) / fit.params["rate"])}  # fmt: skip
    return Measured(Result(fit, numbers), hours, y, grid, fit.predict({"hours": grid}))
