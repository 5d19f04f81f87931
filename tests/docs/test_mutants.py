"""docs/mutants.md: every mutant that no test noticed is named there (issue 12, C7: "is killed or explained").

`python -m studies.mutants` takes hours, so that what can be held here is the page itself.
"""

from __future__ import annotations

import re

from tests.support.scenarios import ROOT

PAGE = (ROOT / "docs" / "mutants.md").read_text(encoding="utf-8")


def rows() -> dict[str, list[int]]:
    """Mutants, failed, ended, survived, reached by no test: of each part."""
    found = re.findall(r"^\| (\w+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|", PAGE, re.MULTILINE)
    return {name: [int(count) for count in counts] for name, *counts in found}


def test_the_parts_make_the_whole() -> None:
    """The score is of all mutants that were drawn, and each of them ended in one way."""
    *parts, whole = rows().values()
    assert len(parts) == 4
    assert [sum(counts) for counts in zip(*parts, strict=True)] == whole
    assert all(total == sum(ends) for total, *ends in rows().values())


def test_every_survivor_is_named() -> None:
    """As above: as many as the table counts, each with its place in the code."""
    named = re.findall(r"^\| `?(?:algorithms|checks|metrics|cluster)/[\w/]+\.py:\d+", PAGE, re.MULTILINE)
    assert len(named) == sum(rows()["all"][3:])
