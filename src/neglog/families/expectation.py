"""Expected values under any family, by quadrature over its quantiles: the general way, without a closed form."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from neglog.families.scalar import ScalarFamily

Floats = NDArray[np.float64]

# Of the tanh-sinh rule. Its last node leaves out 1e-37 of the probability. A quantile function that changes its course
# at a small probability, as that of the Gompertz distribution does at its shape, is singular at complex ones of that
# size: the step resolves that to 1e-11.
_REACH, _STEP = 4.0, 1 / 16
_LOG_CUT = -85.0  # counts with a smaller tail, 1e-37, are left out
_TERMS = 1 << 14  # sums of counts with more terms are thinned


def expect(family: ScalarFamily, function: Callable[[Floats], Floats], params: list[Floats]) -> Floats:
    """``E[function(Y)]`` for parameters of one shape ``S``; ``function`` maps ``y`` of shape ``(K, *S)`` to
    ``(..., K, *S)``.

    Continuous: the tanh-sinh rule (Takahasi and Mori 1974) over the probability. Discrete: the sum; where there are
    more than 16,384 terms, those beyond the first 1,024 are thinned evenly, which a smooth mass function allows.
    """
    shape = np.broadcast_shapes(*(p.shape for p in params))
    params = [np.broadcast_to(p, shape) for p in params]
    continuous = _atom_and_nodes if family.atom == family.support.low else _nodes
    y, weight = (_counts if family.discrete else continuous)(family, params, shape)
    with np.errstate(all="ignore"):
        terms = np.where(weight > 0, function(y) * weight, 0.0)
    return np.sum(terms, axis=terms.ndim - y.ndim)


def fisher(family: ScalarFamily, params: list[Floats]) -> dict[tuple[int, int], Floats]:
    """Variance of the score, one triangle."""
    count = len(params)
    first, second = np.triu_indices(count)

    def products(y: Floats) -> Floats:
        score = family.nll_grad(y, *params, check=False)[1]
        return score[first] * score[second]

    entries = expect(family, products, params)
    return {(int(i), int(j)): entry for i, j, entry in zip(first, second, entries, strict=True)}


def _nodes(family: ScalarFamily, params: list[Floats], shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Of the rule on each half of the probability: a density may have a kink at its median."""
    target, weight = _rule(_STEP, shape)
    values = [np.broadcast_to(p, target.shape) for p in params]
    return np.concatenate([family.quantile_of_log(target, upper, values) for upper in (False, True)]), weight


def _atom_and_nodes(family: ScalarFamily, params: list[Floats], shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    """The atom at the lower end, and the rule on the rest of the probability, finer: it may have several modes."""
    target, weight = _rule(_STEP / 4, shape)
    values = [np.broadcast_to(p, target.shape) for p in params]
    atom = np.full((1, *shape), family.support.low)
    log_atom = -family.nll(atom, *params, check=False)
    log_rest = family.log_sf(atom, *params, check=False)
    above = target + log_rest
    below = np.logaddexp(log_atom, above)
    y = [atom, family.quantile_of_log(below, False, values), family.quantile_of_log(above, True, values)]
    return np.concatenate(y), np.concatenate([np.exp(log_atom), weight * np.exp(log_rest)])


def _rule(step: float, shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Logarithms of tail probabilities below 1/2, and weights of those in one tail and then in the other."""
    t = np.arange(-_REACH, _REACH + step / 2, step)
    log_odds = np.pi * np.sinh(t)
    share = np.exp(log_p := -np.logaddexp(0.0, -log_odds))  # of the half
    weight = step * np.pi * np.cosh(t) * share * np.exp(-np.logaddexp(0.0, log_odds)) / 2
    lift = (slice(None), *[None] * len(shape))
    target = np.broadcast_to((log_p - np.log(2))[lift], (t.size, *shape))
    return target, np.broadcast_to(np.tile(weight, 2)[lift], (2 * t.size, *shape))


def _counts(family: ScalarFamily, params: list[Floats], shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    cut = np.full(shape, _LOG_CUT)
    first = np.min(family.quantile_of_log(cut, False, params), initial=np.inf)
    last = np.max(family.quantile_of_log(cut, True, params), initial=-np.inf)
    stride = max(1.0, np.ceil((last - first) / _TERMS))
    if stride == 1:
        y, repeats = np.arange(first, last + 1), 1.0
    else:  # the midpoint rule from the 1,025th on, with an odd stride so that there is a middle
        stride += 1 - stride % 2
        head, tail = first + np.arange(1024), np.arange(first + 1024 + (stride - 1) / 2, last + stride, stride)
        y, repeats = np.append(head, tail), np.append(np.ones(1024), np.full(tail.size, stride))
    lift = (slice(None), *[None] * len(shape))
    y = np.broadcast_to(y[lift], (len(y), *shape))
    weight = np.exp(-family.nll(y, *params, check=False))
    return y, weight * (repeats[lift] if isinstance(repeats, np.ndarray) else repeats)
