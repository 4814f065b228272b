"""Expected values under compositions: a density that is smooth only between certain values is integrated in pieces."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from neglog.compose.jets import Floats
from neglog.families import ScalarFamily
from neglog.families.expectation import expect

# log-probability of either tail at the values between which densities are integrated; the last leaves out 1e-37
_LEVELS = (-0.7, -1.6, -3.5, -7.0, -14.0, -30.0, -85.0)
_REACH, _STEP = 3.5, 1 / 16  # of the tanh-sinh rule (Takahasi and Mori 1974) in each piece


def quantiles(family: ScalarFamily, params: Sequence[Floats]) -> list[Floats]:
    """Values of the parameters' shape that follow the density from end to end."""
    params = np.broadcast_arrays(*params)
    shape = params[0].shape
    found = [np.asarray(family.ppf(end, *params, check=False)) for end in (0.0, 1.0)]
    for upper in (False, True):
        target = np.array(_LEVELS).reshape(-1, *[1] * len(shape)) + np.zeros(shape)
        found += list(family.quantile_of_log(target, upper, [np.broadcast_to(p, target.shape) for p in params]))
    return found


def expect_in_pieces(
    family: ScalarFamily,
    cuts: Sequence[Floats],  # values of the parameters' shape, in any order
    function: Callable[[Floats], Floats],
    params: Sequence[Floats],
) -> Floats:
    """``E[function(Y)]`` as :func:`neglog.families.expectation.expect`, with a rule of its own between any two cuts."""
    params = list(np.broadcast_arrays(*params))
    if family.discrete:
        return expect(family, function, params)
    ends = np.sort(np.where(np.isfinite(cuts), cuts, np.nan), axis=0)  # NaN goes last
    last = np.nanmax(ends, axis=0)
    low, high = (np.where(np.isnan(part), last, part)[:, None] for part in (ends[:-1], ends[1:]))
    t = np.arange(-_REACH, _REACH + _STEP / 2, _STEP).reshape(-1, *[1] * params[0].ndim)
    below, above = (1 / (1 + np.exp(sign * np.pi * np.sinh(t))) for sign in (-1, 1))  # shares of the width
    wide = (low > 1e-300) & (high > 8 * low)  # there in log y: shapes near 0 spread probability over all magnitudes
    ratio = np.where(wide, np.log(np.where(wide, high, 1.0)) - np.log(np.where(wide, low, 1.0)), 0.0)
    y = np.where(t < 0, low + (high - low) * below, high - (high - low) * above)
    y = np.where(wide, low * np.exp(ratio * below), y)
    weight = np.where(wide, ratio * y, high - low) * (_STEP * np.pi * np.cosh(t) * below * above)
    y, weight = (part.reshape(-1, *params[0].shape) for part in (y, weight))
    with np.errstate(all="ignore"):
        weight = weight * np.exp(-family.nll(y, *params, check=False))
        terms = np.where((weight > 0) & (weight < np.inf), function(y) * weight, 0.0)
    return np.sum(terms, axis=terms.ndim - y.ndim)
