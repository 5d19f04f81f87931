"""Memory: a long quiet trial costs no more than a short one, and a large cluster is built in seconds.

Issue 2: "A 1 000-node Raft cluster simulates 10 s of steady state with 5 ms latency without growing memory per
message."
"""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass, field
from typing import ClassVar

import pytest

from simulator.algorithms.raft import RaftConfig
from simulator.algorithms.registry import REGISTRY
from simulator.cluster.cluster import Cluster
from simulator.cluster.control import ClusterControl
from simulator.cluster.distributions import Constant, Uniform
from simulator.cluster.faults.record import Fault, Injected
from simulator.cluster.faults.rng import RandomStreams
from simulator.cluster.faults.schedule import Scheduled
from simulator.cluster.memory import BYTES_PER_NODE, bytes_of_nodes
from simulator.cluster.network.loss import GilbertElliott
from simulator.cluster.network.network import NetworkSpec, Transport
from simulator.cluster.network.tcp.stream_network import StreamNetwork
from simulator.cluster.network.topology import Topology
from simulator.cluster.spec import ClusterSpec
from simulator.protocol import CANDIDATE, LEADER, MILLISECOND, SECOND
from simulator.trace.event_types import STARTED

NODES = 1_000
# A follower hears of the first candidate one latency after it stood, and by then others have stood: of 1 000 timers
# spread over 1 s, 5 on average ring within 5 ms, so nearly all votes go to the first and one round is enough.
# (150 to 300 ms would give 33 candidates; it ends as fast only because this latency is the same for everyone.)
# The least timeout is far above the heartbeat interval plus the latency, so that nobody stands again.
CONFIG = RaftConfig(election_timeout=(1 * SECOND, 2 * SECOND), heartbeat_interval=50 * MILLISECOND)


@dataclass(frozen=True, slots=True)
class Sample:
    allocated_bytes: int
    messages: int
    rows: int
    queued: int


@dataclass(frozen=True, slots=True)
class Probe(Fault):
    """A fault that hurts nobody: it looks at the cluster from inside, while it runs."""

    samples: list[Sample] = field(default_factory=list)
    name: ClassVar[str] = "probe"

    def inject(self, control: ClusterControl, source: RandomStreams) -> Injected:
        self.samples.append(
            Sample(
                allocated_bytes=tracemalloc.get_traced_memory()[0],
                messages=sum(control._network.sent.values()),
                rows=len(control._recorder.rows),
                queued=len(control._kernel._queue),
            )
        )
        return Injected(())


def test_a_steady_state_allocates_nothing_per_message() -> None:
    """Two looks at one trial, 100 000 messages apart: rows, queue and allocated bytes stay where they are.

    The first comes when the longest timeout that was set at the start has passed, so that as many old alarms leave
    the queue as new ones enter it.
    """
    probe = Probe()
    looks = tuple(Scheduled(at=Constant(at), fault=probe) for at in (3500 * MILLISECOND, 6 * SECOND))
    spec = ClusterSpec(
        registration=REGISTRY["raft"],
        config=CONFIG,
        nodes=NODES,
        duration=6500 * MILLISECOND,
        network=NetworkSpec(latency=Constant(5 * MILLISECOND)),
        faults=looks,
    )
    tracemalloc.start()
    try:
        trace = Cluster(spec, seed=7, trial=0).run()
    finally:
        tracemalloc.stop()
    assert [row.role for row in trace.rows].count(LEADER) == 1  # Otherwise this was no steady state.
    before, after = probe.samples
    messages = after.messages - before.messages
    assert messages >= 2 * (NODES - 1) * 50  # A heartbeat and its reply per follower, twenty times a second.
    assert after.rows - before.rows == 1  # The first look's own row.
    # A message per link in use, and per node its alarm and a few that an earlier deadline has replaced.
    assert after.queued <= 4 * NODES
    # The smallest thing that could be kept per message is a reference: 8 bytes.
    assert (after.allocated_bytes - before.allocated_bytes) / messages < 1


