"""Sums that merge exactly: whatever the order, the partition or the number of threads, the same bits.

The additions happen in native superaccumulators (:class:`neglog._native.ExactSums`). This module finishes
them: exact dyadic rationals, rounded once. A dyadic number is ``(numerator, exponent)`` and means
``numerator * 2**-exponent``.
"""

from __future__ import annotations

import functools
import heapq
import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neglog._native import ExactSums
from neglog.errors import DataError

Exact = Fraction | float  # a float only where the sum is not finite


def exact_values(sums: ExactSums) -> list[Exact]:
    """The sums as fractions; one that is not finite as the float it is (``inf``, ``-inf``, ``nan``)."""
    return [_fraction(*value) if isinstance(value, tuple) else value for value in sums.fractions()]


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
        return math.inf if x > 0 else -math.inf


def exact_sum(values: NDArray[np.float64], weight: NDArray[np.float64] | None = None) -> float:
    """``sum(weight * values)``, correctly rounded, with both halves of every product.

    A row of weight 3 is exactly three rows. Infinities and NaN come out as mathematics says.

    >>> exact_sum(np.array([1e100, 1.0, -1e100]))
    1.0
    """
    total = ExactSums(1)
    values = np.ascontiguousarray(values)
    total.add(None, *((values,) if weight is None else (values, weight)))
    return rounded(exact_values(total)[0])


