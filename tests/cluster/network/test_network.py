"""The network: "one packet's fate in one place: reachable? lost? duplicated? how late?" (design.md, section 6)."""

from __future__ import annotations

from itertools import repeat

import pytest

from simulator.cluster.distributions import Constant
from simulator.cluster.faults.link_degradation import Heal
from simulator.cluster.faults.node_faults import Crash, Restart
from simulator.cluster.faults.partitions import Partition
from simulator.cluster.kernel import EventLimitError
from simulator.cluster.network.links import Everywhere
from simulator.cluster.network.network import NetworkSpec
from simulator.cluster.network.rules import Degradation
from simulator.cluster.stop import StopWhen
from simulator.protocol import LEADER
from simulator.trace import event_types
from tests.support.probe import MS, Script, at, every, play, reached, send, timer

WRITES = Script(
    start={1: every(*(timer(f"t{instant}", instant) for instant in (5, 15, 25)))},
    on={f"timer t{instant}": send(2, f"{instant}") for instant in (5, 15, 25)},
)


def test_a_partition_stops_what_is_sent_while_it_lasts_and_nothing_else() -> None:
    """A packet's fate is settled when it is sent: one that left before the partition arrives."""
    # Sent at 5, 15 and 25; cut from 6 to 20, when the first letter is on its way, to arrive at 7.
    trace = play(WRITES, at(6, Partition(((1,), (2,)))), at(20, Heal()))
    assert reached(trace, 2) == [(7, "letter 5"), (27, "letter 25")]


def test_nodes_in_no_group_form_one_more() -> None:
    """Partition: "nodes that are in no group form one more"."""
    script = Script(
        start={3: timer("t", 5), 1: timer("u", 5)}, on={"timer t": send(2, "inside"), "timer u": send(2, "across")}
    )
    assert reached(play(script, at(1, Partition(((1,),))), nodes=3), 2) == [(7, "letter inside")]


def test_a_link_is_open_only_if_no_cut_severs_it() -> None:
    """Cuts overlap: a second partition does not lift the first; Heal lifts both."""
    trace = play(WRITES, at(4, Partition(((1,),))), at(10, Partition(((1, 2),))), at(20, Heal()), nodes=3)
    assert reached(trace, 2) == [(27, "letter 25")]


def test_loss_and_duplication_are_probabilities() -> None:
    everything = NetworkSpec(latency=Constant(2 * MS), loss=1.0)
    assert reached(play(WRITES, network=everything), 2) == []
    twice = NetworkSpec(latency=Constant(2 * MS), duplication=1.0)
    assert reached(play(WRITES, network=twice), 2) == [(t + 2, f"letter {t}") for t in (5, 5, 15, 15, 25, 25)]


def test_what_is_sent_is_counted_once_lost_or_not() -> None:
    """The metric `traffic` counts messages sent."""
    for network in (NetworkSpec(loss=1.0), NetworkSpec(duplication=1.0), NetworkSpec()):
        assert play(WRITES, network=network).sent == (3,)


def test_a_node_that_is_down_receives_nothing_and_one_that_is_up_again_does() -> None:
    # Arrivals at 7, 17 and 27; down from 6 to 16.
    trace = play(WRITES, at(6, Crash(2)), at(16, Restart(2)))
    assert reached(trace, 2) == [(17, "letter 15"), (27, "letter 25")]


def test_an_absent_member_never_starts() -> None:
    """ "absent nodes" (design.md, section 6): members of the configuration, not even to be restarted."""
    trace = play(WRITES, at(6, Restart("all")), nodes=3, absent=frozenset({3}))
    assert {row.node for row in trace.of_type(event_types.STARTED)} == {1, 2}
    assert trace.groups[trace.primary_group] == (1, 2, 3)


def test_a_node_starts_once_by_itself_and_then_only_when_restarted() -> None:
    """`start` is when each node starts; a crashed node comes back by a Restart (faults.py), never by that."""
    # Both start at 50 by themselves; n1 is started at 20 already and crashes at 30: its own start is over.
    trace = play(Script(), at(20, Restart(1)), at(30, Crash(1)), start=Constant(50 * MS))
    assert [(row.time_ns / MS, row.node) for row in trace.of_type(event_types.STARTED)] == [(20, 1), (50, 2)]


def test_a_fault_waits_for_whom_it_describes() -> None:
    """ "a description is resolved when the fault strikes" (section 6): there is no leader before 25."""
    script = Script(start={2: timer("t", 25)}, on={"timer t": lambda host: host.transition(LEADER, 1, host.me)})
    trace = play(script, at(10, Crash("leader")))
    assert [(row.time_ns / MS, row.node) for row in trace.of_type(event_types.CRASHED)] == [(25, 2)]


def test_a_trial_may_stop_when_a_leader_claims_but_not_before_its_faults_have_struck() -> None:
    """ "Every trial is bounded: by its duration, by `stop_when` …" (section 4)."""
    script = Script(start={2: timer("t", 25)}, on={"timer t": lambda host: host.transition(LEADER, 1, host.me)})
    assert play(script, stop_when=StopWhen.LEADER_CLAIMED, nodes=3).end_ns == 25 * MS
    assert play(script, at(40, Crash(1)), stop_when=StopWhen.LEADER_CLAIMED, nodes=3).end_ns == 40 * MS
    assert play(script, stop_when=StopWhen.LEADER_STABLE, stable_after=10 * MS).end_ns == 35 * MS


def test_a_runaway_is_ended_with_a_clear_error() -> None:
    """ "… and by a limit on events … that ends a runaway trial with a clear error" (section 4)."""
    endless = Script(start={1: timer("t", 0)}, on={"timer t": timer("t", 0)})
    with pytest.raises(EventLimitError, match="more than 1,000 events"):
        play(endless, event_limit=1000)


def test_a_packet_takes_five_milliseconds_unless_told_otherwise() -> None:
    """docs/network.md: "a distribution of one-way durations, by default 5 ms"; in programs as in scenarios."""
    assert NetworkSpec().latency == Constant(5 * MS)


def test_a_rule_that_degrades_in_one_way_does_nothing_else() -> None:
    """Degradation: "delayed, lost or duplicated". One that only loses packets delays none, not by a nanosecond."""
    rule = Degradation(Everywhere(), lost=repeat(True))
    assert [next(rule.later), next(rule.lost), next(rule.duplicated)] == [0, True, False]
