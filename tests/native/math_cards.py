"""Largest error of each function of native/math.hpp in units in the last place, on the instruction set in use.

Run as a script it prints JSON; tests/native/test_math.py runs it once per instruction set.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import mpmath
import numpy as np

from neglog import _native

NATIVE = Path(__file__).parents[2] / "native"
POINTS = 6000  # per region; the worst points of these functions are broad, more points move no second digit


def exact(name: str):
    mp = mpmath
    return {
        "exp": mp.exp,
        "tanh": mp.tanh,
        "expm1": mp.expm1,
        "log": mp.log,
        "log1p": mp.log1p,
        "log1pexp": lambda x: mp.log1p(mp.exp(x)),
        "log1mexp": lambda x: mp.log(-mp.expm1(x)) if x > -1 else mp.log1p(-mp.exp(x)),
        "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    }[name]


def domain(name: str, rng: np.random.Generator) -> np.ndarray:
    """The whole domain, and more of it where the function bends."""
    u = rng.uniform
    tiny = 10 ** u(-300, 0, POINTS)
    return {
        "exp": np.r_[u(-745, 709.7, POINTS), u(-2, 2, POINTS)],
        "tanh": np.r_[u(-25, 25, POINTS), u(-1, 1, POINTS), tiny, -tiny],
        "expm1": np.r_[u(-60, 709, POINTS), u(-2, 2, POINTS), tiny, -tiny],
        "log": np.r_[10 ** u(-320, 308, POINTS), u(0.3, 3, POINTS), 1 + u(-1, 1, POINTS) * 1e-6],
        "log1p": np.r_[10 ** u(-300, 308, POINTS), u(-1, 3, POINTS), -tiny],
        "log1pexp": np.r_[u(-745, 800, POINTS), u(-3, 3, POINTS)],
        "log1mexp": np.r_[-(10 ** u(-300, 2.8, POINTS)), u(-3, 0, POINTS)],
        "sigmoid": np.r_[u(-708, 50, POINTS), u(-3, 3, POINTS)],
    }[name]


def ulps(name: str, x: np.ndarray, y: np.ndarray) -> float:
    """|y - f(x)| in units of the last place of f(x), the largest of all points."""
    f = exact(name)
    worst = mpmath.mpf(0)
    with mpmath.workprec(200):
        for a, b in zip(x.tolist(), y.tolist(), strict=True):
            truth = f(mpmath.mpf(a))
            unit = float(np.spacing(abs(float(truth)))) if truth else 5e-324
            worst = max(worst, abs(mpmath.mpf(b) - truth) / unit)
    return float(worst)


def call(name: str, x: np.ndarray) -> np.ndarray:
    return _native.math(name, x, np.empty_like(x))


def float_ulps(name: str) -> float:
    """Every 97th float32 of the domain, subnormal results included, against float64's function."""
    every = np.arange(0, 0x7F800000, 97, dtype=np.int32)
    worst = 0.0
    for bits in np.array_split(every, 64):
        for x in (bits.view(np.float32), -bits.view(np.float32)):
            wide = x.astype(np.float64)
            with np.errstate(all="ignore"):
                truth = getattr(np, name)(wide)
                unit = np.spacing(np.abs(truth).astype(np.float32)).astype(np.float64)
                error = np.abs(call(name, x).astype(np.float64) - truth) / unit
            inside = np.isfinite(truth) & (np.abs(truth) < np.finfo(np.float32).max)
            if inside.any():
                worst = max(worst, float(error[inside].max()))
    return worst


def cards() -> dict[str, float]:
    """What math.hpp states: function -> max error in ulp; "exp float" for the float32 figure."""
    stated: dict[str, float] = {}
    text = (NATIVE / "math.hpp").read_text()
    for card, name in re.findall(r"((?:^//.*\n)+)template <class V> inline V (\w+)\(V", text, flags=re.M):
        found = re.search(r"Max error ([\d.]+) ulp(?: \(float: ([\d.]+)\))?", card)
        if found:
            stated[name] = float(found[1])
            if found[2]:
                stated[f"{name} float"] = float(found[2])
    return stated


def measure() -> dict[str, float]:
    rng = np.random.default_rng(7)
    result = {"isa": _native.isa()}
    for name in ("exp", "expm1", "log", "log1p", "tanh", "log1pexp", "log1mexp", "sigmoid"):
        x = domain(name, rng)
        result[name] = ulps(name, x, call(name, x))
    for name in ("exp", "log", "log1p", "tanh", "expm1"):
        result[f"{name} float"] = float_ulps(name)
    return result


if __name__ == "__main__":
    print(json.dumps(measure()))
