"""The coverage that docs/statistics.md states is what intervals have (issue 6: "the coverage … is itself tested")."""

from __future__ import annotations

import pytest

from tests.verify.coverage import TABLES, agrees, read_table
from tests.verify.parallel import over_trials

pytestmark = pytest.mark.verify

CELLS = [cell for of in TABLES.values() for cell in of]
_SHARE = 5  # The page is of so many times as many tries.


def tries(number: int) -> int:
    return max(30, CELLS[number].times // _SHARE)


def again(number: int) -> float:
    """One cell of all tables, by another seed."""
    return CELLS[number].measure(times=tries(number), seed=1)


def test_the_page_states_what_is_measured() -> None:
    stated = [share for name in TABLES for _, _, shares in read_table(name) for share in shares]
    found = list(over_trials(again, len(CELLS)))
    apart = [
        f"{cell.row.name}, {cell.name}, {cell.size}: stated {page}, measured {share}"
        for number, (cell, page, share) in enumerate(zip(CELLS, stated, found, strict=True))
        if not agrees(cell, page, share, tries(number))
    ]
    assert apart == []
