"""Whatever befell nodes, links and clocks: left in peace, who is down is suspected, and nobody else.

Completeness and eventual accuracy, the two properties by which Chandra and Toueg (Unreliable Failure Detectors for
Reliable Distributed Systems, 1996) tell failure detectors apart: here of ◇P, where messages are late by 20 ms at most
from some time on.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.algorithms.detectors import ChenOptions, ExternalOptions, HeartbeatOptions, PhiOptions, PingOptions
from simulator.algorithms.omega import OMEGA, OmegaConfig
from simulator.cluster.cluster import run_trial
from simulator.cluster.distributions import Constant, Uniform
from simulator.cluster.faults.node_faults import Crash, Kill, Pause
from simulator.cluster.faults.partitions import CutLink, Isolate, Partition, PartitionOneway
from simulator.cluster.faults.record import Fault
from simulator.cluster.faults.schedule import Scheduled
from simulator.cluster.faults.slowdowns import SkewClock
from simulator.cluster.network.network import NetworkSpec
from simulator.cluster.spec import ClusterSpec
from simulator.metrics.detection import by_pair
from simulator.protocol import MILLISECOND, SECOND
from simulator.trace import event_types
from simulator.trace.trace import Trace

MS = MILLISECOND
NODES = 4
OPTIONS: dict[str, Any] = {
    "heartbeat": HeartbeatOptions(),
    "ping": PingOptions(),
    "chen": ChenOptions(),
    "phi": PhiOptions(least_deviation=20 * MS),
    "external": ExternalOptions(),
}

nodes = st.integers(1, NODES)
passing: st.SearchStrategy[Fault] = st.one_of(
    st.builds(Crash, nodes),
    st.builds(Kill, nodes),
    st.builds(Pause, nodes),
    st.builds(Isolate, nodes),
    st.builds(CutLink, st.tuples(st.just(1), st.integers(2, NODES))),
    st.builds(PartitionOneway, nodes.map(lambda node: (node,))),
    st.just(Partition(((1, 2), (3, 4)))),
    st.builds(SkewClock, nodes, jump_ns=st.sampled_from([-3 * SECOND, 3 * SECOND])),
)
schedules = st.lists(st.tuples(passing, st.integers(0, 3000), st.integers(1, 2000)), max_size=5)


@pytest.mark.parametrize("name", OPTIONS)
@settings(max_examples=25, deadline=None)
@given(schedules, st.none() | nodes, st.integers(0, 99))
def test_in_peace_they_suspect_who_is_down_and_nobody_else(
    name: str, schedule: list[tuple[Fault, int, int]], dies: int | None, seed: int
) -> None:
    faults = [Scheduled(at=Constant(at * MS), fault=fault, lasts=Constant(lasts * MS)) for fault, at, lasts in schedule]
    if dies is not None:
        faults.append(Scheduled(at=Constant(5500 * MS), fault=Crash(dies)))
    spec = ClusterSpec(
        registration=OMEGA,
        config=OmegaConfig(detector=OPTIONS[name]),
        nodes=NODES,
        duration=20 * SECOND,
        network=NetworkSpec(latency=Uniform(MS, 20 * MS), duplication=0.05),
        faults=tuple(faults),
    )
    trace = run_trial(spec, seed=seed, trial=0)
    down = {dies} - {None}
    opinions = final_opinions(trace)
    assert {node: opinions[node] for node in range(1, NODES + 1) if node not in down} == {
        node: down for node in range(1, NODES + 1) if node not in down
    }
    for quality in by_pair(trace).values():
        assert 0 <= quality.mistaken_ns <= quality.watched_ns <= trace.end_ns
        assert all(0 <= time <= trace.end_ns for time in quality.detections)


def final_opinions(trace: Trace) -> dict[int | None, set[int]]:
    """Whom each node suspects in the end."""
    found: dict[int | None, set[int]] = {}
    for row in trace.rows:
        if row.kind == event_types.WATCHES:
            found[row.node] = set()  # A new life.
        elif row.kind == event_types.SUSPECTS:
            found[row.node].add(row.field("node"))
        elif row.kind == event_types.TRUSTS:
            found[row.node].discard(row.field("node"))
    return found
