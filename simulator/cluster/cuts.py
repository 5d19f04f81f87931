"""Faults of the network between nodes. They overlap: a link is open when none of them severs it.

A cut with a `label` can be healed alone, and one that is undone is lifted alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from simulator.cluster.conditions import Cut
from simulator.cluster.faults import Struck
from simulator.cluster.links import BetweenGroups, BeyondNeighbours, Pairs
from simulator.cluster.luck import Luck
from simulator.cluster.targets import NoTargetError, Patient, Target, draw, present
from simulator.cluster.weather import imposed


@dataclass(frozen=True, slots=True)
class Partition:
    """The groups cannot reach each other; nodes that are in no group form one more."""

    groups: tuple[tuple[Target, ...], ...]
    label: str | None = None
    name: ClassVar[str] = "partition"

    def strike(self, patient: Patient, luck: Luck) -> Struck:
        groups = tuple(present(group, patient, luck) for group in self.groups)
        return imposed(Cut(BetweenGroups(groups), self.label), patient, groups)


@dataclass(frozen=True, slots=True)
class PartitionOneway:
    """What the senders send does not reach the receivers (all others where none are given); the way back is open."""

    senders: tuple[Target, ...]
    receivers: tuple[Target, ...] = ()
    label: str | None = None
    name: ClassVar[str] = "partition_oneway"

    def strike(self, patient: Patient, luck: Luck) -> Struck:
        senders = present(self.senders, patient, luck)
        receivers = present(self.receivers, patient, luck) or tuple(
            node for node in patient.where("present") if node not in senders
        )
        return imposed(Cut(Pairs(senders, receivers), self.label), patient, (senders, receivers))


@dataclass(frozen=True, slots=True)
class CutLink:
    """Two nodes cannot reach each other, either way; both reach everybody else."""

    one: Target
    other: Target
    label: str | None = None
    name: ClassVar[str] = "cut_link"

    def strike(self, patient: Patient, luck: Luck) -> Struck:
        one, other = present((self.one,), patient, luck), present((self.other,), patient, luck)
        return imposed(Cut(Pairs(one, other, both_ways=True), self.label), patient, (one, other))


@dataclass(frozen=True, slots=True)
class Isolate:
    """Each of the nodes is cut off from everybody."""

    target: Target
    label: str | None = None
    name: ClassVar[str] = "isolate"

    def strike(self, patient: Patient, luck: Luck) -> Struck:
        nodes = present((self.target,), patient, luck)
        return imposed(Cut(BetweenGroups((node,) for node in nodes), self.label), patient, nodes)


@dataclass(frozen=True, slots=True)
class Bridge:
    """Two halves that cannot reach each other, and one node that both reach. The halves are drawn."""

    target: Target
    label: str | None = None
    name: ClassVar[str] = "bridge"

    def strike(self, patient: Patient, luck: Luck) -> Struck:
        bridge = present((self.target,), patient, luck)
        others = [node for node in patient.where("present") if node not in bridge]
        shuffled = draw(others, len(others), luck.random)
        halves = tuple(sorted(shuffled[: len(others) // 2])), tuple(sorted(shuffled[len(others) // 2 :]))
        cut = Cut(BetweenGroups(halves, bridges=bridge), self.label)
        return imposed(cut, patient, (halves[0], bridge, halves[1]))


@dataclass(frozen=True, slots=True)
class MajoritiesRing:
    """On a ring in random order, each node reaches as many neighbours as make a majority, and no two the same one.

    Needs four nodes or more: of three, a node and its two neighbours are everybody.
    """

    label: str | None = None
    name: ClassVar[str] = "majorities_ring"

    def strike(self, patient: Patient, luck: Luck) -> Struck:
        nodes = patient.where("present")
        reach = (len(patient.voters()) // 2 + 1) // 2  # Itself and `reach` on either side are a majority.
        if 2 * reach + 1 >= len(nodes):
            raise NoTargetError("a ring of four nodes or more")
        ring = draw(nodes, len(nodes), luck.random)
        return imposed(Cut(BeyondNeighbours(ring, reach), self.label), patient, ring)
