"""Members that change under faults: what is promised holds, and the checks see every deliberate fault (chapter 4)."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from statistics import mean
from typing import Any, ClassVar

import pytest

from simulator.algorithms.raft import Raft, TimeoutNow
from simulator.algorithms.registry import REGISTRY
from simulator.checks.safety import violations
from simulator.cluster.cluster import run_trial
from simulator.protocol import NodeId
from simulator.scenario import load
from simulator.trace import event_types
from tests.checks.membership import FAULTS, Fault, mutant, random_members, with_transfers
from tests.support.scenarios import ROOT

SEED = 1
TRIALS = 150  # `make verify` tries 400.
MOST_TRIALS = 1000  # As far as a mutant is looked at.
TRANSFER_SEED = 3
TRANSFER_TRIALS = 300


class Watched(Raft):
    """Raft that counts the requests to campaign which it obeys."""

    obeyed: ClassVar[Counter[str]] = Counter()

    def _on_timeout_now(self, sender: NodeId, message: TimeoutNow) -> None:
        is_known, term = self.leader == sender, self.term
        super()._on_timeout_now(sender, message)
        if self.term > term:
            self.obeyed["leader known" if is_known else "leader not known"] += 1

    receive: ClassVar = {**Raft.receive, TimeoutNow: _on_timeout_now}


@pytest.mark.parametrize("trials", [TRIALS, pytest.param(400, marks=pytest.mark.verify)])
def test_raft_keeps_its_promises_while_members_change(trials: int) -> None:
    """Every promise, by the configuration of whoever claims (dissertation, 4.1)."""
    seen: Counter[str] = Counter()
    for trial in range(trials):
        trace = run_trial(random_members(REGISTRY["raft"], SEED, trial), SEED, trial)
        found = violations(trace, Raft.guarantees)
        assert not found, f"trial {trial}: {found[0]}"
        seen.update(row.kind for row in trace.rows)
    print(dict(seen))
    # Trials in which nobody came or went would prove nothing.
    assert seen[event_types.CONFIGURATION] > 10 * trials
    assert seen[event_types.CHANGE_GIVEN_UP] > trials / 20
    assert seen[event_types.COMMIT] > 20 * trials


def test_raft_keeps_its_promises_while_leadership_is_transferred() -> None:
    """Figure 3, Election Safety, with transfers (3.10) among changes of members, crashes and partitions.

    Issue 13: TimeoutNow is obeyed by the rule of terms, so also by a server that has just restarted.
    """
    watched = replace(REGISTRY["raft"], algorithm=Watched)
    Watched.obeyed.clear()
    for trial in range(TRANSFER_TRIALS):
        spec = with_transfers(random_members(watched, TRANSFER_SEED, trial), TRANSFER_SEED, trial)
        found = violations(run_trial(spec, TRANSFER_SEED, trial), Raft.guarantees)
        assert not found, f"trial {trial}: {found[0]}"
    print(dict(Watched.obeyed))
    assert Watched.obeyed["leader known"] > TRANSFER_TRIALS
    assert Watched.obeyed["leader not known"] > TRANSFER_TRIALS / 30


@pytest.mark.parametrize("fault", FAULTS)
def test_a_deliberate_fault_of_membership_is_seen(fault: Fault) -> None:
    """Each mutant's docstring cites the rule that it breaks."""
    registration = mutant(fault)
    for trial in range(MOST_TRIALS):
        found = violations(run_trial(random_members(registration, SEED, trial), SEED, trial), Raft.guarantees)
        if found:
            print(f"{fault.__name__}: {found[0].guarantee} is broken in trial {trial}, the first of {trial + 1}")
            return
    pytest.fail(f"{MOST_TRIALS} trials do not show it")


@pytest.mark.parametrize(
    ("options", "disrupts"),
    [
        ({}, True),
        ({"pre_vote": True}, False),
        ({"leader_stickiness": "refuse"}, False),
        ({"leader_stickiness": "ignore"}, False),
    ],
)
def test_a_removed_server_disrupts_unless_it_is_not_listened_to(options: dict[str, Any], disrupts: bool) -> None:
    """Dissertation, 4.2.3: who is removed hears no heartbeats and stands, which deposes leader after leader; not where
    servers that hear a leader disregard it. PreVote keeps it out here, as its log lacks its removal.
    """
    spec = load(ROOT / "scenarios" / "raft-removed-server.yaml").cluster_spec()
    spec = replace(spec, config=replace(spec.config, **options))
    losses: list[int] = []
    for trial in range(30):
        trace = run_trial(spec, SEED, trial)
        removed = next(row.time_ns for row in trace.rows if row.kind == event_types.FAULT)
        after = [row for row in trace.rows if row.time_ns > removed]
        losses.append(sum(1 for row in after if row.kind == event_types.LEADER_LOST))
    print(f"{options}: {mean(losses):.2f} leaders lost in a trial")
    if disrupts:
        assert min(losses) >= 3
    else:
        assert sum(losses) <= 1
