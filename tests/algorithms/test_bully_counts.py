"""Bully's messages, counted in whole simulated clusters, against the closed forms: exact, for every n from 2 to 50."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from simulator.algorithms.bully import BULLY, Bully, BullyConfig, stabilization_bound
from simulator.algorithms.bully_messages import Answer, Coordinator, Election
from simulator.algorithms.detectors import HeartbeatOptions
from simulator.cluster.cluster import Cluster
from simulator.cluster.distributions import Constant
from simulator.cluster.faults.node_faults import Crash
from simulator.cluster.faults.schedule import Scheduled
from simulator.cluster.network.network import NetworkSpec
from simulator.cluster.spec import ClusterSpec
from simulator.protocol import LEADER, MILLISECOND, SECOND, NodeId

CRASH_AT = SECOND // 2
CONFIG = BullyConfig(
    check_interval=100 * SECOND,  # A leader's checks are no part of an election.
    detector=HeartbeatOptions(interval=200 * MILLISECOND, timeout=500 * MILLISECOND),
)
Counts = tuple[int, int, int]


def counts(nodes: int, detectors: range) -> Counts:
    """Election, Answer and Coordinator messages after the crash of the highest, which only these nodes notice."""

    class NoticedBySome(Bully):
        def on_opinion(self, node: NodeId, down: bool) -> None:
            if self.host.me in detectors:
                super().on_opinion(node, down)

    spec = ClusterSpec(
        registration=replace(BULLY, algorithm=NoticedBySome),
        config=CONFIG,
        nodes=nodes,
        duration=CRASH_AT + SECOND,
        network=NetworkSpec(latency=Constant(10 * MILLISECOND)),
        faults=(Scheduled(at=Constant(CRASH_AT), fault=Crash(nodes)),),
    )
    cluster = Cluster(spec, seed=1, trial=0)
    before: Counter[type] = Counter()
    cluster.control.call_after(CRASH_AT, lambda: before.update(cluster.network.sent))
    trace = cluster.run()
    last = [row for row in trace.rows if row.role is LEADER][-1]
    assert (last.node, last.time_ns > CRASH_AT) == (nodes - 1, True)
    after = Counter(cluster.network.sent)
    return (
        after[Election] - before[Election],
        after[Answer] - before[Answer],
        after[Coordinator] - before[Coordinator],
    )


def expected(nodes: int, detector: NodeId) -> Counts:
    """Nodes k to n - 1 stand once: each asks all higher ones, the dead one too, and is answered by all but that."""
    standing = nodes - detector
    return standing * (standing + 1) // 2, standing * (standing - 1) // 2, nodes - 2


@pytest.mark.parametrize("nodes", range(2, 51))
def test_whoever_notices(nodes: int) -> None:
    """The reference's closed forms at both ends, for every rank k of the one that notices, the general one between.

    "Bully, highest of n crashed, lowest alive detects it, each process elects once: ELECTION n(n−1)/2, OK
    (n−1)(n−2)/2, COORDINATOR n−2 messages, n² − n − 1 together (messages to the crashed node counted). Best case, the
    second highest detects: one ELECTION to the crashed node and n − 2 COORDINATOR."
    """
    found = {detector: counts(nodes, range(detector, detector + 1)) for detector in range(1, nodes)}
    assert found[1] == (nodes * (nodes - 1) // 2, (nodes - 1) * (nodes - 2) // 2, nodes - 2)
    assert sum(found[1]) == nodes**2 - nodes - 1
    assert found[nodes - 1] == (1, 0, nodes - 2)
    assert found == {detector: expected(nodes, detector) for detector in range(1, nodes)}
    assert all(sum(found[k]) == (nodes - k) ** 2 + nodes - 2 for k in found)


@pytest.mark.parametrize("nodes", [2, 3, 5, 10, 50])
def test_when_all_notice_at_once_it_costs_what_it_does_at_worst(nodes: int) -> None:
    """ "Each process elects once": those that notice by themselves are not made to stand again by the others."""
    assert counts(nodes, range(1, nodes)) == expected(nodes, 1)


def test_the_stabilization_bound_is_the_sum_that_its_docstring_tells() -> None:
    """The default options, three nodes: D is a nanosecond below half of the shortest silence, 50 ms.

    The highest node leads after its detection (200 ms and D), an answer timeout (100 ms) and 2 D. A check (1 s, longer
    than a detection) finds a node that follows another; then n + 3 times D.
    """
    short = 50 * MILLISECOND - 1
    leads = (200 * MILLISECOND + short) + 100 * MILLISECOND + 2 * short
    assert stabilization_bound(BullyConfig(), 3) == leads + SECOND + 6 * short
