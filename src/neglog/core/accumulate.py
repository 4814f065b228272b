"""Sums that merge exactly: whatever the order, the partition or the number of threads, the same bits.

The additions happen in native superaccumulators (:class:`neglog._native.ExactSums`). This module finishes them: exact
dyadic rationals, rounded once. A dyadic number is ``(numerator, exponent)`` and means ``numerator * 2**-exponent``.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from neglog._native import ExactSums

Exact = Fraction | float  # a float only where the sum is not finite

_DIGIT = 1 << 32  # an integer below it is exact in float64, also after scaling by any power of two in range


def exact_values(sums: ExactSums) -> list[Exact]:
    """The sums as fractions; one that is not finite as the float it is (``inf``, ``-inf``, ``nan``)."""
    return [
        value if isinstance(value, float) else _fraction(*value) for value in sums.fractions()
    ]


def _fraction(numerator: int, exponent: int) -> Fraction:
    return Fraction(numerator, 1 << exponent) if exponent >= 0 else Fraction(numerator << -exponent)


def rounded(x: Exact) -> float:
    """The float64 nearest to an exact number.

    >>> rounded(Fraction(1, 3)), rounded(Fraction(10) ** 400)
    (0.3333333333333333, inf)
    """
    try:
        return float(x)
    except OverflowError:
        return math.copysign(math.inf, x)


def rounded_ratio(numerator: Exact, denominator: Exact) -> float:
    """``numerator / denominator``, rounded once; NaN for 0 / 0, infinite for x / 0."""
    if isinstance(numerator, float) or isinstance(denominator, float):
        return float(np.divide(rounded(numerator), rounded(denominator)))
    if denominator == 0:
        return math.nan if numerator == 0 else math.copysign(math.inf, numerator)
    return rounded(numerator / denominator)


def rounded_sqrt(x: Exact) -> float:
    """The float64 nearest to the square root of an exact non-negative number.

    >>> rounded_sqrt(Fraction(1, 4)), rounded_sqrt(Fraction(2)) == math.sqrt(2)
    (0.5, True)
    """
    if isinstance(x, float):
        return math.sqrt(x) if x >= 0 else math.nan
    if x < 0:
        return math.nan
    # an even shift leaves an integer square root of at least 64 bits; the last bit is sticky, so rounding it to 53
    # bits is rounding the true root
    half = max(0, 64 - (x.numerator.bit_length() - x.denominator.bit_length()) // 2)
    scaled, rest = divmod(x.numerator << 2 * half, x.denominator)
    root = math.isqrt(scaled)
    sticky = int(rest != 0 or root * root != scaled)
    return rounded(Fraction(root << 1 | sticky, 1 << half + 1))


def to_text(sums: ExactSums) -> list[str]:
    """Canonical text of every sum: ``numerator`` in hexadecimal, ``p``, binary exponent; equal sums, equal text."""
    return [repr(value) if isinstance(value, float) else f"{value[0]:x}p{-value[1]}" for value in sums.fractions()]


def from_text(texts: Sequence[str]) -> ExactSums:
    """The sums that :func:`to_text` wrote.  Raises ValueError where the text is not canonical."""
    sums = ExactSums(len(texts))
    index: list[int] = []
    parts: list[float] = []
    for i, text in enumerate(texts):
        for part in _floats(text):
            index.append(i)
            parts.append(part)
    sums.add(np.array(index, dtype=np.int64), np.array(parts, dtype=np.float64))
    if to_text(sums) != list(texts):
        raise ValueError("an exact sum is not in its canonical form")
    return sums


def _floats(text: str) -> Iterable[float]:
    """Floats whose exact sum is the number written."""
    mantissa, mark, exponent = text.partition("p")
    if not mark:
        yield float(text)  # inf, nan
        return
    number, shift = int(mantissa, 16), int(exponent)
    sign, number = (-1.0, -number) if number < 0 else (1.0, number)
    while number:
        number, digit = divmod(number, _DIGIT)
        yield sign * math.ldexp(digit, shift)
        shift += 32


def add_dyadic(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    """Sum of two dyadic numbers, normalised: the numerator is odd, or the number is ``(0, 0)``.

    >>> add_dyadic((1, 1), (1, 2)), add_dyadic((1, 1), (1, 1))
    ((3, 2), (1, 0))
    """
    exponent = max(a[1], b[1])
    numerator = (a[0] << exponent - a[1]) + (b[0] << exponent - b[1])
    if numerator == 0:
        return 0, 0
    spare = (numerator & -numerator).bit_length() - 1
    return numerator >> spare, exponent - spare


class Smallest:
    """The ``size`` smallest of the items seen; merging gives what one pass over everything gives.

    Items are tuples that compare, so ties are decided by their later parts, not by the order of arrival.

    >>> few = Smallest(2); few.extend([(3, "c"), (1, "a"), (2, "b")]); few.items
    [(1, 'a'), (2, 'b')]
    """

    def __init__(self, size: int, items: Iterable[tuple[Any, ...]] = ()) -> None:
        self.size = size
        self.items: list[tuple[Any, ...]] = []
        self.extend(items)

    def extend(self, items: Iterable[tuple[Any, ...]]) -> None:
        """Look at more items."""
        self.items = heapq.nsmallest(self.size, [*self.items, *items])

    def copy(self) -> Smallest:
        """An independent copy."""
        return Smallest(self.size, self.items)
