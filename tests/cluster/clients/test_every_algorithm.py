"""Issue 15: "Every registered algorithm runs with clients in the fast tests"."""

from __future__ import annotations

from dataclasses import replace

import pytest

import simulator
from simulator.algorithms.raft import Raft
from simulator.algorithms.raft.config import RaftConfig
from simulator.algorithms.raft.serving import ServingRaft
from simulator.algorithms.registry import REGISTRY
from simulator.cluster.cluster import Cluster, run_trial
from simulator.cluster.spec import ClusterSpec
from simulator.cluster.workload import Workload
from simulator.protocol import LEADER, SECOND
from simulator.trace.event_types import SURE, UNSURE
from simulator.trace.requests import RequestOutcome

LOAD = "clients={nodes: 2, reads: 0.3, load: {think: 200ms}, timeout: 500ms}"


@pytest.mark.parametrize("name", REGISTRY)
def test_its_clients_are_served_before_and_after_its_leader_crashes(name: str) -> None:
    spec = simulator.load("leader-crash", [LOAD], algorithm=name).cluster_spec()
    trace = run_trial(spec, 7, 0)
    assert trace.digest == run_trial(spec, 7, 0, journal=True).digest
    (crash,) = trace.of_type("crashed")
    rows = [row for row in trace.requests if row.outcome is RequestOutcome.ACKNOWLEDGED]
    for operation in ("read", "write"):
        done = [row for row in rows if row.operation == operation]
        assert any(row.ended_ns is not None and row.ended_ns < crash.time_ns for row in done)
        assert any(row.sent_ns > crash.time_ns for row in done)
    took_effect = {(row.client, row.number, row.value) for row in trace.writes if row.accepted}
    assert {(row.client, row.number, row.value) for row in rows if row.operation == "write"} <= took_effect
    # Clients change nothing in the cluster that serves them: the same elections, at the same instants.
    alone = run_trial(simulator.load("leader-crash", algorithm=name).cluster_spec(), 7, 0)
    if spec.serving_class is None:
        own = [row[:7] for row in trace.rows if row.kind not in (UNSURE, SURE)]  # What a server with clients adds.
        assert own == [row[:7] for row in alone.rows]


class NeverCampaigns(Raft):
    """A rule of its own: nobody is ever elected."""

    @property
    def _may_campaign(self) -> bool:
        return False


def test_a_derived_class_serves_clients_by_its_own_rules() -> None:
    """A bug: with a workload, the registered class served in its place, so that mutants of Raft were never run."""
    derived = replace(REGISTRY["raft"], algorithm=NeverCampaigns)
    serving = derived.serving_class(RaftConfig(replication=True))
    assert serving is not None and issubclass(serving, ServingRaft) and issubclass(serving, NeverCampaigns)
    assert serving is derived.serving_class(RaftConfig(replication=True))
    assert REGISTRY["raft"].serving_class(RaftConfig(replication=True)) is ServingRaft
    assert derived.serving_class(RaftConfig()) is None
    spec = ClusterSpec(
        registration=derived,
        config=RaftConfig(replication=True),
        nodes=3,
        duration=SECOND,
        workload=Workload(rate_per_s=10),
    )
    cluster = Cluster(spec, seed=1, trial=0)
    trace = cluster.run()
    assert not any(row.role is LEADER for row in trace.rows)
    assert {type(node.algorithm) for node in cluster.nodes.values()} == {serving}
