"""Curves and counts without a model, against published numbers, scipy and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import neglog as nl
from neglog import demo
from neglog.estimation.diagnostics import expected_counts, kaplan_meier, normal_quantiles


def test_kaplan_meier_on_the_leukaemia_trial() -> None:
    """6-MP arm of Freireich et al. (1963), as in Kalbfleisch and Prentice, and R's survfit."""
    time = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
    event = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
    curve = kaplan_meier(nl.right_censored(time, event))
    assert curve.time.tolist() == [0, 6, 7, 10, 13, 16, 22, 23]
    assert curve.value.round(3).tolist() == [1, 0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448]
    # survfit(..., conf.type = "log-log")
    assert curve.low[1] == pytest.approx(0.620, abs=5e-4) and curve.high[1] == pytest.approx(0.952, abs=5e-4)
    assert curve.low[-1] == pytest.approx(0.188, abs=5e-4) and curve.high[-1] == pytest.approx(0.680, abs=5e-4)


def test_frequencies_are_repeated_rows() -> None:
    y = nl.right_censored([1.0, 2.0, 3.0], [1, 0, 1])
    twice = kaplan_meier(y[np.array([0, 0, 1, 2, 2, 2])])
    weighted = kaplan_meier(y, [2, 1, 3])
    for name in ("time", "value", "low", "high"):
        np.testing.assert_allclose(getattr(weighted, name), getattr(twice, name))


def test_the_curve_ends_at_zero_without_an_interval_and_knows_its_data() -> None:
    curve = kaplan_meier(nl.right_censored([1.0, 2.0], [1, 1]))
    assert curve.value[-1] == 0 and np.isnan(curve.low[-1])
    assert kaplan_meier(nl.right_censored([1.0, 2.0], [0, 0])).time.tolist() == [0]
    with pytest.raises(nl.DataError, match="row 1 is neither exact nor right-censored"):
        kaplan_meier(nl.interval([1, 1], [1, 2]))


def test_a_curve_is_thinned_along_its_length() -> None:
    rng = np.random.default_rng(6)
    curve = kaplan_meier(nl.right_censored(rng.weibull(0.5, 20_000), rng.integers(0, 2, 20_000)))
    thin = curve.thinned(300)
    assert 100 < len(thin.time) <= 300 and set(thin.time) <= set(curve.time)
    assert (thin.time[0], thin.time[-1]) == (0, curve.time[-1])
    np.testing.assert_array_equal(thin.value, curve.at(thin.time))
    assert np.abs(np.diff(thin.value)).max() < 2 * 2 / 300  # the curve is at most 2 long
    assert curve.at(curve.time[3] * (1 + 1e-9)) == curve.value[3]


def test_the_quantile_band_has_its_coverage() -> None:
    rng = np.random.default_rng(4)
    plot = normal_quantiles(rng.standard_normal(50), level=0.9)
    outside = 0
    for _ in range(2000):
        sample = np.sort(rng.standard_normal(50))
        outside += int(((sample < plot.low) | (sample > plot.high)).sum())
    # 100,000 dependent indicators of probability 0.1; the standard error, by simulation, is 0.002
    assert outside / 1e5 == pytest.approx(0.1, abs=0.01)


def test_quantile_plots_are_thinned_but_keep_their_tails() -> None:
    sample = np.random.default_rng(5).standard_normal(10_000)
    plot = normal_quantiles(sample)
    assert 200 < len(plot.theory) <= 240
    np.testing.assert_array_equal(plot.sample[:50], np.sort(sample)[:50])
    np.testing.assert_allclose(plot.theory[0], stats.norm.ppf(0.5 / 10_000))
    assert (plot.low < plot.theory).all() and (plot.theory < plot.high).all()
    assert len(normal_quantiles([1.0, np.inf]).theory) == 1


def test_horse_kicks_beside_280_poisson_probabilities() -> None:
    deaths = demo.load("horse_kicks")["deaths"]
    table = expected_counts(nl.Poisson(), {"rate": 0.7}, deaths)
    assert table.observed.tolist() == [144, 91, 32, 11, 2]
    by_scipy = [*stats.poisson.pmf(range(4), 0.7), stats.poisson.sf(3, 0.7)]
    np.testing.assert_allclose(table.expected, 280 * np.array(by_scipy), rtol=1e-13)
    assert table.expected.sum() == pytest.approx(280)


def test_expected_counts_with_a_rate_per_row_weights_and_an_end() -> None:
    rate = np.array([0.5, 2.0, 8.0])
    table = expected_counts(nl.Poisson(), {"rate": rate}, [0, 3, 60], weights=[1, 2, 1], most=5)
    assert table.observed.tolist() == [1, 0, 0, 2, 0, 1]
    np.testing.assert_allclose(table.expected[2], stats.poisson.pmf(2, rate) @ [1, 2, 1])
    np.testing.assert_allclose(table.expected[5], stats.poisson.sf(4, rate) @ [1, 2, 1])


def test_the_data_are_complete_and_say_where_they_come_from() -> None:
    for name in demo.names():
        data = demo.load(name)
        assert (
            data.source
            and data.licence
            and demo.load(name).to_csv().count("\n") == 1 + len(data[next(iter(data.columns))])
        )
    digits = demo.load("digits")
    assert digits.matrix("pixel_*").shape == (1797, 64) and np.bincount(digits["digit"]).sum() == 1797
    np.testing.assert_array_equal(np.bincount(digits["digit"]), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
    assert demo.load("horse_kicks")["deaths"].sum() == 196
    with pytest.raises(nl.InputError, match="no data set 'digit'"):
        demo.load("digit")
