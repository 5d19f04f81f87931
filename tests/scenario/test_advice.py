"""What a valid scenario may not mean: "broadcastTime ≪ electionTimeout" (Raft, section 5.6)."""

from __future__ import annotations

import pytest

from simulator.scenario import advice, load, loads
from tests.support.scenarios import SHIPPED, SMALL


def told(*overrides: str) -> list[str]:
    return advice(loads(SMALL, "x.yaml", overrides))


def test_usual_timeouts_need_no_advice() -> None:
    assert told() == []


def test_heartbeats_as_rare_as_timeouts_are_told_of() -> None:
    assert told("algorithm.heartbeat_interval=149ms") == []
    assert told("algorithm.heartbeat_interval=150ms") == [
        "algorithm.heartbeat_interval: 150ms is not below the least election timeout, 150ms: "
        "followers will depose a healthy leader"
    ]


def test_timeouts_within_a_round_trip_are_told_of() -> None:
    assert told("network.latency=74ms") == []
    assert told("network.latency=75ms") == [
        "algorithm.election_timeout: 150ms is not above the least round trip, 150ms: "
        "candidates may start another election before any vote can arrive"
    ]
    assert told("network.latency=75ms", "cluster.nodes=1") == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_scenarios_need_none(path: object) -> None:
    assert advice(load(str(path))) == []
