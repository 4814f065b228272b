"""The documentation site is built without a warning, whole, and asks no other machine for anything."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import neglog as nl

pytest.importorskip("mkdocs", reason="the extra 'docs' is not installed")
ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    assert "not included in the" not in done.stderr, "a page that the nav of mkdocs.yml does not name"
    return folder


def text(page):
    return page.read_text("utf-8")


def test_every_document_is_a_page(site):
    for path in (ROOT / "docs").rglob("*.md"):
        uri = path.relative_to(ROOT / "docs").with_suffix("")
        page = site / (uri.parent if uri.name == "index" else uri) / "index.html"
        title = re.search(r"^# (.*)", text(path), re.MULTILINE)[1]
        assert page.exists(), uri
        assert re.search(r"<h1[^>]*>", text(page)), title
    assert "A minute" in text(site / "index.html")  # the README


def test_the_reference_holds_every_public_name(site):
    for part, names in {"losses": nl.losses.__all__, "torch": nl.torch.__all__}.items():
        page = text(site / "api" / part / "index.html")
        for name in names:
            assert f'id="neglog.{part}.{name}"' in page, name
    families = text(site / "api" / "families" / "index.html")
    for name in nl.families.names():
        assert f'id="neglog.families.{type(nl.family(name)).__name__}"' in families
    losses = text(site / "api" / "losses" / "index.html")
    assert ".. math" not in losses and ":func:" not in losses
    assert "__cached__" not in losses


def test_links_and_pictures_are_there(site):
    for page in site.rglob("*.html"):
        for target in re.findall(r'(?:href|src)="([^"#?]+)', text(page)):
            if "://" in target or target.startswith(("mailto:", "data:", "/")):
                continue
            to = page.parent / target
            assert to.exists() or (to / "index.html").exists(), f"{page.relative_to(site)}: {target}"


def test_nothing_is_fetched(site):
    for page in site.rglob("*.html"):
        loads = re.findall(r'<(?:script|img|link)[^>]*(?:src|href)="(https?://[^"]+)"', text(page))
        assert not loads, f"{page.relative_to(site)}: {loads}"
