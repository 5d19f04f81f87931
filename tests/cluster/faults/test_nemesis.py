"""The nemesis: issue 3, "a random fault process from the seed". What it did is read from the trace."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from simulator.cluster.cluster import Cluster, run_trial
from simulator.cluster.distributions import Constant
from simulator.cluster.faults.link_degradation import Degrade, Flap, Heal, HoldBack
from simulator.cluster.faults.link_faults import LinkTargets
from simulator.cluster.faults.nemesis import Nemesis
from simulator.cluster.faults.node_faults import Amnesia, Bounce, Crash, Kill, Pause, Restart
from simulator.cluster.faults.partitions import Bridge, CutLink, Isolate, MajoritiesRing, Partition, PartitionOneway
from simulator.cluster.faults.record import Fault
from simulator.cluster.faults.rng import RandomStreams
from simulator.cluster.faults.schedule import Scheduled
from simulator.cluster.faults.slowdowns import SkewClock, SlowDisk, SlowNode, StallDisk
from simulator.cluster.spec import ClusterSpec
from simulator.cluster.stop import StopWhen
from simulator.protocol import LEADER, SECOND
from simulator.randomness import Streams
from simulator.trace import event_types
from simulator.trace.trace import Row, Trace
from tests.cluster.faults.test_partitions import FakeControl
from tests.support.probe import MS, PROBE, Script, every, send, timer

END = 100 * SECOND
ONE_LEADS = Script(start={1: lambda host: host.transition(LEADER, 1, 1)})

# One of every kind that can be undone, and amnesia.
KINDS: tuple[Fault, ...] = (
    Crash("leader"),
    Kill("random"),
    Bounce("random"),
    Pause("follower"),
    Amnesia("random"),
    SlowNode("random", Constant(MS)),
    SlowDisk("random", Constant(MS)),
    StallDisk("random"),
    SkewClock(target="random", drift_ppb=200_000),
    Partition((("leader",), ("minority",))),
    PartitionOneway(("leader",)),
    CutLink(("leader", "follower")),
    Isolate("random"),
    Bridge("random"),
    MajoritiesRing(),
    Degrade(LinkTargets(nodes=("random",)), latency=Constant(5 * MS), loss=0.1),
    Flap(links=LinkTargets(senders=("random",), receivers=("leader",)), down=10 * MS, up=10 * MS),
    HoldBack(links=LinkTargets(nodes=("follower",))),
)
DEADLY = ("crash", "kill", "bounce", "amnesia")
LINKS = {"partition", "partition_oneway", "cut_link", "isolate", "bridge", "majorities_ring"}  # Without weather.
ALL_ALIKE = tuple((1.0, kind) for kind in KINDS)


def nemesis(*mix: tuple[float, Fault], **others: Any) -> Nemesis:
    given: dict[str, Any] = {"time_to_failure": SECOND, "time_to_repair": SECOND, "start": 0, "end": END, "at_most": 5}
    return Nemesis(mix=mix, **given | others)


def spec(haunted_by: Nemesis, *faults: Scheduled, nodes: int = 5, **others: Any) -> ClusterSpec:
    given: dict[str, Any] = {"registration": PROBE, "config": ONE_LEADS, "duration": END + SECOND}
    return ClusterSpec(nodes=nodes, nemesis=haunted_by, faults=faults, **given | others)


def run_with_nemesis(haunted_by: Nemesis, *faults: Scheduled, trial: int = 0, seed: int = 1, **others: Any) -> Trace:
    return run_trial(spec(haunted_by, *faults, **others), seed, trial)


def tried(trace: Trace) -> list[Row]:
    """Every failure: those that struck, and those that were left out."""
    return [row for row in trace.rows if row.kind in (event_types.FAULT, event_types.SUPPRESSED)]


def spans(trace: Trace) -> Iterator[tuple[Row, Row | None]]:
    """Each fault that struck, and when it was undone; of two alike in force, the first is taken to be undone first."""
    repaired = trace.of_type(event_types.REPAIRED)
    for row in trace.of_type(event_types.FAULT):
        end = next((other for other in repaired if other.detail == row.detail and other.time_ns >= row.time_ns), None)
        if end is not None:
            repaired.remove(end)
        yield row, end


# --- When


def test_times_between_failures_are_exponential() -> None:
    # 3 trials of 10 000 s, with a mean of 1 s between failures: about 30 000 intervals. The last interval of a trial
    # is cut by its end: one of 10 000 intervals, too few to matter.
    process = nemesis((1.0, Isolate("random")), end=10_000 * SECOND, time_to_repair=MS)
    for_long = {"nodes": 2, "duration": 10_001 * SECOND}
    intervals = np.concatenate(
        [
            np.diff([0, *(row.time_ns for row in tried(run_with_nemesis(process, trial=trial, **for_long)))])
            for trial in range(3)
        ]
    )
    assert len(intervals) == pytest.approx(30_000, abs=5 * 30_000**0.5)
    assert stats.kstest(intervals / SECOND, stats.expon.cdf).pvalue > 0.001


def test_times_to_repair_are_exponential() -> None:
    # About 10 000 isolations of 10 ms, a second apart, on average: one in a hundred overlaps another, and then their
    # ends cannot be told apart; that moves the distribution by less than 0.01, half of what the test would see.
    process = nemesis((1.0, Isolate(1)), end=10_000 * SECOND, time_to_repair=10 * MS)
    trace = run_with_nemesis(process, nodes=2, duration=10_001 * SECOND)
    lengths = [end.time_ns - row.time_ns for row, end in spans(trace) if end is not None]
    assert len(lengths) == pytest.approx(10_000, abs=500)
    assert stats.kstest(np.array(lengths) / (10 * MS), stats.expon.cdf).pvalue > 0.001


def test_it_begins_at_its_start_and_undoes_everything_by_its_end() -> None:
    """ "quiet period at the end to check that the cluster recovers" (issue 3)."""
    process = nemesis((1.0, Crash("random")), start=40 * SECOND, end=60 * SECOND, time_to_repair=1000 * SECOND)
    trace = run_with_nemesis(process)
    injected, repaired = trace.of_type(event_types.FAULT), trace.of_type(event_types.REPAIRED)
    assert len(injected) == len(repaired) == 5  # All are down, for a time that the end cuts short, and none is left.
    assert injected[0].time_ns > 40 * SECOND
    assert [row.time_ns for row in repaired] == [60 * SECOND] * 5
    assert len(trace.of_type(event_types.STARTED)) == 10


# --- What


def test_kinds_come_with_their_weights() -> None:
    # Weights 3 : 1 : 1 : 0.5, over about 10 000 failures.
    weights = (3.0, 1.0, 1.0, 0.5)
    names = ("isolate", "amnesia", "slow_disk", "stall_disk")
    faults: Sequence[Fault] = (Isolate("random"), Amnesia(2), SlowDisk("random", Constant(0)), StallDisk("random"))
    process = nemesis(*zip(weights, faults, strict=True), time_to_failure=10 * MS, time_to_repair=MS)
    counts = Counter(row.field("fault") for row in tried(run_with_nemesis(process)))
    seen = np.array([counts[name] for name in names])
    assert stats.chisquare(seen, np.array(weights) / sum(weights) * seen.sum()).pvalue > 0.001


def smaller(one: set[int], other: set[int]) -> set[int]:
    return one if len(one) <= len(other) else other


def ends_of_links(row: Row) -> set[int]:
    """The nodes that a fault troubles, by the rule of docs/nemesis.md: those at the smaller end of its links."""
    nodes = row.field("nodes")
    if row.field("fault") == "bridge":
        return smaller(set(nodes[0]), set(nodes[2]))
    if row.field("fault") == "partition":
        groups: list[set[int]] = [*map(set, nodes), {1, 2, 3, 4, 5}.difference(*map(set, nodes))]
        return {1, 2, 3, 4, 5} - max(sorted(groups, key=sorted), key=len)
    if nodes and isinstance(nodes[0], tuple):
        return smaller(set(nodes[0]), set(nodes[1]))
    return set(nodes)


@settings(max_examples=60)
@given(
    st.integers(1, 5),
    st.lists(st.sampled_from(KINDS), min_size=1, max_size=6, unique=True),
    st.booleans(),
    st.integers(0, 10_000),
    st.sampled_from([SECOND // 10, SECOND, 10 * SECOND]),
)
def test_no_more_nodes_are_struck_than_may_be(
    at_most: int, mix: list[Fault], swarm: bool, seed: int, repair: int
) -> None:
    """`at_most` is a limit on those in force together, whatever the mix. And all are undone by the end."""
    process = nemesis(
        *((1.0, kind) for kind in mix),
        at_most=at_most, swarm=swarm, time_to_failure=SECOND // 5, time_to_repair=repair, end=20 * SECOND,
    )  # fmt: skip
    trace = run_with_nemesis(process, seed=seed, duration=21 * SECOND)
    in_force: list[tuple[tuple[Any, ...], set[int]]] = []
    for row in trace.rows:
        if row.kind == event_types.FAULT:
            assert len(ends_of_links(row).union(*(nodes for _, nodes in in_force))) <= at_most
            if row.field("fault") in DEADLY:  # Of what had stopped the node, nothing is left to be undone.
                over = [(("fault", fault), ("nodes", row.field("nodes"))) for fault in (*DEADLY, "pause")]
                in_force = [other for other in in_force if other[0] not in over]
            if row.field("fault") != "amnesia":
                in_force.append((row.detail, ends_of_links(row)))
        elif row.kind == event_types.REPAIRED:
            assert row.time_ns <= 20 * SECOND
            in_force.remove((row.detail, ends_of_links(row)))
    assert in_force == []


@given(st.lists(st.sampled_from(KINDS), min_size=1, max_size=12), st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_nothing_of_it_is_left_at_its_end(mix: list[Fault], seed: int) -> None:
    """Not a condition on links, a stalled disk, a wrong clock, a slow node, or a node down or paused."""
    process = nemesis(
        *((1.0, kind) for kind in mix), time_to_failure=SECOND // 10, end=20 * SECOND, time_to_repair=SECOND
    )
    cluster = Cluster(spec(process, duration=21 * SECOND), seed, 0)
    cluster.run()
    assert cluster.network.rules.in_force == []
    for node in cluster.nodes.values():
        assert node.awake
        assert node.disk.instant
        assert (node.clock.drift_ppb, node.clock.offset_ns) == (0, 0)
        assert node.ready


def test_who_is_well_again_makes_room_for_others() -> None:
    # One at a time of five, some 50 times: each has its turn.
    trace = run_with_nemesis(nemesis((1.0, Crash("random")), at_most=1))
    assert {row.field("nodes") for row in trace.of_type(event_types.FAULT)} == {(1,), (2,), (3,), (4,), (5,)}


@pytest.mark.parametrize(
    ("fault", "troubled"),
    [  # Of seven nodes, of which n6 leads.
        (Partition(((1, 2),)), {1, 2}),
        (Partition(((1, 2, 3, 4),)), {5, 6, 7}),
        (Partition(((1, 2), (3, 4))), {1, 2, 3, 4}),
        (Partition((("leader", 1), (1, 2))), {6, 1, 2}),  # n1 is where it is named last.
        (PartitionOneway(("leader",)), {6}),
        (PartitionOneway((1, 2, 3), (4, 5)), {4, 5}),
        (CutLink(("leader", 2)), {6}),
        (Isolate((1, "leader")), {1, 6}),
        (MajoritiesRing(), {1, 2, 3, 4, 5, 6, 7}),
        (Degrade(LinkTargets(nodes=(1, 2))), {1, 2}),
        (Degrade(LinkTargets(senders=(1, 2), receivers=("leader",), both_ways=True)), {6}),
        (HoldBack(links=LinkTargets(senders=(1,))), {1}),
        (Crash("leader"), {6}),
        (Crash(7), set()),  # It is down.
        (Amnesia(7), {7}),
    ],
)
def test_a_fault_troubles_the_smaller_end_of_its_links(fault: Fault, troubled: set[int]) -> None:
    # docs/nemesis.md: without the troubled nodes, nothing of the fault would be left.
    assert (
        set(fault.resolve_targets(FakeControl(down=(7,)), RandomStreams(Streams(1, 0), "x")).affected_nodes) == troubled
    )


@given(st.sampled_from(KINDS), st.integers(0, 1000))
def test_an_aimed_fault_strikes_whom_it_was_aimed_at(fault: Fault, seed: int) -> None:
    """What counts towards `at_most` is what happens: aimed faults have nothing left to draw."""
    fault_rng = RandomStreams(Streams(seed, 0), "x")
    if fault.name not in LINKS:
        return
    resolved, affected_nodes = fault.resolve_targets(FakeControl(), fault_rng)
    first, again = FakeControl(), FakeControl()
    resolved.inject(first, RandomStreams(Streams(1, 0), "y"))
    resolved.inject(again, RandomStreams(Streams(2, 0), "y"))
    if fault.name != "majorities_ring":
        assert first.open() == again.open()
    well = [node for node in range(1, 8) if node not in affected_nodes]
    assert all((one, other) in first.open() for one in well for other in well if one != other)


def test_only_faults_that_strike_have_a_place_in_it() -> None:
    with pytest.raises(TypeError, match="heal does not affect nodes of its own"):
        run_with_nemesis(nemesis((1.0, Heal())))


# --- Swarm


def test_mixes_of_a_swarm_differ_between_trials_and_cover_all_kinds() -> None:
    """ "A **swarm** mode draws the mix itself per trial" (issue 3)."""
    process = nemesis(*ALL_ALIKE, swarm=True, time_to_failure=50 * MS, time_to_repair=MS)
    mixes = [
        frozenset(row.field("fault") for row in tried(run_with_nemesis(process, trial=trial, duration=END)))
        for trial in range(20)
    ]
    assert len(set(mixes)) > 15
    assert frozenset().union(*mixes) == {kind.name for kind in KINDS}
    # Each of the 18 kinds is in a mix with probability 1/2: 9 on average, with a standard deviation of 2.1.
    assert all(1 <= len(mix) <= 17 for mix in mixes)
    assert np.mean([len(mix) for mix in mixes]) == pytest.approx(9, abs=5 * 2.1 / 20**0.5)


def test_a_swarm_of_one_kind_has_it() -> None:
    assert all(tried(run_with_nemesis(nemesis((1.0, Isolate(1)), swarm=True), trial=trial)) for trial in range(10))


def test_weights_of_a_swarm_are_its_own() -> None:
    # Two kinds of equal weight: in trials that have both, their shares differ from trial to trial.
    process = nemesis((1.0, Isolate(1)), (1.0, StallDisk(1)), swarm=True, time_to_failure=100 * MS, time_to_repair=MS)
    shares = []
    for trial in range(30):
        counts = Counter(row.field("fault") for row in tried(run_with_nemesis(process, trial=trial)))
        if len(counts) == 2:
            shares.append(counts["isolate"] / counts.total())
    assert len(shares) > 3
    assert max(shares) - min(shares) > 0.3  # Of 1000 draws each; with equal weights they would differ by 0.1.


# --- Luck


def instants(trace: Trace) -> list[tuple[int, str]]:
    return [(row.time_ns, row.field("fault")) for row in tried(trace)]


def test_failures_are_the_same_whatever_becomes_of_them() -> None:
    """Common random numbers: "two variants of one experiment share their luck" (design.md, section 4)."""
    process = nemesis(*ALL_ALIKE, time_to_failure=100 * MS)
    whole = instants(run_with_nemesis(process))
    assert len(whole) > 500
    assert instants(run_with_nemesis(process, config=Script())) == whole  # Nobody ever leads: much is left out.
    assert instants(run_with_nemesis(replace(process, at_most=1))) == whole
    # And of another target, or another latency, only that is different.
    other = ((1.0, Crash("minority")), *ALL_ALIKE[1:])
    assert instants(run_with_nemesis(replace(process, mix=other))) == whole


def test_targets_are_drawn_in_step() -> None:
    # Of every fault that strikes in both, the target is the same, though before it others were left out in one.
    mix = ((1.0, Isolate("leader")), (1.0, SlowDisk("random", Constant(MS))), (1.0, Isolate("minority")))
    process = nemesis(*mix, time_to_failure=100 * MS, time_to_repair=MS)
    with_leader, without = run_with_nemesis(process), run_with_nemesis(process, config=Script())
    targets = {row.time_ns: row.detail for row in with_leader.of_type(event_types.FAULT)}
    injected = without.of_type(event_types.FAULT)
    assert len(targets) > len(injected) > 500
    assert all(targets[row.time_ns] == row.detail for row in injected)


def test_each_degradation_has_luck_of_its_own() -> None:
    """A stream that each strike began anew would make all of them lose the same packets."""
    letters = Script(start={1: timer("write", 1)}, on={"timer write": every(send(2, "x"), timer("write", 1))})
    process = nemesis(
        (1.0, Degrade(LinkTargets(nodes=(1,)), loss=0.5)),
        time_to_repair=50 * MS,
        time_to_failure=SECOND,
        at_most=1,
    )
    trace = run_with_nemesis(process, config=letters, nodes=2)
    arrived = {row.time_ns for row in trace.of_type("reached") if row.field("text") == "letter x"}
    patterns = [
        tuple((row.time_ns // MS + number) * MS + 5 * MS in arrived for number in range(1, 11))
        for row, end in spans(trace)
        if end is not None and end.time_ns - row.time_ns > 12 * MS
    ]
    assert len(patterns) > 40
    assert len(set(patterns)) > 0.9 * len(patterns)


def test_trials_and_seeds_differ_and_a_trial_repeats() -> None:
    process = nemesis(*ALL_ALIKE, swarm=True)
    digests = [
        run_with_nemesis(process, seed=seed, trial=trial).digest for seed, trial in ((1, 0), (1, 0), (1, 1), (2, 0))
    ]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


# --- Among other things


def test_scheduled_faults_are_no_part_of_its_account() -> None:
    # The schedule has crashed two of three for good; the nemesis may strike one, and does.
    faults = [Scheduled(at=Constant(0), fault=Crash(node)) for node in (2, 3)]
    trace = run_with_nemesis(nemesis((1.0, Crash("random")), at_most=1), *faults, nodes=3)
    injected = [row.field("nodes") for row in trace.of_type(event_types.FAULT)]
    assert injected[:2] == [(2,), (3,)]
    assert set(injected[2:]) == {(1,)}
    assert {row.node for row in trace.of_type(event_types.STARTED) if row.time_ns} == {1}  # It restarts nobody else's.


def test_what_the_schedule_has_undone_is_not_undone_again() -> None:
    """A restart by the schedule, and a second crash by it: the nemesis's repair must not end that."""
    # The nemesis crashes n1 soon after 1 s, until 50 s. At 20 s the schedule restarts it, and crashes it for good.
    faults = [Scheduled(at=Constant(20 * SECOND), fault=fault) for fault in (Restart("all"), Crash(1))]
    process = nemesis((1.0, Crash(1)), start=SECOND, end=50 * SECOND, time_to_failure=MS, time_to_repair=100 * END)
    trace = run_with_nemesis(process, *faults)
    assert all(row.time_ns < 20 * SECOND for row in trace.of_type(event_types.REPAIRED))
    assert [row.time_ns for row in trace.of_type(event_types.STARTED) if row.node == 1] == [0, 20 * SECOND]


