"""docs/differences.md is true: both numbers of every difference are computed again."""

import doctest
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "differences.md"


def test_every_number_on_the_page():
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    results = doctest.testfile(str(PAGE), module_relative=False, optionflags=flags)
    assert results.attempted > 40
    assert results.failed == 0
