"""Raft under random schedules: Hypothesis drives the bench, and the paper's promises are held to at every step.

That the search would find a fault is tested, too: each mutant of `tests.support.raft_mutants` breaks one rule, and the
same search must convict it.
"""

from __future__ import annotations

import pytest
from hypothesis import Phase, given, settings

from simulator.algorithms.raft import Raft
from simulator.protocol import LEADER, PRE_CANDIDATE
from tests.support.raft_mutants import BENCH_MUTANTS, tries_until_convicted
from tests.support.raft_schedules import SCHEDULES, openings, play, schedules

# --- The properties


@settings(max_examples=SCHEDULES)
@given(opening=openings(), moves=schedules)
def test_raft_keeps_its_promises_under_any_schedule(opening: str, moves: bytes) -> None:
    """Raft, Figure 3, Election Safety, and sections 5.1, 5.2, 5.4.1: see `Witness`, which cites rule by rule."""
    play(Raft, opening, moves)


def test_the_schedules_reach_what_they_are_about() -> None:
    """A property over schedules in which nothing happens would hold of anything: leaders, terms, crashes, wishes."""
    leaders: list[int] = []
    incarnations: list[int] = []
    wishes: list[bool] = []

    @settings(max_examples=300, phases=[Phase.generate])
    @given(opening=openings(), moves=schedules)
    def collect(opening: str, moves: bytes) -> None:
        bench = play(Raft, opening, moves)
        leaders.append(len({t.term for t in bench.transitions if t.role is LEADER}))
        wishes.append(any(t.role is PRE_CANDIDATE for t in bench.transitions))
        incarnations.append(sum(node.incarnation for node in bench.nodes.values()))

    collect()
    assert sum(count >= 1 for count in leaders) >= len(leaders) // 4
    assert sum(count >= 2 for count in leaders) >= len(leaders) // 10
    assert sum(count >= 2 for count in incarnations) >= len(incarnations) // 4
    assert sum(wishes) >= len(wishes) // 10


@pytest.mark.parametrize(("mutant", "broken"), BENCH_MUTANTS.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_the_search_convicts_a_mutant(mutant: type[Raft], broken: str, request: pytest.FixtureRequest) -> None:
    """Issues 2 and 4: each fault shows, within as many schedules as Raft itself is given."""
    tries, violation = tries_until_convicted(mutant)
    request.node.user_properties.append(("tries", tries))
    assert violation.startswith(tuple(broken.split("|")))
