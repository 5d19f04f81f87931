"""No page shows a value that cannot be (issue 12: ""nan %" and other impossible values gone from every page (a test
looks)"): in the documentation, the README, and the outputs of the notebooks.
"""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

from tests.support.scenarios import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "notebooks").glob("*.ipynb"))]
IMPOSSIBLE = {
    "not a number": r"(?i:\bnan\b)",
    "written infinity, where pages show ∞": r"[-−+]?\binf(inity)?\b",
    "no time": r"\bNaT\b",
    "Python's word for a missing value": r"(\||<td>) *None *(\||</td>)",
    "negative zero": r"(?<![\w.,–:/-])[-−]0(\.0+)?(?![\d.\w:-])",
    "an interval with its ends exchanged": r"\[∞|–\s*[-−]∞",
}


def shown(path: Path) -> str:
    """What a reader sees of a page, or of a notebook's outputs."""
    if path.suffix == ".md":
        return path.read_text(encoding="utf-8")
    cells = nbformat.read(path, as_version=4).cells  # type: ignore[no-untyped-call]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return "\n".join(
        output.get("text", "") + "\n".join(text for kind, text in output.get("data", {}).items() if "text" in kind)
        for output in outputs
    )


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_page_shows_no_impossible_value(path: Path) -> None:
    text = shown(path)
    found = {what: re.search(pattern, text) for what, pattern in IMPOSSIBLE.items()}
    seen = {what: text[max(0, at.start() - 40) : at.end() + 20] for what, at in found.items() if at}
    assert seen == {}


@pytest.mark.parametrize("text", ["| raft | nan %; 0.00 |", "[-0.0 – 1]", "a bound of inf", "| None |", "[∞ – 3]"])
def test_it_is_found_where_it_stands(text: str) -> None:
    assert any(re.search(pattern, text) for pattern in IMPOSSIBLE.values())