def test_a_node_of_a_large_cluster_takes_little_memory() -> None:
    """No list per node of the others, and no state per link: a node must cost the same in any cluster (design.md, 4).

    With a list of its peers, a node would take 8 bytes more for each other node: 16 000 bytes for 2 000.
    """

    def bytes_per_node(nodes: int) -> float:
        spec = ClusterSpec(registration=REGISTRY["raft"], config=CONFIG, nodes=nodes, duration=SECOND)
        tracemalloc.start()
        try:
            cluster = Cluster(spec, seed=7, trial=0)
            return tracemalloc.get_traced_memory()[0] / len(cluster.nodes)
        finally:
            tracemalloc.stop()

    bytes_per_node(2_000)  # Names of random streams are remembered from trial to trial: that is not a node's memory.
    assert bytes_per_node(2_000) < 1.2 * bytes_per_node(200)


def large_and_busy(nodes: int, duration: int) -> ClusterSpec:
    """A cluster with all that the network can do."""
    return ClusterSpec(
        registration=REGISTRY["raft"],
        config=CONFIG,
        nodes=nodes,
        duration=duration,
        network=NetworkSpec(
            latency=Uniform(MILLISECOND, 2 * MILLISECOND),
            loss=GilbertElliott(enter=0.01, leave=0.25),
            duplication=0.01,
            topology=Topology(
                zones=("a", "b"),
                base=((0, 50 * MILLISECOND), (60 * MILLISECOND, 0)),
                placed=tuple(node % 2 for node in range(nodes)),
            ),
            bandwidth=12_500_000.0,
            transport=Transport.STREAM,
        ),
        service=Constant(MILLISECOND // 100),
    )


@pytest.mark.parametrize(("few", "many"), [(500, 4_000), pytest.param(1_000, 10_000, marks=pytest.mark.verify)])
def test_thousands_of_nodes_start_without_state_per_pair(few: int, many: int) -> None:
    """ "Never n² state; a 10 000-node cluster starts in seconds" (issue 3).

    Built and started, before the first timeout, a node takes as much memory among many as among few. One byte for
    each pair would be 3 500 bytes more among 4 000 than among 500; a node takes about 12 400, of which 2 500 are its
    random.Random.
    """

    def bytes_per_node(nodes: int) -> float:
        tracemalloc.start()
        try:
            cluster = Cluster(large_and_busy(nodes, SECOND), seed=7, trial=0)
            trace = cluster.run()
            allocated_bytes = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
        assert len(trace.of_type(STARTED)) == nodes
        return allocated_bytes / nodes

    assert bytes_per_node(many) < 1.2 * bytes_per_node(few)


def test_the_network_has_state_for_the_links_in_use_only() -> None:
    """ "State exists per connection in use, never for all pairs" (issue 3): from candidates to everybody."""
    nodes = 1_000
    cluster = Cluster(large_and_busy(nodes, 1003 * MILLISECOND), seed=7, trial=0)
    candidates = [row.role for row in cluster.run().rows].count(CANDIDATE)
    assert 0 < candidates < 10
    used = candidates * (nodes - 1)
    assert isinstance(cluster.network, StreamNetwork)
    sockets = sum(len(host_stack.sockets) for host_stack in cluster.network._host_stacks.values())
    wires = sum(len(interface.wires_free_at) for interface in cluster.network.interfaces.values())
    assert used <= sockets <= 2 * used  # Each opens one to everybody, and some have been accepted by then.
    assert used <= wires <= 2 * used


def test_what_nodes_take_grows_with_their_pairs() -> None:
    """Issue 12, C2: "measured bytes per node and row". Ten nodes, and what each keeps of each: a hundred pairs."""
    assert bytes_of_nodes(10, 7) == 10 * BYTES_PER_NODE + 100 * 7
