"""What the documents show is what happens: their examples run, and the files that they link to exist."""

import doctest
import re
from pathlib import Path

import pytest

import neglog as nl
from neglog.report.families import catalogue
from neglog.report.text import markdown_table

ROOT = Path(__file__).parents[1]
PATTERNS = ("*.md", "docs/**/*.md", "native/*.md", "benchmarks/*.md", "examples/**/*.md", "src/neglog/**/*.md")
DOCUMENTS = sorted(path for pattern in PATTERNS for path in ROOT.glob(pattern))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_examples_run(path):
    result = doctest.testfile(
        str(path), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    )
    assert result.failed == 0
    assert result.attempted or ">>>" not in path.read_text()


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_local_links_lead_somewhere(path):
    text = path.read_text()
    targets = re.findall(r"\]\(([^)#\s]+)", text) + re.findall(r'src="([^"]+)"', text)
    missing = [t for t in targets if "://" not in t and not (path.parent / t).exists()]
    assert not missing


def test_the_table_of_families_is_that_of_the_registry():
    text = (ROOT / "docs" / "families.md").read_text()
    table = re.search(r"<!-- families: written by neglog families --format md -->\n\n(.*?)\n\n<!--", text, re.S)
    assert table
    assert table[1] == markdown_table(catalogue([nl.family(name) for name in nl.families.names()]))


def test_the_table_of_losses_is_that_of_the_library():
    import importlib.util

    spec = importlib.util.spec_from_file_location("losses_page", ROOT / "tools" / "losses_page.py")
    assert spec and spec.loader
    page = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(page)
    text = page.PAGE.read_text()
    assert text == page.filled(text), "python tools/losses_page.py writes it"
