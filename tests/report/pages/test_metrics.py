"""docs/metrics.md shows what the code has (issue 12: "printed into docs/metrics.md by the code that uses it")."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.report.pages.metrics import with_parts

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"


def test_the_page_shows_the_definitions_and_the_rules_that_the_code_has() -> None:
    # Renew it by `make schema`.
    page = PAGE.read_text(encoding="utf-8")
    assert with_parts(page) == page


def test_a_page_without_a_place_for_them_is_refused() -> None:
    # design.md, section 7: an error names its remedy.
    with pytest.raises(ValueError, match="write the lines <!-- metrics -->"):
        with_parts("# Another page")
