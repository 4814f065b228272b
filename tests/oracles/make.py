"""Writes the numbers that the families are tested against: python tests/oracles/make.py [family ...]

Each family has a module here with its distribution in mpmath and the points to try. For every point and
every output (value, gradient, Hessian) this computes the exact result for the float64 inputs, by numerical
differentiation at 100 digits (null where that does not resolve it), and how sensitive it is to them:
sum_j |x_j d out / d x_j|. A result that is correct for inputs one rounding away may differ by that much
times 2^-53, so the tests ask for an error below tolerance * max(|out|, sensitivity), which is
relative error <= tolerance * max(1, condition number).

All families take about six minutes; mpmath is the only requirement.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from mpmath import mp, mpf

HERE = Path(__file__).parent
NAMES = sorted(path.stem for path in HERE.glob("*.py") if path.stem != "make" and path.stem[0] != "_")


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"oracle_{name}", HERE / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def function(oracle: ModuleType, kind: str) -> Callable[..., mpf]:
    """kind of row -> log-probability or nll of (data..., parameters...)."""

    def log_of(inside: mpf, outside: Callable[[], mpf]) -> mpf:  # either may be the one that keeps its digits
        return mp.log(inside) if inside < 0.5 else mp.log1p(-outside())

    def log_interval(lower: mpf, upper: mpf, *p: mpf) -> mpf:
        return log_of(oracle.interval(lower, upper, *p), lambda: oracle.cdf(lower, *p) + oracle.sf(upper, *p))

    return {
        "nll": oracle.nll,
        "log_cdf": lambda y, *p: log_of(oracle.cdf(y, *p), lambda: oracle.sf(y, *p)),
        "log_sf": lambda y, *p: log_of(oracle.sf(y, *p), lambda: oracle.cdf(y, *p)),
        "log_interval": log_interval,
    }[kind]


def outputs(p: int) -> Iterator[tuple[int, ...]]:
    """Parameter indices by which each output is differentiated: (), (0,), ..., (0, 0), (0, 1), ..."""
    yield ()
    yield from ((i,) for i in range(p))
    yield from itertools.combinations_with_replacement(range(p), 2)


class Differences:
    """Partial derivatives of ``f`` up to the third order by central differences that share their points.

    The step is 1e-20 of each input. At 100 digits that leaves 40 of a third derivative, and truncation is far below
    float64 even where ``f`` varies on a scale of 1e-10 of an input.
    """

    STEP = mpf(10) ** -20

    def __init__(self, f: Callable[..., mpf], x: list[mpf]) -> None:
        self.f, self.x = f, x
        self.unit = [v or mpf(1) for v in x]  # steps of the size of each input: it works at 1e-200 too
        self.seen: dict[tuple[int, ...], mpf] = {}

    def at(self, steps: tuple[int, ...]) -> mpf:
        if steps not in self.seen:
            moved = (v + u * n * self.STEP for v, u, n in zip(self.x, self.unit, steps, strict=True))
            self.seen[steps] = self.f(*moved)
        return self.seen[steps]

    def derivative(self, by: tuple[int, ...]) -> mpf:
        """d f / d x_by[0] d x_by[1] ..., in units of the inputs."""
        terms = {(0,) * len(self.x): mpf(1)}
        for j in set(by):
            stencil = {1: {1: 0.5, -1: -0.5}, 2: {1: 1, 0: -2, -1: 1}, 3: {2: 0.5, 1: -1, -1: 1, -2: -0.5}}[by.count(j)]
            terms = {
                tuple(n + step * (i == j) for i, n in enumerate(at)): weight * factor
                for at, weight in terms.items()
                for step, factor in stencil.items()
            }
        return mp.fsum(weight * self.at(at) for at, weight in terms.items()) / self.STEP ** len(by)


def record(oracle: ModuleType, kind: str, data: tuple[float, ...], params: tuple[float, ...]) -> dict[str, Any]:
    x = [mpf(v) for v in (*data, *params)]
    f = Differences(function(oracle, kind), x)
    # a count is exact: only what is continuous has a neighbourhood
    inputs = [j for j in range(len(data) if oracle.DISCRETE else 0, len(x)) if x[j] != 0]
    values, sensitivities = [], []
    for parameters in outputs(len(params)):
        by = tuple(len(data) + i for i in parameters)
        scale = mp.fprod(f.unit[j] for j in by)
        value = f.derivative(by)
        if by and abs(value) < mpf(10) ** -35 * abs(f.derivative(())):  # lost in the noise of 100 digits
            values.append(None)
            sensitivities.append(None)
            continue
        values.append(float(value / scale))
        sensitivities.append(float(mp.fsum(abs(f.derivative((*by, j)) / scale) for j in inputs)))
    return {"kind": kind, "data": data, "params": params, "values": values, "sensitivities": sensitivities}


def main(names: list[str]) -> None:
    mp.dps = 100
    for name in names or NAMES:
        oracle = load(name)
        records = [
            record(oracle, kind, data, params) | {"where": where}
            for where, points in (("bulk", oracle.BULK), ("tail", oracle.TAIL))
            for kind, data, params in points
        ]
        lines = ",\n".join(json.dumps(r) for r in records)
        (HERE / f"{name}.json").write_text(f"[\n{lines}\n]\n")
        print(f"{name}: {len(records)} points")


if __name__ == "__main__":
    main(sys.argv[1:])
