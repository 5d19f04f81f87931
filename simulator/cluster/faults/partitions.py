"""Faults that cut links. They overlap: a link is open if no fault in force cuts it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from simulator.cluster.control import ClusterControl
from simulator.cluster.faults.link_faults import LinkFault, Nodes, all_but, put_in_force, smaller_end
from simulator.cluster.faults.record import Injected, Kind, ResolvedFault, keyword, member
from simulator.cluster.faults.rng import RandomStreams
from simulator.cluster.faults.targets import NoTargetError, Target, draw, present, sides
from simulator.cluster.network.links import BetweenGroups, BeyondNeighbours, Pairs
from simulator.cluster.network.rules import Cut
from simulator.protocol import Assumption


@dataclass(frozen=True, slots=True)
class Cutting(LinkFault):
    """A fault that cuts links."""

    breaks: ClassVar[tuple[Assumption, ...]] = (Assumption.NO_PARTITION, Assumption.NO_LOSS)


@dataclass(frozen=True, slots=True)
class Partition(Cutting):
    """The groups cannot reach each other. Nodes that are in no group form one more. A node in several groups reaches
    all of these.
    """

    groups: tuple[tuple[Target, ...], ...] = keyword(Kind.GROUPS, examples=([["n1", "leader"], ["n3"]],))
    name: ClassVar[str] = "partition"
    example: ClassVar[str] = "{at: 1s, partition: [[leader-and-minority]], lasts: 1s}"

    def inject(self, control: ClusterControl, fault_rng: RandomStreams) -> Injected:
        groups = tuple(sides(self.groups, control, fault_rng))
        return put_in_force(Cut(BetweenGroups(groups), self.label), control, groups)

    def resolve_targets(self, control: ClusterControl, fault_rng: RandomStreams) -> ResolvedFault:
        groups = tuple(sides(self.groups, control, fault_rng))
        return ResolvedFault(replace(self, groups=groups), _outside_the_largest(groups, control))


@dataclass(frozen=True, slots=True)
class PartitionOneway(Cutting):
    """What the senders send does not reach the receivers. The way back is open."""

    senders: Target = member(Kind.TARGETS, "Whose packets are stopped.")
    receivers: Target = member(
        Kind.TARGETS, "To which nodes packets are stopped; by default, to all others.", default=()
    )
    name: ClassVar[str] = "partition_oneway"
    example: ClassVar[str] = "{at: 1s, partition_oneway: {senders: leader}, lasts: 1s}"

    def inject(self, control: ClusterControl, fault_rng: RandomStreams) -> Injected:
        senders, receivers = sides((self.senders, self.receivers), control, fault_rng)
        receivers = receivers if self.receivers else all_but(senders, control)
        return put_in_force(Cut(Pairs(senders, receivers), self.label), control, (senders, receivers))

    def resolve_targets(self, control: ClusterControl, fault_rng: RandomStreams) -> ResolvedFault:
        senders, receivers = sides((self.senders, self.receivers), control, fault_rng)
        others = receivers if self.receivers else all_but(senders, control)
        return ResolvedFault(replace(self, senders=senders, receivers=receivers), smaller_end(senders, others))


@dataclass(frozen=True, slots=True)
class CutLink(Cutting):
    """Two nodes cannot reach each other, either way. Both reach all others."""

    ends: tuple[Target, Target] = keyword(Kind.PAIR, examples=(["n1", "n2"],))
    name: ClassVar[str] = "cut_link"
    example: ClassVar[str] = "{at: 1s, cut_link: [leader, follower], lasts: 1s}"

    def inject(self, control: ClusterControl, fault_rng: RandomStreams) -> Injected:
        node_a, node_b = sides(self.ends, control, fault_rng)
        return put_in_force(Cut(Pairs(node_a, node_b, both_ways=True), self.label), control, (node_a, node_b))

    def resolve_targets(self, control: ClusterControl, fault_rng: RandomStreams) -> ResolvedFault:
        node_a, node_b = sides(self.ends, control, fault_rng)
        return ResolvedFault(replace(self, ends=(node_a, node_b)), smaller_end(node_a, node_b))


@dataclass(frozen=True, slots=True)
class Isolate(Cutting):
    """Each of the nodes is cut off from all others."""

    target: Target = keyword(Kind.TARGETS)
    name: ClassVar[str] = "isolate"
    example: ClassVar[str] = "{after: leader-elected + 500ms, isolate: leader, lasts: 2s}"

    def inject(self, control: ClusterControl, fault_rng: RandomStreams) -> Injected:
        nodes = present((self.target,), control, fault_rng)
        return put_in_force(Cut(BetweenGroups((node,) for node in nodes), self.label), control, nodes)

    def resolve_targets(self, control: ClusterControl, fault_rng: RandomStreams) -> ResolvedFault:
        nodes = present((self.target,), control, fault_rng)
        return ResolvedFault(replace(self, target=nodes), nodes)


@dataclass(frozen=True, slots=True)
class Bridge(Cutting):
    """Two halves cannot reach each other, and one node reaches both. The halves are drawn at random."""

    target: Target = keyword(Kind.TARGET)
    halves: tuple[Nodes, Nodes] | None = None  # None if the sides are drawn at random.
    name: ClassVar[str] = "bridge"
    example: ClassVar[str] = "{at: 1s, bridge: n3}"

    def inject(self, control: ClusterControl, fault_rng: RandomStreams) -> Injected:
        bridge = present((self.target,), control, fault_rng)
        halves = self.halves or _draw_halves(control, bridge, fault_rng)
        cut = Cut(BetweenGroups(halves, bridges=bridge), self.label)
        return put_in_force(cut, control, (halves[0], bridge, halves[1]))

    def resolve_targets(self, control: ClusterControl, fault_rng: RandomStreams) -> ResolvedFault:
        bridge = present((self.target,), control, fault_rng)
        halves = _draw_halves(control, bridge, fault_rng)
        return ResolvedFault(replace(self, target=bridge, halves=halves), smaller_end(*halves))


@dataclass(frozen=True, slots=True)
class MajoritiesRing(Cutting):
    """On a ring in random order, each node reaches as many neighbours as make a majority, and no two nodes reach the
    same majority. It needs four nodes or more: of three, a node and its two neighbours are all.
    """

    nodes: str = keyword(Kind.EVERYBODY, default="all")
    name: ClassVar[str] = "majorities_ring"
    example: ClassVar[str] = "{at: 1s, majorities_ring: all}"

    def inject(self, control: ClusterControl, fault_rng: RandomStreams) -> Injected:
        nodes = control.nodes_in_state("present")
        voters = len(control.voters())
        if not _has_majorities(voters, len(nodes)):
            raise NoTargetError(f"a ring of {len(nodes)} nodes has no majorities of {voters} that differ")
        ring = draw(nodes, len(nodes), fault_rng.random)
        return put_in_force(Cut(BeyondNeighbours(ring, _neighbours(voters)), self.label), control, ring)

    def resolve_targets(self, control: ClusterControl, fault_rng: RandomStreams) -> ResolvedFault:
        # Each of these nodes has lost its path to some other node.
        return ResolvedFault(self, tuple(control.nodes_in_state("present")))

    @classmethod
    def cluster_error(cls, size: int, present: int) -> str | None:
        if _has_majorities(size, present):
            return None
        return (
            f"needs a majority that is not everybody: of the {present} nodes that start, each would see "
            f"{2 * _neighbours(size) + 1} to see at least {size // 2 + 1}; start more nodes"
        )


def _neighbours(size: int) -> int:
    """How many neighbours on either side make, with the node itself, a majority of this many nodes."""
    return (size // 2 + 1) // 2


def _has_majorities(size: int, present: int) -> bool:
    """Whether the nodes that are present can form a ring on which each reaches a majority of its own."""
    return 2 * _neighbours(size) + 1 < present


def _draw_halves(control: ClusterControl, bridge: Nodes, fault_rng: RandomStreams) -> tuple[Nodes, Nodes]:
    others = all_but(bridge, control)
    shuffled = draw(others, len(others), fault_rng.random)
    return tuple(sorted(shuffled[: len(others) // 2])), tuple(sorted(shuffled[len(others) // 2 :]))


def _outside_the_largest(groups: Sequence[Nodes], control: ClusterControl) -> Nodes:
    """The nodes that do not reach the largest group; of equally large groups, the one with the lowest node counts.

    Nodes in no group form one more group. A node that several groups name is in the last of them.
    """
    group_of = {node: number for number, group in enumerate(groups) for node in group}
    sizes = Counter(group_of.get(node) for node in control.nodes_in_state("present"))
    largest = max(sizes, key=lambda group: sizes[group])
    return tuple(node for node in control.nodes_in_state("present") if group_of.get(node) != largest)
