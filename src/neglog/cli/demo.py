"""``neglog demo``: the main job, on real data, through the same commands that anybody would type."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shlex
import sys
from typing import Any

from neglog.cli.exits import OK, UsageError
from neglog.cli.options import File
from neglog.cli.outputs import write_text


def demo(*, out: File = "out", quiet: bool = False) -> int:
    """Train, predict, score and fit on three real data sets that ship with neglog.

    Softmax regression on handwritten digits, a Weibull fit of a censored life test, a Poisson fit of the
    Prussian horse-kick deaths. Data, model, predictions and reports go to one folder. Everything is done by
    the other commands, which are printed, so that each step can be repeated by hand.

    Parameters
    ----------
    out
        Folder to write to; it is made if it is not there.
    quiet
        Do not print the commands.
    """
    try:
        os.makedirs(out, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make the folder {out}: {error.strerror}") from None
    job = _Job(out, quiet)
    job.write_data()
    digits = job.digits()
    life = job.fit("life_test", "weibull", "--time", "hours", "--event", "failed")
    kicks = job.fit("horse_kicks", "poisson", "--y", "deaths")
    sys.stdout.write(_summary(out, digits, life, kicks))
    return OK


# One unit of ink, of 16 in a full pixel, is believed to move a logit by 1/sqrt(10), about 0.3.
_PRIOR = 10


class _Job:
    """The steps; each is a command whose standard output is kept as a JSON file."""

    def __init__(self, out: str, quiet: bool) -> None:
        self.out, self.quiet = out, quiet

    def path(self, name: str) -> str:
        return os.path.join(self.out, name)

    def write_data(self) -> None:
        """The data sets as CSV; every second digit is held out."""
        import numpy as np

        from neglog import demo as data

        digits = data.load("digits")
        held_out = np.arange(len(digits["digit"])) % 2 == 1
        write_text(self.path("digits_train.csv"), digits.rows(~held_out).to_csv())
        write_text(self.path("digits_test.csv"), digits.rows(held_out).to_csv())
        for name in ("life_test", "horse_kicks"):
            write_text(self.path(f"{name}.csv"), data.load(name).to_csv())

    def command(self, *words: str, result: str | None = None) -> dict[str, Any]:
        """Run one command; its JSON output goes into the file ``result`` and is returned."""
        from neglog.cli.app import app

        arguments = [*words, "--quiet", *(["--format", "json"] if result else [])]
        if not self.quiet:
            shown = shlex.join(arguments) + (f" > {self.path(result)}" if result else "")
            print(f"$ neglog {shown}", file=sys.stderr)
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            code = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
        if code:
            raise RuntimeError(f"neglog {words[0]} ended with {code}")
        if result is None:
            return {}
        write_text(self.path(result), output.getvalue())
        return json.loads(output.getvalue())

    def digits(self) -> dict[str, Any]:
        """Train, predict, score; and the reliability diagram as a picture of its own."""
        p = self.path
        train = ("--y", "digit", "--x", "pixel_*", "--l2", str(_PRIOR))
        outputs = ("--save", p("digits_model.json"), "--report", p("digits_fit.html"))
        self.command("fit", "categorical", p("digits_train.csv"), *train, *outputs, result="digits_fit.json")
        predictions = p("digits_predictions.parquet")
        self.command("predict", p("digits_model.json"), p("digits_test.csv"), "--keep", "digit", "--out", predictions)
        outputs = ("--save", p("digits_score.state"), "--report", p("digits_score.html"))
        score = self.command(
            "score",
            predictions,
            "--y",
            "digit",
            "--probs",
            "p_*",
            "--bins",
            "10",
            *outputs,
            result="digits_score.json",
        )
        self.picture()
        return score

    def picture(self) -> None:
        """The reliability diagram, from the saved state."""
        import neglog as nl
        from neglog.report.figures import standalone
        from neglog.report.model import Reliability
        from neglog.report.score import score_report

        with open(self.path("digits_score.state"), "rb") as file:
            report = score_report(nl.Score.from_bytes(file.read()).result(), title="digits")
        figure = next(block for block in report.blocks if isinstance(block, Reliability))
        write_text(self.path("digits_reliability.svg"), standalone(figure))

    def fit(self, name: str, family: str, *words: str) -> dict[str, Any]:
        """Fit one family to one file."""
        outputs = ("--save", self.path(f"{name}_model.json"), "--report", self.path(f"{name}.html"))
        return self.command("fit", family, self.path(f"{name}.csv"), *words, *outputs, result=f"{name}.json")


def _summary(out: str, score: dict[str, Any], life: dict[str, Any], kicks: dict[str, Any]) -> str:
    from neglog.report.numbers import fixed, number, percent, with_error

    low, high = (fixed(end, 4) for end in score["ci"])
    lines = [
        f"digits       held-out NLL {fixed(score['nll'], 4)} nats, 95% interval {low} to {high}; "
        f"accuracy {percent(score['accuracy'])} of {number(score['nobs'])}",
        f"             ECE {fixed(score['ece'], 4)}; calibrated probabilities would show about "
        f"{fixed(score['ece_expected'], 4)} by chance",
    ]
    for label, fit in (("life test", life), ("horse kicks", kicks)):
        estimates = []
        for row in fit["estimates"]:
            value, error = with_error(row["estimate"], row["stderr"], 3)
            estimates.append(f"{row['name']} {value} ± {error}")
        lines.append(
            f"{label:<12} {fit['family'].capitalize()}, {', '.join(estimates)}; "
            f"NLL {fixed(-fit['loglik'], 3)} of {number(fit['nobs'])} observations"
        )
    counted = "  ".join(f"{row['count']}: {number(row['observed'])}" for row in kicks["counts"])
    expected = "  ".join(f"{row['count']}: {fixed(row['expected'], 1)}" for row in kicks["counts"])
    lines += [f"             counted   {counted}", f"             expected  {expected}"]
    names = ("digits_score.html", "digits_fit.html", "life_test.html", "horse_kicks.html")
    where = [f"  {os.path.join(out, name)}" for name in (*names, "digits_predictions.parquet", "digits_model.json")]
    return "\n".join([*lines, "", "Look at", *where]) + "\n"
