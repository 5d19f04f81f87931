"""What docs/statistics.md states of intervals, looked at quickly; `make verify` measures all of it anew."""

from __future__ import annotations

import pytest

from tests.verify.coverage import (
    ALARMS,
    COUNTS,
    DISTRIBUTIONS,
    INTERVALS,
    SHARES,
    SIZES,
    TABLES,
    Cell,
    agrees,
    read_table,
)

# What falls short of 95 %, as the page says: the means of heavy tails, of which nothing better is known.
_SHORT = {"mean", "mean, by another method", "difference of means, pairs", "ratio of means, pairs"}
# These are right on average over all shares, sometimes a little above and sometimes below.
_SCORES = ("Wilson", "Newcombe")
_QUICK = [Cell(row, DISTRIBUTIONS[1], SIZES[0]) for row in INTERVALS if "bootstrap" not in row.method]
_QUICK += [Cell(row, SHARES[1], SIZES[0]) for row in COUNTS]
_QUICK += [Cell(row, DISTRIBUTIONS[2], SIZES[0]) for row in ALARMS if "bootstrap" not in row.method]
_TRIES = 150


def stated() -> dict[Cell, float]:
    return {
        cell: share
        for name, of in TABLES.items()
        for cell, share in zip(of, (share for _, _, shares in read_table(name) for share in shares), strict=True)
    }


@pytest.mark.parametrize("cell", _QUICK, ids=lambda cell: f"{cell.row.name}, {cell.row.method}, {cell.name}")
def test_the_page_states_what_is_measured(cell: Cell) -> None:
    # Another seed than the page's, and few tries: this finds an interval that is wrong, not one that is a little off.
    assert agrees(cell, stated()[cell], cell.measure(times=_TRIES, seed=2), _TRIES)


def test_every_figure_has_its_place_on_the_page() -> None:
    # A row that was added to the script and not measured would shift all others.
    for name, of in TABLES.items():
        rows = [(row.name, row.method) for row in dict.fromkeys(cell.row for cell in of)]
        assert [(row, method) for row, method, _ in read_table(name)] == rows


def test_only_means_of_heavy_tails_fall_short_by_more_than_chance() -> None:
    # What is promised is 95 %; 4 standard errors, of two hundred figures.
    for cell, share in stated().items():
        if cell in TABLES["alarms"]:
            assert share <= 0.05 + 4 * (0.05 * 0.95 / cell.times) ** 0.5, cell
        elif cell.row.name not in _SHORT and not cell.row.method.startswith(_SCORES):
            assert share >= 0.95 - 4 * (0.05 * 0.95 / cell.times) ** 0.5, cell
