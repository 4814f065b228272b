"""The negative log-likelihood functions of MATLAB's and Octave's statistics packages, by their names and parameters.

>>> import numpy as np
>>> nlogL, avar = normlike([21, 15], np.arange(1, 51))
>>> nlogL
206.738325604233...
>>> avar
array([[ 5.46047431, -1.60079051],
       [-1.60079051,  2.66798419]])

The table at the end says which family and which of its parameters each function means; docs/like.md lists where the
results differ from MATLAB's and Octave's, and why.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neglog import families
from neglog.core.accumulate import exact_sum
from neglog.core.observations import Observations, right_censored
from neglog.errors import DataError, InputKindError, ParameterError, ShapeError
from neglog.families.scalar import ScalarFamily

Floats = NDArray[np.float64]


class Likelihood(NamedTuple):
    """What every function here returns: ``nlogL, avar = normlike(params, data)``.

    Attributes
    ----------
    nlogL : float
        Negative log-likelihood of all rows, in nats, all constants included.
    avar : float64 array (P, P)
        Inverse of the observed information at ``params``, in their order; a known parameter has zeros.
    """

    nlogL: float
    avar: Floats


class LikeFunction(Protocol):
    """The signature that all functions here share."""

    __name__: str

    def __call__(
        self,
        params: ArrayLike,
        data: ArrayLike,
        censoring: ArrayLike | None = None,
        freq: ArrayLike | None = None,
    ) -> Likelihood: ...


class _Is(NamedTuple):
    """A function's parameter is the family's ``parameter``, through a map with two derivatives."""

    parameter: str
    apply: Callable[[float], tuple[float, float, float]] = lambda x: (x, 1.0, 0.0)


_SUBTRACTED = _Is("")  # not the family's: subtracted from the data


def _exp(x: float) -> tuple[float, float, float]:
    with np.errstate(over="ignore"):
        value = float(np.exp(x))
    return value, value, value


def _reciprocal(x: float) -> tuple[float, float, float]:
    value = 1 / x if x else math.nan
    return value, -value * value, 2 * value * value * value


@dataclass(frozen=True)
class _Entry:
    """One row of the table."""

    function: str
    family: str  # the class
    parameters: tuple[tuple[str, _Is], ...]
    known: str  # the parameter that is taken as given: its variance is 0
    censored_ends: bool  # betalike

    @property
    def names(self) -> list[str]:
        """Parameters in the order in which they are passed."""
        return [name for name, _ in self.parameters]


def _evaluate(entry: _Entry, params: ArrayLike, data: ArrayLike, censoring: Any, freq: Any) -> Likelihood:
    family: ScalarFamily = getattr(families, entry.family)()
    given = _parameters(entry, params)
    rows, weight = _rows(entry, data, censoring, freq)
    position = {owner.parameter: i for i, (_, owner) in enumerate(entry.parameters)}
    index = [position[p.name] for p in family.parameters]
    value, slope, bend = np.transpose([entry.parameters[i][1].apply(given[i]) for i in index])
    shift = given[position[_SUBTRACTED.parameter]] if _SUBTRACTED.parameter in position else 0.0
    inside = [p.domain.contains(x) for p, x in zip(family.parameters, value, strict=True)]
    if not (np.all(inside) and math.isfinite(shift)):
        return Likelihood(math.nan, np.full((len(given), len(given)), math.nan))
    rows = Observations(rows.lower - shift, rows.upper - shift)
    nll, grad, hess = family.nll_grad_hess(rows, *value, check=False)
    score = np.array([exact_sum(g, weight) for g in grad])
    information = np.array([[exact_sum(h, weight) for h in row] for row in hess])
    with np.errstate(invalid="ignore"):  # at the edge of a domain they may be infinite
        information = information * np.outer(slope, slope) + np.diag(score * bend)  # chain rule
    free = [j for j, i in enumerate(index) if entry.names[i] != entry.known]
    avar = np.zeros((len(given), len(given)))
    to = [index[j] for j in free]
    avar[np.ix_(to, to)] = _inverse(information[np.ix_(free, free)])
    return Likelihood(exact_sum(nll, weight), avar)


def _parameters(entry: _Entry, params: ArrayLike) -> list[float]:
    given = _real(entry, "params", params)
    if given.size != len(entry.parameters):
        raise ParameterError(f"{entry.function}: params has {given.size} elements; allowed: ({', '.join(entry.names)})")
    return given.ravel().tolist()


def _real(entry: _Entry, name: str, value: ArrayLike) -> Floats:
    array = np.asarray(value)
    if array.dtype.kind not in "fiub" and array.size:
        raise InputKindError(f"{entry.function}: {name} has dtype {array.dtype}; allowed: real numbers")
    return array.astype(np.float64)


def _rows(entry: _Entry, data: ArrayLike, censoring: Any, freq: Any) -> tuple[Observations, Floats]:
    """What is known of the rows that count, and their frequencies; the others are never read."""
    y = _real(entry, "data", data)
    optional = {"censoring": (censoring, 0.0), "freq": (freq, 1.0)}
    arrays: dict[str, Floats] = {}
    for name, (value, default) in optional.items():
        array = np.full(y.shape, default) if value is None or np.size(value) == 0 else _real(entry, name, value)
        if array.shape != y.shape:
            raise ShapeError(f"{entry.function}: {name} has shape {array.shape} and data {y.shape}; they must be equal")
        arrays[name] = array
    censored, weight = arrays["censoring"], arrays["freq"]
    _refuse(entry, "censoring", censored, ~np.isin(censored, (0.0, 1.0)), "1 (right-censored) and 0 (observed)")
    _refuse(entry, "freq", weight, ~((weight >= 0) & (weight < math.inf)), "finite numbers that are not negative")
    counts = weight > 0
    rows = right_censored(y[counts], censored[counts] == 0)
    return _without_ends(rows) if entry.censored_ends else rows, weight[counts]


def _refuse(entry: _Entry, name: str, array: Floats, bad: NDArray[np.bool_], allowed: str) -> None:
    if bad.any():
        at = tuple(int(i) for i in np.argwhere(bad)[0])
        position = at[0] if len(at) == 1 else at
        raise DataError(f"{entry.function}: {name} = {array[at]:g} at position {position}; allowed: {allowed}")


_LOWEST = math.sqrt(np.finfo(np.float64).tiny)
_HIGHEST = 1 - np.finfo(np.float64).eps / 2


def _without_ends(rows: Observations) -> Observations:
    """MATLAB's reading of rounded proportions: 0 is left-censored at sqrt(realmin), 1 right-censored at 1 - eps/2."""
    zero, one = rows.upper == 0, rows.lower == 1
    lower = np.where(zero, -math.inf, np.where(one, _HIGHEST, rows.lower))
    return Observations(lower, np.where(zero, _LOWEST, np.where(one, math.inf, rows.upper)))


