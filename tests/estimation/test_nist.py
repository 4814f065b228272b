"""Nonlinear regression as a Gaussian likelihood that a user writes, beside NIST's certified results.

Maximum likelihood has ``sigma**2 = RSS / n`` where least squares divides by ``n - p``. The certified standard errors
are those of the expected information with that correction, ``s**2 (J'J)**-1``; the observed information, which is the
default, has the curvature of the curve too and is another number.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from tests.estimation.nist import CURVES, family, read

import neglog as nl

torch = pytest.importorskip("torch")

# (data set, start): iterations that it takes. All others arrive from both starts within nl.fit's default.
LONG = {("MGH10", 1): 1500, ("Bennett5", 2): 1500}
SKIPPED = set(LONG)  # arrive too, in one and five minutes: `python -m tests.estimation.test_nist` shows all


def digits(value: float, certified: float) -> float:
    """Significant digits in common, at most the 11 that are certified."""
    error = abs(value - certified) / abs(certified)
    return 11.0 if error == 0 else min(-math.log10(error), 11.0)


def compare(name: str, start: int, cov_type: str = "expected", max_iter: int = 200) -> tuple[Any, list[float]]:
    """The fit; the digits of its worst parameter, its residual sum of squares and its worst standard error."""
    known = read(name)
    begin = known.starts[start - 1]
    r = nl.fit(family(name), known.y, data=known.data, start=begin, cov_type=cov_type, max_iter=max_iter)
    n, p = len(known.y), len(known.params)
    found = [
        min(digits(r.params[key], value) for key, value in known.params.items()),
        digits(n * r.params["sigma"] ** 2, known.rss),
    ]
    if cov_type == "expected" and r.ok:
        scale = math.sqrt(n / (n - p))
        found.append(min(digits(r.stderr[key] * scale, value) for key, value in known.stderr.items()))
    return r, found


RUNS = [(name, start) for name in CURVES for start in (1, 2) if (name, start) not in SKIPPED and name != "Lanczos1"]


@pytest.mark.parametrize(("name", "start"), RUNS)
def test_certified_results(name: str, start: int) -> None:
    r, found = compare(name, start, "expected" if start == 2 or name == "Bennett5" else "observed")
    assert r.ok, r.message
    assert min(found) >= 6, found


def test_residuals_that_are_rounding() -> None:
    """Lanczos1 has errors of 1e-13 in values of 1, of which float64 holds two digits: the fit is not verified."""
    mpmath = pytest.importorskip("mpmath")
    r, (params, rss) = compare("Lanczos1", 1)
    assert params >= 6
    assert not r.ok
    known = read("Lanczos1")
    x, b = known.data["x"], [r.params[f"b{i}"] for i in range(1, 7)]
    plain = float(((known.y - sum(b[i] * np.exp(-b[i + 1] * x) for i in (0, 2, 4))) ** 2).sum())
    with mpmath.workdps(40):
        exact = [[mpmath.mpf(repr(float(v))) for v in values] for values in (known.y, x)]
        c = [mpmath.mpf(v) for v in b]
        errors = [y - sum(c[i] * mpmath.exp(-c[i + 1] * t) for i in (0, 2, 4)) for y, t in zip(*exact, strict=True)]
        true = sum(error**2 for error in errors)
        lost = abs(float((plain - true) / true))
    assert 1e-4 < lost < 0.05  # what float64 makes of the sum of squares at the same place
    assert rss > 1


def test_predictions_are_the_curve() -> None:
    known = read("Misra1a")
    r = nl.fit(family("Misra1a"), known.y, data=known.data, start=known.starts[1])
    b1, b2 = r.params["b1"], r.params["b2"]
    np.testing.assert_allclose(r.predict(), b1 * (1 - np.exp(-b2 * known.data["x"])), rtol=1e-12)
    np.testing.assert_allclose(r.predict({"x": [100.0]}), b1 * (1 - np.exp(-b2 * 100.0)), rtol=1e-12)
    assert abs(r.residuals()).max() < 3


if __name__ == "__main__":
    print("data       level   start  digits of parameters, residual sum of squares, standard errors")
    for dataset in CURVES:
        for begin in (1, 2):
            fitted, each = compare(dataset, begin, max_iter=LONG.get((dataset, begin), 200))
            shown = "  ".join(f"{value:6.1f}" for value in each)
            print(f"{dataset:10} {read(dataset).level:8} {begin}     {shown}   {fitted.status}, {fitted.iterations}")
