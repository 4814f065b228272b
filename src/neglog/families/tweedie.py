"""Tweedie(mean, dispersion, power)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from neglog.core.observations import Observations
from neglog.families.base import Array
from neglog.families.facts import LINKS, POSITIVE, Interval, Parameter
from neglog.families.poisson import Poisson
from neglog.families.registry import register
from neglog.families.representative import center_and_spread, representative
from neglog.families.scalar import ScalarFamily
from neglog.families.special import lgamma, log_rising

_REACH = 56  # numbers of jumps on each side of the most likely: nine standard deviations
_TERMS = 128  # of the reference on each side of the largest: ten standard deviations, with a twelfth between two


@register
@dataclass(frozen=True)
class Tweedie(ScalarFamily):
    r"""Compound Poisson-gamma: a Poisson(:math:`\lambda`) number of gamma jumps, exactly 0 if there is none.

    :math:`-\log P(Y=0) = \lambda`, and for :math:`y > 0`
    :math:`-\log f(y) = \lambda + y/g + \log y - \log\sum_{n\ge1}\frac{\lambda^n (y/g)^{n a}}{n!\,\Gamma(n a)}`, where
    :math:`\lambda = m^{2-p}/(\phi(2-p))`, :math:`a = (2-p)/(p-1)` and :math:`g = \phi(p-1)m^{p-1}`.

    Parameters
    ----------
    mean : positive
        :math:`m`, in the unit of ``y``: what a regression models.
    dispersion : positive
        :math:`\phi`; the variance is :math:`\phi m^p`.
    power : between 1 and 2
        :math:`p`. Towards 1 the jumps become equal (Poisson), towards 2 many and small (gamma).

    Notes
    -----
    Rain in a month, claims of an insured in a year. An interval ``(0, b]`` excludes the atom at 0 and
    ``log_cdf(0)`` is :math:`-\lambda`. Mean and the other two parameters are orthogonal. R's
    ``tweedie::dtweedie(y, power, mu, phi)`` and ``mgcv::ldTweedie`` are the same distribution.

    The density is summed from its largest term outwards, tails are sums of gamma tails. Relative error per condition
    number against mpmath: values 1e-14, tails and gradients 1e-10, Hessians 1e-8, at rates :math:`\lambda` up to 100
    and powers from 1.02 to 1.98 (tails: up to 10, from 1.1 to 1.9). Derivatives in ``power`` lose digits like the
    square of the rate. NaN where the rate exceeds 1e15, and tails where it exceeds 1e8 and ``power`` is within 1e-7
    of 1.

    Source: Dunn and Smyth, "Series evaluation of Tweedie exponential dispersion model densities", Statistics and
    Computing 15 (2005).

    Examples
    --------
    >>> import neglog as nl
    >>> f = nl.Tweedie()
    >>> f.nll([0.0, 1.0], mean=1.0, dispersion=1.0, power=1.5).round(6)
    array([2.      , 1.028615])
    """

    name: ClassVar[str] = "tweedie"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("mean", POSITIVE, LINKS["log"]),
        Parameter("dispersion", POSITIVE, LINKS["log"]),
        Parameter("power", Interval(1.0, 2.0), LINKS["logit from 1"]),
    )
    support: ClassVar[Interval] = Interval(0.0, math.inf, low_closed=True)
    discrete: ClassVar[bool] = False
    atom: ClassVar[float | None] = 0.0
    location: ClassVar[str] = "mean"
    tail_accuracy: ClassVar[float] = 1e-10

    def reference(self, xp: Any, y: Any, *params: Any) -> Any:
        mean, dispersion, power = params
        rate, shape, scale = _jumps(mean, dispersion, power)
        positive = (y > 0) & (y < math.inf)
        x = xp.where(positive, y, mean) / scale
        # terms n = most + step * i: where they are many they are so smooth that each stands for `step` of them
        most = xp.round(xp.exp(xp.log(rate) + (2 - power) * xp.log(x * scale / mean)))
        most = xp.where(most > 1, most, 1.0)
        step = xp.where(most < 400, 1.0, xp.ceil((most * (power - 1)) ** 0.5 / 12))
        torch = hasattr(most, "detach")
        if torch:  # where the terms are says nothing of how they change
            most, step = most.detach(), step.detach()
        i = xp.arange(-_TERMS, _TERMS + 1, device=most.device) if torch else xp.arange(-_TERMS, _TERMS + 1)
        n = most[..., None] + step[..., None] * i
        present = n >= 1
        n = xp.where(present, n, 1.0)
        slope = (xp.log(rate) + shape * xp.log(x))[..., None]
        jumped = n * shape[..., None]  # log_rising: torch's lgamma has a second derivative of eight digits
        terms = n * slope - lgamma(xp, n + 1) - (log_rising(xp, xp.ones_like(jumped), jumped) - xp.log(jumped))
        top = xp.amax(terms.detach() if torch else terms, -1)[..., None]
        total = xp.where(present, xp.exp(terms - top), 0.0).sum(-1)
        density = rate + x + xp.log(x * scale) - top[..., 0] - xp.log(step * total)
        value = xp.where(y == 0, rate, density)
        return xp.where(positive | (y == 0), value, xp.where(y != y, y, math.inf))

    def _mean(self, *params: Array) -> Array:
        return params[0]

    def _var(self, *params: Array) -> Array:
        mean, dispersion, power = params
        return dispersion * mean**power

    def _fisher(self, *params: Array) -> dict[tuple[int, int], Array]:
        """Of the mean in closed form; else the variance of the score, by its quadrature for every number of jumps."""
        mean, dispersion, power = params
        shape = np.broadcast_shapes(*(p.shape for p in params))
        rows = [np.broadcast_to(p, shape).ravel() for p in params]
        y, weight, row = _draws(rows)
        score = self.nll_grad(y, *(p[row] for p in rows), check=False)[1][1:]

        def expected(i: int, j: int) -> Array:
            sums = np.bincount(row, weight * score[i] * score[j], rows[0].size)
            return sums.reshape(shape)

        return {
            (0, 0): 1 / (dispersion * mean**power),
            (1, 1): expected(0, 0),
            (1, 2): expected(0, 1),
            (2, 2): expected(1, 1),
        }

    def _ppf(self, q: Array, *params: Array) -> Array:
        none = q <= np.exp(-_jumps(*params)[0])
        return np.where(none, 0.0, super()._ppf(np.where(none, np.nan, q), *params))

    def _draw(self, rng: np.random.Generator, shape: tuple[int, ...], *params: Array) -> Array:
        rate, jump, scale = _jumps(*params)
        return np.asarray(scale * rng.standard_gamma(jump * rng.poisson(rate, shape), shape))

    def _start(self, rows: Observations, weight: Array) -> tuple[float, ...]:
        mean, spread = center_and_spread(representative(rows, low=0.0), weight)
        mean = max(mean, 0.5 / float(weight.sum() + 1))
        return mean, min(max(spread**2 / mean**1.5, 1e-2), 1e3), 1.5


def _jumps(mean: Any, dispersion: Any, power: Any) -> tuple[Any, Any, Any]:
    """Their rate, and shape and scale of each."""
    rate = mean ** (2 - power) / (dispersion * (2 - power))
    return rate, (2 - power) / (power - 1), dispersion * (power - 1) * mean ** (power - 1)


def _draws(rows: list[Array]) -> tuple[Array, Array, NDArray[np.intp]]:
    """Values, their probabilities and the rows they belong to: the atom, and for every number of jumps the tanh-sinh
    rule (Takahasi and Mori 1974) over the probability of their sum. Where numbers are many, one stands for several.
    """
    from scipy.special import gammainccinv, gammaincinv

    rate, shape, scale = _jumps(*rows)
    step = np.maximum(np.floor(np.sqrt(rate) / 3), 1.0)
    jumps = np.maximum(np.rint(rate), 1.0) + step * np.arange(-_REACH, _REACH + 1)[:, None]
    log_count = np.log(step) - Poisson().nll(jumps, rate, check=False)
    at, row = np.nonzero((jumps >= 1) & (log_count > -42))  # leaves out 1e-18
    total = jumps[at, row] * shape[row]  # the shape of their sum
    t = np.arange(-26, 27)[:, None] / 8
    below, above = (1 / (1 + np.exp(sign * np.pi * np.sinh(t))) for sign in (-1, 1))
    y = scale[row] * np.where(t < 0, gammaincinv(total, below), gammainccinv(total, above))
    weight = np.exp(log_count[at, row]) * (np.pi / 8 * np.cosh(t) * below * above)
    first = np.arange(rate.size)
    return (
        np.append(np.zeros(rate.size), np.maximum(y, 1e-300)),
        np.append(np.exp(-rate), weight),
        np.append(first, np.broadcast_to(row, y.shape)),
    )
