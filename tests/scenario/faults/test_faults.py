"""Every way to write a fault: what it means, that it is written back, that editors accept it; and every mistake."""

from __future__ import annotations

import jsonschema  # type: ignore[import-untyped]
import pytest

from simulator.cluster.distributions import AtLeast, Constant, Exponential, Uniform
from simulator.cluster.faults.link_degradation import Degrade, Flap, Heal, HoldBack, Release
from simulator.cluster.faults.link_faults import LinkTargets
from simulator.cluster.faults.node_faults import Amnesia, Bounce, Crash, Kill, Pause, Restart, Resume
from simulator.cluster.faults.operator_commands import AddServer, RemoveServer, TransferLeadership
from simulator.cluster.faults.partitions import Bridge, CutLink, Isolate, MajoritiesRing, Partition, PartitionOneway
from simulator.cluster.faults.record import Fault
from simulator.cluster.faults.registry import FAULTS
from simulator.cluster.faults.schedule import Scheduled, WithoutTarget
from simulator.cluster.faults.slowdowns import SkewClock, SlowDisk, SlowNode, StallDisk
from simulator.protocol import MILLISECOND, SECOND
from simulator.scenario import ScenarioError, json_schema, loads, resolved_text
from simulator.scenario.text.tree import parse
from tests.support.scenarios import ONE_FAULT

MS = MILLISECOND
EDITOR = jsonschema.Draft202012Validator(json_schema())


def text(*faults: str) -> str:
    return ONE_FAULT.replace("FAULT", "\n  - ".join(faults))


def marked(written: str) -> bool:
    """Whether an editor marks it."""
    return not EDITOR.is_valid(parse(written, "x.yaml").tree)


VERBS: list[tuple[str, Fault]] = [
    ("crash: leader", Crash("leader")),
    ("crash: [n1, leader, random]", Crash((1, "leader", "random"))),
    ("crash: [n1]", Crash(1)),
    ("kill: n2", Kill(2)),
    ("bounce: all, lasts: 1s", Bounce("all")),
    ("restart: all", Restart("all")),
    ("amnesia: follower", Amnesia("follower")),
    ("pause: highest-id", Pause("highest-id")),
    ("resume: n4", Resume(4)),
    ("slow_node: n1, service: 5ms", SlowNode(1, Constant(5 * MS))),
    ("slow_disk: minority, write: {uniform: [1ms, 2ms]}", SlowDisk("minority", Uniform(MS, 2 * MS))),
    ("stall_disk: successor-of-leader", StallDisk("successor-of-leader")),
    ("skew_clock: n1, drift_ppm: 200", SkewClock(target=1, drift_ppb=200_000)),
    ("skew_clock: n1, drift_ppm: -0.5", SkewClock(target=1, drift_ppb=-500)),
    ("skew_clock: n1, offset: -2s", SkewClock(target=1, offset_ns=-2 * SECOND)),
    ("skew_clock: n1, offset: 0", SkewClock(target=1, offset_ns=0)),
    (
        "skew_clock: [n1, n2], drift_ppm: 1, offset: 1s, jump: -1ms",
        SkewClock(target=(1, 2), drift_ppb=1000, offset_ns=SECOND, jump_ns=-MS),
    ),
    ("partition: [[leader, minority], [n1]]", Partition((("leader", "minority"), (1,)))),
    ("partition_oneway: {senders: leader}", PartitionOneway("leader")),
    ("partition_oneway: {senders: [n1, n2], receivers: n3}", PartitionOneway((1, 2), 3)),
    ("cut_link: [leader, follower]", CutLink(("leader", "follower"))),
    ("isolate: n1", Isolate(1)),
    ("bridge: random", Bridge("random")),
    ("majorities_ring: all", MajoritiesRing()),
    ("transfer_leadership: leader", TransferLeadership(target="leader")),
    ("transfer_leadership: follower, to: highest-id", TransferLeadership(target="follower", to="highest-id")),
    ("add_server: [n1, n2]", AddServer((1, 2))),
    ("remove_server: leader", RemoveServer("leader")),
    ("degrade: n1, latency: 5ms", Degrade(links=LinkTargets(nodes=(1,)), latency=Constant(5 * MS))),
    ("degrade: {nodes: [n1, n2]}, loss: 0.5", Degrade(links=LinkTargets(nodes=(1, 2)), loss=0.5)),
    (
        "degrade: {between: [n1, [n2, n3]]}, duplication: 1",
        Degrade(links=LinkTargets(senders=(1,), receivers=(2, 3), both_ways=True), duplication=1.0),
    ),
    ("degrade: {senders: leader}, loss: 0.1", Degrade(links=LinkTargets(senders=("leader",)), loss=0.1)),
    (
        "flap: {senders: n1, receivers: [n2]}, down: 1s, up: 2s",
        Flap(links=LinkTargets(senders=(1,), receivers=(2,)), down=SECOND, up=2 * SECOND),
    ),
    ("hold: leader", HoldBack(links=LinkTargets(nodes=("leader",)))),
    ("release: all", Release()),
    ("heal: all", Heal()),
]


