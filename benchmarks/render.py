"""Markdown tables from the measured rows; ``python -m benchmarks.render`` renders the stored ones again."""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Container
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks import deformed, mixture, rbm

HERE = Path(__file__).parent
README = HERE.parent / "README.md"
RIVALS = {
    "numpy": ("neglog", "torch eager", "torch.compile", "sklearn log_loss"),
    "torch": ("neglog.torch", "torch eager", "torch.compile"),
}
FAMILY_RIVALS = ("neglog", "scipy.stats", "numba-stats", "torch.distributions")
TITLES = {
    "forward": "`{}`",
    "gradient": "`{}_grad`",
    "gradient_out": "`{}_grad(out=)`",
    "log_loss": "`log_loss`",
}

Row = dict[str, Any]


def tables(stored: Row, tasks: Container[str] = TITLES) -> dict[str, str]:
    """One table a group, by its name; of tensors only the given tasks."""
    found: dict[str, str] = {}
    for group, rivals in RIVALS.items():
        rows = [row for row in stored["rows"] if row["group"] == group and (group == "numpy" or row["task"] in tasks)]
        if rows:
            head = f"| | {' | '.join(rivals)} | read / copy |\n|---|---:|{'---:|' * len(rivals)}"
            lines = [line(list(same)) for _, same in groupby(rows, key=lambda row: row["case"])]
            found[group] = "\n".join([head, *lines, "", legend(stored["machine"]), ""])
    if stored["memory"]:
        names = RIVALS["torch"]
        head = f"| forward + backward | gradient | {' | '.join(names)} |\n|---|---:|{'---:|' * len(names)}"
        found["memory"] = "\n".join([head, *map(memory_line, stored["memory"]), "", MEMORY, ""])
    if stored["families"]:
        ours, *theirs = FAMILY_RIVALS
        head = f"| | {ours} `nll` | {' | '.join(theirs)} | {ours} `nll_grad_hess` |\n|---|{'---:|' * (len(theirs) + 2)}"
        same = groupby(stored["families"], key=lambda row: (row["family"], row["dtype"], row["per_row"]))
        lines = [family_line(list(rows)) for _, rows in same]
        found["families"] = "\n".join([head, *lines, "", family_legend(stored["machine"]), ""])
    if stored.get("deformed"):
        found["deformed"] = "\n".join([deformed.HEAD, *map(deformed.line, stored["deformed"]), "", DEFORMED, ""])
    if stored.get("mixture"):
        found["mixture"] = mixture.table(stored["mixture"], stored["machine"])
    if stored.get("rbm"):
        found["rbm"] = rbm.table(stored["rbm"], stored["machine"])
    return found


DEFORMED = (
    "Medians of times and of their ratios, taken in turn in one process; then the largest error of the gradient "
    "against float64, in multiples of its largest entry."
)
MEMORY = (
    "Peak of the resident memory beyond logits, targets and the gradient, in MB; in brackets in multiples of the "
    "gradient."
)


def legend(machine: Row) -> str:
    """What the numbers are."""
    return (
        f"Medians in ms, taken in turn in one process with {machine['threads']} threads (8 × 10: one thread; "
        f"{machine['instruction_set']}, torch {machine['torch']}, NumPy {machine['numpy']}); ×: times neglog's. In "
        "brackets the error against float64: relative of the loss; largest absolute of the gradient, times the rows. "
        "read / copy: NumPy reading and copying the logits with one thread, about the floor that memory sets."
    )


def summary(stored: Row) -> str:
    """How many times as long others take: the least and the most of all cases, and the one in the middle."""
    tensors = [row for row in stored["rows"] if row["group"] == "torch" and row["task"] == "gradient"]
    arrays = [row for row in stored["rows"] if row["group"] == "numpy"]
    values = [row for row in stored["families"] if row["task"] == "nll"]
    measured = {
        "`neglog.torch`, a training step": _ratios(tensors),
        "`neglog.losses` of NumPy arrays": _ratios(arrays),
        "NLL of a family": _ratios(values),
        "Losses of the true class's probability": {"plain torch": [row["torch_ratio"] for row in stored["deformed"]]},
        "Gaussian mixture, ten steps of EM": _ratios(stored["mixture"]),
        "Restricted Boltzmann machine, an epoch": _ratios(stored["rbm"]),
    }
    lines = [
        f"| {what} | {rival} | {len(ratios)} | {two(min(ratios))}× | {two(statistics.median(ratios))}× "
        f"| {two(max(ratios))}× |"
        for what, rivals in measured.items()
        for rival, ratios in rivals.items()
    ]
    return "\n".join(["| | beside | cases | least | median | most |\n|---|---|---:|---:|---:|---:|", *lines, ""])


def _ratios(rows: list[Row]) -> dict[str, list[float]]:
    """By rival, the first of whom are we."""
    found: dict[str, list[float]] = {}
    for row in rows:
        if not row["library"].startswith("neglog"):
            found.setdefault(row["library"], []).append(row["ratio"])
    return found


