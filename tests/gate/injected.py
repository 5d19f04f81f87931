"""Regressions made on purpose, as a change of Raft's code would make them (issue 6: "Injected regressions")."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from simulator.algorithms.raft import Raft, RequestVoteReply
from simulator.experiment.runner import Result, run
from simulator.scenario import load
from tests.support.scenarios import ROOT


@dataclass(frozen=True, kw_only=True)
class Injected:
    """What is done to a scenario of scenarios/ci, and which figures must show it."""

    scenario: str
    overrides: tuple[str, ...] = ()
    loses_votes: bool = False
    shown_by: frozenset[str]

    def run(self, trials: int | None = None, seed: int | None = None) -> Result:
        """The trials of the scenario, or so many, with its seed or another."""
        scenario = load(ROOT / "scenarios" / "ci" / f"{self.scenario}.yaml", self.overrides)
        with pytest.MonkeyPatch.context() as patch:
            if self.loses_votes:
                patch.setitem(Raft.receive, RequestVoteReply, _losing_votes(Raft.receive[RequestVoteReply]))
            return run(scenario, trials=trials, seed=seed)  # In this process, which alone is patched.


def _losing_votes(receive: Any) -> Any:
    fault_rng = random.Random(1)

    def lose(server: Raft, sender: int, message: RequestVoteReply) -> None:
        if fault_rng.random() >= 0.01:
            receive(server, sender, message)

    return lose


INJECTED: Mapping[str, Injected] = {
    "timeout range narrowed": Injected(
        scenario="raft-5-nodes-lossy",
        overrides=("algorithm.election_timeout=[150ms, 200ms]",),
        shown_by=frozenset({"failover, p99", "failed rounds"}),
    ),
    "one more round trip": Injected(
        scenario="raft-5-nodes-lossy",
        overrides=("algorithm.pre_vote=true",),  # One before each vote.
        shown_by=frozenset({"failover, median"}),
    ),
    "a vote lost once in a hundred": Injected(
        scenario="raft-3-nodes", loses_votes=True, shown_by=frozenset({"failed rounds"})
    ),
}
