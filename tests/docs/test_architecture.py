"""docs/architecture.md and docs/glossary.md: every path and every name on them is in the code (issue 12, B)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = {name: (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8") for name in ("architecture", "glossary")}
PATHS = sorted({path for page in PAGES.values() for path in re.findall(r"`([a-z_/]+/[a-z_/]*(?:\.py)?)`", page)})
# `name` in `path.py`: a class, function, method or attribute of that file.
NAMES = sorted({match for page in PAGES.values() for match in re.findall(r"`([\w.]+)` in\s`([a-z_/]+\.py)`", page)})


@pytest.mark.parametrize("path", PATHS)
def test_a_path_is_there(path: str) -> None:
    """A map that shows a room that is gone misleads."""
    assert (ROOT / path).exists()


@pytest.mark.parametrize(("name", "path"), NAMES)
def test_a_name_is_in_its_file(name: str, path: str) -> None:
    """The traced trial names functions: each is defined where the page says."""
    source = (ROOT / path).read_text(encoding="utf-8")
    for part in name.split("."):
        assert re.search(rf"^\s*(?:def|class) {part}\b|^\s*(?:self\.)?{part}\b[^=\n]*= ", source, re.MULTILINE), part


def test_the_pages_name_enough_to_be_of_use() -> None:
    """The patterns above must find what the pages say: a pattern that finds nothing tests nothing."""
    assert len(PATHS) > 35
    assert len(NAMES) > 20


def test_every_layer_is_on_the_map() -> None:
    """Each folder and module of the package stands in the table of layers."""
    (table,) = re.findall(r"\| layer .*?\n\n", PAGES["architecture"], re.DOTALL)
    listed = set(re.findall(r"`(\w+)`", table))
    packages = {path.stem for path in (ROOT / "simulator").iterdir() if path.is_dir() or path.suffix == ".py"}
    assert packages - listed <= {"__init__", "__pycache__", "shipped", "workbench", "py"}


def test_a_word_stands_once_in_the_glossary_and_in_order() -> None:
    """ "each word once, with its source": no row without one, in the order of the alphabet."""
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", PAGES["glossary"], re.MULTILINE)[1:]
    words = [word for word, _, _ in rows]
    assert len(words) == len(set(words)) > 40
    assert words == sorted(words)
    assert all(meaning.strip() and source.strip() for _, meaning, source in rows)