def family_legend(machine: Row) -> str:
    """What the numbers of the families are."""
    return (
        "Medians in ms of 1,000,000 rows, with numbers for parameters or with one law a row, as in a regression; taken "
        f"in turn in one process with {machine['threads']} threads ({machine['instruction_set']}, NumPy "
        f"{machine['numpy']}, SciPy {machine['scipy']}, torch {machine['torch']}); ×: times neglog's `nll`. In "
        "brackets the largest error of 100 rows against mpmath, in units of the larger of 1 and the value."
    )


def family_line(rows: list[Row]) -> str:
    """The row of one family and dtype, from those of both tasks."""
    by_library = {row["library"]: row for row in rows if row["task"] == "nll"}
    derivatives = next(row for row in rows if row["task"] == "nll_grad_hess")
    ours, *theirs = FAMILY_RIVALS
    own = by_library[ours]
    cells = [f"**{milliseconds(own)}** ({own['error']:.0e})"]
    for name in theirs:
        row = by_library.get(name)
        cells.append(f"{milliseconds(row)}, **{ratio(row)}×** ({row['error']:.0e})" if row else "")
    times = derivatives["milliseconds"] / own["milliseconds"]
    cells.append(f"{milliseconds(derivatives)}, {times:.1f}× ({derivatives['error']:.0e})")
    law = ", one law a row" if own["per_row"] else ""
    return f"| {own['family']} {own['dtype']}{law} | {' | '.join(cells)} |"


def shape(row: Row) -> str:
    """``8 × 1,000 × 64 × 64 bfloat16, label smoothing``."""
    words = " × ".join(f"{length:,}" for length in row["shape"])
    kind = "" if row["dtype"] == "float32" else f" {row['dtype']}"
    return words + kind + (f", {row['option']}" if row["option"] else "")


def title(row: Row) -> str:
    """What was done on which shape."""
    if row["group"] == "numpy":
        return f"{TITLES[row['task']].format(row['loss'])} {shape(row)}"
    passes = {"forward": "forward", "gradient": "forward + backward"}[row["task"]]
    loss = "" if row["loss"] == "cross_entropy" else "BCE with logits, "
    return f"{loss}{shape(row)}: {passes}"


def line(rows: list[Row]) -> str:
    """The row of one case."""
    by_library = {row["library"]: row for row in rows}
    ours, *theirs = RIVALS[rows[0]["group"]]
    ours = by_library[ours]
    cells = [f"**{milliseconds(ours)}** {errors(ours)}"]
    for name in theirs:
        row = by_library.get(name)
        cells.append(f"{milliseconds(row)}, **{ratio(row)}×** {errors(row)}" if row else "")
    floor = f"{ours['read_milliseconds']:.1f} / {ours['copy_milliseconds']:.1f}" if ours["calls"] == 1 else ""
    return f"| {title(ours)} | {' | '.join(cells)} | {floor} |"


def milliseconds(row: Row) -> str:
    """Three digits."""
    ms = row["milliseconds"]
    return f"{ms:.4f}" if ms < 0.1 else f"{ms:.2f}" if ms < 100 else f"{ms:.0f}"


def ratio(row: Row) -> str:
    """Two digits; a tie is not rounded to a win."""
    return two(row["ratio"])


def two(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 2 else f"{ratio:.1f}"


def errors(row: Row) -> str:
    gradient = f"; {row['gradient_error']:.0e}" if "gradient_error" in row else ""
    return f"({row['loss_error']:.0e}{gradient})"


def memory_line(row: Row) -> str:
    """The row of one case of the memory table."""
    cells = [f"{bytes / 1e6:.1f} ({bytes / row['gradient']:.2f})" for bytes in row["beyond"].values()]
    return f"| {shape(row)} | {row['gradient'] / 1e6:.0f} | {' | '.join(cells)} |"


def write(stored: Row) -> None:
    """``results/table.md`` with every table; in the README their summary, and training steps."""
    text = "\n".join(f"## {HEADINGS[name]}\n\n{table}" for name, table in tables(stored).items())
    (HERE / "results" / "table.md").write_text(text)
    readme = README.read_text()
    for name, table in {"summary": summary(stored), "torch": tables(stored, tasks=["gradient"])["torch"]}.items():
        begin, end = f"<!-- benchmarks, {name}: written by make bench -->", "<!-- end of benchmarks -->"
        marked = re.escape(begin) + ".*?" + re.escape(end)
        readme = re.sub(marked, lambda _, t=table: f"{begin}\n\n{t}\n{end}", readme, count=1, flags=re.DOTALL)  # noqa: B023
    README.write_text(readme)


HEADINGS = {
    "numpy": "neglog.losses on NumPy arrays",
    "torch": "neglog.torch on tensors",
    "memory": "Memory of neglog.torch",
    "families": "Families",
    "deformed": "Losses of the true class's probability",
    "mixture": "Gaussian mixtures",
    "rbm": "Restricted Boltzmann machines",
}

if __name__ == "__main__":
    write(json.loads((HERE / "results" / "table.json").read_text()))
