"""DiscretizedLogistic(loc, scale) on a number of bins."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neglog.core.observations import Observations
from neglog.errors import ParameterError
from neglog.families import kernel
from neglog.families.base import Array
from neglog.families.facts import LINKS, POSITIVE, REAL, Interval, Parameter
from neglog.families.registry import register
from neglog.families.representative import center_and_spread, representative
from neglog.families.scalar import ScalarFamily
from neglog.families.special import log1mexp, log1pexp


@register
@dataclass(frozen=True)
class DiscretizedLogistic(ScalarFamily):
    r"""A logistic variable in bins: :math:`f(y) = \sigma(u) - \sigma(w)`, as for the grey levels of an image.

    The levels :math:`y = 0, \dots, n-1` stand for :math:`x = 2y/(n-1) - 1` on [-1, 1], and with
    :math:`h = 1/(n-1)`, :math:`u=(x+h-m)/s` and :math:`w=(x-h-m)/s`

    .. math:: -\log f(y) = \log(1 + e^{-u}) + \log(1 + e^w) - \log(1 - e^{w-u}).

    The first bin reaches down to :math:`-\infty` and the last one up to :math:`\infty`: there only the first or the
    second term is left.

    Parameters
    ----------
    bins : int, optional
        Number of levels :math:`n \ge 2`, an option of the family.
    loc : real
        Location :math:`m` on the scale of :math:`x`: -1 is the first level, 1 the last.
    scale : positive
        Scale :math:`s` of the logistic distribution, on the scale of :math:`x`.

    Notes
    -----
    Source: Salimans, Karpathy, Chen and Kingma, "PixelCNN++" (2017), section 2.1. Their code puts a floor below the
    probability (1e-12) and falls back on the density; here every bin is exact, and the bins sum to one.

    Examples
    --------
    >>> import neglog as nl
    >>> f = nl.DiscretizedLogistic(bins=256)
    >>> f.nll([0, 128, 255], loc=0.1, scale=0.1353352832366127)
    array([8.09928882, 4.35789574, 6.62250478])
    """

    bins: int = 256

    name: ClassVar[str] = "discretized_logistic"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("loc", REAL, LINKS["identity"]),
        Parameter("scale", POSITIVE, LINKS["log"]),
    )
    discrete: ClassVar[bool] = True
    location: ClassVar[str] = "loc"

    def __post_init__(self) -> None:
        if not 2 <= self.bins < math.inf or self.bins != int(self.bins):
            raise ParameterError(f"DiscretizedLogistic: bins = {self.bins!r}; allowed: whole numbers from 2 on")
        # of this family, not of its class
        object.__setattr__(self, "support", Interval(0.0, self.bins - 1.0, True, True, integer=True))

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        loc, scale = params
        last = self.bins - 1
        inside = (y >= 0) & (y <= last) & (y == xp.floor(y))
        level = xp.where(inside, y, 0.0)
        u = ((2 * level - last + 1) / last - loc) / scale
        w = ((2 * level - last - 1) / last - loc) / scale
        upper = xp.where(level == last, 0.0, log1pexp(xp, -u))
        lower = xp.where(level == 0, 0.0, log1pexp(xp, w))
        width = xp.where((level == 0) | (level == last), 0.0, log1mexp(xp, -2 / last / scale))
        return xp.where(inside, upper + lower - width, xp.where(y != y, y, math.inf))

    def _jets(
        self,
        rows: int,
        order: int,
        data: list[Array],
        values: list[Array],
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
    ) -> tuple[Any, ...]:
        """The kernel's third argument is the number of bins, in which nobody wants a derivative."""
        known = [*values, np.array(float(self.bins))]
        value, *derivatives = kernel.evaluate(self.name, rows, order, data, known, shape, dtype)
        return value, *(part[(slice(2),) * i] for i, part in enumerate(derivatives, 1))

    def _mean(self, *params: Array) -> Array:
        y, mass = self._masses(params)
        return np.sum(y * mass, axis=0)

    def _var(self, *params: Array) -> Array:
        y, mass = self._masses(params)
        return np.sum((y - np.sum(y * mass, axis=0)) ** 2 * mass, axis=0)

    def _masses(self, params: tuple[Array, ...]) -> tuple[Array, Array]:
        y = np.arange(self.bins).reshape(-1, *[1] * params[0].ndim)
        return y, np.exp(-self.nll(y, *params))

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        x = rng.logistic(*params, size=shape)
        return np.clip(np.round((x + 1) * (self.bins - 1) / 2), 0, self.bins - 1).astype(np.int64)

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        last = self.bins - 1
        y = np.minimum(representative(rows, low=0.0, step=1.0), last)
        center, spread = center_and_spread(2 * y / last - 1, weight)
        return center, max(spread * math.sqrt(3) / math.pi, 0.5 / last)
