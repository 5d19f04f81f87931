"""Faults of the network between nodes. They overlap: a link is open when none of them severs it.

A cut with a `label` can be healed alone, and one that is undone is lifted alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from simulator.cluster.control import ClusterControl
from simulator.cluster.faults.link_degradation import rule_in_force
from simulator.cluster.faults.node_faults import Injected
from simulator.cluster.faults.rng import RandomStreams
from simulator.cluster.faults.targets import NoTargetError, Target, draw, present, sides
from simulator.cluster.network.links import BetweenGroups, BeyondNeighbours, Pairs
from simulator.cluster.network.rules import Cut
from simulator.protocol import NodeId


@dataclass(frozen=True, slots=True)
class Partition:
    """The groups cannot reach each other; nodes that are in no group form one more. Who is in several reaches these."""

    groups: tuple[tuple[Target, ...], ...]
    label: str | None = None
    name: ClassVar[str] = "partition"

    def inject(self, control: ClusterControl, fault_rng: RandomStreams) -> Injected:
        groups = tuple(sides(self.groups, control, fault_rng))
        return rule_in_force(Cut(BetweenGroups(groups), self.label), control, groups)


@dataclass(frozen=True, slots=True)
class PartitionOneway:
    """What the senders send does not reach the receivers (all others where none are given); the way back is open."""

    senders: tuple[Target, ...]
    receivers: tuple[Target, ...] = ()
    label: str | None = None
    name: ClassVar[str] = "partition_oneway"

    def inject(self, control: ClusterControl, fault_rng: RandomStreams) -> Injected:
        senders, receivers = sides((self.senders, self.receivers), control, fault_rng)
        if not self.receivers:
            receivers = tuple(node for node in control.nodes_in_state("present") if node not in senders)
        return rule_in_force(Cut(Pairs(senders, receivers), self.label), control, (senders, receivers))


@dataclass(frozen=True, slots=True)
class CutLink:
    """Two nodes cannot reach each other, either way; both reach everybody else."""

    one: Target
    other: Target
    label: str | None = None
    name: ClassVar[str] = "cut_link"

    def inject(self, control: ClusterControl, fault_rng: RandomStreams) -> Injected:
        one, other = sides((self.one, self.other), control, fault_rng)
        return rule_in_force(Cut(Pairs(one, other, both_ways=True), self.label), control, (one, other))


@dataclass(frozen=True, slots=True)
class Isolate:
    """Each of the nodes is cut off from everybody."""

    target: Target
    label: str | None = None
    name: ClassVar[str] = "isolate"

    def inject(self, control: ClusterControl, fault_rng: RandomStreams) -> Injected:
        nodes = present((self.target,), control, fault_rng)
        return rule_in_force(Cut(BetweenGroups((node,) for node in nodes), self.label), control, nodes)


@dataclass(frozen=True, slots=True)
class Bridge:
    """Two halves that cannot reach each other, and one node that both reach. The halves are drawn unless given."""

    target: Target
    label: str | None = None
    halves: tuple[tuple[NodeId, ...], tuple[NodeId, ...]] | None = None
    name: ClassVar[str] = "bridge"

    def inject(self, control: ClusterControl, fault_rng: RandomStreams) -> Injected:
        bridge = present((self.target,), control, fault_rng)
        halves = self.halves or _halves(control, bridge, fault_rng)
        cut = Cut(BetweenGroups(halves, bridges=bridge), self.label)
        return rule_in_force(cut, control, (halves[0], bridge, halves[1]))

    def resolved(self, control: ClusterControl, fault_rng: RandomStreams) -> Bridge:
        """The same with the nodes named that are meant."""
        bridge = present((self.target,), control, fault_rng)
        return replace(self, target=bridge, halves=_halves(control, bridge, fault_rng))


def _halves(
    control: ClusterControl, bridge: tuple[NodeId, ...], fault_rng: RandomStreams
) -> tuple[tuple[NodeId, ...], tuple[NodeId, ...]]:
    others = [node for node in control.nodes_in_state("present") if node not in bridge]
    shuffled = draw(others, len(others), fault_rng.random)
    return tuple(sorted(shuffled[: len(others) // 2])), tuple(sorted(shuffled[len(others) // 2 :]))


@dataclass(frozen=True, slots=True)
class MajoritiesRing:
    """On a ring in random order, each node reaches as many neighbours as make a majority, and no two the same one.

    Needs four nodes or more: of three, a node and its two neighbours are everybody.
    """

    label: str | None = None
    name: ClassVar[str] = "majorities_ring"

    def inject(self, control: ClusterControl, fault_rng: RandomStreams) -> Injected:
        nodes = control.nodes_in_state("present")
        voters = len(control.voters())
        reach = majority_reach(voters)
        if not rings_a_majority(voters, len(nodes)):
            raise NoTargetError(f"a ring of {len(nodes)} nodes has no majorities of {voters} that differ")
        ring = draw(nodes, len(nodes), fault_rng.random)
        return rule_in_force(Cut(BeyondNeighbours(ring, reach), self.label), control, ring)


def majority_reach(size: int) -> int:
    """How many neighbours on either side make, with the node itself, a majority."""
    return (size // 2 + 1) // 2


def rings_a_majority(size: int, present: int) -> bool:
    """Whether those present of a configuration can form a ring on which each node's majority is one of its own."""
    return 2 * majority_reach(size) + 1 < present
