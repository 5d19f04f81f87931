"""Deliberate faults in Raft that random schedules hardly meet: a scene convicts each (issue 12, C7)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from simulator.algorithms.raft import Raft
from simulator.algorithms.registry import REGISTRY
from simulator.testing import InteractionError
from simulator.testing.script import replay
from tests.support.raft_mutants import SCENE_MUTANTS, MatchIndexOutlivesLeadership

SCRIPTS = Path(__file__).parents[2] / "scripts" / "raft"


def replayed(scene: str, algorithm: type[Raft]) -> tuple[str, str]:
    """A scene, and what it is with another Raft, or at which command that cannot go on."""
    path = SCRIPTS / f"{scene}.txt"
    text = path.read_text(encoding="utf-8")
    try:
        return text, replay(text, path.name, {"raft": replace(REGISTRY["raft"], algorithm=algorithm)})
    except InteractionError as error:
        return text, str(error)


@pytest.mark.parametrize(("mutant", "scene"), SCENE_MUTANTS.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_a_scene_convicts_a_mutant(mutant: type[Raft], scene: str) -> None:
    """Issue 12, C7: each of these "changes behaviour, and the suite stays green". Its docstring cites the rule."""
    text, plain = replayed(scene, Raft)
    assert plain == text
    assert replayed(scene, mutant)[1] != text


def test_a_match_index_that_outlives_a_leadership_commits_what_a_minority_holds() -> None:
    """Issue 12, C7: "match_index outliving a leadership (unsafe)": entry 2 is on two of five servers."""
    scene = SCENE_MUTANTS[MatchIndexOutlivesLeadership]
    text, mutated = replayed(scene, MatchIndexOutlivesLeadership)
    assert "leader_commit=2" in mutated.rpartition("fire 1 heartbeat")[2]
    assert "leader_commit" not in text.rpartition("fire 1 heartbeat")[2]
