"""Raft's state and view under its options: the contract of `simulator.protocol` holds for every part of a server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from simulator.algorithms.raft import Propose, RaftConfig
from simulator.algorithms.registry import REGISTRY
from simulator.protocol import LEADER
from simulator.testing import InteractionBench, check_contract
from tests.support.raft_options import MS, WAYS

RAFT = REGISTRY["raft"]
TIMES = {"election_timeout": (100 * MS, 200 * MS), "heartbeat_interval": 25 * MS}
PARTS: Mapping[str, Mapping[str, Any]] = {
    "check quorum": {"check_quorum": True},
    "sliding lease": {"check_quorum": True, "lease_slides": True, "pre_vote": True},
    "lease for reads": {"lease_reads": True, "leader_stickiness": "refuse"},
    "log": {"replication": True, "no_op": True, "learners": (3,)},
}


@pytest.mark.parametrize("way", WAYS, ids=lambda way: next(iter(way), "paper"))
@pytest.mark.parametrize("part", PARTS)
def test_state_can_be_copied_and_compared_under_every_way_to_keep_timeouts(part: str, way: Mapping[str, Any]) -> None:
    """Issue 12, A: "an algorithm's state is plain attributes that can be copied and compared (no generators, no
    closures)". Timers used to be a table of bound methods."""
    bench = check_contract(RAFT, config=RaftConfig(**{**TIMES, **PARTS[part], **way}), steps=60)
    assert any(transition.role is LEADER for transition in bench.transitions)


def test_a_view_shows_the_log_the_votes_the_leader_and_the_lease() -> None:
    """Issue 12, A: "`view()` returns what a page may show of a node (plain values: log, votes, sessions, …)"."""
    config = RaftConfig(**{**TIMES, **PARTS["lease for reads"]}, replication=True)
    bench = InteractionBench(RAFT, 3, config=config)
    bench.advance(150 * MS)  # Restarted servers vote for nobody within the least election timeout.
    bench.node(1).fire("election")
    bench.settle()
    bench.node(1).command(Propose(size=5))
    bench.settle()
    leader, follower = (node.algorithm for node in (bench.node(1), bench.node(2)))
    assert leader is not None and follower is not None
    assert leader.view() == {
        "role": "leader",
        "term": leader.view()["term"],
        "leader": 1,
        "voted for": 1,
        "votes": leader.view()["votes"],
        "last log": (leader.view()["term"], 1),
        "voters": (1, 2, 3),
        "learners": (),
        "quorum": 2,
        "log": ((leader.view()["term"], 1),),
        "commit index": 1,
        "match index": {1: 1, 2: 1, 3: 1},
        "lease from round": leader.view()["lease from round"],
    }
    assert 1 in leader.view()["votes"] and leader.view()["lease from round"] is not None  # type: ignore[operator]
    assert "match index" not in follower.view() and follower.view()["lease from round"] is None
