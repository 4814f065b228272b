"""docs/coverage.md names every row of the mission, and only things that exist."""

import ast
import importlib
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "coverage.md"
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.read_text("utf-8").splitlines()
    if re.match(r"\| \d+ \|", line)
]
HOMES = {"nl": "neglog", "nlt": "neglog.torch", "neglog": "neglog"}


def test_every_row_is_there_once():
    assert [int(row[0]) for row in ROWS] == list(range(1, 64))
    assert all(len(row) == 5 for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_what_a_row_names_exists(row):
    _, _, use, test, page = row
    words = re.findall(r"`([^`]+)`", re.sub(r"\([^)]*\)", "", use))
    assert words
    for word in words:
        assert exists(word), word
    tests = re.findall(r"`([^`]+)`", test)
    assert tests
    for name in tests:
        file, _, function = name.partition("::")
        assert function in functions(file)
    link = re.fullmatch(r"\[[^\]]+\]\(([^)]+\.md)\)", page)
    assert link, page
    assert (PAGE.parent / link[1]).is_file(), page


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_options_in_brackets_are_parameters(row):
    for name, options in re.findall(r"`([\w.]+)` \(((?:`\w+=`(?:, )?)+)\)", row[2]):
        text = resolve(name).__doc__ or ""
        for option in re.findall(r"`(\w+)=`", options):
            assert re.search(rf"\b{option}\b", text), f"{name}: {option}"


def exists(word):
    if word.startswith("make "):
        return re.search(rf"^{word.removeprefix('make ')}:", (ROOT / "Makefile").read_text(), re.MULTILINE) is not None
    if word.startswith("neglog "):
        return importlib.import_module(f"neglog.cli.{word.split()[1]}") is not None
    return resolve(word) is not None


def resolve(word):
    """The object of a dotted name, of which a part may be a module."""
    first, *rest = word.split(".")
    value = importlib.import_module(HOMES[first])
    for name in rest:
        value = getattr(value, name, None) or importlib.import_module(f"{value.__name__}.{name}")
    return value


@cache
def functions(file):
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
