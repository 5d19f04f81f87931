"""docs/metrics.md, "Traffic and theory": what its command counts, at sizes small enough for a test."""

from __future__ import annotations

from pathlib import Path

import pytest

from studies.traffic import SIZES, SUBJECTS, per_election, per_second

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("nodes", [3, 4, 7])
def test_bully_sends_exactly_what_theory_says(nodes: int) -> None:
    """Garcia-Molina's algorithm where all notice at once: n² − n − 1, in every trial.

    Derived in tests/algorithms/test_bully_counts.py.
    """
    found = per_election(SUBJECTS["Bully"], nodes, trials=3)
    assert tuple(found) == (nodes**2 - nodes - 1,) * 3


def test_raft_sends_no_less_than_one_candidate_does() -> None:
    found = per_election(SUBJECTS["Raft"], 5, trials=20)
    assert SUBJECTS["Raft"].expected(5) == 11 <= found.value < 25


@pytest.mark.parametrize("name", SUBJECTS)
def test_peace_costs_what_the_heartbeats_of_a_leader_do(name: str) -> None:
    # Of two seconds, one round of heartbeats more or less at the edges: one in forty.
    expected = SUBJECTS[name].expected_per_s(5)
    assert per_second(SUBJECTS[name], 5, trials=5).value == pytest.approx(expected, rel=1 / 40)


def test_the_page_shows_the_theory_for_every_size() -> None:
    for nodes in SIZES:
        row = next(line for line in PAGE.splitlines() if line.startswith(f"| {nodes} | "))
        theory = [f"{SUBJECTS[name].expected(nodes):,.0f}" for name in ("Raft", "Bully")]
        cells = [cell.strip() for cell in row.split("|")]
        assert [cells[3], cells[5]] == theory
        assert cells[4] == cells[5]  # As measured.
