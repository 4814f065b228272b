"""Style sheets of this package, without the white space that is there for their readers."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files


@cache
def stylesheet(name: str) -> str:
    """The rules of ``name``, comments and spare white space removed."""
    text = files("neglog.report").joinpath(name).read_text(encoding="utf-8")
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return re.sub(r"\s*([{};])\s*", r"\1", re.sub(r"(?<=[a-z]):\s+", ":", text)).strip()
