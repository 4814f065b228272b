"""mkdocs hooks: pages that live outside ``docs`` join the site, and every link that leads to a page of it is kept."""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
OUTSIDE = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "native/README.md": "native.md",
    "benchmarks/README.md": "benchmarks.md",
    "benchmarks/results/table.md": "benchmark_table.md",
    "examples/README.md": "examples/index.md",
    **{
        f"examples/{path.parent.name}/README.md": f"examples/{path.parent.name}.md"
        for path in ROOT.glob("examples/*/README.md")
    },
    "src/neglog/demo/README.md": "data.md",
}
_SOURCES = {uri: source for source, uri in OUTSIDE.items()}
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
_IMAGE = re.compile(r'<img src="(?P<src>[^"]+)"(?: width="(?P<width>\d+)")?(?: alt="(?P<alt>[^"]*)")?[^>]*>')


def on_files(files: Files, config):
    """Adds the pages of ``OUTSIDE`` and the pictures that they show."""
    for source, uri in OUTSIDE.items():
        text = (ROOT / source).read_text("utf-8")
        files.append(File.generated(config, uri, content=text))
        for target in [found[3] for found in _LINK.finditer(text) if found[1]]:
            path = _resolved(source, target)
            if not path.startswith("docs/") and (ROOT / path).is_file() and not files.get_file_from_path(path):
                files.append(File.generated(config, path, content=(ROOT / path).read_bytes()))
    return files


def on_page_markdown(markdown: str, page, config, files: Files) -> str:
    """Links as the site has them, examples as sessions."""
    uri = page.file.src_uri
    source = _SOURCES.get(uri, f"docs/{uri}")
    markdown = _IMAGE.sub(lambda m: f"![{m['alt'] or ''}]({m['src']}){{ width={m['width'] or 460} }}", markdown)
    markdown = re.sub(r"^( *)```python\n(?= *>>>)", r"\1```pycon\n", markdown, flags=re.MULTILINE)
    return _LINK.sub(lambda found: _relinked(found, source, uri, files), markdown)


def _relinked(found: re.Match[str], source: str, uri: str, files: Files) -> str:
    """The link as it leads from one page of the site to another; its words alone where the site has no such page."""
    bang, words, target = found.groups()
    if "://" in target or target.startswith(("#", "mailto:")):
        return found[0]
    path, _, anchor = target.partition("#")
    resolved = _resolved(source, path)
    for candidate in (resolved, f"{resolved}/README.md", f"{resolved}/index.md"):
        to = OUTSIDE.get(candidate, candidate.removeprefix("docs/"))
        if files.get_file_from_path(to):
            relative = posixpath.relpath(to, posixpath.dirname(uri) or ".")
            return f"{bang}[{words}]({relative}{'#' + anchor if anchor else ''})"
    if not (ROOT / resolved).exists():
        return found[0]  # mkdocs will say so
    return words


def _resolved(source: str, target: str) -> str:
    return os.path.normpath(posixpath.join(posixpath.dirname(source), target)).replace(os.sep, "/")
