"""The nonlinear regressions of NIST's Statistical Reference Datasets: files, curves, and a curve's Gaussian nll."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import neglog as nl

FILES = Path(__file__).parents[1] / "data" / "nist"


@dataclass(frozen=True)
class Certified:
    """What a file holds."""

    name: str
    level: str
    starts: tuple[dict[str, float], dict[str, float]]
    params: dict[str, float]
    stderr: dict[str, float]
    rss: float
    y: np.ndarray
    data: dict[str, np.ndarray]


def read(name: str) -> Certified:
    """Start values and certified values by name, and the columns."""
    lines = (FILES / f"{name}.dat").read_text().splitlines()
    rows = [re.match(r"\s*(b\d)\s*=\s*(\S+)\s+(\S+)\s+(\S+)\s+(\S+)", line) for line in lines]
    found = {row[1]: [float(row[i]) for i in range(2, 6)] for row in rows if row}
    rss = next(float(line.split()[-1]) for line in lines if line.startswith("Residual Sum of Squares"))
    first = next(i for i, line in enumerate(lines) if re.match(r"Data:\s+y\s+x", line))
    table = np.array([[float(cell) for cell in line.split()] for line in lines[first + 1 :] if line.strip()])
    columns = {"x": table[:, 1]} if table.shape[1] == 2 else {"x1": table[:, 1], "x2": table[:, 2]}
    return Certified(
        name=name,
        level=next(line.strip().split()[0] for line in lines if "Level of Difficulty" in line),
        starts=tuple({key: row[i] for key, row in found.items()} for i in (0, 1)),  # type: ignore[arg-type]
        params={key: row[2] for key, row in found.items()},
        stderr={key: row[3] for key, row in found.items()},
        rss=rss,
        y=np.log(table[:, 0]) if name == "Nelson" else table[:, 0],
        data=columns,
    )


def _exp(x: Any) -> Any:
    return x.exp()


def gauss(b1, b2, b3, b4, b5, b6, b7, b8, x):
    return b1 * _exp(-b2 * x) + b3 * _exp(-((x - b4) ** 2) / b5**2) + b6 * _exp(-((x - b7) ** 2) / b8**2)


def lanczos(b1, b2, b3, b4, b5, b6, x):
    return b1 * _exp(-b2 * x) + b3 * _exp(-b4 * x) + b5 * _exp(-b6 * x)


def cubic(b1, b2, b3, b4, b5, b6, b7, x):
    return (b1 + b2 * x + b3 * x**2 + b4 * x**3) / (1 + b5 * x + b6 * x**2 + b7 * x**3)


def chwirut(b1, b2, b3, x):
    return _exp(-b1 * x) / (b2 + b3 * x)


def saturating(b1, b2, x):
    return b1 * (1 - _exp(-b2 * x))


def enso(b1, b2, b3, b4, b5, b6, b7, b8, b9, x):
    year, first, second = (2 * math.pi * x / period for period in (12, b4, b7))
    return (
        b1 + b2 * year.cos() + b3 * year.sin() + b5 * first.cos() + b6 * first.sin() + b8 * second.cos()
        + b9 * second.sin()
    )  # fmt: skip


CURVES: dict[str, Callable[..., Any]] = {
    "Misra1a": saturating,
    "Chwirut2": chwirut,
    "Chwirut1": chwirut,
    "Lanczos3": lanczos,
    "Gauss1": gauss,
    "Gauss2": gauss,
    "DanWood": lambda b1, b2, x: b1 * x**b2,
    "Misra1b": lambda b1, b2, x: b1 * (1 - (1 + b2 * x / 2) ** -2),
    "Kirby2": lambda b1, b2, b3, b4, b5, x: (b1 + b2 * x + b3 * x**2) / (1 + b4 * x + b5 * x**2),
    "Hahn1": cubic,
    "Nelson": lambda b1, b2, b3, x1, x2: b1 - b2 * x1 * _exp(-b3 * x2),
    "MGH17": lambda b1, b2, b3, b4, b5, x: b1 + b2 * _exp(-x * b4) + b3 * _exp(-x * b5),
    "Lanczos1": lanczos,
    "Lanczos2": lanczos,
    "Gauss3": gauss,
    "Misra1c": lambda b1, b2, x: b1 * (1 - (1 + 2 * b2 * x) ** -0.5),
    "Misra1d": lambda b1, b2, x: b1 * b2 * x / (1 + b2 * x),
    "Roszman1": lambda b1, b2, b3, b4, x: b1 - b2 * x - (b3 / (x - b4)).atan() / math.pi,
    "ENSO": enso,
    "MGH09": lambda b1, b2, b3, b4, x: b1 * (x**2 + x * b2) / (x**2 + x * b3 + b4),
    "Thurber": cubic,
    "BoxBOD": saturating,
    "Rat42": lambda b1, b2, b3, x: b1 / (1 + _exp(b2 - b3 * x)),
    "MGH10": lambda b1, b2, b3, x: b1 * _exp(b2 / (x + b3)),
    "Eckerle4": lambda b1, b2, b3, x: b1 / b2 * _exp(-0.5 * ((x - b3) / b2) ** 2),
    "Rat43": lambda b1, b2, b3, b4, x: b1 / (1 + _exp(b2 - b3 * x)) ** (1 / b4),
    "Bennett5": lambda b1, b2, b3, x: b1 * (b2 + x) ** (-1 / b3),
}


def family(name: str) -> nl.Custom:
    """``y = curve + e`` with Gaussian errors of unknown standard deviation ``sigma``, as a user writes it."""
    import torch

    curve = CURVES[name]
    arguments = list(inspect.signature(curve).parameters)
    columns = [key for key in arguments if key.startswith("x")]

    def gaussian(y, sigma, **named):
        z = (y - curve(**named)) / sigma
        return 0.5 * z**2 + torch.log(sigma) + 0.5 * math.log(2 * math.pi)

    def log_cdf(y, sigma, **named):
        return torch.special.log_ndtr((y - curve(**named)) / sigma)

    def log_sf(y, sigma, **named):
        return torch.special.log_ndtr(-(y - curve(**named)) / sigma)

    domains = {key: nl.real for key in arguments if key not in columns}
    return nl.Custom(
        gaussian, {**domains, "sigma": nl.positive}, name=name, log_cdf=log_cdf, log_sf=log_sf,
        mean=lambda sigma, **named: curve(**named), data=columns,
    )  # fmt: skip
