"""`limits.memory`: no scenario takes all of a machine's memory.

Issue 12, C2: "81 bytes (`nodes: 100000`) take all memory. `limits.memory`, 4 GiB a worker by default on every machine:
before the trial, refused if nodes alone (measured bytes per node and row) exceed it, with figure and field; during it,
a bound on what is queued and on resident memory, looked at every 100 000 events. 10 000 nodes still run."
"""

from __future__ import annotations

import gc
import tracemalloc
from dataclasses import replace

import pytest

import simulator
from simulator.algorithms.registry import REGISTRY
from simulator.cluster import memory
from simulator.cluster.cluster import Cluster, run_trial
from simulator.cluster.kernel import EventLimitError, Kernel
from simulator.cluster.memory import (
    BYTES_PER_NODE,
    BYTES_PER_QUEUED,
    BYTES_PER_ROW,
    EVENTS_BETWEEN_CHECKS,
    MemoryCheck,
    MemoryLimitError,
    bytes_of_nodes,
    format_bytes,
    resident_bytes,
)
from simulator.cluster.network.network import Network
from simulator.cluster.spec import ClusterSpec
from simulator.protocol import FOLLOWER, SECOND
from simulator.trace.recorder import Recorder

MIB = 1 << 20


def started(name: str, nodes: int) -> Cluster:
    """A cluster of which every node has started, and nothing else has happened."""
    registration = REGISTRY[name]
    spec = ClusterSpec(registration=registration, config=registration.config(), nodes=nodes, duration=1)
    cluster = Cluster(spec, seed=7, trial=0)
    cluster.run()
    return cluster


@pytest.mark.parametrize("name", REGISTRY)
def test_a_node_takes_the_memory_that_the_limit_assumes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """ "Measured bytes per node": a figure that is wrong by a third would refuse what fits, or admit what does not.

    Allocated bytes after every node has started, when no message is sent: what is sent is counted apart.
    """
    monkeypatch.setattr(Network, "send_message", lambda *_: None)
    per_pair = REGISTRY[name].bytes_per_pair
    nodes = 200 if per_pair > 100 else 800
    started(name, 10)  # Names of random streams are remembered from trial to trial: that is not a node's memory.
    gc.collect()
    tracemalloc.start()
    try:
        cluster = started(name, nodes)
        allocated_bytes = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert 3 / 4 < bytes_of_nodes(len(cluster.nodes), per_pair) / allocated_bytes < 4 / 3


def test_a_queued_message_takes_the_memory_that_the_limit_assumes() -> None:
    """ "A bound on what is queued": every node of `priority` sends a heartbeat to every other when it starts."""
    tracemalloc.start()
    try:
        cluster = started("priority", 400)
        allocated_bytes = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    queued = len(cluster.kernel._queue)
    assert queued > 400 * 399
    nodes_bytes = bytes_of_nodes(400, REGISTRY["priority"].bytes_per_pair)
    assert 3 / 4 < queued * BYTES_PER_QUEUED / (allocated_bytes - nodes_bytes) < 4 / 3


