"""The application: its commands and nothing else."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from cyclopts import App, Parameter

from neglog import __version__
from neglog.cli.demo import demo
from neglog.cli.explain import explain
from neglog.cli.families import families
from neglog.cli.fit import fit
from neglog.cli.predict import predict
from neglog.cli.score import score

_HELP = """The negative log-likelihood: estimate with it (fit), predict, judge predictions with it (score).

Files are CSV, Parquet, Arrow or JSON lines (.gz too), one or many, globs, or - for standard input. Standard
output is data, standard error is progress and warnings. Exit codes: 0 ok, 1 gate failed, 2 usage, 3 bad data,
4 fit not verified, 70 internal error.
"""


def _flowing(paragraphs: str) -> str:
    """One line per paragraph, so that the terminal's width decides where lines end."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs.strip().split("\n\n"))


def _description(command: Callable[..., Any]) -> str:
    """What a command's docstring says before its parameters."""
    return _flowing(inspect.cleandoc(command.__doc__ or "").partition("\nParameters\n")[0])


app = App(
    name="neglog",
    help=_flowing(_HELP),
    version=__version__,
    help_format="plaintext",
    default_parameter=Parameter(negative=()),
    suppress_keyboard_interrupt=False,  # neglog.cli.main says that nothing was written
)
for command in (fit, predict, score, families, explain, demo):
    app.command(command, help=_description(command))