def rounded_ratio(numerator: Exact, denominator: Exact) -> float:
    """``numerator / denominator``, rounded once; NaN for 0 / 0, infinite for x / 0."""
    if isinstance(numerator, float) or isinstance(denominator, float):
        return float(np.divide(rounded(numerator), rounded(denominator)))
    if denominator == 0:
        return math.nan if numerator == 0 else math.inf if numerator > 0 else -math.inf
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
    # an even shift leaves an integer square root of at least 64 bits; the last bit is sticky, so rounding
    # it to 53 bits is rounding the true root
    half = max(0, 64 - (x.numerator.bit_length() - x.denominator.bit_length()) // 2)
    scaled, rest = divmod(x.numerator << 2 * half, x.denominator)
    root = math.isqrt(scaled)
    sticky = int(rest != 0 or root * root != scaled)
    return rounded(Fraction(root << 1 | sticky, 1 << half + 1))


def mean_variance(rows: int, w: Exact, wx: Exact, w2: Exact, w2x: Exact, w2x2: Exact) -> Exact:
    """Variance of the weighted mean ``sum(w x) / sum(w)``, linearised.

    ``n / (n - 1) * sum(w^2 (x - mean)^2) / sum(w)^2``: with equal weights the familiar ``s^2 / n``;
    multiplying all weights by a number changes nothing. The arguments are the exact sums of ``w``, ``w x``,
    ``w^2``, ``w^2 x`` and ``w^2 x^2`` over ``rows`` rows. NaN for fewer than two rows or where a sum is not
    finite.

    >>> mean_variance(2, *map(Fraction, (2, 4, 2, 4, 10)))  # x = 1, 3
    Fraction(1, 1)
    """
    if rows < 2 or any(isinstance(x, float) for x in (w, wx, w2, w2x, w2x2)):
        return math.nan
    mean = wx / w
    return Fraction(rows, rows - 1) * (w2x2 - 2 * mean * w2x + mean * mean * w2) / (w * w)


def to_text(sums: ExactSums) -> list[str]:
    """Canonical text of every sum: numerator in hexadecimal, ``p``, binary exponent."""
    return [_dyadic_text(value) if isinstance(value, tuple) else repr(value) for value in sums.fractions()]


def _dyadic_text(value: tuple[int, int]) -> str:
    return f"{value[0]:x}p{-value[1]}"


def _dyadic(text: str) -> tuple[int, int]:
    mantissa, _, exponent = text.partition("p")
    return add_dyadic((int(mantissa, 16), -int(exponent)), (0, 0))


def from_text(texts: Sequence[str]) -> ExactSums:
    """The sums that :func:`to_text` wrote.  Raises ValueError where the text is not canonical."""
    sums = ExactSums(len(texts))
    for i, text in enumerate(texts):
        mantissa, mark, exponent = text.partition("p")
        if mark:
            _add_integer(sums, i, int(mantissa, 16), int(exponent))
        else:
            sums.add(np.array([i]), np.array([float(text)]))  # inf, nan
    if to_text(sums) != list(texts):
        raise ValueError("an exact sum is not in its canonical form")
    return sums


def _add_integer(sums: ExactSums, i: int, number: int, exponent: int) -> None:
    chunk, shift = divmod(exponent + 1074, 32)  # chunks of the native sums count units of 2^(32 chunk - 1074)
    number <<= shift
    words = number.bit_length() // 32 + 1  # with room for the sign
    sums.add_words(i, chunk, number.to_bytes(4 * words, "little", signed=True))


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


def _product(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    return a[0] * b[0], a[1] + b[1]


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


class ClusterSums:
    """Sums of ``w`` and ``w x`` for each cluster, exact. Grows with the number of clusters.

    >>> sums = ClusterSums()
    >>> sums.add(np.array(["a", "b", "a"]), np.ones(3), np.array([0.5, 2.0, 1.0]))
    >>> len(sums), sums.to_payload()
    (2, [['a', '1p1', '3p-1'], ['b', '1p0', '1p1']])
    """

    _GROUP = 4096  # clusters summed at a time: bounds the native sums to a few MB

    def __init__(self) -> None:
        self._sums: dict[Any, tuple[tuple[int, int], tuple[int, int]]] = {}

    def __len__(self) -> int:
        return len(self._sums)

    def add(self, cluster: NDArray[Any], w: NDArray[np.float64], x: NDArray[np.float64]) -> None:
        """Add rows: their cluster, weight and value; all finite, shape (n,)."""
        names, index = np.unique(cluster, return_inverse=True)
        for start in range(0, len(names), self._GROUP):
            group = names[start : start + self._GROUP].tolist()
            here = (index >= start) & (index < start + len(group))
            weights, products = ExactSums(len(group)), ExactSums(len(group))
            weights.add(index[here] - start, w[here])
            products.add(index[here] - start, w[here], x[here])
            for name, *pair in zip(group, weights.fractions(), products.fractions(), strict=True):
                self._add(name, (pair[0], pair[1]))

    def _add(self, name: Any, pair: tuple[Any, Any]) -> None:
        if any(isinstance(value, float) for value in pair):
            raise DataError(f"cluster {name!r}: the products of weights and losses exceed the range of float64")
        old = self._sums.get(name)
        self._sums[name] = pair if old is None else (add_dyadic(old[0], pair[0]), add_dyadic(old[1], pair[1]))

    def merge(self, other: ClusterSums) -> None:
        """Add the sums of another."""
        for name, pair in other._sums.items():
            self._add(name, pair)

    def copy(self) -> ClusterSums:
        """An independent copy."""
        other = ClusterSums()
        other._sums = dict(self._sums)
        return other

    def mean_variance(self) -> Exact:
        """Cluster-robust variance of ``sum(w x) / sum(w)``; NaN for fewer than two clusters.

        ``G / (G - 1) * sum_g (sum_{i in g} w_i (x_i - mean))^2 / sum(w)^2`` over ``G`` clusters.
        """
        w, wx, w2, w2x, w2x2 = (
            _fraction(*functools.reduce(add_dyadic, terms, (0, 0)))
            for terms in (
                (weight for weight, _ in self._sums.values()),
                (product for _, product in self._sums.values()),
                (_product(weight, weight) for weight, _ in self._sums.values()),
                (_product(weight, product) for weight, product in self._sums.values()),
                (_product(product, product) for _, product in self._sums.values()),
            )
        )
        return mean_variance(len(self), w, wx, w2, w2x, w2x2)

    def to_payload(self) -> list[Any]:
        """JSON values, ordered by cluster."""
        return [[name, *map(_dyadic_text, self._sums[name])] for name in sorted(self._sums)]

    @staticmethod
    def from_payload(payload: list[Any]) -> ClusterSums:
        """The sums that gave the payload.  Raises ValueError where it is none."""
        sums = ClusterSums()
        for name, weight, product in payload:
            sums._sums[name] = (_dyadic(weight), _dyadic(product))
        if sums.to_payload() != payload:
            raise ValueError("cluster sums are not in their canonical form")
        return sums
