"""Gompertz(shape, scale)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neglog.core.observations import RIGHT, Observations
from neglog.families.base import Array
from neglog.families.expectation import expect
from neglog.families.facts import LINKS, POSITIVE, Interval, Parameter
from neglog.families.registry import register
from neglog.families.representative import representative
from neglog.families.scalar import ScalarFamily


@register
@dataclass(frozen=True)
class Gompertz(ScalarFamily):
    r"""The Gompertz distribution: :math:`-\log f(y) = c(e^z-1) - z - \log(c/s)`, :math:`z=y/s`.

    The hazard :math:`(c/s)\,e^{y/s}` grows exponentially, as the mortality of adults does.

    Parameters
    ----------
    shape : positive
        :math:`c`, the hazard at 0 times the scale; SciPy's ``gompertz`` calls it c too.
    scale : positive
        :math:`s`, in the unit of ``y``: the time in which the hazard grows by the factor e.

    Notes
    -----
    R's flexsurv has the parameters (shape a, rate b) = (1 / scale, shape / scale) and allows a <= 0. As both grow with
    ``scale / shape = m`` this becomes Exponential(m), and a sample whose hazard falls has no maximum of the likelihood.

    Source: Lenart, "The moments of the Gompertz distribution and maximum likelihood estimation of its parameters"
    (2014), for mean and variance. With :math:`M` and :math:`V` those of :math:`Y/s`, the Fisher information is
    :math:`1/c^2`, :math:`-(1+M)/(cs)`, :math:`((1+M)^2+V)/s^2` (integration by parts).

    Examples
    --------
    >>> import neglog as nl
    >>> float(nl.Gompertz().log_sf(3.0, shape=0.1, scale=1.5))
    -0.63890560989...
    """

    name: ClassVar[str] = "gompertz"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("shape", POSITIVE, LINKS["log"]),
        Parameter("scale", POSITIVE, LINKS["log"]),
    )
    support: ClassVar[Interval] = Interval(0.0, math.inf, low_closed=True)
    discrete: ClassVar[bool] = False
    location: ClassVar[str] = "scale"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        shape, scale = params
        inside = (y >= 0) & (y < math.inf)
        z = xp.where(inside, y, 0.0) / scale
        value = shape * xp.expm1(z) - z - xp.log(shape / scale)
        return xp.where(inside, value, xp.where(y != y, y, math.inf))

    def _mean(self, *params: Array) -> Array:
        shape, scale = params
        return scale * _standard_mean(shape)

    def _var(self, *params: Array) -> Array:
        shape, scale = params
        # the closed form has a 3F3 and cancels; the scale goes first so that squares do not leave the range
        standard = [shape, np.ones_like(shape)]
        return scale**2 * expect(self, lambda z: (z - _standard_mean(shape)) ** 2, standard)

    def _fisher(self, *params: Array) -> dict[tuple[int, int], Array]:
        shape, scale = params
        growth = 1 + _standard_mean(shape)
        spread = self._var(shape, np.ones_like(shape))
        return {
            (0, 0): shape**-2.0,
            (0, 1): -growth / (shape * scale),
            (1, 1): (growth**2 + spread) / scale**2,
        }

    def _ppf(self, q: Array, *params: Array) -> Array:
        shape, scale = params
        return scale * np.log1p(-np.log1p(-q) / shape)

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        c, s = params
        return s * np.log1p(rng.standard_exponential(shape) / c)

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        t = representative(rows, low=0.0)
        top = float(t.max())
        if not top > 0:
            return 1.0, 1.0
        event = rows.kind != RIGHT
        events = float(weight[event].sum()) or float(weight.min())
        seen = float(np.sum(weight[event] * (t[event] / top)))

        # the maximum of the likelihood in the shape when this scale is given and censoring is on the right
        def shape(scale: float) -> float:
            return events / float(np.sum(weight * np.expm1(t / top / scale)))

        def likelihood(scale: float) -> float:
            return events * math.log(shape(scale) / scale) + seen / scale

        # in units of the largest value; the bounds keep exp(t / scale) finite
        scale = max((2.0**power for power in range(-8, 5)), key=likelihood)
        return shape(scale), scale * top


def _standard_mean(c: Array) -> Array:
    """``exp(c) E1(c)``, the mean at scale 1: from c = 50 on by its asymptotic series (Abramowitz and Stegun 5.1.51)."""
    from scipy.special import exp1

    far = c > 50
    near = np.where(far, 1.0, c)
    r = 1 / np.where(far, c, 50.0)
    series = 1.0
    for k in range(27, 0, -1):  # 27! / 50^27 < 2e-18
        series = 1 - k * r * series
    return np.where(far, r * series, np.exp(near) * exp1(near))
