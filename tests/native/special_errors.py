"""Largest error of the functions of native/special_gamma.hpp, absolute below 1 and relative above, as JSON."""

from __future__ import annotations

import json

import numpy as np
from mpmath import log, log1p, loggamma, mp, mpf, pi, polygamma

from neglog import _native

EXACT = {
    "log1pmx": lambda x: log1p(x) - x,
    "log_gamma": loggamma,
    "digamma": lambda x: polygamma(0, x),
    "trigamma": lambda x: polygamma(1, x),
    "stirling_error": lambda x: loggamma(x) - ((x - 0.5) * log(x) - x + log(2 * pi) / 2),
}


def points(name: str) -> np.ndarray:
    u = np.random.default_rng(3).uniform
    if name == "log1pmx":
        return np.r_[u(-1, 3, 1500), u(-1e-3, 1e-3, 500), 10 ** u(-150, 300, 500)]  # below, x^2 underflows
    low = -150 if name == "trigamma" else -299  # 1 / x^2 overflows
    return np.r_[10 ** u(low, 12, 800), u(0.3, 3, 1000), u(1, 20, 1000)]


def measure(name: str) -> tuple[float, float]:
    """Largest error, and largest relative error where x >= 10."""
    x = points(name)
    y = _native.math(name, x, np.empty_like(x))
    errors, relative = [], []
    with mp.workdps(340 if name == "log1pmx" else 60):
        for at, value in zip(x.tolist(), y.tolist(), strict=True):
            exact = EXACT[name](mpf(at))
            error = abs(mpf(value) - exact)
            errors.append(float(error / max(1, abs(exact))))
            relative.append(float(error / abs(exact)) if at >= 10 or name == "log1pmx" else 0.0)
    return max(errors), max(relative)


if __name__ == "__main__":
    print(json.dumps({"isa": _native.isa()} | {name: measure(name) for name in EXACT}))
