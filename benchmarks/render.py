"""One Markdown table from the measured rows; ``python -m benchmarks.render`` renders the stored ones again."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
BEGIN, END = "<!-- benchmarks: written by make bench -->", "<!-- end of benchmarks -->"
OURS = "neglog"
RIVALS = ("torch eager", "torch.compile", "sklearn log_loss")
TITLES = {
    "forward": "`cross_entropy`",
    "gradient": "`cross_entropy_grad`",
    "gradient_out": "`cross_entropy_grad(out=)`",
    "log_loss": "`log_loss`",
}
HEAD = f"| float32 | {OURS} | {' | '.join(RIVALS)} | read / copy |\n|---|---:|{'---:|' * len(RIVALS)}---:|"


def table(machine: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    """Times in ms, the rival's time as a multiple of ours, and each one's error against float64."""
    lines = [line(list(group)) for _, group in groupby(rows, key=lambda row: row["case"])]
    made = (
        f"Medians in ms, taken in turn in one process with {machine['threads']} threads ({machine['instruction_set']}, "
        f"torch {machine['torch']}, NumPy {machine['numpy']}); ×: times neglog's. In brackets the error against "
        "float64: relative of the loss; largest absolute of the gradient, times the rows. read / copy: NumPy reading "
        "and copying the input, the floor that memory sets."
    )
    return "\n".join([HEAD, *lines, "", made, ""])


def line(rows: list[dict[str, Any]]) -> str:
    """The row of one case."""
    by_library = {row["library"]: row for row in rows}
    ours = by_library[OURS]
    cells = [f"**{ours['milliseconds']:.2f}** {errors(ours)}"]
    for name in RIVALS:
        row = by_library.get(name)
        cells.append(f"{row['milliseconds']:.1f}, **{row['ratio']:.1f}×** {errors(row)}" if row else "")
    floor = f"{ours['read_milliseconds']:.1f} / {ours['copy_milliseconds']:.1f}"
    title = f"{TITLES[ours['task']]} {ours['rows']:,} × {ours['classes']:,}"
    return f"| {title} | {' | '.join(cells)} | {floor} |"


def errors(row: dict[str, Any]) -> str:
    gradient = f"; {row['gradient_error']:.0e}" if "gradient_error" in row else ""
    return f"({row['loss_error']:.0e}{gradient})"


def write(machine: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    """``results/table.md``, and the README between its markers."""
    text = table(machine, rows)
    (HERE / "results" / "table.md").write_text(text)
    readme = HERE.parent / "README.md"
    before, begin, rest = readme.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if begin and end:
        readme.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}")


if __name__ == "__main__":
    stored = json.loads((HERE / "results" / "table.json").read_text())
    write(stored["machine"], stored["rows"])