@pytest.mark.parametrize(("written", "means"), VERBS, ids=[written for written, _ in VERBS])
def test_a_verb_can_be_written(written: str, means: Fault) -> None:
    # Issue 3, Faults: each of them is "usable from YAML, from Python and in a random mix".
    scenario = loads(text(f"{{at: 1s, {written}}}"))
    [entry] = scenario.cluster_spec().faults
    assert entry.fault == means
    assert loads(resolved_text(scenario)) == scenario
    assert not marked(text(f"{{at: 1s, {written}}}"))
    assert not marked(resolved_text(scenario))


def test_every_verb_is_among_them() -> None:
    assert {means.name for _, means in VERBS} == set(FAULTS)


WHEN: list[tuple[str, Scheduled]] = [
    ("at: 0", Scheduled(fault=Crash(1))),
    ("at: {exponential: 1s}", Scheduled(fault=Crash(1), at=Exponential(SECOND))),
    ("after: leader-elected", Scheduled(fault=Crash(1), after="leader-elected")),
    ("after: leader-lost + 500ms", Scheduled(fault=Crash(1), after="leader-lost", at=Constant(500 * MS))),
    ("after: leader-lost+1.5s", Scheduled(fault=Crash(1), after="leader-lost", at=Constant(1500 * MS))),
    (
        "after: {occasion: leader-announced, occurrence: 3, delay: {uniform: [0, 1s]}}",
        Scheduled(fault=Crash(1), after="leader-announced", occurrence=3, at=Uniform(0, SECOND)),
    ),
    (
        "after: {occasion: leader-announced, delay: {constant: 1s, at_least: 2s}}",
        Scheduled(fault=Crash(1), after="leader-announced", at=AtLeast(2 * SECOND, Constant(SECOND))),
    ),
    ("at: 1s, lasts: 2s", Scheduled(fault=Crash(1), at=Constant(SECOND), lasts=Constant(2 * SECOND))),
    ("at: 1s, label: x_1-y", Scheduled(fault=Crash(1), at=Constant(SECOND), label="x_1-y")),
    ("at: 1s, without_target: skip", Scheduled(fault=Crash(1), at=Constant(SECOND), without_target=WithoutTarget.SKIP)),
    ("at: 1s, without_target: fail", Scheduled(fault=Crash(1), at=Constant(SECOND), without_target=WithoutTarget.FAIL)),
    ("at: 1s, after: null, lasts: null, label: null", Scheduled(fault=Crash(1), at=Constant(SECOND))),
]


@pytest.mark.parametrize(("written", "means"), WHEN, ids=[written for written, _ in WHEN])
def test_when_it_strikes_can_be_written(written: str, means: Scheduled) -> None:
    # "Times are absolute, relative to another fault, relative to an event …, or random with a distribution" (issue 3).
    scenario = loads(text(f"{{{written}, crash: n1}}"))
    [entry] = scenario.cluster_spec().faults
    assert entry == means
    assert loads(resolved_text(scenario)) == scenario
    assert not marked(text(f"{{{written}, crash: n1}}"))
    assert not marked(resolved_text(scenario))


def test_labels_reach_what_they_name() -> None:
    faults = [
        "{at: 1s, isolate: n1, label: cut}",
        "{at: 1s, hold: n2, label: kept}",
        "{after: cut + 1s, heal: cut}",
        "{after: {occasion: kept, delay: 1s}, release: kept}",
    ]
    entries = loads(text(*faults)).cluster_spec().faults
    assert [entry.fault for entry in entries] == [
        Isolate(1, label="cut"),
        HoldBack(links=LinkTargets(nodes=(2,)), label="kept"),
        Heal("cut"),
        Release("kept"),
    ]
    assert [entry.after for entry in entries] == [None, None, "cut", "kept"]
    assert loads(resolved_text(loads(text(*faults)))) == loads(text(*faults))


