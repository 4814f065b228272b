"""``neglog explain``."""

from __future__ import annotations

import io
import re
import shutil
import sys
from typing import Any, ClassVar, cast

from neglog.cli.exits import OK, UsageError
from neglog.cli.options import File

_WIDEST = 100  # columns: longer lines are hard to read
_NARROWEST = 32  # nothing can be read in fewer


def explain(topic: str | None = None, /, *, plot: File | None = None) -> int:
    """Explain what people ask about likelihoods and losses, with a plot; without a topic, list the topics.

    Parameters
    ----------
    topic
        Such as logarithm, softmax or no-maximum.
    plot
        Also draw the topic's figure into this SVG file.
    """
    from neglog.cli.outputs import check_figure
    from neglog.evaluation.sources import did_you_mean
    from neglog.report.topics import topics

    known = topics()
    if topic is None:
        if plot:
            raise UsageError("--plot needs a topic")
        longest = max(map(len, known))
        _print("\n".join(f"{name:<{longest}}  {known[name].title}" for name in known) + "\n")
        return OK
    name = topic.lower().replace("_", "-").replace(" ", "-")
    if name not in known:
        raise UsageError(f"no topic '{topic}'{did_you_mean(name, list(known)) or ';'} there are {', '.join(known)}")
    check_figure(plot)
    if plot:
        _write(plot, name)
    _print(_rendered(known[name].text))
    return OK


def _write(path: str, name: str) -> None:
    from neglog.cli.outputs import replacing
    from neglog.report.figures import standalone
    from neglog.report.topic_figures import figure, names

    if name not in names():
        raise UsageError(f"the topic {name} has no figure")
    with replacing(path) as file:
        file.write(standalone(figure(name)).encode())


def _print(text: str) -> None:
    code = sys.stdout.encoding or "ascii"  # which may have no Greek letters
    sys.stdout.write(text.encode(code, "replace").decode(code))


def _rendered(text: str) -> str:
    """The markdown for a terminal, with the figures drawn where they stand."""
    from rich.console import Console
    from rich.markdown import Markdown, TableElement
    from rich.syntax import Syntax
    from rich.text import Text

    from neglog.report.terminal import has_braille, plot
    from neglog.report.topic_figures import figure
    from neglog.report.topics import FIGURE

    class Folded(TableElement):
        """Names in the first column stay whole where there is room; rich would leave out the end of a wide word."""

        def __rich_console__(self, console: Any, options: Any) -> Any:
            for table in super().__rich_console__(console, options):
                columns: list[Any] = cast("Any", table).columns
                columns[0].no_wrap = max(len(cell) for cell in columns[0].cells) <= options.max_width // 3
                for column in columns:
                    column.overflow = "fold"
                yield table

    class Page(Markdown):
        elements: ClassVar = Markdown.elements | {"table_open": Folded}

    out = io.StringIO()
    width = min(max(shutil.get_terminal_size((_WIDEST, 24)).columns, _NARROWEST), _WIDEST)
    console = Console(file=out, force_terminal=sys.stdout.isatty(), width=width, highlight=False)
    braille = has_braille()
    parts: list[Any] = FIGURE.split(_without_links(text))
    for words, name in zip(parts[::2], [*parts[1::2], None], strict=True):
        for prose, code in re.findall(r"(.*?)(?:^```python\n(.*?)^```$|\Z)", words, re.DOTALL | re.MULTILINE):
            console.print(Page(prose.strip(), code_theme="ansi_dark", hyperlinks=False))
            if code:  # in lines as they are, which can be copied
                lines = Syntax("", "pycon", theme="ansi_dark").highlight(code.strip()).split("\n")
                console.print("", *(Text(" ") + line for line in lines), "", sep="\n", soft_wrap=True)
        if name is not None:
            curves = figure(name)
            drawn = plot(curves, width=min(64, width - 16), braille=braille)
            console.print("\n" + drawn, markup=False, highlight=False, soft_wrap=True)
            console.print(f"{curves.caption}\n", markup=False, highlight=False)
    shown = "\n".join(line.rstrip() for line in out.getvalue().splitlines())
    return re.sub(r"\n{3,}", "\n\n", shown).strip("\n") + "\n"


def _without_links(text: str) -> str:
    """Links to topics as commands, other local links as words.

    >>> _without_links("[a](softmax.md), [b](../torch.md), [c](https://d.e)")
    'a (`neglog explain softmax`), b, c (https://d.e)'
    """
    text = re.sub(r"(?<!!)\[([^\]]+)\]\(([\w-]+)\.md\)", r"\1 (`neglog explain \2`)", text)
    text = re.sub(r"(?<!!)\[([^\]]+)\]\((https?://[^)]+)\)", r"\1 (\2)", text)
    return re.sub(r"(?<!!)\[([^\]]+)\]\((?!https?:|\.\./images)[^)]+\)", r"\1", text)
