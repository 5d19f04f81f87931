"""Raft over connections: it elects, and keeps its promises, whatever befalls nodes, links and connections.

Raft (Ongaro and Ousterhout 2014), section 5: safety "must not depend on timing", so on no transport either.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from simulator.algorithms.raft import Raft, RaftConfig
from simulator.algorithms.registry import REGISTRY
from simulator.checks.safety import violations
from simulator.cluster.cluster import run_trial
from simulator.cluster.distributions import Constant, Uniform
from simulator.cluster.faults.link_degradation import Degrade, Heal
from simulator.cluster.faults.link_faults import LinkTargets
from simulator.cluster.faults.nemesis import Nemesis
from simulator.cluster.faults.node_faults import Bounce, Crash, Kill, Pause, Restart
from simulator.cluster.faults.partitions import CutLink, Isolate, Partition
from simulator.cluster.faults.record import Fault
from simulator.cluster.faults.schedule import Scheduled
from simulator.cluster.network.network import NetworkSpec, StreamSpec, Transport
from simulator.cluster.spec import ClusterSpec, DiskSpec
from simulator.protocol import LEADER, MICROSECOND, MILLISECOND, SECOND, NodeId, Role
from simulator.trace import event_types
from simulator.trace.trace import Trace

MS = MILLISECOND
TRIALS = range(60)
RAFT = REGISTRY["raft"]


def cluster(
    *faults: tuple[int, Fault], nemesis: Nemesis | None = None, duration: int = 5 * SECOND, open_at_start: bool = True
) -> ClusterSpec:
    return ClusterSpec(
        registration=RAFT,
        config=RaftConfig(),
        nodes=5,
        duration=duration,
        disk=DiskSpec(write=Uniform(100 * MICROSECOND, MS)),
        network=NetworkSpec(
            latency=Uniform(5 * MS, 15 * MS),
            loss=0.01,
            duplication=0.01,
            transport=Transport.STREAM,
            stream=StreamSpec(notice=Uniform(0, 30 * MS), open_at_start=open_at_start),
        ),
        faults=tuple(Scheduled(at=Constant(instant), fault=fault) for instant, fault in faults),
        nemesis=nemesis,
    )


SCENES: Sequence[tuple[str, ClusterSpec]] = (
    ("leader crash", cluster((2 * SECOND, Crash("leader")), (4 * SECOND, Restart("all")))),
    ("leader kill", cluster((2 * SECOND, Kill("leader")), (4 * SECOND, Restart("all")))),
    ("connections on demand", cluster((2 * SECOND, Crash("leader")), open_at_start=False)),
    ("partition", cluster((2 * SECOND, Partition((("leader-and-minority",),))), (4 * SECOND, Heal()))),
)


@pytest.mark.parametrize(("name", "spec"), SCENES)
def test_raft_elects_again_over_streams(name: str, spec: ClusterSpec) -> None:
    """Each fault costs the cluster its leader, at 2 s if it has one then; two seconds later, one leads."""
    for trial in TRIALS:
        trace = run_trial(spec, 11, trial)
        assert violations(trace, Raft.guarantees) == []
        (lost, *_) = [row.time_ns for row in trace.of_type(event_types.LEADER_LOST) if row.time_ns >= 2 * SECOND]
        assert any(lost < row.time_ns < lost + 2 * SECOND for row in trace.rows if row.role is LEADER), (name, trial)


def test_raft_keeps_its_promises_over_streams_that_are_haunted() -> None:
    """Figure 3 under a swarm of faults of processes, hosts, links and connections; and a leader when it is over."""
    mix: Sequence[Fault] = (
        Crash("random"),
        Kill("random"),
        Bounce("leader"),
        Pause("random"),
        Isolate("random"),
        CutLink(("random", "leader")),
        Degrade(links=LinkTargets(nodes=("random",)), latency=Uniform(0, 300 * MS), loss=0.3, duplication=0.3),
    )
    nemesis = Nemesis(
        mix=tuple((1.0, fault) for fault in mix),
        time_to_failure=300 * MS,
        time_to_repair=500 * MS,
        start=SECOND,
        end=4 * SECOND,
        at_most=2,
        swarm=True,
    )
    spec = cluster(nemesis=nemesis, duration=10 * SECOND)
    for trial in TRIALS:
        trace = run_trial(spec, 12, trial)
        assert violations(trace, Raft.guarantees) == []
        assert leaders_at_the_end(trace), trial
        if trial < 5:
            assert run_trial(spec, 12, trial, journal=True).digest == trace.digest


def leaders_at_the_end(trace: Trace) -> list[NodeId]:
    roles: dict[NodeId | None, Role | None] = {}
    for row in trace.rows:
        if row.kind in (event_types.TRANSITION, event_types.CRASHED):
            roles[row.node] = row.role
    return [node for node, role in roles.items() if node is not None and role is LEADER]
