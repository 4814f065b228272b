"""Numbers as people read them: a few significant digits, an estimate never finer than its error."""

from __future__ import annotations

import math


def exponent(value: float) -> int:
    """The power of ten of the first significant digit, after rounding to two digits.

    >>> exponent(606.5), exponent(0.0412), exponent(0.0999)
    (2, -2, -1)
    """
    return int(f"{abs(value):.1e}".partition("e")[2])


def number(value: float | None, digits: int = 4) -> str:
    """``digits`` significant digits, whole counts in full.

    >>> number(0.123456), number(1797), number(1234567.0), number(2.5e-7), number(float("inf")), number(None)
    ('0.1235', '1,797', '1,234,567', '2.5e-07', 'inf', '–')
    """
    if value is None:
        return "–"
    if not math.isfinite(value):
        return str(float(value))
    if abs(value) >= 1e15:
        return f"{value:.{digits}g}"
    if float(value).is_integer():
        return f"{int(value):,}"
    if abs(value) >= 10**digits:
        return f"{value:,.{0 if abs(value) >= 10 ** (digits + 1) else 1}f}"
    return f"{value:.{digits}g}"


def fixed(value: float | None, decimals: int) -> str:
    """``decimals`` places, unless not even the last digit before them is known.

    >>> fixed(0.5, 4), fixed(float("nan"), 2), fixed(-1234.5, 1), fixed(-0.0001, 2), fixed(-5.3e61, 4)
    ('0.5000', 'nan', '-1,234.5', '0.00', '-5.3e+61')
    """
    if value is None:
        return "–"
    if not math.isfinite(value):
        return str(float(value))
    if abs(value) >= 1e16:
        return f"{value:.4g}"
    return f"{value:z,.{decimals}f}"


def places(error: float | None, value: float | None = None, significant: int = 2) -> int | None:
    """Decimal places at which ``error`` shows ``significant`` digits; None: better in scientific notation.

    >>> places(0.0353), places(130.4), places(2e-12) is None
    (3, 0, True)
    """
    if error is None or not math.isfinite(error) or error == 0:
        if value is None or not math.isfinite(value) or value == 0:
            return 4
        error = abs(value) / 1000
    result = max(0, significant - 1 - exponent(error))
    return result if result <= 8 else None


def with_error(value: float | None, error: float | None, significant: int = 2) -> tuple[str, str]:
    """Both to the same place, given by the first digits of the error.

    >>> with_error(606.5280123, 124.9), with_error(1.72077, 0.5021), with_error(3.0, float("nan"))
    (('607', '125'), ('1.72', '0.50'), ('3.0000', 'nan'))
    """
    decimals = places(error, value, significant)
    if decimals is None:
        return number(value), number(error, 2)
    return fixed(value, decimals), fixed(error, decimals)


def percent(value: float | None, decimals: int = 1) -> str:
    """A share.

    >>> percent(0.9644), percent(None)
    ('96.4%', '–')
    """
    if value is None:
        return "–"
    return f"{100 * value:.{decimals}f}%" if math.isfinite(value) else str(float(value))


def p_value(value: float | None) -> str:
    """Three places, or that it is smaller.

    >>> p_value(0.04321), p_value(1e-9)
    ('0.043', '<0.001')
    """
    if value is None or math.isnan(value):
        return "–" if value is None else "nan"
    return "<0.001" if value < 0.001 else f"{value:.3f}"


class Placed(float):
    """A number that prints with a given number of decimals and stays itself as data.

    >>> f"{Placed(606.5280, 1)}", Placed(606.5280, 1) == 606.5280
    ('606.5', True)
    """

    decimals: int

    def __new__(cls, value: float, decimals: int) -> Placed:
        self = super().__new__(cls, value)
        self.decimals = decimals
        return self

    def __str__(self) -> str:
        return fixed(float(self), self.decimals)

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)
