"""Draw the figures of docs/explain into docs/images/explain, or into the folder named on the command line."""

import sys
from pathlib import Path

from neglog.report.figures import standalone
from neglog.report.topic_figures import figure, names

folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1] / "docs" / "images" / "explain")
folder.mkdir(parents=True, exist_ok=True)
for name in names():
    (folder / f"{name}.svg").write_text(standalone(figure(name)), encoding="utf-8")
