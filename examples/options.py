"""Values of the examples' options, checked before anything is read or trained."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path


def whole(least: int, most: float = math.inf) -> Callable[[str], int]:
    """A type for argparse: whole numbers from ``least`` to ``most``.

    >>> whole(1)("12")
    12
    """

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            allowed = f"of at least {least}" if most == math.inf else f"from {least} to {most}"
            raise argparse.ArgumentTypeError(f"{text!r}; allowed: a whole number {allowed}")
        return value

    return read


count = whole(1)


def existing(text: str) -> Path:
    """A folder that is there."""
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {text!r}")
    return Path(text)
