"""The external monitor: by its definition (docs/detectors.md), on the bench and in a cluster with paths of its own."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest

import simulator
from simulator.algorithms.detectors import ExternalDetector, ExternalOptions, HealthCheck, HealthReport, HealthStatus
from simulator.algorithms.omega import OMEGA, OmegaConfig
from simulator.cluster.cluster import run_trial
from simulator.metrics.detection import by_pair, detection_quality
from simulator.protocol import SECOND
from simulator.testing import InteractionBench
from simulator.trace import event_types
from simulator.trace.trace import Trace
from tests.algorithms.detectors.bed import MS, Bed

OPTIONS = ExternalOptions(interval=1000 * MS, timeout=50 * MS, retries=1)


def test_there_is_a_monitor_where_one_is_asked_for() -> None:
    assert OMEGA.members(3, OmegaConfig(detector=OPTIONS)) == {"electorate": (1, 2, 3), "monitor": (4,)}
    assert OMEGA.members(3, OmegaConfig()) == {"electorate": (1, 2, 3), "monitor": ()}
    assert HealthStatus in OMEGA.receive


def test_the_monitor_checks_everybody_and_reports_who_is_down() -> None:
    bench = InteractionBench(OMEGA, 3, config=OmegaConfig(detector=OPTIONS))
    assert [str(one) for one in bench.sent] == [f"4->{node} HealthCheck(number={node})" for node in (1, 2, 3)]
    for node in (1, 3):
        bench.deliver(bench.inject(node, 4, HealthStatus(node)))
    bench.advance(50 * MS)
    assert str(bench.sent[3]) == "4->2 HealthCheck(number=4)"
    bench.advance(50 * MS)
    reports = [str(one) for one in bench.sent[4:]]
    assert reports == [f"4->{node} HealthReport(number=1, down=(2,))" for node in (1, 2, 3)]
    bench.deliver(bench.inject(2, 4, HealthStatus(4)))  # Late, but of this round.
    assert [str(one) for one in bench.sent[7:]] == [f"4->{node} HealthReport(number=2)" for node in (1, 2, 3)]


def test_a_report_says_nothing_of_a_node_whose_watch_it_ends() -> None:
    """A bug: what follows from one opinion, another watch, must hold for the rest of the report."""
    bench = InteractionBench(OMEGA, 3, config=OmegaConfig(detector=OPTIONS))
    opinions: list[tuple[int, bool]] = []

    class Listener:
        def on_opinion(self, node: int, down: bool) -> None:
            opinions.append((node, down))
            detector.watch((2,))

    detector = ExternalDetector(bench.node(1), OPTIONS, Listener())
    detector.watch((2, 3))
    detector.on_message(4, HealthReport(1, down=(2, 3)))
    assert (opinions, detector.watched, detector.suspected) == ([(2, True)], (2,), {2})


def test_reports_are_repeated_since_they_can_be_lost() -> None:
    # Nobody answers: a report on node 1 at 100 ms, one on node 2 at the same instant, and both once more at 1 s.
    bench = InteractionBench(OMEGA, 2, config=OmegaConfig(detector=OPTIONS))
    bench.advance(1000 * MS)
    assert [str(one) for one in bench.sent if "3->1 HealthReport" in str(one)] == [
        "3->1 HealthReport(number=1, down=(1,))",
        "3->1 HealthReport(number=2, down=(1, 2))",
        "3->1 HealthReport(number=3, down=(1, 2))",
    ]


def test_nodes_answer_checks_and_believe_the_newest_report() -> None:
    bed = Bed(OPTIONS, nodes=2)
    bed.arrives(1, HealthCheck(7, since=3), sender=3)
    assert bed.sent() == ["HealthStatus(number=7, since=3)"]
    assert bed.arrives(10, HealthReport(2, down=(2,)), sender=3).suspects
    assert bed.arrives(20, HealthReport(1), sender=3).suspects  # It was overtaken.
    assert not bed.arrives(30, HealthReport(3), sender=3).suspects
    assert bed.arrives(40, HealthReport(1, down=(2,), since=35 * MS), sender=3).suspects  # Of a monitor started anew.


def test_without_a_monitor_it_is_refused() -> None:
    alone = replace(OMEGA, groups=())
    with pytest.raises(ValueError, match="MONITOR_GROUP"):
        InteractionBench(alone, 2, config=OmegaConfig(detector=OPTIONS))


# --- In a cluster

SCENARIO = """
version: 1
name: monitored
algorithm: {{name: omega, detector: {{external: {{interval: 100ms, timeout: 50ms, retries: 1}}}}}}
cluster: {{nodes: 3}}
network: {{latency: 10ms}}
faults:
  - {fault}
