"""The scenarios by which electsim guards itself, with `make gate` (issue 6: "The project guards itself with it")."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.gate.guard import guarded
from tests.support.scenarios import ROOT

FILES = sorted((ROOT / "scenarios" / "ci").glob("*.yaml"))
GUARDED = guarded(FILES, ROOT / "results" / "baselines")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_is_named_after_its_file_and_asks_something(path: Path) -> None:
    (scenario,) = [one.scenario for one in GUARDED if one.file == path]
    assert scenario.name == f"ci-{path.stem}"
    assert scenario.about.endswith("?")


def test_each_has_its_baseline_and_there_is_none_without_a_scenario() -> None:
    for one in GUARDED:
        baseline = one.baseline()
        assert len(baseline.trials["digest"]) == one.scenario.trials
        assert baseline.reason.endswith(".")
    kept = {path.name for path in (ROOT / "results" / "baselines").iterdir()}
    assert kept == {one.path.name for one in GUARDED}


def test_they_hold_what_they_are_for() -> None:
    # "one with 3 nodes, one with 5 nodes on a lossy network, bully"; and leaders that overlap.
    nodes = {
        one.scenario.name: (one.scenario.algorithm.registration.name, one.scenario.cluster.nodes) for one in GUARDED
    }
    assert nodes == {
        "ci-bully-5-nodes": ("bully", 5),
        "ci-raft-3-nodes": ("raft", 3),
        "ci-raft-5-nodes-lossy": ("raft", 5),
        "ci-raft-partition": ("raft", 5),
    }
    overlaps = {one.scenario.name: sum(map(int, one.baseline().trials["overlaps"])) for one in GUARDED}
    assert overlaps["ci-raft-partition"] >= 500
