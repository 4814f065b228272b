"""The explanations of ``docs/explain``, which ship with the package as ``neglog/explain``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FIGURE = re.compile(r"^!\[[^\]]*\]\(\.\./images/explain/(?P<name>[\w-]+)\.svg\)$", re.MULTILINE)
"""Where a topic shows the figure of that name."""


@dataclass(frozen=True)
class Topic:
    """One explanation: markdown, whose first line is its title."""

    name: str
    text: str

    @property
    def title(self) -> str:
        """Of the first line."""
        return self.text.partition("\n")[0].removeprefix("# ")

    @property
    def summary(self) -> str:
        """The first paragraph on one line."""
        return " ".join(self.text.split("\n\n")[1].split())


@cache
def topics() -> dict[str, Topic]:
    """All of them by name, in the order in which they are best read.

    >>> topics()["logarithm"].title
    'Why the logarithm'
    """
    found = {path.stem: Topic(path.stem, path.read_text("utf-8")) for path in _folder().glob("*.md")}
    order = re.findall(r"\]\(([\w-]+)\.md\)", found.pop("index").text)
    return {name: found[name] for name in order}


def _folder() -> Path:
    package = Path(__file__).parents[1]
    installed = package / "explain"
    return installed if installed.is_dir() else package.parents[1] / "docs" / "explain"  # an editable installation