# A fault, the complaint below `faults.0`, and whether an editor can see the mistake.
MISTAKES: list[tuple[str, str, bool]] = [
    # When
    ("crash: n1", "at: is missing; give at or after", True),
    ("at: 1s, after: leader-lost, crash: n1", "at: at and after cannot stand together; give one of them", True),
    ("after: leader-lots, crash: n1", "after: leader-lots is neither a trigger nor another label; did you", False),
    ("after: leader-lost + 5, crash: n1", "after: 5 is not a duration; write a number and a unit", True),
    (
        "after: leader-lost - 5ms, crash: n1",
        "after: leader-lost - 5ms is not a trigger; write leader-elected +",
        True,
    ),
    ("after: + 5ms, crash: n1", "after: + 5ms is not a trigger; write leader-elected + 500ms, for example", True),
    ("after: 5ms, crash: n1", "after: 5ms is neither a trigger nor another label; known: leader-elected,", False),
    ("after: 5, crash: n1", "after: 5 is not a trigger; write leader-elected + 500ms, for example", True),
    ("after: leader-lost + 4s, crash: n1", "after: 4s is not before the trial's end at 4s (duration)", False),
    ("after: {occasion: leader-lost, occurrence: 0}, crash: n1", "after.occurrence: 0 is below 1, the least", True),
    ("after: {occurrence: 2}, crash: n1", "after.occasion: is missing", True),
    ("after: {occasion: leader-lost, dely: 1s}, crash: n1", "after.dely: unknown key; did you mean delay?", True),
    ("after: x, crash: n1, label: x", "after: x is neither a trigger nor another label; known: leader-", False),
    ("at: 1s, crash: n1, lasts: forever", "lasts: forever is not a distribution; known: constant,", True),
    ("at: 1s, heal: all, lasts: 1s", "lasts: heal does nothing that could be repaired; leave this out", True),
    ("at: 1s, restart: n1, lasts: 1s", "lasts: restart does nothing that could be repaired; leave this out", True),
    ("at: 1s, bounce: n1", "lasts: is missing; say how long a bounced node is down", True),
    ("at: 1s, crash: n1, without_target: ignore", "without_target: ignore is not known here; known: wait,", True),
    # Labels
    ("at: 1s, crash: n1, label: a b", "label: a b is not a label; write letters, digits, hyphens and", True),
    ("at: 1s, crash: n1, label: 3", "label: 3 is not a label; write letters, digits, hyphens and underscores", True),
    ("at: 1s, crash: n1, label: all", "label: all means every label where it is healed; choose another", False),
    ("at: 1s, crash: n1, label: leader-lost", "label: leader-lost is a trigger of its own; choose", False),
    ("at: 1s, heal: island", "heal: island is the label of no fault of links; known: all", False),
    ("at: 1s, release: island", "release: island is the label of no hold; known: all", False),
    # Targets
    ("at: 1s, crash: []", "crash: names nobody; give at least one target", True),
    ("at: 1s, crash: 3", "crash: 3 is not a target; write n3", True),
    ("at: 1s, crash: [n1, 3]", "crash.1: 3 is not a target; write n3", True),
    ("at: 1s, crash: null", "crash: null is not a target; known: leader,", True),
    ("at: 1s, crash: [n1, [n2]]", "crash.1: [n2] is not a target; known: leader,", True),
    ("at: 1s, crash: [n1, leader, n1]", "crash.2: n1 is named twice", False),
    ("at: 1s, crash: [n1, n9]", "crash.1: n9 is not a node; the nodes are n1 to n5", False),
    ("at: 1s, resume: n5", "resume: n5 is absent and never starts; name another node", False),
    ("at: 1s, crash: 'zone:'", "crash: zone: is not a target; did you mean zone:NAME?", True),
    ("at: 1s, crash: 'zone:here'", "crash: there are no zones to name; give network.topology, or name nodes", False),
    ("at: 1s, crash: zone-of-leader", "crash: there are no zones to name; give network.topology, or name", False),
    ("at: 1s, restart: leader", "restart: a leader is never down; name the node, or write all", False),
    ("at: 1s, bridge: [n1]", "bridge: [n1] is not a target; known: leader,", True),
    # Strains
    ("at: 1s, slow_node: n1", "service: is missing", True),
    ("at: 1s, slow_node: n1, service: -5ms", "service: -5ms is negative; a duration is 0 or more", True),
    ("at: 1s, stall_disk: n1, write: 5ms", "write: unknown key; known: at, after,", True),
    ("at: 1s, skew_clock: n1", "skew_clock: gives no drift_ppm, no offset and no jump; give at least one", True),
    ("at: 1s, skew_clock: n1, drift_ppm: 500001", "drift_ppm: 500001 is above 500000, the greatest allowed", True),
    ("at: 1s, skew_clock: n1, drift_ppm: fast", "drift_ppm: fast is not a number", True),
    ("at: 1s, skew_clock: n1, jump: 5", "jump: 5 has no unit; write 5ms or 5s, for example", True),
    # Links
    ("at: 1s, partition: []", "partition: names no group; write [[n1, n2], [n3]], for example", True),
    ("at: 1s, partition: [[]]", "partition.0: names nobody; give at least one target", True),
    ("at: 1s, partition: [n1]", "partition.0: n1 is not a group of nodes; write [[n1, n2], [n3]], for", True),
    ("at: 1s, partition_oneway: n1", "partition_oneway: n1 is not a mapping; write keys and values", True),
    ("at: 1s, partition_oneway: {receivers: n1}", "partition_oneway.senders: is missing", True),
    ("at: 1s, cut_link: [n1]", "cut_link.1: is missing", True),
    ("at: 1s, cut_link: [n1, n1]", "cut_link.1: n1 is named twice", False),
    ("at: 1s, majorities_ring: n1", "majorities_ring: n1 is not known here; known: all", True),
    ("at: 1s, degrade: n1", "degrade: gives no latency, no loss and no duplication; give at least one", True),
    ("at: 1s, degrade: n1, loss: 0", "degrade: gives no latency, no loss and no duplication; give at", False),
    ("at: 1s, degrade: {}, loss: 1", "degrade: gives no links; give one of nodes, between, or senders", True),
    ("at: 1s, degrade: {nodes: n1, senders: n2}, loss: 1", "degrade: gives nodes and senders; give one of", True),
    ("at: 1s, degrade: {nodes: n1, receivers: n2}, loss: 1", "degrade.receivers: stands without senders", True),
    ("at: 1s, degrade: {between: [n1, n1]}, loss: 1", "degrade.between.1: n1 is named twice", False),
    ("at: 1s, degrade: {between: [[n1, n2], [n3, n7]]}, loss: 1", "degrade.between.1.1: n7 is not a node", False),
    ("at: 1s, degrade: n1, loss: 1.5", "loss: 1.5 is not a probability between 0 and 1", True),
    ("at: 1s, flap: n1, down: 0, up: 1s", "down: 0 is not above 0", False),
    ("at: 1s, flap: n1, down: 1s", "up: is missing", True),
    ("at: 1s, hold: n1, down: 1s", "down: unknown key; known: at, after,", True),
]


