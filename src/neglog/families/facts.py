"""Facts about families as frozen data: intervals, links, parameters.

Validation, test data, fits, reports and the command line all read these objects; nobody else states a domain.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neglog.core.domain import NON_NEGATIVE as NON_NEGATIVE
from neglog.core.domain import POSITIVE as POSITIVE
from neglog.core.domain import Interval

Float = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Link:
    """A smooth increasing map from a parameter theta to the unbounded scale eta on which it is modelled.

    ``LINKS`` holds them by name. They are compared and pickled by name.

    >>> theta, slope, curvature = LINKS["log"].inverse_derivatives(0.0)
    >>> float(theta), float(slope), float(curvature)
    (1.0, 1.0, 1.0)
    """

    name: str
    _apply: Callable[[Float], Float] = field(repr=False, compare=False)
    _inverse: Callable[[Float], tuple[Float, Float, Float]] = field(repr=False, compare=False)

    def apply(self, theta: ArrayLike) -> Float:
        """``eta`` for ``theta``, elementwise; the ends of the domain map to ``-inf`` and ``inf``."""
        with np.errstate(divide="ignore"):
            return self._apply(np.asarray(theta, dtype=np.float64))

    def inverse(self, eta: ArrayLike) -> Float:
        """``theta`` for ``eta``, elementwise."""
        return self.inverse_derivatives(eta)[0]

    def inverse_derivatives(self, eta: ArrayLike) -> tuple[Float, Float, Float]:
        """``theta``, ``d theta / d eta`` and ``d2 theta / d eta2``, each of the shape of ``eta``."""
        with np.errstate(over="ignore", under="ignore"):
            return self._inverse(np.asarray(eta, dtype=np.float64))

    def __reduce__(self) -> tuple[Callable[[str], Link], tuple[str]]:
        return _by_name, (self.name,)


def _by_name(name: str) -> Link:
    if name in LINKS:
        return LINKS[name]
    low, high = name.removeprefix("onto(").removesuffix(")").split(", ")
    return link_onto(float(low), float(high))


def link_onto(low: float, high: float) -> Link:
    """The link of the open interval ``(low, high)``: a logarithm from a single end, a logit between two.

    >>> link = link_onto(2.0, 6.0)
    >>> float(link.apply(4.0)), float(link.inverse(0.0)), link_onto(0.0, float("inf")).name
    (0.0, 4.0, 'log')
    """
    known = {(-np.inf, np.inf): "identity", (0.0, np.inf): "log", (0.0, 1.0): "logit"}.get((low, high))
    if known is not None:
        return LINKS[known]
    name = f"onto({low!r}, {high!r})"
    if np.isfinite(low) and np.isfinite(high):
        width = high - low

        def between(eta: Float) -> tuple[Float, Float, Float]:
            share, first, second = _expit(eta)
            return np.where(eta > 0, high - width * _expit(-eta)[0], low + width * share), width * first, width * second

        return Link(name, lambda theta: np.log(theta - low) - np.log(high - theta), between)
    if np.isfinite(low):
        return Link(name, lambda theta: np.log(theta - low), lambda eta: (low + np.exp(eta), np.exp(eta), np.exp(eta)))

    def below(eta: Float) -> tuple[Float, Float, Float]:
        gap = np.exp(-eta)
        return high - gap, gap, -gap

    return Link(name, lambda theta: -np.log(high - theta), below)


def _identity(eta: Float) -> tuple[Float, Float, Float]:
    return eta, np.ones_like(eta), np.zeros_like(eta)


def _exp(eta: Float) -> tuple[Float, Float, Float]:
    theta = np.exp(eta)
    return theta, theta, theta


def _expit(eta: Float) -> tuple[Float, Float, Float]:
    small = np.exp(-np.abs(eta))
    near, far = 1 / (1 + small), small / (1 + small)  # the larger and the smaller of theta and 1 - theta
    slope = near * far
    return np.where(eta >= 0, near, far), slope, slope * np.tanh(eta / -2)


def _expit_from_one(eta: Float) -> tuple[Float, Float, Float]:
    theta, slope, curvature = _expit(eta)
    return 1 + theta, slope, curvature


LINKS: dict[str, Link] = {
    "identity": Link("identity", np.positive, _identity),
    "log": Link("log", np.log, _exp),
    "logit": Link("logit", lambda theta: np.log(theta) - np.log1p(-theta), _expit),
    "logit from 1": Link("logit from 1", lambda theta: np.log(theta - 1) - np.log(2 - theta), _expit_from_one),
}


@dataclass(frozen=True)
class Parameter:
    """A parameter of a family: its name, where it may lie, and the scale on which it is modelled.

    ``event_ndim`` is the number of trailing axes that belong to one value: 1 for the logits of a categorical.
    ``domain`` is where each of its entries may lie; ``form`` is what they owe each other: ``"increasing"`` along
    the last axis, or ``"cholesky"``: zero above the diagonal and positive on it. ``column``: it is no parameter but
    that column of the data, which a user's likelihood reads beside the response.
    """

    name: str
    domain: Interval
    link: Link
    event_ndim: int = 0
    form: str = ""
    column: str = ""

    def contains(self, value: ArrayLike) -> NDArray[np.bool_]:
        """Which entries are allowed where they stand, shape of ``value``."""
        x = np.asarray(value)
        inside = self.domain.contains(x)
        if self.form == "increasing":
            inside[..., 1:] &= x[..., 1:] > x[..., :-1]
        elif self.form == "cholesky":
            row, column = np.indices(x.shape[-2:])
            inside &= np.where(row == column, x > 0, (row > column) | (x == 0))
        return inside

    @property
    def allowed(self) -> str:
        """The domain and the form, in words."""
        words = {"increasing": ", increasing", "cholesky": ", lower triangular with a positive diagonal"}
        return f"{self.domain}{words.get(self.form, '')}"


REAL = Interval(-np.inf, np.inf)
UNIT = Interval(0.0, 1.0)  # open
WHOLE = Interval(0.0, np.inf, low_closed=True, integer=True)
EXTENDED_REAL = Interval(-np.inf, np.inf, True, True)
