"""A value with two derivatives that NumPy's functions carry along: what differentiates a user's own loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rule = Callable[[Any, Any], tuple[Any, Any]]  # (x, f(x)) -> f'(x), f''(x)

_UNARY: dict[np.ufunc, Rule] = {
    np.negative: lambda x, y: (-1.0, 0.0),
    np.positive: lambda x, y: (1.0, 0.0),
    np.absolute: lambda x, y: (np.sign(x), 0.0),
    np.exp: lambda x, y: (y, y),
    np.exp2: lambda x, y: (np.log(2.0) * y, np.log(2.0) ** 2 * y),
    np.expm1: lambda x, y: (np.exp(x), np.exp(x)),
    np.log: lambda x, y: (1 / x, -1 / x**2),
    np.log2: lambda x, y: (1 / (np.log(2.0) * x), -1 / (np.log(2.0) * x**2)),
    np.log1p: lambda x, y: (1 / (1 + x), -1 / (1 + x) ** 2),
    np.sqrt: lambda x, y: (0.5 / y, -0.25 / (x * y)),
    np.square: lambda x, y: (2 * x, 2.0),
    np.reciprocal: lambda x, y: (-(y**2), 2 * y**3),
    np.tanh: lambda x, y: (1 - y**2, -2 * y * (1 - y**2)),
    np.sin: lambda x, y: (np.cos(x), -y),
    np.cos: lambda x, y: (-np.sin(x), -y),
    np.arctan: lambda x, y: (1 / (1 + x**2), -2 * x / (1 + x**2) ** 2),
}
_COMPARISONS = (np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal, np.isnan, np.isfinite)


class Jet(NDArrayOperatorsMixin):
    """``value`` of each row with its ``first`` and ``second`` derivative in one variable.

    Arithmetic, ``np.where`` and the ufuncs of the table work as on an array; comparisons give plain arrays.
    """

    def __init__(self, value: Any, first: Any = 0.0, second: Any = 0.0) -> None:
        self.value: Floats = np.asarray(value, np.float64)
        self.first: Floats = np.broadcast_to(np.asarray(first, np.float64), self.value.shape)
        self.second: Floats = np.broadcast_to(np.asarray(second, np.float64), self.value.shape)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__" or options:
            raise TypeError(f"np.{ufunc.__name__}: allowed on a loss's arguments: plain calls, without out= or where=")
        if ufunc in _COMPARISONS:
            return ufunc(*(x.value if isinstance(x, Jet) else x for x in inputs))
        jets = [x if isinstance(x, Jet) else Jet(x) for x in inputs]
        if ufunc in _UNARY:
            return _through(jets[0], ufunc(jets[0].value), *_UNARY[ufunc](jets[0].value, ufunc(jets[0].value)))
        if ufunc in _BINARY:
            return _BINARY[ufunc](*jets)
        names = ", ".join(sorted(u.__name__ for u in (*_UNARY, *_BINARY)))
        raise TypeError(f"np.{ufunc.__name__} has no derivative here; allowed: {names}, np.where, comparisons")

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        if function is not np.where or len(args) != 3 or options:
            name = getattr(function, "__name__", function)
            raise TypeError(f"np.{name} has no derivative here; allowed: ufuncs and np.where(condition, a, b)")
        return _where(*args)


def _through(x: Jet, value: Any, slope: Any, bend: Any) -> Jet:
    """f(x) by the chain rule; what does not vary stays so where the slope is infinite."""
    with np.errstate(invalid="ignore"):
        first = np.where(x.first == 0, 0.0, slope * x.first)
        second = np.where(x.first == 0, 0.0, bend * x.first**2) + np.where(x.second == 0, 0.0, slope * x.second)
    return Jet(value, first, second)


def _where(condition: Any, a: Any, b: Any) -> Jet:
    a, b = (x if isinstance(x, Jet) else Jet(x) for x in (a, b))
    parts = zip((a.value, a.first, a.second), (b.value, b.first, b.second), strict=True)
    return Jet(*(np.where(condition, one, other) for one, other in parts))


def _add(a: Jet, b: Jet) -> Jet:
    return Jet(a.value + b.value, a.first + b.first, a.second + b.second)


def _multiply(a: Jet, b: Jet) -> Jet:
    cross = 2 * a.first * b.first
    return Jet(
        a.value * b.value,
        _scaled(a.first, b.value) + _scaled(b.first, a.value),
        _scaled(a.second, b.value) + cross + _scaled(b.second, a.value),
    )


def _scaled(derivative: Floats, value: Floats) -> Floats:
    """Their product; what does not vary adds nothing, however large the other is."""
    with np.errstate(invalid="ignore"):
        return np.where(derivative == 0, 0.0, derivative * value)


def _divide(a: Jet, b: Jet) -> Jet:
    return _multiply(a, np.reciprocal(b))


def _power(a: Jet, b: Jet) -> Jet:
    if not (b.first.any() or b.second.any()):
        n, x = b.value, a.value
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = np.where(n == 0, 0.0, n * x ** (n - 1))
            bend = np.where((n == 0) | (n == 1), 0.0, n * (n - 1) * x ** (n - 2))
        return _through(a, x**n, slope, bend)
    return np.exp(_multiply(b, np.log(a)))


def _maximum(a: Jet, b: Jet) -> Jet:
    return _where(a.value >= b.value, a, b)


def _minimum(a: Jet, b: Jet) -> Jet:
    return _where(a.value <= b.value, a, b)


def _logaddexp(a: Jet, b: Jet) -> Jet:
    high, low = _maximum(a, b), _minimum(a, b)
    return _add(high, np.log1p(np.exp(_add(low, -high))))


_BINARY: dict[np.ufunc, Callable[[Jet, Jet], Jet]] = {
    np.add: _add,
    np.subtract: lambda a, b: _add(a, np.negative(b)),
    np.multiply: _multiply,
    np.divide: _divide,
    np.power: _power,
    np.float_power: _power,
    np.maximum: _maximum,
    np.minimum: _minimum,
    np.logaddexp: _logaddexp,
}
