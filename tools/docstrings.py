"""A griffe extension: what docstrings say in reStructuredText, in words that markdown shows."""

from __future__ import annotations

import re
import textwrap

import griffe

from neglog.report.formulas import spelled


def markdown(text: str) -> str:
    r"""Roles as code, displayed formulas as lines, literal blocks as code.

    >>> markdown("See :func:`~neglog.fit` and :math:`\\sigma^2`.")
    'See `fit` and `σ^2`.'
    """
    text = re.sub(
        r"^( *)\.\. math::(?: *(.*))?\n((?:\n|\1 +.*\n?)*)",
        lambda m: _formula(m[1], f"{m[2] or ''}\n{textwrap.dedent(m[3])}"),
        text,
        flags=re.MULTILINE,
    )
    text = re.sub(r":math:`([^`]+)`", lambda m: f"`{spelled(m[1])}`", text)
    text = re.sub(r":\w+:`~?(?:[\w.]+\.)?([\w]+)`", r"`\1`", text)
    text = re.sub(r"``([^`]+)``", r"`\1`", text)
    text = re.sub(r"::\n\n", ":\n\n", text)
    if "\n--------\n" in text or not re.search("^>>> ", text, re.MULTILINE):
        return text
    return re.sub(r"^>>> .*\n(?:\S.*\n?)*", lambda m: f"```pycon\n{m[0].rstrip()}\n```\n", text, flags=re.MULTILINE)


def _formula(indent: str, body: str) -> str:
    lines = [spelled(line) for line in re.split(r"\\\\|\n\n", body) if line.strip()]
    return "\n" + "\n".join(f"{indent}    {line}" for line in lines) + "\n\n"


class PlainMarkdown(griffe.Extension):
    """Rewrites every docstring before it is parsed."""

    def on_instance(self, *, obj: griffe.Object, **_: object) -> None:
        if obj.docstring:
            obj.docstring.value = markdown(obj.docstring.value)
