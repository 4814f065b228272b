"""One Markdown table from the measured rows; ``python -m benchmarks.render`` renders the stored ones again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
BEGIN, END = "<!-- benchmarks: written by make bench -->", "<!-- end of benchmarks -->"
HEAD = (
    "| task, float32 | library | ms | times neglog's | GB/s | loss error (rel.) | gradient error (abs.) |\n"
    "|---|---|---:|---:|---:|---:|---:|"
)
TITLES = {
    "forward": "`cross_entropy`",
    "gradient": "`cross_entropy_grad`",
    "gradient_out": "`cross_entropy_grad(out=)`",
    "log_loss": "`log_loss`",
}


def lines(rows: list[dict[str, Any]]) -> str:
    return "\n".join(_line(row) for row in rows)


def _line(row: dict[str, Any]) -> str:
    gradient = f"{row['gradient_error']:.0e}" if "gradient_error" in row else ""
    floor = ""
    if row["library"] == "neglog":
        floor = f" (read {row['read_milliseconds']:.1f}, copy {row['copy_milliseconds']:.1f} ms)"
    return (
        f"| {TITLES[row['task']]} ({row['rows']:,} × {row['classes']:,}){floor} | {row['library']} "
        f"| {row['milliseconds']:.2f} | {row['ratio']:.1f} | {row['gigabytes_per_second']:.1f} "
        f"| {row['loss_error']:.0e} | {gradient} |"
    )


def table(machine: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    made = (
        f"{machine['threads']} threads, {machine['instruction_set']}, torch {machine['torch']}, NumPy {machine['numpy']}; "
        "medians of runs in turn in one process."
    )
    return f"{HEAD}\n{lines(rows)}\n\n{made}\n"


def write(machine: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    text = table(machine, rows)
    (HERE / "results" / "table.md").write_text(text)
    readme = HERE.parent / "README.md"
    before, _, rest = readme.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    if rest:
        readme.write_text(f"{before}{BEGIN}\n{text}{END}{after}")


if __name__ == "__main__":
    stored = json.loads((HERE / "results" / "table.json").read_text())
    write(stored["machine"], stored["rows"])
