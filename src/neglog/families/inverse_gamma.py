"""InverseGamma(shape, scale)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neglog.core.observations import Observations
from neglog.families.base import Array
from neglog.families.facts import LINKS, POSITIVE, Interval, Parameter
from neglog.families.gamma import shape_and_mean
from neglog.families.registry import register
from neglog.families.representative import representative
from neglog.families.scalar import ScalarFamily
from neglog.families.special import lgamma


@register
@dataclass(frozen=True)
class InverseGamma(ScalarFamily):
    r"""The inverse gamma distribution: :math:`-\log f(y) = \log\Gamma(a) - a\log s + (a+1)\log y + s/y`.

    Parameters
    ----------
    shape : positive
        :math:`a`; moments below order :math:`a` exist.
    scale : positive
        :math:`s`, in the unit of ``y``: :math:`1/Y` has a gamma distribution with shape :math:`a` and rate :math:`s`.
        SciPy's ``invgamma(a, scale=s)``. The scaled inverse chi-squared distribution has :math:`a = \nu/2`,
        :math:`s = \nu\tau^2/2`.

    Notes
    -----
    The density falls to 0 at ``y = 0``, which is outside the support. The mean is infinite for ``shape <= 1``, the
    variance for ``shape <= 2``.

    Examples
    --------
    >>> import neglog as nl
    >>> float(nl.InverseGamma().nll(0.5, shape=3.0, scale=2.0))
    -0.158883083...
    """

    name: ClassVar[str] = "inverse_gamma"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("shape", POSITIVE, LINKS["log"]),
        Parameter("scale", POSITIVE, LINKS["log"]),
    )
    support: ClassVar[Interval] = POSITIVE
    discrete: ClassVar[bool] = False
    location: ClassVar[str] = "scale"

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        shape, scale = params
        inside = (y > 0) & (y < math.inf)
        # where() differentiates both branches: the unused one gets a harmless y
        x = scale / xp.where(inside, y, 1.0)
        value = lgamma(xp, shape) - (shape + 1) * xp.log(x) + xp.log(scale) + x
        return xp.where(inside, value, xp.where(y != y, y, math.inf))

    def _mean(self, *params: Array) -> Array:
        shape, scale = params
        return np.where(shape > 1, scale / (shape - 1), math.inf)

    def _var(self, *params: Array) -> Array:
        shape, scale = params
        return np.where(shape > 2, (scale / (shape - 1)) ** 2 / (shape - 2), math.inf)

    def _fisher(self, *params: Array) -> dict[tuple[int, int], Array]:
        from scipy.special import polygamma

        shape, scale = params
        return {(0, 0): polygamma(1, shape), (0, 1): -1 / scale, (1, 1): shape / scale**2}

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        a, scale = params
        return scale / rng.standard_gamma(a, shape)

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        y = representative(rows, low=0.0)
        shape, mean = shape_and_mean(1 / y[y > 0], weight[y > 0])
        return shape, shape / mean
