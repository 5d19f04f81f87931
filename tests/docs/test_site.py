"""The site (issue 12: "Home page of the site as good as the README; option tables that do not break names at 1280 px or
on a phone; dark mode, next and previous; notebooks on the site"). `make site` builds it, with warnings as errors; here
stands what it is built from, for the tests' environment has no MkDocs.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.support.scenarios import ROOT

TEXT = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
SITE = yaml.safe_load(TEXT)
HOOK = (ROOT / "docs" / ".hooks" / "pages.py").read_text(encoding="utf-8")


def test_the_home_page_is_the_readme() -> None:
    """One page, so that neither can be behind the other. A docs/index.md would hide it."""
    assert not (ROOT / "docs" / "index.md").exists()
    assert '"index.md", content=_readme(ROOT / "README.md")' in HOOK
    assert {"Home": "index.md"} in SITE["nav"]


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_has_its_place(path: Path) -> None:
    assert f"- notebooks/{path.stem}.md\n" in TEXT


def test_a_reader_chooses_light_or_dark_and_goes_to_the_next_page() -> None:
    assert [palette.get("scheme") for palette in SITE["theme"]["palette"]] == [None, "default", "slate"]
    assert all(palette["toggle"]["name"] for palette in SITE["theme"]["palette"])
    assert "navigation.footer" in SITE["theme"]["features"]


def test_names_in_tables_are_not_broken() -> None:
    (style,) = SITE["extra_css"]
    css = (ROOT / "docs" / style).read_text(encoding="utf-8")
    assert re.search(r"code \.name \{\s+white-space: nowrap;", css)
    assert '<span class="name">' in HOOK


@pytest.mark.parametrize(
    "module",
    ["simulator.results", "simulator.figures", "simulator.protocol", "simulator.testing", "simulator.pytest_plugin"],
)
def test_what_users_import_is_in_the_reference(module: str) -> None:
    """ "An API reference (mkdocstrings)" of what section A says stays."""
    assert f"\n::: {module}\n" in (ROOT / "docs" / "api.md").read_text(encoding="utf-8")


def test_every_name_of_the_package_is_in_the_reference() -> None:
    import simulator

    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert [
        name for name in simulator.__all__ if not re.search(rf"^::: simulator\S*\.{name}$", page, re.MULTILINE)
    ] == []