@pytest.mark.parametrize(("written", "says", "is_marked"), MISTAKES, ids=[says[:50] for _, says, _ in MISTAKES])
def test_a_mistake_is_explained_in_one_line(written: str, says: str, is_marked: bool) -> None:
    # File, line, field, value and remedy (issue 2, part 5); and what needs no other part of the file, in an editor.
    with pytest.raises(ScenarioError) as caught:
        loads(text(f"{{{written}}}"), "x.yaml")
    assert str(caught.value).startswith(f"x.yaml:7: faults.0.{says}")
    assert len(str(caught.value).splitlines()) == 1
    assert marked(text(f"{{{written}}}")) == is_marked


def test_faults_that_wait_for_each_other_are_refused() -> None:
    # None of them could ever strike.
    with pytest.raises(ScenarioError) as caught:
        loads(text("{after: b, crash: n1, label: a}", "{after: a, crash: n2, label: b}", "{after: b, heal: all}"), "x")
    why = "waits, in the end, for itself; give a fault of that label an instant"
    found = [f"x:{7 + number}: faults.{number}.after: {label} {why}" for number, label in enumerate("bab")]
    assert str(caught.value).splitlines() == found


def test_a_label_may_come_from_another_fault_that_has_it_too() -> None:
    chained = text("{at: 1s, crash: n1, label: a}", "{after: a, restart: n1, label: a}", "{after: a, crash: n2}")
    assert loads(chained).cluster_spec().faults[1].after == "a"


@pytest.mark.parametrize(("nodes", "absent", "fits"), [(3, 0, False), (4, 0, True), (6, 1, False), (5, 1, True)])
def test_a_majorities_ring_needs_a_majority_that_is_not_everybody(nodes: int, absent: int, fits: bool) -> None:
    # "every node sees a majority, no two the same one" (issue 3). Of six, a majority is four; on a ring of five, who
    # sees two on either side sees everybody.
    cluster = f"{{nodes: {nodes}, absent: [{', '.join(f'n{nodes - number}' for number in range(absent))}]}}"
    written = text("{at: 1s, majorities_ring: all}").replace("{nodes: 5, absent: [n5]}", cluster)
    if fits:
        loads(written)
    else:
        with pytest.raises(ScenarioError, match="majorities_ring: needs a majority that is not everybody: of the"):
            loads(written)
