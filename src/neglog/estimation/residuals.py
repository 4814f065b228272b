"""Quantile residuals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neglog.core.observations import Observations
from neglog.errors import InputError
from neglog.estimation.predict import predict
from neglog.estimation.tables import Floats

if TYPE_CHECKING:
    from neglog.estimation.result import Fit


def quantile(fit: Fit, rng: np.random.Generator) -> Floats:
    """See :meth:`neglog.estimation.result.Fit.residuals`."""
    if fit.family.classes == "unordered":
        raise InputError("residuals: classes have no order, so a categorical has no quantile residuals")
    if fit.family.event_ndim:
        raise InputError(f"residuals: {fit.family.name} has several numbers per row, so it has no quantile residuals")
    if fit.training is None:
        raise InputError("residuals: a loaded fit does not hold the rows it was fitted to")
    sample, family = fit.training.sample, fit.family
    theta = list(predict(fit, None, "params", None).values())
    low, high = _ends(family, sample.y)
    window = sample.window or (np.full(len(low), -np.inf), np.full(len(low), np.inf))
    whole = family.log_interval(*window, *theta)
    # each tail separately, so that a residual of 12 is as exact as one of -12
    below = [_share(family, window[0], end, theta, whole) for end in (low, high)]
    above = [_share(family, end, window[1], theta, whole) for end in (high, low)]
    draw = rng.random(len(low))
    lower_half = below[0] + below[1] < above[0] + above[1]
    from scipy.special import ndtri

    with np.errstate(divide="ignore"):
        left = ndtri(below[0] + draw * (below[1] - below[0]))
        right = 0.0 - ndtri(above[0] + (1 - draw) * (above[1] - above[0]))
    return np.where(lower_half, left, right)


def _ends(family: Any, y: Observations | Floats) -> tuple[Floats, Floats]:
    """``(low, high]`` between whose distribution values the residual lies; equal where the value is exact."""
    rows = y if isinstance(y, Observations) else Observations(y, y)
    if family.atom is not None:
        return np.where(
            rows.exact & (rows.lower == family.atom), np.nextafter(family.atom, -np.inf), rows.lower
        ), rows.upper
    if not family.discrete:
        return rows.lower, rows.upper
    return np.where(rows.exact, rows.lower - 1.0, rows.lower), rows.upper


def _share(family: Any, low: Floats, high: Floats, theta: list[Floats], whole: Floats) -> Floats:
    """``P(low < Y <= high)`` as a share of the window, 0 where the interval is empty."""
    log = family.log_interval(np.minimum(low, high), np.maximum(low, high), *theta)
    return np.where(low < high, np.exp(np.minimum(log - whole, 0.0)), 0.0)
