"""Faults of links: "They overlap and compose: healing one leaves the others in force" (issue 3)."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.cluster.control import ClusterControl
from simulator.cluster.faults.link_degradation import Heal
from simulator.cluster.faults.partitions import Bridge, CutLink, Isolate, MajoritiesRing, Partition, PartitionOneway
from simulator.cluster.faults.record import Fault
from simulator.cluster.faults.rng import RandomStreams
from simulator.cluster.faults.targets import DESCRIPTIONS, NoTargetError, Target, resolve
from simulator.cluster.network.links import BetweenGroups, Pairs
from simulator.cluster.network.rules import Cut, LinkRule, LinkRules
from simulator.randomness import Streams

NODES = range(1, 8)
Open = set[tuple[int, int]]


class FakeControl(ClusterControl):
    """A cluster of which only links, a leader and who is down matter."""

    def __init__(self, nodes: int = 7, leader: int | None = 6, down: Sequence[int] = ()) -> None:
        self.links = LinkRules()
        self.nodes = nodes
        self.its_leader = leader
        self.down = down

    def leader(self, group: str | None = None) -> int | None:
        return self.its_leader

    def members(self, group: str | None = None) -> Sequence[int]:
        return range(1, self.nodes + 1)

    def voters(self) -> Sequence[int]:
        return range(1, self.nodes + 1)

    def outside_in_state(self, state: str) -> list[int]:
        return []

    def nodes_in_state(self, state: str) -> list[int]:
        return [node for node in range(1, self.nodes + 1) if state == "present" or node not in self.down]

    def add_rule(self, rule: LinkRule) -> None:
        self.links.add_rule(rule)

    def remove_rule(self, rule: LinkRule) -> bool:
        return self.links.remove_rule(rule)

    def remove_labelled(self, label: str | None, kind: type[LinkRule] = LinkRule) -> None:
        for rule in self.links.labelled(label):
            if isinstance(rule, kind):
                self.links.remove_rule(rule)

    def zone(self, name: str) -> Sequence[int]:
        return ()

    def zone_of(self, node: int) -> str | None:
        return None

    def open(self) -> Open:
        every = range(1, self.nodes + 1)
        return {(one, other) for one in every for other in every if one != other and self.links.open(one, other)}


def injected(*faults: Fault, control: FakeControl | None = None, seed: int = 1) -> Open:
    """The links that are open after these faults."""
    control = control or FakeControl()
    for fault in faults:
        fault.inject(control, RandomStreams(Streams(seed, 0), "fault"))
    return control.open()


ALL = FakeControl().open()
subsets = st.frozensets(st.sampled_from(NODES), min_size=1, max_size=6)
cuts = st.one_of(
    st.builds(lambda group: Partition((tuple(sorted(group)),)), subsets),
    st.builds(lambda one, other: PartitionOneway(tuple(sorted(one)), tuple(sorted(other))), subsets, subsets),
    st.builds(CutLink, st.permutations(NODES).map(lambda nodes: tuple(nodes[:2]))),
    st.builds(Isolate, st.sampled_from(NODES)),
    st.builds(Bridge, st.sampled_from(NODES)),
    st.builds(MajoritiesRing),
)


@given(st.lists(cuts, max_size=5))
def test_heal_all_restores_everything(faults: list[Fault]) -> None:
    assert injected(*faults, Heal()) == ALL


@given(st.lists(cuts, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_order_does_not_matter_and_each_cut_only_takes_away(faults: list[Fault], shuffler: random.Random) -> None:
    # Each fault draws from a stream of its own, here one that always begins alike: the halves do not depend on order.
    shuffled = list(faults)
    shuffler.shuffle(shuffled)
    assert injected(*faults) == injected(*shuffled) == set.intersection(*(injected(fault) for fault in faults))


@given(subsets, subsets)
def test_one_way_with_its_reverse_is_two_way(one: frozenset[int], other: frozenset[int]) -> None:
    there, back = LinkRules(), LinkRules()
    there.add_rule(Cut(Pairs(one, other)))
    there.add_rule(Cut(Pairs(other, one)))
    back.add_rule(Cut(Pairs(one, other, both_ways=True)))
    assert all(there.open(a, b) == back.open(a, b) for a in NODES for b in NODES)


def test_healing_a_label_leaves_the_others_in_force() -> None:
    wall, island = Partition(((1, 2),), label="wall"), Isolate(7, label="island")
    assert injected(wall, island, Heal("wall")) == injected(island)
    assert injected(wall, island, Heal("island")) == injected(wall)
    assert injected(wall, island, Heal("other")) == injected(wall, island)


def test_one_way_to_everybody_else_leaves_the_way_back_open() -> None:
    assert ALL - injected(PartitionOneway(("leader",))) == {(6, other) for other in NODES if other != 6}


def test_isolating_several_cuts_them_off_from_each_other_too() -> None:
    assert injected(Isolate("all")) == set()


def test_a_bridge_is_reached_by_two_halves_that_do_not_reach_each_other() -> None:
    # Seven nodes: the bridge and two halves of three. 6 links to the bridge and 2 x 3 within, each in two directions.
    links = injected(Bridge(4))
    assert {(4, other) for other in NODES if other != 4} <= links
    assert len(links) == 2 * (6 + 3 + 3)
    assert injected(Bridge(4), seed=2) != links  # Which nodes are in which half is drawn.


@pytest.mark.parametrize("nodes", [4, 5, 6, 7, 8, 9, 12, 15])
def test_on_a_majorities_ring_every_node_sees_a_majority_and_no_two_the_same_one(nodes: int) -> None:
    links = injected(MajoritiesRing(), control=FakeControl(nodes))
    seen = [frozenset({node} | {b for a, b in links if a == node}) for node in range(1, nodes + 1)]
    assert all(2 * len(sight) > nodes for sight in seen)
    assert len(set(seen)) == nodes
    assert all((b, a) in links for a, b in links)


@pytest.mark.parametrize("nodes", [1, 2, 3])
def test_three_nodes_make_no_majorities_ring(nodes: int) -> None:
    with pytest.raises(NoTargetError):
        injected(MajoritiesRing(), control=FakeControl(nodes))


def test_bridges_are_in_every_group() -> None:
    groups = BetweenGroups([(1, 2), (3, 4)], bridges=(5,))
    assert not any(groups.covers(5, node) or groups.covers(node, 5) for node in (1, 2, 3, 4, 9))
    assert groups.covers(1, 3)


def test_who_is_in_several_groups_reaches_all_of_these() -> None:
    # docs/faults.md: "a node in several groups reaches all of these", such as a monitor with paths of its own.
    groups = BetweenGroups([(1, 2, 5), (3, 5), (4,)])
    assert not any(groups.covers(5, node) or groups.covers(node, 5) for node in (1, 2, 3))
    assert all(groups.covers(5, node) and groups.covers(node, 5) for node in (4, 9))
    assert groups.covers(1, 3) and groups.covers(1, 9) and not groups.covers(8, 9)


# --- Targets


def meant(target: Target, control: FakeControl, seed: int = 1, state: str = "running") -> tuple[int, ...]:
    return resolve(target, control, state, RandomStreams(Streams(seed, 0), "fault"))


@pytest.mark.parametrize(("leader", "down", "successor"), [(6, (), 7), (7, (), 1), (6, (7,), 1), (2, (3, 4), 5)])
def test_the_successor_is_the_next_running_id_cyclically(leader: int, down: Sequence[int], successor: int) -> None:
    """ "`successor-of-leader` (the next running id, cyclically)" (design.md, section 6)."""
    assert meant("successor-of-leader", FakeControl(leader=leader, down=down)) == (successor,)


def test_the_highest_id_is_the_highest_that_can_be_struck() -> None:
    assert meant("highest-id", FakeControl(down=(7,))) == (6,)


@pytest.mark.parametrize("nodes", [3, 4, 5, 6, 7])
@pytest.mark.parametrize("seed", range(5))
def test_minorities_and_majorities_are_those_of_the_configuration(nodes: int, seed: int) -> None:
    control = FakeControl(nodes, leader=nodes)
    assert len(set(meant("minority", control, seed))) == (nodes - 1) // 2
    majority = set(meant("majority-without-leader", control, seed))
    assert len(majority) == nodes // 2 + 1
    assert nodes not in majority
    with_leader = meant("leader-and-minority", control, seed)
    assert nodes in with_leader
    assert len(set(with_leader)) == max(1, (nodes - 1) // 2)


@pytest.mark.parametrize("target", [name for name in DESCRIPTIONS if "leader" in name or name == "follower"])
def test_what_needs_a_leader_waits_for_one(target: str) -> None:
    with pytest.raises(NoTargetError):
        meant(target, FakeControl(leader=None))


@pytest.mark.parametrize("target", [name for name in DESCRIPTIONS if name not in ("all", "minority")])
def test_nobody_is_no_target(target: str) -> None:
    with pytest.raises(NoTargetError):
        meant(target, FakeControl(down=list(NODES)))


def test_drawn_targets_are_uniform() -> None:
    # 7000 draws among 7: each about 1000, standard deviation 29; five of them is 146.
    fault_rng = RandomStreams(Streams(1, 0), "fault")
    drawn = [resolve("random", FakeControl(), "running", fault_rng)[0] for _ in range(7000)]
    assert all(abs(drawn.count(node) - 1000) < 146 for node in NODES)


@pytest.mark.parametrize("seed", range(20))
def test_whoever_is_drawn_is_nobody_else_of_the_fault(seed: int) -> None:
    """docs/faults.md: "Whom a list draws is another node than those that it names"; and so do the sides of a fault."""
    assert len(set(meant(("random", "leader", "random"), FakeControl(), seed))) == 3
    assert len(set(meant(("minority", 1, 2), FakeControl(), seed))) == 5
    assert len(ALL - injected(CutLink(("random", "random")), seed=seed)) == 2
    # Groups of one and of four, and two left over: from each to the others.
    links = injected(Partition((("random",), ("majority-without-leader",))), seed=seed)
    assert len(links) == 4 * 3 + 2 * 1


def test_what_is_named_is_meant_however_often_it_is_named() -> None:
    assert meant((6, "leader", "highest-id"), FakeControl(down=(7,))) == (6,)


def test_a_zone_without_nodes_receives_nothing_rather_than_everybody() -> None:
    """ "by default, everybody else" is for receivers that are not given, not for such as nobody is in at present."""
    assert injected(PartitionOneway((1,), ("zone:empty",))) == ALL


def test_a_ring_without_majorities_says_how_many_a_node_would_see_and_must() -> None:
    """The plan: an error has a remedy. Of three nodes, each would see itself and one on either side: everybody."""
    error = MajoritiesRing.cluster_error(3, 3)
    assert error is not None
    assert error.endswith("of the 3 nodes that start, each would see 3 to see at least 2; start more nodes")


def test_a_bridge_is_told_with_the_halves_on_its_two_sides() -> None:
    """docs/faults.md: the row of a fault names its nodes. Here all seven, each in its half or as the bridge."""
    told = Bridge(4, halves=((1, 2, 3), (5, 6, 7))).inject(FakeControl(7), RandomStreams(Streams(1, 0), "bridge"))
    assert told.nodes == ((1, 2, 3), (4,), (5, 6, 7))