def test_a_row_takes_the_memory_that_the_limit_assumes() -> None:
    """ "Measured bytes per node and row": notes and transitions in equal parts, with the message types of Raft."""
    types = len(REGISTRY["raft"].receive)
    recorder = Recorder([1_000_000] * types, [1_000_000] * types)
    rows = 10_000
    tracemalloc.start()
    try:
        for number in range(rows // 2):
            recorder.note(SECOND + number, "vote", 1, {"candidate": 2})
            recorder.transition(SECOND + number, "transition", 1, 1_000 + number, FOLLOWER, 2, "electorate")
        allocated_bytes = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert 3 / 4 < rows * BYTES_PER_ROW / allocated_bytes < 4 / 3


TINY = "{version: 1, name: a, algorithm: {name: raft}, cluster: {nodes: 100000}, duration: 9s}"


def test_nodes_that_cannot_fit_are_refused_with_figure_and_field() -> None:
    """ "Before the trial, refused if nodes alone … exceed it, with figure and field"."""
    with pytest.raises(
        simulator.ScenarioError,
        match=r"^x.yaml:1: cluster.nodes: 100000 nodes of raft take about 953\.7 MiB, above limits.memory \(512 MiB\); "
        r"give fewer nodes, or raise limits.memory$",
    ):
        simulator.loads(TINY, "x.yaml", ["limits.memory=512MiB"])
    with pytest.raises(simulator.ScenarioError, match=r"10000 nodes of omega take about 48\.52 GiB"):
        simulator.loads(TINY, "x.yaml", ["algorithm={name: omega}", "cluster.nodes=10000"])
    assert simulator.loads(TINY, "x.yaml").limits.memory == 4 * 1024 * MIB


def test_messages_in_flight_end_a_trial_at_the_limit() -> None:
    """ "During it, a bound on what is queued": 1 000 000 messages are queued before one of them arrives.

    All nodes of `priority` start at once, and each sends a heartbeat to each other node: 210 MB, of 10 MB of nodes.
    """
    scenario = simulator.loads(
        TINY, "x.yaml", ["algorithm={name: priority}", "cluster.nodes=1000", "limits.memory=100MiB", "duration=1s"]
    )
    before = resident_bytes()
    with pytest.raises(
        simulator.TrialError,
        match=r"^trial 0: MemoryLimitError: the trial takes .* MiB of memory, more than limits\.memory \(100 MiB\): "
        r"1,000 nodes, [0-9,]+ messages and timers queued, [0-9,]+ rows; simulate fewer nodes, or raise limits\.memory",
    ):
        simulator.run(scenario, trials=1)
    assert resident_bytes() - before < 400 * MIB  # The next check ended it, not the end of the memory.


def test_a_trial_that_keeps_more_than_it_queues_is_ended_by_resident_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """ "… and on resident memory": an algorithm may keep what no count of messages or rows knows of."""
    kept = []
    check = MemoryCheck(100 * MIB, nodes=3, bytes_per_pair=0, queue=(), rows=())
    check.check()
    kept.append(bytearray(b"x") * (150 * MIB))
    with pytest.raises(MemoryLimitError, match=r"more than limits.memory \(100 MiB\): 3 nodes, 0 messages"):
        check.check()
    monkeypatch.setattr(memory, "resident_bytes", lambda: 0)  # Where no system tells, what is counted still ends it.
    check = MemoryCheck(100 * MIB, nodes=3, bytes_per_pair=0, queue=range(500_000), rows=())
    with pytest.raises(MemoryLimitError, match="500,000 messages and timers queued"):
        check.check()


def test_small_clusters_are_looked_at_every_100_000_events_and_large_ones_more_often() -> None:
    """ "Looked at every 100 000 events"; but a broadcast of 100 000 messages is one event.

    A million messages, 210 MB, are the most that broadcasts can queue between two looks.
    """

    def between(nodes: int) -> int:
        return MemoryCheck(MIB, nodes, 0, (), ()).events_between

    assert between(3) == between(10) == EVENTS_BETWEEN_CHECKS == 100_000
    assert [between(nodes) * nodes for nodes in (100, 10_000, 100_000)] == [1_000_000] * 3


def test_looking_does_not_change_which_event_is_the_last() -> None:
    """The event limit counts the same events however often memory is looked at (design.md, section 4)."""

    def handled(event_limit: int, events_between: int) -> tuple[int, int]:
        kernel, looks = Kernel(), []

        def again(at_ns: int, _: None) -> None:
            kernel.push(at_ns + 1, again, at_ns + 1)

        kernel.push(0, again, 0)
        with pytest.raises(EventLimitError):
            kernel.run_until(1_000, event_limit, lambda: looks.append(kernel.now), events_between)
        return int(kernel.now), len(looks)

    assert handled(100, 1_000) == (99, 1)
    assert handled(100, 30) == (99, 4)
    assert handled(100, 100) == (99, 1)


def test_the_limit_changes_no_result() -> None:
    """ "The same scenario … gives the same digest": the limit only ends a trial, on any machine."""
    registration = REGISTRY["raft"]
    spec = ClusterSpec(registration=registration, config=registration.config(), nodes=200, duration=SECOND)
    digests = {run_trial(replace(spec, memory_limit_bytes=limit_gib << 30), 7, 0).digest for limit_gib in (1, 4, 1_000)}
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 bytes"), (1023, "1023 bytes"), (MIB, "1 MiB"), (10_000 * BYTES_PER_NODE, "95.37 MiB")]
)
def test_sizes_are_told_in_binary_units(count: int, text: str) -> None:
    """As `limits.memory` is written, so that figure and limit can be compared at sight."""
    assert format_bytes(count) == text
