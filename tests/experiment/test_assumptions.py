"""When an algorithm's assumptions are broken, and that its promises bind it only where they are not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pytest

from simulator.algorithms.bully import BULLY, BullyConfig
from simulator.algorithms.detectors import ExternalOptions
from simulator.algorithms.registration import Registration
from simulator.algorithms.rings import CHANG_ROBERTS, RingConfig
from simulator.cluster.clients.spec import ClientsSpec
from simulator.cluster.cluster import run_trial
from simulator.cluster.distributions import Constant, Uniform
from simulator.cluster.faults.link_degradation import Degrade
from simulator.cluster.faults.link_faults import LinkTargets
from simulator.cluster.faults.node_faults import Crash, Pause
from simulator.cluster.faults.partitions import CutLink
from simulator.cluster.network.network import NetworkSpec, Transport
from simulator.cluster.spec import ClusterSpec
from simulator.experiment.assumptions import broken_assumptions
from simulator.experiment.trial import measure
from simulator.protocol import FOLLOWER, LEADER, MILLISECOND, Algorithm, Assumption, Guarantee
from simulator.scenario import loads
from tests.support.probe import at

MS = MILLISECOND


@dataclass(frozen=True)
class NoOptions:
    pass


class EverybodyLeads(Algorithm):
    """It breaks its promise as soon as it starts."""

    assumes: ClassVar = frozenset(Assumption)
    guarantees: ClassVar = frozenset({Guarantee.ONE_CLAIM})

    def on_start(self) -> None:
        self.host.transition(FOLLOWER, 0, None)
        self.host.transition(LEADER, 0, self.host.me)


VAIN = Registration(name="vain", algorithm=EverybodyLeads, config=NoOptions, delay_bound=lambda _: 10 * MS)


def spec_of(**others: Any) -> ClusterSpec:
    usual: dict[str, Any] = {"network": NetworkSpec(latency=Constant(5 * MS)), "longest_delay_ns": 5 * MS}
    usual |= {"registration": VAIN, "config": NoOptions()}
    return ClusterSpec(nodes=3, duration=100 * MS, **usual | others)


def broken(**others: Any) -> set[str]:
    spec = spec_of(**others)
    return {str(assumption) for assumption in broken_assumptions(spec, run_trial(spec, 1, 0))}


@pytest.mark.parametrize("fault", [CutLink((1, "group:clients")), Crash("group:clients"), Pause("group:resource")])
def test_faults_of_clients_and_the_resource_break_none(fault: Any) -> None:
    """An algorithm assumes nothing of its clients: they are outside the cluster (issue 15)."""
    clients = ClientsSpec(count=2, gaps=Constant(10 * MS))
    assert broken(faults=(at(10, fault),), clients=clients) == set()
    assert "no-partition" in broken(faults=(at(10, CutLink((1, 2))),), clients=clients)


def test_a_quiet_cluster_breaks_none() -> None:
    assert broken() == set()


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ({"network": NetworkSpec(latency=Constant(5 * MS), loss=0.01)}, {"no-loss"}),
        ({"network": NetworkSpec(latency=Constant(5 * MS), duplication=0.01)}, {"no-loss", "fifo"}),
        ({"network": NetworkSpec(latency=Uniform(MS, 5 * MS))}, {"fifo"}),
        # Over a stream all comes, in order; what is lost comes again, and so late that nothing bounds it.
        ({"network": NetworkSpec(latency=Uniform(MS, 5 * MS), transport=Transport.STREAM)}, set()),
        ({"network": NetworkSpec(loss=0.01, transport=Transport.STREAM)}, {"bounded-delay"}),
        ({"longest_delay_ns": 10 * MS}, set()),
        ({"longest_delay_ns": 10 * MS + 1}, {"bounded-delay"}),
        ({"longest_delay_ns": None}, {"bounded-delay"}),
        ({"absent": frozenset({3})}, {"no-crash"}),
        ({"start": Uniform(MS, 2 * MS)}, {"no-crash"}),
        ({"faults": (at(10, Crash(1)),)}, {"no-crash"}),
        ({"faults": (at(10, Pause(1)),)}, {"no-pause"}),
    ],
)
def test_what_breaks_an_assumption(others: dict[str, Any], expected: set[str]) -> None:
    assert broken(**others) == expected


def test_a_fault_breaks_what_its_record_says() -> None:
    """ "which assumptions it breaks" (house.md, section 2) is said once, by the record of the fault."""
    entry = at(10, Degrade(LinkTargets(nodes=(1,)), loss=0.5))
    assert broken(faults=(entry,)) == {str(assumption) for assumption in Degrade.breaks} != set()


def test_a_monitor_that_dies_is_nobodys_fault() -> None:
    """Nobody who leaves its suspicions to an external monitor hears of a death while that is down."""
    config = BullyConfig(detector=ExternalOptions())
    crash, leader_dies = at(1000, Crash("group:monitor")), at(1100, Crash("leader"))
    spec = ClusterSpec(registration=BULLY, config=config, nodes=3, duration=10_000 * MS, longest_delay_ns=5 * MS)
    told = {
        faults: measure(run_trial(replace(spec, faults=faults), 1, 0), replace(spec, faults=faults), 0)
        for faults in ((crash, leader_dies), (leader_dies,), (crash,))
    }
    assert [result.row["assumptions_broken"] for result in told.values()] == ["monitor-runs", "", "monitor-runs"]
    assert [result.violations for result in told.values()] == [[], [], []]
    assert [result.row["leaderless_s"] > 5 for result in told.values()] == [True, False, False]


def test_a_promise_binds_only_where_the_assumptions_hold() -> None:
    """design.md, rule 7: "An algorithm promises only what its paper promises. Bully under a partition is measured"."""
    inside, outside = spec_of(), spec_of(faults=(at(10, Pause(1)),))
    kept = measure(run_trial(inside, 1, 0), inside, 0)
    assert [violation.guarantee for violation in kept.violations] == [Guarantee.ONE_CLAIM]
    assert kept.row["assumptions_broken"] == ""
    freed = measure(run_trial(outside, 1, 0), outside, 0)
    assert freed.violations == []
    assert freed.row["assumptions_broken"] == "no-pause"
    assert freed.row["overlaps_no_term"] == 1  # It is measured all the same.


@pytest.mark.parametrize(("maintenance", "expected"), [(True, ""), (False, "no-crash")])
def test_an_option_may_ask_for_more(maintenance: bool, expected: str) -> None:
    """Chang and Roberts assume that nobody crashes, which is what the maintenance of the ring is for (issue 5)."""
    config = RingConfig(maintenance=maintenance)
    spec = spec_of(registration=CHANG_ROBERTS, config=config, faults=(at(10, Crash(1)),))
    assert measure(run_trial(spec, 1, 0), spec, 0).row["assumptions_broken"] == expected


def test_a_scenario_says_how_long_a_message_takes_at_most() -> None:
    # 15 ms on the way, and 1 ms of writing; an exponential latency has no bound, nor has a queue of what is handled.
    text = """
version: 1
name: bounded
algorithm: {name: raft}
cluster: {nodes: 3, disk: {write: 1ms}}
network: {latency: {uniform: [5ms, 15ms]}}
duration: 1s
"""
    assert loads(text).cluster_spec().longest_delay_ns == 16 * MS
    assert loads(text, "x", ["cluster.service={uniform: [1ms, 2ms]}"]).cluster_spec().longest_delay_ns is None
    assert loads(text, "x", ["network.latency={exponential: 5ms}"]).cluster_spec().longest_delay_ns is None


def test_a_promise_that_cannot_be_checked_is_refused() -> None:
    class Agrees(Algorithm):
        guarantees: ClassVar = frozenset({Guarantee.AGREEMENT})

    with pytest.raises(ValueError, match="say how long it needs"):
        Registration(name="agrees", algorithm=Agrees, config=NoOptions)
    with pytest.raises(ValueError, match="say which"):
        Registration(name="vain", algorithm=EverybodyLeads, config=NoOptions)
