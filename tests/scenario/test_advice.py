"""Warnings about valid scenarios: "broadcastTime ≪ electionTimeout" (Raft, section 5.6)."""

from __future__ import annotations

import pytest

from simulator.scenario import advice, load, loads
from tests.support.scenarios import SHIPPED, SMALL


def advice_for(*overrides: str) -> list[str]:
    return advice(loads(SMALL, "x.yaml", overrides))


def test_usual_timeouts_need_no_advice() -> None:
    """A warning about parameters that work would teach users to ignore warnings."""
    assert advice_for() == []


def test_heartbeats_as_rare_as_timeouts_are_warned_of() -> None:
    """Raft, section 5.2: a follower that hears no heartbeat within its election timeout begins an election."""
    assert advice_for("algorithm.heartbeat_interval=149ms") == []
    assert advice_for("algorithm.heartbeat_interval=150ms") == [
        "algorithm.heartbeat_interval: 150ms is not below the least election timeout, 150ms: "
        "followers will depose a healthy leader"
    ]


def test_timeouts_within_a_round_trip_are_warned_of() -> None:
    """ "broadcastTime ≪ electionTimeout" (Raft, section 5.6). A single node needs no messages."""
    assert advice_for("network.latency=74ms") == []
    assert advice_for("network.latency=75ms") == [
        "algorithm.election_timeout: 150ms is not above the least round trip, 150ms: "
        "candidates may start another election before any vote can arrive"
    ]
    assert advice_for("network.latency=75ms", "cluster.nodes=1") == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_scenarios_need_none(path: object) -> None:
    """A shipped scenario is an example to copy."""
    assert advice(load(str(path))) == []
