"""Windows: a row contributes log P(event and window) - log P(window)."""

from __future__ import annotations

import numpy as np
import pytest

import neglog as nl
from neglog.errors import DataError, InputError


def test_contribution_of_each_kind_of_row():
    y = nl.interval([1.0, 0.5, -np.inf, 1.5], [1.0, np.inf, 0.8, 2.5])
    low, high = np.array([0.5, 0.2, 0.1, 1.0]), np.array([3.0, 2.0, np.inf, 2.0])
    r = nl.fit("weibull", y, truncation=(low, high), fixed={"shape": 1.3, "scale": 1.1})
    f, theta = nl.Weibull(), (1.3, 1.1)

    def p(a: float, b: float) -> float:
        return float(f.cdf(b, *theta) - f.cdf(a, *theta))

    expected = (
        np.log(np.exp(-f.nll(1.0, *theta)) / p(0.5, 3.0))
        + np.log(p(0.5, 2.0) / p(0.2, 2.0))  # right-censored at 0.5, window up to 2
        + np.log(p(0.1, 0.8) / p(0.1, np.inf))
        + np.log(p(1.5, 2.0) / p(1.0, 2.0))  # the interval ends with its window
    )
    assert r.loglik == pytest.approx(float(expected), rel=1e-12)


def test_zero_truncated_poisson():
    """mean / (1 - exp(-rate)) = sample mean."""
    y = np.array([1, 1, 2, 1, 3, 1, 2])
    r = nl.fit("poisson", y, truncation=(0, None))
    rate = r.params["rate"]
    assert rate / -np.expm1(-rate) == pytest.approx(y.mean(), rel=1e-12)
    assert r.ok


def test_late_entry_of_an_exponential_forgets_the_past():
    """Shape 1 has no memory: truncation on the left shifts times."""
    rng = np.random.default_rng(0)
    entry = rng.uniform(0, 3, 50)
    time = entry + rng.exponential(2.0, 50)
    r = nl.fit("weibull", time, truncation=(entry, None), fixed={"shape": 1.0})
    assert r.params["scale"] == pytest.approx((time - entry).mean(), rel=1e-12)


def test_truncation_in_the_far_tail():
    """A window 30 standard deviations out: nothing is floored, and what is left looks exponential."""
    rng = np.random.default_rng(0)
    y = 30 + rng.exponential(1 / 30, 400)
    r = nl.fit("normal", y, truncation=(30.0, None), fixed={"loc": 0.0})
    assert r.ok and r.params["scale"] == pytest.approx(1.0, abs=0.15)
    assert np.isfinite(r.loglik)


def test_truncated_fit_recovers_the_parameters():
    rng = np.random.default_rng(3)
    y = rng.normal(1.0, 2.0, 20000)
    low, high = rng.uniform(-2, 1, 20000), rng.uniform(1.5, 5, 20000)
    seen = (low < y) & (y <= high)
    r = nl.fit("normal", y[seen], truncation=(low[seen], high[seen]))
    assert r.ok
    for name, truth in (("loc", 1.0), ("scale", 2.0)):
        assert abs(r.params[name] - truth) < 3.5 * r.stderr[name]


def test_scalars_arrays_and_columns_are_the_same():
    y = [1.0, 2.0, 1.5]
    a = nl.fit("weibull", y, truncation=(0.5, 4.0))
    b = nl.fit("weibull", y, truncation=([0.5] * 3, [4.0] * 3))
    c = nl.fit("weibull", "y", data={"y": y, "from": [0.5] * 3}, truncation=("from", 4.0))
    assert a.params == b.params == c.params


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (([1.0, 2.0, 3.0], (0, 2.5)), DataError, "row 2: 3 is outside its truncation window"),
        (([1.0, 2.0, 3.0], (1.0, None)), DataError, "row 0: 1 is outside its truncation window"),  # (1, inf)
        (([1.0, 2.0], (3.0, 3.0)), DataError, "a truncation window that is empty"),
        ((nl.interval([1.0, 5.0], [2.0, 6.0]), (0, 3.0)), DataError, "does not meet its truncation window"),
        (([1.0, 2.0], 3.0), InputError, r"a pair \(low, high\)"),
        (([1.0, 2.0], ([0.0], None)), InputError, "must be equal"),
        (
            ([1.0, 2.0], (np.array([0.0, np.nan]), None)),
            DataError,
            r"missing values in truncation \(rows 1\)",
        ),
    ],
)
def test_windows_that_make_no_sense(call, error, words):
    y, truncation = call
    with pytest.raises(error, match=words):
        nl.fit("weibull", y, truncation=truncation)


def test_classes_have_no_windows():
    for name, y in (("categorical", ["a", "b"]), ("ordered", [0, 1])):
        with pytest.raises(InputError, match=f"classes of {name} have no window"):
            nl.fit(name, y, truncation=(0, 1))
