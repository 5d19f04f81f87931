"""Pages of the site that are made from files outside docs/: the home page is the README, and each notebook is a page.

MkDocs calls `on_files` before it reads the pages. Nothing is executed: a notebook shows its committed outputs.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
from mkdocs.structure.files import File
from nbconvert import MarkdownExporter

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

ROOT = Path(__file__).parents[2]
# Where a file of the repository stands on the site. Scenarios are copied as they are.
MOVED = {
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "notebooks/": "notebooks/1-five-minutes.md",
}
BLOCKS = re.compile(r"(<pre.*?</pre>)", re.DOTALL)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the home page, the notebooks with their images, and the scenarios that pages link to."""
    files.append(File.generated(config, "index.md", content=_readme(ROOT / "README.md")))
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        text, images = _notebook(path)
        files.append(File.generated(config, f"notebooks/{path.stem}.md", content=text))
        for name, content in images.items():
            files.append(File.generated(config, f"notebooks/{name}", content=content))
    for path in sorted((ROOT / "scenarios").rglob("*.yaml")):
        name = path.relative_to(ROOT).as_posix()
        files.append(File.generated(config, name, content=path.read_text(encoding="utf-8")))
    files.append(File.generated(config, "CITATION.cff", content=(ROOT / "CITATION.cff").read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Include files of the repository, with links that hold on the site."""
    return re.sub(r'(?m)^--8<-- "(.+)"$', lambda include: _with_links(ROOT / include[1]), markdown)


def on_page_content(html: str, **_: object) -> str:
    """Keep each word of inline code whole: a name that is broken at its hyphens cannot be read, or copied."""
    return "".join(part if part.startswith("<pre") else _whole_names(part) for part in BLOCKS.split(html))


def _whole_names(html: str) -> str:
    def whole(code: re.Match[str]) -> str:
        return (
            "<code>" + re.sub(r"(?<![^ ])[^ ]{2,36}(?![^ ])", r'<span class="name">\g<0></span>', code[1]) + "</code>"
        )

    return re.sub(r"<code>([^<]+)</code>", whole, html)


def _readme(path: Path) -> str:
    """The README as the home page, without contents at its side: it has tables of 100 characters."""
    return f"---\nhide: [toc]\n---\n{_with_links(path)}"


def _with_links(path: Path) -> str:
    """A file of the repository with links that hold on the site."""

    def moved(link: re.Match[str]) -> str:
        target = MOVED.get(link[1], link[1].removeprefix("docs/"))
        return f"]({re.sub(r'[.]ipynb$', '.md', target)}{link[2]})"

    return re.sub(r"\]\(([^)#\s]+)((?:#[^)]*)?)\)", moved, path.read_text(encoding="utf-8"))


def _notebook(path: Path) -> tuple[str, dict[str, bytes]]:
    """A notebook as Markdown, and its images by their file names."""
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    notebook.metadata.setdefault("language_info", {"name": "python"})  # For the colours of the code.
    places = {"unique_key": path.stem, "output_files_dir": f"{path.stem}_files"}
    text, resources = MarkdownExporter().from_notebook_node(notebook, places)
    text = re.sub(r"<style scoped>.*?</style>\n?", "", text, flags=re.DOTALL)
    text = text.replace('<table border="1" class="dataframe">', "<table>")  # As all other tables of the site.
    return text, resources.get("outputs", {})
