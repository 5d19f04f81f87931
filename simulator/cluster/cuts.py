"""Faults of the network between nodes. They overlap: a link is open when none of them severs it.

A cut with a `label` can be healed alone.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import ClassVar

from simulator.cluster.links import Cut, Groups, Neighbourhoods, Pairs
from simulator.cluster.targets import NoTargetError, Patient, Target, draw, resolve
from simulator.protocol import NodeId


def _present(targets: tuple[Target, ...], patient: Patient, source: random.Random) -> tuple[NodeId, ...]:
    """The nodes meant, each once, in the order named."""
    nodes = [node for target in targets for node in resolve(target, patient, "present", source)]
    return tuple(dict.fromkeys(nodes))


@dataclass(frozen=True, slots=True)
class Partition:
    """The groups cannot reach each other; nodes that are in no group form one more."""

    groups: tuple[tuple[Target, ...], ...]
    label: str | None = None
    name: ClassVar[str] = "partition"

    def strike(self, patient: Patient, source: random.Random) -> object:
        groups = tuple(_present(group, patient, source) for group in self.groups)
        patient.cut(Groups(groups), self.label)
        return groups


@dataclass(frozen=True, slots=True)
class PartitionOneway:
    """What the senders send does not reach the receivers (all others where none are given); the way back is open."""

    senders: tuple[Target, ...]
    receivers: tuple[Target, ...] = ()
    label: str | None = None
    name: ClassVar[str] = "partition_oneway"

    def strike(self, patient: Patient, source: random.Random) -> object:
        senders = _present(self.senders, patient, source)
        receivers = _present(self.receivers, patient, source) or tuple(
            node for node in patient.where("present") if node not in senders
        )
        patient.cut(Pairs(senders, receivers), self.label)
        return senders, receivers


@dataclass(frozen=True, slots=True)
class CutLink:
    """Two nodes cannot reach each other, either way; both reach everybody else."""

    one: Target
    other: Target
    label: str | None = None
    name: ClassVar[str] = "cut_link"

    def strike(self, patient: Patient, source: random.Random) -> object:
        one, other = _present((self.one,), patient, source), _present((self.other,), patient, source)
        patient.cut(Pairs(one, other, both_ways=True), self.label)
        return one, other


@dataclass(frozen=True, slots=True)
class Isolate:
    """Each of the nodes is cut off from everybody."""

    target: Target
    label: str | None = None
    name: ClassVar[str] = "isolate"

    def strike(self, patient: Patient, source: random.Random) -> object:
        nodes = _present((self.target,), patient, source)
        patient.cut(Groups((node,) for node in nodes), self.label)
        return nodes


@dataclass(frozen=True, slots=True)
class Bridge:
    """Two halves that cannot reach each other, and one node that both reach. The halves are drawn."""

    target: Target
    label: str | None = None
    name: ClassVar[str] = "bridge"

    def strike(self, patient: Patient, source: random.Random) -> object:
        bridge = _present((self.target,), patient, source)
        others = [node for node in patient.where("present") if node not in bridge]
        shuffled = draw(others, len(others), source)
        halves = tuple(sorted(shuffled[: len(others) // 2])), tuple(sorted(shuffled[len(others) // 2 :]))
        cut: Cut = Groups(halves, bridges=bridge)
        patient.cut(cut, self.label)
        return halves[0], bridge, halves[1]


@dataclass(frozen=True, slots=True)
class MajoritiesRing:
    """On a ring in random order, each node reaches as many neighbours as make a majority, and no two the same one.

    Needs four nodes or more: of three, a node and its two neighbours are everybody.
    """

    label: str | None = None
    name: ClassVar[str] = "majorities_ring"

    def strike(self, patient: Patient, source: random.Random) -> object:
        nodes = patient.where("present")
        reach = (patient.size() // 2 + 1) // 2  # Itself and `reach` on either side are a majority.
        if 2 * reach + 1 >= len(nodes):
            raise NoTargetError("a ring of four nodes or more")
        ring = draw(nodes, len(nodes), source)
        patient.cut(Neighbourhoods(ring, reach), self.label)
        return ring


@dataclass(frozen=True, slots=True)
class Heal:
    """The cuts of that label are lifted; without one, all are."""

    label: str | None = None
    name: ClassVar[str] = "heal"

    def strike(self, patient: Patient, _: random.Random) -> object:
        patient.heal(self.label)
        return ()
