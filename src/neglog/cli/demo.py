"""``neglog demo``: the main job, on real data, through the same commands that anybody would type."""

from __future__ import annotations

from neglog.cli.options import File


def demo(*, out: File = "out", quiet: bool = False) -> int:
    """Train, predict, score and fit on three real data sets that ship with neglog.

    Softmax regression on handwritten digits, a Weibull fit of a censored life test, a Poisson fit of the Prussian
    horse-kick deaths. Writes data, model, predictions and reports; everything is done by the other commands, which
    are printed, so that each step can be repeated by hand.

    Parameters
    ----------
    out
        Folder to write to; it is made if it is not there.
    quiet
        No commands on standard error.
    """
    from neglog.demo.job import run

    return run(out, quiet=quiet)
