"""Optional packages: one helper, one sentence when something is missing."""

from __future__ import annotations

import importlib
from types import ModuleType

from neglog.errors import MissingDependencyError


def require(module: str, *, feature: str, extra: str) -> ModuleType:
    """Import ``module`` or say which feature needs it and how to get it.

    >>> require("no_such_module", feature="reading Parquet files", extra="cli")
    Traceback (most recent call last):
    ...
    neglog.errors.MissingDependencyError: reading Parquet files needs the package 'no_such_module': pip install ...
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        if error.name is None or error.name.partition(".")[0] != module.partition(".")[0]:
            raise  # the package is there; something inside it is broken and deserves its own message
        package = module.partition(".")[0]
        raise MissingDependencyError(
            f"{feature} needs the package '{package}': pip install 'neglog[{extra}]'"
        ) from None
