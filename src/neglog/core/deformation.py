"""Losses ``l(p_y)`` of the true class's softmax probability, as facts and as functions of its margin.

With the margin ``a = log sum_{k != y} exp(z_k) - z_y`` there is ``log p_y = -softplus(a)`` and ``log(1 - p_y) =
-softplus(-a)``, so each is a function ``phi(a)``, of which neither tail cancels; cross-entropy is ``softplus(a)``.
:meth:`Deformation.phi` is the definition in array operations (NumPy, torch, jets), ``native/deformations.hpp`` the
kernel with its slope; ``phi'(a)`` gives the gradient: ``-phi'`` at the target and ``phi'`` times the softmax over the
other classes elsewhere. The losses themselves stand in :mod:`neglog.core.deformations`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar, NamedTuple, Self

from neglog.core.domain import Interval, check_number
from neglog.errors import InputKindError

INF = math.inf


def softplus(xp: Any, a: Any) -> Any:
    """``log(1 + e^a)``; its derivatives by autodiff are right for every ``a``, 0 and infinite included."""
    return xp.where(a > 0, a, 0.0) + xp.log1p(xp.exp(xp.where(a > 0, -a, a)))


def log_add(xp: Any, x: Any, level: float) -> Any:
    """``log(e^x + e^level)`` for a number ``level``."""
    if level == -INF:
        return x
    d = x - level
    return xp.where(d > 0, x, level) + xp.log1p(xp.exp(xp.where(d > 0, -d, d)))


class Native(NamedTuple):
    """What ``native/deformations.hpp`` calls it."""

    kind: int
    parameters: tuple[float, float, float, float]


RATIO, POLYNOMIAL, POWER, COMPETING, EXPONENTIAL, MADA, MISLABEL, TAYLOR, TEMPERED, MIXED = range(1, 11)


def kernel(kind: int, *parameters: float) -> Native:
    """One of the kinds above, with parameters that it does not have as 0."""
    first, second, third, fourth = (*parameters, 0.0, 0.0, 0.0, 0.0)[:4]
    return Native(kind, (first, second, third, fourth))


IDENTITY = Native(0, (0.0, 0.0, 0.0, 0.0))  # cross-entropy


def fact(domain: Interval, meaning: str) -> dict[str, Any]:
    """What a field's metadata hold."""
    return {"domain": domain, "meaning": meaning}


@dataclass(frozen=True)
class Deformation(ABC):
    """One loss ``l(p_y)`` with its parameters; the fields' metadata hold their domains and meanings."""

    name: ClassVar[str]  # of the function
    module: ClassVar[str]  # of the torch module
    plain: ClassVar[str]  # the formula in p = p_y where there is no TeX
    formula: ClassVar[str]  # the same in TeX
    notes: ClassVar[str]
    source: ClassVar[str]
    example: ClassVar[tuple[str, str]]  # arguments, and what they give for logits (2, 1, 0.1) of class 0

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if not (value is None and one.default is None):
                check_number(self.name, one.name, value, one.metadata["domain"])

    @classmethod
    def of(cls, function: str, given: dict[str, Any]) -> Self:
        """From the keyword arguments of ``function``."""
        own = fields(cls)
        if unknown := given.keys() - {one.name for one in own}:
            raise TypeError(f"{function}() got an unexpected keyword argument {min(unknown)!r}")
        if missing := [one.name for one in own if one.default is MISSING and one.name not in given]:
            raise TypeError(f"{function}() missing a required keyword argument: {missing[0]!r}")
        return cls(**given)

    @abstractmethod
    def phi(self, xp: Any, a: Any, classes: int) -> Any:
        """The loss at margin ``a``, in the array operations of ``xp``."""

    @abstractmethod
    def native(self, classes: int) -> Native:
        """The same for the kernels."""

    @property
    def sharpness(self) -> float:
        """The margin is that of the logits times this."""
        return 1.0

    @property
    def numbers(self) -> list[float]:
        """The parameters as numbers; NaN for None."""
        values = [getattr(self, one.name) for one in fields(self)]
        return [math.nan if value is None else float(value) for value in values]


def check_own(function: str, fn: Any) -> None:
    """A loss of one's own: what can be called, or one of the table with its parameters."""
    if isinstance(fn, type) and issubclass(fn, Deformation):
        raise InputKindError(f"{function}: fn is the class {fn.__name__}; allowed: one of it, {fn.__name__}(...)")
    if not (callable(fn) or isinstance(fn, Deformation)):
        raise InputKindError(f"{function}: fn is of type {type(fn).__name__}; allowed: a function of (log_p, log_q)")


def _beyond_first_order(xp: Any, nll: Any, q: Any) -> Any:
    """``-log(1 - q) - q``, of which the difference would lose digits where ``q`` is small."""
    rest = 0.0 * q
    for i in range(27, 1, -1):
        rest = rest * q + 1.0 / i
    return xp.where(q < 0.25, q * q * rest, nll - q)


class Polynomial(Deformation):
    """``(1 - p)^power (log_part (-log p) + linear (1 - p))``."""

    @abstractmethod
    def _parts(self) -> tuple[float, float, float]:
        """power, log_part, linear"""

    def native(self, classes: int) -> Native:
        return kernel(POLYNOMIAL, *self._parts())

    def phi(self, xp: Any, a: Any, classes: int) -> Any:
        power, log_part, linear = self._parts()
        impossible = a == INF  # there autodiff would take 0 * inf for the slope of the power
        near = xp.where(impossible, 0.0, a)
        nll, other_nll = softplus(xp, near), softplus(xp, -near)
        q = xp.exp(-other_nll)
        if linear < 0:  # Poly-1 at -1: what remains at p = 1 is of second order
            body = log_part * _beyond_first_order(xp, nll, q) + (log_part + linear) * q
        else:
            body = log_part * nll + linear * q
        if power:
            body = xp.exp(-power * other_nll) * body
        return xp.where(impossible, log_part * a + linear if log_part else linear, body)


class Power(Deformation):
    """``scale (1 - p^power) / power``, constant where ``-log p >= cap``."""

    @abstractmethod
    def _parts(self) -> tuple[float, float, float]:
        """power, cap (NaN: none), scale"""

    def native(self, classes: int) -> Native:
        return kernel(POWER, *self._parts())

    def phi(self, xp: Any, a: Any, classes: int) -> Any:
        power, cap, scale = self._parts()
        nll = softplus(xp, a)
        if cap == cap:
            nll = xp.where(nll >= cap, cap, nll)
        if not power:
            return scale * nll
        x = power * nll
        low = x < 0.5  # above, autodiff would take 1 + expm1() for the slope
        near, far = xp.where(low, x, 0.0), xp.where(low, 0.0, x)
        return scale / power * xp.where(low, -xp.expm1(-near), 1.0 - xp.exp(-far))