duration: 5s
"""


def trial(fault: str) -> Trace:
    return run_trial(simulator.loads(SCENARIO.format(fault=fault), "x.yaml").cluster_spec(), seed=1, trial=0)


def suspicions(trace: Trace, watchers: tuple[int, ...] = (1, 2, 3)) -> set[tuple[int | None, int]]:
    return {(row.node, row.field("node")) for row in trace.of_type(event_types.SUSPECTS) if row.node in watchers}


def test_a_crash_is_reported_to_everybody_at_once() -> None:
    # It dies at 2005 ms. The round from 2000 ms finds it dead at 2010: two tries of 50 ms, and the report's 10 ms.
    quality = by_pair(trial("{at: 2005ms, crash: n2}"))
    assert quality[1, 2].detections == quality[3, 2].detections == [105 * MS]
    assert (4, 2) not in quality  # The monitor's own opinion is nobody's in the electorate.


def test_the_monitor_can_be_in_both_halves_of_a_partition() -> None:
    # Issue 5: "with its own network path". It reaches all while n3 is cut off from n1 and n2: nobody is suspected.
    both = trial("{at: 1s, partition: [[n1, n2, group:monitor], [n3, group:monitor]]}")
    assert suspicions(both) == set()


def test_a_monitor_that_is_not_named_is_cut_off_from_every_half() -> None:
    # "Nodes that are in no group form one more" (docs/faults.md). It reaches nobody, finds all down, and cannot say so.
    alone = trial("{at: 1s, partition: [[n1, n2], [n3]]}")
    assert suspicions(alone) == set()
    assert suspicions(alone, watchers=(4,)) == {(4, 1), (4, 2), (4, 3)}
    assert detection_quality(alone).mistakes == 0


def test_who_only_the_monitor_cannot_reach_is_down_to_everybody() -> None:
    # Its opinion is of its own paths. A mistake of n1 and n2, who reach n3, and none of the monitor's.
    cut = trial("{at: 1s, cut_link: [n3, group:monitor], lasts: 1s}")
    assert suspicions(cut) == {(1, 3), (2, 3)}
    quality = by_pair(cut)
    assert [quality[node, 3].mistakes for node in (1, 2)] == [1, 1]
    assert 0.9 * SECOND < quality[1, 3].mistaken_ns < 1.1 * SECOND
    assert all(row.field("cut_off") for row in cut.of_type(event_types.SUSPECTS) if row.node == 4)


def test_while_the_monitor_is_down_opinions_stay() -> None:
    scenario = SCENARIO.format(fault="{at: 1s, crash: group:monitor}\n  - {at: 2s, crash: n3}")
    trace = run_trial(simulator.loads(scenario, "x.yaml").cluster_spec(), seed=1, trial=0)
    assert suspicions(trace) == set()
    assert detection_quality(trace).undetected == 2


def test_it_travels_to_worker_processes() -> None:
    # "Frozen, and picklable for worker processes" (cluster/spec.py); a registration with a lambda is not.
    spec = simulator.loads(SCENARIO.format(fault="{at: 1s, crash: n2}"), "x.yaml").cluster_spec()
    travelled = pickle.loads(pickle.dumps(spec))
    assert run_trial(travelled, seed=1, trial=0).digest == run_trial(spec, seed=1, trial=0).digest
