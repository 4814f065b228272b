"""Writes the numbers that the families are tested against: python tests/oracles/make.py [family ...]

Each family has a module here with its distribution in mpmath and the points to try. For every point and
every output (value, gradient, Hessian) this computes the exact result for the float64 inputs, by numerical
differentiation at 60 digits (null where that does not resolve it), and how sensitive it is to them:
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
NAMES = sorted(path.stem for path in HERE.glob("*.py") if path.stem != "make")


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


def record(oracle: ModuleType, kind: str, data: tuple[float, ...], params: tuple[float, ...]) -> dict[str, Any]:
    x = [mpf(v) for v in (*data, *params)]
    unit = [v or mpf(1) for v in x]  # steps of the size of each input: finite differences work at 1e-200 too
    f = function(oracle, kind)

    def relative(*e: mpf) -> mpf:
        return f(*(v + u * step for v, u, step in zip(x, unit, e, strict=True)))

    def differentiate(by: tuple[int, ...]) -> mpf:
        orders = tuple(by.count(j) for j in range(len(x)))
        return mp.diff(relative, (0,) * len(x), orders) if by else f(*x)

    # a count is exact: only what is continuous has a neighbourhood
    inputs = [j for j in range(len(data) if oracle.DISCRETE else 0, len(x)) if x[j] != 0]
    values, sensitivities = [], []
    for parameters in outputs(len(params)):
        by = tuple(len(data) + i for i in parameters)
        scale = mp.fprod(unit[j] for j in by)
        value = differentiate(by)
        if by and abs(value) < mpf(10) ** -40 * abs(f(*x)):  # lost in the noise of 60 digits
            values.append(None)
            sensitivities.append(None)
            continue
        values.append(float(value / scale))
        sensitivities.append(float(mp.fsum(abs(differentiate((*by, j)) / scale) for j in inputs)))
    return {"kind": kind, "data": data, "params": params, "values": values, "sensitivities": sensitivities}


def main(names: list[str]) -> None:
    mp.dps = 60
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