def test_a_heal_of_the_schedule_heals_what_it_has_cut() -> None:
    # n1, which leads, is isolated soon after the start, and would be to the end.
    process = nemesis((1.0, Isolate(1)), time_to_repair=100 * END)
    trace = run_with_nemesis(process, Scheduled(at=Constant(50 * SECOND), fault=Heal()))
    assert [row.time_ns for row in trace.of_type(event_types.LEADER_BACK)] == [
        0,
        50 * SECOND,
        END,
    ]  # At 0: the others start.
    # What the heal has ended is not undone again: only what struck later is.
    struck_later = [row for row in trace.of_type(event_types.FAULT) if row.time_ns > 50 * SECOND]
    undone_later = [row for row in trace.of_type(event_types.REPAIRED) if row.time_ns > 50 * SECOND]
    assert 0 < len(undone_later) == len(struck_later) < len(trace.of_type(event_types.FAULT))


def test_a_trial_waits_for_it() -> None:
    """Conditions of `stop_when` are looked at once all faults are over (simulator/cluster/stop.py)."""
    process = nemesis((1.0, Isolate(2)), end=10 * SECOND)
    for stop_when in (StopWhen.LEADER_CLAIMED, StopWhen.LEADER_STABLE):
        assert run_with_nemesis(process, stop_when=stop_when).end_ns == 10 * SECOND
    # Nobody has told the others of n1: it is never announced.
    assert run_with_nemesis(process, stop_when=StopWhen.LEADER_ANNOUNCED).end_ns == END + SECOND
    later = Scheduled(at=Constant(20 * SECOND), fault=Isolate(3))
    assert run_with_nemesis(process, later, stop_when=StopWhen.LEADER_CLAIMED).end_ns == 20 * SECOND


def test_a_nemesis_whom_nothing_suits_only_waits() -> None:
    trace = run_with_nemesis(nemesis((1.0, Crash("leader"))), config=Script())
    assert trace.of_type(event_types.FAULT) == trace.of_type(event_types.REPAIRED) == []
    assert {row.field("why") for row in trace.of_type(event_types.SUPPRESSED)} == {"there is no leader"}
