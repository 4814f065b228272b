"""Imports: numpy and nothing else at first, quickly, upwards only, and each module on its own."""

import ast
import json
import os
import pkgutil
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

import neglog

SOURCE = Path(neglog.__file__).parent
MODULES = ["neglog", *(m.name for m in pkgutil.walk_packages([str(SOURCE)], "neglog."))]

# A module may import from lower layers and from its own package; one verb knows nothing of another. Public
# names (`import neglog as nl`) are for the command line, which calls the library as anybody does.
LAYERS = [
    {"errors", "_native", "__version__"},
    {"_optional"},
    {"core"},
    {"families"},
    {"compose"},
    {"diagnosis", "energy", "evaluation", "estimation", "latent", "like", "losses", "torch"},
    {"objectives", "sklearn"},
    {"demo"},
    {"report"},
    {"neglog"},
    {"cli"},
    {"__main__"},
]
LEVEL = {part: level for level, parts in enumerate(LAYERS) for part in parts}


def python(program):
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout


def test_only_numpy_is_imported():
    program = """
import sys, json
import numpy
before = set(sys.modules)
import neglog
print(json.dumps(sorted(set(sys.modules) - before)))
"""
    new = {name.partition(".")[0] for name in json.loads(python(program))}
    assert new - set(sys.stdlib_module_names) <= {"neglog"}


def test_losses_need_numpy_only():
    program = """
import sys, json
import numpy
before = set(sys.modules)
import neglog
neglog.losses.cross_entropy([[1.0, 2.0]], [0])
print(json.dumps(sorted(set(sys.modules) - before)))
"""
    new = {name.partition(".")[0] for name in json.loads(python(program))}
    assert new - set(sys.stdlib_module_names) <= {"neglog", "numpy"}  # numpy loads parts of itself late


def test_import_takes_less_than_150_ms():
    # of the processor's time, since a machine has other work, and beyond numpy's own, which is longer
    program = "import time, numpy\nt = time.process_time()\nimport neglog\nprint(time.process_time() - t)"
    seconds = [float(python(program)) for _ in range(9)]
    assert statistics.median(seconds) < 0.150


def test_every_module_can_be_imported_first():
    program = f"""
import importlib, os, sys
import numpy, scipy.special, scipy.stats, scipy.optimize, scipy.linalg  # once, before the forks: they are slow
for name in ("torch", "pyarrow.csv", "pyarrow.dataset", "formulaic", "cyclopts", "rich.progress", "sklearn.tree"):
    try:
        importlib.import_module(name)
    except ImportError:
        pass
failed = []
for name in {MODULES!r}:
    child = os.fork()
    if not child:
        try:
            importlib.import_module(name)
        except BaseException as error:
            print(name, repr(error), flush=True)
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        failed.append(name)
print("failed:", failed)
"""
    if not hasattr(os, "fork"):
        pytest.skip("needs fork: one interpreter per module would take minutes")
    out = python(program)
    assert out.strip().endswith("failed: []"), out


def imports_of(path):
    """(line, module) of every import of neglog in a file, also inside functions."""
    package = "neglog." + ".".join(path.relative_to(SOURCE).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names if alias.name.startswith("neglog"))
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import in {package}"
            if node.module == "neglog":
                yield from ((node.lineno, f"neglog.{alias.name}") for alias in node.names)
            elif (node.module or "").startswith("neglog."):
                yield node.lineno, node.module


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_point_upward_only(path):
    part = path.relative_to(SOURCE).parts[0].removesuffix(".py")
    if part == "__init__":
        return  # the public names: lazy, checked by test_only_numpy_is_imported
    for line, module in imports_of(path):
        other = module.split(".")[1] if "." in module else "neglog"
        if other == part:
            continue
        assert other in LEVEL, f"{path}:{line}: {module} belongs to no layer"
        assert LEVEL[other] < LEVEL[part], f"{path}:{line}: {part} may not import {module}"


def test_every_part_has_a_layer():
    parts = {p.name.removesuffix(".py") for p in SOURCE.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
    assert parts - {"__init__"} <= set(LEVEL)
    assert set(LEVEL) - {"neglog", "_native", "__version__"} <= parts, "a layer of this table is gone"