def _inverse(information: Floats) -> Floats:
    """The inverse, definite or not; NaN where an entry is; inf where there is none, as MATLAB's ``inv``."""
    if not np.isfinite(information).all():
        return np.full(information.shape, math.nan)
    largest = np.abs(information).max(axis=1, initial=0.0)
    if not largest.all():
        return np.full(information.shape, math.inf)
    # rows and columns of very different units: brought near 1 by powers of two, which round nothing
    unit = np.ldexp(1.0, -(np.frexp(largest)[1] // 2))
    try:
        inverse = np.linalg.inv(information * np.outer(unit, unit))
    except np.linalg.LinAlgError:
        return np.full(information.shape, math.inf)
    inverse *= np.outer(unit, unit)
    return (inverse + inverse.T) / 2


FUNCTIONS: dict[str, LikeFunction] = {}


def _like(
    function: str,
    family: str,
    example: tuple[str, str],  # params and data; the digits that nlogL begins with, from SciPy
    *,
    known: str = "",
    censored_ends: bool = False,
    **parameters: str | _Is,
) -> LikeFunction:
    """The function of one row of the table."""
    owners = tuple((name.rstrip("_"), _Is(to) if isinstance(to, str) else to) for name, to in parameters.items())
    entry = _Entry(function, family, owners, known, censored_ends)

    def like(
        params: ArrayLike,
        data: ArrayLike,
        censoring: ArrayLike | None = None,
        freq: ArrayLike | None = None,
    ) -> Likelihood:
        return _evaluate(entry, params, data, censoring, freq)

    like.__name__ = like.__qualname__ = function
    like.__doc__ = _DOCUMENTATION.format(
        function=function,
        family=family,
        parameters=", ".join(entry.names),
        known=f"\n        ``{known}`` is taken as known: its variance is 0." if known else "",
        ends=_ENDS if censored_ends else "",
        arguments=example[0],
        digits=example[1],
    )
    FUNCTIONS[function] = like
    return like


_DOCUMENTATION = """Negative log-likelihood of :class:`neglog.{family}` and the covariance of its parameters.

    ``nlogL = -sum(freq * log f(data))``, with ``log P(Y > data)`` where ``censoring`` is 1.

    Parameters
    ----------
    params : array
        ({parameters}).{known}
    data : array
        Observations. One outside the support makes ``nlogL`` inf, NaN makes it NaN.{ends}
    censoring : array of data's shape, optional
        1 = right-censored, 0 = observed exactly; None or empty: none is censored.
    freq : array of data's shape, optional
        How often each row counts, integer or not; rows of 0 are not read. None or empty: once.

    Returns
    -------
    Likelihood
        ``(nlogL, avar)``: a float and the inverse of the observed information. Both are NaN for parameters outside
        their domain; ``avar`` is NaN where ``nlogL`` is not finite and inf where the information is singular.

    Raises
    ------
    ParameterError
        If ``params`` has another number of elements.
    ShapeError, DataError, InputKindError
        If ``censoring`` or ``freq`` has another shape or other values.

    Examples
    --------
    >>> nlogL, avar = {function}({arguments})
    >>> nlogL
    {digits}...
    """

_ENDS = """
        An exact 0 is read as left-censored at sqrt(realmin), an exact 1 as right-censored at 1 - eps/2."""

# parameters in MATLAB's and Octave's order = those of the family
betalike = _like("betalike", "Beta", ("[2, 3], 0.3", "-0.567583957"), a="a", b="b", censored_ends=True)
binolike = _like("binolike", "Binomial", ("[3, 0.333], 2", "1.5055785224"), n="n", p="p", known="n")
bisalike = _like("bisalike", "BirnbaumSaunders", ("[2, 0.6], 1.7", "0.9722079431"), beta="scale", gamma="shape")
burrlike = _like("burrlike", "BurrXII", ("[2, 1.5, 1.2], 1.7", "1.4596899104"), alpha="scale", c="c", k="k")
evlike = _like("evlike", "GumbelMin", ("[0, 1], 1.7", "3.7739473917"), mu="loc", sigma="scale")
explike = _like("explike", "Exponential", ("2, 1.7", "1.5431471805"), mu="scale")
gamlike = _like("gamlike", "Gamma", ("[2, 3], 1.7", "2.2332629929"), a="shape", b="scale")
gevlike = _like("gevlike", "GEV", ("[0.1, 1, 0], 1.7", "1.9350786201"), k="shape", sigma="scale", mu="loc")
gplike = _like("gplike", "GeneralizedPareto", ("[0.2, 1], 1.7", "1.7560176837"), k="shape", sigma="scale")
gumbellike = _like("gumbellike", "Gumbel", ("[0, 1], 1.7", "1.8826835240"), mu="loc", beta="scale")
hnlike = _like("hnlike", "HalfNormal", ("[0.3, 1.5], 1.7", "1.0668120163"), mu=_SUBTRACTED, sigma="scale", known="mu")
invglike = _like("invglike", "InverseGaussian", ("[2, 3], 1.7", "1.1854277066"), mu="mean", lambda_="shape")
logilike = _like("logilike", "Logistic", ("[0, 1], 1.7", "2.0355720587"), mu="loc", sigma="scale")
logllike = _like(
    "logllike",
    "LogLogistic",
    ("[0.6, 0.5], 1.7", "1.2285840161"),
    mu=_Is("scale", _exp),
    sigma=_Is("shape", _reciprocal),
)
lognlike = _like("lognlike", "LogNormal", ("[0.2, 0.5], 1.7", "0.9750496845"), mu="mu", sigma="sigma")
nakalike = _like("nakalike", "Nakagami", ("[1.2, 7], 1.7", "1.0903340600"), mu="shape", omega="spread")
nbinlike = _like("nbinlike", "NegativeBinomial", ("[3, 0.4], 2", "1.9787639739"), r="r", p="p")
normlike = _like("normlike", "Normal", ("[1, 2], 1.7", "1.6733357137"), mu="loc", sigma="scale")
poisslike = _like("poisslike", "Poisson", ("2.5, 3", "1.5428872736"), lambda_="rate")
raylike = _like("raylike", "Rayleigh", ("2, 1.7", "1.2169161100"), sigma="scale")
rayllike = _like("rayllike", "Rayleigh", ("2, 1.7", "1.2169161100"), sigma="scale")  # Octave's name
ricelike = _like("ricelike", "Rice", ("[1.5, 1.2], 1.7", "0.9500502477"), nu="nu", sigma="scale")
tlslike = _like("tlslike", "StudentT", ("[1, 0.8, 3], 1.7", "1.2323484212"), mu="loc", sigma="scale", nu="df")
wbllike = _like("wbllike", "Weibull", ("[2, 1.5], 1.7", "1.1526028160"), a="scale", b="shape")
