"""The application: its commands and nothing else."""

from __future__ import annotations

from cyclopts import App, Parameter

from neglog import __version__
from neglog.cli.demo import demo
from neglog.cli.families import families
from neglog.cli.fit import fit
from neglog.cli.predict import predict
from neglog.cli.score import score

HELP = """The negative log-likelihood: estimate with it (fit), predict, judge predictions with it (score).

Files are CSV, Parquet, Arrow or JSON lines (.gz too), one or many, globs, or - for standard input. Standard
output is data, standard error is progress and warnings. Exit codes: 0 ok, 1 gate failed, 2 usage, 3 bad data,
4 fit not verified, 70 internal error.
"""

app = App(
    name="neglog",
    help=HELP,
    version=__version__,
    help_format="plaintext",
    default_parameter=Parameter(negative=()),
)
for command in (fit, predict, score, families, demo):
    app.command(command)
