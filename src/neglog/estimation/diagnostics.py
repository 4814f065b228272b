"""What a fit is held against when it is looked at: curves and counts that assume no model.

Each function returns plain arrays; :mod:`neglog.report` draws them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neglog.core.observations import RIGHT, Observations
from neglog.errors import DataError

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class StepCurve:
    """A right-continuous step function: ``value[i]`` from ``time[i]`` on, with a pointwise interval.

    ``low`` and ``high`` are NaN where the interval is not defined (after the last row at risk has failed).
    """

    time: Floats
    value: Floats
    low: Floats
    high: Floats

    def at(self, time: ArrayLike) -> Floats:
        """The value at ``time``, which is not before the first step."""
        return self.value[np.searchsorted(self.time, time, side="right") - 1]

    def thinned(self, most: int) -> StepCurve:
        """At most ``most`` steps, evenly spaced along the curve as drawn; the first and last are kept."""
        if len(self.time) <= most:
            return self
        along = self.time / self.time[-1] + np.abs(np.diff(self.value, prepend=self.value[0])).cumsum()
        kept = np.unique(np.searchsorted(along, np.linspace(along[0], along[-1], most)))
        return StepCurve(self.time[kept], self.value[kept], self.low[kept], self.high[kept])


def kaplan_meier(y: Observations, weights: ArrayLike | None = None, level: float = 0.95) -> StepCurve:
    r"""The product-limit estimate of ``P(Y > t)``, which assumes no shape.

    .. math:: \hat S(t) = \prod_{t_i \le t} (1 - d_i / n_i)

    Parameters
    ----------
    y : Observations, exact and right-censored rows, shape (n,)
        Times at which ``d_i`` rows fail while ``n_i`` are at risk; a row censored at a time of failure is
        still at risk then.
    weights : (n,) or None
        Frequencies.
    level : float
        Coverage of the pointwise interval: Greenwood's variance on the log(-log) scale, inside (0, 1).

    Returns
    -------
    StepCurve, starting at time 0 with value 1; times in the unit of ``y``.

    Raises
    ------
    DataError
        If a row is left- or interval-censored.

    References
    ----------
    Kalbfleisch and Prentice, The Statistical Analysis of Failure Time Data, 2nd ed., section 1.4.

    Examples
    --------
    >>> import neglog as nl
    >>> curve = kaplan_meier(nl.right_censored([1, 2, 2, 3], [1, 1, 0, 1]))
    >>> curve.time, curve.value.round(12)
    (array([0., 1., 2., 3.]), array([1.  , 0.75, 0.5 , 0.  ]))
    """
    from scipy.special import ndtri

    kind = y.kind
    if (bad := (kind != RIGHT) & ~y.exact).any():
        raise DataError(
            f"kaplan_meier: row {int(np.flatnonzero(bad)[0])} is neither exact nor right-censored; "
            "the product-limit estimate knows no other rows"
        )
    weight = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=np.float64)
    order = np.argsort(y.lower, kind="stable")
    time, failed, weight = y.lower[order], y.exact[order], weight[order]
    at_risk = np.cumsum(weight[::-1])[::-1]
    times, first = np.unique(time, return_index=True)
    deaths = np.add.reduceat(weight * failed, first)
    some = deaths > 0
    times, deaths, risk = times[some], deaths[some], at_risk[first][some]
    # a survivor count that is rounding noise is zero
    left = np.where(risk - deaths > 1e-12 * risk, risk - deaths, 0.0)
    value = np.cumprod(left / risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(deaths / (risk * left))
        centre = np.log(-np.log(value))
        half = ndtri(0.5 + level / 2) * np.sqrt(greenwood) / np.abs(np.log(value))
        low, high = np.exp(-np.exp(centre + half)), np.exp(-np.exp(centre - half))
    undefined = ~((value > 0) & (value < 1))
    low[undefined], high[undefined] = np.nan, np.nan
    start = np.array([1.0])
    return StepCurve(
        np.concatenate([np.zeros(1), times]),
        *(np.concatenate([start, values], dtype=np.float64) for values in (value, low, high)),
    )


@dataclass(frozen=True, eq=False)
class QuantilePlot:
    """Ordered residuals, the normal quantiles expected of them, and a pointwise band, each ``(m,)``."""

    theory: Floats
    sample: Floats
    low: Floats
    high: Floats


def normal_quantiles(residuals: ArrayLike, level: float = 0.95, most: int = 240) -> QuantilePlot:
    r"""A normal quantile plot of residuals that are standard normal where the model holds.

    The i-th of n ordered residuals stands over :math:`\Phi^{-1}((i - 1/2)/n)`; its band is :math:`\Phi^{-1}`
    of the quantiles of Beta(i, n + 1 - i), the exact law of the i-th uniform order statistic.

    Parameters
    ----------
    residuals : (n,)
        Not NaN; infinite ones are left out of the picture but count in the ranks.
    level : float
        Coverage of the band, point by point.
    most : int
        More points than this are thinned, all of the tails being kept.

    Examples
    --------
    >>> plot = normal_quantiles([-1.0, 0.1, 1.3])
    >>> plot.theory.round(3)
    array([-0.967,  0.   ,  0.967])
    """
    from scipy.special import betaincinv, ndtri

    sample = np.sort(np.asarray(residuals, dtype=np.float64))
    n = len(sample)
    rank = np.arange(1, n + 1)
    if n > most:
        tail = most // 4
        inner = np.linspace(tail, n - tail - 1, most - 2 * tail).round().astype(int)
        rank = np.unique(np.concatenate([rank[:tail], rank[inner], rank[-tail:]]))
    sample = sample[rank - 1]
    finite = np.isfinite(sample)
    sample, rank = sample[finite], rank[finite]
    miss = (1 - level) / 2
    return QuantilePlot(
        ndtri((rank - 0.5) / n),
        sample,
        ndtri(betaincinv(rank, n + 1 - rank, miss)),
        ndtri(betaincinv(rank, n + 1 - rank, 1 - miss)),
    )


@dataclass(frozen=True, eq=False)
class CountTable:
    """Rows observed and expected at each count; the last entry holds that value and all above it."""

    value: NDArray[np.int64]
    observed: Floats
    expected: Floats


def expected_counts(
    family: Any,
    params: Mapping[str, ArrayLike],
    y: ArrayLike,
    weights: ArrayLike | None = None,
    most: int = 30,
) -> CountTable:
    """How often each count was seen, and how often the fitted family expects it, summed over rows.

    Parameters
    ----------
    family : a discrete family on the non-negative integers
    params : name -> scalar or (n,)
        Fitted parameters, per row where there are covariates.
    y : (n,)
        Counts.
    weights : (n,) or None
        Frequencies.
    most : int
        The table ends here, or at the largest count seen if that is smaller.

    Examples
    --------
    >>> import neglog as nl
    >>> table = expected_counts(nl.Poisson(), {"rate": 0.5}, [0, 0, 1, 0])
    >>> table.observed, table.expected.round(3)
    (array([3., 1.]), array([2.426, 1.574]))
    """
    counts = np.asarray(y, dtype=np.float64)
    weight = np.ones(len(counts)) if weights is None else np.asarray(weights, dtype=np.float64)
    last = int(min(counts.max(initial=0), most))
    values = np.arange(last + 1)
    observed = np.array([weight[counts == value].sum() for value in values])
    observed[-1] = weight[counts >= last].sum()
    arguments = [np.asarray(values_, dtype=np.float64) for values_ in params.values()]
    expected = np.empty(last + 1)
    for value in values[:-1]:
        expected[value] = np.sum(weight * np.exp(-family.nll(float(value), *arguments)))
    # the end by the tail itself: one minus the others would cancel
    above = np.ones(1) if last == 0 else family.sf(last - 1.0, *arguments)
    expected[-1] = np.sum(weight * above)
    return CountTable(values, observed, expected)
