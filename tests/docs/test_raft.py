"""docs/raft.md names every option and dialect of Raft, and every deliberate fault: issue 4 asks for each."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from simulator.algorithms.raft import DIALECTS, RaftConfig
from studies.raft_options import CHOICES, figure, matrix
from tests.checks.mutants import MUTANTS
from tests.support.raft_mutants import BENCH_MUTANTS, SCENE_MUTANTS

PAGE = (Path(__file__).parents[2] / "docs" / "raft.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [option.name for option in fields(RaftConfig)] + [*DIALECTS])
def test_every_option_and_dialect_has_its_line(name: str) -> None:
    assert f"\n| `{name}` |" in PAGE


@pytest.mark.parametrize("name", [*MUTANTS, *(mutant.__name__ for mutant in (*BENCH_MUTANTS, *SCENE_MUTANTS))])
def test_every_deliberate_fault_is_in_the_table(name: str) -> None:
    """At least twelve, issue 4 asks for."""
    assert f"\n| {name} |" in PAGE


def test_the_command_of_the_page_makes_what_it_shows() -> None:
    head, _, line = matrix(["raft-disruptive-server"], trials=4)
    assert head in PAGE
    assert line.startswith("| raft-disruptive-server |") and line.count("%") == len(CHOICES)
    assert len(figure("raft-disruptive-server", trials=2).axes) == 2


def test_a_scenario_that_ends_with_its_first_claim_has_no_availability() -> None:
    """Issue 12: ""nan %" and other impossible values gone from every page". Zero of zero seconds is no share."""
    *_, line = matrix(["raft-refloated"], trials=2)
    assert line == f"| raft-refloated |{' –; 0.00 |' * len(CHOICES)}"
